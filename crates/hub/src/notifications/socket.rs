//! `WS /ws/notifications`: what comes into somebody's console, as it comes.
//!
//! The first message says how much was not read. After it comes each new notification, as
//! `{"unread": n, "notification": {…}}`, and `{"unread": n}` when some were read elsewhere.

use std::collections::HashSet;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use futures_util::StreamExt as _;
use sortie_rules::ids::DispatchId;
use sortie_rules::limits::{PAGE_DEFAULT, STREAM_ALIVE_EVERY};
use sortie_store::{StoreError, dispatches};
use sortie_wire::notifications::{MyNotification, Told};

use super::console::show;
use crate::app::Shared;
use crate::http::Seat;
use crate::people::{Principal, holds_no_more, still_holds};

/// How long it may take to hand a message over: one that does not read is let go.
const HANDED_OVER_WITHIN: Duration = Duration::from_secs(10);

/// Tells until the other side leaves, its proof ends, or the hub stops.
pub(super) async fn tell(app: Shared, who: Principal, mut socket: WebSocket, seat: Seat) {
    let _ = talk(&app, &who, &mut socket).await;
    // One that is gone already needs no farewell.
    let _ = tokio::time::timeout(HANDED_OVER_WITHIN, socket.send(Message::Close(None))).await;
    drop(seat);
}

/// `None` when it is over.
async fn talk(app: &Shared, who: &Principal, socket: &mut WebSocket) -> Option<()> {
    let mut news = app.waiting.news.subscribe();
    let (mut known, mut said) = (None::<HashSet<DispatchId>>, None::<u64>);
    let mut alive = tokio::time::interval(STREAM_ALIVE_EVERY.to_std());
    loop {
        news.mark_unchanged();
        if !still_holds(app, who).await {
            return None;
        }
        let (unread, newest) = look(app, who).await.ok()?;
        let ids: HashSet<DispatchId> = newest.iter().map(|one| one.id).collect();
        let is_new = |one: &&MyNotification| known.as_ref().is_some_and(|known| !known.contains(&one.id));
        for one in newest.iter().rev().filter(is_new) {
            said = Some(unread);
            hand_over(socket, &Told { unread, notification: Some(one.clone()) }).await?;
        }
        if said != Some(unread) {
            said = Some(unread);
            hand_over(socket, &Told { unread, notification: None }).await?;
        }
        known = Some(ids);
        tokio::select! {
            changed = news.changed() => changed.ok()?,
            heard = socket.next() => match heard {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            },
            _ = alive.tick() => send(socket, Message::Ping(axum::body::Bytes::new())).await?,
            () = holds_no_more(app, who) => return None,
            () = app.stop.cancelled() => return None,
        }
    }
}

/// How much was not read, and the newest of that.
async fn look(app: &Shared, who: &Principal) -> Result<(u64, Vec<MyNotification>), StoreError> {
    let (org, person) = (who.org, who.subject.clone());
    app.store
        .read(move |tx| {
            Box::pin(async move {
                let rows = dispatches::of_person(tx, (org, &person), true, None, PAGE_DEFAULT).await?;
                let unread = match rows.len() < PAGE_DEFAULT as usize {
                    true => rows.len() as u64,
                    false => dispatches::unread(tx, org, &person).await?,
                };
                Ok((unread, rows.into_iter().map(show).collect()))
            })
        })
        .await
}

async fn hand_over(socket: &mut WebSocket, told: &Told) -> Option<()> {
    let text = serde_json::to_string(told).ok()?;
    send(socket, Message::Text(text.into())).await
}

async fn send(socket: &mut WebSocket, message: Message) -> Option<()> {
    tokio::time::timeout(HANDED_OVER_WITHIN, socket.send(message)).await.ok()?.ok()
}
