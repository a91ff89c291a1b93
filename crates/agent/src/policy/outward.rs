//! What of a fault in the policy may leave the site: the line, the key, and what should stand there. Nothing else of
//! the file, for it is the site's own, and what stands in it may be secret.

use sortie_rules::config::{ConfigError, Place};
use sortie_rules::desired::cut_message;

use super::file::PolicyError;

impl PolicyError {
    /// The fault in words for the hub, limited in length, on one line.
    pub(crate) fn outward(&self) -> String {
        let words = match self {
            PolicyError::Unreadable { source, .. } => format!("the file cannot be read: {}", source.kind()),
            PolicyError::Config(error) => of_config(error),
            PolicyError::Address { .. } => "[http_check] allow: an entry is no address".to_owned(),
            // The place comes first, and then what the file says there.
            PolicyError::Builtin { why, .. } => match why.split_once(": ") {
                Some((place, _)) if place.starts_with('[') => format!("{place} cannot be used"),
                _ => "a table cannot be used".to_owned(),
            },
            PolicyError::Handler { name, .. } => format!("[handlers.\"{name}\"] cannot be used"),
        };
        let plain = |letter: char| if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter };
        cut_message(&words.chars().map(plain).collect::<String>())
    }
}

fn of_config(error: &ConfigError) -> String {
    match error {
        ConfigError::Syntax { place, message } => {
            let what = if message.starts_with("invalid ") { wanted(message) } else { format!(": {message}") };
            format!("{}this is not TOML{what}", line(place))
        }
        ConfigError::Twice { place, what, first } => {
            format!("{}`{what}` stands there twice, first in line {first}", line(place))
        }
        ConfigError::UnknownKey { place, key, nearest } => {
            let nearest = nearest.as_ref().map(|nearest| format!("; did you mean `{nearest}`?"));
            format!("{}there is no setting `{key}`{}", line(place), nearest.unwrap_or_default())
        }
        ConfigError::BadValue { place, key, message } => {
            format!("{}`{key}` cannot be used{}", line(place), wanted(message))
        }
        ConfigError::Incomplete { place, message } => format!("{}it cannot be used{}", line(place), wanted(message)),
    }
}

fn line(place: &Place) -> String {
    match place {
        Place::File { line: Some(line), .. } => format!("line {line}: "),
        Place::File { line: None, .. } | Place::Variable(_) => String::new(),
    }
}

/// What a reader of the file says should stand there, without what stands there: that comes before it.
fn wanted(message: &str) -> String {
    match message.rsplit_once(", expected ") {
        Some((_, wanted)) => format!(": expected {wanted}"),
        None if message.starts_with("missing field ") => format!(": {message}"),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::Policy;
    use sortie_rules::limits::CONDITION_MESSAGE_BYTES_MAX;
    use std::path::Path;

    fn outward(text: &str) -> String {
        Policy::parse(text, Path::new("/etc/secret-folder/policy.toml")).unwrap_err().outward()
    }

    #[test]
    fn the_line_and_the_key_are_told_and_nothing_of_what_stands_there() {
        for (text, told) in [
            ("allow = [\"sleep\"]\nallow = [\"hunter22\"]", "line 2: `allow` stands there twice, first in line 1"),
            (
                "[desired]\n\n[desired]\nkinds = [\"hunter22\"]",
                "line 3: `[desired]` stands there twice, first in line 1",
            ),
            (
                "# one\n[http_check]\nalow = [\"hunter22\"]",
                "line 3: there is no setting `http_check.alow`; did you mean",
            ),
            ("allow = \"hunter22, expected hunter22\"", "line 1: `allow` cannot be used: expected a sequence"),
            ("\ndefault = \"hunter22\"", "line 2: `default` cannot be used: expected `refuse` or `allow`"),
            ("[http_check]\nallow = [\"hunter22 hunter22\"]", "[http_check] allow: an entry is no address"),
            ("[desired]\nkinds = [\"Hunter22 hunter22\"]", "[desired] cannot be used"),
            ("[desired_services]\nservices = [\"-hunter22\"]", "[desired_services] cannot be used"),
            ("[handlers.\"x.y\"]\nkind = \"hunter22\"", "[handlers.\"x.y\"] cannot be used"),
            ("[appliers.\"a\"]\ncheck = [\"/hunter22\"]", "line 1: `appliers.a` cannot be used: missing field `apply`"),
        ] {
            let words = outward(text);
            assert!(words.starts_with(told), "{text}: {words}");
            assert!(!words.contains("unter22") && !words.contains("secret-folder"), "{words}");
        }
    }

    #[test]
    fn syntax_is_told_without_the_line_itself() {
        for text in ["allow = [\n\"hunter22\"", "allow = hunter22", "hunter22", "a = 2026-99-99T\u{1}hunter22", "= 1"] {
            let words = outward(text);
            assert!(words.contains("this is not TOML") && !words.contains("unter22"), "{words}");
            assert!(words.starts_with("line "), "{words}");
        }
    }

    #[test]
    fn what_a_terminal_would_obey_is_taken_out_and_all_of_it_is_short() {
        let words = outward(&format!("\"\\u001b[2J{}\" = 1", "k".repeat(CONDITION_MESSAGE_BYTES_MAX)));
        assert!(words.starts_with("line 1: there is no setting `\u{fffd}[2Jk"), "{words}");
        assert!(words.len() <= CONDITION_MESSAGE_BYTES_MAX && !words.contains(char::is_control), "{words}");
    }

    #[test]
    fn a_file_that_is_not_there_is_told_without_its_path() {
        let words = Policy::read(Path::new("/nowhere/secret-folder/policy.toml")).unwrap_err().outward();
        assert_eq!(words, "the file cannot be read: entity not found");
    }
}
