//! Writes down that something happened.

use sortie_rules::ids::{NodeId, OrgId, TaskId};
use sortie_rules::time::Millis;
use sortie_store::{StoreError, Tx, events};

/// Something that happens in the transaction at hand.
#[derive(Debug, Clone)]
pub(crate) struct Record<'a> {
    org: OrgId,
    at: Millis,
    kind: &'static str,
    actor: &'a str,
    node: Option<NodeId>,
    task: Option<TaskId>,
    data: Option<String>,
}

impl<'a> Record<'a> {
    /// `actor` made `kind` happen.
    pub(crate) fn new(org: OrgId, at: Millis, kind: &'static str, actor: &'a str) -> Record<'a> {
        Record { org, at, kind, actor, node: None, task: None, data: None }
    }
    /// It is about this node.
    pub(crate) fn node(self, node: NodeId) -> Record<'a> {
        Record { node: Some(node), ..self }
    }
    /// It is about this task.
    pub(crate) fn task(self, task: TaskId) -> Record<'a> {
        Record { task: Some(task), ..self }
    }
    fn event(&self) -> events::NewEvent<'_> {
        events::NewEvent {
            org: self.org,
            at: self.at,
            kind: self.kind,
            node: self.node,
            task: self.task,
            actor: self.actor,
            data: self.data.as_deref().unwrap_or("{}"),
        }
    }
    /// What else belongs to it; no secrets, no payloads.
    pub(crate) fn data(self, data: &serde_json::Value) -> Record<'a> {
        Record { data: Some(data.to_string()), ..self }
    }
}

/// Writes it down.
pub(crate) async fn record(tx: &mut Tx, record: Record<'_>) -> Result<(), StoreError> {
    record_all(tx, std::slice::from_ref(&record)).await
}

/// Writes them down, in this order.
pub(crate) async fn record_all(tx: &mut Tx, records: &[Record<'_>]) -> Result<(), StoreError> {
    let events: Vec<_> = records.iter().map(Record::event).collect();
    events::insert_all(tx, &events).await
}
