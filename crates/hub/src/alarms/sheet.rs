//! What is live of the alarms that one transaction is about, and what becomes of them in it. Everything that happens to
//! alarms goes through here, so that an alarm, its event and what it follows from are written together.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::json;
use sortie_rules::alarms::{Alarm, AlarmState, News, Seen, next};
use sortie_rules::ids::{AlarmId, NodeId, OrgId};
use sortie_rules::limits::ALARM_DATA_BYTES_MAX;
use sortie_rules::time::Millis;
use sortie_store::alarms::{self, AlarmKey, AlarmRow};
use sortie_store::{StoreError, Tx};

use super::rules::Judge;
use crate::events::{Record, record_all};

/// Something that may change alarms.
#[derive(Debug, Clone)]
pub(super) enum Act {
    /// This was seen of what a rule is about.
    Seen {
        /// Of what.
        key: AlarmKey,
        /// By which rule.
        judge: Arc<Judge>,
        /// What.
        seen: Seen,
        /// When.
        at: Millis,
        /// What an alarm is called that begins by it.
        id: AlarmId,
        /// What began it then, as JSON.
        data: String,
    },
    /// Nobody asks after this node any more: all its alarms are over.
    NodeGone {
        /// Which one.
        node: NodeId,
        /// Since when.
        at: Millis,
    },
    /// This alarm is judged no more: its rule is another one, or none.
    Unjudged {
        /// Which one.
        key: AlarmKey,
        /// Since when.
        at: Millis,
    },
}

/// An alarm, and what is to be written of it.
#[derive(Debug, Clone)]
struct Entry {
    row: AlarmRow,
    is_new: bool,
    is_changed: bool,
}

/// What people are told of an alarm.
#[derive(Debug)]
struct Told {
    org: OrgId,
    node: Option<NodeId>,
    news: News,
    data: serde_json::Value,
}

/// Alarms under change.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    live: HashMap<AlarmKey, Entry>,
    /// Those that are over.
    over: Vec<Entry>,
    /// Those that never stood and are so no more.
    forgotten: Vec<(AlarmId, u64)>,
    told: Vec<Told>,
}

impl Sheet {
    /// What is live of all that these acts are about.
    pub(super) async fn read(tx: &mut Tx, acts: &[Act]) -> Result<Sheet, StoreError> {
        let (mut keys, mut nodes) = (Vec::new(), Vec::new());
        for act in acts {
            match act {
                Act::Seen { key, .. } | Act::Unjudged { key, .. } => keys.push(key.clone()),
                Act::NodeGone { node, .. } => nodes.push(*node),
            }
        }
        keys.sort_unstable();
        keys.dedup();
        nodes.sort_unstable();
        nodes.dedup();
        let mut rows = alarms::live(tx, &keys).await?;
        rows.extend(alarms::live_of_nodes(tx, &nodes).await?);
        Ok(Sheet::of(rows))
    }

    /// These are live.
    pub(super) fn of(rows: Vec<AlarmRow>) -> Sheet {
        let entry = |row: AlarmRow| (row.key.clone(), Entry { row, is_new: false, is_changed: false });
        Sheet { live: rows.into_iter().map(entry).collect(), ..Sheet::default() }
    }

    /// Does what follows from an act.
    pub(super) fn take(&mut self, act: &Act) {
        match act {
            Act::Seen { key, judge, seen, at, id, data } => {
                let before = self.live.get(key).map(|entry| entry.row.life);
                let (after, news) = next(&judge.rule, before, *seen, *at);
                match (before, after) {
                    (None, Some(life)) => self.begin(key, judge, life, (*id, data)),
                    (Some(before), Some(life)) if life != before => self.change(key, life),
                    (Some(_), None) => self.forget(key),
                    (_, _) => {}
                }
                news.into_iter().for_each(|news| self.tell(key, news, *at));
            }
            Act::NodeGone { node, at } => {
                let of_node = |key: &&AlarmKey| key.node == Some(*node);
                let keys: Vec<AlarmKey> = self.live.keys().filter(of_node).cloned().collect();
                keys.iter().for_each(|key| self.end(key, *at));
            }
            Act::Unjudged { key, at } => self.end(key, *at),
        }
    }

