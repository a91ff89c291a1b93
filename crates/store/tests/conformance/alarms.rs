//! Alarms, and what orgs say of their rules.

use sortie_rules::alarms::{Alarm, AlarmState, Severity};
use sortie_rules::ids::{AlarmId, DEFAULT_ORG, NodeId};
use sortie_rules::time::{Millis, Span};
use sortie_store::alarm_rules::{self, AlarmRuleRow};
use sortie_store::alarms::{self, AlarmFilter, AlarmKey, AlarmRow};
use sortie_store::{StoreError, Tx};

use crate::setup::{NOW, OTHER_ORG, id, stories};

stories!(
    an_alarm_is_changed_by_whoever_has_read_it,
    what_is_live_is_found_by_what_it_is_of,
    what_time_changes_is_found_by_when,
    what_time_changes_moves_with_the_clock,
    what_another_rule_has_judged_is_found_rule_by_rule,
    lists_are_newest_first_and_narrowed,
    what_was_over_long_ago_goes,
    an_org_says_what_it_likes_of_rules,
);

fn key(node: Option<NodeId>, rule: &str, subject: &str) -> AlarmKey {
    AlarmKey { org: DEFAULT_ORG, rule: rule.into(), node, subject: subject.into() }
}

pub(crate) fn open(number: u128, key: AlarmKey) -> AlarmRow {
    let life = Alarm { state: AlarmState::Open { over_at: None }, began_at: NOW, seen_at: NOW, seen: 1 };
    AlarmRow {
        id: id(number),
        key,
        judged_by: "0123456789abcdef".into(),
        severity: Severity::Warning,
        life,
        opened_at: Some(NOW),
        resolved_at: None,
        summary: "It is so.".into(),
        data: "{}".into(),
        turn: 0,
    }
}

fn pending(number: u128, key: AlarmKey, open_at: Millis) -> AlarmRow {
    let row = open(number, key);
    AlarmRow { opened_at: None, life: Alarm { state: AlarmState::Pending { open_at }, ..row.life }, ..row }
}

fn over(row: AlarmRow, at: Millis) -> AlarmRow {
    AlarmRow { resolved_at: Some(at), life: Alarm { state: AlarmState::Resolved, ..row.life }, ..row }
}

fn numbers(rows: &[AlarmRow]) -> Vec<u128> {
    let mut numbers: Vec<u128> = rows.iter().map(|row| row.id.uuid().as_u128()).collect();
    numbers.sort_unstable();
    numbers
}

async fn an_alarm_is_changed_by_whoever_has_read_it(tx: &mut Tx) -> Result<(), StoreError> {
    let node: NodeId = id(1);
    let (first, second) = (open(1, key(Some(node), "a", "")), pending(2, key(None, "a", ""), NOW + Span::seconds(9)));
    alarms::insert_all(tx, &[]).await?;
    alarms::insert_all(tx, &[first.clone(), second.clone()]).await?;
    assert_eq!(alarms::get(tx, DEFAULT_ORG, first.id).await?.as_ref(), Some(&first));
    assert_eq!(alarms::get(tx, DEFAULT_ORG, second.id).await?.as_ref(), Some(&second));
    assert_eq!(alarms::get(tx, OTHER_ORG, first.id).await?, None);
    let ended = over(first.clone(), NOW + Span::seconds(5));
    let mut opened = second.clone();
    opened.life.state = AlarmState::Open { over_at: Some(NOW + Span::hours(1)) };
    (opened.life.seen, opened.life.seen_at, opened.opened_at) = (7, NOW + Span::seconds(8), Some(NOW));
    assert_eq!(alarms::change_all(tx, &[ended.clone(), opened.clone()]).await?, [true, true]);
    assert_eq!(alarms::change_all(tx, std::slice::from_ref(&ended)).await?, [false], "it was read before it changed");
    assert_eq!(alarms::change_all(tx, &[]).await?, [] as [bool; 0]);
    assert_eq!(alarms::get(tx, DEFAULT_ORG, first.id).await?, Some(AlarmRow { turn: 1, ..ended }));
    assert_eq!(alarms::get(tx, DEFAULT_ORG, second.id).await?, Some(AlarmRow { turn: 1, ..opened }));
    assert_eq!(alarms::forget_all(tx, &[(second.id, 1)]).await?, [false], "it stands");
    let third = pending(3, key(None, "b", ""), NOW);
    alarms::insert_all(tx, std::slice::from_ref(&third)).await?;
    assert_eq!(alarms::forget_all(tx, &[(third.id, 1)]).await?, [false], "it was another then");
    assert_eq!(alarms::forget_all(tx, &[(third.id, 0)]).await?, [true]);
    assert_eq!(alarms::forget_all(tx, &[]).await?, [] as [bool; 0]);
    assert_eq!(alarms::get(tx, DEFAULT_ORG, third.id).await?, None);
    Ok(())
}

