//! `file`: what is in it, its mode, its owner. It is written beside its place, put on disk and then renamed, so that
//! nobody ever finds a part of it.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, Stat, fstat, openat, renameat, unlinkat};
use rustix::io::Errno;
use serde_json::{Map, Value, json};
use sortie_rules::desired::{Content, Ensure, FileSpec};
use sortie_rules::limits::ACTUAL_CONTENT_BYTES_MAX;

use super::Look;
use crate::desired::own::Guard;
use crate::desired::place::{Place, Wanted};
use crate::desired::trouble::Trouble;
use crate::policy::Roots;

/// The mode of a file that is made and of which none is named.
const USUAL_MODE: u32 = 0o644;
/// The same if something secret is in it.
const SECRET_MODE: u32 = 0o600;

/// A file as a resource asks for it.
#[derive(Debug)]
pub(crate) struct FileResource {
    spec: FileSpec,
    bytes: Option<Vec<u8>>,
    /// Whether something secret is in it.
    is_secret: bool,
}

impl FileResource {
    /// The file that a spec asks for.
    pub(crate) fn new(spec: FileSpec, is_secret: bool) -> Result<FileResource, Trouble> {
        let bytes = match &spec.content {
            None => None,
            Some(Content::Text(text)) => Some(text.as_bytes().to_vec()),
            Some(Content::Base64(text)) => {
                let bad = |_| Trouble::failed("bad_spec", "`content_base64` is not base64");
                Some(BASE64.decode(text).map_err(bad)?)
            }
        };
        Ok(FileResource { spec, bytes, is_secret })
    }

    /// Looks at it. Its content is told only if `tells_content`, and never if it is to be secret.
    pub(crate) fn look(&self, roots: &Roots, guard: &Guard, tells_content: bool) -> Result<Look, Trouble> {
        let place = Place::open(&self.spec.path, roots, guard)?;
        let there = match &place {
            Some(place) => there(place)?.map(|(file, stat)| (place, file, stat)),
            None => None,
        };
        match (self.spec.ensure, there) {
            (Ensure::Absent, None) => Ok(Look::InOrder),
            (Ensure::Absent, Some(_)) => Ok(Look::otherwise("it is there", [("ensure", json!("present"))])),
            (Ensure::Present, None) => Ok(Look::otherwise("it is not there", [("ensure", json!("absent"))])),
            (Ensure::Present, Some((place, file, stat))) => {
                let mut actual = Map::new();
                let mut parts = Vec::new();
                if let Some(wanted) = &self.bytes
                    && let Some(found) =
                        other_content(wanted, file, &stat).map_err(|error| place.fault("read", error))?
                {
                    parts.push("content");
                    let may_be_told = tells_content && !self.is_secret;
                    if let Some(text) = found.and_then(|bytes| String::from_utf8(bytes).ok()).filter(|_| may_be_told) {
                        actual.insert("content".to_owned(), Value::String(text));
                    }
                }
                for (name, value) in Wanted::of(&self.spec.bearing)?.otherwise(&stat) {
                    parts.push(name);
                    actual.insert(name.to_owned(), Value::String(value));
                }
                Ok(Look::parts(&parts, actual))
            }
        }
    }

    /// Makes it so.
    pub(crate) fn apply(&self, roots: &Roots, guard: &Guard) -> Result<(), Trouble> {
        let place = Place::open(&self.spec.path, roots, guard)?;
        let Some(place) = place else {
            return match self.spec.ensure {
                Ensure::Absent => Ok(()),
                Ensure::Present => Err(super::no_folder(&self.spec.path)),
            };
        };
        let there = there(&place)?;
        if self.spec.ensure == Ensure::Absent {
            return if there.is_some() { place.remove(AtFlags::empty()) } else { Ok(()) };
        }
        let wanted = Wanted::of(&self.spec.bearing)?;
        match (&self.bytes, there) {
            (None, Some((file, stat))) => {
                if stat.st_nlink > 1 {
                    // Under another name it may be something that no resource may touch.
                    return Err(place.in_the_way("a file that has other names as well"));
                }
                wanted.give(&file, &place)
            }
            (bytes, there) => {
                let usual = if self.is_secret { SECRET_MODE } else { USUAL_MODE };
                let before = there.map(|(_, stat)| stat);
                self.write(&place, bytes.as_deref().unwrap_or_default(), with_usual(wanted, before.as_ref(), usual))
            }
        }
    }

