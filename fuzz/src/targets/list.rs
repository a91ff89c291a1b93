//! All targets, in one list.

use super::target::Target;
use super::{doors, messages, signers, text, trust};

/// All of them.
pub fn all() -> Vec<Target> {
    [trust::TARGETS, signers::TARGETS, messages::TARGETS, text::TARGETS, doors::TARGETS].concat()
}
