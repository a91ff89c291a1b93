//! Events as a stream of server-sent events: each carries one, and its id is its number.

use std::collections::VecDeque;
use std::convert::Infallible;

use axum::response::sse;
use futures_util::{Stream, stream};
use sortie_wire::events::{Event, EventQuery};
use tokio::sync::watch;

use super::list::list;
use crate::app::Shared;
use crate::http::Seat;
use crate::people::{Principal, holds_no_more, still_holds};

/// What goes on between two events.
struct Watch {
    app: Shared,
    who: Principal,
    query: EventQuery,
    read: VecDeque<Event>,
    news: watch::Receiver<u64>,
    _seat: Seat,
}

/// The events that follow `query.after`, as they come, for ever.
pub(super) fn events(
    app: Shared,
    who: Principal,
    query: EventQuery,
    seat: Seat,
) -> impl Stream<Item = Result<sse::Event, Infallible>> + Send {
    let news = app.waiting.news.subscribe();
    let watch = Watch { app, who, query, read: VecDeque::new(), news, _seat: seat };
    stream::unfold(watch, |mut watch| async move {
        let event = watch.next().await?;
        let written = sse::Event::default().event("event").id(event.number.to_string()).json_data(&event).ok()?;
        Some((Ok(written), watch))
    })
}

impl Watch {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.read.pop_front() {
                return Some(event);
            }
            self.news.mark_unchanged();
            if !still_holds(&self.app, &self.who).await {
                return None;
            }
            // Whoever watches comes back with the last id; what went wrong here is answered there.
            let page = list(&self.app, &self.who, self.query.clone()).await.ok()?;
            self.query.after = page.items.last().map(|event| event.number).or(self.query.after);
            self.read.extend(page.items);
            if self.read.is_empty() {
                tokio::select! {
                    changed = self.news.changed() => changed.ok()?,
                    () = holds_no_more(&self.app, &self.who) => return None,
                    () = self.app.stop.cancelled() => return None,
                }
            }
        }
    }
}
