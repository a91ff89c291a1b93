//! A backup as a file: a tar whose members are hashed while they are written, and verified before anything is done
//! with them.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom, Write};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};
use sortie_rules::limits::BACKUP_MANIFEST_BYTES_MAX;

use super::fault::UpkeepError;
use super::manifest::{FORMAT, MANIFEST, MARK, Manifest, Mark, Member};

/// A backup under writing. Its members are for nobody's eyes but the hub's.
pub(super) struct Writer<W: Write> {
    tar: tar::Builder<W>,
    members: Vec<Member>,
}

impl<W: Write> Writer<W> {
    /// Begins one.
    pub(super) fn begin(to: W) -> Result<Writer<W>, UpkeepError> {
        let mut writer = Writer { tar: tar::Builder::new(to), members: Vec::new() };
        let mark = serde_json::to_vec(&Mark { format: FORMAT }).expect("plain data is JSON");
        writer.add(MARK, &mark)?;
        Ok(writer)
    }

    /// Adds a member.
    pub(super) fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), UpkeepError> {
        self.put(name, bytes)?;
        let mut hash = Context::new(&SHA256);
        hash.update(bytes);
        let sha256 = hex::encode(hash.finish().as_ref());
        self.members.push(Member { name: name.to_owned(), bytes: bytes.len() as u64, sha256 });
        Ok(())
    }

    /// Ends it with the manifest that `manifest` makes of its members.
    pub(super) fn end(mut self, manifest: impl FnOnce(Vec<Member>) -> Manifest) -> Result<Manifest, UpkeepError> {
        let manifest = manifest(std::mem::take(&mut self.members));
        self.put(MANIFEST, &serde_json::to_vec_pretty(&manifest).expect("plain data is JSON"))?;
        let written = self.tar.into_inner().and_then(|mut to| to.flush());
        written.map_err(UpkeepError::io("the backup cannot be written"))?;
        Ok(manifest)
    }

    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), UpkeepError> {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o600);
        let added = self.tar.append_data(&mut header, name, bytes);
        added.map_err(UpkeepError::io("the backup cannot be written"))
    }
}

/// A backup whose every member is what it was.
pub(super) struct Verified {
    file: PathBuf,
    open: File,
    /// What it says of itself.
    pub(super) manifest: Manifest,
    /// Where in the file each member begins.
    places: Vec<u64>,
}

impl Verified {
    /// Reads a backup from its first byte to its last.
    pub(super) fn of(file: &Path) -> Result<Verified, UpkeepError> {
        let damaged = |why: String| UpkeepError::Damaged { file: file.to_owned(), why };
        let (mut seen, mut places, mut manifest) = (Vec::<Member>::new(), Vec::new(), None);
        let open = File::open(file).map_err(UpkeepError::io(file.display()))?;
        let mut archive = tar::Archive::new(BufReader::with_capacity(1 << 20, &open));
        for entry in archive.entries().map_err(unreadable(file, false))? {
            let mut entry = entry.map_err(unreadable(file, !seen.is_empty()))?;
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            if manifest.is_some() {
                return Err(damaged(format!("`{name}` comes after the manifest")));
            }
            let first = if seen.is_empty() { is_ours(file, &name, &mut entry)? } else { Vec::new() };
            if name == MANIFEST {
                manifest = Some(read_manifest(&mut entry).map_err(damaged)?);
                continue;
            }
            let (bytes, sha256) = hash(&first, &mut entry).map_err(unreadable(file, true))?;
            places.push(entry.raw_file_position());
            seen.push(Member { name, bytes, sha256 });
        }
        drop(archive);
        if seen.is_empty() {
            return Err(UpkeepError::NotABackup { file: file.to_owned(), why: "it is empty".to_owned() });
        }
        let manifest = manifest.ok_or_else(|| damaged("it has no manifest, so it was cut short".to_owned()))?;
        same(&manifest.members, &seen).map_err(damaged)?;
        Ok(Verified { file: file.to_owned(), open, manifest, places })
    }

    /// A member's bytes: those that were verified.
    pub(super) fn read(&mut self, index: usize) -> Result<Vec<u8>, UpkeepError> {
        let member = &self.manifest.members[index];
        let mut bytes = Vec::new();
        let read = self.open.seek(SeekFrom::Start(self.places[index]));
        let read = read.and_then(|_| (&self.open).take(member.bytes).read_to_end(&mut bytes));
        read.map_err(UpkeepError::io(self.file.display()))?;
        if hash(&bytes, &mut io::empty()).is_ok_and(|(_, sha256)| sha256 == member.sha256) {
            return Ok(bytes);
        }
        let why = format!("`{}` changed while it was restored", member.name);
        Err(UpkeepError::Damaged { file: self.file.clone(), why })
    }
}

/// What an error means while a file is read: that it is no backup, or after its first member that it is not whole.
fn unreadable(file: &Path, is_ours: bool) -> impl Fn(io::Error) -> UpkeepError {
    move |why| match is_ours {
        true => UpkeepError::Damaged { file: file.to_owned(), why: format!("it was cut short, or changed ({why})") },
        false => UpkeepError::NotABackup { file: file.to_owned(), why: why.to_string() },
    }
}

fn read_manifest(content: &mut dyn Read) -> Result<Manifest, String> {
    let mut text = Vec::new();
    let read = content.take(BACKUP_MANIFEST_BYTES_MAX).read_to_end(&mut text);
    read.map_err(|why| format!("its manifest cannot be read ({why})"))?;
    serde_json::from_slice(&text).map_err(|why| match why.is_eof() {
        true => "it was cut short in its manifest".to_owned(),
        false => format!("its manifest cannot be read ({why})"),
    })
}

/// Whether what was seen is what was written, or where it is not.
fn same(written: &[Member], seen: &[Member]) -> Result<(), String> {
    for (index, member) in written.iter().enumerate() {
        match seen.get(index) {
            Some(found) if found == member => {}
            Some(found) if found.name == member.name => {
                return Err(format!("`{}` is not what it was when the backup was made", member.name));
            }
            _ => return Err(format!("`{}` is missing", member.name)),
        }
    }
    seen.get(written.len()).map_or(Ok(()), |more| Err(format!("`{}` was added", more.name)))
}

/// Whether the first member says that this is a backup, in a form that is known here. Returns what it says.
fn is_ours(file: &Path, name: &str, content: &mut dyn Read) -> Result<Vec<u8>, UpkeepError> {
    let not_one = |why: &str| UpkeepError::NotABackup { file: file.to_owned(), why: why.to_owned() };
    let mut text = Vec::new();
    if name != MARK || content.take(BACKUP_MANIFEST_BYTES_MAX).read_to_end(&mut text).is_err() {
        return Err(not_one("it was not made by `sortie backup`"));
    }
    let mark: Mark = serde_json::from_slice(&text).map_err(|_| not_one("its first words cannot be read"))?;
    match mark.format {
        FORMAT => Ok(text),
        other => Err(not_one(&format!("it has the form {other}, and this program knows {FORMAT}; use a newer one"))),
    }
}

/// The length and the SHA-256 of some bytes and what follows them.
fn hash(before: &[u8], content: &mut dyn Read) -> io::Result<(u64, String)> {
    let mut hash = Context::new(&SHA256);
    hash.update(before);
    let mut bytes = before.len() as u64;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match content.read(&mut buffer)? {
            0 => return Ok((bytes, hex::encode(hash.finish().as_ref()))),
            count => {
                hash.update(&buffer[..count]);
                bytes += count as u64;
            }
        }
    }
}
