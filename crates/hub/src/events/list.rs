//! Reads events in pages.

use sortie_rules::limits::WAIT_MAX;
use sortie_rules::time::Span;
use sortie_store::events::{self, EventFilter, EventRow};
use sortie_wire::events::{Event, EventQuery};
use sortie_wire::pages::Page;

use crate::app::App;
use crate::fault::Fault;
use crate::http::page_size;
use crate::people::{Principal, ended, holds_no_more};

/// The same, held for as long as the query says if nothing follows `after` yet.
pub(crate) async fn list_held(app: &App, who: &Principal, query: EventQuery) -> Result<Page<Event>, Fault> {
    let wait = Span::seconds(query.wait_s.unwrap_or(0).into()).min(WAIT_MAX);
    if query.after.is_none() || wait == Span::ZERO {
        return list(app, who, query).await;
    }
    let mut news = app.waiting.news.subscribe();
    let end = tokio::time::sleep(wait.to_std());
    tokio::pin!(end);
    loop {
        news.mark_unchanged();
        let page = list(app, who, query.clone()).await?;
        if !page.items.is_empty() {
            return Ok(page);
        }
        tokio::select! {
            _ = news.changed() => {}
            () = holds_no_more(app, who) => return Err(ended()),
            () = &mut end => return Ok(page),
            () = app.stop.cancelled() => return Ok(page),
        }
    }
}

/// Without `after`: the newest events, newest last. With it: those that follow, oldest first. The
/// page's `next` is where to go on later, present even if nothing follows yet.
pub(crate) async fn list(app: &App, who: &Principal, query: EventQuery) -> Result<Page<Event>, Fault> {
    let limit = page_size(query.limit)?;
    let node = match &query.node {
        Some(text) => Some(app.nodes.find_named(&app.store, who.org, text).await?.id),
        None => None,
    };
    let filter = EventFilter { kind: query.kind, node, task: query.task };
    // No event has a higher number than the store can count to.
    let (org, after) = (who.org, query.after.map(|after| after.min(i64::MAX.unsigned_abs())));
    let rows = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                match after {
                    Some(after) => events::list(tx, org, &filter, after, limit).await,
                    None => {
                        let mut newest = events::list_newest(tx, org, &filter, None, limit).await?;
                        newest.reverse();
                        Ok(newest)
                    }
                }
            })
        })
        .await?;
    let next = rows.last().map(|row| row.number).or(after);
    let mut items = Vec::with_capacity(rows.len());
    for row in rows {
        items.push(show(app, row).await?);
    }
    Ok(Page { next: next.map(|number| number.to_string()), items })
}

/// An event as it is read from outside.
pub(crate) async fn show(app: &App, row: EventRow) -> Result<Event, Fault> {
    let known = match row.node {
        Some(node) => app.nodes.find(&app.store, node).await?,
        None => None,
    };
    Ok(Event {
        number: row.number,
        at: row.at,
        kind: row.kind,
        actor: row.actor,
        node: row.node,
        node_name: known.map(|known| known.name.clone()),
        task: row.task,
        data: serde_json::from_str(&row.data).unwrap_or_default(),
    })
}
