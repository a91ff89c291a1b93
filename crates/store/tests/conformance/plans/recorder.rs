//! Hears every statement that the store runs.

use std::collections::BTreeSet;
use std::sync::{Mutex, OnceLock, PoisonError};

use sortie_store::{Store, StoreError, audit, events};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

use crate::setup::Story;
use crate::{
    alarms, assertions, blobs, denied_tokens, desired, enforcements, followers, hub_keys, idempotency, invites, jobs,
    leaders, logs, node_keys, nodes, notifications, operations, org_settings, orgs_and_sites, outbox, people,
    post_steps, refusals, reports, secrets, standings, task_lists, task_times, tasks, tokens, trust_keys,
};

/// Every story about tables.
const STORIES: &[&[Story]] = &[
    alarms::STORIES,
    assertions::STORIES,
    crate::backups::STORIES,
    blobs::STORIES,
    denied_tokens::STORIES,
    desired::STORIES,
    crate::dispatches::STORIES,
    enforcements::STORIES,
    crate::events::STORIES,
    followers::STORIES,
    crate::history::STORIES,
    hub_keys::STORIES,
    idempotency::STORIES,
    invites::STORIES,
    jobs::STORIES,
    leaders::STORIES,
    logs::STORIES,
    crate::maintenance::STORIES,
    node_keys::STORIES,
    nodes::STORIES,
    notifications::STORIES,
    operations::STORIES,
    org_settings::STORIES,
    orgs_and_sites::STORIES,
    outbox::STORIES,
    people::STORIES,
    post_steps::STORIES,
    refusals::STORIES,
    reports::STORIES,
    secrets::STORIES,
    standings::STORIES,
    task_lists::STORIES,
    task_times::STORIES,
    tasks::STORIES,
    tokens::STORIES,
    trust_keys::STORIES,
];

/// What was heard: engine and text.
static HEARD: Mutex<BTreeSet<(String, String)>> = Mutex::new(BTreeSet::new());

struct Ear;

impl<S: tracing::Subscriber> Layer<S> for Ear {
    fn on_event(&self, event: &tracing::Event<'_>, _context: Context<'_, S>) {
        if event.metadata().target() == "sortie_store::sql" {
            let mut said = Said::default();
            event.record(&mut said);
            HEARD.lock().unwrap_or_else(PoisonError::into_inner).insert((said.engine, said.sql));
        }
    }
}

#[derive(Default)]
struct Said {
    engine: String,
    sql: String,
}

impl tracing::field::Visit for Said {
    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        match field.name() {
            "engine" => value.clone_into(&mut self.engine),
            "sql" => value.clone_into(&mut self.sql),
            _ => {}
        }
    }
    fn record_debug(&mut self, _field: &tracing::field::Field, _value: &dyn std::fmt::Debug) {}
}

/// How a story ends of which nothing shall be kept.
#[derive(Debug, PartialEq)]
enum Told {
    ToItsEnd,
    Failed(StoreError),
}

impl From<StoreError> for Told {
    fn from(error: StoreError) -> Told {
        Told::Failed(error)
    }
}

/// Every statement of this store's engine that the stories run, each once. Nothing of them is kept.
pub(super) async fn statements(store: &Store) -> Vec<String> {
    static LISTENING: OnceLock<()> = OnceLock::new();
    LISTENING.get_or_init(|| {
        let ear = tracing_subscriber::registry().with(Ear);
        tracing::subscriber::set_global_default(ear).expect("nobody else listens in this process");
    });
    let own: Story = |tx| Box::pin(the_audit_log(tx));
    for story in STORIES.iter().copied().flatten().copied().chain([own]) {
        let told = store.write(move |tx| {
            Box::pin(async move {
                story(tx).await?;
                Err::<(), _>(Told::ToItsEnd)
            })
        });
        let told = told.await;
        assert_eq!(told, Err(Told::ToItsEnd));
    }
    let heard = HEARD.lock().unwrap_or_else(PoisonError::into_inner);
    heard.iter().filter(|(engine, _)| engine == store.engine()).map(|(_, sql)| sql.clone()).collect()
}

/// What the stories of a file need whole transactions for.
async fn the_audit_log(tx: &mut sortie_store::Tx) -> Result<(), StoreError> {
    let org = sortie_rules::ids::DEFAULT_ORG;
    audit::seal_waiting(tx, 10).await?;
    audit::head(tx, org).await?;
    audit::list(tx, org, 0, 10).await?;
    audit::list_newest(tx, org, 10, 10).await?;
    events::changes_between(tx, 1, 4).await?;
    events::last_number(tx).await.map(drop)
}
