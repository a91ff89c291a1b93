//! Who a user is, by the machine's own word: also where users come from a directory and not from a file.

use std::process::{Command, Stdio};

/// A user's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct User {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// The number of a user.
pub(crate) fn uid_of(name: &str) -> Result<u32, String> {
    find(name).map(|user| user.uid)
}

/// The user of this name, or why there is none.
pub(super) fn find(name: &str) -> Result<User, String> {
    // It goes onto a command line.
    if name.is_empty() || name.starts_with('-') || !name.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(format!("`{name}` is no name of a user"));
    }
    let number = |what: &str| -> Result<u32, String> {
        let mut id = Command::new("/usr/bin/id");
        let id = id.env_clear().args([what, "--", name]).stdin(Stdio::null()).output();
        let said = id.map_err(|error| format!("/usr/bin/id: {error}"))?;
        let text = String::from_utf8_lossy(&said.stdout);
        text.trim().parse().map_err(|_| format!("this machine knows no user `{name}`"))
    };
    Ok(User { uid: number("-u")?, gid: number("-g")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_name() {
        assert_eq!(find("root"), Ok(User { uid: 0, gid: 0 }));
        for nobody in ["", "-u", "no such user", "sortie-nobody-has-this-name"] {
            assert!(find(nobody).is_err(), "{nobody}");
        }
    }
}
