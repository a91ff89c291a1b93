//! Events.

use sortie_rules::ids::{DEFAULT_ORG, NodeId, OrgId, TaskId};
use sortie_rules::time::Millis;
use sortie_store::events::{self, EventFilter, EventRow, NewEvent};
use sortie_store::{StoreError, Tx};

use crate::setup::{NOW, OTHER_ORG, id, stories};

stories!(
    an_event_is_read_back_as_it_happened,
    events_are_followed_by_their_number,
    events_that_are_written_together_keep_their_order,
    a_list_of_events_is_narrowed_by_each_part_of_its_filter,
    old_events_go_but_the_newest_stays,
    old_events_stay_that_somebody_waits_for,
    events_of_all_orgs_come_in_one_order,
    what_sorts_of_events_there_are_is_told_by_org,
);

async fn happen(
    tx: &mut Tx,
    org: OrgId,
    kind: &str,
    node: Option<NodeId>,
    task: Option<TaskId>,
) -> Result<(), StoreError> {
    let event = NewEvent { org, at: NOW, kind, node, task, actor: "token:ci", data: r#"{"n":1}"# };
    events::insert(tx, &event).await?;
    events::number_pending(tx, 100).await.map(drop)
}

fn numbers(rows: &[EventRow]) -> Vec<u64> {
    rows.iter().map(|row| row.number).collect()
}

async fn an_event_is_read_back_as_it_happened(tx: &mut Tx) -> Result<(), StoreError> {
    assert_eq!(events::last_number(tx).await?, 0);
    happen(tx, DEFAULT_ORG, "task.submitted", Some(id(1)), Some(id(2))).await?;
    let expected = EventRow {
        number: 1,
        org: DEFAULT_ORG,
        at: NOW,
        kind: "task.submitted".into(),
        node: Some(id(1)),
        task: Some(id(2)),
        actor: "token:ci".into(),
        data: r#"{"n":1}"#.into(),
    };
    assert_eq!(events::list(tx, DEFAULT_ORG, &EventFilter::default(), 0, 10).await?, [expected]);
    assert_eq!(events::last_number(tx).await?, 1);
    Ok(())
}

async fn events_are_followed_by_their_number(tx: &mut Tx) -> Result<(), StoreError> {
    for org in [DEFAULT_ORG, DEFAULT_ORG, OTHER_ORG, DEFAULT_ORG] {
        happen(tx, org, "node.enrolled", None, None).await?;
    }
    let all = EventFilter::default();
    assert_eq!(numbers(&events::list(tx, DEFAULT_ORG, &all, 0, 2).await?), [1, 2]);
    assert_eq!(numbers(&events::list(tx, DEFAULT_ORG, &all, 2, 2).await?), [4]);
    assert_eq!(numbers(&events::list(tx, OTHER_ORG, &all, 0, 9).await?), [3]);
    assert_eq!(numbers(&events::list_newest(tx, DEFAULT_ORG, &all, None, 2).await?), [4, 2]);
    assert_eq!(numbers(&events::list_newest(tx, DEFAULT_ORG, &all, Some(2), 2).await?), [1]);
    Ok(())
}

async fn events_that_are_written_together_keep_their_order(tx: &mut Tx) -> Result<(), StoreError> {
    let kinds: Vec<String> = (0..300).map(|number| format!("kind.{number}")).collect();
    let written: Vec<NewEvent<'_>> = kinds
        .iter()
        .map(|kind| NewEvent { org: DEFAULT_ORG, at: NOW, kind, node: None, task: None, actor: "hub", data: "{}" })
        .collect();
    events::insert_all(tx, &written).await?;
    events::number_pending(tx, 1000).await?;
    let read = events::list(tx, DEFAULT_ORG, &EventFilter::default(), 0, 1000).await?;
    assert_eq!(read.into_iter().map(|event| event.kind).collect::<Vec<_>>(), kinds);
    Ok(())
}

async fn a_list_of_events_is_narrowed_by_each_part_of_its_filter(tx: &mut Tx) -> Result<(), StoreError> {
    happen(tx, DEFAULT_ORG, "task.submitted", Some(id(1)), Some(id(11))).await?;
    happen(tx, DEFAULT_ORG, "task.completed", Some(id(2)), Some(id(12))).await?;
    happen(tx, DEFAULT_ORG, "taskforce.made", Some(id(1)), None).await?;
    happen(tx, DEFAULT_ORG, "task.failed", Some(id(1)), Some(id(11))).await?;
    happen(tx, OTHER_ORG, "task.failed", Some(id(1)), Some(id(11))).await?;
    let any = EventFilter::default();
    for (filter, expected) in [
        (EventFilter { kind: Some("task".into()), ..any.clone() }, vec![1, 2, 4]),
        (EventFilter { kind: Some("task.failed".into()), ..any.clone() }, vec![4]),
        (EventFilter { kind: Some("task.f".into()), ..any.clone() }, vec![]),
        (EventFilter { kind: Some("".into()), ..any.clone() }, vec![]),
        (EventFilter { node: Some(id(1)), ..any.clone() }, vec![1, 3, 4]),
        (EventFilter { task: Some(id(11)), ..any.clone() }, vec![1, 4]),
        (EventFilter { task: Some(id(11)), kind: Some("task.failed".into()), ..any.clone() }, vec![4]),
        (EventFilter { task: Some(id(11)), node: Some(id(2)), ..any }, vec![]),
    ] {
        let mut found = numbers(&events::list(tx, DEFAULT_ORG, &filter, 0, 9).await?);
        assert_eq!(found, expected, "{filter:?}");
        found.reverse();
        assert_eq!(numbers(&events::list_newest(tx, DEFAULT_ORG, &filter, None, 9).await?), found, "{filter:?}");
    }
    Ok(())
}

async fn old_events_go_but_the_newest_stays(tx: &mut Tx) -> Result<(), StoreError> {
    for _ in 0..3 {
        happen(tx, DEFAULT_ORG, "node.enrolled", None, None).await?;
    }
    assert_eq!(events::delete_older(tx, NOW, None, 10).await?, 0);
    let later = Millis(NOW.0 + 1);
    assert_eq!(events::delete_older(tx, later, None, 1).await?, 1);
    assert_eq!(events::delete_older(tx, later, None, 10).await?, 1);
    assert_eq!(events::last_number(tx).await?, 3);
    happen(tx, DEFAULT_ORG, "node.enrolled", None, None).await?;
    assert_eq!(events::last_number(tx).await?, 4);
    Ok(())
}

async fn old_events_stay_that_somebody_waits_for(tx: &mut Tx) -> Result<(), StoreError> {
    for _ in 0..4 {
        happen(tx, DEFAULT_ORG, "node.enrolled", None, None).await?;
    }
    let later = Millis(NOW.0 + 1);
    assert_eq!(events::delete_older(tx, later, Some(0), 10).await?, 0);
    assert_eq!(events::delete_older(tx, later, Some(2), 10).await?, 2);
    assert_eq!(events::oldest_number(tx).await?, Some(3));
    assert_eq!(events::delete_older(tx, later, Some(9), 10).await?, 1);
    assert_eq!(events::oldest_number(tx).await?, Some(4));
    Ok(())
}

async fn events_of_all_orgs_come_in_one_order(tx: &mut Tx) -> Result<(), StoreError> {
    assert_eq!(events::oldest_number(tx).await?, None);
    for org in [DEFAULT_ORG, OTHER_ORG, DEFAULT_ORG] {
        happen(tx, org, "node.enrolled", None, None).await?;
    }
    assert_eq!(numbers(&events::list_of_all_orgs(tx, 0, 9).await?), [1, 2, 3]);
    let second = events::list_of_all_orgs(tx, 1, 1).await?;
    assert_eq!((second[0].number, second[0].org), (2, OTHER_ORG));
    assert!(events::list_of_all_orgs(tx, 3, 9).await?.is_empty());
    Ok(())
}

async fn what_sorts_of_events_there_are_is_told_by_org(tx: &mut Tx) -> Result<(), StoreError> {
    for (org, kind) in
        [(DEFAULT_ORG, "node.down"), (DEFAULT_ORG, "task.failed"), (OTHER_ORG, "node.down"), (DEFAULT_ORG, "node.down")]
    {
        happen(tx, org, kind, None, None).await?;
    }
    let mut all = events::kinds_between(tx, 0, 4).await?;
    all.sort_unstable();
    let told = |org, kind: &str, number| (org, kind.to_owned(), number);
    let mut expected =
        [told(DEFAULT_ORG, "node.down", 4), told(DEFAULT_ORG, "task.failed", 2), told(OTHER_ORG, "node.down", 3)];
    expected.sort_unstable();
    assert_eq!(all, expected);
    assert_eq!(events::kinds_between(tx, 1, 2).await?, [told(DEFAULT_ORG, "task.failed", 2)]);
    assert_eq!(events::kinds_between(tx, 4, 9).await?, []);
    Ok(())
}
