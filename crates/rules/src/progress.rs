//! Lines by which a program tells how far it is.

use crate::limits::PROGRESS_BYTES_MAX;

/// What such a line begins with.
const MARK: &str = "@progress ";

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Of what there is to do, from 0 to 100.
    pub percent: Option<u8>,
    /// What it is at.
    pub message: String,
}

/// Reads a line such as `@progress 40 Loading studies`, `@progress 40` or `@progress Loading studies`.
/// `None` if it is an ordinary line.
pub fn read_progress(line: &[u8]) -> Option<Progress> {
    let text = std::str::from_utf8(line).ok()?.trim_end().strip_prefix(MARK)?.trim();
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    let percent = first.trim_end_matches('%').parse::<u8>().ok().filter(|percent| *percent <= 100);
    let message = if percent.is_some() { rest.trim() } else { text };
    Some(Progress { percent, message: cut(message) })
}

/// The message as it is kept: not too long, and without control characters.
fn cut(message: &str) -> String {
    let mut text: String = message.chars().filter(|c| !c.is_control()).collect();
    while text.len() > PROGRESS_BYTES_MAX {
        text.pop();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_progress_is_told_from_an_ordinary_one() {
        let read = |line: &str| read_progress(line.as_bytes()).map(|read| (read.percent, read.message));
        assert_eq!(read("@progress 40 Loading studies\n"), Some((Some(40), "Loading studies".into())));
        assert_eq!(read("@progress 40%"), Some((Some(40), String::new())));
        assert_eq!(read("@progress Loading"), Some((None, "Loading".into())));
        assert_eq!(read("@progress 101 things"), Some((None, "101 things".into())));
        assert_eq!(read("progress 40"), None);
        assert_eq!(read_progress(b"@progress \xff"), None);
        assert_eq!(read(&format!("@progress {}", "ü".repeat(999))).unwrap().1.len(), PROGRESS_BYTES_MAX);
    }
}
