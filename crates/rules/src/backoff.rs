//! How long to wait before trying again.

use crate::time::Span;

/// A wait that doubles with each failure up to a cap, then is drawn from its upper half, so that
/// many who failed together do not come back together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Wait after the first failure, before jitter.
    pub first: Span,
    /// No wait is longer than this.
    pub cap: Span,
}

impl Backoff {
    /// The wait after `failures` failures in a row (1 is the first). `draw` is uniform in `0..=u32::MAX`.
    pub fn wait(self, failures: u32, draw: u32) -> Span {
        if failures == 0 {
            return Span::ZERO;
        }
        let doubled = self.first.0.max(1).saturating_mul(1_i64 << (failures - 1).min(40));
        jittered(Span(doubled.min(self.cap.0)), draw)
    }
}

/// A span drawn from the upper half of `span`. `draw` is uniform in `0..=u32::MAX`.
pub fn jittered(span: Span, draw: u32) -> Span {
    let half = span.0 / 2;
    let part = i128::from(span.0 - half) * i128::from(draw) / i128::from(u32::MAX);
    Span(half + i64::try_from(part).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_wait_lies_in_the_upper_half_of_its_step_and_under_the_cap(failures in 1u32..200, draw: u32) {
            let backoff = Backoff { first: Span::seconds(1), cap: Span::minutes(5) };
            let wait = backoff.wait(failures, draw);
            prop_assert!(wait <= backoff.cap);
            prop_assert!(wait.0 >= 500);
        }
    }

    #[test]
    fn nothing_failed_means_no_wait() {
        assert_eq!(Backoff { first: Span::seconds(1), cap: Span::minutes(5) }.wait(0, 1), Span::ZERO);
    }
}
