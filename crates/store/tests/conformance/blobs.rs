//! Blobs: their rows come before their bytes and go after them, and what somebody refers to stays. Logs that lie in
//! them.

use sortie_rules::ids::DEFAULT_ORG;
use sortie_rules::tasks::cancel;
use sortie_rules::time::{Millis, Span};
use sortie_store::blobs::{self, BlobRow};
use sortie_store::logs::{self, Archived, Piece, ToArchive};
use sortie_store::tasks::Stamps;
use sortie_store::{StoreError, Tx, meta, tasks};

use crate::setup::{NOW, OTHER_ORG, enroll, id, stories, task};

stories!(
    equal_bytes_of_an_org_are_one_blob_and_those_of_two_are_two,
    a_blob_that_nobody_refers_to_leaves_and_is_forgotten,
    what_has_left_is_not_referred_to_again,
    all_blobs_are_looked_at_one_lot_after_the_other,
    a_log_is_archived_once_and_goes_on_behind_it,
    the_logs_of_tasks_that_ended_long_enough_ago_are_to_be_archived,
    what_is_remembered_first_stands,
);

fn row(number: u128) -> BlobRow {
    BlobRow { id: id(number), org: DEFAULT_ORG, sha256: format!("hash-{number}"), bytes: 9, kept_at: None }
}

/// A task that ended at this moment, with a log of two pieces.
async fn ended(tx: &mut Tx, number: u128, at: Millis) -> Result<(), StoreError> {
    let node = enroll(tx, number).await?;
    let waiting = task(number, node);
    tasks::insert(tx, &waiting).await?;
    let cancelled = cancel(&waiting.life).expect("it waits");
    let stamps = Stamps { finished_at: Some(at), message: Some("so"), ..Stamps::default() };
    assert!(tasks::update(tx, id(number), &waiting.life, &cancelled, &stamps).await?);
    logs::append(tx, id(number), 1, 0, b"abc").await?;
    logs::append(tx, id(number), 1, 3, b"def").await
}

async fn equal_bytes_of_an_org_are_one_blob_and_those_of_two_are_two(tx: &mut Tx) -> Result<(), StoreError> {
    assert!(!blobs::any(tx).await?);
    let first = row(1);
    assert_eq!(blobs::begin(tx, &first, NOW).await?, first);
    assert!(blobs::set_kept(tx, id(1), NOW + Span(5)).await?);
    assert!(blobs::set_kept(tx, id(1), NOW + Span(9)).await?);
    let kept = BlobRow { kept_at: Some(NOW + Span(5)), ..first.clone() };
    assert_eq!(blobs::begin(tx, &BlobRow { id: id(2), ..first.clone() }, NOW).await?, kept);
    let others = BlobRow { id: id(3), org: OTHER_ORG, ..first };
    assert_eq!(blobs::begin(tx, &others, NOW).await?, others);
    assert_eq!(blobs::get(tx, id(1)).await?, Some(kept.clone()));
    assert_eq!(blobs::get(tx, id(2)).await?, None);
    assert_eq!(blobs::kept_after(tx, id(0), 10).await?, [kept]);
    assert_eq!(blobs::kept_after(tx, id(1), 10).await?, []);
    assert!(blobs::any(tx).await?);
    Ok(())
}

async fn a_blob_that_nobody_refers_to_leaves_and_is_forgotten(tx: &mut Tx) -> Result<(), StoreError> {
    ended(tx, 7, NOW).await?;
    for (number, after) in [(1, 1), (2, 2), (3, 3)] {
        blobs::begin(tx, &row(number), NOW + Span(after)).await?;
        assert!(blobs::set_kept(tx, id(number), NOW + Span(after)).await?);
    }
    assert!(logs::set_archived(tx, id(7), 1, Archived { length: 6, blob: id(1) }).await?);
    // The third was begun too short a time ago.
    assert_eq!(blobs::let_leave(tx, id(0), NOW + Span(2), NOW + Span(50), 10).await?, (1, None));
    assert_eq!(blobs::leaving(tx, NOW + Span(49), 10).await?, []);
    let leaving = blobs::leaving(tx, NOW + Span(50), 10).await?;
    assert_eq!(leaving.iter().map(|row| row.id).collect::<Vec<_>>(), [id(2)]);
    blobs::forget(tx, id(1)).await?;
    blobs::forget(tx, id(2)).await?;
    assert!(blobs::get(tx, id(1)).await?.is_some(), "it has not left");
    assert_eq!(blobs::get(tx, id(2)).await?, None);
    // With its task goes what refers to the first.
    assert_eq!(tasks::delete_finished_before(tx, NOW + Span(1), 10).await?, 1);
    assert_eq!(logs::archived(tx, id(7), 1).await?, None);
    assert_eq!(blobs::let_leave(tx, id(0), NOW + Span(2), NOW + Span(60), 10).await?, (1, None));
    Ok(())
}

