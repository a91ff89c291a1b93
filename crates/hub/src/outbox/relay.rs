//! Sends the events that NATS has not got, in their order, and notes how far it has them.

use sortie_rules::limits::{OUTBOX_LOT, OUTBOX_LOTS_PER_TURN};
use sortie_rules::outbox::forgotten;
use sortie_store::events::{self, EventRow};
use sortie_store::{Tx, outbox};

use super::connection::Connection;
use super::message::Message;
use super::settings::{Begin, NatsSettings};
use super::trouble::Trouble;
use super::way::Way;
use super::{lag, send};
use crate::app::App;
use crate::fault::Fault;

/// What waits to be sent.
struct Lot {
    /// NATS has everything up to this number.
    relayed: u64,
    /// The newest number there is.
    newest: u64,
    /// The next events.
    rows: Vec<EventRow>,
}

impl Lot {
    /// How many events wait, with those that are not in the lot.
    fn waiting(&self) -> u64 {
        self.newest.saturating_sub(self.relayed)
    }
}

/// Sends what NATS has not got. Returns how many events it acknowledged. That NATS is away is no failure
/// of this loop: it is told in words of its own, once.
pub(crate) async fn relay(app: &App) -> Result<u64, Fault> {
    let Some(outbox) = &app.outbox else { return Ok(0) };
    let settings = &outbox.settings;
    // Two turns never overlap within a hub.
    let mut way = outbox.way.lock().await;
    let mut total = 0;
    for _ in 0..OUTBOX_LOTS_PER_TURN {
        let lot = next_lot(app, settings).await?;
        lag::show(lot.waiting(), lot.rows.first().map(|row| row.at), app.clock.now());
        // Also with nothing to send, so that it is known before there is whether it could be.
        if app.stop.is_cancelled() || !is_open(app, settings, &mut way, &lot).await || lot.rows.is_empty() {
            return Ok(total);
        }
        let (sent, trouble) = send_lot(app, settings, &mut way, &lot).await?;
        if !note(app, settings, &lot, sent).await? {
            // Another hub relays as well at this moment; what both have sent is there once.
            return Ok(total);
        }
        total += sent as u64;
        if let Some(trouble) = trouble {
            way.went_wrong(&trouble, app.clock.now(), app.entropy.draw());
            return Ok(total);
        }
    }
    // There is more. Others have their turn first.
    outbox.ring();
    Ok(total)
}

/// Another hub relays: lets go of NATS, and shows no lag, which is that hub's to show. Returns 0, for no event leaves.
pub(crate) async fn rest(app: &App) -> u64 {
    if let Some(outbox) = &app.outbox {
        outbox.way.lock().await.rest();
        lag::show(0, None, app.clock.now());
    }
    0
}

/// Reads what comes next; at the very first time it is decided where to begin.
async fn next_lot(app: &App, settings: &NatsSettings) -> Result<Lot, Fault> {
    let name = settings.relay.clone();
    let known = app.store.read(move |tx| Box::pin(async move { outbox::cursor(tx, &name).await })).await?;
    let relayed = match known {
        Some(number) => number,
        None => begin(app, settings).await?,
    };
    app.store
        .read(move |tx| {
            Box::pin(async move {
                let newest = events::last_number(tx).await?;
                let rows = events::list_of_all_orgs(tx, relayed, OUTBOX_LOT).await?;
                Ok::<_, Fault>(Lot { relayed, newest, rows })
            })
        })
        .await
}

async fn begin(app: &App, settings: &NatsSettings) -> Result<u64, Fault> {
    let (name, from, now) = (settings.relay.clone(), settings.begin, app.clock.now());
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let number = first(tx, from).await?;
                outbox::begin(tx, &name, number, now).await?;
                Ok::<_, Fault>(outbox::cursor(tx, &name).await?.unwrap_or(number))
            })
        })
        .await
}

/// The number after which a relay begins that never ran.
async fn first(tx: &mut Tx, from: Begin) -> Result<u64, Fault> {
    Ok(match from {
        Begin::Oldest => events::oldest_number(tx).await?.map_or(0, |oldest| oldest.saturating_sub(1)),
        Begin::New => events::last_number(tx).await?,
    })
}

/// Whether there is a connection and nothing speaks against sending; makes one if there is none.
async fn is_open(app: &App, settings: &NatsSettings, way: &mut Way, lot: &Lot) -> bool {
    if way.connection.as_ref().is_some_and(|connection| !connection.stands()) {
        way.went_wrong(&Trouble::gone(settings), app.clock.now(), app.entropy.draw());
    }
    if !way.may_try(app.clock.now()) {
        return false;
    }
    if way.connection.is_some() {
        return true;
    }
    let opened = tokio::select! {
        opened = Connection::open(settings) => opened,
        () = app.stop.cancelled() => return false,
    };
    match opened {
        Ok(connection) => way.connected(connection, lot.waiting()),
        Err(trouble) => way.went_wrong(&trouble, app.clock.now(), app.entropy.draw()),
    }
    way.connection.is_some()
}

/// Sends a lot. Returns how many of its first events are acknowledged, and why not all of them.
async fn send_lot(
    app: &App,
    settings: &NatsSettings,
    way: &mut Way,
    lot: &Lot,
) -> Result<(usize, Option<Trouble>), Fault> {
    let mut messages = Vec::with_capacity(lot.rows.len());
    for row in &lot.rows {
        messages.push(Message::of(app, settings, row.clone()).await?);
    }
    let Some(connection) = &way.connection else { return Ok((0, None)) };
    let (sent, trouble) = tokio::select! {
        sent = send::send(connection, settings, &messages) => sent,
        // What was acknowledged meanwhile is sent again after the next start, and dropped by JetStream.
        () = app.stop.cancelled() => (0, None),
    };
    if sent > 0 {
        way.went_well(lot.waiting());
    }
    Ok((sent, trouble))
}

/// Writes down that NATS has the first `sent` events of a lot. False if another hub has moved on meanwhile.
async fn note(app: &App, settings: &NatsSettings, lot: &Lot, sent: usize) -> Result<bool, Fault> {
    let Some(last) = sent.checked_sub(1).and_then(|last| lot.rows.get(last)) else { return Ok(true) };
    let (name, from, to, now) = (settings.relay.clone(), lot.relayed, last.number, app.clock.now());
    let moved = app
        .store
        .write(move |tx| Box::pin(async move { Ok::<_, Fault>(outbox::advance(tx, &name, from, to, now).await?) }))
        .await?;
    if moved {
        metrics::counter!("sortie_outbox_relayed_total").increment(sent as u64);
        let lost = lot.rows.first().map_or(0, |oldest| forgotten(from, oldest.number));
        if lost > 0 {
            tracing::error!(lost, after = from, "Events were forgotten before NATS had them; see held_d of [nats]");
            metrics::counter!("sortie_outbox_lost_events_total").increment(lost);
        }
    }
    Ok(moved)
}
