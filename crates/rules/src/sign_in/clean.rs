//! Names of people as their provider tells them, made fit for events and logs.

use crate::limits::PERSON_NAME_BYTES_MAX;
use crate::plain::is_unseen;

/// The name without control characters and spaces at its ends, cut to its limit; `None` if nothing is left.
pub fn clean_name(name: &str) -> Option<String> {
    let mut clean = String::with_capacity(name.len().min(PERSON_NAME_BYTES_MAX));
    for letter in name.trim().chars().filter(|letter| !letter.is_control() && !is_unseen(*letter)) {
        if clean.len() + letter.len_utf8() > PERSON_NAME_BYTES_MAX {
            break;
        }
        clean.push(letter);
    }
    (!clean.is_empty()).then_some(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_disturb_a_log_is_left_out() {
        assert_eq!(clean_name(" Ada \u{1b}[2JLovelace\n").as_deref(), Some("Ada [2JLovelace"));
        assert_eq!(clean_name("a\u{202e}b\u{200b}").as_deref(), Some("ab"));
        assert_eq!(clean_name(" \n\t"), None);
        let long = clean_name(&"é".repeat(PERSON_NAME_BYTES_MAX)).unwrap();
        assert!(long.len() <= PERSON_NAME_BYTES_MAX && long.chars().all(|letter| letter == 'é'));
    }
}
