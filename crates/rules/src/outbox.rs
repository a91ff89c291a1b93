//! The hub's outbox: under which subject an event leaves for NATS, what may travel together, and for
//! how long it waits.

use std::collections::BTreeSet;

use crate::ids::{NodeId, OrgId};
use crate::limits::SUBJECT_PREFIX_BYTES_MAX;
use crate::time::{Millis, Span};

/// Stands in a subject where the node would, of an event that is about none.
pub const NO_NODE: &str = "-";

/// A subject prefix that cannot be used, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadPrefix(&'static str);

/// What stands before every subject: words of letters, digits, `-` and `_`, with dots between them.
pub fn check_prefix(prefix: &str) -> Result<(), BadPrefix> {
    if prefix.len() > SUBJECT_PREFIX_BYTES_MAX {
        return Err(BadPrefix("it is longer than 100 bytes"));
    }
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    if !prefix.split('.').all(is_word) {
        return Err(BadPrefix("write words of letters, digits, `-` and `_` with dots between them: `sortie.events`"));
    }
    Ok(())
}

/// The name of a stream or a consumer of JetStream.
pub fn check_nats_name(name: &str) -> Result<(), BadPrefix> {
    check_prefix(name)?;
    if name.contains('.') { Err(BadPrefix("a name has no dots")) } else { Ok(()) }
}

/// The subject of an event: `PREFIX.ORG.NOUN.VERB.NODE`, with `-` where there is no node. There are as
/// many tokens in each, so that a filter names a place and not a guess.
pub fn subject(prefix: &str, org: OrgId, kind: &str, node: Option<NodeId>) -> String {
    let (noun, verb) = kind.split_once('.').unwrap_or((kind, ""));
    let node = node.map_or_else(|| NO_NODE.to_owned(), |node| node.to_string());
    format!("{prefix}.{org}.{}.{}.{node}", token(noun), token(verb))
}

/// The subjects of all orgs' events of this kind, or under it: `task`, `task.completed`.
pub fn filter_of_kind(prefix: &str, kind: &str) -> Result<String, BadPrefix> {
    let words: Vec<&str> = kind.split('.').collect();
    match words[..] {
        [noun] if !noun.is_empty() && token(noun) == noun => Ok(format!("{prefix}.*.{noun}.>")),
        [noun, verb] if !verb.is_empty() && token(noun) == noun && token(verb) == verb => {
            Ok(format!("{prefix}.*.{noun}.{verb}.*"))
        }
        _ => Err(BadPrefix("write a kind of events, such as `task` or `task.completed`, or a filter of subjects")),
    }
}

/// A word that means nothing to NATS but itself.
fn token(word: &str) -> String {
    let safe = |letter: char| if letter.is_ascii_alphanumeric() || "-_".contains(letter) { letter } else { '_' };
    if word.is_empty() { "_".to_owned() } else { word.chars().map(safe).collect() }
}

/// What identifies an event among those of all hubs, however often it is sent. The instant tells it from
/// another event that had its number before the hub's database was restored from a backup.
pub fn event_id(hub: &str, number: u64, at: Millis) -> String {
    format!("{hub}-{number}-{}", at.0)
}

/// How many of these subjects, from the first on, may be under way at once: at most `window`, and none
/// twice. One that is lost on the way can then never be overtaken by the next on its subject.
pub fn next_wave<'a>(subjects: impl IntoIterator<Item = &'a str>, window: usize) -> usize {
    let mut seen = BTreeSet::new();
    subjects.into_iter().take(window.max(1)).take_while(|subject| seen.insert(*subject)).count()
}

/// Which events may be forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forgettable {
    /// Those that NATS has and that happened before this.
    pub relayed_before: Millis,
    /// All that happened before this, whether NATS has them or not.
    pub any_before: Millis,
}

/// Which events may be forgotten while they are relayed: what the retention says, but those that NATS has
/// not got yet only after `held` more.
pub fn forgettable(now: Millis, retention: Span, held: Span) -> Forgettable {
    let relayed_before = now - retention;
    Forgettable { relayed_before, any_before: relayed_before - held }
}

