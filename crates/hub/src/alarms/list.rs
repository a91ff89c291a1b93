//! Shows alarms, and by which rules they are judged.

use std::collections::BTreeMap;

use sortie_rules::ids::{AlarmId, NodeId, OrgId};
use sortie_store::alarm_rules::{self, AlarmRuleRow};
use sortie_store::alarms::{self, AlarmFilter, AlarmRow};
use sortie_wire::alarms::{Alarm, AlarmQuery, AlarmRuleInUse, AlarmRuleOrigin, AlarmState};
use sortie_wire::pages::Page;
use sortie_wire::problem::ProblemCode;

use super::rules::{Judge, Origin, RuleSet};
use crate::app::App;
use crate::fault::{Fault, refuse};
use crate::http::{page, page_size};
use crate::maintenance::cover;
use crate::people::Principal;

/// A page of alarms, newest first.
pub(super) async fn list(app: &App, who: &Principal, query: AlarmQuery) -> Result<Page<Alarm>, Fault> {
    let (org, size) = (who.org, page_size(query.limit)?);
    let node = match &query.node {
        Some(node) => Some(app.nodes.find_named(&app.store, org, node).await?.id),
        None => None,
    };
    let state = query.state.map(AlarmState::as_str);
    let filter = AlarmFilter { node, state, severity: query.severity, rule: query.rule };
    let after = query.after;
    let rows = app
        .store
        .read(move |tx| Box::pin(async move { alarms::list(tx, org, &filter, after, size + 1).await }))
        .await?;
    let shown = show_all(app, org, rows).await?;
    Ok(page(shown, size, |alarm| alarm.id.to_string(), |alarm| alarm))
}

/// One alarm.
pub(super) async fn one(app: &App, who: &Principal, id: AlarmId) -> Result<Alarm, Fault> {
    let org = who.org;
    let row = app.store.read(move |tx| Box::pin(async move { alarms::get(tx, org, id).await })).await?;
    let unknown = || {
        refuse(ProblemCode::UnknownAlarm, "There is no such alarm; `sortie alarm list --all` shows those there are.")
    };
    let shown = show_all(app, org, vec![row.ok_or_else(unknown)?]).await?;
    shown.into_iter().next().ok_or_else(unknown)
}

async fn show_all(app: &App, org: OrgId, rows: Vec<AlarmRow>) -> Result<Vec<Alarm>, Fault> {
    let live = rows.iter().filter(|row| row.resolved_at.is_none());
    let nodes: Vec<NodeId> = live.filter_map(|row| row.key.node).collect();
    let cover = cover(app, org, &nodes, app.clock.now()).await?;
    let mut shown = Vec::with_capacity(rows.len());
    for row in rows {
        let until = cover.until(row.key.node).filter(|_| row.resolved_at.is_none());
        shown.push(Alarm { maintenance_until: until, ..show(app, row).await? });
    }
    Ok(shown)
}

async fn show(app: &App, row: AlarmRow) -> Result<Alarm, Fault> {
    use sortie_rules::alarms::AlarmState as Life;
    let known = match row.key.node {
        Some(node) => app.nodes.find(&app.store, node).await?,
        None => None,
    };
    Ok(Alarm {
        id: row.id,
        rule: row.key.rule,
        severity: row.severity,
        state: match row.life.state {
            Life::Pending { .. } => AlarmState::Pending,
            Life::Open { .. } => AlarmState::Open,
            Life::Resolved => AlarmState::Resolved,
        },
        node: row.key.node,
        node_name: known.map(|known| known.name.clone()),
        subject: (!row.key.subject.is_empty()).then_some(row.key.subject),
        summary: row.summary,
        began_at: row.life.began_at,
        seen_at: row.life.seen_at,
        seen: row.life.seen,
        due_at: row.life.state.due_at(),
        opened_at: row.opened_at,
        resolved_at: row.resolved_at,
        maintenance_until: None,
        data: serde_json::from_str(&row.data).unwrap_or_default(),
    })
}

/// Every rule, and those that are switched off, by name. All of them fit into one page.
pub(super) async fn rules(app: &App, who: &Principal) -> Result<Page<AlarmRuleInUse>, Fault> {
    let org = who.org;
    let rows = app.store.read(move |tx| Box::pin(async move { alarm_rules::list(tx, org).await })).await?;
    let packs = app.alarms.rules.packs();
    let (plain, own) = (RuleSet::new(&packs, &[]), RuleSet::new(&packs, &rows));
    let mut all: BTreeMap<&str, AlarmRuleInUse> =
        own.all().map(|judge| (judge.rule.name.as_str(), of_judge(judge))).collect();
    for row in &rows {
        all.insert(&row.name, of_row(row, &plain));
    }
    Ok(Page { items: all.into_values().collect(), next: None })
}

/// A rule as it is, if the org says nothing of it.
fn of_judge(judge: &Judge) -> AlarmRuleInUse {
    let (origin, pack) = match &judge.origin {
        Origin::Hub => (AlarmRuleOrigin::Hub, None),
        Origin::Pack(pack) => (AlarmRuleOrigin::Pack, Some(pack.clone())),
        Origin::Org => (AlarmRuleOrigin::Org, None),
    };
    AlarmRuleInUse {
        name: judge.rule.name.clone(),
        origin,
        pack,
        off: false,
        rule: serde_json::to_value(&judge.rule).ok(),
        changed_by: None,
        changed_at: None,
    }
}

/// What an org says of a rule; `plain` are the rules of those that say nothing.
pub(super) fn of_row(row: &AlarmRuleRow, plain: &RuleSet) -> AlarmRuleInUse {
    let nobodys = AlarmRuleInUse {
        name: row.name.clone(),
        origin: AlarmRuleOrigin::Org,
        pack: None,
        off: false,
        rule: row.rule.as_deref().and_then(|text| serde_json::from_str(text).ok()),
        changed_by: None,
        changed_at: None,
    };
    let is_off = row.rule.is_none();
    let shown = if is_off { plain.get(&row.name).map_or(nobodys, |judge| of_judge(judge)) } else { nobodys };
    AlarmRuleInUse { off: is_off, changed_by: Some(row.changed_by.clone()), changed_at: Some(row.changed_at), ..shown }
}
