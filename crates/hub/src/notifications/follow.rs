//! The loop of the leader: follows the events of alarms, and writes down who is told of them; then gathers what waits,
//! and begins what is due.
//!
//! What a page of events means and how far the events were followed are written in one transaction: a hub that dies
//! goes on where the last one stood, and of two that lead by mistake one gives way.

use std::sync::Arc;

use sortie_rules::ids::OrgId;
use sortie_rules::limits::{NOTIFICATION_EVENTS_AT_ONCE, NOTIFICATIONS_AT_ONCE};
use sortie_rules::notifications::Held;
use sortie_rules::time::Millis;
use sortie_store::{Store, StoreError, events, followers, notifications};

use super::memory::Place;
use super::page::{self, Meaning};
use super::{gather, judge, let_go, send};
use crate::app::{App, Shared};
use crate::fault::Fault;

/// As whom notifications follow events.
const FOLLOWER: &str = "notifications";
/// Pages of one turn; then what waits goes out.
const PAGES_PER_TURN: u32 = 50;
/// After so many events that meant nothing it is written down that they were looked through.
const UNWRITTEN_MAX: u64 = 2000;

/// Why a page was not written down.
#[derive(Debug)]
enum Lost {
    /// Somebody else has moved on.
    Overtaken,
    /// Something else.
    Fault(Fault),
}

impl From<StoreError> for Lost {
    fn from(error: StoreError) -> Lost {
        Lost::Fault(error.into())
    }
}

/// Begins with what happens next, at the very first start of a hub that knows notifications.
pub(crate) async fn begin(store: &Store, now: Millis) -> Result<(), StoreError> {
    if store.read(|tx| Box::pin(async move { followers::place(tx, FOLLOWER).await })).await?.is_some() {
        return Ok(());
    }
    store
        .write(move |tx| {
            Box::pin(async move {
                let newest = events::last_number(tx).await?;
                followers::begin(tx, FOLLOWER, newest, now).await
            })
        })
        .await
}

/// One turn. Returns how many events were looked through, notifications let go, and dispatches made or begun.
pub(crate) async fn follow(app: &Shared) -> Result<u64, Fault> {
    let mut place = app.notifications.place.lock().await;
    if !app.leader.leads(app) {
        *place = Place::default();
        return Ok(0);
    }
    let mut total = 0;
    for turn in 1..=PAGES_PER_TURN {
        let looked = follow_page(app, &mut place).await?;
        total += looked;
        if looked < u64::from(NOTIFICATION_EVENTS_AT_ONCE) || app.stop.is_cancelled() {
            break;
        }
        if turn == PAGES_PER_TURN {
            app.notifications.ring();
        }
    }
    total += let_go::let_go(app, &mut place).await?;
    total += gather::gather(app).await?;
    Ok(total + send::send(app).await?)
}

/// One page. Returns how many events there were to look at.
async fn follow_page(app: &App, place: &mut Place) -> Result<u64, Fault> {
    let (written, seen) = (place.written, place.seen);
    let (number, rows) = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                let number = match written {
                    Some(number) => number,
                    None => followers::place(tx, FOLLOWER).await?.unwrap_or(0),
                };
                let rows = events::list_of_all_orgs(tx, seen.max(number), NOTIFICATION_EVENTS_AT_ONCE).await?;
                Ok::<_, Fault>((number, rows))
            })
        })
        .await?;
    place.written = Some(number);
    place.seen = seen.max(number);
    let now = app.clock.now();
    let Some(meaning) = page::read(app, place, &rows, now).await? else { return Ok(0) };
    let until = meaning.until;
    if meaning.is_to_be_written() || until.saturating_sub(number) >= UNWRITTEN_MAX {
        match write(app, meaning, number, now).await {
            Ok(()) => place.written = Some(until),
            Err(Lost::Overtaken) => {
                // What both have looked at is told once.
                *place = Place::default();
                app.notifications.ring();
                return Ok(0);
            }
            Err(Lost::Fault(fault)) => {
                *place = Place::default();
                return Err(fault);
            }
        }
    }
    place.seen = until;
    let is_to_the_end = rows.last().is_some_and(|last| last.number == until);
    Ok(if is_to_the_end { rows.len() as u64 } else { NOTIFICATION_EVENTS_AT_ONCE.into() })
}

async fn write(app: &App, meaning: Meaning, from: u64, now: Millis) -> Result<(), Lost> {
    let Meaning { news, maintained, until } = meaning;
    for org in maintained {
        look_again(app, org, now).await?;
    }
    let news = Arc::new(news);
    app.store
        .write(move |tx| {
            Box::pin(async move {
                judge::write(tx, &news, now).await?;
                if followers::move_on(tx, FOLLOWER, from, until, now).await? { Ok(()) } else { Err(Lost::Overtaken) }
            })
        })
        .await
}

/// What is held back because of maintenance is due now: some of it has ended. Part by part, for it may be much.
async fn look_again(app: &App, org: OrgId, now: Millis) -> Result<(), Lost> {
    let mut after = None;
    loop {
        let part = app.store.write(move |tx| {
            Box::pin(async move {
                let limit = u32::try_from(NOTIFICATIONS_AT_ONCE).unwrap_or(u32::MAX);
                notifications::look_again(tx, org, Held::MAINTENANCE, now, after, limit).await
            })
        });
        after = part.await?;
        if after.is_none() {
            return Ok(());
        }
    }
}
