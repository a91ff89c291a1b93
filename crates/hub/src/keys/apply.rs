//! What follows every change of the ring. All of it is done again at the next start, so that a crash in
//! between delays it and loses nothing.

use std::time::Duration;

use sortie_rules::ids::DEFAULT_ORG;
use sortie_rules::limits::NODES_TOLD_PER_SECOND;
use sortie_store::audit::{self, NewEntry};
use sortie_store::{Store, meta};
use sortie_wire::problem::ProblemCode;

use crate::app::Shared;
use crate::events::{self, Record};
use crate::fault::{Fault, refuse};
use crate::identity::{AuthorityError, KeyRing};
use crate::start::StartError;

/// How many steps of the ring have become events.
const TOLD: &str = "keys_steps_told";
/// The ring's version when they did.
const VERSION: &str = "keys_version";
/// How long nodes are told of news at a go.
const BREATH: Duration = Duration::from_millis(100);

/// Uses the ring as it is now: for commands on this machine, for TLS, in the events, and with a word to every
/// node that waits.
pub(super) async fn apply(app: &Shared) -> Result<(), Fault> {
    let held = app.ring.held();
    let broken = |what: &str, error: &dyn std::fmt::Display| Fault::Broken(format!("{what}: {error}"));
    // Commands on this machine believe an authority before it serves.
    app.files.write("ca.pem", held.set().trust().as_bytes()).map_err(|error| broken("ca.pem", &error))?;
    app.tls.apply(&held, &app.entropy, app.clock.now()).map_err(|error| broken("TLS", &error))?;
    record_steps(app).await?;
    tell_nodes(app);
    app.ring.bell.notify_one();
    Ok(())
}

/// Reads the ring again, where another hub may have changed it.
pub(super) async fn reread(app: &Shared) -> Result<bool, Fault> {
    app.ring.reread().await.map_err(unusable)
}

/// Why the ring stays as it is.
pub(super) fn unusable(error: AuthorityError) -> Fault {
    match error {
        AuthorityError::Changed => {
            let detail = "Another hub on this database has changed the keys at the same moment: look at them with \
                          `sortie hub keys show`, and decide again.";
            refuse(ProblemCode::KeysChanged, detail)
        }
        AuthorityError::Sealed { why, .. } => {
            let detail = format!("This hub cannot change the keys: {why}. Another hub on this database may.");
            refuse(ProblemCode::Conflict, detail)
        }
        AuthorityError::Store(error) => error.into(),
        other => Fault::Broken(other.to_string()),
    }
}

/// Writes an event of each step that has none yet, and who did it into the audit log.
pub(crate) async fn record_steps(app: &Shared) -> Result<(), Fault> {
    let held = app.ring.held();
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let told = meta::get(tx, TOLD).await?.and_then(|text| text.parse().ok()).unwrap_or(0_usize);
                let version = held.ring().version.to_string();
                if told == held.steps().len() && meta::get(tx, VERSION).await?.as_ref() == Some(&version) {
                    return Ok(());
                }
                for step in held.steps().iter().skip(told) {
                    let mut data = step.data.clone();
                    data["version"] = step.to.into();
                    data["what"] = step.what.map(|what| what.as_str()).into();
                    let record = Record::new(DEFAULT_ORG, step.at, step.kind.event(), &step.actor).data(&data);
                    events::record(tx, record).await?;
                    if let Some(act) = &step.act {
                        audit::insert(tx, NewEntry::new(DEFAULT_ORG, act.clone())).await?;
                    }
                }
                meta::set(tx, TOLD, &held.steps().len().to_string()).await?;
                meta::set(tx, VERSION, &version).await?;
                Ok::<_, Fault>(())
            })
        })
        .await
}

/// Refuses a ring that is older than one that this store has seen: nodes believe newer keys, which the hub
/// does not have.
pub(crate) async fn is_not_older_than_the_store(store: &Store, ring: &KeyRing) -> Result<(), StartError> {
    let seen = store.read(|tx| Box::pin(async move { meta::get(tx, VERSION).await })).await?;
    let (seen, own) = (seen.and_then(|text| text.parse().ok()).unwrap_or(0_u64), ring.held().ring().version);
    if seen <= own {
        return Ok(());
    }
    Err(StartError::Other(format!(
        "the folder keys/ holds key set {own}, and this hub has had key set {seen}: restore keys/ from a backup made \
         after the last rotation, or copy it from the hub on this database that rotated"
    )))
}

/// Ends waits early, some at a time, so that each node hears that there is a newer key set.
fn tell_nodes(app: &Shared) {
    let app = app.clone();
    tokio::spawn(async move {
        let held = app.waiting.held();
        let at_a_go = NODES_TOLD_PER_SECOND / usize::try_from(1000 / BREATH.as_millis()).unwrap_or(1);
        for some in held.chunks(at_a_go.max(1)) {
            some.iter().for_each(|node| app.waiting.end_wait(*node));
            tokio::select! {
                () = tokio::time::sleep(BREATH) => {}
                () = app.stop.cancelled() => return,
            }
        }
    });
}
