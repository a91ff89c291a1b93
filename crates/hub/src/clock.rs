//! The two things that no function may fetch for itself: the time and randomness. The program
//! makes the real ones once, tests make their own, everything else is handed them.

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use sortie_rules::ids::Id;
use sortie_rules::time::Millis;

/// Tells the time.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Millis + Send + Sync>);

impl Clock {
    /// The machine's clock.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    pub fn system() -> Clock {
        Clock::new(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
        })
    }

    /// A clock of one's own.
    pub fn new(now: impl Fn() -> Millis + Send + Sync + 'static) -> Clock {
        Clock(Arc::new(now))
    }

    /// The time.
    pub fn now(&self) -> Millis {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now().0)
    }
}

/// Measures how long something took. For metrics only: no decision hangs on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Begins.
    pub(crate) fn start() -> Stopwatch {
        Stopwatch(std::time::Instant::now())
    }
    /// Seconds since it began.
    pub(crate) fn seconds(self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// Draws ids, secrets and jitter from the operating system's generator.
#[derive(Clone, Default)]
pub struct Entropy(Arc<SystemRandom>);

impl Entropy {
    /// Random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill(&mut bytes).expect("the operating system's random generator answers");
        bytes
    }

    /// A number that is uniform in `0..=u32::MAX`.
    pub fn draw(&self) -> u32 {
        u32::from_ne_bytes(self.bytes())
    }

    /// A new id that sorts after those made before `now`.
    pub fn id<K>(&self, now: Millis) -> Id<K> {
        Ids::new(self, now).next()
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy")
    }
}

/// Ids (UUID version 7) that are made together and sort in the order in which they are made.
///
/// Layout: 48 bits of milliseconds, 12 bits of a counter that starts low, 62 random bits with the
/// counter's continuation on top, so that even a batch of a thousand sorts.
#[derive(Debug)]
pub(crate) struct Ids {
    milliseconds: u64,
    counter: u32,
    random: u64,
}

impl Ids {
    /// Ids for things that are made at `now`.
    pub(crate) fn new(entropy: &Entropy, now: Millis) -> Ids {
        let random = u64::from_ne_bytes(entropy.bytes());
        let milliseconds = u64::try_from(now.0).unwrap_or(0);
        // The counter's start is random in its lower half: ids of one millisecond interleave, ids
        // of one batch do not wrap.
        Ids { milliseconds, counter: u32::from_ne_bytes(entropy.bytes()) & 0x001f_ffff, random }
    }

    /// The next id.
    pub(crate) fn next<K>(&mut self) -> Id<K> {
        let counter = u128::from(self.counter & 0x003f_ffff);
        self.counter += 1;
        let bits = (u128::from(self.milliseconds) << 80)
            | (0x7 << 76)
            | ((counter >> 10) << 64)
            | (0b10 << 62)
            | ((counter & 0x3ff) << 52)
            | u128::from(self.random & 0x000f_ffff_ffff_ffff);
        Id::from_uuid(uuid::Uuid::from_u128(bits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::ids::TaskId;

    #[test]
    fn ids_made_together_sort_in_the_order_in_which_they_were_made() {
        let mut ids = Ids::new(&Entropy::default(), Millis(1_700_000_000_000));
        let made: Vec<TaskId> = (0..5000).map(|_| ids.next()).collect();
        assert!(made.is_sorted());
        let uuid = made[0].uuid();
        assert_eq!((uuid.get_version_num(), uuid.get_variant()), (7, uuid::Variant::RFC4122));
    }
}
