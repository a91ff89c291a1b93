//! Decides what of a page is told and what is held back, and writes it down, in one transaction.

use std::collections::{BTreeSet, HashMap};

use sortie_rules::ids::AlarmId;
use sortie_rules::notifications::{Beginning, Channel, Held, Told, held_at_beginning, held_at_end};
use sortie_rules::time::Millis;
use sortie_store::notifications::{self, NotificationRow, NotificationState};
use sortie_store::told::{self, ToldOf};
use sortie_store::{StoreError, Tx};

use super::page::{Ear, News};

/// Of which alarm, to whom, by which way.
type Key = (AlarmId, String, Channel);

/// What is known of what was told before.
#[derive(Debug, Default)]
struct Past {
    told: HashMap<(ToldOf, String, Channel), Millis>,
    beginnings: HashMap<Key, Beginning>,
}

/// Writes down who is told, and what is held back.
pub(super) async fn write(tx: &mut Tx, news: &[News], now: Millis) -> Result<(), StoreError> {
    let past = past(tx, news).await?;
    let over: BTreeSet<AlarmId> = news.iter().filter(|one| !one.tells.opened).map(|one| one.tells.alarm).collect();
    notifications::drop_beginnings(tx, &over.into_iter().collect::<Vec<_>>()).await?;
    notifications::insert_all(tx, &judged(news, past, now)).await
}

/// What is known of all that this is about.
async fn past(tx: &mut Tx, news: &[News]) -> Result<Past, StoreError> {
    let (mut of, mut alarms) = (BTreeSet::new(), BTreeSet::new());
    for one in news.iter().filter(|one| !one.ears.is_empty()) {
        if one.tells.opened {
            of.insert(told_of(one));
        } else {
            alarms.insert(one.tells.alarm);
        }
    }
    let of: Vec<ToldOf> = of.into_iter().collect();
    let alarms: Vec<AlarmId> = alarms.into_iter().collect();
    let told = told::of(tx, &of).await?.into_iter().map(|row| ((row.of, row.recipient, row.channel), row.at));
    let told = told.collect();
    let beginnings = notifications::beginnings(tx, &alarms).await?.into_iter();
    let beginnings = beginnings.map(|begun| ((begun.alarm, begun.recipient, begun.channel), begun.became));
    Ok(Past { told, beginnings: beginnings.collect() })
}

fn told_of(one: &News) -> ToldOf {
    let tells = &one.tells;
    ToldOf { org: one.org, rule: tells.alarm_rule.clone(), node: tells.node, subject: tells.subject.clone() }
}

fn judged(news: &[News], mut past: Past, now: Millis) -> Vec<NotificationRow> {
    let mut rows: Vec<NotificationRow> = Vec::new();
    // What an alarm of this page began, by its place among the rows.
    let mut begun: HashMap<Key, usize> = HashMap::new();
    for one in news {
        if !one.tells.opened {
            let of_alarm = begun.iter().filter(|(key, _)| key.0 == one.tells.alarm);
            for (key, at) in of_alarm {
                let became = become_over(&mut rows[*at]);
                past.beginnings.insert(key.clone(), became);
            }
            begun.retain(|key, _| key.0 != one.tells.alarm);
        }
        for ear in &one.ears {
            let key = (one.tells.alarm, ear.recipient.clone(), ear.channel);
            let held = if one.tells.opened {
                let before = past.told.get(&(told_of(one), ear.recipient.clone(), ear.channel));
                held_at_beginning(before.map(|at| Told { at: *at }), ear.cool_down, one.maintenance, now)
            } else {
                held_at_end(past.beginnings.get(&key).copied().unwrap_or(Beginning::Untold))
            };
            if one.tells.opened {
                begun.insert(key, rows.len());
            }
            rows.push(row(one, ear, held, now));
        }
    }
    rows
}

