//! `file.checksum`: the SHA-256 of a file, or of a whole folder.
//!
//! Of a folder it is the SHA-256 over one line for each regular file in it, `HEX  PATH\n` with the
//! path relative to the folder, sorted by path as bytes. Symbolic links and whatever else is neither
//! file nor folder are left out and counted.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;

use aws_lc_rs::digest::{Context, SHA256};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, fstat, openat, statat};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::handler::{Failure, Output, Work};
use crate::policy::{Forbidden, Root};

/// Bytes read at once.
const CHUNK_BYTES: usize = 256 * 1024;
/// Deepest folder in a folder.
const DEPTH_MAX: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    path: PathBuf,
}

#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Sum {
    sha256: String,
    bytes: u64,
    files: u64,
    skipped: u64,
}

pub(super) async fn run(work: Work) -> Result<Output, Failure> {
    let Payload { path } = work.read()?;
    let (policy, stop) = (work.policy.clone(), work.stop.clone());
    let summing = tokio::task::spawn_blocking(move || {
        let root = policy.checksum_roots.find(&path).map_err(refuse)?;
        sum(&root, &stop)
    });
    let sum = summing.await.map_err(|error| Failure::failed("handler_failed", error.to_string(), true))??;
    Output::of(&sum)
}

fn refuse(forbidden: Forbidden) -> Failure {
    match forbidden {
        Forbidden::Outside(_) => Failure::forbidden(forbidden.to_string()),
        Forbidden::NoRoot { .. } | Forbidden::Unreachable { .. } => {
            Failure::failed("not_readable", forbidden.to_string(), false)
        }
    }
}

fn sum(root: &Root, stop: &CancellationToken) -> Result<Sum, Failure> {
    let opened = root.open().map_err(refuse)?;
    let kind = FileType::from_raw_mode(fstat(&opened).map_err(|error| fault(error.into(), "."))?.st_mode);
    let mut walk = Walk { stop, total: Sum::default(), lines: Context::new(&SHA256), chunk: vec![0; CHUNK_BYTES] };
    walk.total.sha256 = match kind {
        FileType::RegularFile => walk.file(opened, ".")?,
        FileType::Directory => {
            walk.folder(&opened, "", 0)?;
            hex::encode(walk.lines.clone().finish())
        }
        _ => return Err(Failure::failed("not_a_file", "this is neither a file nor a folder", false)),
    };
    Ok(walk.total)
}

struct Walk<'s> {
    stop: &'s CancellationToken,
    total: Sum,
    lines: Context,
    chunk: Vec<u8>,
}

impl Walk<'_> {
    /// Adds a folder's files, in the order of their whole paths as bytes: among siblings a folder
    /// counts as its name with a slash behind it.
    fn folder(&mut self, folder: &OwnedFd, path: &str, depth: usize) -> Result<(), Failure> {
        if depth > DEPTH_MAX {
            return Err(Failure::failed("too_deep", format!("{path} lies deeper than {DEPTH_MAX} folders"), false));
        }
        for (name, is_folder) in self.entries(folder, path)? {
            let whole = format!("{path}{name}");
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
            let flags = if is_folder { flags | OFlags::DIRECTORY } else { flags };
            let bare = name.trim_end_matches('/');
            let opened = openat(folder, bare, flags, Mode::empty()).map_err(|error| fault(error.into(), &whole))?;
            if is_folder {
                self.folder(&opened, &whole, depth + 1)?;
            } else {
                let hex = self.file(opened, &whole)?;
                self.lines.update(format!("{hex}  {whole}\n").as_bytes());
            }
        }
        Ok(())
    }

    /// The names in a folder, sorted; those of folders end in a slash.
    fn entries(&mut self, folder: impl AsFd, path: &str) -> Result<Vec<(String, bool)>, Failure> {
        let mut entries = Vec::new();
        for entry in Dir::read_from(&folder).map_err(|error| fault(error.into(), path))? {
            let entry = entry.map_err(|error| fault(error.into(), path))?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let stat = statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW).map_err(|error| fault(error.into(), path))?;
            let is_folder = match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => false,
                FileType::Directory => true,
                _ => {
                    self.total.skipped += 1;
                    continue;
                }
            };
            let name = name.to_str().ok().filter(|name| !name.contains('\n'));
            let Some(name) = name else {
                let message = format!("a name in /{path} is not UTF-8, or has a line break in it");
                return Err(Failure::failed("unusable_name", message, false));
            };
            entries.push((if is_folder { format!("{name}/") } else { name.to_owned() }, is_folder));
        }
        entries.sort_unstable();
        Ok(entries)
    }

    fn file(&mut self, file: OwnedFd, path: &str) -> Result<String, Failure> {
        let mut file = File::from(file);
        let mut hash = Context::new(&SHA256);
        loop {
            if self.stop.is_cancelled() {
                return Err(Failure::Cancelled);
            }
            match file.read(&mut self.chunk) {
                Ok(0) => break,
                Ok(read) => {
                    hash.update(&self.chunk[..read]);
                    self.total.bytes += read as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(fault(error, path)),
            }
        }
        self.total.files += 1;
        Ok(hex::encode(hash.finish()))
    }
}

/// A file that vanishes while it is read may be there, or gone for all, another time.
fn fault(error: io::Error, path: &str) -> Failure {
    let retry = error.kind() != io::ErrorKind::PermissionDenied;
    Failure::failed("not_readable", format!("{path}: {error}"), retry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Roots;
    use std::fs::{create_dir_all, write};

    fn sum_of(path: &std::path::Path) -> Result<Sum, Failure> {
        let roots = Roots::new(vec![path.parent().unwrap().to_owned()]);
        sum(&roots.find(path).unwrap(), &CancellationToken::new())
    }

    #[test]
    fn a_file_s_sum_is_the_well_known_one() {
        let scratch = tempfile::tempdir().unwrap();
        write(scratch.path().join("abc"), "abc").unwrap();
        let sum = sum_of(&scratch.path().join("abc")).unwrap();
        assert_eq!(sum.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!((sum.bytes, sum.files), (3, 1));
    }

    #[test]
    fn a_folder_s_sum_is_over_its_files_sorted_by_whole_path() {
        let scratch = tempfile::tempdir().unwrap();
        let tree = scratch.path().join("tree");
        create_dir_all(tree.join("a")).unwrap();
        for name in ["a/x", "a-b", "a.b", "b"] {
            write(tree.join(name), name).unwrap();
        }
        std::os::unix::fs::symlink("/etc/passwd", tree.join("link")).unwrap();
        let hex = |text: &str| hex::encode(aws_lc_rs::digest::digest(&SHA256, text.as_bytes()));
        // As bytes, `-` and `.` come before `/`.
        let lines = ["a-b", "a.b", "a/x", "b"].map(|name| format!("{}  {name}\n", hex(name))).concat();
        let sum = sum_of(&tree).unwrap();
        assert_eq!(sum.sha256, hex(&lines));
        assert_eq!((sum.bytes, sum.files, sum.skipped), (10, 4, 1));
    }

    #[test]
    fn a_sum_stops_when_it_is_told_to() {
        let scratch = tempfile::tempdir().unwrap();
        write(scratch.path().join("abc"), "abc").unwrap();
        let stop = CancellationToken::new();
        stop.cancel();
        let root = Roots::new(vec![scratch.path().to_owned()]).find(&scratch.path().join("abc")).unwrap();
        assert_eq!(sum(&root, &stop), Err(Failure::Cancelled));
    }
}
