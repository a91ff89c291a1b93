//! Shows layers, their history, and publications.

use serde_json::{Value, json};
use sortie_rules::desired::{Layer, NodeStage};
use sortie_rules::ids::PublicationId;
use sortie_store::desired::drafts::{self, DraftRow};
use sortie_store::desired::publication_nodes as places;
use sortie_store::desired::publications::{self, LayerKey, PublicationRow};
use sortie_wire::desired::{Draft, LayerShown, Publication, PublicationCounts, PublicationNode, PublicationQuery};
use sortie_wire::pages::Page;
use sortie_wire::problem::ProblemCode;

use super::layer::of;
use crate::app::App;
use crate::fault::{Fault, refuse};
use crate::http::{page, page_size};
use crate::people::Principal;

/// What is answered for a publication that is not there, or not this org's.
pub(super) fn unknown() -> Fault {
    refuse(ProblemCode::UnknownPublication, "There is no such publication.")
}

/// What is answered for a revision that is not there.
pub(super) fn unknown_revision(revision: u64) -> Fault {
    let detail = format!(
        "The layer has no revision {revision}, or keeps it no more (`retention.publications_d`); \
         `sortie state history` lists those there are."
    );
    refuse(ProblemCode::UnknownRevision, detail)
}

/// A text of the store that is JSON.
pub(super) fn parsed(text: &str) -> Result<Value, Fault> {
    serde_json::from_str(text).map_err(|error| Fault::Broken(format!("a desired state cannot be read: {error}")))
}

/// A layer as it stands.
pub(super) async fn layer(app: &App, key: LayerKey) -> Result<LayerShown, Fault> {
    let of_name = node_name(app, key.layer, &key.of).await?;
    let mut shown = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                let revision = publications::newest(tx, &key).await?;
                let stands = publications::standing(tx, &key).await?;
                let text = publications::state_of_revision(tx, &key, stands).await?;
                let state = text.map_or(Ok(json!({})), |text| parsed(&text))?;
                let draft = drafts::get(tx, &key).await?.map_or(Ok(None), shown_draft)?;
                let running = publications::going_out(tx, &key).await?.map(shown).transpose()?;
                let (layer, of) = (key.layer, of(&key));
                Ok::<_, Fault>(LayerShown { layer, of, of_name, revision, stands, state, draft, running })
            })
        })
        .await?;
    if let Some(running) = &mut shown.running {
        running.of_name.clone_from(&shown.of_name);
    }
    Ok(shown)
}

/// The name of the node whose layer it is.
async fn node_name(app: &App, layer: Layer, of: &str) -> Result<Option<String>, Fault> {
    let Some(id) = (layer == Layer::Node).then(|| of.parse().ok()).flatten() else { return Ok(None) };
    Ok(app.nodes.find(&app.store, id).await?.map(|known| known.name.clone()))
}

/// The same publication, with the name of the node whose layer it is of.
pub(super) async fn named(app: &App, publication: Publication) -> Result<Publication, Fault> {
    let of_name = node_name(app, publication.layer, publication.of.as_deref().unwrap_or_default()).await?;
    Ok(Publication { of_name, ..publication })
}

/// A draft as people see it; nothing where one was.
fn shown_draft(row: DraftRow) -> Result<Option<Draft>, Fault> {
    let Some(text) = row.state else { return Ok(None) };
    let (based_on, version) = (row.based_on, row.version);
    let state = parsed(&text)?;
    Ok(Some(Draft { state, based_on, version, changed_by: row.changed_by, changed_at: row.changed_at }))
}

/// One page of a layer's publications, newest first.
pub(super) async fn history(app: &App, key: LayerKey, query: PublicationQuery) -> Result<Page<Publication>, Fault> {
    let (limit, before) = (page_size(query.limit)?, query.after);
    let of_name = node_name(app, key.layer, &key.of).await?;
    let rows = app
        .store
        .read(move |tx| Box::pin(async move { publications::history(tx, &key, before, limit + 1).await }))
        .await?;
    let rows = rows.into_iter().map(shown).collect::<Result<Vec<Publication>, Fault>>()?;
    let show = |row| Publication { of_name: of_name.clone(), ..row };
    Ok(page(rows, limit, |row| row.revision.to_string(), show))
}

