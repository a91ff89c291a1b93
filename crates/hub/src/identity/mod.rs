//! Who the hub is and whom it vouches for: its certificate authority, the TLS it speaks, the key
//! that signs deliveries, and the secret from which one-time secrets are derived.

mod authority;
mod keys;
mod peer;
mod tls;

pub(crate) use authority::{Authority, AuthorityError, NodeKey};
pub(crate) use keys::{Keys, Secret, fingerprint, secret_fits};
pub(crate) use peer::{Peer, PeerNode};
pub(crate) use tls::{Endorser, ServerTls, TlsError};
