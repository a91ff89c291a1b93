//! What a node says of its key set and its certificate: noted when it changes, and not with every wait. Only
//! what it says that it has counts: what was sent to it may never have reached its disk.

use std::sync::PoisonError;

use sortie_rules::limits::COUNT_MAX;
use sortie_rules::rotation::Ring;
use sortie_store::node_keys;
use sortie_wire::deliveries::WaitQuery;
use sortie_wire::problem::ProblemCode;

use crate::app::Shared;
use crate::fault::{Fault, refuse};
use crate::http::NodeCaller;

/// Notes what a node says of its keys. Returns the version that counts as known to it: its wait is held while
/// that is the newest. Each start of an agent is told of a newer one once; one that does not take it is held all
/// the same.
pub(crate) async fn heard_of(app: &Shared, caller: &NodeCaller, query: &WaitQuery) -> Result<u64, Fault> {
    let held = app.ring.held();
    let newest = held.ring().version;
    let Some(said) = query.keys else { return Ok(newest) };
    let had = caller.keys().lock().unwrap_or_else(PoisonError::into_inner).clone();
    let has = (said, issuer(held.ring(), said, query.certified).unwrap_or_else(|| had.1.clone()));
    if has != had && app.rates.note_of_node(caller.node, app.clock.now()).is_ok() {
        note(app, caller, has, newest).await?;
    }
    let is_news = said < newest && caller.tell_of_keys(query.boot, newest);
    Ok(if is_news { said } else { newest })
}

/// The authority of a certificate of which it is said whether it comes from the one that a key set names; `None`
/// if that does not tell.
fn issuer(ring: &Ring, version: u64, certified: Option<bool>) -> Option<String> {
    let newest = ring.issuer()?;
    match certified? {
        true => (version >= newest.version).then(|| newest.id.clone()),
        false => Some(String::new()),
    }
}

async fn note(app: &Shared, caller: &NodeCaller, has: (u64, String), newest: u64) -> Result<(), Fault> {
    let (node, version) = (caller.node, has.0);
    if version > COUNT_MAX.into() {
        return Err(refuse(ProblemCode::MalformedParameter, format!("keys is at most {COUNT_MAX}.")));
    }
    let written = has.clone();
    app.store.write(move |tx| Box::pin(async move { node_keys::set(tx, node, written.0, &written.1).await })).await?;
    *caller.keys().lock().unwrap_or_else(PoisonError::into_inner) = has;
    if version > newest {
        tracing::error!(
            %node, version, newest,
            "A node has a newer key set than this hub: was keys/ restored from a backup older than the last rotation?"
        );
    }
    app.ring.bell.notify_one();
    Ok(())
}
