//! Who the hub is and whom it vouches for: its certificate authorities, the keys that sign deliveries and how
//! both change (`ring`), the TLS it speaks, and the secret from which one-time secrets are derived. All of it is kept
//! in a `safe`.

mod authority;
mod keys;
mod peer;
mod ring;
mod safe;
mod sealing;
mod tls;

pub(crate) use authority::{AuthorityError, NodeKey};
pub(crate) use keys::{Keys, Secret, fingerprint, secret_fits};
pub(crate) use peer::{Peer, PeerNode};
pub(crate) use ring::{Change, Held, KeyRing, StepKind, TakenStep};
pub(crate) use safe::{MasterKey, Resealed, Safe, is_there, reseal};
pub use safe::{MasterKeyError, make_master_key};
pub(crate) use tls::{Endorser, Given, ServerTls, TlsError};
