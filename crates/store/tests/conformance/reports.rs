//! Reports of nodes.

use sortie_rules::ids::{DEFAULT_ORG, NodeId};
use sortie_rules::time::Span;
use sortie_store::reports::{self, ReportRow};
use sortie_store::{StoreError, Tx};

use crate::setup::{NOW, enroll, stories};

stories!(the_newest_of_each_kind_stays, so_many_of_a_kind_are_kept_whatever_their_age);

pub(crate) fn report(node: NodeId, kind: &str, subject: &str, number: u64) -> ReportRow {
    ReportRow {
        node,
        org: DEFAULT_ORG,
        kind: kind.into(),
        subject: subject.into(),
        number,
        taken_at: NOW,
        received_at: NOW,
        source: "agent".into(),
        facts: Some("{}".into()),
    }
}

async fn the_newest_of_each_kind_stays(tx: &mut Tx) -> Result<(), StoreError> {
    let node = enroll(tx, 1).await?;
    for (kind, subject, number) in [("backup", "a", 1), ("backup", "a", 2), ("backup", "b", 1), ("facts", "", 1)] {
        assert_eq!(reports::newest_number(tx, node, kind, subject).await?, number - 1);
        reports::insert(tx, &report(node, kind, subject, number), 100).await?;
    }
    assert_eq!(reports::count_kinds(tx, node).await?, 3);
    let newest = reports::newest(tx, node, None, 9, false).await?;
    let told: Vec<_> = newest.iter().map(|one| (one.kind.as_str(), one.subject.as_str(), one.number)).collect();
    assert_eq!(told, [("backup", "a", 2), ("backup", "b", 1), ("facts", "", 1)]);
    assert!(newest.iter().all(|one| one.facts.is_none()));
    assert_eq!(reports::newest(tx, node, Some(("backup", "a")), 9, true).await?.len(), 2);
    assert_eq!(reports::of_kind(tx, node, ("backup", "a"), None, 9, true).await?[0], report(node, "backup", "a", 2));
    assert_eq!(reports::of_kind(tx, node, ("backup", "a"), Some(2), 9, true).await?.len(), 1);
    assert_eq!(reports::delete_before(tx, NOW + Span::days(40), 9).await?, 1);
    assert_eq!(reports::newest(tx, node, None, 9, false).await?.len(), 3);
    Ok(())
}

async fn so_many_of_a_kind_are_kept_whatever_their_age(tx: &mut Tx) -> Result<(), StoreError> {
    let node = enroll(tx, 1).await?;
    for number in 1..=5 {
        reports::insert(tx, &report(node, "facts", "", number), 2).await?;
    }
    let kept = reports::of_kind(tx, node, ("facts", ""), None, 9, false).await?;
    assert_eq!(kept.iter().map(|one| one.number).collect::<Vec<_>>(), [5, 4, 3]);
    Ok(())
}
