//! All recurring work of the hub, and how often each piece comes round.

use std::sync::Arc;
use std::time::Duration;

use sortie_rules::limits::LEADER_BEAT;
use sortie_rules::time::Span;

use super::driver::{every, every_at_leader, every_or_rung};
use crate::app::{App, Shared};
use crate::identity::ServerTls;
use crate::outbox::Outbox;
use crate::people::provider::Provider;
use crate::tasks::WakeDue;
use crate::{
    alarms, audit, backups, blobs, desired, enforcement, events, history, jobs, keys, liveness, logs, maintenance,
    nodes, notifications, operations, outbox, post_steps, read_models, reports, tasks,
};

/// How often it is written down which leases agents have renewed: several times within `RENEWALS_WRITTEN_WITHIN`.
const RENEWALS_EVERY: Duration = Duration::from_secs(1);
/// How often deadlines of leases and tasks are looked at.
const DEADLINES_EVERY: Duration = Duration::from_secs(1);
/// How often tasks are looked for whose time to begin has come.
const DUE_EVERY: Duration = Duration::from_millis(500);
/// How often PostgreSQL's committed events are numbered, and its entries of the audit log sealed.
const SEQUENCE_EVERY: Duration = Duration::from_millis(250);
/// How often it is looked whether events have changed what summaries were read from.
const EVICT_EVERY: Duration = Duration::from_millis(250);
/// How often it is looked whether there are events that somebody waits for.
const ANNOUNCE_EVERY: Duration = Duration::from_millis(200);
/// How often it is looked whether events can leave for NATS, if none of them rings.
const RELAY_EVERY: Duration = Duration::from_secs(1);
/// How often it is looked for post-steps that are due.
const POST_STEPS_EVERY: Duration = Duration::from_millis(500);
/// How often it is looked for operations that too few signed in time.
const OPERATIONS_EVERY: Duration = Duration::from_secs(10);
/// How often jobs are looked at, if no end of a task rings for them.
const JOBS_EVERY: Duration = Duration::from_millis(250);
/// How often publications are looked at, if nothing rings for them.
const PUBLICATIONS_EVERY: Duration = Duration::from_millis(500);
/// How often it is looked for what the hub itself is to enforce, if nothing rings for it.
const ENFORCE_EVERY: Duration = Duration::from_secs(1);
/// How often it is looked what time changes of alarms, if no event rings for them.
const ALARMS_EVERY: Duration = Duration::from_secs(1);
/// How often it is looked what is to be told, if no event rings for it.
const NOTIFICATIONS_EVERY: Duration = Duration::from_secs(1);
/// How often what happened is entered into history.
const HISTORY_EVERY: Duration = Duration::from_secs(2);
/// How often it is looked for backups that were to be done by now.
const BACKUPS_EVERY: Duration = Duration::from_secs(2);
/// How often one batch of old rows is deleted.
const FORGET_EVERY: Duration = Duration::from_secs(60);
/// How often it is looked for logs that may be put away as blobs.
const ARCHIVE_EVERY: Duration = Duration::from_secs(2);
/// How often the place of blobs is looked at, if nobody uses it.
const BLOBS_EVERY: Duration = Duration::from_secs(15);

/// How often it is looked whether a new key may be used, if no node rings for it, and which nodes do not know it.
const KEYS_EVERY: Duration = Duration::from_secs(30);
/// How often it is looked whether the operator's certificate has changed, and which of nodes' are near their end.
const CERTIFICATE_EVERY: Duration = Duration::from_secs(60);
/// How often it is looked whether the identity provider's keys are to be read anew.
const PROVIDER_EVERY: Duration = Duration::from_secs(1);

