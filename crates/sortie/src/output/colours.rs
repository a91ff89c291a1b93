//! Colour where it helps: three tones, and none at all where nobody sees them.

use owo_colors::{OwoColorize as _, Style};
use sortie_rules::liveness::Presence;
use sortie_rules::plain::plain_character;
use sortie_rules::tasks::Status;

/// Whether and how to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colours {
    on: bool,
}

impl Colours {
    /// Colours for a stream that is a terminal or not, in an environment that wants them or not.
    pub(crate) fn new(terminal: bool, no_color: Option<&str>, term: Option<&str>) -> Colours {
        let unwanted = no_color.is_some_and(|value| !value.is_empty()) || term == Some("dumb");
        Colours { on: terminal && !unwanted }
    }

    fn paint(self, text: &str, style: Style) -> String {
        if self.on { text.style(style).to_string() } else { text.to_owned() }
    }

    /// For what is as it should be.
    pub(crate) fn good(self, text: &str) -> String {
        self.paint(text, Style::new().green())
    }
    /// For what deserves a look.
    pub(crate) fn fair(self, text: &str) -> String {
        self.paint(text, Style::new().yellow())
    }
    /// For what went wrong.
    pub(crate) fn bad(self, text: &str) -> String {
        self.paint(text, Style::new().red().bold())
    }
    /// For what stands in the background.
    pub(crate) fn dim(self, text: &str) -> String {
        self.paint(text, Style::new().dimmed())
    }
    /// For headings.
    pub(crate) fn bold(self, text: &str) -> String {
        self.paint(text, Style::new().bold())
    }

    /// A word of ours in the tone that belongs to it; any other text as it is.
    pub(crate) fn word(self, text: &str) -> String {
        match (Status::parse(text), Presence::parse(text)) {
            (Some(Status::Completed), _) | (_, Some(Presence::Online)) => self.good(text),
            (Some(Status::Failed | Status::Rejected), _) | (_, Some(Presence::Down)) => self.bad(text),
            (Some(Status::Expired | Status::Cancelled), _) | (_, Some(Presence::Stale)) => self.fair(text),
            _ if matches!(text, "revoked" | "expired") => self.fair(text),
            _ => text.to_owned(),
        }
    }
}

/// The numbers of the tones above, as a terminal is told them.
const TONES: [&str; 6] = ["0", "1", "2", "31", "32", "33"];

/// The text without what a terminal would obey, but for our own tones and the ends of lines.
pub(super) fn plain_but_for_colours(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let length = tone(rest).unwrap_or(character.len_utf8());
        match character {
            '\u{1b}' if length > 1 => plain.push_str(&rest[..length]),
            '\n' => plain.push('\n'),
            other => plain.push(plain_character(other)),
        }
        rest = &rest[length..];
    }
    plain
}

/// How long the tone is with which a text begins, in bytes.
fn tone(text: &str) -> Option<usize> {
    let numbers = text.strip_prefix("\u{1b}[")?;
    let end = numbers.find('m')?;
    numbers[..end].split(';').all(|number| TONES.contains(&number)).then_some("\u{1b}[".len() + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_our_own_tones_reaches_a_terminal() {
        let colours = Colours::new(true, None, None);
        for tone in [Colours::good, Colours::fair, Colours::bad, Colours::dim, Colours::bold] {
            let text = format!("a {}\nb", tone(colours, "word"));
            assert_eq!(plain_but_for_colours(&text), text);
        }
        for (said, told) in [
            ("\u{1b}[2J", " [2J"),
            ("\u{1b}[8mhidden", " [8mhidden"),
            ("\u{1b}[31;8mhidden", " [31;8mhidden"),
            ("\u{1b}]0;title\u{7}", " ]0;title "),
            ("\u{1b}[1", " [1"),
            ("\u{202e}back", "\u{fffd}back"),
        ] {
            assert_eq!(plain_but_for_colours(said), told);
        }
    }

    #[test]
    fn colour_is_for_terminals_that_want_it() {
        assert!(Colours::new(true, None, Some("xterm")).on);
        assert!(Colours::new(true, Some(""), None).on, "an empty NO_COLOR does not count (no-color.org)");
        assert!(!Colours::new(true, Some("1"), None).on);
        assert!(!Colours::new(true, None, Some("dumb")).on);
        assert!(!Colours::new(false, None, None).on);
        assert_eq!(Colours::new(false, None, None).word("failed"), "failed");
        assert!(Colours::new(true, None, None).word("failed").contains("\u{1b}["));
    }
}
