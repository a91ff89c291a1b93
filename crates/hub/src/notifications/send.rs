//! Begins the dispatches that are due, a few at once by each way and fewer to one host, and writes down what came of
//! each.

use std::sync::Arc;

use serde_json::json;
use sortie_rules::limits::{DISPATCH_HELD, MESSAGE_BYTES_MAX};
use sortie_rules::notifications::{Channel, Dispatch, DispatchState, Failure, begin, end};
use sortie_rules::time::{Millis, Span};
use sortie_store::dispatches::{self, ConsoleText, DispatchRow};
use sortie_store::recipients::{self, RecipientRow};
use sortie_store::{StoreError, Tx, notifications};

use super::audience::reachable;
use super::matter::Matter;
use super::secret;
use super::words::{self, Failed, Words};
use crate::app::{App, Shared};
use crate::events::{self, Record};
use crate::fault::Fault;
use crate::outgoing::{Call, Letter, Trouble, address};

/// Dispatches by one way that are looked at in a turn.
const LOOKED_AT: u32 = 200;
/// How long those wait to whose host many are under way, if they stand in the way of others.
const POSTPONED: Span = Span::seconds(5);

/// What came of a try, and whether a template was left aside for it.
#[derive(Debug, Clone)]
pub(super) struct Tried {
    pub(super) result: Result<(), Trouble>,
    failed: Option<Failed>,
    /// What stands in a console of it.
    console: Option<ConsoleText>,
}

impl From<Trouble> for Tried {
    fn from(trouble: Trouble) -> Tried {
        Tried { result: Err(trouble), failed: None, console: None }
    }
}

/// Begins what is due, as far as there are places. Returns how many were begun.
pub(super) async fn send(app: &Shared) -> Result<u64, Fault> {
    let mut count = 0;
    for channel in Channel::ALL {
        count += send_by(app, channel).await?;
    }
    Ok(count)
}

async fn send_by(app: &Shared, channel: Channel) -> Result<u64, Fault> {
    if app.notifications.free(channel) == 0 || app.stop.is_cancelled() {
        return Ok(0);
    }
    let now = app.clock.now();
    let due = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                let mut due = Vec::new();
                for row in dispatches::due_by(tx, channel, now, LOOKED_AT).await? {
                    let recipient = recipients::get(tx, row.org, &row.recipient).await?;
                    due.push((host(&row, recipient.as_ref()), row));
                }
                Ok::<_, StoreError>(due)
            })
        })
        .await?;
    let (mut count, mut in_the_way, is_all) = (0, Vec::new(), due.len() < LOOKED_AT as usize);
    for (host, row) in due {
        if app.notifications.free(channel) == 0 {
            return Ok(count);
        }
        let (Some(pass), Some(life)) = (app.notifications.enter(channel, &host), begin(row.life, now)) else {
            in_the_way.push(row);
            continue;
        };
        let Some(row) = change(app, row, life).await? else { continue };
        count += 1;
        let worker = app.clone();
        app.notifications.tries.spawn(async move {
            carry(&worker, row).await;
            drop(pass);
            worker.notifications.ring();
        });
    }
    if !is_all {
        postpone(app, in_the_way, now).await?;
    }
    Ok(count)
}

