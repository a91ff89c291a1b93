//! SSH keys and SSH signatures, as far as operators sign with them: public keys as `ssh-keygen` prints
//! them, and the SSHSIG format, which `ssh-keygen -Y` and every SSH agent know, hardware keys included.
//!
//! `key` reads public keys, `signature` reads and checks signatures, `text` is the encoding of both.

mod key;
mod signature;
mod text;

pub use key::{Algorithm, NotAnSshKey, SshKey};
pub use signature::{BadSshSignature, SshSignature, signed_text};
pub use text::put;
