//! What crosses the helper's socket: lines of JSON, and with a run the ends of two pipes.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sortie_rules::ids::TaskId;
use sortie_rules::time::Millis;
use sortie_wire::envelope::Envelope;
use sortie_wire::keys::KeyChain;
use sortie_wire::operators::OperatorChain;

/// A delivery is at most so many bytes, whatever wrapped it.
const LINE_BYTES_MAX: usize = 32 << 20;
/// How many ends of pipes come with a run: standard output and standard error.
const ENDS: usize = 2;

/// What the agent says first.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ask {
    /// Here is a delivery of the hub's.
    Take(Box<Envelope>),
    /// Here are sets of operators, each signed by enough members of the one before.
    Operators(OperatorChain),
    /// Which of the hub's key sets do you believe?
    Keys,
    /// Here is what follows it.
    Follow(Box<KeyChain>),
    /// Here is the hub's signed time, for a nonce of yours.
    Time(Box<Envelope>),
    /// Begin a run of a delivery that was taken. The ends of its pipes come with this.
    Run(Run),
}

/// Which run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Run {
    pub(super) task: TaskId,
    pub(super) run: u32,
    pub(super) attempt: u32,
}

/// What the agent says of a run that was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Tell {
    /// It shall end by itself.
    Stop,
    /// It ends now.
    Kill,
}

/// What the helper answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    /// So many tasks of the delivery are for other users.
    Taken(usize),
    /// This version of the operators is believed, 0 if none is.
    Operators(u64),
    /// This version of the hub's key set is believed.
    Keys(u64),
    /// Not yet: first bring the hub's signed time for this nonce, then say it again.
    AskTheTime(String),
    /// This is the hub's time.
    Time(Millis),
    /// The run has begun as this process, which leads a group.
    Began(u32),
    /// The run has ended: with a code, or by a signal.
    Ended {
        /// Its exit code.
        code: Option<i32>,
        /// The signal that ended it.
        signal: Option<i32>,
    },
    /// No, and why: a stable word and a sentence.
    Refused {
        /// The word.
        code: String,
        /// The sentence.
        message: String,
    },
}

/// Writes a line, with ends of pipes if there are any.
pub(super) fn send(stream: &UnixStream, message: &impl Serialize, ends: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    let mut sent = 0;
    while sent < line.len() {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(ENDS))];
        let mut with = SendAncillaryBuffer::new(&mut space);
        // They go with the first byte.
        if sent == 0 && !ends.is_empty() {
            with.push(SendAncillaryMessage::ScmRights(ends));
        }
        match sendmsg(stream.as_fd(), &[IoSlice::new(&line[sent..])], &mut with, SendFlags::NOSIGNAL) {
            Ok(bytes) => sent += bytes,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Reads lines, and the ends of pipes that come with them.
#[derive(Debug)]
pub(super) struct Lines<'s> {
    stream: &'s UnixStream,
    buffer: Vec<u8>,
    /// What came with the lines and was not taken.
    pub(super) ends: Vec<OwnedFd>,
}

impl<'s> Lines<'s> {
    pub(super) fn new(stream: &'s UnixStream) -> Lines<'s> {
        Lines { stream, buffer: Vec::new(), ends: Vec::new() }
    }

    /// The next message; `None` if the other side has gone.
    pub(super) fn next<T: DeserializeOwned>(&mut self) -> io::Result<Option<T>> {
        loop {
            if let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                return Ok(Some(serde_json::from_slice(&line)?));
            }
            if self.buffer.len() > LINE_BYTES_MAX {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a line without an end"));
            }
            let mut part = vec![0; 64 << 10];
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(ENDS))];
            let mut with = RecvAncillaryBuffer::new(&mut space);
            let flags = RecvFlags::CMSG_CLOEXEC;
            let read = match recvmsg(self.stream.as_fd(), &mut [IoSliceMut::new(&mut part)], &mut with, flags) {
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
                Ok(message) => message.bytes,
            };
            for message in with.drain() {
                if let RecvAncillaryMessage::ScmRights(ends) = message {
                    // More than belong to a run are closed at once.
                    self.ends.extend(ends);
                    self.ends.truncate(ENDS);
                }
            }
            if read == 0 {
                return Ok(None);
            }
            self.buffer.extend_from_slice(&part[..read]);
        }
    }
}

/// Reads each line as whatever may be said on this socket.
pub(crate) fn read_lines(bytes: &[u8]) -> Result<(), String> {
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let ask = serde_json::from_slice::<Ask>(line).map(drop);
        let known = ask.or_else(|_| serde_json::from_slice::<Tell>(line).map(drop));
        known.or_else(|_| serde_json::from_slice::<Answer>(line).map(drop)).map_err(|error| error.to_string())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read as _, Write as _};

    #[test]
    fn lines_come_whole_and_with_their_ends() {
        let (one, other) = UnixStream::pair().unwrap();
        let (mut read, write) = io::pipe().unwrap();
        let run = Run { task: TaskId::from_uuid(uuid::Uuid::from_u128(1)), run: 2, attempt: 3 };
        send(&one, &Ask::Run(run.clone()), &[write.as_fd()]).unwrap();
        send(&one, &Tell::Kill, &[]).unwrap();
        drop((one, write));
        let mut lines = Lines::new(&other);
        assert!(matches!(lines.next::<Ask>().unwrap(), Some(Ask::Run(found)) if found == run));
        assert_eq!(lines.next::<Tell>().unwrap(), Some(Tell::Kill));
        assert_eq!(lines.next::<Tell>().unwrap(), None);
        let mut end = std::fs::File::from(lines.ends.remove(0));
        end.write_all(b"through").unwrap();
        drop(end);
        let mut text = String::new();
        read.read_to_string(&mut text).unwrap();
        assert_eq!(text, "through");
    }
}
