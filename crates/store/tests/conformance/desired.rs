//! Publications, their nodes, drafts, pins, and what nodes say.

use sortie_rules::desired::{Layer, NodeStage, Publication, PublicationStatus, Standing};
use sortie_rules::ids::{DEFAULT_ORG, NodeId, PublicationId};
use sortie_rules::time::Span;
use sortie_store::desired::drafts::{self, DraftRow};
use sortie_store::desired::observed::{self, ObservedRow};
use sortie_store::desired::pins::{self, PinsRow};
use sortie_store::desired::publication_nodes::{self, Given};
use sortie_store::desired::publications::{self, LayerKey, PublicationRow};
use sortie_store::sites::{self, SiteRow};
use sortie_store::{StoreError, Tx, nodes};

use crate::setup::{NOW, OTHER_ORG, enroll, id, stories};

stories!(
    a_publication_is_read_back_as_it_was_written,
    a_revision_stands_once_it_was_completed_for_all,
    what_is_over_and_old_is_found_and_forgotten,
    a_turn_is_taken_once,
    nodes_get_a_publication_and_give_it_back,
    what_nodes_say_is_read_with_those_who_are_waited_for,
    whoever_comes_and_goes_is_counted,
    a_draft_is_written_over_by_nobody_who_has_not_seen_it,
    pins_that_are_alike_are_one,
    a_changed_secret_raises_the_generations_of_those_who_have_it,
);

pub(crate) fn org_layer() -> LayerKey {
    LayerKey { org: DEFAULT_ORG, layer: Layer::Org, of: String::new() }
}

fn layer_of(layer: Layer, of: impl ToString) -> LayerKey {
    LayerKey { org: DEFAULT_ORG, layer, of: of.to_string() }
}

fn publication(number: u128, key: LayerKey, revision: u64) -> PublicationRow {
    let status = PublicationStatus::Running;
    PublicationRow {
        id: id(number),
        key,
        revision,
        message: "why".into(),
        published_by: "token:ci".into(),
        published_at: NOW,
        finished_at: None,
        repeats: None,
        selector: None,
        nodes: 2,
        life: Publication {
            status,
            at_a_time: Some(1),
            stop_failures: Some(2),
            within: Span::minutes(5),
            rolls_back: true,
        },
        stands: false,
        turn: 0,
    }
}

fn pins_of(node: NodeId) -> PinsRow {
    PinsRow {
        node,
        org: DEFAULT_ORG,
        site: None,
        generation: 0,
        org_revision: 0,
        site_revision: 0,
        node_revision: 0,
        changed_at: NOW,
    }
}

/// A publication for two nodes that wait.
pub(crate) async fn for_two(tx: &mut Tx) -> Result<(PublicationId, [NodeId; 2]), StoreError> {
    let both = [enroll(tx, 1).await?, enroll(tx, 2).await?];
    for node in both {
        pins::put(tx, &pins_of(node)).await?;
    }
    let row = publication(50, org_layer(), 1);
    publications::insert(tx, &row, "{}", &["wifi".to_owned()]).await?;
    publication_nodes::insert_all(tx, row.id, 1, &both).await?;
    Ok((row.id, both))
}

