//! Takes events that a node tells by itself: each once, however often it is sent.

use serde_json::Value;
use sortie_rules::backups::check_event;
use sortie_rules::limits::NODE_EVENTS_AT_ONCE;
use sortie_store::node_events;
use sortie_wire::events::SendEvents;
use sortie_wire::problem::ProblemCode;

use super::record::{Record, record_all};
use crate::app::App;
use crate::fault::{Fault, refuse, refuse_at};
use crate::http::NodeCaller;

/// Takes those that were not taken before. Node and org are the line's, whatever the events say.
pub(super) async fn take(app: &App, caller: &NodeCaller, sent: SendEvents) -> Result<(), Fault> {
    let SendEvents { outbox, events } = sent;
    let invalid = |at: String, why: &str| refuse_at(ProblemCode::FieldInvalid, at, format!("{why}."));
    if events.len() > NODE_EVENTS_AT_ONCE {
        let why = format!("A node sends at most {NODE_EVENTS_AT_ONCE} events at once");
        return Err(invalid("/events".into(), &why));
    }
    let mut checked = Vec::with_capacity(events.len());
    let mut last = 0;
    for (at, event) in events.into_iter().enumerate() {
        if event.number <= last || i64::try_from(event.number).is_err() {
            return Err(invalid(format!("/events/{at}/number"), "Numbers of events rise, from 1 on"));
        }
        last = event.number;
        let kind = check_event(&event.kind, &event.data);
        let kind = kind.map_err(|why| invalid(format!("/events/{at}"), &format!("An event of a node: {why}")))?;
        checked.push((event.number, kind, Value::Object(event.data)));
    }
    let (node, org, name, now) = (caller.node, caller.org, caller.name().to_owned(), app.clock.now());
    app.rates.events_of_node(node, now)?;
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let former = node_events::taken(tx, node).await?;
                let known = former.filter(|(of, _)| *of == outbox).map_or(0, |(_, number)| number);
                let new: Vec<_> = checked.iter().filter(|(number, ..)| *number > known).collect();
                let Some((newest, ..)) = new.last() else { return Ok(()) };
                if !node_events::take(tx, node, former, outbox, *newest).await? {
                    let detail = "Other events of this node came at the same moment; send them again.";
                    return Err(refuse(ProblemCode::Conflict, detail));
                }
                let record = |(_, kind, data): &&(u64, &'static str, Value)| {
                    Record::new(org, now, kind, &name).node(node).data(data)
                };
                let records: Vec<Record<'_>> = new.iter().map(record).collect();
                Ok(record_all(tx, &records).await?)
            })
        })
        .await
}
