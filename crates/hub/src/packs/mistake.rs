//! What is wrong with a pack, and where.

use std::fmt;
use std::path::PathBuf;

/// One mistake in a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file, or the pack's folder where no file of it is at fault.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, and what to do.
    pub what: String,
}

impl Mistake {
    /// A mistake of a whole file.
    pub(super) fn of_file(file: impl Into<PathBuf>, what: impl Into<String>) -> Mistake {
        Mistake { file: file.into(), line: 1, column: 1, what: what.into() }
    }

    /// A mistake at a byte of a text.
    pub(super) fn in_text(file: impl Into<PathBuf>, text: &str, offset: usize, what: impl Into<String>) -> Mistake {
        let mut end = offset.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &text[..end];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Mistake {
            file: file.into(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            what: what.into(),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file.display(), self.line, self.column, self.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_in_lines_and_characters() {
        let at = |offset| {
            let mistake = Mistake::in_text("p", "aü\nbc", offset, "x");
            (mistake.line, mistake.column)
        };
        assert_eq!((at(0), at(3), at(4), at(5), at(99)), ((1, 1), (1, 3), (2, 1), (2, 2), (2, 3)));
        assert_eq!(Mistake::of_file("pack.toml", "is empty").to_string(), "pack.toml:1:1: is empty");
    }
}
