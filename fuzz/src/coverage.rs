//! Which branches an input has taken, where the program was built to count them (`cargo xtask fuzz` does).
//!
//! The compiler then puts a counter at each branch, and a few lines of C (`counters.c`) say where the counters
//! lie. They are read as what they are, a piece of this process's memory, by way of `/proc/self/mem`: so no line
//! of Rust here is unsafe.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

/// The counters of this program.
#[derive(Debug)]
pub(crate) struct Counters {
    memory: File,
    places: Vec<(u64, usize)>,
    /// Which counts of each branch have been seen, a bit for each power of two.
    seen: Vec<Vec<u8>>,
}

impl Counters {
    /// The counters, if this program has any.
    pub(crate) fn find() -> Option<Counters> {
        let told = std::env::var("SORTIE_FUZZ_COUNTERS").ok()?;
        let place = |text: &str| {
            let (from, until) = text.split_once('-')?;
            let (from, until) = (u64::from_str_radix(from, 16).ok()?, u64::from_str_radix(until, 16).ok()?);
            Some((from, usize::try_from(until.checked_sub(from)?).ok()?))
        };
        let places: Vec<(u64, usize)> = told.split_whitespace().filter_map(place).collect();
        let seen = places.iter().map(|(_, length)| vec![0; *length]).collect();
        let memory = File::options().read(true).write(true).open("/proc/self/mem").ok()?;
        Some(Counters { memory, places, seen })
    }

    /// How many branches there are.
    pub(crate) fn len(&self) -> usize {
        self.places.iter().map(|(_, length)| length).sum()
    }

    /// How many of them were taken by any input so far.
    pub(crate) fn taken(&self) -> usize {
        self.seen.iter().flatten().filter(|counts| **counts != 0).count()
    }

    /// Whether a branch was taken, or taken so often, as by no input before; counts from the beginning then.
    pub(crate) fn is_new(&mut self) -> bool {
        let mut is_new = false;
        for ((from, length), seen) in self.places.iter().zip(&mut self.seen) {
            let mut counts = vec![0; *length];
            if self.memory.read_exact_at(&mut counts, *from).is_err() {
                continue;
            }
            for (count, seen) in counts.iter().zip(seen).filter(|(count, _)| **count != 0) {
                let bit = 1 << count.ilog2();
                is_new |= *seen & bit == 0;
                *seen |= bit;
            }
            let _next_time_then = self.memory.write_all_at(&vec![0; *length], *from);
        }
        is_new
    }
}
