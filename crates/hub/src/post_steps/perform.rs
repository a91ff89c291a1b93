//! The loop that does what is due, a few steps at once.

use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::{Value, json};
use sortie_rules::limits::{MESSAGE_BYTES_MAX, POST_STEP_HELD, POST_STEP_ITEMS_MAX};
use sortie_rules::post_steps::{StepState, Tried, begin, end, planned};
use sortie_store::fields::{self, FieldRow, Holder};
use sortie_store::post_steps::{self, StepRow};
use sortie_store::{Tx, sites};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::matter::Matter;
use super::spec::{Act, HolderKind, PostStep};
use super::{mail, status};
use crate::app::Shared;
use crate::events::{self, Record};
use crate::fault::Fault;
use crate::outgoing::Trouble;

/// Steps under way at once: a receiver that is slow holds up few others.
const AT_ONCE: usize = 16;

/// Steps under way.
#[derive(Debug)]
pub(crate) struct Performers {
    places: Arc<Semaphore>,
    /// Every step under way, for an orderly stop.
    pub(crate) steps: TaskTracker,
}

impl Default for Performers {
    fn default() -> Performers {
        Performers { places: Arc::new(Semaphore::new(AT_ONCE)), steps: TaskTracker::new() }
    }
}

/// What came of a try that went well.
#[derive(Clone)]
enum Deed {
    /// It is done; this says what it did.
    Done(String),
    /// Fields are to be written down with the end of the step.
    Fields(Holder, Vec<FieldRow>),
    /// It is for each of so many items.
    Spread(u32),
}

/// Begins what is due, as far as there are places. Returns how many steps were begun.
pub(crate) async fn perform(app: &Shared) -> Result<u64, Fault> {
    let free = app.performers.places.available_permits();
    if free == 0 {
        return Ok(0);
    }
    let (now, limit) = (app.clock.now(), u32::try_from(free).unwrap_or(1));
    let due = app.store.read(move |tx| Box::pin(async move { post_steps::due(tx, now, limit).await })).await?;
    if due.is_empty() {
        return Ok(0);
    }
    let begun = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                let mut begun = Vec::new();
                for row in due {
                    let Some(step) = begin(row.step, now) else { continue };
                    let after = StepRow { step, ..row.clone() };
                    // Another hub may have been quicker.
                    if post_steps::update(tx, &row.step, &after).await? {
                        begun.push(after);
                    }
                }
                Ok::<_, Fault>(begun)
            })
        })
        .await?;
    let count = begun.len() as u64;
    for row in begun {
        let Ok(place) = Arc::clone(&app.performers.places).acquire_owned().await else { break };
        let worker = app.clone();
        app.performers.steps.spawn(async move {
            carry(&worker, row).await;
            drop(place);
        });
    }
    Ok(count)
}

/// One try, from its beginning to what is written down of it. A hub that stops leaves it to be begun anew.
async fn carry(app: &Shared, row: StepRow) {
    let tried = tokio::select! {
        tried = tokio::time::timeout(POST_STEP_HELD.to_std(), attempt(app, &row)) => tried,
        () = app.stop.cancelled() => return,
    };
    let tried = match tried {
        Ok(Ok(tried)) => tried,
        Ok(Err(fault)) => Err(Trouble::later("hub_fault", fault.to_string())),
        Err(_) => Err(Trouble::later("timed_out", "it took too long")),
    };
    if let Err(error) = settle(app, row, tried).await {
        tracing::warn!(%error, "What came of a post-step could not be written down; it is tried again");
    }
}

async fn attempt(app: &Shared, row: &StepRow) -> Result<Result<Deed, Trouble>, Fault> {
    let Some(matter) = Matter::read(app, row).await? else {
        return Ok(Err(Trouble::final_("task_gone", "the task is not kept any more")));
    };
    let types = app.types.load_full();
    let spec =
        types.get(&matter.type_name).and_then(|known| known.post_steps.iter().find(|spec| spec.name == row.name));
    let Some(spec) = spec else {
        let why = format!("the type {} has no such step any more", matter.type_name);
        return Ok(Err(Trouble::final_("step_gone", why)));
    };
    let ended = sortie_rules::tasks::Status::parse(matter.status);
    if matter.run != row.run || !ended.is_some_and(|status| spec.when.is_after(status)) {
        let why = "the task was put back into the queue since; its new run has steps of its own";
        return Ok(Err(Trouble::final_("superseded", why)));
    }
    if let (Some(pointer), 0) = (&spec.for_each, row.item) {
        return Ok(spread(&matter, pointer));
    }
    let matter = match &spec.for_each {
        Some(pointer) => matter.about_item(pointer, row.item),
        None => matter,
    };
    Ok(act(app, spec, &matter, &identity(row)).await)
}

