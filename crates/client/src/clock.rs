//! Time and randomness as arguments. Only `main` and the tests choose where they come from.

use std::fmt;
use std::sync::Arc;

use sortie_rules::time::{Millis, Span};
use tokio::time::Instant;

/// Tells the time: milliseconds since the epoch by the local clock, which may be wrong.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Millis + Send + Sync>);

impl Clock {
    /// A clock that asks `read`.
    pub fn new(read: impl Fn() -> Millis + Send + Sync + 'static) -> Clock {
        Clock(Arc::new(read))
    }

    /// The time now.
    pub fn now(&self) -> Millis {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// Draws random bytes. Good enough for keys only if what it was made from is.
#[derive(Clone)]
pub struct Entropy(Arc<Fill>);

type Fill = dyn Fn(&mut [u8]) + Send + Sync;

impl Entropy {
    /// A source that lets `fill` fill a buffer.
    pub fn new(fill: impl Fn(&mut [u8]) + Send + Sync + 'static) -> Entropy {
        Entropy(Arc::new(fill))
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.0)(&mut bytes);
        bytes
    }

    /// A uniform draw, as the waits of `rules::backoff` take it.
    pub fn draw(&self) -> u32 {
        u32::from_le_bytes(self.bytes())
    }

    /// 128 random bits in hex: a nonce, or an `Idempotency-Key`.
    pub fn hex(&self) -> String {
        hex::encode(self.bytes::<16>())
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy")
    }
}

/// A moment by the runtime's timer: it only ever goes forward, and tests can pause it. Good for how
/// long ago something was, never for what the time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Steady(Instant);

impl Steady {
    /// This moment.
    pub fn now() -> Steady {
        Steady(Instant::now())
    }

    /// How long ago it was.
    pub fn elapsed(self) -> Span {
        Span(i64::try_from(self.0.elapsed().as_millis()).unwrap_or(i64::MAX))
    }
}
