//! A log as a stream of server-sent events: each carries a part, and its id is where to go on.

use std::convert::Infallible;

use axum::response::sse::Event;
use futures_util::{Stream, stream};
use sortie_rules::ids::TaskId;

use super::read::read_now;
use crate::app::Shared;
use crate::http::Seat;
use crate::people::{Principal, holds_no_more, still_holds};

/// What goes on between two parts.
struct Watch {
    app: Shared,
    who: Principal,
    task: TaskId,
    run: u32,
    offset: u64,
    /// The last part was sent.
    is_over: bool,
    _seat: Seat,
}

/// The parts of a log from `offset` on, as they come. It ends with the log; `event: end` says so.
pub(super) fn parts(
    app: Shared,
    who: Principal,
    task: TaskId,
    run: u32,
    offset: u64,
    seat: Seat,
) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    let watch = Watch { app, who, task, run, offset, is_over: false, _seat: seat };
    stream::unfold(watch, |mut watch| async move {
        if watch.is_over {
            return None;
        }
        let event = watch.next().await?;
        Some((Ok(event), watch))
    })
}

impl Watch {
    async fn next(&mut self) -> Option<Event> {
        loop {
            let (news, ended) =
                (self.app.waiting.logs.subscribe(self.task), self.app.waiting.ended.subscribe(self.task));
            if !still_holds(&self.app, &self.who).await {
                return None;
            }
            // Whoever watches comes back with the last id; what went wrong here is answered there.
            let part = read_now(&self.app, &self.who, self.task, Some(self.run), self.offset).await.ok()?;
            if part.next > part.offset {
                self.offset = part.next;
                return Event::default().event("log").id(part.next.to_string()).json_data(&part).ok();
            }
            if part.complete {
                self.is_over = true;
                return Event::default().event("end").id(part.next.to_string()).json_data(&part).ok();
            }
            tokio::select! {
                _ = news => {}
                _ = ended => {}
                () = holds_no_more(&self.app, &self.who) => return None,
                () = self.app.stop.cancelled() => return None,
            }
        }
    }
}
