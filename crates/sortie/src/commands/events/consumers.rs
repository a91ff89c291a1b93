//! The consumers with which events are read: what they shall be.

use async_nats::jetstream::consumer::{AckPolicy, Config, DeliverPolicy};
use sortie_rules::time::Span;

use super::stream::{lasting, set};
use super::wish::ConsumerWish;

/// How long NATS waits for the acknowledgement of an event before it hands it out again.
const ACK_WAIT: Span = Span::seconds(30);
/// Most events that are handed out and not acknowledged.
const ACK_PENDING_MAX: i64 = 1000;

/// What a consumer shall be, given what it is. Where it begins is decided once, when it is made.
pub(super) fn wanted(wish: &ConsumerWish, subjects: &[String], existing: Option<&Config>) -> Result<Config, String> {
    let mut config = existing.cloned().unwrap_or_else(|| Config {
        durable_name: Some(wish.name.clone()),
        name: Some(wish.name.clone()),
        deliver_policy: if wish.only_new { DeliverPolicy::New } else { DeliverPolicy::All },
        ack_policy: AckPolicy::Explicit,
        ack_wait: ACK_WAIT.to_std(),
        max_ack_pending: ACK_PENDING_MAX,
        max_deliver: -1,
        ..Config::default()
    });
    if config.deliver_subject.is_some() || config.ack_policy != AckPolicy::Explicit {
        let name = &wish.name;
        return Err(format!("the consumer `{name}` is there, and no pull consumer with explicit acknowledgements"));
    }
    // What is said of no filters leaves those that there are.
    if existing.is_none() || !wish.filters.is_empty() {
        (config.filter_subject, config.filter_subjects) = match subjects {
            [one] => (one.clone(), Vec::new()),
            several => (String::new(), several.to_vec()),
        };
    }
    set(&mut config.ack_wait, wish.ack_wait.map(Span::to_std));
    set(&mut config.max_deliver, wish.max_deliver.map(|times| if times == 0 { -1 } else { i64::from(times) }));
    Ok(config)
}

/// What of it is ours to change, in words.
pub(super) fn fields(config: &Config) -> Vec<(&'static str, String)> {
    let mut filters = config.filter_subjects.clone();
    filters.extend(Some(config.filter_subject.clone()).filter(|filter| !filter.is_empty()));
    filters.sort();
    let times = if config.max_deliver <= 0 { "unlimited".to_owned() } else { config.max_deliver.to_string() };
    vec![("filters", filters.join(", ")), ("ack_wait", lasting(config.ack_wait)), ("max_deliver", times)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(filters: &[&str]) -> ConsumerWish {
        let filters = filters.iter().map(|filter| (*filter).to_owned()).collect();
        ConsumerWish { name: "billing".into(), filters, ack_wait: None, max_deliver: None, only_new: false }
    }

    #[test]
    fn filters_change_only_when_some_are_given() {
        let one = wanted(&wish(&["task"]), &["s.e.*.task.>".into()], None).unwrap();
        assert_eq!(one.filter_subject, "s.e.*.task.>");
        let unsaid = wanted(&wish(&[]), &["s.e.>".into()], Some(&one)).unwrap();
        assert_eq!(fields(&unsaid), fields(&one));
        let two = wanted(&wish(&["a", "b"]), &["s.a".into(), "s.b".into()], Some(&one)).unwrap();
        assert_eq!((two.filter_subject.as_str(), two.filter_subjects.len()), ("", 2));
    }

    #[test]
    fn a_consumer_of_another_nature_is_left_alone() {
        let push = Config { deliver_subject: Some("x".into()), ack_policy: AckPolicy::Explicit, ..Config::default() };
        assert!(wanted(&wish(&[]), &["s.e.>".into()], Some(&push)).unwrap_err().contains("no pull consumer"));
    }

    #[test]
    fn tries_without_end_are_said_as_nought() {
        let often = ConsumerWish { max_deliver: Some(5), ..wish(&[]) };
        let five = wanted(&often, &["s.e.>".into()], None).unwrap();
        assert_eq!(five.max_deliver, 5);
        let endless = ConsumerWish { max_deliver: Some(0), ..wish(&[]) };
        assert_eq!(wanted(&endless, &["s.e.>".into()], Some(&five)).unwrap().max_deliver, -1);
    }
}
