//! Backups of nodes, by when they are expected, and events that nodes tell by themselves.

use sortie_rules::ids::{DEFAULT_ORG, NodeId, OutboxId};
use sortie_rules::time::{Millis, Span};
use sortie_store::backup_deadlines::{self, DeadlineRow, Judged};
use sortie_store::backups::{self, BackupRow, SaidRow};
use sortie_store::nodes::NodeRow;
use sortie_store::sites::SiteRow;
use sortie_store::{StoreError, Tx, node_events, nodes, sites};

use crate::setup::{NOW, OTHER_ORG, enroll, id, labels, node, stories};

stories!(
    what_is_known_of_a_target_is_kept_and_changed,
    a_day_is_missed_once_and_made_up_once,
    what_a_clock_that_was_ahead_has_missed_holds_back_nothing,
    nodes_are_asked_for_page_by_page_with_what_is_known_of_a_target,
    deadlines_are_said_changed_and_taken_back,
    what_is_due_is_judged_by_whoever_has_read_it,
    events_of_nodes_are_taken_once,
);

fn at(minutes: i64) -> Millis {
    NOW + Span::minutes(minutes)
}

fn said(number: u128, target: &str, completed: Option<i64>) -> SaidRow {
    let (target, completed_at) = (target.into(), completed.map(at));
    SaidRow { node: id(number), target, completed_at, failed_at: None, reported_at: NOW }
}

async fn what_is_known_of_a_target_is_kept_and_changed(tx: &mut Tx) -> Result<(), StoreError> {
    enroll(tx, 1).await?;
    assert_eq!(backups::get(tx, id(1), "home").await?, None);
    assert!(!backups::put(tx, &said(1, "home", Some(5))).await?);
    let (node, target, missed_since) = (id(1), "home".to_owned(), None);
    let (completed_at, failed_at, reported_at) = (Some(at(5)), None, Some(NOW));
    let first = BackupRow { node, target, completed_at, failed_at, reported_at, missed_since };
    assert_eq!(backups::get(tx, id(1), "home").await?.as_ref(), Some(&first));
    backups::put(tx, &SaidRow { failed_at: Some(at(1)), reported_at: at(2), ..said(1, "home", None) }).await?;
    let later = BackupRow { failed_at: Some(at(1)), reported_at: Some(at(2)), ..first };
    assert_eq!(backups::get(tx, id(1), "home").await?.as_ref(), Some(&later), "what is not said stays");
    backups::put(tx, &SaidRow { reported_at: at(2), ..said(1, "home", Some(3)) }).await?;
    let back = BackupRow { completed_at: Some(at(3)), ..later };
    assert_eq!(backups::get(tx, id(1), "home").await?, Some(back), "the box was set back: the newest report counts");
    Ok(())
}

async fn missed_since(tx: &mut Tx, number: u128) -> Result<Option<Millis>, StoreError> {
    Ok(backups::get(tx, id(number), "home").await?.and_then(|row| row.missed_since))
}

async fn a_day_is_missed_once_and_made_up_once(tx: &mut Tx) -> Result<(), StoreError> {
    for number in 1..=3 {
        enroll(tx, number).await?;
    }
    const DAY: i64 = 24 * 60;
    assert_eq!(backups::miss(tx, &[], "home", at(DAY)).await?, [false; 0]);
    // It was asked before: meanwhile the second has reported.
    backups::put(tx, &said(1, "home", Some(DAY - 1))).await?;
    backups::put(tx, &said(2, "home", Some(DAY))).await?;
    assert_eq!(backups::miss(tx, &[id(1), id(2), id(3)], "home", at(DAY)).await?, [true, false, true]);
    assert_eq!((missed_since(tx, 1).await?, missed_since(tx, 2).await?), (Some(at(DAY)), None));
    assert_eq!(backups::miss(tx, &[id(3), id(1)], "home", at(DAY)).await?, [false, false], "by another deadline");
    assert_eq!(backups::miss(tx, &[id(1)], "home", at(DAY + 120)).await?, [false], "by one of another time zone");
    assert_eq!(backups::miss(tx, &[id(1)], "home", at(DAY - 120)).await?, [false]);
    assert_eq!(backups::miss(tx, &[id(1)], "mail", at(DAY)).await?, [true], "another target");
    assert_eq!(backups::miss(tx, &[id(1)], "home", at(2 * DAY - 60)).await?, [true], "the next day has an hour less");
    // A report that was under way leaves what was missed meanwhile.
    assert!(!backups::put(tx, &said(1, "home", Some(2 * DAY - 61))).await?);
    assert!(!backups::put(tx, &said(1, "home", None)).await?);
    assert_eq!(missed_since(tx, 1).await?, Some(at(2 * DAY - 60)));
    assert!(backups::put(tx, &said(1, "home", Some(2 * DAY - 60))).await?);
    assert!(!backups::put(tx, &said(1, "home", Some(2 * DAY))).await?, "once");
    assert_eq!(backups::miss(tx, &[id(1)], "home", at(2 * DAY - 60)).await?, [false], "it was done");
    assert_eq!(backups::miss(tx, &[id(1)], "home", at(3 * DAY)).await?, [true]);
    Ok(())
}

