//! The place of a file or folder: its folder, opened below a root of the policy without following a link out of it, and
//! its name there. Everything that is done at the place is done by these two, so that no link that is put there in
//! between leads elsewhere.

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Gid, Mode, Stat, Uid, fchmod, fchown, fsync, unlinkat};
use rustix::io::Errno;
use sortie_rules::desired::Bearing;

use super::names::Names;
use super::own::Guard;
use super::trouble::Trouble;
use crate::policy::{Forbidden, Roots};

/// Where something is, or will be.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) folder: OwnedFd,
    pub(super) name: OsString,
    pub(super) whole: PathBuf,
}

/// A mode and an owner, as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Wanted {
    pub(super) mode: Option<u32>,
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
}

impl Place {
    /// The place of this path; `None` if its folder is not there.
    pub(super) fn open(path: &Path, roots: &Roots, guard: &Guard) -> Result<Option<Place>, Trouble> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Trouble::refused(
                "forbidden_by_policy",
                format!("{} names no place in a folder", path.display()),
            ));
        };
        let is_missing = |forbidden: &Forbidden| match forbidden {
            Forbidden::Unreachable { source, .. } => source.kind() == std::io::ErrorKind::NotFound,
            Forbidden::Outside(_) | Forbidden::NoRoot { .. } => false,
        };
        match roots.find(parent) {
            Ok(root) => {
                let whole = root.whole().join(name);
                guard.check(&whole)?;
                let folder = root.open().map_err(refuse)?;
                Ok(Some(Place { folder, name: name.to_owned(), whole }))
            }
            Err(forbidden) if is_missing(&forbidden) => {
                // What is not there may be outside, too: the nearest folder that is there says so.
                let there = parent.ancestors().find(|ancestor| ancestor.symlink_metadata().is_ok());
                roots.find(there.unwrap_or(Path::new("/"))).map_err(refuse)?;
                Ok(None)
            }
            // Of the resource itself, and not of the folder that it would be in.
            Err(Forbidden::NoRoot { root, .. }) => Err(refuse(Forbidden::NoRoot { path: path.to_owned(), root })),
            Err(forbidden) => Err(refuse(forbidden)),
        }
    }

    /// Takes the name away. Whether it was there does not matter.
    pub(super) fn remove(&self, flags: AtFlags) -> Result<(), Trouble> {
        match unlinkat(&self.folder, &self.name, flags) {
            Ok(()) => self.keep(),
            Err(Errno::NOENT) => Ok(()),
            Err(Errno::NOTEMPTY | Errno::EXIST) => {
                let message = format!("{} is not empty, and only an empty folder is removed", self.whole.display());
                Err(Trouble::failed("not_empty", message))
            }
            Err(error) => Err(self.fault("removed", error)),
        }
    }

    /// Puts what the folder says of its names on disk.
    pub(super) fn keep(&self) -> Result<(), Trouble> {
        fsync(&self.folder).map_err(|error| self.fault("written down", error))
    }

    /// The trouble that an error of the file system is.
    pub(super) fn fault(&self, what: &str, error: impl Into<std::io::Error>) -> Trouble {
        let error: std::io::Error = error.into();
        let reason = match error.kind() {
            std::io::ErrorKind::PermissionDenied => "not_permitted",
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => "disk_full",
            _ => "not_writable",
        };
        Trouble::failed(reason, format!("{} cannot be {what}: {error}", self.whole.display()))
    }

    /// What stands at the place is something else than it should be, and is left alone.
    pub(super) fn in_the_way(&self, what: &str) -> Trouble {
        let message = format!("at {} there is {what}, which is left alone", self.whole.display());
        Trouble::failed("in_the_way", message)
    }
}

fn refuse(forbidden: Forbidden) -> Trouble {
    match forbidden {
        Forbidden::Outside(_) => Trouble::refused("forbidden_by_policy", forbidden.to_string()),
        Forbidden::NoRoot { .. } => Trouble::failed("no_root", forbidden.to_string()),
        Forbidden::Unreachable { .. } => Trouble::failed("not_reachable", forbidden.to_string()),
    }
}

impl Wanted {
    /// What a spec asks for, in the machine's numbers.
    pub(super) fn of(bearing: &Bearing) -> Result<Wanted, Trouble> {
        if bearing.owner.is_none() && bearing.group.is_none() {
            return Ok(Wanted { mode: bearing.mode, uid: None, gid: None });
        }
        let names = Names::read();
        let unknown = |why: String| Trouble::failed("unknown_owner", why);
        Ok(Wanted {
            mode: bearing.mode,
            uid: bearing.owner.as_deref().map(|owner| names.uid(owner)).transpose().map_err(unknown)?,
            gid: bearing.group.as_deref().map(|group| names.gid(group)).transpose().map_err(unknown)?,
        })
    }

    /// What of it is otherwise, in the spec's own form.
    pub(super) fn otherwise(&self, stat: &Stat) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        let mode = stat.st_mode & 0o7777;
        if self.mode.is_some_and(|wanted| wanted != mode) {
            found.push(("mode", format!("{mode:04o}")));
        }
        if self.uid.is_some_and(|wanted| wanted != stat.st_uid) {
            found.push(("owner", Names::read().user(stat.st_uid)));
        }
        if self.gid.is_some_and(|wanted| wanted != stat.st_gid) {
            found.push(("group", Names::read().group(stat.st_gid)));
        }
        found
    }

    /// Makes it so for what is open.
    pub(super) fn give(&self, to: &OwnedFd, place: &Place) -> Result<(), Trouble> {
        if self.uid.is_some() || self.gid.is_some() {
            fchown(to, self.uid.map(Uid::from_raw), self.gid.map(Gid::from_raw))
                .map_err(|error| place.fault("given to its owner", error))?;
        }
        // After the owner: a change of it takes bits away.
        if let Some(mode) = self.mode {
            fchmod(to, Mode::from_raw_mode(mode)).map_err(|error| place.fault("given its mode", error))?;
        }
        Ok(())
    }
}
