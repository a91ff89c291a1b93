//! A file with an export, to which more is added: where it ends, and whether what follows fits.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use serde_json::Value;
use sortie_rules::audit::{Checker, Hash, from_hex};
use sortie_wire::audit::sha256;

use crate::exit::{Exit, Failure};

/// Read at once while the last line is looked for.
const STEP_BYTES: u64 = 64 << 10;

/// A file that grows by whole lines.
#[derive(Debug)]
pub(super) struct ExportFile {
    path: PathBuf,
    file: File,
    /// The last link that stands in it; 0 if there is none.
    pub(super) number: u64,
    /// Its hash, where it is known.
    pub(super) hash: Option<Hash>,
    /// Whether there was nothing in it.
    pub(super) is_new: bool,
}

impl ExportFile {
    /// Opens it, or makes it. A last line that was cut is taken away.
    pub(super) fn open(path: &Path) -> Result<ExportFile, Failure> {
        let failed = |error: std::io::Error| cannot(path, &error);
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        let mut file = options.open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let (whole, last) = last_line(&mut file, length).map_err(failed)?;
        let (number, hash) = match &last {
            Some(line) => place_of(line).ok_or_else(|| {
                Failure::usage(format!("{} is no export of an audit log", path.display()))
                    .remedy("name another file; what is in this one is left as it is")
            })?,
            // A file in which the first line was cut has nothing yet; but it may be something else altogether.
            None if whole < length && !begins_as_export(&mut file).map_err(failed)? => {
                return Err(Failure::usage(format!("{} is no export of an audit log", path.display()))
                    .remedy("name another file; what is in this one is left as it is"));
            }
            None => (0, None),
        };
        if whole < length {
            file.set_len(whole).map_err(failed)?;
        }
        Ok(ExportFile { path: path.to_owned(), file, number, hash, is_new: length == 0 })
    }

    /// Refuses to add to lines that do not hold.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let failed = |error: std::io::Error| cannot(&self.path, &error);
        let (mut reader, mut line) = (BufReader::new(File::open(&self.path).map_err(failed)?), Vec::new());
        let mut checker: Option<Checker> = None;
        while reader.read_until(b'\n', &mut line).map_err(failed)? > 0 {
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            checker.get_or_insert_with(|| Checker::new(sha256).after(begins_after(text), None)).line(text);
            line.clear();
        }
        let Some(broken) = checker.filter(Checker::is_broken).and_then(|checker| checker.finish(true).err()) else {
            return Ok(());
        };
        let what = format!("{}, line {}: {}; nothing was added", self.path.display(), broken.line, broken.fault);
        Err(Failure::new(Exit::DoesNotHold, what).remedy(
            "keep the file as it is, export into another, and compare: `sortie audit verify OTHER --earlier FILE`",
        ))
    }

    /// Adds lines.
    pub(super) fn add(&mut self, lines: &[u8]) -> Result<(), Failure> {
        self.file.write_all(lines).map_err(|error| cannot(&self.path, &error))
    }

    /// Sees to it that it is on disk.
    pub(super) fn keep(&self) -> Result<(), Failure> {
        self.file.sync_all().map_err(|error| cannot(&self.path, &error))
    }
}

/// Where the whole lines of a file end, and the last of them.
fn last_line(file: &mut File, length: u64) -> std::io::Result<(u64, Option<Vec<u8>>)> {
    let (mut from, mut tail) = (length, Vec::new());
    loop {
        let step = STEP_BYTES.min(from);
        from -= step;
        let mut part = vec![0; usize::try_from(step).unwrap_or_default()];
        file.seek(SeekFrom::Start(from))?;
        file.read_exact(&mut part)?;
        part.append(&mut tail);
        tail = part;
        let Some(end) = tail.iter().rposition(|byte| *byte == b'\n') else {
            if from == 0 {
                return Ok((0, None));
            }
            continue;
        };
        let begin = tail[..end].iter().rposition(|byte| *byte == b'\n').map(|at| at + 1);
        if begin.is_some() || from == 0 {
            let line = tail[begin.unwrap_or(0)..end].to_vec();
            return Ok((from + end as u64 + 1, Some(line)));
        }
    }
}

fn begins_as_export(file: &mut File) -> std::io::Result<bool> {
    let mut first = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(9).read_to_end(&mut first)?;
    Ok(b"{\"entry\":".starts_with(&first) || b"{\"head\":{".starts_with(&first))
}

/// After which link a file begins whose first line this is.
fn begins_after(first: &[u8]) -> u64 {
    let line: Value = serde_json::from_slice(first).unwrap_or_default();
    let number = |value: &Value| value["number"].as_u64();
    let head = line.get("head").and_then(number);
    head.unwrap_or_else(|| number(&line).map_or(0, |first| first.saturating_sub(1)))
}

/// Where the chain stands after this line.
fn place_of(line: &[u8]) -> Option<(u64, Option<Hash>)> {
    let line: Value = serde_json::from_slice(line).ok()?;
    let place = line.get("head").unwrap_or(&line);
    Some((place.get("number")?.as_u64()?, Some(from_hex(place.get("hash")?.as_str()?)?)))
}

fn cannot(path: &Path, error: &std::io::Error) -> Failure {
    Failure::other(format!("{} cannot be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    fn link(number: u64, size: usize) -> String {
        let hash = "ab".repeat(32);
        format!(
            "{{\"entry\":\"{}\",\"hash\":\"{hash}\",\"number\":{number},\"previous\":\"{hash}\"}}\n",
            "x".repeat(size)
        )
    }

    #[test]
    fn it_goes_on_after_the_last_whole_line() {
        for size in [1, 1000, 200_000] {
            let whole = link(1, size) + &link(2, size);
            for cut in ["", "{", "{\"entry\":{"] {
                let (_folder, path) = with((whole.clone() + cut).as_bytes());
                let mut file = ExportFile::open(&path).unwrap();
                assert_eq!((file.number, file.hash, file.is_new), (2, Some([0xab; 32]), false));
                file.add(b"more\n").unwrap();
                assert_eq!(std::fs::read_to_string(&path).unwrap(), whole.clone() + "more\n");
            }
        }
        let head = format!(
            "{{\"head\":{{\"at\":1,\"hash\":\"{}\",\"number\":7,\"org\":\"x\"}},\"signed\":{{}}}}\n",
            "00".repeat(32)
        );
        let (_folder, path) = with(head.as_bytes());
        assert_eq!(ExportFile::open(&path).unwrap().number, 7);
    }

    #[test]
    fn a_file_that_is_something_else_is_left_alone() {
        for text in ["notes\n", "{}\n", "notes", "{\"number\":1}\n"] {
            let (_folder, path) = with(text.as_bytes());
            assert!(ExportFile::open(&path).is_err(), "{text}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        for text in ["", "{\"ent", "{\"entry\":{\"acti"] {
            let (_folder, path) = with(text.as_bytes());
            assert_eq!(ExportFile::open(&path).unwrap().number, 0);
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
        }
    }
}