async fn what_a_clock_that_was_ahead_has_missed_holds_back_nothing(tx: &mut Tx) -> Result<(), StoreError> {
    enroll(tx, 1).await?;
    let (year, day) = (365 * 24 * 60, 24 * 60);
    assert_eq!(backups::miss(tx, &[id(1)], "home", at(year)).await?, [true]);
    assert_eq!(backups::miss(tx, &[id(1)], "home", at(day)).await?, [true]);
    assert_eq!(missed_since(tx, 1).await?, Some(at(day)));
    assert!(backups::put(tx, &said(1, "home", Some(day + 1))).await?);
    Ok(())
}

async fn nodes_are_asked_for_page_by_page_with_what_is_known_of_a_target(tx: &mut Tx) -> Result<(), StoreError> {
    let north = SiteRow { org: DEFAULT_ORG, key: "north".into(), name: "North".into(), created_at: NOW };
    sites::upsert(tx, &north).await?;
    for number in 1..=4 {
        let site = (number < 3).then(|| "north".to_owned());
        let kind = if number == 2 { "guest" } else { "host" };
        let row = NodeRow { site, kind: kind.into(), labels: labels(&[("ring", "1")]), ..node(number) };
        nodes::insert(tx, &row).await?;
    }
    nodes::revoke(tx, DEFAULT_ORG, id(4), NOW).await?;
    backups::put(tx, &said(1, "home", Some(5))).await?;
    backups::put(tx, &said(1, "mail", Some(6))).await?;
    let rows = backups::expected(tx, DEFAULT_ORG, (None, None), "home", "", 9).await?;
    let seen: Vec<_> = rows.iter().map(|row| (row.node, row.completed_at)).collect();
    assert_eq!(seen, [(id(1), Some(at(5))), (id(2), None), (id(3), None)]);
    assert_eq!((rows[0].site.as_deref(), rows[1].kind.as_str()), (Some("north"), "guest"));
    assert_eq!((&rows[0].labels, rows[0].enrolled_at), (&labels(&[("ring", "1")]), NOW));
    let rows = backups::expected(tx, DEFAULT_ORG, (Some("north"), Some("host")), "mail", "", 9).await?;
    assert_eq!(rows.iter().map(|row| row.completed_at).collect::<Vec<_>>(), [Some(at(6))]);
    let rows = backups::expected(tx, DEFAULT_ORG, (None, None), "home", "node-1", 1).await?;
    assert_eq!(rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["node-2"]);
    assert_eq!(backups::expected(tx, OTHER_ORG, (None, None), "home", "", 9).await?, []);
    Ok(())
}

fn deadline(org: sortie_rules::ids::OrgId, name: &str, judge_at: i64) -> DeadlineRow {
    DeadlineRow {
        org,
        name: name.into(),
        target: "home".into(),
        deadline: "{}".into(),
        selector: "{}".into(),
        changed_by: "ann".into(),
        changed_at: NOW,
        judged: Judged { judge_at: at(judge_at), judging: None },
        turn: 0,
    }
}

