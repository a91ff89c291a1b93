//! What a page of events means: of which alarms somebody is told, who, and by which ways.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;
use sortie_rules::alarms::Severity;
use sortie_rules::ids::{AlarmId, NodeId, NotificationId, OrgId};
use sortie_rules::limits::NOTIFICATIONS_AT_ONCE;
use sortie_rules::notifications::{Audience, Channel, Occasion, Way};
use sortie_rules::selectors::Selected;
use sortie_rules::time::{Millis, Span};
use sortie_store::events::EventRow;
use sortie_store::nodes::{self, Selectable};
use sortie_store::notifications::{self, Begun, Tells};

use super::audience;
use super::memory::Place;
use crate::app::App;
use crate::clock::Ids;
use crate::fault::Fault;
use crate::maintenance::under_way;

/// Most orgs of which it is kept in memory who is told.
const AUDIENCES_MAX: usize = 1000;
/// What happens to recipients and rules: who is told is another matter after it.
const CHANGES: [&str; 2] = ["recipient.", "notification_rule."];

/// What may let go what is held back.
const MAINTENANCE_ENDED: &str = "maintenance.ended";

/// Somebody who is told of something.
#[derive(Debug, Clone)]
pub(super) struct Ear {
    pub(super) id: NotificationId,
    pub(super) recipient: String,
    pub(super) channel: Channel,
    pub(super) rule: String,
    pub(super) cool_down: Span,
}

/// The beginning or the end of an alarm, and all who are told.
#[derive(Debug, Clone)]
pub(super) struct News {
    pub(super) org: OrgId,
    pub(super) tells: Tells,
    pub(super) ears: Vec<Ear>,
    pub(super) maintenance: Option<Millis>,
}

/// What some events mean.
#[derive(Debug)]
pub(super) struct Meaning {
    pub(super) news: Vec<News>,
    /// Whose maintenance is another than it was: what was held back because of it is looked at again.
    pub(super) maintained: BTreeSet<OrgId>,
    /// The last event that was looked at.
    pub(super) until: u64,
}

impl Meaning {
    /// Whether it changes more than how far the events were followed.
    pub(super) fn is_to_be_written(&self) -> bool {
        !self.news.is_empty() || !self.maintained.is_empty()
    }
}

/// What these events mean, up to as many notifications as one transaction can hold.
pub(super) async fn read(
    app: &App,
    place: &mut Place,
    rows: &[EventRow],
    now: Millis,
) -> Result<Option<Meaning>, Fault> {
    let Some(first) = rows.first() else { return Ok(None) };
    for row in rows.iter().filter(|row| row.kind == MAINTENANCE_ENDED) {
        // Another hub may have ended it: what is in memory here is of before.
        app.maintenances.evict(row.org);
    }
    let (known, mut told) = (nodes_of(app, rows).await?, told_before(app, rows).await?);
    let mut ids = Ids::new(&app.entropy, now);
    let (mut news, mut maintained, mut until, mut count) = (Vec::new(), BTreeSet::new(), first.number, 0);
    for row in rows {
        if count >= NOTIFICATIONS_AT_ONCE {
            break;
        }
        until = row.number;
        if CHANGES.iter().any(|noun| row.kind.starts_with(noun)) {
            place.audiences.remove(&row.org);
            app.notifications.changed(row.org);
        }
        if row.kind == MAINTENANCE_ENDED {
            maintained.insert(row.org);
        }
        let Some(opened) = begins_or_ends(&row.kind) else { continue };
        let audience = audience_of(app, place, row.org).await?;
        let node = row.node.and_then(|node| known.get(&node));
        let Some(tells) = tells(row, opened, node) else { continue };
        let ears = if opened {
            let ears = ears(&audience, &tells, node, &mut ids);
            told.insert(tells.alarm, ears.iter().map(Listener::of).collect());
            ears
        } else {
            // Wherever the node is by now, and whoever would be told today.
            let those = told.remove(&tells.alarm).unwrap_or_default();
            those.into_iter().filter_map(|one| still(&audience, &tells, one, &mut ids)).collect()
        };
        if opened && ears.is_empty() {
            continue;
        }
        count += ears.len();
        let maintenance = if opened { under_way(app, row.org, now).await?.until(node) } else { None };
        news.push(News { org: row.org, tells, ears, maintenance });
    }
    Ok(Some(Meaning { news, maintained, until }))
}

fn begins_or_ends(kind: &str) -> Option<bool> {
    match kind {
        "alarm.opened" => Some(true),
        "alarm.resolved" => Some(false),
        _ => None,
    }
}

/// Whom the beginning of an alarm was to be told.
#[derive(Debug, Clone)]
struct Listener {
    recipient: String,
    channel: Channel,
    rule: String,
}

