//! The logs of tasks, and how far they are.

use sortie_rules::tasks::cancel;
use sortie_rules::time::{Millis, Span};
use sortie_store::logs::{self, Piece, ProgressRow};
use sortie_store::tasks::Stamps;
use sortie_store::{StoreError, Tx, tasks};

use crate::setup::{NOW, enroll, id, stories, task};

stories!(
    a_log_grows_piece_by_piece_and_is_read_from_any_byte,
    the_logs_of_two_runs_are_two,
    the_newest_progress_stands_and_an_older_run_s_does_not_replace_it,
    the_length_of_a_finished_log_is_known,
    a_log_goes_with_its_task,
);

async fn with_task(tx: &mut Tx) -> Result<(), StoreError> {
    let node = enroll(tx, 1).await?;
    tasks::insert(tx, &task(1, node)).await
}

async fn a_log_grows_piece_by_piece_and_is_read_from_any_byte(tx: &mut Tx) -> Result<(), StoreError> {
    with_task(tx).await?;
    assert_eq!(logs::length(tx, id(1), 1).await?, 0);
    logs::append(tx, id(1), 1, 0, b"abc").await?;
    logs::append(tx, id(1), 1, 3, b"\0\xff").await?;
    assert_eq!(logs::length(tx, id(1), 1).await?, 5);
    let (abc, odd) = (Piece { first: 0, bytes: b"abc".to_vec() }, Piece { first: 3, bytes: b"\0\xff".to_vec() });
    for (offset, pieces) in [(0, vec![&abc, &odd]), (2, vec![&abc, &odd]), (3, vec![&odd]), (4, vec![&odd])] {
        let read = logs::read(tx, id(1), 1, offset, 10).await?;
        assert_eq!(read.iter().collect::<Vec<_>>(), pieces, "{offset}");
    }
    assert_eq!(logs::read(tx, id(1), 1, 0, 1).await?, [abc]);
    Ok(())
}

async fn the_logs_of_two_runs_are_two(tx: &mut Tx) -> Result<(), StoreError> {
    with_task(tx).await?;
    logs::append(tx, id(1), 1, 0, b"first").await?;
    logs::append(tx, id(1), 2, 0, b"second").await?;
    assert_eq!(logs::length(tx, id(1), 1).await?, 5);
    assert_eq!(logs::read(tx, id(1), 2, 0, 10).await?, [Piece { first: 0, bytes: b"second".to_vec() }]);
    Ok(())
}

async fn the_newest_progress_stands_and_an_older_run_s_does_not_replace_it(tx: &mut Tx) -> Result<(), StoreError> {
    with_task(tx).await?;
    assert_eq!(logs::progress(tx, id(1)).await?, None);
    let first = ProgressRow { run: 2, percent: None, message: "begins".into(), at: NOW };
    let second = ProgressRow { run: 2, percent: Some(40), message: "goes on".into(), at: NOW + Span::seconds(1) };
    for progress in [&first, &second] {
        logs::set_progress(tx, id(1), progress).await?;
        assert_eq!(logs::progress(tx, id(1)).await?.as_ref(), Some(progress));
    }
    logs::set_progress(tx, id(1), &ProgressRow { run: 1, ..first }).await?;
    assert_eq!(logs::progress(tx, id(1)).await?, Some(second));
    Ok(())
}

async fn the_length_of_a_finished_log_is_known(tx: &mut Tx) -> Result<(), StoreError> {
    with_task(tx).await?;
    assert_eq!(logs::end(tx, id(1), 1).await?, 0);
    logs::set_end(tx, id(1), 1, 7).await?;
    logs::set_end(tx, id(1), 1, 9).await?;
    assert_eq!((logs::end(tx, id(1), 1).await?, logs::end(tx, id(1), 2).await?), (9, 0));
    Ok(())
}

async fn a_log_goes_with_its_task(tx: &mut Tx) -> Result<(), StoreError> {
    let node = enroll(tx, 1).await?;
    let waiting = task(1, node);
    tasks::insert(tx, &waiting).await?;
    let cancelled = cancel(&waiting.life).expect("it waits");
    let stamps = Stamps { finished_at: Some(Millis(5)), message: Some("so"), ..Stamps::default() };
    assert!(tasks::update(tx, id(1), &waiting.life, &cancelled, &stamps).await?);
    logs::append(tx, id(1), 1, 0, b"abc").await?;
    logs::set_end(tx, id(1), 1, 3).await?;
    logs::set_progress(tx, id(1), &ProgressRow { run: 1, percent: None, message: "x".into(), at: NOW }).await?;
    assert_eq!(tasks::delete_finished_before(tx, NOW, 10).await?, 1);
    assert_eq!(logs::length(tx, id(1), 1).await?, 0);
    assert_eq!(logs::progress(tx, id(1)).await?, None);
    Ok(())
}
