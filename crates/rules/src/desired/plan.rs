//! What an agent does with one resource after it has looked at it.

use super::resources::Drift;

/// What a look at a resource has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It is as it should be.
    InOrder,
    /// It is otherwise.
    Otherwise,
    /// It could not be looked at.
    Unknown,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Rest,
    /// Bring it in order.
    Apply,
    /// Only tell.
    Tell,
}

/// The step. `was_applied`: it was in order before, with this very spec, so that what is found now is drift and not
/// work that is still to be done.
pub fn plan(found: Found, drift: Drift, was_applied: bool) -> Step {
    match (found, drift, was_applied) {
        (Found::InOrder, _, _) => Step::Rest,
        (Found::Unknown, _, _) | (Found::Otherwise, Drift::Report, true) => Step::Tell,
        (Found::Otherwise, Drift::Correct, _) | (Found::Otherwise, Drift::Report, false) => Step::Apply,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_is_applied_and_what_drifts_is_corrected_or_told() {
        for drift in [Drift::Correct, Drift::Report] {
            assert_eq!(plan(Found::Otherwise, drift, false), Step::Apply);
            for was_applied in [false, true] {
                assert_eq!(plan(Found::InOrder, drift, was_applied), Step::Rest);
                assert_eq!(plan(Found::Unknown, drift, was_applied), Step::Tell);
            }
        }
        assert_eq!(plan(Found::Otherwise, Drift::Correct, true), Step::Apply);
        assert_eq!(plan(Found::Otherwise, Drift::Report, true), Step::Tell);
    }
}
