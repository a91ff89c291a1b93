//! Desired states, and what nodes say, that make no sense cannot be stored, whatever program writes them.

use sortie_rules::desired::Standing;
use sortie_rules::ids::DEFAULT_ORG;
use sortie_store::desired::drafts::{self, DraftRow};
use sortie_store::desired::observed::{self, ObservedRow};
use sortie_store::reports;
use sortie_store::secrets::{self, SecretRow};
use sortie_store::{Store, StoreError};

use crate::desired::{for_two, org_layer};
use crate::reports::report;
use crate::schema::refused;
use crate::setup::{NOW, store_stories};

store_stories!(intent_in_a_wrong_state_is_refused, facts_in_a_wrong_state_are_refused,);

/// A publication that two nodes wait for, a draft, a secret, and what one of the nodes has said.
async fn fill(store: &Store) {
    let verb = store.write(|tx| {
        Box::pin(async move {
            let (_, [node, _]) = for_two(tx).await?;
            let (changed_by, changed_at) = ("token:ci".to_owned(), NOW);
            let by = changed_by.clone();
            let draft = DraftRow {
                key: org_layer(),
                state: Some("{}".into()),
                based_on: 1,
                version: 1,
                changed_by: by,
                changed_at,
            };
            assert!(drafts::put(tx, &draft).await?);
            let (name, sealed) = ("wifi".to_owned(), vec![1]);
            let secret = SecretRow { org: DEFAULT_ORG, name, version: 1, sealed, changed_by, changed_at };
            assert!(secrets::put(tx, &secret).await?);
            let (standing, document) = (Standing::Converged, "{}".to_owned());
            let said = ObservedRow { node, org: DEFAULT_ORG, generation: 0, standing, document, heard_at: NOW };
            observed::put(tx, &said).await?;
            reports::insert(tx, &report(node, "backup", "a", 1), 9).await?;
            Ok::<_, StoreError>(())
        })
    });
    verb.await.unwrap();
}

async fn intent_in_a_wrong_state_is_refused(store: Store) {
    fill(&store).await;
    for sql in [
        "update publications set layer = 'room'",
        "update publications set layer_of = 'north'",
        "update publications set revision = 0",
        "update publications set repeats = revision",
        "update publications set within_ms = 0",
        "update publications set stop_failures = null",
        "update publications set at_a_time = 0",
        "update publications set at_a_time = null",
        "update publications set rolls_back = 2",
        "update publications set status = 'asleep'",
        "update publications set status = 'completed'",
        "update publications set finished_at = 5",
        "update publications set stands = 1",
        "update publication_nodes set stage = 'asleep'",
        "update publication_nodes set stage = 'released'",
        "update publication_nodes set generation = 3",
        "update publication_nodes set stage = 'given', before = null, generation = 1, released_at = 1",
        "update publication_nodes set stage = 'given', before = 0, generation = null, released_at = 1",
        "update publication_nodes set ended_at = 3",
        "update publication_nodes set stage = 'converged', before = 0, generation = 1, released_at = 1",
        "update publication_nodes set stage = 'given', before = 0, generation = 0, released_at = 1",
        "update drafts set version = 0",
        "update drafts set based_on = -1",
        "update drafts set layer = 'room'",
        "update drafts set layer_of = 'north'",
        "update node_desired set generation = -1",
        "update node_desired set org_revision = 1",
        "update node_desired set generation = 1, site_revision = 1",
        "update node_desired set site = 'nowhere'",
        "update secrets set version = 0",
    ] {
        refused(&store, sql).await;
    }
}

async fn facts_in_a_wrong_state_are_refused(store: Store) {
    fill(&store).await;
    for sql in [
        "update node_observed set standing = 'asleep'",
        "update node_observed set generation = -1",
        "update reports set number = 0",
        "update reports set newest = 2",
    ] {
        refused(&store, sql).await;
    }
}
