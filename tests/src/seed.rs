//! The number that a story's choices come from: printed, and set by `SEED` to tell the same story
//! once more.

use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};

/// Numbers that follow from a seed (SplitMix64, after Steele, Lea and Flood, 2014).
#[derive(Debug)]
pub struct Seed(AtomicU64);

impl Seed {
    /// The seed of this run: that of `SEED`, or a new one. Says which.
    pub(crate) fn of_this_run() -> Seed {
        let given = std::env::var("SEED").ok().map(|text| text.parse().expect("SEED is a number"));
        let seed = given.map_or_else(Seed::by_chance, |given| Seed(AtomicU64::new(given)));
        println!("SEED={}", seed.0.load(Ordering::Relaxed));
        seed
    }

    /// A seed that differs from run to run.
    pub(crate) fn by_chance() -> Seed {
        Seed(AtomicU64::new(std::hash::RandomState::new().build_hasher().finish()))
    }

    /// The next number.
    pub fn number(&self) -> u64 {
        let step = 0x9e37_79b9_7f4a_7c15_u64;
        let mut z = self.0.fetch_add(step, Ordering::Relaxed).wrapping_add(step);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One more seed that follows from this one, for somebody whose draws are their own.
    pub fn another(&self) -> Seed {
        Seed(AtomicU64::new(self.number()))
    }

    /// A number below `end`, which is not 0.
    pub fn below(&self, end: u64) -> u64 {
        self.number() % end
    }
}