    fn begin(&mut self, key: &AlarmKey, judge: &Judge, life: Alarm, (id, data): (AlarmId, &str)) {
        let row = AlarmRow {
            id,
            key: key.clone(),
            judged_by: judge.hash.clone(),
            severity: judge.rule.severity,
            life,
            opened_at: None,
            resolved_at: None,
            summary: judge.rule.summary.clone(),
            data: data.to_owned(),
            turn: 0,
        };
        self.live.insert(key.clone(), Entry { row, is_new: true, is_changed: false });
    }

    fn change(&mut self, key: &AlarmKey, life: Alarm) {
        if let Some(entry) = self.live.get_mut(key) {
            entry.row.life = life;
            entry.is_changed = true;
        }
    }

    fn forget(&mut self, key: &AlarmKey) {
        if let Some(entry) = self.live.remove(key).filter(|entry| !entry.is_new) {
            self.forgotten.push((entry.row.id, entry.row.turn));
        }
    }

    /// Ends one without asking its rule. Of what never stood nobody is told.
    fn end(&mut self, key: &AlarmKey, at: Millis) {
        let Some(life) = self.live.get(key).map(|entry| entry.row.life) else { return };
        if matches!(life.state, AlarmState::Pending { .. }) {
            return self.forget(key);
        }
        self.change(key, Alarm { state: AlarmState::Resolved, ..life });
        self.tell(key, News::Resolved, at);
    }

    fn tell(&mut self, key: &AlarmKey, news: News, at: Millis) {
        let Some(entry) = self.live.get_mut(key) else { return };
        let row = &mut entry.row;
        match news {
            News::Opened => row.opened_at = Some(at),
            News::Resolved => row.resolved_at = Some(at),
        }
        let mut data = json!({
            "alarm": row.id, "rule": row.key.rule, "severity": row.severity.as_str(), "summary": row.summary,
        });
        if !key.subject.is_empty() {
            data["subject"] = json!(key.subject);
        }
        self.told.push(Told { org: key.org, node: key.node, news, data });
        if news == News::Resolved {
            self.over.extend(self.live.remove(key));
        }
    }

    /// Whether anything is to be written.
    pub(super) fn is_blank(&self) -> bool {
        let is_written = |entry: &Entry| entry.is_new || entry.is_changed;
        self.over.is_empty() && self.forgotten.is_empty() && !self.live.values().any(is_written)
    }

    /// Writes all of it down, with the events that tell of it. `false` if somebody else has changed one of them since
    /// it was read: then nothing of it may stand.
    pub(super) async fn write(self, tx: &mut Tx, now: Millis) -> Result<bool, StoreError> {
        let (mut new, mut changed) = (Vec::new(), Vec::new());
        for entry in self.over.into_iter().chain(self.live.into_values()) {
            match entry {
                Entry { is_new: true, row, .. } => new.push(row),
                Entry { is_changed: true, row, .. } => changed.push(row),
                Entry { .. } => {}
            }
        }
        let mut stands = alarms::forget_all(tx, &self.forgotten).await?;
        // What is over makes room for what begins.
        stands.extend(alarms::change_all(tx, &changed).await?);
        alarms::insert_all(tx, &new).await?;
        let records: Vec<Record<'_>> = self.told.iter().map(|told| told.record(now)).collect();
        if !records.is_empty() {
            record_all(tx, &records).await?;
        }
        Ok(stands.into_iter().all(|stands| stands))
    }
}

impl Told {
    fn record(&self, now: Millis) -> Record<'static> {
        let kind = match self.news {
            News::Opened => "alarm.opened",
            News::Resolved => "alarm.resolved",
        };
        let record = Record::new(self.org, now, kind, "hub").data(&self.data);
        match self.node {
            Some(node) => record.node(node),
            None => record,
        }
    }
}

