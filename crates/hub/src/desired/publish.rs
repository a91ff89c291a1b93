//! Publishes a layer: which nodes are meant is decided once, at this moment; those that come later get what stands.

use std::collections::BTreeMap;

use serde_json::Value;
use sortie_rules::desired::{Layer, Publication as Life, PublicationStatus};
use sortie_rules::ids::NodeId;
use sortie_rules::limits::{
    CONVERGES_WITHIN_DEFAULT, CONVERGES_WITHIN_MAX, CONVERGES_WITHIN_MIN, PINS_LOOKED_AT_MAX,
    PUBLICATION_MESSAGE_BYTES_MAX,
};
use sortie_rules::selectors::Selector;
use sortie_store::desired::drafts::{self, DraftRow};
use sortie_store::desired::publications::{self, LayerKey, ONE_GOES_OUT, PublicationRow, REVISION_TAKEN};
use sortie_store::desired::{pins, publication_nodes};
use sortie_store::{Tx, nodes, secrets};
use sortie_wire::desired::{Publication, Publish};
use sortie_wire::jobs::Selector as Asked;
use sortie_wire::problem::ProblemCode;

use super::advance::told;
use super::check::{self, Other, Others};
use super::draft::{changed, name_of};
use super::layer;
use super::show::{named, parsed, shown, unknown_revision};
use crate::app::Shared;
use crate::audit::{self, Act};
use crate::fault::{Fault, refuse, refuse_at};
use crate::http::Once;
use crate::jobs::{select, selector};
use crate::people::Principal;

/// Publishes, or answers as the first request under the same key was answered.
pub(super) async fn publish(
    app: &Shared,
    who: &Principal,
    key: LayerKey,
    request: Publish,
    once: Once,
) -> Result<Publication, Fault> {
    let answer = match publish_anew(app, who, key, request, once.clone()).await {
        Err(refusal) => once.recall_after(&app.store, refusal).await?,
        Ok(answer) => answer,
    };
    app.desired.nudge_new();
    let publication = serde_json::from_str(&answer).map_err(|error| Fault::Broken(error.to_string()))?;
    named(app, publication).await
}

/// What is to be published, and where it was read.
#[derive(Clone)]
struct Read {
    state: Value,
    /// The draft, if that is what is published.
    draft: Option<DraftRow>,
    /// The newest revision.
    newest: u64,
    others: Vec<Others>,
}

async fn publish_anew(
    app: &Shared,
    who: &Principal,
    key: LayerKey,
    mut request: Publish,
    once: Once,
) -> Result<String, Fault> {
    let now = app.clock.now();
    let life = life(&request)?;
    // Who means all of them says no more than who names none.
    let everyone = Asked { all: true, ..Asked::default() };
    request.selector = request.selector.filter(|asked| *asked != everyone);
    let asked = request.selector.as_ref().map(selector).transpose()?;
    let (of, shared, asked_for) = (key.clone(), app.clone(), request.clone());
    let read = app.store.read(move |tx| Box::pin(async move { read_all(tx, &shared, &of, &asked_for).await })).await?;
    let names = check::layer(&read.state)?;
    let (kinds, layer, state, others) = (app.kinds.load_full(), key.layer, read.state.clone(), read.others.clone());
    let checked = tokio::task::spawn_blocking(move || check::merged(&kinds, layer, &state, &others));
    checked.await.map_err(|error| Fault::Broken(error.to_string()))??;
    let broken = |error: serde_json::Error| Fault::Broken(error.to_string());
    let row = PublicationRow {
        id: app.entropy.id::<sortie_rules::ids::kind::Publication>(now),
        revision: read.newest + 1,
        message: request.message,
        published_by: who.name.to_string(),
        published_at: now,
        finished_at: None,
        repeats: request.revision,
        selector: request.selector.as_ref().map(serde_json::to_string).transpose().map_err(broken)?,
        nodes: 0,
        life,
        stands: false,
        turn: 0,
        key,
    };
    let act = Act::by(who, now)?.on("layer", name_of(&row.key));
    let sha256 = once.body_sha256();
    let written = app.store.write_checked(move |tx| Box::pin(write(tx, row, read, names, asked, act, sha256, once)));
    written.await.map_err(|fault| match fault {
        Fault::Store(error) if error.is_taken(REVISION_TAKEN) || error.is_taken(ONE_GOES_OUT) => published_meanwhile(),
        fault => fault,
    })
}

