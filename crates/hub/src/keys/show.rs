//! The hub's keys as administrators see them.

use sortie_rules::limits::LAGGARDS_SHOWN_MAX;
use sortie_rules::rotation::{Lag, Member, NodeKeys, Ring, State, What};
use sortie_store::node_keys::{self, LaggardRow, Needed};
use sortie_wire::hub_keys::{HubKey, HubKeys, KeySort, KeyState, Lack, Laggard};

use crate::app::App;
use crate::fault::Fault;

/// All keys, and which nodes lag.
pub(super) async fn show(app: &App) -> Result<HubKeys, Fault> {
    let held = app.ring.held();
    let ring = held.ring();
    let (version, issuer) = needed(ring);
    let (laggards, lagging, (nodes, newest)) = app
        .store
        .read(move |tx| {
            Box::pin(async move {
                let needed = Needed { version, issuer: issuer.as_deref() };
                let laggards = node_keys::laggards(tx, needed, LAGGARDS_SHOWN_MAX).await?;
                let lagging = node_keys::count_laggards(tx, needed).await?;
                Ok::<_, Fault>((laggards, lagging, node_keys::count_followers(tx).await?))
            })
        })
        .await?;
    Ok(HubKeys {
        version: ring.version,
        keys: ring.members.iter().map(key).collect(),
        nodes,
        lagging,
        laggards: laggards.into_iter().map(|row| laggard(app, ring, row)).collect(),
        ahead: (newest > ring.version).then_some(newest),
    })
}

/// What a node must have to do without what is leaving: the key set, and the authority of its certificate if
/// that is not the first.
pub(crate) fn needed(ring: &Ring) -> (u64, Option<String>) {
    let issuer = ring.issuer().filter(|member| member.version > 1).map(|member| member.id.clone());
    (ring.needed(), issuer)
}

fn key(member: &Member) -> HubKey {
    let what = match member.what {
        What::Delivery => KeySort::Delivery,
        What::Authority => KeySort::Authority,
        What::Given => KeySort::Given,
    };
    let state = match member.state {
        State::Coming { .. } => KeyState::Coming,
        State::Current { .. } => KeyState::Current,
        State::Leaving { .. } => KeyState::Leaving,
    };
    HubKey { what, id: member.id.clone(), state, since: member.state.since(), version: member.version }
}

/// One that lags, and in what.
pub(super) fn laggard(app: &App, ring: &Ring, row: LaggardRow) -> Laggard {
    let heard_now = app.waiting.is_held(row.id).then(|| app.clock.now());
    let lacks = match ring.lag(NodeKeys { version: row.keys_version, issued_by: &row.issued_by }) {
        Some(Lag::Certificate) => Lack::Certificate,
        Some(Lag::Keys) | None => Lack::Keys,
    };
    Laggard {
        node: row.id,
        name: row.name,
        org: row.org,
        version: row.keys_version,
        lacks,
        heard_at: heard_now.or_else(|| app.presence.heard_at(row.id)).max(row.heard_at),
    }
}
