//! What a program writes to standard output: in memory while it is small, then in a file.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;
use sortie_rules::exits::Written;
use sortie_rules::limits::RESULT_INLINE_BYTES_MAX;
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// How much stays in memory.
const IN_MEMORY_BYTES_MAX: usize = 64 << 10;

/// Standard output under reading.
#[derive(Debug)]
pub(super) struct Capture {
    memory: Vec<u8>,
    file: Option<File>,
    path: PathBuf,
    bytes: u64,
    bytes_max: u64,
    trouble: Option<io::Error>,
}

/// What was written is more than may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMuch;

impl Capture {
    /// Reads at most `bytes_max`; what does not fit into memory goes to `path`.
    pub(super) fn new(path: PathBuf, bytes_max: u64) -> Capture {
        Capture { memory: Vec::new(), file: None, path, bytes: 0, bytes_max, trouble: None }
    }

    /// Reads until the other side has nothing more to say.
    pub(super) async fn read(&mut self, mut from: impl AsyncRead + Unpin) -> Result<(), TooMuch> {
        let mut buffer = vec![0; 16 << 10];
        loop {
            match from.read(&mut buffer).await {
                Ok(0) | Err(_) => return Ok(()),
                Ok(read) => self.take(&buffer[..read])?,
            }
        }
    }

    fn take(&mut self, part: &[u8]) -> Result<(), TooMuch> {
        self.bytes += part.len() as u64;
        if self.bytes > self.bytes_max {
            return Err(TooMuch);
        }
        if self.file.is_none() && self.memory.len() + part.len() <= IN_MEMORY_BYTES_MAX {
            self.memory.extend_from_slice(part);
        } else if self.trouble.is_none()
            && let Err(error) = self.spill(part)
        {
            self.trouble = Some(error);
        }
        Ok(())
    }

    fn spill(&mut self, part: &[u8]) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            return file.write_all(part);
        }
        let mut options = OpenOptions::new();
        let mut file = options.create(true).truncate(true).read(true).write(true).mode(0o600).open(&self.path)?;
        file.write_all(&std::mem::take(&mut self.memory))?;
        file.write_all(part)?;
        self.file = Some(file);
        Ok(())
    }

    /// What was written, and the result if it is one. A result that is too large to send is kept under
    /// `keep`; anything else leaves no file behind.
    pub(super) fn finish(
        mut self,
        keep: impl FnOnce(&Path) -> io::Result<PathBuf>,
    ) -> (Written, Option<Box<RawValue>>) {
        if let Some(error) = self.trouble.take() {
            return (Written::Garbage(format!("it could not be written down: {error}")), None);
        }
        if self.bytes > RESULT_INLINE_BYTES_MAX as u64 {
            return match keep(&self.path) {
                Ok(kept) => (Written::TooLarge(self.bytes, kept.display().to_string()), None),
                Err(error) => (Written::TooLarge(self.bytes, format!("no file: {error}")), None),
            };
        }
        if let Some(mut file) = self.file.take() {
            let read = file.rewind().and_then(|()| file.read_to_end(&mut self.memory));
            if let Err(error) = read {
                return (Written::Garbage(format!("it could not be read again: {error}")), None);
            }
        }
        if self.memory.iter().all(u8::is_ascii_whitespace) {
            return (Written::Nothing, None);
        }
        let result = String::from_utf8(std::mem::take(&mut self.memory))
            .map_err(|_| "it is not UTF-8".to_owned())
            .and_then(|text| {
                serde_json::from_str::<Box<RawValue>>(text.trim())
                    .map_err(|error| format!("it is not JSON (line {}, column {})", error.line(), error.column()))
            });
        match result {
            Ok(result) => (Written::Json, Some(result)),
            Err(why) => (Written::Garbage(why), None),
        }
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        // What was to be kept has another name by now.
        let _not_there = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn capture(written: &[u8], bytes_max: u64) -> (Result<(), TooMuch>, Written, Option<Box<RawValue>>) {
        let folder = tempfile::tempdir().unwrap();
        let mut capture = Capture::new(folder.path().join("part"), bytes_max);
        let read = capture.read(written).await;
        let (written, result) = capture.finish(|_| Ok("kept".into()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
        (read, written, result)
    }

    #[tokio::test]
    async fn json_is_a_result_however_large_up_to_the_limit() {
        for length in [1, IN_MEMORY_BYTES_MAX - 2, IN_MEMORY_BYTES_MAX, 1 << 20, RESULT_INLINE_BYTES_MAX - 2] {
            let text = format!("\"{}\"", "x".repeat(length));
            let (read, written, result) = capture(text.as_bytes(), 64 << 20).await;
            assert_eq!((read, written), (Ok(()), Written::Json));
            assert_eq!(result.unwrap().get().len(), length + 2);
        }
    }

    #[tokio::test]
    async fn what_is_no_result_is_told_without_being_repeated() {
        assert_eq!(capture(b" \n", 99).await.1, Written::Nothing);
        let Written::Garbage(why) = capture(b"{\"password\": hunter2}", 99).await.1 else { panic!() };
        assert!(why.contains("line 1, column 14") && !why.contains("hunter"), "{why}");
        assert!(matches!(capture(b"\"\xff\"", 99).await.1, Written::Garbage(_)));
        assert!(matches!(capture(b"1 2", 99).await.1, Written::Garbage(_)));
        let large = capture(&vec![b' '; RESULT_INLINE_BYTES_MAX + 1], 64 << 20).await.1;
        assert_eq!(large, Written::TooLarge(RESULT_INLINE_BYTES_MAX as u64 + 1, "kept".into()));
        assert_eq!(capture(b"1234", 3).await.0, Err(TooMuch));
    }
}
