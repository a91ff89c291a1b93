//! What the kernel tells about a process: its memory and the processor time that it used.

use std::fs;

/// The memory that a process holds, in KiB: what it shares with others counts in part.
pub(crate) fn proportional_kib(pid: u32) -> Option<u64> {
    field(&fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?, "Pss:")
}

/// The memory of a process that is resident, in KiB.
pub(crate) fn resident_kib(pid: u32) -> Option<u64> {
    field(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?, "VmRSS:")
}

/// The part of it that belongs to the process alone and not to a file, in KiB.
pub(crate) fn own_kib(pid: u32) -> Option<u64> {
    field(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?, "RssAnon:")
}

/// How many files and sockets a process has open.
pub(crate) fn open_files(pid: u32) -> Option<u64> {
    Some(fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count() as u64)
}

/// Seconds of processor time that a process has used. A process that is gone has used none.
pub(crate) fn processor_seconds(pid: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The program's name comes second, in brackets, and may hold spaces.
    let after_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|word| word.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory() {
        let own = std::process::id();
        assert!(resident_kib(own).unwrap() >= own_kib(own).unwrap());
        assert!(open_files(own).is_some_and(|files| files > 2));
        assert!(proportional_kib(own).is_some() && processor_seconds(own) >= 0.0);
    }
}
