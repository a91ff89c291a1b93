//! Which boot of the machine this is, by the kernel's own word.

use std::io;

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The kernel's boot id, drawn anew at each start of the machine.
pub(crate) fn boot_of_machine() -> io::Result<String> {
    let text = std::fs::read_to_string(BOOT_ID)?;
    let id = text.trim();
    if id.is_empty() { Err(io::Error::other(format!("{BOOT_ID} is empty"))) } else { Ok(id.to_owned()) }
}