/// Starts every loop.
pub(crate) fn start_all(app: &Shared) {
    let due = Arc::new(WakeDue::new(app.listening_since));
    every(app, "write_renewals", RENEWALS_EVERY, |app| async move { tasks::flush_renewals(&app).await });
    every_at_leader(app, "expire_leases", DEADLINES_EVERY, |app| async move { tasks::expire_leases(&app).await });
    every_at_leader(app, "expire_operations", OPERATIONS_EVERY, |app| async move { operations::expire(&app).await });
    every(app, "wake_due", DUE_EVERY, move |app| {
        let due = Arc::clone(&due);
        async move { due.wake(&app).await }
    });
    start_signs_of_life(app);
    every_at_leader(app, "post_steps", POST_STEPS_EVERY, |app| async move { post_steps::perform(&app).await });
    every_or_rung(app, "jobs", JOBS_EVERY, |app| app.jobs.bell(), |app| async move { jobs::advance_all(&app).await });
    let bell = |app: &App| app.desired.bell();
    every_or_rung(app, "publications", PUBLICATIONS_EVERY, bell, |app| async move { desired::advance_all(&app).await });
    let bell = |app: &App| app.enforcements.bell();
    every_or_rung(app, "enforce", ENFORCE_EVERY, bell, |app| async move { enforcement::enforce(&app).await });
    every(app, "announce_events", ANNOUNCE_EVERY, |app| async move { events::announce(&app).await });
    every(app, "evict_read_models", EVICT_EVERY, |app| async move { read_models::evict(&app).await });
    if app.outbox.is_some() {
        let bell = |app: &App| app.outbox.as_ref().map(Outbox::bell).unwrap_or_default();
        every_or_rung(app, "relay_events", RELAY_EVERY, bell, |app| async move {
            if app.leader.leads(&app) { outbox::relay(&app).await } else { Ok(outbox::rest(&app).await) }
        });
    }
    every(app, "tidy_memory", FORGET_EVERY, |app| async move {
        app.waiting.ended.tidy();
        app.waiting.logs.tidy();
        app.denied.tidy(app.clock.now());
        app.rates.tidy(app.clock.now());
        app.refused.tidy(app.clock.now());
        Ok(0)
    });
    every_at_leader(app, "forget_old", FORGET_EVERY, |app| async move {
        let rows = tasks::forget_old(&app).await? + reports::forget(&app).await? + desired::forget(&app).await?;
        let rows = rows + alarms::forget(&app).await? + maintenance::forget(&app).await?;
        let rows = rows + notifications::forget(&app).await? + history::forget(&app).await?;
        Ok(rows + blobs::forget(&app).await?)
    });
    if app.blobs.place().is_some() {
        every_at_leader(app, "archive_logs", ARCHIVE_EVERY, |app| async move { logs::archive(&app).await });
        every(app, "check_blobs", BLOBS_EVERY, |app| async move { blobs::check(&app).await });
    }
    if app.blobs.alone.is_some() {
        every(app, "hold_blobs_folder", LEADER_BEAT.to_std(), |app| async move {
            match &app.blobs.alone {
                Some(alone) => alone.beat(&app).await,
                None => Ok(0),
            }
        });
    }
    start_keys(app);
    if app.provider.is_some() {
        every(app, "read_provider_keys", PROVIDER_EVERY, |app| async move { Provider::refresh_if_due(&app).await });
    }
    if app.store.engine() == "postgres" {
        every(app, "lead", LEADER_BEAT.to_std(), |app| async move { app.leader.beat(&app).await });
        every_at_leader(app, "number_events", SEQUENCE_EVERY, |app| async move { events::sequence(&app).await });
        every_at_leader(app, "seal_audit", SEQUENCE_EVERY, |app| async move { audit::seal(&app).await });
        let followed = Arc::new(events::Followed::default());
        every(app, "follow_changes", SEQUENCE_EVERY, move |app| {
            let followed = Arc::clone(&followed);
            async move { followed.follow(&app).await }
        });
    }
}

/// Who is there, what is wrong, who is told, and what is remembered of it.
fn start_signs_of_life(app: &Shared) {
    let seconds = |seconds: u32| Duration::from_secs(seconds.into());
    every(app, "check_presence", seconds(app.settings.presence.check_every_s), |app| async move {
        liveness::mind_clock(&app).await?;
        if app.leader.leads(&app) {
            return liveness::check(&app).await;
        }
        app.presence.hear_held(&app);
        Ok(0)
    });
    every(app, "flush_presence", seconds(app.settings.presence.flush_every_s), |app| async move {
        liveness::flush(&app).await
    });
    let bell = |app: &App| app.alarms.bell();
    every_or_rung(app, "alarms", ALARMS_EVERY, bell, |app| async move { alarms::follow(&app).await });
    let bell = |app: &App| app.notifications.bell();
    every_or_rung(
        app,
        "notifications",
        NOTIFICATIONS_EVERY,
        bell,
        |app| async move { notifications::follow(&app).await },
    );
    every_at_leader(app, "write_history", HISTORY_EVERY, |app| async move { history::follow(&app).await });
    every_at_leader(app, "judge_backups", BACKUPS_EVERY, |app| async move { backups::judge(&app).await });
}

/// The hub's own keys and certificates, and what nodes have of them.
fn start_keys(app: &Shared) {
    every(
        app,
        "renew_server_certificate",
        Span::hours(24).to_std().min(ServerTls::RENEW_EVERY.to_std()),
        |app| async move {
            let renewed = app.tls.apply(&app.ring.held(), &app.entropy, app.clock.now());
            renewed.map(|()| 1).map_err(|error| crate::fault::Fault::Broken(error.to_string()))
        },
    );
    every_or_rung(
        app,
        "advance_keys",
        KEYS_EVERY,
        |app| Arc::clone(&app.ring.bell),
        |app| async move { keys::advance(&app).await },
    );
    every_at_leader(app, "tell_key_lag", KEYS_EVERY, |app| async move { keys::tell_lag(&app).await });
    every_at_leader(app, "tell_certificates", CERTIFICATE_EVERY, |app| async move { nodes::tell_ending(&app).await });
    every(app, "reread_certificate", CERTIFICATE_EVERY, |app| async move { keys::reread_given(&app).await });
}
