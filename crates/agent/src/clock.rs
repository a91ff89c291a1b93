//! Time and randomness, handed in by whoever starts the agent.

use sortie_rules::ids::{BootId, Id};
use uuid::Builder;

pub(crate) use sortie_client::Steady;
pub use sortie_client::{Clock, Entropy};

/// An id for this start of the agent, above that of the last one, also if the clock was set back meanwhile.
pub(crate) fn boot_id(last: Option<BootId>, clock: &Clock, entropy: &Entropy) -> BootId {
    let after = last.map_or(0, |last| 1 + (last.uuid().as_u128() >> 80) as u64);
    let millis = u64::try_from(clock.now().0).unwrap_or(0).max(after);
    Id::from_uuid(Builder::from_unix_timestamp_millis(millis, &entropy.bytes()).into_uuid())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::time::Millis;

    #[test]
    fn each_start_has_an_id_above_the_last_whatever_the_clock_says() {
        let mut last = None;
        for now in [5_000, 9_000, 9_000, 1_000, 0] {
            let boot = boot_id(last, &Clock::new(move || Millis(now)), &Entropy::new(|bytes| bytes.fill(0)));
            assert!(Some(boot) > last, "{now}");
            last = Some(boot);
        }
    }
}
