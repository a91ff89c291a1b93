//! Counts the parts of a summary, each in one look at the store. All of it is found by indexes, and what can be very
//! many is counted only so far.

use sortie_rules::ids::OrgId;
use sortie_rules::limits::{OPEN_JOBS_MAX, SUMMARY_COUNTED_MAX, SUMMARY_ENDED_WITHIN, SUMMARY_JOBS_MAX};
use sortie_store::node_keys::{self, Needed};
use sortie_store::{events, jobs, nodes, operations, outbox, tasks};
use sortie_wire::summary::{
    JobUnderWay, JobsUnderWay, NodeNumbers, OperationNumbers, OutboxLag, TaskEnds, TaskNumbers,
};

use crate::app::Shared;
use crate::fault::Fault;
use crate::jobs::shown_counts;
use crate::keys::needed;
use crate::read_models::Counted;

/// How many nodes are there, and how many are not.
pub(super) async fn nodes(app: Shared, org: OrgId) -> Result<Counted<NodeNumbers>, Fault> {
    let (version, issuer) = needed(app.ring.held().ring());
    app.store
        .read(move |tx| {
            Box::pin(async move {
                let event = events::last_number(tx).await?;
                let counts = nodes::counts(tx, org).await?;
                let needed = Needed { version, issuer: issuer.as_deref() };
                let keys_lagging = node_keys::count_laggards_of_org(tx, org, needed, SUMMARY_COUNTED_MAX).await?;
                let out_of_order = nodes::count_out_of_order(tx, org).await?;
                let value = NodeNumbers {
                    all: counts.all,
                    online: counts.online(),
                    stale: counts.stale,
                    down: counts.down,
                    new: counts.new,
                    quarantined: counts.quarantined,
                    revoked: counts.revoked,
                    clock_skewed: counts.skewed,
                    keys_lagging,
                    converging: out_of_order.converging,
                    drifted: out_of_order.drifted,
                    failing: out_of_order.failing,
                };
                Ok::<_, Fault>(Counted { value, event })
            })
        })
        .await
}

/// How many tasks stand where.
pub(super) async fn tasks(app: Shared, org: OrgId) -> Result<Counted<TaskNumbers>, Fault> {
    let since = app.clock.now() - SUMMARY_ENDED_WITHIN;
    app.store
        .read(move |tx| {
            Box::pin(async move {
                let event = events::last_number(tx).await?;
                let counts = tasks::counts(tx, org, since, SUMMARY_COUNTED_MAX).await?;
                let ended = TaskEnds {
                    since,
                    completed: counts.completed,
                    failed: counts.failed,
                    rejected: counts.rejected,
                    cancelled: counts.cancelled,
                    expired: counts.expired,
                };
                let value = TaskNumbers {
                    pending: counts.pending,
                    in_progress: counts.in_progress,
                    dead: counts.dead,
                    ended,
                    counted_to: SUMMARY_COUNTED_MAX,
                };
                Ok::<_, Fault>(Counted { value, event })
            })
        })
        .await
}

/// The jobs that are not over, and how the newest fare.
pub(super) async fn jobs(app: Shared, org: OrgId) -> Result<Counted<JobsUnderWay>, Fault> {
    app.store
        .read(move |tx| {
            Box::pin(async move {
                let event = events::last_number(tx).await?;
                let open = jobs::open_of_org(tx, org, OPEN_JOBS_MAX).await?;
                let all = open.len() as u64;
                let mut newest = Vec::new();
                for job in open.into_iter().take(SUMMARY_JOBS_MAX) {
                    let counts = shown_counts(jobs::counts(tx, job.id).await?);
                    let jobs::OpenJob { id, type_name, status, nodes } = job;
                    newest.push(JobUnderWay { id, type_name, status, nodes, counts });
                }
                Ok::<_, Fault>(Counted { value: JobsUnderWay { open: all, newest }, event })
            })
        })
        .await
}

/// How many operations wait for signatures.
pub(super) async fn operations(app: Shared, org: OrgId) -> Result<Counted<OperationNumbers>, Fault> {
    app.store
        .read(move |tx| {
            Box::pin(async move {
                let event = events::last_number(tx).await?;
                let awaiting_signature = operations::count_waiting(tx, org).await?;
                Ok::<_, Fault>(Counted { value: OperationNumbers { awaiting_signature }, event })
            })
        })
        .await
}

/// How far NATS is behind.
pub(super) async fn outbox(app: Shared) -> Result<Counted<OutboxLag>, Fault> {
    let relay = app.outbox.as_ref().map(|outbox| outbox.settings.relay.clone()).unwrap_or_default();
    app.store
        .read(move |tx| {
            Box::pin(async move {
                let event = events::last_number(tx).await?;
                // Where nothing was ever relayed it is not decided yet where to begin.
                let relayed = outbox::cursor(tx, &relay).await?.unwrap_or(event);
                let oldest = events::list_of_all_orgs(tx, relayed, 1).await?.pop();
                let value =
                    OutboxLag { events: event.saturating_sub(relayed), oldest_at: oldest.map(|oldest| oldest.at) };
                Ok::<_, Fault>(Counted { value, event })
            })
        })
        .await
}
