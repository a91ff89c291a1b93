//! Which of the hub's keys each node knows.

use sortie_rules::time::Millis;
use sortie_store::node_keys::{self, FollowerRow, Needed};
use sortie_store::nodes::NodeRow;
use sortie_store::{StoreError, Tx, nodes};

use sortie_rules::ids::DEFAULT_ORG;

use crate::setup::{NOW, OTHER_ORG, enroll, node, stories};

stories!(
    nodes_that_lag_are_found_the_most_silent_first,
    what_a_node_knows_is_shown_with_it_and_changes,
    nodes_that_follow_no_keys_lag_behind_none,
    the_laggards_of_an_org_are_counted,
    of_each_that_lags_it_is_told_once,
);

async fn of_each_that_lags_it_is_told_once(tx: &mut Tx) -> Result<(), StoreError> {
    let (one, two) = (enroll(tx, 1).await?, enroll(tx, 2).await?);
    let trust =
        nodes::insert(tx, &NodeRow { key_fingerprint: "key:3".into(), ..node(3) }).await.map(|()| node(3).id)?;
    for (node, version) in [(one, 1), (two, 2), (trust, 1)] {
        node_keys::put(tx, node, version, "").await?;
    }
    let lagging = node_keys::lagging_untold(tx, 2, 9).await?;
    assert_eq!(lagging, [FollowerRow { node: one, org: DEFAULT_ORG, keys_version: 1 }]);
    assert_eq!(node_keys::told_and_known(tx, 2, 9).await?, []);
    assert_eq!(node_keys::set_lag_told(tx, &[one], true).await?, [true]);
    assert_eq!(node_keys::set_lag_told(tx, &[one, two], true).await?, [false, true]);
    assert_eq!(node_keys::lagging_untold(tx, 3, 9).await?, []);
    let known: Vec<_> = node_keys::told_and_known(tx, 2, 9).await?.into_iter().map(|row| row.node).collect();
    assert_eq!(known, [two]);
    assert_eq!(node_keys::set_lag_told(tx, &[two], false).await?, [true]);
    Ok(())
}

async fn nodes_that_lag_are_found_the_most_silent_first(tx: &mut Tx) -> Result<(), StoreError> {
    let (one, two, three) = (enroll(tx, 1).await?, enroll(tx, 2).await?, enroll(tx, 3).await?);
    for (node, version, issued_by) in [(one, 1, "a"), (two, 2, "a"), (three, 3, "b")] {
        node_keys::put(tx, node, version, issued_by).await?;
    }
    nodes::flush_heard(tx, &[(one, Millis(50), Millis(50)), (two, Millis(40), Millis(40))]).await?;
    let names = async |tx: &mut Tx, needed, limit| -> Result<Vec<String>, StoreError> {
        Ok(node_keys::laggards(tx, needed, limit).await?.into_iter().map(|row| row.name).collect())
    };
    let needed = |version, issuer| Needed { version, issuer };
    assert_eq!(names(tx, needed(1, None), 9).await?, Vec::<String>::new());
    assert_eq!(names(tx, needed(3, None), 9).await?, ["node-2", "node-1"]);
    assert_eq!(names(tx, needed(3, None), 1).await?, ["node-2"]);
    assert_eq!(names(tx, needed(1, Some("a")), 9).await?, ["node-3"]);
    assert_eq!(node_keys::count_laggards(tx, needed(3, Some("b"))).await?, 2);
    let found = node_keys::laggards(tx, needed(2, None), 9).await?.remove(0);
    assert_eq!((found.id, found.org, found.keys_version, found.issued_by.as_str()), (one, DEFAULT_ORG, 1, "a"));
    assert_eq!(found.heard_at, Some(Millis(50)));
    Ok(())
}

async fn what_a_node_knows_is_shown_with_it_and_changes(tx: &mut Tx) -> Result<(), StoreError> {
    let node = enroll(tx, 1).await?;
    let shown =
        async |tx: &mut Tx| Ok::<_, StoreError>(nodes::get(tx, DEFAULT_ORG, node).await?.expect("there").keys_version);
    assert_eq!(shown(tx).await?, None);
    node_keys::put(tx, node, 3, "a").await?;
    assert_eq!(shown(tx).await?, Some(3));
    node_keys::set(tx, node, 4, "b").await?;
    assert_eq!(shown(tx).await?, Some(4));
    assert_eq!(node_keys::count_laggards(tx, Needed { version: 4, issuer: Some("b") }).await?, 0);
    node_keys::put(tx, node, 1, "a").await?;
    assert_eq!(node_keys::count_laggards(tx, Needed { version: 4, issuer: Some("b") }).await?, 1);
    assert_eq!(node_keys::count_followers(tx).await?, (1, 1));
    assert_eq!(node_keys::ahead_of(tx, 0, 9).await?.len(), 1);
    assert_eq!(node_keys::ahead_of(tx, 0, 0).await?, []);
    assert_eq!(node_keys::ahead_of(tx, 1, 9).await?, []);
    Ok(())
}

async fn nodes_that_follow_no_keys_lag_behind_none(tx: &mut Tx) -> Result<(), StoreError> {
    let (revoked, keyed, _none) = (enroll(tx, 1).await?, enroll(tx, 2).await?, enroll(tx, 3).await?);
    for node in [revoked, keyed] {
        node_keys::put(tx, node, 1, "a").await?;
    }
    nodes::revoke(tx, DEFAULT_ORG, revoked, NOW).await?;
    let former = nodes::get_any_org(tx, keyed).await?.expect("it is there").key_fingerprint;
    nodes::set_key(tx, keyed, &former, "key:9").await?;
    assert_eq!(node_keys::count_laggards(tx, Needed { version: 9, issuer: Some("b") }).await?, 0);
    assert_eq!(node_keys::count_followers(tx).await?, (0, 0));
    Ok(())
}

async fn the_laggards_of_an_org_are_counted(tx: &mut Tx) -> Result<(), StoreError> {
    for (number, version, issued_by) in [(1, 1, "a"), (2, 2, "a"), (3, 3, "b"), (4, 3, "c"), (5, 1, "b")] {
        let node = enroll(tx, number).await?;
        node_keys::put(tx, node, version, issued_by).await?;
    }
    let elsewhere = NodeRow { org: OTHER_ORG, ..node(6) };
    nodes::insert(tx, &elsewhere).await?;
    node_keys::put(tx, elsewhere.id, 1, "a").await?;
    let lag = async |tx: &mut Tx, org, version, issuer, limit| {
        node_keys::count_laggards_of_org(tx, org, Needed { version, issuer }, limit).await
    };
    assert_eq!(lag(tx, DEFAULT_ORG, 1, None, 9).await?, 0);
    assert_eq!(lag(tx, DEFAULT_ORG, 3, None, 9).await?, 3);
    assert_eq!(lag(tx, DEFAULT_ORG, 3, Some("b"), 9).await?, 4, "each counts once");
    assert_eq!(lag(tx, DEFAULT_ORG, 1, Some("b"), 9).await?, 3);
    assert_eq!(lag(tx, DEFAULT_ORG, 3, Some("b"), 2).await?, 2, "it is counted so far");
    assert_eq!(lag(tx, OTHER_ORG, 2, None, 9).await?, 1);
    nodes::revoke(tx, DEFAULT_ORG, crate::setup::id(1), NOW).await?;
    assert_eq!(lag(tx, DEFAULT_ORG, 3, None, 9).await?, 2);
    Ok(())
}
