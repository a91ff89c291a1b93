//! Keeps the table of enforcements in step with what is meant: one is noted before anything is done for it at the edge,
//! and stays until nothing of it is there any more.

use std::sync::Arc;

use sortie_rules::enforcement::noted;
use sortie_rules::ids::NodeId;
use sortie_rules::time::Millis;
use sortie_store::Tx;
use sortie_store::desired::pins::{self, PinsRow};
use sortie_store::enforcements::{self, EnforcementRow};

use super::memory::Work;
use super::wanted::{is_spoken_of, of_node};
use crate::app::{App, Shared};
use crate::clock::Steady;
use crate::fault::Fault;
use crate::packs::ResourceKinds;

/// Nodes whose pins are read at once.
const PAGE: u32 = 1000;

/// Looks at the nodes for which something else may be meant. Returns how much that was.
pub(super) async fn note(app: &Shared) -> Result<u64, Fault> {
    let kinds = app.kinds.load_full();
    let mut changes = 0;
    match app.enforcements.to_note(&kinds) {
        Work::All => {
            let began = Steady::now();
            changes += all(app, &kinds).await?;
            app.enforcements.noted_all(&kinds, began);
        }
        Work::These(nodes) => {
            for (at, node) in nodes.iter().enumerate() {
                match one(app, &kinds, *node).await {
                    Ok(changed) => changes += changed,
                    Err(error) => {
                        app.enforcements.not_noted(nodes[at..].iter().copied());
                        return Err(error);
                    }
                }
            }
        }
    }
    Ok(changes)
}

/// Looks at every node whose generation was not seen yet.
async fn all(app: &Shared, kinds: &Arc<ResourceKinds>) -> Result<u64, Fault> {
    let (mut after, mut changes) = (None, 0);
    loop {
        let (shared, with) = (app.clone(), Arc::clone(kinds));
        let (page, to_settle) = app
            .store
            .read(move |tx| {
                Box::pin(async move {
                    let page = pins::all(tx, after, PAGE).await?;
                    let to_settle = to_settle(tx, &shared, &with, &page).await?;
                    Ok::<_, Fault>((page, to_settle))
                })
            })
            .await?;
        for node in to_settle {
            changes += one(app, kinds, node).await?;
        }
        after = page.last().map(|(pins, _)| pins.node);
        if page.len() < PAGE as usize {
            return Ok(changes);
        }
    }
}

/// Those of a page that have enforcements, or whose layers speak of some. The others were seen.
async fn to_settle(
    tx: &mut Tx,
    app: &App,
    kinds: &ResourceKinds,
    page: &[(PinsRow, bool)],
) -> Result<Vec<NodeId>, Fault> {
    let (Some((first, _)), Some((last, _))) = (page.first(), page.last()) else { return Ok(Vec::new()) };
    let having = enforcements::nodes_between(tx, first.node, last.node).await?;
    let mut to_settle = Vec::new();
    for (pins, is_shut_out) in page {
        let seen = (pins.generation, *is_shut_out);
        if app.enforcements.has_seen(pins.node, seen) {
            continue;
        }
        if having.contains(&pins.node) || (kinds.has_enforced() && is_spoken_of(tx, app, kinds, pins).await?) {
            to_settle.push(pins.node);
        } else {
            app.enforcements.saw(pins.node, seen, false);
        }
    }
    Ok(to_settle)
}

/// Looks at one node. Returns how many enforcements came to be wanted otherwise.
pub(super) async fn one(app: &Shared, kinds: &Arc<ResourceKinds>, node: NodeId) -> Result<u64, Fault> {
    let now = app.clock.now();
    let (shared, with) = (app.clone(), Arc::clone(kinds));
    let read = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                let Some((pins, is_shut_out)) = pins::with_end(tx, node).await? else { return Ok(None) };
                let changes = changes(tx, &shared, &with, &pins, is_shut_out, now).await?;
                let has_some = !changes.is_empty() || !enforcements::of_node(tx, node).await?.is_empty();
                Ok::<_, Fault>(Some((pins.generation, is_shut_out, changes.is_empty(), has_some)))
            })
        })
        .await?;
    let Some((generation, is_shut_out, is_in_step, has_some)) = read else { return Ok(0) };
    let changed = if is_in_step { Some(0) } else { settle(app, kinds, node, now).await? };
    match changed {
        Some(_) => app.enforcements.saw(node, (generation, is_shut_out), has_some),
        // A try has written one of them meanwhile.
        None => app.enforcements.changed(node),
    }
    Ok(changed.unwrap_or(0))
}

/// Writes down what came to be wanted otherwise. Nothing if one of them has changed since it was read.
async fn settle(app: &Shared, kinds: &Arc<ResourceKinds>, node: NodeId, now: Millis) -> Result<Option<u64>, Fault> {
    let (shared, with) = (app.clone(), Arc::clone(kinds));
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let Some((pins, is_shut_out)) = pins::with_end(tx, node).await? else { return Ok(Some(0)) };
                let changes = changes(tx, &shared, &with, &pins, is_shut_out, now).await?;
                let mut are_kept = true;
                for (row, is_new) in &changes {
                    are_kept &= match is_new {
                        true => enforcements::insert(tx, row).await?,
                        false => enforcements::update(tx, row).await?,
                    };
                }
                Ok::<_, Fault>(are_kept.then_some(changes.len() as u64))
            })
        })
        .await
}

/// What of a node's enforcements comes to be wanted otherwise, and whether it is new.
async fn changes(
    tx: &mut Tx,
    app: &App,
    kinds: &ResourceKinds,
    pins: &PinsRow,
    is_shut_out: bool,
    now: Millis,
) -> Result<Vec<(EnforcementRow, bool)>, Fault> {
    let Some(meant) = of_node(tx, app, kinds, pins, is_shut_out).await? else { return Ok(Vec::new()) };
    let rows = enforcements::of_node(tx, pins.node).await?;
    let mut changes = Vec::new();
    for row in &rows {
        if meant.others.contains(&row.resource) || meant.unusable.contains_key(&row.resource) {
            continue;
        }
        // One that went over to another zone is wanted there, and no more here.
        let wanted = meant.wanted.get(&row.resource).filter(|wanted| wanted.rules.zone == row.zone);
        if let Some(life) = noted(Some(&row.life), wanted.map(|wanted| wanted.hash.as_str()), now) {
            let secret = wanted.map_or(&row.secret, |wanted| &wanted.rules.token).clone();
            changes.push((EnforcementRow { life, secret, ..row.clone() }, false));
        }
    }
    for (resource, wanted) in meant.wanted {
        let is_known = rows.iter().any(|row| row.resource == resource && row.zone == wanted.rules.zone);
        if let (false, Some(life)) = (is_known, noted(None, Some(&wanted.hash), now)) {
            let (node, org, enforcer) = (pins.node, pins.org, wanted.enforcer);
            let (zone, secret) = (wanted.rules.zone, wanted.rules.token);
            changes.push((EnforcementRow { node, resource, zone, org, enforcer, secret, life, turn: 0 }, true));
        }
    }
    Ok(changes)
}
