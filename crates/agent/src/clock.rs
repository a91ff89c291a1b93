//! Time and randomness, handed in by whoever starts the agent.

use sortie_rules::ids::{BootId, Id};
use uuid::Builder;

pub(crate) use sortie_client::Steady;
pub use sortie_client::{Clock, Entropy};

/// An id for this start of the agent.
pub(crate) fn boot_id(clock: &Clock, entropy: &Entropy) -> BootId {
    let millis = u64::try_from(clock.now().0).unwrap_or(0);
    Id::from_uuid(Builder::from_unix_timestamp_millis(millis, &entropy.bytes()).into_uuid())
}