async fn what_is_live_is_found_by_what_it_is_of(tx: &mut Tx) -> Result<(), StoreError> {
    let (one, other): (NodeId, NodeId) = (id(1), id(2));
    let keys = [
        key(Some(one), "a", ""),
        key(Some(one), "a", "nas"),
        key(Some(one), "b", ""),
        key(Some(other), "a", ""),
        key(None, "a", ""),
    ];
    let rows: Vec<AlarmRow> = (1..).zip(keys.clone()).map(|(number, key)| open(number, key)).collect();
    alarms::insert_all(tx, &rows).await?;
    alarms::insert_all(tx, &[over(open(9, keys[0].clone()), NOW)]).await?;
    assert_eq!(numbers(&alarms::live(tx, &keys).await?), [1, 2, 3, 4, 5]);
    assert_eq!(alarms::live(tx, &keys[1..2]).await?, rows[1..2]);
    assert_eq!(alarms::live(tx, &[key(None, "b", ""), key(Some(other), "a", "nas")]).await?, []);
    assert_eq!(alarms::live(tx, &[]).await?, []);
    let elsewhere = AlarmKey { org: OTHER_ORG, ..keys[0].clone() };
    assert_eq!(alarms::live(tx, &[elsewhere]).await?, []);
    assert_eq!(numbers(&alarms::live_of_nodes(tx, &[one, id(7)]).await?), [1, 2, 3]);
    assert_eq!(alarms::live_of_nodes(tx, &[]).await?, []);
    // What is over makes room for another.
    let ended = over(rows[0].clone(), NOW);
    assert_eq!(alarms::change_all(tx, &[ended]).await?, [true]);
    alarms::insert_all(tx, &[open(10, keys[0].clone())]).await?;
    assert_eq!(numbers(&alarms::live_of_nodes(tx, &[one]).await?), [2, 3, 10]);
    Ok(())
}

async fn what_time_changes_is_found_by_when(tx: &mut Tx) -> Result<(), StoreError> {
    let at = |seconds: i64| NOW + Span::seconds(seconds);
    let mut lasting = open(3, key(None, "c", ""));
    lasting.life.state = AlarmState::Open { over_at: Some(at(3)) };
    let rows = [
        pending(1, key(None, "a", ""), at(5)),
        pending(2, key(None, "b", ""), at(1)),
        lasting,
        open(4, key(None, "d", "")),
    ];
    alarms::insert_all(tx, &rows).await?;
    let due: Vec<AlarmId> = alarms::due(tx, at(3), 9).await?.iter().map(|row| row.id).collect();
    assert_eq!(due, [id(2), id(3)]);
    assert_eq!(alarms::due(tx, at(9), 1).await?, rows[1..2]);
    assert_eq!(alarms::due(tx, at(0), 9).await?, []);
    Ok(())
}

async fn what_time_changes_moves_with_the_clock(tx: &mut Tx) -> Result<(), StoreError> {
    let rows =
        [pending(1, key(None, "a", ""), NOW), open(2, key(None, "b", "")), over(open(3, key(None, "c", "")), NOW)];
    alarms::insert_all(tx, &rows).await?;
    assert_eq!(alarms::move_due(tx, Span::days(1).0).await?, 1);
    assert_eq!(alarms::due(tx, NOW + Span::hours(23), 10).await?, []);
    assert_eq!(numbers(&alarms::due(tx, NOW + Span::days(1), 10).await?), [1]);
    assert_eq!(alarms::change_all(tx, &rows[..1]).await?, [false], "it was read before it moved");
    assert_eq!(alarms::move_due(tx, -Span::days(1).0).await?, 1);
    assert_eq!(numbers(&alarms::due(tx, NOW, 10).await?), [1]);
    Ok(())
}

async fn what_another_rule_has_judged_is_found_rule_by_rule(tx: &mut Tx) -> Result<(), StoreError> {
    let mut rows = vec![open(1, key(None, "a", "x")), open(2, key(None, "a", "y")), open(3, key(None, "b", ""))];
    rows.push(AlarmRow { judged_by: "fedcba9876543210".into(), ..open(4, key(None, "a", "z")) });
    let elsewhere = AlarmKey { org: OTHER_ORG, ..key(None, "a", "") };
    rows.push(open(5, elsewhere));
    rows.push(over(open(6, key(None, "over", "")), NOW));
    alarms::insert_all(tx, &rows).await?;
    let (mut all, mut after) = (Vec::new(), None);
    while let Some((org, rule)) =
        alarms::next_live_rule(tx, after.as_ref().map(|(org, rule): &(_, String)| (*org, rule.as_str()))).await?
    {
        all.push((org, rule.clone()));
        after = Some((org, rule));
    }
    let name = |rule: &str| rule.to_owned();
    let mut expected = [(DEFAULT_ORG, name("a")), (DEFAULT_ORG, name("b")), (OTHER_ORG, name("a"))];
    expected.sort();
    assert_eq!(all, expected);
    let judged = alarms::judged_otherwise(tx, DEFAULT_ORG, "a", "0123456789abcdef", 9).await?;
    assert_eq!(numbers(&judged), [4]);
    assert_eq!(alarms::judged_otherwise(tx, DEFAULT_ORG, "a", "", 2).await?.len(), 2);
    assert_eq!(alarms::judged_otherwise(tx, DEFAULT_ORG, "over", "", 9).await?, []);
    Ok(())
}

