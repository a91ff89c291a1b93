//! Nodes.

use sortie_rules::arrivals::Kept;
use sortie_rules::clocks::ClockState;
use sortie_rules::ids::DEFAULT_ORG;
use sortie_rules::liveness::{self, ChosenThresholds, Presence};
use sortie_rules::proofs::Proof;
use sortie_rules::time::{Millis, Span};
use sortie_store::nodes::{
    EndingRow, HostRow, LineRow, NodeCounts, NodeFilter, NodeIntent, NodeRow, Numbered, PresenceRow,
};
use sortie_store::sites::SiteRow;
use sortie_store::{Store, StoreError, Tx, nodes, sites};

use crate::setup::{NOW, OTHER_ORG, enroll, id, labels, node, store_stories, stories};

stories!(
    a_node_is_read_back_as_it_enrolled,
    a_node_is_seen_by_its_org_only,
    nodes_are_listed_by_name_page_by_page,
    what_selectors_look_at_is_read_of_many_at_once,
    a_list_of_nodes_is_narrowed_by_each_part_of_its_filter,
    labels_are_found_exactly,
    people_change_what_is_intended_and_nothing_else,
    guests_are_found_by_their_host,
    a_new_key_begins_a_new_line,
    a_certificate_and_facts_are_noted,
    of_each_certificate_that_ends_it_is_told_once,
    a_node_is_shut_out_once_and_by_its_org,
    a_node_is_quarantined_once_and_readmitted_by_its_org,
    proof_and_clock_are_noted,
    the_line_is_kept,
    a_line_arrives_where_nobody_was_quicker,
    presence_is_noted_and_read_at_start,
    signs_of_life_never_move_back,
    an_absence_of_the_hub_is_skipped_as_the_rules_say,
    silence_goes_on_for_as_long_as_it_was_when_the_clock_is_put_elsewhere,
    nodes_are_counted_by_where_they_stand,
    nodes_at_a_site_are_counted_and_the_revoked_among_them,
);

