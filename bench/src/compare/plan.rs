//! What is compared with what, and what we want to reach.

/// One comparison.
#[derive(Debug)]
pub(super) struct Comparison {
    /// The row of figures.
    pub(super) row: &'static str,
    /// What our figure is called.
    pub(super) ours: &'static str,
    /// What the others' are called, the fittest first.
    pub(super) theirs: &'static [&'static str],
    /// The part of the others' scripts that gives it.
    pub(super) part: &'static str,
    /// What is wanted.
    pub(super) target: Target,
}

/// What is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    /// So many times the rate of the best.
    BestTimes(f64),
    /// Half of the calls, and 99 of 100, within so many milliseconds.
    Within(f64, f64),
}

/// All comparisons.
pub(super) const PLAN: [Comparison; 4] = [
    Comparison {
        row: "p1",
        ours: "enqueue_c32",
        theirs: &["enqueue_c32"],
        part: "enqueue",
        target: Target::BestTimes(1.3),
    },
    Comparison {
        row: "p2",
        ours: "enqueue_batch",
        theirs: &["enqueue_batch"],
        part: "enqueue",
        target: Target::BestTimes(2.0),
    },
    Comparison {
        row: "p3",
        ours: "drain_result",
        theirs: &["drain_result", "drain"],
        part: "drain",
        target: Target::BestTimes(1.2),
    },
    Comparison { row: "p4", ours: "e2e_100ps", theirs: &["e2e_100ps"], part: "e2e", target: Target::Within(0.7, 1.6) },
];
