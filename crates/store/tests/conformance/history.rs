//! Looking back.

use sortie_rules::history::{Counts, Level, Row, Step, Sum};
use sortie_rules::ids::DEFAULT_ORG;
use sortie_rules::liveness::Presence;
use sortie_rules::time::{Millis, Span};
use sortie_store::history::{self, SumRow};
use sortie_store::{StoreError, Tx, nodes};

use crate::setup::{NOW, enroll, id, stories};

stories!(
    what_is_entered_adds_up_in_its_bucket,
    a_history_begins_with_what_is_said_of_nodes,
    old_buckets_go_by_their_length,
);

fn hour(number: i64) -> Millis {
    Millis(0) + Span::hours(number)
}

fn sum(holder: &str, step: Step, at: Millis, sum: Sum) -> SumRow {
    SumRow { holder: holder.into(), step, at, sum }
}

async fn what_is_entered_adds_up_in_its_bucket(tx: &mut Tx) -> Result<(), StoreError> {
    let counts = Counts {
        tasks_completed: 1,
        tasks_failed: 2,
        tasks_other: 3,
        backups_completed: 4,
        backups_failed: 5,
        backups_missed: 6,
    };
    let first = Sum { counts, online_ms: 7, change: None };
    let second = Sum { counts, online_ms: 8, change: Some((0, 1, Millis(9))) };
    let third = Sum { counts: Counts::default(), online_ms: 1, change: Some((1, 2, Millis(11))) };
    history::enter(tx, &[]).await?;
    let mut expected = Sum::default();
    for one in [first, second, third] {
        let rows =
            [sum("a", Step::Hour, hour(1), one), sum("a", Step::Day, hour(0), one), sum("b", Step::Hour, hour(1), one)];
        history::enter(tx, &rows).await?;
        expected = expected.and(one);
    }
    assert_eq!((expected.change, expected.counts.tasks_other), (Some((0, 2, Millis(11))), 6));
    let row = Row { at: hour(1), sum: expected };
    assert_eq!(history::list(tx, "a", Step::Hour, hour(0), 9).await?, [row]);
    assert_eq!(history::list(tx, "a", Step::Day, hour(0), 9).await?, [Row { at: hour(0), sum: expected }]);
    assert_eq!(history::list(tx, "a", Step::Hour, hour(2), 9).await?, []);
    history::enter(tx, &[sum("a", Step::Hour, hour(3), first)]).await?;
    assert_eq!(history::list(tx, "a", Step::Hour, hour(0), 1).await?, [row], "the first of them");
    Ok(())
}

async fn a_history_begins_with_what_is_said_of_nodes(tx: &mut Tx) -> Result<(), StoreError> {
    for number in 1..=4 {
        enroll(tx, number).await?;
    }
    let said = [(id(1), Presence::Online), (id(2), Presence::Online), (id(3), Presence::Down)];
    nodes::set_presence(tx, &said, NOW).await?;
    nodes::revoke(tx, DEFAULT_ORG, id(2), NOW).await?;
    history::begin(tx, NOW).await?;
    let names: Vec<String> = (1..=4)
        .map(|number| sortie_rules::ids::NodeId::from_uuid(uuid::Uuid::from_u128(number)).to_string())
        .chain([DEFAULT_ORG.to_string()])
        .collect();
    let mut found = history::levels(tx, &names).await?;
    found.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    let level = |online| Level { online, since: NOW, known_since: NOW };
    let mut expected = vec![(names[0].clone(), level(1)), (names[2].clone(), level(0)), (names[4].clone(), level(1))];
    expected.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(found, expected, "of one that was never heard, or was shut out, nothing is known");
    history::set_levels(tx, &[]).await?;
    let later = Level { online: 0, since: NOW + Span::hours(1), known_since: NOW - Span::hours(1) };
    history::set_levels(tx, &[(names[0].clone(), later), (names[3].clone(), later)]).await?;
    assert_eq!(history::levels(tx, &names[..1]).await?, [(names[0].clone(), later)]);
    assert_eq!(history::levels(tx, &names[3..4]).await?, [(names[3].clone(), later)]);
    assert_eq!(history::levels(tx, &[]).await?, []);
    Ok(())
}

async fn old_buckets_go_by_their_length(tx: &mut Tx) -> Result<(), StoreError> {
    for number in 0..4 {
        let rows =
            [sum("a", Step::Hour, hour(number), Sum::default()), sum("a", Step::Day, hour(number), Sum::default())];
        history::enter(tx, &rows).await?;
    }
    assert_eq!(history::delete_before(tx, Step::Hour, hour(3), 2).await?, 2);
    assert_eq!(history::delete_before(tx, Step::Hour, hour(3), 9).await?, 1);
    let left: Vec<Millis> =
        history::list(tx, "a", Step::Hour, hour(0), 9).await?.into_iter().map(|row| row.at).collect();
    assert_eq!(left, [hour(3)]);
    assert_eq!(history::list(tx, "a", Step::Day, hour(0), 9).await?.len(), 4);
    Ok(())
}