async fn lists_are_newest_first_and_narrowed(tx: &mut Tx) -> Result<(), StoreError> {
    let (one, other): (NodeId, NodeId) = (id(1), id(2));
    let critical = AlarmRow { severity: Severity::Critical, ..open(4, key(Some(other), "b", "")) };
    let rows = [
        over(open(1, key(Some(one), "a", "")), NOW),
        open(2, key(Some(one), "a", "")),
        pending(3, key(Some(one), "b", ""), NOW),
        critical,
    ];
    alarms::insert_all(tx, &rows).await?;
    let everything = AlarmFilter::default();
    let listed = async |tx: &mut Tx, filter: &AlarmFilter, before: Option<u128>, limit| {
        let rows = alarms::list(tx, DEFAULT_ORG, filter, before.map(id), limit).await?;
        Ok::<_, StoreError>(rows.into_iter().map(|row| row.id.uuid().as_u128()).collect::<Vec<_>>())
    };
    assert_eq!(listed(tx, &everything, None, 9).await?, [4, 3, 2, 1]);
    assert_eq!(listed(tx, &everything, None, 2).await?, [4, 3]);
    assert_eq!(listed(tx, &everything, Some(3), 9).await?, [2, 1]);
    let of = |state| AlarmFilter { state: Some(state), ..AlarmFilter::default() };
    assert_eq!(listed(tx, &of("open"), None, 9).await?, [4, 2]);
    assert_eq!(listed(tx, &of("resolved"), None, 9).await?, [1]);
    assert_eq!(listed(tx, &of("open"), Some(4), 9).await?, [2]);
    let of_node = AlarmFilter { node: Some(one), ..AlarmFilter::default() };
    assert_eq!(listed(tx, &of_node, None, 9).await?, [3, 2, 1]);
    assert_eq!(listed(tx, &AlarmFilter { state: Some("open"), ..of_node.clone() }, None, 9).await?, [2]);
    assert_eq!(listed(tx, &AlarmFilter { rule: Some("b".into()), ..everything.clone() }, None, 9).await?, [4, 3]);
    assert_eq!(listed(tx, &AlarmFilter { rule: Some("b".into()), ..of_node }, None, 9).await?, [3]);
    assert_eq!(listed(tx, &AlarmFilter { severity: Some(Severity::Critical), ..everything }, None, 9).await?, [4]);
    assert_eq!(alarms::list(tx, OTHER_ORG, &AlarmFilter::default(), None, 9).await?, []);
    Ok(())
}

async fn what_was_over_long_ago_goes(tx: &mut Tx) -> Result<(), StoreError> {
    let rows = [
        over(open(1, key(None, "a", "")), NOW),
        over(open(2, key(None, "a", "")), NOW + Span::days(1)),
        open(3, key(None, "a", "")),
    ];
    alarms::insert_all(tx, &rows).await?;
    assert_eq!(alarms::delete_resolved_before(tx, NOW + Span::days(2), 1).await?, 1);
    assert_eq!(alarms::get(tx, DEFAULT_ORG, id(1)).await?, None);
    assert_eq!(alarms::delete_resolved_before(tx, NOW + Span::days(1), 9).await?, 0);
    assert_eq!(alarms::delete_resolved_before(tx, NOW + Span::days(9), 9).await?, 1);
    assert!(alarms::get(tx, DEFAULT_ORG, id(3)).await?.is_some());
    Ok(())
}

async fn an_org_says_what_it_likes_of_rules(tx: &mut Tx) -> Result<(), StoreError> {
    let row = |org, name: &str, rule: Option<&str>| AlarmRuleRow {
        org,
        name: name.into(),
        rule: rule.map(Into::into),
        changed_by: "ann".into(),
        changed_at: NOW,
    };
    let (own, off) = (row(DEFAULT_ORG, "own", Some("{}")), row(DEFAULT_ORG, "node.stale", None));
    for row in [&own, &off, &row(OTHER_ORG, "own", None)] {
        alarm_rules::put(tx, row).await?;
    }
    assert_eq!(alarm_rules::list(tx, DEFAULT_ORG).await?, [off.clone(), own.clone()]);
    assert_eq!(alarm_rules::get(tx, DEFAULT_ORG, "own").await?, Some(own.clone()));
    let changed = AlarmRuleRow { rule: None, changed_by: "ben".into(), ..own };
    alarm_rules::put(tx, &changed).await?;
    assert_eq!(alarm_rules::get(tx, DEFAULT_ORG, "own").await?, Some(changed));
    assert!(alarm_rules::delete(tx, DEFAULT_ORG, "own").await?);
    assert!(!alarm_rules::delete(tx, DEFAULT_ORG, "own").await?);
    assert_eq!(alarm_rules::list(tx, DEFAULT_ORG).await?, [off]);
    assert_eq!(alarm_rules::list(tx, OTHER_ORG).await?.len(), 1);
    Ok(())
}
