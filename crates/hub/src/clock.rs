//! The two things that no function may fetch for itself: the time and randomness. The program
//! makes the real ones once, tests make their own, everything else is handed them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use sortie_rules::ids::Id;
use sortie_rules::time::{Millis, Span};

/// Tells the time.
#[derive(Clone)]
pub struct Clock {
    shown: Arc<dyn Fn() -> Millis + Send + Sync>,
    steady: Arc<dyn Fn() -> Millis + Send + Sync>,
}

impl Clock {
    /// The machine's clock.
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    pub fn system() -> Clock {
        let shown = || {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
        };
        let (began, since) = (shown(), Steady::now());
        Clock::of(shown, move || began + since.elapsed())
    }

    /// A clock of one's own, that shows one time and would show another one if nobody had set it.
    pub(crate) fn of(
        shown: impl Fn() -> Millis + Send + Sync + 'static,
        steady: impl Fn() -> Millis + Send + Sync + 'static,
    ) -> Clock {
        Clock { shown: Arc::new(shown), steady: Arc::new(steady) }
    }

    /// The time.
    pub fn now(&self) -> Millis {
        (self.shown)()
    }

    /// What it would show if nobody had set it since it was first read: what lasts is measured by it. A machine that
    /// sleeps stops it.
    pub(crate) fn steady(&self) -> Millis {
        (self.steady)()
    }

    /// By how many milliseconds it was put forward since it was first read, or back, if negative.
    pub(crate) fn moved_ms(&self) -> i64 {
        self.now().0.saturating_sub(self.steady().0)
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

/// A moment of this process, which no setting of the machine's clock moves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Steady(std::time::Instant);

impl Steady {
    /// Now.
    pub(crate) fn now() -> Steady {
        Steady(std::time::Instant::now())
    }
    /// How long ago it was.
    pub(crate) fn elapsed(self) -> Span {
        Span(i64::try_from(self.0.elapsed().as_millis()).unwrap_or(i64::MAX))
    }
}

/// Draws ids, secrets and jitter from the operating system's generator.
#[derive(Clone, Default)]
pub struct Entropy {
    random: Arc<SystemRandom>,
    /// The place in the order of all ids that was last given out.
    newest: Arc<AtomicU64>,
}

impl Entropy {
    /// Random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes).expect("the operating system's random generator answers");
        bytes
    }

    /// A number that is uniform in `0..=u32::MAX`.
    pub fn draw(&self) -> u32 {
        u32::from_ne_bytes(self.bytes())
    }

    /// A new id that sorts after all those made before.
    pub fn id<K>(&self, now: Millis) -> Id<K> {
        Ids::new(self, now).next()
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy")
    }
}

/// Ids (UUID version 7) that sort in the order in which they are made, however many are made within
/// a millisecond and wherever the machine's clock is put meanwhile: what was submitted first is
/// handed out first.
///
/// Layout: 48 bits of milliseconds and 22 bits of a counter, together the id's place in the order,
/// and 52 random bits.
#[derive(Debug)]
pub(crate) struct Ids<'e> {
    newest: &'e AtomicU64,
    earliest: u64,
    random: u64,
}

/// Bits of the counter that follows the milliseconds.
const COUNTER_BITS: u32 = 22;

impl<'e> Ids<'e> {
    /// Ids for things that are made at `now`.
    pub(crate) fn new(entropy: &'e Entropy, now: Millis) -> Ids<'e> {
        let milliseconds = u64::try_from(now.0).unwrap_or(0);
        // Hubs beside this one draw another start of the counter; it lies in the lower half, so that
        // a millisecond has room for two million more.
        let start = u64::from(entropy.draw()) & ((1 << (COUNTER_BITS - 1)) - 1);
        let earliest = (milliseconds << COUNTER_BITS) | start;
        Ids { newest: &entropy.newest, earliest, random: u64::from_ne_bytes(entropy.bytes()) }
    }

    /// The next id.
    pub(crate) fn next<K>(&mut self) -> Id<K> {
        let following = |newest: u64| self.earliest.max(newest.saturating_add(1));
        let before = self.newest.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |newest| Some(following(newest)));
        let place = following(before.unwrap_or_else(|newest| newest));
        let (milliseconds, counter) = (place >> COUNTER_BITS, u128::from(place & ((1 << COUNTER_BITS) - 1)));
        let bits = (u128::from(milliseconds) << 80)
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
        let (entropy, now) = (Entropy::default(), Millis(1_700_000_000_000));
        let mut ids = Ids::new(&entropy, now);
        let mut made: Vec<TaskId> = (0..5000).map(|_| ids.next()).collect();
        // By other requests within the same millisecond, and after the clock was put back.
        made.extend((0..50).map(|_| entropy.id(now)));
        made.push(entropy.id(Millis(now.0 - 60_000)));
        assert!(made.is_sorted());
        let uuid = made[0].uuid();
        assert_eq!((uuid.get_version_num(), uuid.get_variant()), (7, uuid::Variant::RFC4122));
    }
}