async fn what_has_left_is_not_referred_to_again(tx: &mut Tx) -> Result<(), StoreError> {
    blobs::begin(tx, &row(1), NOW).await?;
    assert_eq!(blobs::let_leave(tx, id(0), NOW, NOW, 10).await?, (1, None));
    assert!(!blobs::set_kept(tx, id(1), NOW).await?);
    // The same bytes get another row, and so another place.
    let again = BlobRow { id: id(2), ..row(1) };
    assert_eq!(blobs::begin(tx, &again, NOW).await?, again);
    assert_eq!(blobs::leaving(tx, NOW, 10).await?, [row(1)]);
    Ok(())
}

async fn all_blobs_are_looked_at_one_lot_after_the_other(tx: &mut Tx) -> Result<(), StoreError> {
    for number in 1..=5 {
        blobs::begin(tx, &row(number), NOW).await?;
    }
    assert_eq!(blobs::let_leave(tx, id(0), NOW, NOW, 2).await?, (2, Some(id(2))));
    assert_eq!(blobs::let_leave(tx, id(2), NOW, NOW, 2).await?, (2, Some(id(4))));
    assert_eq!(blobs::let_leave(tx, id(4), NOW, NOW, 2).await?, (1, None));
    assert_eq!(blobs::leaving(tx, NOW, 10).await?.len(), 5);
    Ok(())
}

async fn a_log_is_archived_once_and_goes_on_behind_it(tx: &mut Tx) -> Result<(), StoreError> {
    ended(tx, 1, NOW).await?;
    let archived = Archived { length: 6, blob: id(1) };
    blobs::begin(tx, &row(1), NOW).await?;
    logs::append(tx, id(1), 1, 6, b"late").await?;
    assert!(logs::set_archived(tx, id(1), 1, archived).await?);
    assert!(!logs::set_archived(tx, id(1), 1, Archived { length: 10, blob: id(1) }).await?);
    assert_eq!(logs::archived(tx, id(1), 1).await?, Some(archived));
    assert_eq!(logs::archived(tx, id(1), 2).await?, None);
    assert_eq!(logs::length(tx, id(1), 1).await?, 10);
    assert_eq!(logs::read(tx, id(1), 1, 6, 10).await?, [Piece { first: 6, bytes: b"late".to_vec() }]);
    ended(tx, 2, NOW).await?;
    assert!(logs::set_archived(tx, id(2), 1, archived).await?);
    assert_eq!(logs::length(tx, id(2), 1).await?, 6);
    assert_eq!(logs::read(tx, id(2), 1, 0, 10).await?, []);
    Ok(())
}

async fn the_logs_of_tasks_that_ended_long_enough_ago_are_to_be_archived(tx: &mut Tx) -> Result<(), StoreError> {
    ended(tx, 1, NOW).await?;
    ended(tx, 2, NOW + Span(10)).await?;
    ended(tx, 3, NOW).await?;
    let node = enroll(tx, 4).await?;
    tasks::insert(tx, &task(4, node)).await?;
    logs::append(tx, id(4), 1, 0, b"it runs").await?;
    let waiting = |number| ToArchive { org: DEFAULT_ORG, task: id(number), run: 1 };
    assert_eq!(logs::to_archive(tx, NOW + Span(5), 10).await?, [waiting(1), waiting(3)]);
    assert_eq!(logs::to_archive(tx, NOW + Span(5), 1).await?, [waiting(1)]);
    blobs::begin(tx, &row(1), NOW).await?;
    logs::append(tx, id(1), 1, 6, b"late").await?;
    assert!(logs::set_archived(tx, id(1), 1, Archived { length: 6, blob: id(1) }).await?);
    assert_eq!(logs::to_archive(tx, NOW + Span(5), 10).await?, [waiting(3)]);
    Ok(())
}

async fn what_is_remembered_first_stands(tx: &mut Tx) -> Result<(), StoreError> {
    assert_eq!(meta::set_first(tx, "color", "green").await?, "green");
    assert_eq!(meta::set_first(tx, "color", "blue").await?, "green");
    assert_eq!(meta::get(tx, "color").await?.as_deref(), Some("green"));
    Ok(())
}
