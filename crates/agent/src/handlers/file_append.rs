//! `file.append`: adds one line to a file, on disk before the result says so. Not idempotent: the
//! pack says so, and the agent never runs the same run of it twice.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, Mode, OFlags, fstat, fsync, openat};
use serde::{Deserialize, Serialize};

use super::Surroundings;
use super::handler::{Failure, Output, Work};
use crate::policy::{Forbidden, Policy};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload {
    path: PathBuf,
    line: String,
}

#[derive(Debug, Serialize)]
struct Appended {
    offset: u64,
    bytes: u64,
}

pub(super) async fn run(work: Work, surroundings: Surroundings) -> Result<Output, Failure> {
    let Payload { path, line } = work.read()?;
    if line.contains(['\n', '\r']) {
        return Err(Failure::Rejected {
            code: sortie_rules::tasks::Code::new(sortie_rules::tasks::Code::BAD_PAYLOAD),
            message: "the line has a line break in it".to_owned(),
        });
    }
    let policy = work.policy.clone();
    let appending = tokio::task::spawn_blocking(move || append(&path, &line, &policy, &surroundings));
    Output::of(&appending.await.map_err(|error| Failure::failed("handler_failed", error.to_string(), false))??)
}

fn append(path: &Path, line: &str, policy: &Policy, surroundings: &Surroundings) -> Result<Appended, Failure> {
    let (folder, name) = open_folder(path, policy, surroundings)?;
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::ROTH;
    // Opening has no effect but an empty file; from the write on, another try could do it twice.
    let opened = openat(&folder, &name, flags | OFlags::NONBLOCK, mode)
        .map_err(|error| fault("the file cannot be opened", error.into(), true))?;
    let stat = fstat(&opened).map_err(|error| fault("the file cannot be opened", error.into(), true))?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(Failure::failed("not_a_file", "this is not a regular file", false));
    }
    let mut file = File::from(opened);
    let whole = format!("{line}\n");
    let wrote = file.write_all(whole.as_bytes()).and_then(|()| file.sync_all()).and_then(|()| {
        fsync(&folder)?; // The file may be new: its name must be on disk too.
        file.stream_position()
    });
    let end = wrote.map_err(|error| fault("the line may be there in part", error, false))?;
    let bytes = whole.len() as u64;
    Ok(Appended { offset: end.saturating_sub(bytes), bytes })
}

/// The open folder of the file and the file's name in it, if the policy allows it and it is none of
/// the agent's own files.
fn open_folder(path: &Path, policy: &Policy, own: &Surroundings) -> Result<(OwnedFd, OsString), Failure> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Failure::forbidden(format!("{} does not name a file", path.display())));
    };
    let root = policy.append_roots.find(folder).map_err(refuse)?;
    let whole = root.whole().join(name);
    let is = |file: &Path| file.canonicalize().is_ok_and(|file| file == whole);
    if root.whole().starts_with(&own.data) || is(&own.policy) {
        return Err(Failure::forbidden(format!("{} is one of the agent's own files", whole.display())));
    }
    Ok((root.open().map_err(refuse)?, name.to_owned()))
}

fn refuse(forbidden: Forbidden) -> Failure {
    match forbidden {
        Forbidden::Outside(_) => Failure::forbidden(forbidden.to_string()),
        Forbidden::NoRoot { .. } | Forbidden::Unreachable { .. } => {
            Failure::failed("not_writable", forbidden.to_string(), false)
        }
    }
}

fn fault(what: &str, error: io::Error, retry: bool) -> Failure {
    Failure::failed("not_writable", format!("{what}: {error}"), retry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use sortie_rules::time::Millis;

    fn site(scratch: &Path) -> (Policy, Surroundings) {
        let data = scratch.join("data");
        std::fs::create_dir_all(&data).unwrap();
        let text = format!("[file_append]\nroots = [{scratch:?}]");
        let policy = Policy::parse(&text, Path::new("policy.toml")).unwrap();
        let own =
            Surroundings { data, policy: scratch.join("policy.toml"), ca_pem: None, clock: Clock::new(|| Millis(0)) };
        (policy, own)
    }

    #[test]
    fn lines_are_added_one_after_the_other() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().canonicalize().unwrap();
        let (policy, own) = site(&path);
        let journal = path.join("journal");
        let first = append(&journal, "one", &policy, &own).unwrap();
        let second = append(&journal, "two", &policy, &own).unwrap();
        assert_eq!((first.offset, first.bytes, second.offset), (0, 4, 4));
        assert_eq!(std::fs::read_to_string(&journal).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn the_agent_s_own_files_and_foreign_folders_are_out_of_reach() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().canonicalize().unwrap();
        let (policy, own) = site(&path);
        std::fs::write(&own.policy, "x").unwrap();
        std::os::unix::fs::symlink(&own.policy, path.join("link")).unwrap();
        for target in [own.data.join("ledger.db"), own.policy.clone(), PathBuf::from("/tmp/elsewhere")] {
            let refused = append(&target, "x", &policy, &own).unwrap_err();
            assert!(
                matches!(&refused, Failure::Rejected { code, .. } if code.0 == "forbidden_by_policy"),
                "{refused:?}"
            );
        }
        assert!(matches!(append(&path.join("link"), "x", &policy, &own), Err(Failure::Failed { .. })));
        assert!(matches!(append(&own.data.join(".."), "x", &policy, &own), Err(Failure::Rejected { .. })));
        assert_eq!(std::fs::read_to_string(&own.policy).unwrap(), "x");
    }
}
