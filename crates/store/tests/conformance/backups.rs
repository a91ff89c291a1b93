//! Backups of nodes, by when they are expected, and events that nodes tell by themselves.

use sortie_rules::ids::{DEFAULT_ORG, NodeId, OutboxId};
use sortie_rules::time::{Millis, Span};
use sortie_store::backup_deadlines::{self, DeadlineRow, Judged};
use sortie_store::backups::{self, BackupRow};
use sortie_store::nodes::NodeRow;
use sortie_store::sites::SiteRow;
use sortie_store::{StoreError, Tx, node_events, nodes, sites};

use crate::setup::{NOW, OTHER_ORG, enroll, id, labels, node, stories};

stories!(
    what_is_known_of_a_target_is_kept_and_changed,
    nodes_are_asked_for_page_by_page_with_what_is_known_of_a_target,
    deadlines_are_said_changed_and_taken_back,
    what_is_due_is_judged_by_whoever_has_read_it,
    events_of_nodes_are_taken_once,
);

fn at(minutes: i64) -> Millis {
    NOW + Span::minutes(minutes)
}

fn backup(number: u128, target: &str, completed: Option<i64>) -> BackupRow {
    BackupRow {
        node: id(number),
        target: target.into(),
        completed_at: completed.map(at),
        failed_at: None,
        reported_at: Some(NOW),
        missed_since: None,
    }
}

async fn what_is_known_of_a_target_is_kept_and_changed(tx: &mut Tx) -> Result<(), StoreError> {
    enroll(tx, 1).await?;
    enroll(tx, 2).await?;
    let first = backup(1, "home", None);
    assert_eq!(backups::get(tx, id(1), "home").await?, None);
    backups::put(tx, &first).await?;
    assert_eq!(backups::get(tx, id(1), "home").await?, Some(first));
    let later = BackupRow { failed_at: Some(at(1)), reported_at: Some(at(2)), ..backup(1, "home", Some(5)) };
    backups::put(tx, &later).await?;
    assert_eq!(backups::get(tx, id(1), "home").await?.as_ref(), Some(&later));
    backups::miss(tx, &[], "home", at(9)).await?;
    backups::miss(tx, &[id(1), id(2)], "home", at(9)).await?;
    assert_eq!(backups::get(tx, id(1), "home").await?, Some(BackupRow { missed_since: Some(at(9)), ..later }));
    let expected = BackupRow { reported_at: None, missed_since: Some(at(9)), ..backup(2, "home", None) };
    assert_eq!(backups::get(tx, id(2), "home").await?, Some(expected.clone()));
    backups::miss(tx, &[id(2)], "home", at(10)).await?;
    let missed = backups::get(tx, id(2), "home").await?;
    assert_eq!(missed, Some(BackupRow { missed_since: Some(at(10)), ..expected }));
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
    backups::put(tx, &backup(1, "home", Some(5))).await?;
    backups::put(tx, &backup(1, "mail", Some(6))).await?;
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