/// What an alarm keeps of what began it. What is too long is left out, and that it was is said.
pub(super) fn kept(mut about: serde_json::Value, long: &str) -> String {
    let text = about.to_string();
    if text.len() <= ALARM_DATA_BYTES_MAX {
        return text;
    }
    about[long] = json!({ "too_long": { "bytes": about[long].to_string().len() } });
    about.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarms::rules::Origin;
    use sortie_rules::ids::{DEFAULT_ORG, Id};

    fn judge() -> Arc<Judge> {
        let rule = json!({
            "name": "a", "severity": "info", "summary": "x", "begins": [{"kind": "a"}], "ends": [{"kind": "b"}],
        });
        let rule = serde_json::from_value(rule).unwrap();
        Arc::new(Judge { rule, origin: Origin::Hub, hash: "1".into() })
    }

    fn key(node: u128) -> AlarmKey {
        let node = Some(Id::from_uuid(uuid::Uuid::from_u128(node)));
        AlarmKey { org: DEFAULT_ORG, rule: "a".into(), node, subject: String::new() }
    }

    fn act(node: u128, seen: Seen, at: i64, id: u128) -> Act {
        let id = Id::from_uuid(uuid::Uuid::from_u128(id));
        Act::Seen { key: key(node), judge: judge(), seen, at: Millis(at), id, data: "{}".into() }
    }

    fn told(sheet: &Sheet) -> Vec<News> {
        sheet.told.iter().map(|told| told.news).collect()
    }

    #[test]
    fn what_happens_within_a_page_is_told_one_by_one() {
        let mut sheet = Sheet::default();
        let acts = [(Seen::Begins, 1), (Seen::Begins, 2), (Seen::Ends, 3), (Seen::Begins, 4)];
        for (seen, at) in acts {
            sheet.take(&act(1, seen, at, at.unsigned_abs().into()));
        }
        assert_eq!(told(&sheet), [News::Opened, News::Resolved, News::Opened]);
        let (over, live) = (&sheet.over[0], &sheet.live[&key(1)]);
        assert_eq!((over.row.opened_at, over.row.resolved_at), (Some(Millis(1)), Some(Millis(3))));
        assert!(over.is_new && live.is_new && over.row.id != live.row.id);
        assert_eq!((over.row.life.seen, live.row.life.seen), (2, 1));
    }

    #[test]
    fn a_node_that_is_gone_takes_its_alarms_with_it_and_no_others() {
        let mut sheet = Sheet::default();
        [1, 2].into_iter().for_each(|node| sheet.take(&act(node, Seen::Begins, 1, node)));
        let node = key(1).node.unwrap();
        sheet.take(&Act::NodeGone { node, at: Millis(9) });
        assert_eq!((sheet.over.len(), sheet.live.len()), (1, 1));
        assert_eq!(told(&sheet), [News::Opened, News::Opened, News::Resolved]);
        sheet.take(&Act::Unjudged { key: key(2), at: Millis(9) });
        assert_eq!((sheet.over.len(), sheet.live.len()), (2, 0));
    }

    #[test]
    fn what_changes_nothing_is_not_written() {
        let mut sheet = Sheet::default();
        sheet.take(&act(1, Seen::Ends, 1, 1));
        sheet.take(&act(1, Seen::Time, 1, 1));
        assert!(sheet.is_blank());
        sheet.take(&act(1, Seen::Begins, 1, 1));
        assert!(!sheet.is_blank());
    }

    #[test]
    fn what_is_too_long_is_left_out() {
        let short = kept(json!({ "kind": "a", "data": { "x": 1 } }), "data");
        assert_eq!(short, r#"{"data":{"x":1},"kind":"a"}"#);
        let long = kept(json!({ "kind": "a", "data": "x".repeat(ALARM_DATA_BYTES_MAX) }), "data");
        assert!(long.len() < 200 && long.contains("too_long") && long.contains("\"a\""), "{long}");
    }
}
