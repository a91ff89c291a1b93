//! A client of an SSH agent (the protocol of OpenSSH's `ssh-agent`): which keys it holds, and a signature.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sortie_wire::ssh::{SshKey, put};

const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGNATURE: u8 = 14;
/// Longest answer, in bytes.
const ANSWER_BYTES_MAX: u32 = 256 << 10;
/// How long somebody may take to touch a hardware key, or to type its PIN.
const ANSWERS_WITHIN: Duration = Duration::from_secs(120);

/// An SSH agent.
#[derive(Debug, Clone)]
pub(super) struct SshAgent(pub(super) PathBuf);

/// A key that it holds.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(super) key: SshKey,
    pub(super) comment: String,
}

impl SshAgent {
    /// The keys that it holds and that can sign here.
    pub(super) fn identities(&self) -> io::Result<Vec<Identity>> {
        identities_of(&ask(&self.0, &[REQUEST_IDENTITIES])?)
    }

    /// A signature of a text, as SSH encodes it. Somebody may have to touch the key.
    pub(super) fn sign(&self, key: &SshKey, text: &[u8]) -> io::Result<Vec<u8>> {
        let mut request = vec![SIGN_REQUEST];
        put(&mut request, key.encoded());
        put(&mut request, text);
        request.extend_from_slice(&[0; 4]);
        signature_of(&ask(&self.0, &request)?)
    }
}

/// The keys that an answer lists, but for those of kinds that are not taken.
pub(crate) fn identities_of(answer: &[u8]) -> io::Result<Vec<Identity>> {
    let Some((&IDENTITIES, rest)) = answer.split_first() else { return Err(refused()) };
    let mut strings = Strings(rest.get(4..).unwrap_or_default());
    let mut identities = Vec::new();
    while let (Some(encoded), Some(comment)) = (strings.next(), strings.next()) {
        if let Ok(key) = SshKey::decode(encoded) {
            identities.push(Identity { key, comment: String::from_utf8_lossy(comment).into_owned() });
        }
    }
    Ok(identities)
}

/// The signature in an answer.
pub(crate) fn signature_of(answer: &[u8]) -> io::Result<Vec<u8>> {
    let Some((&SIGNATURE, rest)) = answer.split_first() else { return Err(refused()) };
    Strings(rest).next().map(<[u8]>::to_vec).ok_or_else(refused)
}

fn ask(socket: &Path, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(ANSWERS_WITHIN))?;
    let mut framed = Vec::new();
    put(&mut framed, request);
    stream.write_all(&framed)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > ANSWER_BYTES_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "its answer is too long"));
    }
    let mut answer = vec![0; length as usize];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

fn refused() -> io::Error {
    io::Error::other("it refused")
}

/// The strings of an answer, one after the other.
struct Strings<'a>(&'a [u8]);

impl<'a> Iterator for Strings<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let (string, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        self.0 = rest;
        Some(string)
    }
}