fn published_meanwhile() -> Fault {
    let detail = "Somebody has published the layer meanwhile; look at what differs, and publish again.";
    refuse(ProblemCode::Conflict, detail)
}

/// What the request says of the way to nodes.
fn life(request: &Publish) -> Result<Life, Fault> {
    let invalid = |at: &str, detail: String| Err(refuse_at(ProblemCode::FieldInvalid, at, detail));
    let message = request.message.trim();
    if message.is_empty() || request.message.len() > PUBLICATION_MESSAGE_BYTES_MAX {
        let most = PUBLICATION_MESSAGE_BYTES_MAX;
        return invalid("/message", format!("Say why in a sentence of at most {most} bytes."));
    }
    if request.state.is_some() && request.revision.is_some() {
        return invalid("/revision", "Publish a state or an earlier revision, and not both.".to_owned());
    }
    let staged = request.stop_after_failures.is_some() || request.within.is_some() || request.rolls_back;
    if request.at_a_time.is_none() && staged {
        let detail = "Without at_a_time nobody is waited for, so nothing can fail.".to_owned();
        return invalid("/at_a_time", detail);
    }
    if request.at_a_time == Some(0) || request.stop_after_failures == Some(0) {
        return invalid("/at_a_time", "At least one node at a time, and one failure.".to_owned());
    }
    let within = request.within.unwrap_or(CONVERGES_WITHIN_DEFAULT);
    if !(CONVERGES_WITHIN_MIN..=CONVERGES_WITHIN_MAX).contains(&within) {
        let detail = format!("A node has from {CONVERGES_WITHIN_MIN} to {CONVERGES_WITHIN_MAX} to come in order.");
        return invalid("/within", detail);
    }
    Ok(Life {
        status: PublicationStatus::Running,
        at_a_time: request.at_a_time,
        stop_failures: request.at_a_time.map(|_| request.stop_after_failures.unwrap_or(1)),
        within,
        rolls_back: request.rolls_back,
    })
}

async fn read_all(tx: &mut Tx, app: &Shared, key: &LayerKey, request: &Publish) -> Result<Read, Fault> {
    let newest = publications::newest(tx, key).await?;
    if request.after.is_some_and(|seen| seen != newest) {
        return Err(published_meanwhile());
    }
    let mut draft = None;
    let state = match (&request.state, request.revision) {
        (Some(state), _) => state.clone(),
        (None, Some(revision)) => {
            let text = publications::state_of_revision(tx, key, revision).await?;
            parsed(&text.ok_or_else(|| unknown_revision(revision))?)?
        }
        (None, None) => {
            let row = drafts::get(tx, key).await?;
            let Some(text) = row.as_ref().and_then(|row| row.state.as_deref()) else {
                return Err(changed(row.as_ref()));
            };
            let state = parsed(text)?;
            if request.draft.is_some_and(|seen| row.as_ref().is_some_and(|row| row.version != seen)) {
                return Err(changed(row.as_ref()));
            }
            draft = row;
            state
        }
    };
    Ok(Read { state, draft, newest, others: others(tx, app, key).await? })
}

/// What the other layers say, once for each different set of pins. Where the layer has no nodes yet, what stands below
/// it.
async fn others(tx: &mut Tx, app: &Shared, key: &LayerKey) -> Result<Vec<Others>, Fault> {
    let different = pins::different(tx, key, PINS_LOOKED_AT_MAX).await?;
    let mut sets = Vec::with_capacity(different.len().max(1));
    for row in &different {
        let mut set = Others::new();
        for (of, revision) in row.layers().into_iter().filter(|(of, _)| of.layer != key.layer) {
            let (name, state) = (name_of(&of), app.desired.state(tx, &of, revision).await?);
            set.push(Other { layer: of.layer, name, state });
        }
        sets.push(set);
    }
    if sets.is_empty() {
        let mut set = Others::new();
        let org = LayerKey { org: key.org, layer: Layer::Org, of: String::new() };
        let stands = publications::standing(tx, &org).await?;
        if key.layer != Layer::Org && stands > 0 {
            let (name, state) = (name_of(&org), app.desired.state(tx, &org, stands).await?);
            set.push(Other { layer: Layer::Org, name, state });
        }
        sets.push(set);
    }
    Ok(sets)
}

