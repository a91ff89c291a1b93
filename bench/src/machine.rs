//! The clock and the chance of this machine, as the agent and the client take them.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use sortie_client::{Clock, Entropy};
use sortie_rules::time::Millis;

/// The machine's clock.
#[expect(clippy::disallowed_methods, reason = "a program chooses its clock")]
pub(crate) fn clock() -> Clock {
    Clock::new(|| {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    })
}

/// The machine's chance.
pub(crate) fn entropy() -> Entropy {
    let source = SystemRandom::new();
    Entropy::new(move |buffer| source.fill(buffer).expect("the operating system's random generator answers"))
}
