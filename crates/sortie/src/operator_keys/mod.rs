//! Operators' keys: what signs operations, on a machine that no hub has a hand in.
//!
//! A key lies in a file of its own under a passphrase (`key_file`), or in an SSH agent (`ssh_agent`), which
//! may hold it in hardware. `signing` is the one or the other, as the options say. `known_nodes` remembers for
//! which nodes something was signed here, since names are only the hub's word.

mod key_file;
mod known_nodes;
mod signing;
mod ssh_agent;

pub(crate) use key_file::{KeyFile, PASSPHRASE_BYTES_MIN};
pub(crate) use known_nodes::KnownNodes;
pub(crate) use signing::{Chosen, KeyOptions, Signing, default_file, read_passphrase};
pub(crate) use ssh_agent::{identities_of, signature_of};
