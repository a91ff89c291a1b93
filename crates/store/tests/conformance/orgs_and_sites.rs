//! Tenants, the places of their nodes, and the words the hub keeps.

use sortie_rules::ids::DEFAULT_ORG;
use sortie_rules::time::Millis;
use sortie_store::nodes::NodeRow;
use sortie_store::orgs::OrgRow;
use sortie_store::sites::SiteRow;
use sortie_store::{Store, StoreError, Tx, meta, nodes, orgs, sites};

use crate::setup::{NOW, OTHER_ORG, id, node, store_stories, stories};

stories!(
    a_word_is_kept_until_another_takes_its_place,
    orgs_are_found_and_listed,
    sites_are_renamed_by_writing_them_again,
    sites_are_listed_in_byte_order_page_by_page,
    a_site_is_held_and_goes_when_nothing_refers_to_it,
);

async fn a_word_is_kept_until_another_takes_its_place(tx: &mut Tx) -> Result<(), StoreError> {
    assert_eq!(meta::get(tx, "color").await?, None);
    meta::set(tx, "color", "green").await?;
    meta::set(tx, "color", "blue").await?;
    assert_eq!(meta::get(tx, "color").await?.as_deref(), Some("blue"));
    assert_eq!(meta::get(tx, "oldest_program_schema").await?.as_deref(), Some("1"));
    Ok(())
}

async fn orgs_are_found_and_listed(tx: &mut Tx) -> Result<(), StoreError> {
    let default = orgs::get(tx, DEFAULT_ORG).await?.expect("it is there");
    assert_eq!(default, OrgRow { id: DEFAULT_ORG, name: "default".into(), created_at: NOW });
    assert_eq!(orgs::get(tx, id(77)).await?, None);
    let first = orgs::list(tx, None, 1).await?;
    let second = orgs::list(tx, Some(first[0].id), 10).await?;
    assert_eq!([first[0].id, second[0].id], [DEFAULT_ORG.min(OTHER_ORG), DEFAULT_ORG.max(OTHER_ORG)]);
    Ok(())
}

fn site(key: &str, name: &str, created_at: Millis) -> SiteRow {
    SiteRow { org: DEFAULT_ORG, key: key.into(), name: name.into(), created_at }
}

async fn sites_are_renamed_by_writing_them_again(tx: &mut Tx) -> Result<(), StoreError> {
    sites::upsert(tx, &site("north", "North", NOW)).await?;
    sites::upsert(tx, &site("north", "The North", Millis(NOW.0 + 1))).await?;
    assert_eq!(sites::get(tx, DEFAULT_ORG, "north").await?, Some(site("north", "The North", NOW)));
    assert_eq!(sites::get(tx, OTHER_ORG, "north").await?, None);
    Ok(())
}

async fn sites_are_listed_in_byte_order_page_by_page(tx: &mut Tx) -> Result<(), StoreError> {
    // By the rules of a language `a_b` and `a-b` would stand otherwise.
    for key in ["b", "a_b", "a-b", "a.b", "a0"] {
        sites::upsert(tx, &site(key, key, NOW)).await?;
    }
    let keys = |rows: Vec<SiteRow>| rows.into_iter().map(|row| row.key).collect::<Vec<_>>();
    assert_eq!(keys(sites::list(tx, DEFAULT_ORG, None, 3).await?), ["a-b", "a.b", "a0"]);
    assert_eq!(keys(sites::list(tx, DEFAULT_ORG, Some("a0"), 3).await?), ["a_b", "b"]);
    assert_eq!(sites::list(tx, OTHER_ORG, None, 3).await?, []);
    Ok(())
}

async fn a_site_is_held_and_goes_when_nothing_refers_to_it(tx: &mut Tx) -> Result<(), StoreError> {
    assert!(!sites::hold(tx, DEFAULT_ORG, "north").await?);
    assert_eq!(sites::hold_alone(tx, DEFAULT_ORG, "north").await?, None);
    assert!(!sites::delete(tx, DEFAULT_ORG, "north").await?);
    for key in ["north", "south"] {
        sites::upsert(tx, &site(key, key, NOW)).await?;
    }
    assert!(sites::hold(tx, DEFAULT_ORG, "north").await?);
    assert!(!sites::hold(tx, OTHER_ORG, "north").await?);
    assert_eq!(sites::hold_alone(tx, DEFAULT_ORG, "north").await?, Some(site("north", "north", NOW)));
    assert_eq!(sites::hold_alone(tx, OTHER_ORG, "north").await?, None);
    assert!(!sites::delete(tx, OTHER_ORG, "north").await?);
    assert!(sites::delete(tx, DEFAULT_ORG, "north").await?);
    assert_eq!(sites::get(tx, DEFAULT_ORG, "north").await?, None);
    assert!(sites::get(tx, DEFAULT_ORG, "south").await?.is_some());
    Ok(())
}

mod holding {
    use super::*;
    store_stories!(a_site_with_a_node_is_not_deleted, whoever_comes_to_a_site_waits_for_its_removal);

    async fn a_site_with_a_node_is_not_deleted(store: Store) {
        let refused = store.write(|tx| {
            Box::pin(async move {
                sites::upsert(tx, &site("north", "north", NOW)).await?;
                nodes::insert(tx, &NodeRow { site: Some("north".into()), ..node(1) }).await?;
                sites::delete(tx, DEFAULT_ORG, "north").await
            })
        });
        assert!(matches!(refused.await, Err(StoreError::Constraint { .. })));
    }

    async fn whoever_comes_to_a_site_waits_for_its_removal(store: Store) {
        store.write(|tx| Box::pin(async move { sites::upsert(tx, &site("north", "north", NOW)).await })).await.unwrap();
        let (is_held, holds) = tokio::sync::watch::channel(false);
        let remover = store.clone();
        let removal = tokio::spawn(async move {
            let verb = remover.write(move |tx| {
                Box::pin(async move {
                    let found = sites::hold_alone(tx, DEFAULT_ORG, "north").await?;
                    is_held.send_replace(true);
                    sites::delete(tx, DEFAULT_ORG, "north").await?;
                    Ok::<_, StoreError>(found.is_some())
                })
            });
            verb.await
        });
        holds.clone().wait_for(|held| *held).await.unwrap();
        let comer = store.write(|tx| Box::pin(async move { sites::hold(tx, DEFAULT_ORG, "north").await }));
        assert_eq!((comer.await, removal.await.unwrap()), (Ok(false), Ok(true)), "it is gone for whoever comes then");
    }
}

mod names {
    use super::*;
    store_stories!(two_orgs_cannot_share_a_name_or_an_id);

    async fn two_orgs_cannot_share_a_name_or_an_id(store: Store) {
        for (id, name, key) in [(id(5), "default", orgs::NAME_TAKEN), (DEFAULT_ORG, "third", orgs::ID_TAKEN)] {
            let org = OrgRow { id, name: name.into(), created_at: NOW };
            let refused = store.write(move |tx| Box::pin(async move { orgs::insert(tx, &org).await })).await;
            assert!(refused.unwrap_err().is_taken(key));
        }
    }
}
