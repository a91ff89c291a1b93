//! All processes of a run: its process group, watched and ended together.

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use sortie_rules::exits::CutShort;

use crate::policy::Command;

/// A process group. What is left of it when this is dropped is ended.
#[derive(Debug)]
pub(super) struct Group(Pid);

/// What a look at a group has shown.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) processes: usize,
    pub(super) memory_bytes: u64,
}

impl Group {
    /// The group that the process with this number leads.
    pub(super) fn led_by(process: u32) -> Option<Group> {
        i32::try_from(process).ok().and_then(Pid::from_raw).map(Group)
    }

    /// Asks all of it to end.
    pub(super) fn ask(&self) {
        // Whoever has ended meanwhile need not be asked.
        let _gone = kill_process_group(self.0, Signal::TERM);
    }

    /// Ends all of it.
    pub(super) fn kill(&self) {
        let _gone = kill_process_group(self.0, Signal::KILL);
    }

    /// Whether any of it is left, be it only as an entry that nobody has asked after.
    pub(super) fn is_there(&self) -> bool {
        test_kill_process_group(self.0).is_ok()
    }

    /// How large it is now. A process is counted with all memory that it has in use, shared or not.
    pub(super) fn size(&self) -> Size {
        let group = self.0.as_raw_nonzero().get().to_string();
        let page = rustix::param::page_size() as u64;
        let mut size = Size::default();
        let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        for process in
            processes.filter(|entry| entry.file_name().to_string_lossy().starts_with(|c: char| c.is_ascii_digit()))
        {
            let Ok(stat) = std::fs::read_to_string(process.path().join("stat")) else { continue };
            size = size.with(&stat, &group, page);
        }
        size
    }

    /// Which limit it is over, if any.
    pub(super) fn over(&self, limits: &Command) -> Option<CutShort> {
        let size = self.size();
        if size.processes > limits.processes {
            Some(CutShort::Processes)
        } else {
            (size.memory_bytes > limits.memory_bytes).then_some(CutShort::Memory)
        }
    }
}

impl Size {
    /// The same with one more process, if its `/proc/PID/stat` says that it is of this group.
    fn with(self, stat: &str, group: &str, page: u64) -> Size {
        // After the name in brackets, which may hold anything: state, parent, group, and so on; the
        // pages in memory are the 22nd from there (proc(5)).
        let Some((_, rest)) = stat.rsplit_once(") ") else { return self };
        let words: Vec<&str> = rest.split(' ').collect();
        if words.get(2) != Some(&group) || matches!(words.first(), Some(&"Z" | &"X")) {
            return self;
        }
        let pages: u64 = words.get(21).and_then(|pages| pages.parse().ok()).unwrap_or(0);
        Size { processes: self.processes + 1, memory_bytes: self.memory_bytes + pages * page }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_of_the_group_are_counted_with_their_pages() {
        let stat = "77 (a ) (b) S 1 42 42 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 100 4096 25 18446744073709551615 1";
        let one = Size::default().with(stat, "42", 4096);
        assert_eq!(one, Size { processes: 1, memory_bytes: 25 * 4096 });
        assert_eq!(one.with(stat, "43", 4096), one);
        assert_eq!(one.with(&stat.replace(") S", ") Z"), "42", 4096), one);
        assert_eq!(one.with("rubbish", "42", 4096), one);
    }
}
