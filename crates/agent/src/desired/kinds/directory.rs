//! `directory`: that a folder is there, its mode, its owner. What is in it is nobody's business.

use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, Mode, OFlags, Stat, fstat, mkdirat, openat};
use rustix::io::Errno;
use serde_json::{Map, Value, json};
use sortie_rules::desired::{DirectorySpec, Ensure};

use super::{Look, no_folder};
use crate::desired::own::Guard;
use crate::desired::place::{Place, Wanted};
use crate::desired::trouble::Trouble;
use crate::policy::Roots;

/// The mode of a folder that is made and of which none is named.
const USUAL_MODE: u32 = 0o755;

/// Looks at it.
pub(super) fn look(spec: &DirectorySpec, roots: &Roots, guard: &Guard) -> Result<Look, Trouble> {
    let place = Place::open(&spec.path, roots, guard)?;
    let there = match &place {
        Some(place) => there(place)?,
        None => None,
    };
    match (spec.ensure, there) {
        (Ensure::Absent, None) => Ok(Look::InOrder),
        (Ensure::Absent, Some(_)) => Ok(Look::otherwise("it is there", [("ensure", json!("present"))])),
        (Ensure::Present, None) => Ok(Look::otherwise("it is not there", [("ensure", json!("absent"))])),
        (Ensure::Present, Some((_, stat))) => {
            let otherwise = Wanted::of(&spec.bearing)?.otherwise(&stat);
            let parts: Vec<&str> = otherwise.iter().map(|(name, _)| *name).collect();
            let actual: Map<String, Value> =
                otherwise.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
            Ok(Look::parts(&parts, actual))
        }
    }
}

/// Makes it so.
pub(super) fn apply(spec: &DirectorySpec, roots: &Roots, guard: &Guard) -> Result<(), Trouble> {
    let place = Place::open(&spec.path, roots, guard)?;
    let place = match (place, spec.ensure) {
        (Some(place), _) => place,
        (None, Ensure::Absent) => return Ok(()),
        (None, Ensure::Present) => return Err(no_folder(&spec.path)),
    };
    if spec.ensure == Ensure::Absent {
        return if there(&place)?.is_some() { place.remove(AtFlags::REMOVEDIR) } else { Ok(()) };
    }
    let mut wanted = Wanted::of(&spec.bearing)?;
    let folder = match there(&place)? {
        Some((folder, _)) => folder,
        None => {
            let mode = *wanted.mode.get_or_insert(USUAL_MODE);
            mkdirat(&place.folder, &place.name, Mode::from_raw_mode(mode))
                .map_err(|error| place.fault("made", error))?;
            place.keep()?;
            let made = there(&place)?;
            made.ok_or_else(|| Trouble::failed("not_writable", "somebody has taken the folder away again"))?.0
        }
    };
    wanted.give(&folder, &place)
}

fn there(place: &Place) -> Result<Option<(OwnedFd, Stat)>, Trouble> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = match openat(&place.folder, &place.name, flags, Mode::empty()) {
        Ok(folder) => folder,
        Err(Errno::NOENT) => return Ok(None),
        // With O_DIRECTORY a link is told as something that is no folder.
        Err(Errno::LOOP | Errno::NOTDIR) => return Err(place.in_the_way("something that is no folder")),
        Err(error) => return Err(place.fault("opened", error)),
    };
    let stat = fstat(&folder).map_err(|error| place.fault("looked at", error))?;
    Ok(Some((folder, stat)))
}