/// How many events were forgotten between the last one that NATS has and the oldest that there is: their
/// numbers have no gap.
pub fn forgotten(relayed: u64, oldest_waiting: u64) -> u64 {
    oldest_waiting.saturating_sub(relayed).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::DEFAULT_ORG;
    use proptest::prelude::*;

    #[test]
    fn a_subject_names_org_noun_verb_and_node() {
        let org = DEFAULT_ORG.to_string();
        assert_eq!(
            subject("sortie.events", DEFAULT_ORG, "setting.changed", None),
            format!("sortie.events.{org}.setting.changed.-")
        );
        let node: NodeId = "01980c5e-7d1a-7c3e-9b7e-0123456789ab".parse().unwrap();
        assert_eq!(
            subject("a", DEFAULT_ORG, "task.cancel_asked", Some(node)),
            format!("a.{org}.task.cancel_asked.{node}")
        );
    }

    #[test]
    fn a_filter_of_a_kind_has_the_subjects_of_that_kind() {
        assert_eq!(filter_of_kind("s.e", "task").unwrap(), "s.e.*.task.>");
        assert_eq!(filter_of_kind("s.e", "task.completed").unwrap(), "s.e.*.task.completed.*");
        for bad in ["", ".", "task.", "task.a.b", "task.*", "t ask", ">"] {
            assert!(filter_of_kind("s.e", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn prefixes_and_names_are_words() {
        for good in ["sortie.events", "a", "A-1.b_2"] {
            check_prefix(good).unwrap();
        }
        for bad in ["", ".", "a.", "a..b", "a.*", "a.>", "a b", "$JS.API", "ä", &"a".repeat(101)] {
            assert!(check_prefix(bad).is_err(), "{bad}");
        }
        assert!(check_nats_name("SORTIE").is_ok() && check_nats_name("a.b").is_err());
    }

    #[test]
    fn what_nats_has_not_got_is_kept_longer_but_not_for_ever() {
        let forget = forgettable(Millis(1000), Span(100), Span(30));
        assert_eq!(forget, Forgettable { relayed_before: Millis(900), any_before: Millis(870) });
    }

    #[test]
    fn a_gap_in_the_numbers_is_what_was_forgotten() {
        assert_eq!(forgotten(5, 6), 0);
        assert_eq!(forgotten(5, 9), 3);
        assert_eq!(forgotten(5, 5), 0);
    }

    #[test]
    fn an_id_tells_events_apart_that_had_one_number() {
        assert_eq!(event_id("f00", 7, Millis(12)), "f00-7-12");
        assert_ne!(event_id("f00", 7, Millis(12)), event_id("f00", 7, Millis(13)));
    }

    proptest! {
        #[test]
        fn no_word_of_an_event_is_more_than_a_token(kind in ".*") {
            let subject = subject("a.b", DEFAULT_ORG, &kind, None);
            prop_assert_eq!(subject.split('.').count(), 6, "{}", &subject);
            prop_assert!(subject.split('.').all(|token| !token.is_empty()));
            prop_assert!(!subject.contains(|c: char| c.is_whitespace() || c == '*' || c == '>'));
        }

        #[test]
        fn a_wave_has_each_subject_once_and_is_as_long_as_it_can_be(
            subjects in proptest::collection::vec("[a-d]", 0..20), window in 0usize..8,
        ) {
            let wave = next_wave(subjects.iter().map(String::as_str), window);
            let taken: BTreeSet<&String> = subjects[..wave].iter().collect();
            prop_assert_eq!(taken.len(), wave);
            prop_assert!(wave <= window.max(1) && (wave > 0 || subjects.is_empty()));
            let could_go_on = wave < window.max(1) && wave < subjects.len();
            prop_assert!(!could_go_on || taken.contains(&subjects[wave]));
        }
    }
}