async fn a_node_is_read_back_as_it_enrolled(tx: &mut Tx) -> Result<(), StoreError> {
    sites::upsert(tx, &SiteRow { org: DEFAULT_ORG, key: "north".into(), name: "North".into(), created_at: NOW })
        .await?;
    let enrolled = NodeRow {
        site: Some("north".into()),
        labels: labels(&[("ring", "first"), ("role", "a \"quoted\" one")]),
        presence: Presence::Online,
        heard_at: Some(NOW),
        delivered: 9,
        acknowledged: 8,
        facts: Some(r#"{"cpus":8}"#.into()),
        stale_after: Some(Span::minutes(5)),
        down_after: Some(Span::minutes(9)),
        ..node(1)
    };
    nodes::insert(tx, &enrolled).await?;
    assert_eq!(nodes::get(tx, DEFAULT_ORG, id(1)).await?, Some(enrolled.clone()));
    assert_eq!(nodes::get_any_org(tx, id(1)).await?, Some(enrolled.clone()));
    assert_eq!(nodes::get_by_name(tx, DEFAULT_ORG, "node-1").await?, Some(enrolled));
    nodes::insert(tx, &node(2)).await?;
    assert_eq!(nodes::get_any_org(tx, id(2)).await?, Some(node(2)));
    Ok(())
}

async fn a_node_is_seen_by_its_org_only(tx: &mut Tx) -> Result<(), StoreError> {
    enroll(tx, 1).await?;
    nodes::insert(tx, &NodeRow { org: OTHER_ORG, name: "node-1".into(), ..node(2) }).await?;
    assert_eq!(nodes::get(tx, OTHER_ORG, id(1)).await?, None);
    assert_eq!(nodes::get_by_name(tx, OTHER_ORG, "node-1").await?.map(|node| node.id), Some(id(2)));
    assert_eq!(nodes::list(tx, OTHER_ORG, &NodeFilter::default(), None, 10).await?.len(), 1);
    assert_eq!(nodes::count(tx, OTHER_ORG).await?, 1);
    assert_eq!(nodes::count(tx, id(99)).await?, 0);
    Ok(())
}

async fn names(tx: &mut Tx, filter: NodeFilter) -> Result<Vec<String>, StoreError> {
    let rows = nodes::list(tx, DEFAULT_ORG, &filter, None, 100).await?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}

async fn nodes_are_listed_by_name_page_by_page(tx: &mut Tx) -> Result<(), StoreError> {
    for number in [12, 2, 1, 11] {
        enroll(tx, number).await?;
    }
    let all = NodeFilter::default();
    let first = nodes::list(tx, DEFAULT_ORG, &all, None, 3).await?;
    assert_eq!(first.iter().map(|n| &*n.name).collect::<Vec<_>>(), ["node-1", "node-11", "node-12"]);
    let second = nodes::list(tx, DEFAULT_ORG, &all, Some("node-12"), 3).await?;
    assert_eq!(second.iter().map(|n| &*n.name).collect::<Vec<_>>(), ["node-2"]);
    Ok(())
}

async fn a_list_of_nodes_is_narrowed_by_each_part_of_its_filter(tx: &mut Tx) -> Result<(), StoreError> {
    sites::upsert(tx, &SiteRow { org: DEFAULT_ORG, key: "north".into(), name: "North".into(), created_at: NOW })
        .await?;
    nodes::insert(tx, &NodeRow { name: "a1".into(), site: Some("north".into()), ..node(1) }).await?;
    nodes::insert(tx, &NodeRow { name: "a2".into(), kind: "gpu".into(), ..node(2) }).await?;
    nodes::insert(tx, &NodeRow { name: "b1".into(), labels: labels(&[("ring", "1")]), ..node(3) }).await?;
    nodes::set_presence(tx, &[(id(3), Presence::Online)], NOW).await?;
    let any = NodeFilter::default();
    assert_eq!(names(tx, NodeFilter { site: Some("north".into()), ..any.clone() }).await?, ["a1"]);
    assert_eq!(names(tx, NodeFilter { kind: Some("gpu".into()), ..any.clone() }).await?, ["a2"]);
    assert_eq!(names(tx, NodeFilter { presence: Some(Presence::Online), ..any.clone() }).await?, ["b1"]);
    assert_eq!(names(tx, NodeFilter { label: vec![("ring".into(), "1".into())], ..any.clone() }).await?, ["b1"]);
    assert_eq!(names(tx, NodeFilter { name_prefix: Some("a".into()), ..any.clone() }).await?, ["a1", "a2"]);
    let both = NodeFilter { name_prefix: Some("a".into()), kind: Some("gpu".into()), ..any };
    assert_eq!(names(tx, both).await?, ["a2"]);
    Ok(())
}

async fn labels_are_found_exactly(tx: &mut Tx) -> Result<(), StoreError> {
    let stored: [&[(&str, &str)]; 6] = [
        &[("a", "1"), ("b", "2"), ("c", "3")],
        &[("a", "10"), ("c", "3")],
        &[("a", "x\",\"b\":\"2")],
        &[("a", "100%"), ("b", "a_b")],
        &[("a", "100 of 100"), ("b", "axb")],
        &[("a", "First"), ("b", "back\\slash!")],
    ];
    for (number, pairs) in (0..).zip(stored) {
        nodes::insert(tx, &NodeRow { labels: labels(pairs), ..node(number) }).await?;
    }
    type Pairs = &'static [(&'static str, &'static str)];
    let found: [(Pairs, &[&str]); 9] = [
        (&[("a", "1")], &["node-0"]),
        (&[("c", "3"), ("a", "1")], &["node-0"]),
        (&[("c", "3")], &["node-0", "node-1"]),
        (&[("b", "2")], &["node-0"]),
        (&[("a", "100%")], &["node-3"]),
        (&[("b", "a_b")], &["node-3"]),
        (&[("a", "first")], &[]),
        (&[("b", "back\\slash!")], &["node-5"]),
        (&[("a", "1"), ("a", "10")], &[]),
    ];
    for (wanted, expected) in found {
        let label = wanted.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        assert_eq!(names(tx, NodeFilter { label, ..NodeFilter::default() }).await?, expected, "{wanted:?}");
    }
    Ok(())
}

async fn what_selectors_look_at_is_read_of_many_at_once(tx: &mut Tx) -> Result<(), StoreError> {
    for number in 1..=3 {
        nodes::insert(tx, &NodeRow { labels: labels(&[("ring", "first")]), ..node(number) }).await?;
    }
    nodes::revoke(tx, DEFAULT_ORG, id(2), NOW).await?;
    let mut found = nodes::all_for_selection(tx, &[id(2), id(1), id(9)]).await?;
    found.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    let names: Vec<_> = found.iter().map(|one| (one.id, one.name.as_str(), one.is_revoked)).collect();
    assert_eq!(names, [(id(1), "node-1", false), (id(2), "node-2", true)]);
    assert_eq!((&found[0].labels, found[0].kind.as_str()), (&labels(&[("ring", "first")]), "host"));
    assert_eq!(nodes::all_for_selection(tx, &[]).await?, []);
    Ok(())
}

async fn people_change_what_is_intended_and_nothing_else(tx: &mut Tx) -> Result<(), StoreError> {
    enroll(tx, 1).await?;
    enroll(tx, 2).await?;
    let intent = NodeIntent {
        site: None,
        host: Some(id(2)),
        kind: "gpu".into(),
        labels: labels(&[("ring", "2")]),
        stale_after: Some(Span::minutes(1)),
        down_after: Some(Span::minutes(2)),
    };
    assert!(!nodes::set_intent(tx, OTHER_ORG, id(1), &intent).await?);
    assert!(nodes::set_intent(tx, DEFAULT_ORG, id(1), &intent).await?);
    let expected = NodeRow {
        host: Some(HostRow { id: id(2), name: "node-2".into(), is_revoked: false }),
        kind: "gpu".into(),
        labels: labels(&[("ring", "2")]),
        stale_after: Some(Span::minutes(1)),
        down_after: Some(Span::minutes(2)),
        ..node(1)
    };
    assert_eq!(nodes::get_any_org(tx, id(1)).await?, Some(expected));
    Ok(())
}

async fn guests_are_found_by_their_host(tx: &mut Tx) -> Result<(), StoreError> {
    for number in 1..=2 {
        enroll(tx, number).await?;
    }
    let host = |number: u128| Some(HostRow { id: id(number), name: format!("node-{number}"), is_revoked: false });
    for (number, on) in [(3, 1), (5, 1), (4, 1), (6, 2)] {
        nodes::insert(tx, &NodeRow { host: host(on), ..node(number) }).await?;
    }
    nodes::hold(tx, DEFAULT_ORG, &[id(3), id(1)]).await?;
    assert_eq!(nodes::guests(tx, DEFAULT_ORG, id(1), 9).await?, ["node-3", "node-4", "node-5"]);
    assert_eq!(nodes::guests(tx, DEFAULT_ORG, id(1), 1).await?, ["node-3"]);
    assert!(nodes::guests(tx, DEFAULT_ORG, id(3), 9).await?.is_empty());
    assert!(nodes::guests(tx, OTHER_ORG, id(1), 9).await?.is_empty());
    assert_eq!(names(tx, NodeFilter { host: Some(id(2)), ..NodeFilter::default() }).await?, ["node-6"]);
    nodes::revoke(tx, DEFAULT_ORG, id(2), NOW).await?;
    let on = nodes::get(tx, DEFAULT_ORG, id(6)).await?.and_then(|guest| guest.host);
    assert_eq!(on, Some(HostRow { is_revoked: true, ..host(2).unwrap() }));
    Ok(())
}

async fn a_new_key_begins_a_new_line(tx: &mut Tx) -> Result<(), StoreError> {
    enroll(tx, 1).await?;
    assert!(nodes::set_line(tx, numbered(0, 5, 4)).await?);
    nodes::set_presence(tx, &[(id(1), Presence::Online)], NOW).await?;
    nodes::revoke(tx, DEFAULT_ORG, id(1), NOW).await?;
    let later = NOW + Span::days(1);
    assert!(nodes::replace_key(tx, id(1), "key-b", later + Span::days(30), later).await?);
    let expected = NodeRow {
        key_fingerprint: "key-b".into(),
        certificate_until: later + Span::days(30),
        enrolled_at: later,
        presence_at: later,
        silent_since: later,
        ..node(1)
    };
    assert_eq!(expected.presence, Presence::New, "nobody has heard the new agent yet");
    assert_eq!(nodes::get_any_org(tx, id(1)).await?, Some(expected));
    assert_eq!(kept(tx).await?, Kept { arrivals: 1, ..Kept::default() });
    assert!(!nodes::set_line(tx, numbered(0, 6, 5)).await?, "whoever had the old line has not got the new one");
    assert!(!nodes::replace_key(tx, id(2), "key-c", later, later).await?);
    Ok(())
}

async fn a_certificate_and_facts_are_noted(tx: &mut Tx) -> Result<(), StoreError> {
    enroll(tx, 1).await?;
    nodes::set_certificate(tx, id(1), Millis(7)).await?;
    nodes::set_facts(tx, id(1), "{}").await?;
    nodes::set_facts(tx, id(1), r#"{"os":"linux"}"#).await?;
    let expected = NodeRow { certificate_until: Millis(7), facts: Some(r#"{"os":"linux"}"#.into()), ..node(1) };
    assert_eq!(nodes::get_any_org(tx, id(1)).await?, Some(expected));
    Ok(())
}

async fn of_each_certificate_that_ends_it_is_told_once(tx: &mut Tx) -> Result<(), StoreError> {
    let (near, far) = (NOW + Span::days(1), NOW + Span::days(30));
    for (number, key, until) in [(1, "a", near), (2, "b", far), (3, "key:c", NOW), (4, "d", near)] {
        let plain = node(number);
        nodes::insert(tx, &NodeRow { key_fingerprint: key.into(), certificate_until: until, ..plain }).await?;
    }
    assert!(nodes::revoke(tx, DEFAULT_ORG, id(4), NOW).await?);
    let before = NOW + Span::days(7);
    let found = nodes::certificates_ending(tx, before, 9).await?;
    let expected =
        |number, until, has_certificate| EndingRow { id: id(number), org: DEFAULT_ORG, until, has_certificate };
    assert_eq!(found, [expected(3, NOW, false), expected(1, near, true)]);
    assert_eq!(nodes::certificates_ending(tx, before, 1).await?, found[..1]);
    assert_eq!(nodes::set_certificate_told(tx, &found).await?, [true, true]);
    assert_eq!(nodes::set_certificate_told(tx, &found).await?, [false, false]);
    assert_eq!(nodes::certificates_ending(tx, before, 9).await?, []);
    nodes::set_certificate(tx, id(1), NOW + Span::days(2)).await?;
    assert_eq!(nodes::set_certificate_told(tx, &found).await?, [false, false], "it has another one");
    assert_eq!(nodes::certificates_ending(tx, before, 9).await?.len(), 1, "which ends soon, too");
    Ok(())
}

async fn a_node_is_shut_out_once_and_by_its_org(tx: &mut Tx) -> Result<(), StoreError> {
    enroll(tx, 1).await?;
    assert!(!nodes::revoke(tx, OTHER_ORG, id(1), NOW).await?);
    assert!(nodes::revoke(tx, DEFAULT_ORG, id(1), NOW).await?);
    assert!(!nodes::revoke(tx, DEFAULT_ORG, id(1), Millis(1)).await?);
    assert_eq!(nodes::get_any_org(tx, id(1)).await?.and_then(|node| node.revoked_at), Some(NOW));
    Ok(())
}

async fn a_node_is_quarantined_once_and_readmitted_by_its_org(tx: &mut Tx) -> Result<(), StoreError> {
    enroll(tx, 1).await?;
    let arrived = Kept { arrivals: 1, boot: Some((id(7), 3)), acknowledged: 4, delivered: 5 };
    assert!(nodes::arrive(tx, id(1), Kept::default(), arrived).await?);
    assert!(!nodes::readmit(tx, DEFAULT_ORG, id(1)).await?);
    assert!(nodes::quarantine(tx, id(1), NOW).await?);
    assert!(!nodes::quarantine(tx, id(1), Millis(1)).await?);
    assert_eq!(nodes::get_any_org(tx, id(1)).await?.and_then(|node| node.quarantined_at), Some(NOW));
    assert!(!nodes::readmit(tx, OTHER_ORG, id(1)).await?);
    assert!(nodes::line(tx, id(1)).await?.is_some_and(|line| line.is_shut_out && line.kept == arrived));
    assert!(nodes::readmit(tx, DEFAULT_ORG, id(1)).await?);
    assert_eq!(nodes::get_any_org(tx, id(1)).await?.and_then(|node| node.quarantined_at), None);
    let begun_anew = Kept { arrivals: 2, boot: None, acknowledged: 0, delivered: 5 };
    assert_eq!(kept(tx).await?, begun_anew, "whatever comes next is in order");
    nodes::revoke(tx, DEFAULT_ORG, id(1), NOW).await?;
    assert!(nodes::line(tx, id(1)).await?.is_some_and(|line| line.is_shut_out));
    assert!(!nodes::quarantine(tx, id(1), NOW).await?);
    Ok(())
}

async fn proof_and_clock_are_noted(tx: &mut Tx) -> Result<(), StoreError> {
    enroll(tx, 1).await?;
    nodes::set_proof(tx, id(1), Proof::Assertion).await?;
    nodes::set_clock(tx, id(1), ClockState::Skewed, -90_000).await?;
    let noted = nodes::get_any_org(tx, id(1)).await?.map(|node| (node.proof, node.clock, node.clock_skew_ms));
    assert_eq!(noted, Some((Some(Proof::Assertion), Some(ClockState::Skewed), Some(-90_000))));
    Ok(())
}

async fn the_line_is_kept(tx: &mut Tx) -> Result<(), StoreError> {
    enroll(tx, 1).await?;
    let fresh = LineRow { kept: Kept::default(), key_fingerprint: node(1).key_fingerprint, is_shut_out: false };
    assert_eq!(nodes::line(tx, id(1)).await?, Some(fresh));
    assert!(nodes::set_line(tx, numbered(0, 12, 11)).await?);
    assert_eq!(kept(tx).await?, Kept { acknowledged: 11, delivered: 12, ..Kept::default() });
    for number in [11, 12] {
        assert!(!nodes::set_line(tx, numbered(0, number, 10)).await?, "{number} was given already");
    }
    assert!(!nodes::set_line(tx, numbered(1, 13, 12)).await?, "it is not there");
    assert_eq!(nodes::line(tx, id(2)).await?, None);
    Ok(())
}

async fn a_line_arrives_where_nobody_was_quicker(tx: &mut Tx) -> Result<(), StoreError> {
    enroll(tx, 1).await?;
    let first = Kept { arrivals: 1, boot: Some((id(7), 1)), acknowledged: 0, delivered: 0 };
    assert!(nodes::arrive(tx, id(1), Kept::default(), first).await?);
    assert!(!nodes::arrive(tx, id(1), Kept::default(), first).await?, "somebody has been there since");
    assert_eq!(kept(tx).await?, first);
    assert!(nodes::set_line(tx, numbered(1, 1, 0)).await?);
    let second = Kept { arrivals: 2, boot: Some((id(7), 4)), acknowledged: 0, delivered: 0 };
    assert!(!nodes::arrive(tx, id(1), first, second).await?, "something was handed out meanwhile");
    let (now, second) = (kept(tx).await?, Kept { acknowledged: 1, delivered: 1, ..second });
    assert!(nodes::arrive(tx, id(1), now, second).await?);
    assert_eq!(kept(tx).await?, second);
    assert!(!nodes::set_line(tx, numbered(1, 2, 1)).await?, "it has gone from there");
    assert!(nodes::set_line(tx, numbered(2, 2, 1)).await?);
    Ok(())
}

/// The next delivery of the first node.
fn numbered(arrivals: u64, delivered: u64, acknowledged: u64) -> Numbered {
    Numbered { node: id(1), arrivals, delivered, acknowledged }
}

/// What is kept of the first node's line.
async fn kept(tx: &mut Tx) -> Result<Kept, StoreError> {
    Ok(nodes::line(tx, id(1)).await?.expect("it has enrolled").kept)
}

async fn presence_is_noted_and_read_at_start(tx: &mut Tx) -> Result<(), StoreError> {
    for number in [1, 2] {
        enroll(tx, number).await?;
    }
    nodes::insert(tx, &NodeRow { stale_after: Some(Span::minutes(1)), ..node(3) }).await?;
    nodes::set_presence(tx, &[(id(1), Presence::Online)], Millis(NOW.0 + 5)).await?;
    nodes::revoke(tx, DEFAULT_ORG, id(2), NOW).await?;
    let light = |number, presence, heard_at: Option<Millis>, revoked| PresenceRow {
        id: id(number),
        org: DEFAULT_ORG,
        presence,
        silent_since: heard_at.unwrap_or(NOW),
        heard_at,
        kind: "host".into(),
        chosen: ChosenThresholds { stale_after: (number == 3).then_some(Span::minutes(1)), down_after: None },
        revoked,
    };
    let first = nodes::presence_all(tx, None, 2).await?;
    let heard = Some(Millis(NOW.0 + 5));
    assert_eq!(first, [light(1, Presence::Online, heard, false), light(2, Presence::New, None, true)]);
    assert_eq!(nodes::presence_all(tx, Some(id(2)), 2).await?, [light(3, Presence::New, None, false)]);
    Ok(())
}

async fn signs_of_life_never_move_back(tx: &mut Tx) -> Result<(), StoreError> {
    nodes::insert(tx, &NodeRow { silent_since: Millis(10), ..node(1) }).await?;
    nodes::set_presence(tx, &[(id(1), Presence::Online)], Millis(10)).await?;
    nodes::flush_heard(tx, &[(id(1), Millis(100), Millis(120)), (id(9), Millis(1), Millis(1))]).await?;
    nodes::flush_heard(tx, &[(id(1), Millis(90), Millis(110))]).await?;
    let heard = nodes::get_any_org(tx, id(1)).await?.expect("it is there");
    assert_eq!((heard.heard_at, heard.silent_since), (Some(Millis(100)), Millis(120)));
    nodes::set_presence(tx, &[(id(1), Presence::Down)], Millis(7000)).await?;
    nodes::set_presence(tx, &[(id(1), Presence::Online)], Millis(8000)).await?;
    nodes::set_presence(tx, &[(id(1), Presence::Stale)], Millis(9000)).await?;
    let back = nodes::get_any_org(tx, id(1)).await?.expect("it is there");
    assert_eq!(back.silent_since, Millis(8000), "being there ends a silence, being called absent does not");
    Ok(())
}

async fn an_absence_of_the_hub_is_skipped_as_the_rules_say(tx: &mut Tx) -> Result<(), StoreError> {
    for (from, until) in [(50, 80), (80, 50), (50, 50)] {
        let (from, until) = (Millis(from), Millis(until));
        let silent_since = [10, 50, 60, 80, 90].map(Millis);
        for (number, since) in (0..).zip(silent_since) {
            let number = number + 10 * u128::try_from(from.0).unwrap() + u128::try_from(until.0).unwrap();
            let row = NodeRow { silent_since: since, ..node(number) };
            nodes::insert(tx, &row).await?;
        }
        let before = nodes::presence_all(tx, None, 100).await?;
        nodes::skip_absence(tx, from, until).await?;
        let after = nodes::presence_all(tx, None, 100).await?;
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(after.silent_since, liveness::skip_absence(before.silent_since, from, until));
        }
    }
    Ok(())
}

async fn silence_goes_on_for_as_long_as_it_was_when_the_clock_is_put_elsewhere(tx: &mut Tx) -> Result<(), StoreError> {
    for (number, since) in [(1, 100), (2, 900), (3, 1100)] {
        nodes::insert(tx, &NodeRow { silent_since: Millis(since), ..node(number) }).await?;
        nodes::flush_heard(tx, &[(id(number), Millis(since), Millis(since))]).await?;
    }
    let kept = async |tx: &mut Tx| {
        let rows = nodes::presence_all(tx, None, 10).await?;
        Ok::<_, StoreError>(rows.iter().map(|row| (row.silent_since.0, row.heard_at.map_or(0, |at| at.0))).collect())
    };
    // Forward by 1000, from 1000 on. What was written of a later moment is of now.
    nodes::move_silence(tx, 1000, Millis(2000)).await?;
    let forward: Vec<(i64, i64)> = kept(tx).await?;
    assert_eq!(forward, [(1100, 100), (1900, 900), (2000, 1100)]);
    nodes::move_silence(tx, -1000, Millis(1000)).await?;
    let back: Vec<(i64, i64)> = kept(tx).await?;
    assert_eq!(back, [(100, 100), (900, 900), (1000, 100)]);
    Ok(())
}

mod taken {
    use super::*;
    store_stories!(two_nodes_of_an_org_cannot_share_a_name_or_an_id);

    async fn two_nodes_of_an_org_cannot_share_a_name_or_an_id(store: Store) {
        store.write(|tx| Box::pin(async move { enroll(tx, 1).await })).await.unwrap();
        let same_name = NodeRow { name: "node-1".into(), ..node(2) };
        let same_id = NodeRow { name: "node-2".into(), ..node(1) };
        for (row, key) in [(same_name, nodes::NAME_TAKEN), (same_id, nodes::ID_TAKEN)] {
            let refused = store.write(move |tx| Box::pin(async move { nodes::insert(tx, &row).await })).await;
            assert!(refused.unwrap_err().is_taken(key));
        }
    }
}

async fn nodes_at_a_site_are_counted_and_the_revoked_among_them(tx: &mut Tx) -> Result<(), StoreError> {
    sites::upsert(tx, &SiteRow { org: DEFAULT_ORG, key: "north".into(), name: "North".into(), created_at: NOW })
        .await?;
    assert_eq!(nodes::count_at_site(tx, DEFAULT_ORG, "north").await?, (0, 0));
    for number in [1, 2, 3] {
        nodes::insert(tx, &NodeRow { site: Some("north".into()), ..node(number) }).await?;
    }
    enroll(tx, 4).await?;
    nodes::revoke(tx, DEFAULT_ORG, id(2), NOW).await?;
    assert_eq!(nodes::count_at_site(tx, DEFAULT_ORG, "north").await?, (3, 1));
    assert_eq!(nodes::count_at_site(tx, OTHER_ORG, "north").await?, (0, 0));
    Ok(())
}

async fn nodes_are_counted_by_where_they_stand(tx: &mut Tx) -> Result<(), StoreError> {
    assert_eq!(nodes::counts(tx, DEFAULT_ORG).await?, NodeCounts::default());
    for (number, presence) in [
        (1, Presence::New),
        (2, Presence::Online),
        (3, Presence::Online),
        (4, Presence::Stale),
        (5, Presence::Down),
        (6, Presence::Down),
        (7, Presence::Down),
        (8, Presence::Online),
    ] {
        enroll(tx, number).await?;
        let is_news = presence != Presence::New;
        assert_eq!(nodes::set_presence(tx, &[(id(number), presence)], NOW).await?, [is_news]);
    }
    nodes::insert(tx, &NodeRow { org: OTHER_ORG, ..node(9) }).await?;
    nodes::set_presence(tx, &[(id(9), Presence::Down)], NOW).await?;
    for number in [2, 6, 9] {
        nodes::set_clock(tx, id(number), ClockState::Skewed, 200_000).await?;
    }
    nodes::set_clock(tx, id(3), ClockState::Ok, 1).await?;
    // One that was shut out, or is in quarantine, is that and nothing else.
    assert!(nodes::revoke(tx, DEFAULT_ORG, id(6), NOW).await?);
    let said = nodes::set_presence(tx, &[(id(6), Presence::Down), (id(5), Presence::Down)], NOW).await?;
    assert_eq!(said, [false, false], "that the other is down was said before");
    let said = nodes::set_presence(tx, &[(id(6), Presence::Online), (id(5), Presence::Online)], NOW).await?;
    assert_eq!(said, [false, true]);
    let said = nodes::set_presence(tx, &[(id(5), Presence::Online)], NOW + Span::minutes(1)).await?;
    assert_eq!(said, [false], "of two hubs one tells of it");
    assert_eq!(nodes::set_presence(tx, &[(id(5), Presence::Down)], NOW).await?, [true]);
    nodes::quarantine(tx, id(6), NOW).await?;
    assert!(nodes::quarantine(tx, id(7), NOW).await?);
    assert!(nodes::quarantine(tx, id(8), NOW).await?);
    let counts = nodes::counts(tx, DEFAULT_ORG).await?;
    assert_eq!(counts, NodeCounts { all: 8, revoked: 1, quarantined: 2, new: 1, stale: 1, down: 1, skewed: 1 });
    assert_eq!(counts.online(), 2);
    let elsewhere = nodes::counts(tx, OTHER_ORG).await?;
    assert_eq!(elsewhere, NodeCounts { all: 1, down: 1, skewed: 1, ..NodeCounts::default() });
    assert_eq!(elsewhere.online(), 0);
    Ok(())
}