async fn deadlines_are_said_changed_and_taken_back(tx: &mut Tx) -> Result<(), StoreError> {
    for row in [deadline(DEFAULT_ORG, "b", 1), deadline(DEFAULT_ORG, "a", 2), deadline(OTHER_ORG, "a", 3)] {
        backup_deadlines::put(tx, &row).await?;
    }
    let names: Vec<String> = backup_deadlines::list(tx, DEFAULT_ORG).await?.into_iter().map(|row| row.name).collect();
    assert_eq!(names, ["a", "b"]);
    let judged = Judged { judge_at: at(9), judging: Some((at(5), "node-7".into())) };
    let changed =
        DeadlineRow { target: "mail".into(), changed_by: "ben".into(), judged, ..deadline(DEFAULT_ORG, "a", 0) };
    backup_deadlines::put(tx, &changed).await?;
    assert_eq!(backup_deadlines::get(tx, DEFAULT_ORG, "a").await?, Some(DeadlineRow { turn: 1, ..changed }));
    assert!(backup_deadlines::delete(tx, DEFAULT_ORG, "a").await?);
    assert!(!backup_deadlines::delete(tx, DEFAULT_ORG, "a").await?);
    assert_eq!(backup_deadlines::get(tx, DEFAULT_ORG, "a").await?, None);
    assert!(backup_deadlines::get(tx, OTHER_ORG, "a").await?.is_some());
    Ok(())
}

async fn what_is_due_is_judged_by_whoever_has_read_it(tx: &mut Tx) -> Result<(), StoreError> {
    for row in [deadline(DEFAULT_ORG, "b", 1), deadline(DEFAULT_ORG, "a", 2), deadline(OTHER_ORG, "a", 3)] {
        backup_deadlines::put(tx, &row).await?;
    }
    let due = |rows: Vec<DeadlineRow>| rows.into_iter().map(|row| row.name).collect::<Vec<_>>();
    assert_eq!(due(backup_deadlines::due(tx, at(2), 9).await?), ["b", "a"]);
    assert_eq!(due(backup_deadlines::due(tx, at(2), 1).await?), ["b"]);
    assert_eq!(due(backup_deadlines::due(tx, at(0), 9).await?), [""; 0]);
    let within = Judged { judge_at: at(1), judging: Some((at(0), "node-3".into())) };
    assert!(backup_deadlines::move_on(tx, (DEFAULT_ORG, "b"), 0, &within).await?);
    assert!(!backup_deadlines::move_on(tx, (DEFAULT_ORG, "b"), 0, &within).await?, "somebody else did");
    let read = backup_deadlines::get(tx, DEFAULT_ORG, "b").await?.map(|row| (row.judged, row.turn));
    assert_eq!(read, Some((within, 1)));
    let done = Judged { judge_at: at(60), judging: None };
    assert!(backup_deadlines::move_on(tx, (DEFAULT_ORG, "b"), 1, &done).await?);
    assert!(!backup_deadlines::move_on(tx, (OTHER_ORG, "b"), 2, &done).await?);
    assert_eq!(due(backup_deadlines::due(tx, at(59), 9).await?), ["a", "a"]);
    Ok(())
}

async fn events_of_nodes_are_taken_once(tx: &mut Tx) -> Result<(), StoreError> {
    enroll(tx, 1).await?;
    let (node, first, second): (NodeId, OutboxId, OutboxId) = (id(1), id(11), id(12));
    assert_eq!(node_events::taken(tx, node).await?, None);
    assert!(node_events::take(tx, node, None, first, 3).await?);
    assert!(!node_events::take(tx, node, None, first, 3).await?, "it was quicker");
    assert!(node_events::take(tx, node, Some((first, 3)), first, 5).await?);
    assert!(!node_events::take(tx, node, Some((first, 3)), first, 6).await?);
    assert_eq!(node_events::taken(tx, node).await?, Some((first, 5)));
    assert!(node_events::take(tx, node, Some((first, 5)), second, 1).await?, "a new outbox counts anew");
    assert_eq!(node_events::taken(tx, node).await?, Some((second, 1)));
    Ok(())
}
