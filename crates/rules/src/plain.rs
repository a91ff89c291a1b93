//! Text of strangers as a person may look at it: without what a terminal would obey, and without what makes the
//! eye read something else than what stands there.

/// What stands in the place of a character that nobody would see.
pub const UNSEEN: char = char::REPLACEMENT_CHARACTER;

/// The text in one line: control characters become spaces, and characters that have no look of their own are shown
/// as [`UNSEEN`], so that two texts which differ never look alike by them.
pub fn plain(text: &str) -> String {
    text.chars().map(plain_character).collect()
}

/// One character of it.
pub fn plain_character(character: char) -> char {
    match character {
        control if control.is_control() => ' ',
        unseen if is_unseen(unseen) => UNSEEN,
        seen => seen,
    }
}

/// Characters that turn the writing round, join or part others, change how the one before looks, or have neither
/// ink nor width: Unicode's format characters but for those with ink, its separators of lines, and what it calls
/// ignorable by default.
pub const fn is_unseen(character: char) -> bool {
    matches!(
        character,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{13430}'..='\u{1343f}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_or_nobody_would_see_does_not_stand_there_any_more() {
        assert_eq!(plain("a\u{1b}[31mb\r\n\u{9b}c\u{7f}"), "a [31mb   c ");
        // It would read /tmp/box, and another path stands there.
        assert_eq!(plain("/tmp/\u{202e}xob"), "/tmp/\u{fffd}xob");
        for unseen in ["\u{200b}", "\u{200d}", "\u{2066}", "\u{2028}", "\u{feff}", "\u{ad}", "\u{e0041}", "\u{3164}"] {
            assert_eq!(plain(&format!("ng{unseen}inx")), "ng\u{fffd}inx");
        }
        let seen = "Grüße, Ελλάδα, עברית, عربى, 漢字, ✓ 🙂 \u{301} \u{600}";
        assert_eq!(plain(seen), seen);
    }
}
