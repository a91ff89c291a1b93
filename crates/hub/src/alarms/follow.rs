//! The loop of the leader: follows the events, and writes down what they mean for alarms.
//!
//! What a page of events means, the alarms' own events and how far the events were followed are written in one
//! transaction: a hub that dies goes on where the last one stood, and of two that lead by mistake one gives way.

use std::sync::Arc;

use sortie_rules::limits::{ALARM_EVENTS_AT_ONCE, ALARM_RULES_KNOWN_WITHIN};
use sortie_rules::time::Millis;
use sortie_store::{Store, StoreError, events, followers};

use super::memory::Place;
use super::page::{self, Meaning};
use super::sheet::{Act, Sheet};
use super::{due, outdated};
use crate::app::{App, Shared};
use crate::clock::Steady;
use crate::fault::Fault;

/// As whom alarms follow events.
const FOLLOWER: &str = "alarms";
/// Pages of one turn; then others have theirs.
const PAGES_PER_TURN: u32 = 50;
/// After so many events that meant nothing it is written down that they were looked through.
const UNWRITTEN_MAX: u64 = 2000;

/// Why a page was not written down.
#[derive(Debug)]
enum Lost {
    /// Somebody else has moved on, or has changed one of its alarms.
    Overtaken,
    /// Something else.
    Fault(Fault),
}

impl From<StoreError> for Lost {
    fn from(error: StoreError) -> Lost {
        Lost::Fault(error.into())
    }
}

/// Begins with what happens next, at the very first start of a hub that knows alarms.
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

/// One turn. Returns how many events were looked through, and alarms changed by time.
pub(crate) async fn follow(app: &Shared) -> Result<u64, Fault> {
    let mut place = app.alarms.place.lock().await;
    if !app.leader.leads(app) {
        *place = Place::default();
        return Ok(0);
    }
    let packs = app.alarms.rules.packs();
    if !place.swept.as_ref().is_some_and(|swept| Arc::ptr_eq(swept, &packs)) {
        outdated::end_all(app, None).await?;
        (place.swept, place.swept_at) = (Some(packs), Some(Steady::now()));
    }
    if place.swept_at.is_some_and(|at| at.elapsed() >= ALARM_RULES_KNOWN_WITHIN) {
        outdated::end_all(app, None).await?;
        place.swept_at = None;
    }
    let mut total = 0;
    for _ in 0..PAGES_PER_TURN {
        if app.stop.is_cancelled() || !app.leader.leads(app) {
            return Ok(total);
        }
        let Some(looked) = follow_page(app, &mut place).await? else { return Ok(total) };
        total += looked;
        if looked < u64::from(ALARM_EVENTS_AT_ONCE) {
            // Only now: what has happened already may have ended what is due.
            return Ok(total + due::change_due(app).await?);
        }
    }
    app.alarms.ring();
    Ok(total)
}

/// One page. Returns how many events there were to look at, or nothing if somebody else has moved on.
async fn follow_page(app: &App, place: &mut Place) -> Result<Option<u64>, Fault> {
    let (written, seen) = (place.written, place.seen);
    let (number, rows) = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                let number = match written {
                    Some(number) => number,
                    None => followers::place(tx, FOLLOWER).await?.unwrap_or(0),
                };
                let rows = events::list_of_all_orgs(tx, seen.max(number), ALARM_EVENTS_AT_ONCE).await?;
                Ok::<_, Fault>((number, rows))
            })
        })
        .await?;
    place.written = Some(number);
    place.seen = seen.max(number);
    let now = app.clock.now();
    let Some(meaning) = page::read(app, &rows, now).await? else { return Ok(Some(0)) };
    let (until, changed) = (meaning.until, meaning.changed);
    let is_nothing = changed.is_none() && is_blank(app, &meaning.acts).await?;
    if !is_nothing || until.saturating_sub(number) >= UNWRITTEN_MAX {
        match write(app, meaning, number, now).await {
            Ok(()) => place.written = Some(until),
            Err(Lost::Overtaken) => {
                // What both have looked at is judged once.
                place.read_anew();
                app.alarms.ring();
                return Ok(None);
            }
            Err(Lost::Fault(fault)) => {
                place.read_anew();
                return Err(fault);
            }
        }
    }
    place.seen = until;
    if let Some(org) = changed {
        // A hub that dies before this is done does it when it begins to lead.
        let swept = place.swept.take();
        outdated::end_all(app, Some(org)).await?;
        (place.swept, place.swept_at) = (swept, Some(Steady::now()));
    }
    let is_to_the_end = rows.last().is_some_and(|last| last.number == until);
    Ok(Some(if is_to_the_end { rows.len() as u64 } else { ALARM_EVENTS_AT_ONCE.into() }))
}

/// Whether these acts change nothing, as far as they begin nothing: most of what would end an alarm finds none, and
/// a write for each task that is done would be dear.
async fn is_blank(app: &App, acts: &Arc<Vec<Act>>) -> Result<bool, Fault> {
    if acts.is_empty() {
        return Ok(true);
    }
    if acts.iter().any(Act::is_beginning) {
        return Ok(false);
    }
    let acts = Arc::clone(acts);
    app.store
        .read(move |tx| {
            Box::pin(async move {
                let mut sheet = Sheet::read(tx, &acts).await?;
                acts.iter().for_each(|act| sheet.take(act));
                Ok(sheet.is_blank())
            })
        })
        .await
}

async fn write(app: &App, meaning: Meaning, from: u64, now: Millis) -> Result<(), Lost> {
    let Meaning { acts, until, .. } = meaning;
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let mut sheet = Sheet::read(tx, &acts).await?;
                acts.iter().for_each(|act| sheet.take(act));
                let stands = sheet.write(tx, now).await?;
                if !stands || !followers::move_on(tx, FOLLOWER, from, until, now).await? {
                    return Err(Lost::Overtaken);
                }
                Ok(())
            })
        })
        .await
}
