//! What is told of all resources together: no more than the hub takes.

use std::fmt::Write as _;

use super::conditions::Condition;
use crate::limits::CONDITION_MESSAGE_BYTES_MAX;

/// The message, cut at a letter's border so that it has at most as many bytes as a condition's may.
#[must_use]
pub fn cut_message(message: &str) -> String {
    cut(message, CONDITION_MESSAGE_BYTES_MAX)
}

fn cut(message: &str, bytes_max: usize) -> String {
    if message.len() <= bytes_max {
        return message.to_owned();
    }
    const MARK: &str = "…";
    let mut end = bytes_max - MARK.len();
    while !message.is_char_boundary(end) {
        end -= 1;
    }
    let mut cut = message[..end].to_owned();
    let _always_fits = write!(cut, "{MARK}");
    cut
}

/// The conditions, with as much of what is otherwise as fits into `bytes_max` of JSON: the largest of it is left out
/// first, and then the ends of messages.
#[must_use]
pub fn fit(mut conditions: Vec<Condition>, bytes_max: usize) -> Vec<Condition> {
    let bytes = |condition: &Condition| serde_json::to_string(condition).map_or(0, |text| text.len() + 1);
    let mut total: usize = conditions.iter().map(bytes).sum();
    if total > bytes_max {
        // Each is measured once: all of them together may be large.
        let found = conditions.iter().enumerate().filter_map(|(at, one)| Some((actual_bytes(one)?, at)));
        let mut largest_last: Vec<(usize, usize)> = found.collect();
        largest_last.sort_unstable();
        while total > bytes_max
            && let Some((bytes, at)) = largest_last.pop()
        {
            conditions[at].actual = None;
            total -= bytes;
        }
    }
    if total > bytes_max {
        for condition in &mut conditions {
            condition.message = condition.message.as_deref().map(|message| cut(message, 100));
        }
    }
    conditions
}

/// The bytes of JSON that a condition has less without what is otherwise.
fn actual_bytes(condition: &Condition) -> Option<usize> {
    let text = serde_json::to_string(condition.actual.as_ref()?).ok()?;
    Some(text.len() + r#","actual":"#.len())
}

#[cfg(test)]
mod tests {
    use super::super::conditions::ConditionStatus;
    use super::*;
    use crate::limits::{OBSERVED_BYTES_MAX, RESOURCES_MAX};
    use crate::time::Millis;
    use serde_json::json;

    fn condition(name: usize, message: &str, content: Option<usize>) -> Condition {
        Condition {
            resource: format!("file/{}{name}", "n".repeat(58)).parse().unwrap(),
            status: ConditionStatus::Drifted,
            reason: Some("otherwise".to_owned()),
            message: Some(message.to_owned()),
            since: Millis(1_780_000_000_000),
            applied_at: Some(Millis(1_780_000_000_000)),
            actual: content.map(|bytes| [("content".to_owned(), json!("x".repeat(bytes)))].into_iter().collect()),
        }
    }

    #[test]
    fn the_largest_is_left_out_first() {
        let all = vec![condition(1, "a", Some(10)), condition(2, "b", Some(5000)), condition(3, "c", None)];
        assert_eq!(fit(all.clone(), 10_000), all);
        let fitted = fit(all, 2000);
        assert_eq!(fitted.iter().map(|one| one.actual.is_some()).collect::<Vec<_>>(), [true, false, false]);
    }

    #[test]
    fn whatever_a_thousand_resources_say_fits() {
        // A quotation mark takes two bytes in JSON.
        let message = cut_message(&"\"".repeat(900));
        let all = (0..RESOURCES_MAX).map(|name| condition(name, &message, Some(70_000))).collect();
        let text = serde_json::to_string(&fit(all, OBSERVED_BYTES_MAX / 10 * 9)).unwrap();
        assert!(text.len() < OBSERVED_BYTES_MAX, "{}", text.len());
    }

    #[test]
    fn a_message_is_cut_between_letters() {
        let long = "ä".repeat(400);
        let cut = cut_message(&long);
        assert!(cut.len() <= CONDITION_MESSAGE_BYTES_MAX && cut.ends_with("ä…"), "{cut}");
        assert_eq!(cut_message("short"), "short");
    }
}