async fn act(app: &Shared, spec: &PostStep, matter: &Matter, id: &str) -> Result<Deed, Trouble> {
    match &spec.act {
        Act::Mail(spec) => mail::send(&app.mailer, spec, &matter.to_json(), id).await.map(Deed::Done),
        Act::Webhook(name) => {
            let called = app.webhooks.call(&app.caller, name, matter, (id, app.clock.now())).await;
            called.map(Deed::Done)
        }
        Act::Status { of, fields } => {
            let taken = status::take(&matter.result, fields).map_err(|why| Trouble::final_("fields_missing", why))?;
            let holder = match (of, &matter.site) {
                (HolderKind::Node, _) => Holder::Node(matter.node_id.clone()),
                (HolderKind::Site, Some(site)) => Holder::Site(site.clone()),
                (HolderKind::Site, None) => {
                    return Err(Trouble::final_("no_site", format!("the node {} is at no site", matter.node)));
                }
            };
            let (task, at) = (matter.task, matter.finished_at);
            let rows = taken.into_iter().map(|(name, value)| FieldRow { name, value, task, at });
            Ok(Deed::Fields(holder, rows.collect()))
        }
    }
}

fn spread(matter: &Matter, pointer: &str) -> Result<Deed, Trouble> {
    let list = matter.result.pointer(pointer).and_then(Value::as_array);
    let Some(list) = list else {
        return Err(Trouble::final_("fields_missing", format!("the result has no list at {pointer}")));
    };
    if list.len() > POST_STEP_ITEMS_MAX {
        let why = format!("the list at {pointer} has {} items; {POST_STEP_ITEMS_MAX} are the most", list.len());
        return Err(Trouble::final_("too_many_items", why));
    }
    Ok(Deed::Spread(u32::try_from(list.len()).unwrap_or(0)))
}

/// What tells the step from every other, the same with each try.
fn identity(row: &StepRow) -> String {
    let whole = format!("{}/{}/{}/{}", row.task, row.run, row.name, row.item);
    format!("step_{}", &hex::encode(digest(&SHA256, whole.as_bytes()))[..32])
}

async fn settle(app: &Shared, row: StepRow, tried: Result<Deed, Trouble>) -> Result<(), Fault> {
    let (now, draw) = (app.clock.now(), app.entropy.draw());
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let tried = unless_site_gone(tx, &row, tried).await?;
                let outcome = match &tried {
                    Ok(_) => Tried::Done,
                    Err(trouble) => Tried::Failed { retry: trouble.retry },
                };
                let step = end(row.step, outcome, now, draw);
                let (code, message) = match &tried {
                    Ok(deed) => (None, deed.in_words()),
                    Err(trouble) => (Some(trouble.code.to_owned()), cut(&trouble.why)),
                };
                let finished_at = (!matches!(step.state, StepState::Pending { .. })).then_some(now);
                let after = StepRow { step, finished_at, code, message: Some(message), ..row.clone() };
                if !post_steps::update(tx, &row.step, &after).await? {
                    return Ok(());
                }
                if let Ok(deed) = tried {
                    deed.write(tx, &row, now).await?;
                }
                told(tx, &after, now).await
            })
        })
        .await
}

/// The same, or that the site was removed meanwhile on which fields were to be kept.
async fn unless_site_gone(
    tx: &mut Tx,
    row: &StepRow,
    tried: Result<Deed, Trouble>,
) -> Result<Result<Deed, Trouble>, Fault> {
    match &tried {
        Ok(Deed::Fields(Holder::Site(key), _)) if !sites::hold(tx, row.org, key).await? => {
            Ok(Err(Trouble::final_("no_site", format!("the site {key} was removed meanwhile"))))
        }
        _ => Ok(tried),
    }
}

impl Deed {
    fn in_words(&self) -> String {
        match self {
            Deed::Done(words) => words.clone(),
            Deed::Fields(_, rows) => {
                let names: Vec<&str> = rows.iter().map(|row| row.name.as_str()).collect();
                format!("kept {}", if names.is_empty() { "nothing".to_owned() } else { names.join(", ") })
            }
            Deed::Spread(0) => "the list is empty".to_owned(),
            Deed::Spread(items) => format!("one for each of {items} items"),
        }
    }

    async fn write(self, tx: &mut Tx, row: &StepRow, now: sortie_rules::time::Millis) -> Result<(), Fault> {
        match self {
            Deed::Done(_) => {}
            Deed::Fields(holder, rows) => {
                for field in &rows {
                    fields::set(tx, row.org, &holder, field).await?;
                }
            }
            Deed::Spread(items) => {
                let item = |item| StepRow { item, step: planned(now), ..row.clone() };
                post_steps::plan(tx, &(1..=items).map(item).collect::<Vec<_>>()).await?;
            }
        }
        Ok(())
    }
}

/// The event of a step that has come to its end.
async fn told(tx: &mut Tx, row: &StepRow, now: sortie_rules::time::Millis) -> Result<(), Fault> {
    let kind = match row.step.state {
        StepState::Pending { .. } => return Ok(()),
        StepState::Done => "post_step.done",
        StepState::Failed => "post_step.failed",
    };
    let data = json!({ "step": row.name, "item": row.item, "run": row.run, "tries": row.step.tries, "code": row.code });
    events::record(tx, Record::new(row.org, now, kind, "hub").task(row.task).data(&data)).await?;
    Ok(())
}

fn cut(text: &str) -> String {
    text.char_indices().take_while(|(at, _)| *at < MESSAGE_BYTES_MAX / 4).map(|(_, c)| c).collect()
}