/// What a revision of a layer was.
pub(super) async fn revision(app: &App, key: LayerKey, revision: u64) -> Result<Publication, Fault> {
    let found = app
        .store
        .read(move |tx| Box::pin(async move { publications::revision(tx, &key, revision).await }))
        .await?
        .ok_or_else(|| unknown_revision(revision))?;
    whole(app, found).await
}

/// One publication.
pub(super) async fn publication(app: &App, who: &Principal, id: PublicationId) -> Result<Publication, Fault> {
    let org = who.org;
    let row = app.store.read(move |tx| Box::pin(async move { publications::get_any_org(tx, id).await })).await?;
    whole(app, row.filter(|row| row.key.org == org).ok_or_else(unknown)?).await
}

/// A publication with what it says, and with how many of its nodes stand where.
async fn whole(app: &App, row: PublicationRow) -> Result<Publication, Fault> {
    let id = row.id;
    let (state, stages) = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                let state = publications::state(tx, id).await?.ok_or_else(unknown)?;
                Ok::<_, Fault>((state, places::counts(tx, id).await?))
            })
        })
        .await?;
    let mut counts = PublicationCounts::default();
    for (stage, many) in stages {
        *match stage {
            NodeStage::Waiting => &mut counts.waiting,
            NodeStage::Released => &mut counts.released,
            NodeStage::Converged => &mut counts.converged,
            NodeStage::Failed => &mut counts.failed,
            NodeStage::Given => &mut counts.given,
            NodeStage::TakenBack => &mut counts.taken_back,
            NodeStage::Skipped => &mut counts.skipped,
        } = many;
    }
    named(app, Publication { counts: Some(counts), state: Some(parsed(&state)?), ..shown(row)? }).await
}

/// One page of a publication's nodes.
pub(super) async fn nodes(
    app: &App,
    who: &Principal,
    id: PublicationId,
    query: PublicationQuery,
) -> Result<Page<PublicationNode>, Fault> {
    let limit = page_size(query.limit)?;
    let after = u32::try_from(query.after.unwrap_or(0)).unwrap_or(u32::MAX);
    let org = who.org;
    let rows = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                publications::get_any_org(tx, id).await?.filter(|row| row.key.org == org).ok_or_else(unknown)?;
                Ok::<_, Fault>(places::list(tx, id, after, limit + 1).await?)
            })
        })
        .await?;
    let show = |row: places::PublicationNodeRow| PublicationNode {
        node: row.node,
        node_name: row.name,
        stage: row.stage,
        generation: row.generation,
        released_at: row.released_at,
        ended_at: row.ended_at,
    };
    Ok(page(rows, limit, |row| row.position.to_string(), show))
}

/// A publication as people see it in lists.
pub(super) fn shown(row: PublicationRow) -> Result<Publication, Fault> {
    let selector = row.selector.as_deref().map(serde_json::from_str).transpose();
    let selector = selector.map_err(|error| Fault::Broken(format!("publication {}: {error}", row.id)))?;
    Ok(Publication {
        id: row.id,
        layer: row.key.layer,
        of: of(&row.key),
        of_name: None,
        revision: row.revision,
        status: row.life.status,
        message: row.message,
        published_by: row.published_by,
        published_at: row.published_at,
        finished_at: row.finished_at,
        repeats: row.repeats,
        selector,
        nodes: row.nodes,
        at_a_time: row.life.at_a_time,
        stop_after_failures: row.life.stop_failures,
        within: row.life.within,
        rolls_back: row.life.rolls_back,
        counts: None,
        state: None,
    })
}