/// Lets others come first.
async fn postpone(app: &App, rows: Vec<DispatchRow>, now: Millis) -> Result<(), Fault> {
    let rows = Arc::new(rows);
    app.store
        .write(move |tx| {
            Box::pin(async move {
                for row in rows.iter() {
                    let state = DispatchState::Waiting { next_at: now + POSTPONED };
                    let after = DispatchRow { life: Dispatch { state, ..row.life }, ..row.clone() };
                    dispatches::update(tx, &row.life, &after).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Where it goes, for counting: the mail server, or the webhook's host.
fn host(row: &DispatchRow, recipient: Option<&RecipientRow>) -> String {
    let webhook = || reachable(recipient?)?.webhook.and_then(|url| address(&url).ok()?.host_str().map(str::to_owned));
    match row.channel {
        Channel::Webhook => webhook().unwrap_or_default(),
        Channel::Mail | Channel::Console => String::new(),
    }
}

/// Writes down that it stands so by now; nothing if another hub was quicker.
pub(super) async fn change(app: &App, row: DispatchRow, life: Dispatch) -> Result<Option<DispatchRow>, Fault> {
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let after = DispatchRow { life, ..row.clone() };
                Ok(dispatches::update(tx, &row.life, &after).await?.then_some(after))
            })
        })
        .await
}

/// One try, from its beginning to what is written down of it. A hub that stops leaves it to be begun anew.
async fn carry(app: &Shared, row: DispatchRow) {
    let tried = tokio::select! {
        tried = attempt(app, &row) => tried,
        () = app.stop.cancelled() => return,
    };
    if let Err(error) = settle(app, row, tried).await {
        tracing::warn!(%error, "What came of a notification could not be written down; it is tried again");
    }
}

/// One try.
pub(super) async fn attempt(app: &App, row: &DispatchRow) -> Tried {
    match tokio::time::timeout(DISPATCH_HELD.to_std(), try_once(app, row)).await {
        Ok(Ok(tried)) => tried,
        Ok(Err(fault)) => Trouble::later("hub_fault", fault.to_string()).into(),
        Err(_) => Trouble::later("timed_out", "it took too long").into(),
    }
}

async fn try_once(app: &App, row: &DispatchRow) -> Result<Tried, Fault> {
    let asked = row.clone();
    let found = app.store.read(move |tx| {
        Box::pin(async move {
            let Some(row) = recipients::get(tx, asked.org, &asked.recipient).await? else { return Ok(None) };
            let Some(recipient) = reachable(&row) else { return Ok(None) };
            let matter = Matter::read(tx, &asked, recipient).await?;
            Ok::<_, StoreError>(Some((row, matter)))
        })
    });
    let Some((recipient, matter)) = found.await? else {
        return Ok(Trouble::final_("recipient_removed", "there is no such recipient any more").into());
    };
    match row.channel {
        Channel::Mail => mail(app, row, matter).await,
        Channel::Webhook => webhook(app, row, &recipient, &matter).await,
        Channel::Console => console(app, matter).await,
    }
}

/// The words, made where it holds nobody up: a template may take its time.
async fn words(app: &App, matter: Matter) -> Result<Words, Fault> {
    let hub_url = app.url.clone();
    let made = tokio::task::spawn_blocking(move || words::of(&matter, &hub_url)).await;
    made.map_err(|error| Fault::Broken(format!("the words of a notification: {error}")))
}

async fn mail(app: &App, row: &DispatchRow, matter: Matter) -> Result<Tried, Fault> {
    let Some(to) = matter.recipient.mail.clone() else {
        return Ok(Trouble::final_("recipient_removed", "the recipient has no mail address any more").into());
    };
    let Words { subject, text, failed } = words(app, matter).await?;
    let letter = Letter { to: vec![to], subject, body: text };
    let result = app.mailer.send(&letter, &identity(row)).await.map(drop);
    Ok(Tried { result, failed, console: None })
}

/// What is for the console arrives with what is written down of the try.
async fn console(app: &App, matter: Matter) -> Result<Tried, Fault> {
    let Some(person) = matter.recipient.person.clone() else {
        return Ok(Trouble::final_("recipient_removed", "the recipient has no console any more").into());
    };
    let Words { subject, text, failed } = words(app, matter).await?;
    let console = Some(ConsoleText { person, title: subject, text, read_at: None });
    Ok(Tried { result: Ok(()), failed, console })
}

async fn webhook(app: &App, row: &DispatchRow, recipient: &RecipientRow, matter: &Matter) -> Result<Tried, Fault> {
    let url = matter.recipient.webhook.as_deref().and_then(|url| address(url).ok());
    let (Some(url), Some(key)) = (url, secret::open(app, recipient)?) else {
        return Ok(Trouble::final_("recipient_removed", "the recipient has no webhook any more").into());
    };
    let (id, body) = (identity(row), matter.to_webhook());
    let called = app.caller.call(Call { url: &url, key: &key, id: &id, body: &body, now: app.clock.now() }).await;
    Ok(Tried { result: called.map(drop), failed: None, console: None })
}

/// What tells the dispatch from every other, the same with each try.
fn identity(row: &DispatchRow) -> String {
    format!("msg_{}", row.id.uuid().simple())
}

/// Writes down what came of a try.
pub(super) async fn settle(app: &App, row: DispatchRow, tried: Tried) -> Result<DispatchRow, Fault> {
    let (now, draw, org) = (app.clock.now(), app.entropy.draw(), row.org);
    let Tried { result, failed, console } = tried;
    let is_news = failed.as_ref().is_some_and(|failed| !app.notifications.is_told(org, failed));
    let told = failed.clone().filter(|_| is_news);
    let after = app.store.write(move |tx| {
        Box::pin(async move {
            let outcome = match &result {
                Ok(()) => Ok(()),
                Err(trouble) if trouble.retry && !row.is_test => Err(Failure::ForNow),
                Err(_) => Err(Failure::ForGood),
            };
            let life = end(row.life, outcome, now, draw);
            let (code, why) = match &result {
                Ok(()) => (None, None),
                Err(trouble) => (Some(trouble.code.to_owned()), Some(cut(&trouble.why))),
            };
            let ended_at = life.state.is_over().then_some(now);
            let after = DispatchRow { life, ended_at, code, why, console, ..row.clone() };
            if dispatches::update(tx, &row.life, &after).await? && life.state.is_over() {
                over(tx, &after, failed.is_some(), now).await?;
                if let Some(failed) = failed.filter(|_| is_news) {
                    tell(tx, &after, &failed, now).await?;
                }
            }
            Ok::<_, Fault>(after)
        })
    });
    let after = after.await?;
    if let Some(failed) = told.filter(|_| after.life.state.is_over()) {
        app.notifications.was_told(org, failed);
    }
    Ok(after)
}

/// A template was left aside.
async fn tell(tx: &mut Tx, row: &DispatchRow, failed: &Failed, now: Millis) -> Result<(), StoreError> {
    let data = json!({ "rule": failed.rule, "recipient": row.recipient, "why": cut(&failed.why) });
    events::record(tx, Record::new(row.org, now, "notification.template_failed", "hub").data(&data)).await
}

/// What follows from the end of a dispatch.
async fn over(tx: &mut Tx, row: &DispatchRow, template_failed: bool, now: Millis) -> Result<(), Fault> {
    let code = row.code.as_deref();
    let why = code.or(template_failed.then_some("template_failed"));
    notifications::end_all(tx, row.id, row.life.state.as_str(), why, now).await?;
    let kind = if row.life.state == DispatchState::Sent { "notification.sent" } else { "notification.failed" };
    let mut data = json!({
        "dispatch": row.id, "recipient": row.recipient, "channel": row.channel, "count": row.count,
    });
    if let Some(code) = code {
        data["code"] = code.into();
    }
    events::record(tx, Record::new(row.org, now, kind, "hub").data(&data)).await?;
    if code == Some("webhook_gone") && recipients::webhook_is_gone(tx, row.org, &row.recipient, now).await? {
        let data = json!({ "recipient": row.recipient });
        events::record(tx, Record::new(row.org, now, "recipient.webhook_gone", "hub").data(&data)).await?;
    }
    Ok(())
}

fn cut(text: &str) -> String {
    text.char_indices().take_while(|(at, _)| *at < MESSAGE_BYTES_MAX / 4).map(|(_, c)| c).collect()
}