impl Listener {
    fn of(ear: &Ear) -> Listener {
        Listener { recipient: ear.recipient.clone(), channel: ear.channel, rule: ear.rule.clone() }
    }
}

/// Whom the beginnings of the alarms that end here were to be told.
async fn told_before(app: &App, rows: &[EventRow]) -> Result<HashMap<AlarmId, Vec<Listener>>, Fault> {
    let ends = rows.iter().filter(|row| begins_or_ends(&row.kind) == Some(false));
    let alarms: BTreeSet<AlarmId> = ends.filter_map(alarm_of).collect();
    let mut told: HashMap<AlarmId, Vec<Listener>> = HashMap::new();
    if alarms.is_empty() {
        return Ok(told);
    }
    let alarms: Arc<Vec<AlarmId>> = Arc::new(alarms.into_iter().collect());
    let found = app.store.read(move |tx| Box::pin(async move { notifications::beginnings(tx, &alarms).await }));
    for Begun { alarm, recipient, channel, rule, .. } in found.await? {
        told.entry(alarm).or_default().push(Listener { recipient, channel, rule });
    }
    Ok(told)
}

fn alarm_of(row: &EventRow) -> Option<AlarmId> {
    let data: Value = serde_json::from_str(&row.data).ok()?;
    data["alarm"].as_str()?.parse().ok()
}

/// Who was told of a beginning, if they are told of its end as well.
fn still(audience: &Audience, tells: &Tells, one: Listener, ids: &mut Ids<'_>) -> Option<Ear> {
    let of = Occasion { rule: &tells.alarm_rule, severity: tells.severity, opened: false, node: None };
    let Listener { recipient, channel, rule } = one;
    let is_told = audience.still_tells(&recipient, channel, &rule, of);
    is_told.then(|| Ear { id: ids.next(), recipient, channel, rule, cool_down: Span::ZERO })
}

/// What selectors look at of all nodes whose alarms begin or end.
async fn nodes_of(app: &App, rows: &[EventRow]) -> Result<HashMap<NodeId, Selectable>, Fault> {
    let of_alarms = rows.iter().filter(|row| begins_or_ends(&row.kind).is_some());
    let asked: BTreeSet<NodeId> = of_alarms.filter_map(|row| row.node).collect();
    if asked.is_empty() {
        return Ok(HashMap::new());
    }
    let asked: Arc<Vec<NodeId>> = Arc::new(asked.into_iter().collect());
    let found = app.store.read(move |tx| Box::pin(async move { nodes::all_for_selection(tx, &asked).await }));
    Ok(found.await?.into_iter().map(|node| (node.id, node)).collect())
}

pub(super) async fn audience_of(app: &App, place: &mut Place, org: OrgId) -> Result<Arc<Audience>, Fault> {
    if let Some(known) = place.audiences.get(&org) {
        return Ok(Arc::clone(known));
    }
    let read = app.store.read(move |tx| Box::pin(async move { audience::read(tx, org).await })).await?;
    if place.audiences.len() >= AUDIENCES_MAX {
        place.audiences.clear();
    }
    let read = Arc::new(read);
    place.audiences.insert(org, Arc::clone(&read));
    Ok(read)
}

/// What an alarm's event says, if it says it as this hub's do.
fn tells(row: &EventRow, opened: bool, node: Option<&Selectable>) -> Option<Tells> {
    let data: Value = serde_json::from_str(&row.data).ok()?;
    let text = |name: &str| data[name].as_str().map(str::to_owned);
    Some(Tells {
        event: row.number,
        alarm: data["alarm"].as_str()?.parse().ok()?,
        alarm_rule: text("rule")?,
        severity: Severity::parse(data["severity"].as_str()?)?,
        node: row.node,
        node_name: node.map(|node| node.name.clone()),
        site: node.and_then(|node| node.site.clone()),
        subject: text("subject").unwrap_or_default(),
        summary: text("summary").unwrap_or_default(),
        opened,
        at: row.at,
    })
}

fn ears(audience: &Audience, tells: &Tells, node: Option<&Selectable>, ids: &mut Ids<'_>) -> Vec<Ear> {
    let node = node.map(|node| Selected {
        name: &node.name,
        site: node.site.as_deref(),
        kind: &node.kind,
        labels: &node.labels,
    });
    let occasion = Occasion { rule: &tells.alarm_rule, severity: tells.severity, opened: tells.opened, node };
    let ways = audience.ways(occasion);
    let ear = |way: Way<'_>| Ear {
        id: ids.next(),
        recipient: way.recipient.to_owned(),
        channel: way.channel,
        rule: way.rule.to_owned(),
        cool_down: way.cool_down,
    };
    ways.into_iter().map(ear).collect()
}