/// The alarm that this began is over. Returns what had become of it until then.
fn become_over(row: &mut NotificationRow) -> Beginning {
    match row.state {
        NotificationState::Waiting { .. } => {
            row.state = NotificationState::HeldBack { due_at: None };
            row.why = Some(Held::OverBeforeTold.as_str().to_owned());
            Beginning::Waits
        }
        NotificationState::HeldBack { .. } | NotificationState::Over { .. } => {
            row.state = NotificationState::HeldBack { due_at: None };
            Beginning::HeldBack
        }
    }
}

fn row(one: &News, ear: &Ear, held: Option<Held>, now: Millis) -> NotificationRow {
    NotificationRow {
        id: ear.id,
        org: one.org,
        tells: one.tells.clone(),
        recipient: ear.recipient.clone(),
        channel: ear.channel,
        rule: ear.rule.clone(),
        state: match held {
            Some(held) => NotificationState::HeldBack { due_at: held.until() },
            None => NotificationState::Waiting { since: now, dispatch: None },
        },
        why: held.map(|held| held.as_str().to_owned()),
        created_at: now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::alarms::Severity;
    use sortie_rules::ids::{DEFAULT_ORG, Id};
    use sortie_rules::time::Span;
    use sortie_store::notifications::Tells;

    const NOW: Millis = Millis(10_000_000);

    fn id<K>(number: u128) -> Id<K> {
        Id::from_uuid(uuid::Uuid::from_u128(number))
    }

    fn news(event: u64, alarm: u128, opened: bool) -> News {
        let tells = Tells {
            event,
            alarm: id(alarm),
            alarm_rule: "node.down".into(),
            severity: Severity::Critical,
            node: None,
            node_name: None,
            site: None,
            subject: String::new(),
            summary: "It is so.".into(),
            opened,
            at: NOW,
        };
        let ear = Ear {
            id: id(event.into()),
            recipient: "noc".into(),
            channel: Channel::Mail,
            rule: "operators".into(),
            cool_down: Span::hours(1),
        };
        News { org: DEFAULT_ORG, tells, ears: vec![ear], maintenance: None }
    }

    fn said(rows: &[NotificationRow]) -> Vec<(&str, Option<&str>)> {
        let word = |row: &NotificationRow| match row.state {
            NotificationState::Waiting { .. } => "waiting",
            NotificationState::HeldBack { due_at: Some(_) } => "later",
            NotificationState::HeldBack { due_at: None } => "never",
            NotificationState::Over { .. } => "over",
        };
        rows.iter().map(|row| (word(row), row.why.as_deref())).collect()
    }

    #[test]
    fn what_is_over_within_a_page_is_told_to_nobody() {
        let page = [news(1, 1, true), news(2, 1, false), news(3, 2, true)];
        let rows = judged(&page, Past::default(), NOW);
        let never = ("never", Some("over_before_told"));
        assert_eq!(said(&rows), [never, never, ("waiting", None)]);
    }

    #[test]
    fn what_was_told_a_moment_ago_is_held_back_until_the_cool_down_is_over() {
        let before = [((told_of(&news(1, 1, true)), "noc".to_owned(), Channel::Mail), NOW - Span::minutes(1))];
        let past = || Past { told: before.clone().into(), ..Past::default() };
        assert_eq!(said(&judged(&[news(1, 1, true)], past(), NOW)), [("later", Some("cool_down"))]);
        let page = [news(1, 1, true), news(2, 1, false)];
        assert_eq!(said(&judged(&page, past(), NOW)), [("never", Some("cool_down")), ("never", Some("never_told"))]);
    }

    #[test]
    fn an_end_is_told_to_whom_its_beginning_was() {
        let known = |became| Past {
            beginnings: [((id(1), "noc".to_owned(), Channel::Mail), became)].into(),
            ..Past::default()
        };
        let end = [news(2, 1, false)];
        assert_eq!(said(&judged(&end, known(Beginning::OnItsWay), NOW)), [("waiting", None)]);
        assert_eq!(said(&judged(&end, known(Beginning::Waits), NOW)), [("never", Some("over_before_told"))]);
        assert_eq!(said(&judged(&end, Past::default(), NOW)), [("never", Some("never_told"))]);
    }
}
