//! All targets, in one list.

use super::target::Target;
use super::{doors, messages, text, trust};

/// All of them.
pub fn all() -> Vec<Target> {
    [trust::TARGETS, messages::TARGETS, text::TARGETS, doors::TARGETS].concat()
}