    fn write(&self, place: &Place, bytes: &[u8], wanted: Wanted) -> Result<(), Trouble> {
        let beside = beside(place);
        let clear = || match unlinkat(&place.folder, &beside, AtFlags::empty()) {
            // One that was left by an agent that was killed.
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(place.fault("written", error)),
        };
        clear()?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let made = openat(&place.folder, &beside, flags, Mode::RUSR | Mode::WUSR);
        let made: OwnedFd = made.map_err(|error| place.fault("written", error))?;
        let mut file = File::from(made);
        let written = file
            .write_all(bytes)
            .map_err(|error| place.fault("written", error))
            .and_then(|()| {
                let made = OwnedFd::from(file);
                wanted.give(&made, place)?;
                rustix::fs::fsync(&made).map_err(|error| place.fault("written", error))
            })
            .and_then(|()| {
                renameat(&place.folder, &beside, &place.folder, &place.name)
                    .map_err(|error| place.fault("put in its place", error))
            });
        match written {
            Ok(()) => place.keep(),
            Err(trouble) => {
                // The first trouble is what counts.
                let _left_behind = clear();
                Err(trouble)
            }
        }
    }
}

/// A file keeps what it had and nobody asks to be otherwise.
fn with_usual(wanted: Wanted, before: Option<&Stat>, usual: u32) -> Wanted {
    let mode = wanted.mode.or(before.map(|stat| stat.st_mode & 0o7777)).unwrap_or(usual);
    let (mut uid, mut gid) = (wanted.uid, wanted.gid);
    if let Some(stat) = before
        && rustix::process::geteuid().is_root()
    {
        uid = uid.or(Some(stat.st_uid));
        gid = gid.or(Some(stat.st_gid));
    }
    Wanted { mode: Some(mode), uid, gid }
}

/// What is at the place, if it is a file.
fn there(place: &Place) -> Result<Option<(OwnedFd, Stat)>, Trouble> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = match openat(&place.folder, &place.name, flags, Mode::empty()) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP) => return Err(place.in_the_way("a symbolic link")),
        Err(error) => return Err(place.fault("opened", error)),
    };
    let stat = fstat(&file).map_err(|error| place.fault("looked at", error))?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok(Some((file, stat))),
        FileType::Directory => Err(place.in_the_way("a folder")),
        _ => Err(place.in_the_way("something that is no file")),
    }
}

/// `Some` if what is in the file is not what is wanted: what there is, if it is not too much to be told.
fn other_content(wanted: &[u8], file: OwnedFd, stat: &Stat) -> std::io::Result<Option<Option<Vec<u8>>>> {
    let size = usize::try_from(stat.st_size).unwrap_or(usize::MAX);
    if size != wanted.len() && size > ACTUAL_CONTENT_BYTES_MAX {
        return Ok(Some(None));
    }
    let mut found = Vec::with_capacity(size);
    File::from(file).take(wanted.len().max(ACTUAL_CONTENT_BYTES_MAX) as u64 + 1).read_to_end(&mut found)?;
    if found == wanted {
        return Ok(None);
    }
    Ok(Some((found.len() <= ACTUAL_CONTENT_BYTES_MAX).then_some(found)))
}

/// The name under which a file is written before it is in its place: always the same, so that one that was left there
/// by an agent that was killed is found again.
fn beside(place: &Place) -> OsString {
    let of = digest(&SHA256, place.name.as_encoded_bytes());
    format!(".sortie-{}.new", hex::encode(&of.as_ref()[..8])).into()
}
