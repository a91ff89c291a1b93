//! Builtins that change a machine as a whole. They are privileged by themselves: an operator must have signed
//! them, unless the policy says of one that it is routine.

/// The types of them.
const PRIVILEGED_TYPES: [&str; 2] = ["host.reboot", "service.restart"];

/// Whether a builtin is privileged by itself.
pub(super) fn is_privileged(builtin: &str) -> bool {
    PRIVILEGED_TYPES.contains(&builtin)
}
