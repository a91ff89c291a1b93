//! The id of an operation. Its task has the same one, but whoever types it means the operation.

use sortie_rules::ids::TaskId;

/// Reads it.
pub(crate) fn operation_id(text: &str) -> Result<TaskId, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is not an operation's id; ids look like 01980c5e-7d1a-7c3e-9b7e-0123456789ab"))
}
