//! Whether a machine that was asked to reboot has done so. The kernel draws another boot id at each start, and
//! the one from before is on disk before anybody asks.

use crate::time::{Millis, Span};

/// A reboot that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The boot id then.
    pub boot: String,
    /// When.
    pub at: Millis,
    /// How long it may take until the machine goes down.
    pub within: Span,
}

/// What has become of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The machine is back, so long after it was asked.
    Back(Span),
    /// It is still up, and may go down for so long.
    Up(Span),
    /// It is still up, and will not go down any more.
    NotGone,
}

/// Decides on a reboot by the boot id of this moment. A clock that has gone back since counts as not having moved.
pub fn see(asked: &Asked, boot: &str, now: Millis) -> Seen {
    let passed = now.since(asked.at);
    if boot != asked.boot {
        return Seen::Back(passed);
    }
    if passed >= asked.within { Seen::NotGone } else { Seen::Up(Span(asked.within.0 - passed.0)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_boot_id_is_a_reboot_whenever_it_is_seen() {
        let asked = Asked { boot: "a".into(), at: Millis(100), within: Span(50) };
        for (boot, now, seen) in [
            ("b", 90, Seen::Back(Span(0))),
            ("b", 120, Seen::Back(Span(20))),
            ("b", 9000, Seen::Back(Span(8900))),
            ("a", 90, Seen::Up(Span(50))),
            ("a", 149, Seen::Up(Span(1))),
            ("a", 150, Seen::NotGone),
        ] {
            assert_eq!(see(&asked, boot, Millis(now)), seen, "{boot} at {now}");
        }
    }
}
