//! All targets, in one list.

use super::target::Target;
use super::{audit, command, doors, messages, signers, text, trust};

/// All of them.
pub fn all() -> Vec<Target> {
    let all = [trust::TARGETS, signers::TARGETS, messages::TARGETS, text::TARGETS, doors::TARGETS];
    [all.concat(), audit::TARGETS.to_vec(), command::TARGETS.to_vec()].concat()
}
