//! The files of a data folder that belong to a backup: the hub's keys and the first administrator's token.

use std::fs;
use std::io;
use std::path::Path;

use super::fault::UpkeepError;

/// The folder of keys.
pub(super) const KEYS: &str = "keys";
/// The file beside it.
pub(super) const ADMIN_TOKEN: &str = "admin.token";
/// How often the keys are read again if they change meanwhile.
const TRIES: usize = 5;

/// A file's name within the data folder, and what is in it.
pub(super) type KeyFile = (String, Vec<u8>);

/// All of them, as they stood at one moment: a rotation changes several, one after the other.
pub(super) fn read(data: &Path) -> Result<Vec<KeyFile>, UpkeepError> {
    let mut before = once(data)?;
    for _ in 0..TRIES {
        let again = once(data)?;
        if again == before {
            return Ok(again);
        }
        before = again;
    }
    Err(UpkeepError::KeysMove)
}

fn once(data: &Path) -> Result<Vec<KeyFile>, UpkeepError> {
    let folder = data.join(KEYS);
    let mut names = match fs::read_dir(&folder) {
        Ok(entries) => entries
            .filter_map(|entry| Some(format!("{KEYS}/{}", entry.ok()?.file_name().into_string().ok()?)))
            .filter(|name| is_key_file(name) && data.join(name).is_file())
            .collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(source) => return Err(UpkeepError::Io { what: folder.display().to_string(), source }),
    };
    names.push(ADMIN_TOKEN.to_owned());
    names.sort_unstable();
    let mut files = Vec::with_capacity(names.len());
    for name in names {
        let path = data.join(&name);
        match fs::read(&path) {
            Ok(bytes) => files.push((name, bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(UpkeepError::Io { what: path.display().to_string(), source }),
        }
    }
    Ok(files)
}

/// Whether a name is one under which such a file may be written: nothing leads out of the folder.
pub(super) fn is_key_file(name: &str) -> bool {
    let plain = |text: &str| {
        let known = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        !text.is_empty() && !text.starts_with('.') && text.chars().all(known) && !text.ends_with(".writing")
    };
    name == ADMIN_TOKEN || name.strip_prefix("keys/").is_some_and(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_out_of_the_folder() {
        for name in ["keys/ring.json", "keys/delivery.2.pk8", "admin.token"] {
            assert!(is_key_file(name), "{name}");
        }
        for name in ["keys/", "keys/..", "keys/../hub.toml", "keys/a/b", "/etc/passwd", "hub.toml", "keys/x.writing"] {
            assert!(!is_key_file(name), "{name}");
        }
    }
}