async fn a_publication_is_read_back_as_it_was_written(tx: &mut Tx) -> Result<(), StoreError> {
    let first = publication(50, org_layer(), 1);
    publications::insert(tx, &first, "{\"resources\":{}}", &["wifi".to_owned()]).await?;
    assert_eq!(publications::get_any_org(tx, first.id).await?, Some(first.clone()));
    assert_eq!(publications::state(tx, first.id).await?.as_deref(), Some("{\"resources\":{}}"));
    assert_eq!(publications::revision(tx, &first.key, 1).await?, Some(first.clone()));
    assert_eq!(publications::revision(tx, &first.key, 2).await?, None);
    let said = publications::state_of_revision(tx, &first.key, 1).await?;
    assert_eq!(said.as_deref(), Some("{\"resources\":{}}"));
    assert_eq!(publications::going_out(tx, &first.key).await?, Some(first.clone()));
    assert_eq!(publications::open(tx, None, 9).await?, [first.id]);
    assert_eq!(publications::open(tx, Some(first.id), 9).await?, []);
    assert_eq!(publications::referring(tx, DEFAULT_ORG, "wifi", None, 9).await?, std::slice::from_ref(&first));
    assert_eq!(publications::referring(tx, DEFAULT_ORG, "wifi", Some(first.id), 9).await?, []);
    assert_eq!(publications::referring(tx, OTHER_ORG, "wifi", None, 9).await?, []);
    publications::set_status(tx, first.id, PublicationStatus::Superseded, Some(NOW)).await?;
    let mut second = publication(51, org_layer(), 2);
    second.repeats = Some(1);
    second.selector = Some("{\"all\":true}".into());
    publications::insert(tx, &second, "{}", &[]).await?;
    let history = publications::history(tx, &first.key, None, 9).await?;
    assert_eq!(history.iter().map(|row| row.revision).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(history[0], second);
    assert_eq!(publications::history(tx, &first.key, Some(2), 9).await?.len(), 1);
    assert_eq!(publications::newest(tx, &first.key).await?, 2);
    assert_eq!(publications::newest(tx, &layer_of(Layer::Site, "nowhere")).await?, 0);
    Ok(())
}

async fn a_revision_stands_once_it_was_completed_for_all(tx: &mut Tx) -> Result<(), StoreError> {
    let key = org_layer();
    for (number, selector) in [(1, None), (2, Some("{}".to_owned())), (3, None)] {
        let row = PublicationRow { selector, ..publication(number.into(), key.clone(), number) };
        publications::insert(tx, &row, "{}", &[]).await?;
        let status = if number == 3 { PublicationStatus::Stopped } else { PublicationStatus::Completed };
        publications::set_status(tx, row.id, status, Some(NOW)).await?;
    }
    assert_eq!(publications::standing(tx, &key).await?, 1, "one was for some only, and one was stopped");
    assert_eq!(publications::going_out(tx, &key).await?, None);
    Ok(())
}

async fn what_is_over_and_old_is_found_and_forgotten(tx: &mut Tx) -> Result<(), StoreError> {
    let key = org_layer();
    for revision in [1, 2, 3] {
        let row = publication(revision.into(), key.clone(), revision);
        publications::insert(tx, &row, "{}", &["token".to_owned()]).await?;
        let ended = NOW - Span::days(3 - i64::try_from(revision).unwrap());
        if revision < 3 {
            publications::set_status(tx, row.id, PublicationStatus::Completed, Some(ended)).await?;
        }
    }
    let both = publications::over_before(tx, None, NOW, 9).await?;
    assert_eq!(both, [(id(1), key.clone(), 1), (id(2), key.clone(), 2)], "the third is not over");
    assert_eq!(publications::over_before(tx, Some(id(1)), NOW, 9).await?, both[1..]);
    assert_eq!(publications::over_before(tx, None, NOW, 1).await?, both[..1]);
    assert_eq!(publications::over_before(tx, None, NOW - Span::days(2), 9).await?, both[..1]);
    for number in [1, 3] {
        publications::forget(tx, id(number)).await?;
    }
    assert_eq!(publications::state_of_revision(tx, &key, 1).await?, None);
    assert!(publications::going_out(tx, &key).await?.is_some(), "what is not over stays");
    let referring = publications::referring(tx, DEFAULT_ORG, "token", None, 9).await?;
    assert_eq!(referring.iter().map(|row| row.revision).collect::<Vec<_>>(), [3, 2]);
    Ok(())
}

async fn a_turn_is_taken_once(tx: &mut Tx) -> Result<(), StoreError> {
    let (id, _) = for_two(tx).await?;
    assert!(publications::take_turn(tx, id, 0).await?);
    assert!(!publications::take_turn(tx, id, 0).await?);
    Ok(())
}

async fn nodes_get_a_publication_and_give_it_back(tx: &mut Tx) -> Result<(), StoreError> {
    let (id, both) = for_two(tx).await?;
    let waiting = publication_nodes::at_stage(tx, id, NodeStage::Waiting, 0, 9).await?;
    assert_eq!(waiting, [(1, both[0]), (2, both[1])]);
    assert_eq!(publication_nodes::at_stage(tx, id, NodeStage::Waiting, 1, 9).await?, [(2, both[1])]);
    let given = pins::give(tx, Layer::Org, 1, &waiting, NOW).await?;
    assert_eq!(given[0], Given { position: 1, node: both[0], before: 0, generation: 1 });
    publication_nodes::give(tx, id, NodeStage::Released, &given, NOW).await?;
    let pinned = pins::get(tx, both[0]).await?.expect("a row");
    assert_eq!((pinned.generation, pinned.org_revision), (1, 1));
    assert_eq!(pinned.layers(), [(org_layer(), 1)]);
    assert_eq!(pins::having(tx, &org_layer(), 1, None, 9).await?, [(both[0], 1), (both[1], 1)]);
    assert_eq!(publication_nodes::having(tx, id, 9).await?, given);
    assert_eq!(publication_nodes::given_between(tx, id, 2, 9).await?, given[1..]);
    assert_eq!(publication_nodes::counts(tx, id).await?, [(NodeStage::Released, 2)]);
    // The second has something newer meanwhile, which is not taken from it.
    pins::give(tx, Layer::Org, 7, &[(2, both[1])], NOW).await?;
    let back = pins::take_back(tx, &org_layer(), 1, &given, NOW).await?;
    assert_eq!(back.into_iter().collect::<Vec<_>>(), [(both[0], 2)]);
    publication_nodes::take_back(tx, id, &[1, 2]).await?;
    assert_eq!(publication_nodes::counts(tx, id).await?, [(NodeStage::TakenBack, 2)]);
    assert_eq!(pins::get(tx, both[0]).await?.map(|row| row.org_revision), Some(0));
    // One that came in by a hub that knew of no desired state.
    let late = enroll(tx, 3).await?;
    let given_late = pins::give(tx, Layer::Org, 1, &[(3, late)], NOW).await?;
    assert_eq!(given_late, [Given { position: 3, node: late, before: 0, generation: 1 }]);
    for layer in [layer_of(Layer::Site, "berlin"), layer_of(Layer::Node, both[0])] {
        pins::take_back(tx, &layer, 9, &given, NOW).await?;
    }
    // One that has gone over to another site keeps what it has there, under whichever number.
    for site in ["berlin", "bonn"] {
        sites::upsert(tx, &SiteRow { org: DEFAULT_ORG, key: site.into(), name: site.into(), created_at: NOW }).await?;
    }
    let moved = PinsRow { site: Some("bonn".into()), generation: 4, site_revision: 9, ..pins_of(both[0]) };
    pins::put(tx, &moved).await?;
    let of_berlin = [Given { position: 1, node: both[0], before: 3, generation: 1 }];
    assert!(pins::take_back(tx, &layer_of(Layer::Site, "berlin"), 9, &of_berlin, NOW).await?.is_empty());
    assert_eq!(pins::take_back(tx, &layer_of(Layer::Site, "bonn"), 9, &of_berlin, NOW).await?.len(), 1);
    let shown = publication_nodes::list(tx, id, 1, 9).await?;
    assert_eq!((shown.len(), shown[0].name.as_str(), shown[0].generation), (1, "node-2", Some(1)));
    Ok(())
}

async fn what_nodes_say_is_read_with_those_who_are_waited_for(tx: &mut Tx) -> Result<(), StoreError> {
    let (id, both) = for_two(tx).await?;
    let waiting = publication_nodes::at_stage(tx, id, NodeStage::Waiting, 0, 9).await?;
    let given = pins::give(tx, Layer::Org, 1, &waiting, NOW).await?;
    publication_nodes::give(tx, id, NodeStage::Released, &given, NOW).await?;
    let said = ObservedRow {
        node: both[0],
        org: DEFAULT_ORG,
        generation: 1,
        standing: Standing::Drifted,
        document: "{}".into(),
        heard_at: NOW,
    };
    observed::put(tx, &said).await?;
    let said = ObservedRow { standing: Standing::Converged, ..said };
    observed::put(tx, &said).await?;
    assert_eq!(observed::get(tx, both[0]).await?, Some(said));
    assert_eq!(observed::standing(tx, both[0]).await?, Some((1, Standing::Converged)));
    let released = publication_nodes::released(tx, id, 0, 9).await?;
    let told: Vec<_> = released.iter().map(|one| one.observed).collect();
    assert_eq!(told, [Some((1, Standing::Converged)), None]);
    publication_nodes::end(tx, id, NodeStage::Converged, &[1], NOW).await?;
    assert_eq!(publication_nodes::released(tx, id, 0, 9).await?.len(), 1);
    observed::forget(tx, both[0]).await?;
    assert_eq!(observed::get(tx, both[0]).await?, None);
    Ok(())
}

async fn whoever_comes_and_goes_is_counted(tx: &mut Tx) -> Result<(), StoreError> {
    let (id, both) = for_two(tx).await?;
    publication_nodes::leave(tx, id, both[0]).await?;
    assert_eq!(publication_nodes::at_stage(tx, id, NodeStage::Skipped, 0, 9).await?, [(1, both[0])]);
    assert!(publication_nodes::come_back(tx, id, both[0]).await?);
    let third = enroll(tx, 3).await?;
    assert!(!publication_nodes::come_back(tx, id, third).await?);
    assert_eq!(publications::grow(tx, id).await?, Some(3));
    publication_nodes::insert_all(tx, id, 3, &[third]).await?;
    publication_nodes::let_go(tx, id).await?;
    assert_eq!(publication_nodes::counts(tx, id).await?, [(NodeStage::Skipped, 3)]);
    publications::set_status(tx, id, PublicationStatus::Stopped, Some(NOW)).await?;
    assert_eq!(publications::grow(tx, id).await?, None);
    Ok(())
}

async fn a_draft_is_written_over_by_nobody_who_has_not_seen_it(tx: &mut Tx) -> Result<(), StoreError> {
    let draft = DraftRow {
        key: org_layer(),
        state: Some("{}".into()),
        based_on: 0,
        version: 1,
        changed_by: "token:ci".into(),
        changed_at: NOW,
    };
    assert_eq!(drafts::get(tx, &draft.key).await?, None);
    assert!(drafts::put(tx, &draft).await?);
    assert!(!drafts::put(tx, &draft).await?);
    assert_eq!(drafts::get(tx, &draft.key).await?, Some(draft.clone()));
    let gone = DraftRow { state: None, version: 2, ..draft };
    assert!(drafts::put(tx, &gone).await?);
    assert!(!drafts::put(tx, &gone).await?);
    Ok(())
}

async fn pins_that_are_alike_are_one(tx: &mut Tx) -> Result<(), StoreError> {
    let site = SiteRow { org: DEFAULT_ORG, key: "berlin".into(), name: "Berlin".into(), created_at: NOW };
    sites::upsert(tx, &site).await?;
    for number in 1..=4 {
        let node = enroll(tx, number).await?;
        let at_site = (number > 2).then(|| "berlin".to_owned());
        let node_revision = u64::from(number == 4);
        pins::put(tx, &PinsRow { site: at_site, generation: 1, org_revision: 1, node_revision, ..pins_of(node) })
            .await?;
    }
    assert_eq!(pins::different(tx, &org_layer(), 9).await?.len(), 3);
    assert_eq!(pins::different(tx, &layer_of(Layer::Site, "berlin"), 9).await?.len(), 2);
    assert_eq!(pins::different(tx, &layer_of(Layer::Node, id::<()>(4)), 9).await?.len(), 1);
    assert!(nodes::revoke(tx, DEFAULT_ORG, id(4), NOW).await?);
    assert_eq!(pins::different(tx, &org_layer(), 9).await?.len(), 2);
    assert!(pins::raise_to(tx, id(1), 9, NOW).await?);
    assert!(!pins::raise_to(tx, id(1), 9, NOW).await?);
    let generation = async |tx: &mut Tx| Ok::<_, StoreError>(pins::get(tx, id(1)).await?.map(|row| row.generation));
    pins::leap(tx, NOW).await?;
    assert_eq!(generation(tx).await?, Some(NOW.0.unsigned_abs()));
    pins::leap(tx, NOW).await?;
    assert_eq!(generation(tx).await?, Some(NOW.0.unsigned_abs() + 1), "a clock that was set back");
    Ok(())
}

async fn a_changed_secret_raises_the_generations_of_those_who_have_it(tx: &mut Tx) -> Result<(), StoreError> {
    let (_, both) = for_two(tx).await?;
    pins::give(tx, Layer::Org, 1, &[(1, both[0])], NOW).await?;
    pins::give(tx, Layer::Node, 1, &[(1, both[0])], NOW).await?;
    assert_eq!(pins::raise_all(tx, &org_layer(), 1, NOW).await?, 1);
    assert_eq!(pins::raise_all(tx, &layer_of(Layer::Node, both[0]), 1, NOW).await?, 1);
    assert_eq!(pins::raise_all(tx, &layer_of(Layer::Site, "berlin"), 1, NOW).await?, 0);
    assert_eq!(pins::having(tx, &layer_of(Layer::Node, both[0]), 1, None, 9).await?, [(both[0], 4)]);
    assert_eq!(pins::having(tx, &layer_of(Layer::Site, "berlin"), 1, None, 9).await?, []);
    Ok(())
}
