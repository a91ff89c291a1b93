//! What the hub itself enforces at the edge.

use sortie_rules::desired::ConditionStatus;
use sortie_rules::enforcement::{Enforcement, Enforcer, begin, noted};
use sortie_rules::ids::{DEFAULT_ORG, NodeId};
use sortie_rules::time::Span;
use sortie_store::desired::pins::{self, PinsRow};
use sortie_store::enforcements::{self, EnforcementRow};
use sortie_store::{StoreError, Tx, nodes};

use crate::setup::{NOW, OTHER_ORG, enroll, id, stories};

stories!(
    an_enforcement_is_changed_by_whoever_has_read_it,
    what_is_due_is_found_by_its_time,
    all_nodes_are_read_with_what_is_meant_for_them,
);

fn row(node: NodeId, zone: &str) -> EnforcementRow {
    EnforcementRow {
        node,
        resource: "geo.rules/main".parse().unwrap(),
        zone: zone.into(),
        org: DEFAULT_ORG,
        enforcer: Enforcer::Geo,
        secret: "edge".into(),
        life: noted(None, Some("hash"), NOW).unwrap(),
        turn: 0,
    }
}

async fn an_enforcement_is_changed_by_whoever_has_read_it(tx: &mut Tx) -> Result<(), StoreError> {
    let node = enroll(tx, 1).await?;
    let first = row(node, "a");
    assert!(enforcements::insert(tx, &first).await?);
    assert!(!enforcements::insert(tx, &first).await?);
    assert_eq!(enforcements::get(tx, node, &first.resource, "a").await?, Some(first.clone()));
    assert_eq!(enforcements::get(tx, node, &first.resource, "b").await?, None);
    let life = Enforcement {
        applied: Some("hash".into()),
        applied_at: Some(NOW),
        status: ConditionStatus::Failed,
        reason: Some("edge_away".into()),
        message: Some("it does not answer".into()),
        failures: 3,
        ..begin(first.life.clone())
    };
    let second = EnforcementRow { secret: "another".into(), life, ..first.clone() };
    assert!(enforcements::update(tx, &second).await?);
    assert!(!enforcements::update(tx, &second).await?, "it was read before it changed");
    let second = EnforcementRow { turn: 1, ..second };
    assert_eq!(enforcements::of_node(tx, node).await?, std::slice::from_ref(&second));
    assert!(!enforcements::forget(tx, &first).await?);
    assert!(enforcements::forget(tx, &second).await?);
    assert_eq!(enforcements::of_node(tx, node).await?, []);
    Ok(())
}

async fn what_is_due_is_found_by_its_time(tx: &mut Tx) -> Result<(), StoreError> {
    let both = [enroll(tx, 1).await?, enroll(tx, 2).await?];
    let later = |zone: &str, after: i64| {
        let mut row = row(both[0], zone);
        row.life.next_try = NOW + Span::seconds(after);
        row
    };
    for one in [later("a", 2), later("b", 1), later("c", 3), row(both[1], "d")] {
        assert!(enforcements::insert(tx, &one).await?);
    }
    let zones = |rows: Vec<EnforcementRow>| rows.into_iter().map(|row| row.zone).collect::<Vec<_>>();
    assert_eq!(zones(enforcements::due(tx, NOW + Span::seconds(2), 0, 9).await?), ["d", "b", "a"]);
    assert_eq!(zones(enforcements::due(tx, NOW + Span::seconds(2), 0, 2).await?), ["d", "b"]);
    assert_eq!(zones(enforcements::due(tx, NOW + Span::seconds(2), 2, 2).await?), ["a"]);
    assert_eq!(enforcements::hurry(tx, OTHER_ORG, "edge", NOW).await?, 0);
    assert_eq!(enforcements::hurry(tx, DEFAULT_ORG, "edge", NOW).await?, 4);
    assert_eq!(enforcements::due(tx, NOW, 0, 9).await?.len(), 4);
    assert_eq!(enforcements::nodes_between(tx, both[0], both[0]).await?, [both[0]]);
    let mut all = enforcements::nodes_between(tx, both[0], both[1]).await?;
    all.sort_unstable();
    assert_eq!(all, both);
    Ok(())
}

async fn all_nodes_are_read_with_what_is_meant_for_them(tx: &mut Tx) -> Result<(), StoreError> {
    let mut expected = Vec::new();
    for number in 1..=3 {
        let node = enroll(tx, number).await?;
        let (site, site_revision, node_revision) = (None, 0, 0);
        let (org, org_revision, changed_at) = (DEFAULT_ORG, 1, NOW);
        let generation = 1;
        let pins = PinsRow { node, org, site, generation, org_revision, site_revision, node_revision, changed_at };
        pins::put(tx, &pins).await?;
        expected.push((pins, number == 2));
    }
    nodes::revoke(tx, DEFAULT_ORG, id(2), NOW).await?;
    assert_eq!(pins::all(tx, None, 2).await?, expected[..2]);
    assert_eq!(pins::all(tx, Some(id(2)), 9).await?, expected[2..]);
    assert_eq!(pins::with_end(tx, id(2)).await?.as_ref(), Some(&expected[1]));
    assert_eq!(pins::with_end(tx, id(9)).await?, None);
    Ok(())
}