#[expect(clippy::too_many_arguments, reason = "all that one transaction needs")]
async fn write(
    tx: &mut Tx,
    mut row: PublicationRow,
    read: Read,
    names: BTreeMap<String, String>,
    asked: Option<Selector>,
    act: Act,
    request_sha256: String,
    once: Once,
) -> Result<String, Fault> {
    if let Some(answer) = once.recall(tx).await? {
        return Ok(answer);
    }
    let now = row.published_at;
    if publications::newest(tx, &row.key).await? != read.newest {
        return Err(published_meanwhile());
    }
    layer::hold(tx, &row.key).await?;
    for (name, place) in &names {
        if secrets::get(tx, row.key.org, name).await?.is_none() {
            let detail = format!("There is no secret `{name}`; write it first (`sortie secret set {name}`).");
            return Err(refuse_at(ProblemCode::UnknownSecret, place, detail));
        }
    }
    if let Some(draft) = read.draft {
        let version = draft.version + 1;
        let by = row.published_by.clone();
        let gone = DraftRow { state: None, version, changed_by: by, changed_at: now, ..draft };
        if !drafts::put(tx, &gone).await? {
            let there = drafts::get(tx, &row.key).await?;
            return Err(changed(there.as_ref()));
        }
    }
    if let Some(former) = publications::going_out(tx, &row.key).await? {
        if !publications::take_turn(tx, former.id, former.turn).await? {
            return Err(published_meanwhile());
        }
        publication_nodes::let_go(tx, former.id).await?;
        publications::set_status(tx, former.id, PublicationStatus::Superseded, Some(now)).await?;
    }
    let meant = nodes_of(tx, &row.key, asked).await?;
    row.nodes = u32::try_from(meant.len()).unwrap_or(u32::MAX);
    let names: Vec<String> = names.into_keys().collect();
    publications::insert(tx, &row, &read.state.to_string(), &names).await?;
    publication_nodes::insert_all(tx, row.id, 1, &meant).await?;
    told(tx, &row, "desired.published", &row.published_by, now).await?;
    let changes = serde_json::json!({
        "message": row.message, "nodes": row.nodes, "publication": row.id, "repeats": row.repeats,
        "request_sha256": request_sha256, "revision": row.revision,
    });
    audit::record(tx, act.changes(changes)).await?;
    let answer = serde_json::to_string(&shown(row)?).map_err(|error| Fault::Broken(error.to_string()))?;
    once.remember(tx, &answer, now).await?;
    Ok(answer)
}

/// The nodes of a layer that a selector means, by name; without one, all that are not shut out. A selector that means
/// none is refused.
pub(super) async fn nodes_of(tx: &mut Tx, key: &LayerKey, asked: Option<Selector>) -> Result<Vec<NodeId>, Fault> {
    if key.layer == Layer::Node {
        if asked.is_some() {
            let detail = "The layer of a node is for that node; it has no selector.";
            return Err(refuse_at(ProblemCode::FieldInvalid, "/selector", detail));
        }
        let id: NodeId = key.of.parse().map_err(|_| Fault::Broken("a layer names no node".to_owned()))?;
        let node = nodes::get(tx, key.org, id).await?;
        return Ok(node.filter(|node| node.revoked_at.is_none()).map(|node| node.id).into_iter().collect());
    }
    let is_asked = asked.is_some();
    let mut meant = asked.unwrap_or(Selector { all: true, ..Selector::default() });
    if key.layer == Layer::Site {
        if meant.site.as_ref().is_some_and(|site| *site != key.of) {
            let detail = "The layer of a site is for nodes of that site.";
            return Err(refuse_at(ProblemCode::FieldInvalid, "/selector/site", detail));
        }
        meant.site = Some(key.of.clone());
    }
    match select(tx, key.org, &meant).await {
        Err(Fault::Problem(problem)) if problem.code == ProblemCode::SelectorMatchesNothing && !is_asked => {
            Ok(Vec::new())
        }
        found => Ok(found?.into_iter().map(|(_, id)| id).collect()),
    }
}
