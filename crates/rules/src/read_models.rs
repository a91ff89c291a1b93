//! When what was read is read again: a read model has a short life, an event may end it sooner, and one that cannot be
//! made anew is served for a while as it was.

use crate::limits::{READ_MODEL_KEPT, READ_MODEL_LIFE};
use crate::time::Span;

/// What is in memory of a read model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// How long ago its reading began.
    pub age: Span,
    /// Whether something has changed since that it tells of.
    pub evicted: bool,
}

/// What somebody who asks is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// What is in memory.
    Serve,
    /// What is in memory, though it is not new any more: it could not be read anew just now.
    ServeOlder,
    /// What is read now.
    Read,
}

/// Decides for somebody who asks. `failed` is how long ago it could not be read, if that was the last that was tried.
pub fn look(held: Option<Held>, failed: Option<Span>) -> Look {
    match held {
        Some(held) if !held.evicted && held.age < READ_MODEL_LIFE => Look::Serve,
        Some(held) if may_be_served(held) && failed.is_some_and(|ago| ago < READ_MODEL_LIFE) => Look::ServeOlder,
        _ => Look::Read,
    }
}

/// Whether it is served where it cannot be read anew.
pub fn may_be_served(held: Held) -> bool {
    held.age < READ_MODEL_KEPT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(age: Span, evicted: bool) -> Option<Held> {
        Some(Held { age, evicted })
    }

    #[test]
    fn what_is_new_and_unchanged_is_served_and_anything_else_is_read() {
        let almost = Span(READ_MODEL_LIFE.0 - 1);
        for failed in [None, Some(Span::ZERO)] {
            assert_eq!(look(None, failed), Look::Read);
            assert_eq!(look(held(Span::ZERO, false), failed), Look::Serve);
            assert_eq!(look(held(almost, false), failed), Look::Serve);
        }
        assert_eq!(look(held(READ_MODEL_LIFE, false), None), Look::Read);
        assert_eq!(look(held(Span::ZERO, true), None), Look::Read);
    }

    #[test]
    fn what_cannot_be_read_is_not_tried_with_every_question_while_there_is_something_to_serve() {
        let almost = Span(READ_MODEL_LIFE.0 - 1);
        for old in [held(READ_MODEL_LIFE, false), held(Span::ZERO, true), held(Span(READ_MODEL_KEPT.0 - 1), true)] {
            assert_eq!(look(old, Some(almost)), Look::ServeOlder);
            assert_eq!(look(old, Some(READ_MODEL_LIFE)), Look::Read, "it is tried again after a while");
        }
        assert_eq!(look(held(READ_MODEL_KEPT, false), Some(Span::ZERO)), Look::Read, "too old for anybody");
        assert!(!may_be_served(Held { age: READ_MODEL_KEPT, evicted: false }));
    }
}
