//! Whom to believe, and who we are.
//!
//! `trust` names the certificates that are believed, `identity` is our own, `own_certificate` says whether it can be
//! shown; `verifier` checks what a peer presents and, where it is not believed, says in a `fault` what was presented
//! instead (read by `presented`); `endorsement` checks what a hub's certificate has signed beside TLS; `config` puts
//! them together for rustls.

mod config;
mod endorsement;
mod fault;
mod identity;
mod own_certificate;
mod presented;
mod trust;
mod verifier;

pub use config::client_config;
pub(crate) use endorsement::Endorsed;
pub use fault::TlsFault;
pub use identity::Identity;
pub use presented::{Presented, fingerprint, fingerprint_of_pem};
pub use trust::Trust;
