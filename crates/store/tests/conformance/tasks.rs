//! A task from submission to the end of its retention.

use std::collections::BTreeSet;

use sortie_rules::ids::{DEFAULT_ORG, TaskId};
use sortie_rules::tasks::{self as rules, Code, EndedBy, Outcome, State, Task};
use sortie_rules::time::{Millis, Span};
use sortie_store::tasks::{Change, Stamps, TaskRow};
use sortie_store::{StoreError, Tx, tasks};

use crate::setup::{NOW, OTHER_ORG, enroll, id, numbers, stories, task};

stories!(
    a_waiting_task_is_read_back_as_it_was_submitted,
    a_task_can_be_handed_out_as_it_comes_in,
    a_task_does_not_begin_with_its_end,
    the_urgent_then_the_older_task_is_handed_out_first,
    what_must_wait_or_has_expired_is_not_handed_out,
    a_delivery_is_bounded_in_bytes_but_never_empty,
    a_claim_of_a_task_that_moved_on_changes_nothing,
    every_end_is_kept_with_what_belongs_to_it,
    what_a_state_cannot_have_is_cleared,
    a_renewed_lease_is_not_shortened_by_a_cancellation,
    a_cancellation_that_was_asked_for_meanwhile_is_not_lost,
    many_tasks_come_in_go_out_and_end_together,
    waiting_tasks_are_counted_per_node,
    only_what_ended_long_ago_is_deleted,
);

async fn stored(tx: &mut Tx, id: TaskId) -> Result<TaskRow, StoreError> {
    Ok(tasks::get_any_org(tx, id).await?.expect("it is there"))
}

fn claimed(task: &Task) -> Task {
    rules::claim(task, NOW).expect("it can be claimed")
}

/// Submits task 1 for node 1 and hands it out in delivery 1.
async fn hand_out(tx: &mut Tx) -> Result<Task, StoreError> {
    let node = enroll(tx, 1).await?;
    let row = task(1, node);
    tasks::insert(tx, &row).await?;
    let after = claimed(&row.life);
    assert!(tasks::claim(tx, id(1), &row.life, &after, 1, NOW).await?);
    Ok(after)
}

async fn a_waiting_task_is_read_back_as_it_was_submitted(tx: &mut Tx) -> Result<(), StoreError> {
    let node = enroll(tx, 1).await?;
    let submitted = TaskRow {
        priority: -7,
        payload: r#"{"a":"ä"}"#.into(),
        idempotent: false,
        traceparent: Some("00-aa-bb-01".into()),
        life: Task::submitted(5, Span::minutes(30), Some(Millis(NOW.0 + 5)), Some(Millis(NOW.0 + 9))),
        ..task(1, node)
    };
    tasks::insert(tx, &submitted).await?;
    assert_eq!(tasks::get(tx, DEFAULT_ORG, id(1)).await?.as_ref(), Some(&submitted));
    assert_eq!(tasks::get_any_org(tx, id(1)).await?.as_ref(), Some(&submitted));
    assert_eq!(tasks::get(tx, OTHER_ORG, id(1)).await?, None);
    assert_eq!(tasks::get_any_org(tx, id(2)).await?, None);
    let life = tasks::get_life(tx, id(1)).await?.expect("it is there");
    assert_eq!((life.org, life.node, &*life.type_name), (DEFAULT_ORG, node, "sys.info"));
    assert_eq!((&life.life, life.delivery, life.idempotent), (&submitted.life, 0, false));
    assert_eq!((life.traceparent.as_deref(), life.result_digest), (Some("00-aa-bb-01"), None));
    assert_eq!(tasks::get_life(tx, id(2)).await?, None);
    Ok(())
}

async fn a_task_can_be_handed_out_as_it_comes_in(tx: &mut Tx) -> Result<(), StoreError> {
    let node = enroll(tx, 1).await?;
    let waiting = task(1, node);
    let row = TaskRow { life: claimed(&waiting.life), delivery: 4, claimed_at: Some(NOW), ..waiting };
    tasks::insert(tx, &row).await?;
    assert_eq!(stored(tx, id(1)).await?, row);
    Ok(())
}

async fn a_task_does_not_begin_with_its_end(tx: &mut Tx) -> Result<(), StoreError> {
    let node = enroll(tx, 1).await?;
    let life = Task { state: State::Completed, ..task(1, node).life };
    let refused = tasks::insert(tx, &TaskRow { life, ..task(1, node) }).await;
    assert!(matches!(refused, Err(StoreError::Bug { .. })));
    Ok(())
}

async fn claimable(tx: &mut Tx, now: Millis, limit: u32) -> Result<Vec<u128>, StoreError> {
    let rows = tasks::claimable(tx, id(1), now, limit, usize::MAX).await?;
    Ok(numbers(rows.iter().map(|row| &row.id)))
}

async fn the_urgent_then_the_older_task_is_handed_out_first(tx: &mut Tx) -> Result<(), StoreError> {
    let (node, other) = (enroll(tx, 1).await?, enroll(tx, 2).await?);
    for (number, priority) in [(1, 0), (2, 5), (3, -5), (4, 5), (5, 0)] {
        tasks::insert(tx, &TaskRow { priority, ..task(number, node) }).await?;
    }
    tasks::insert(tx, &task(6, other)).await?;
    assert_eq!(claimable(tx, NOW, 100).await?, [2, 4, 1, 5, 3]);
    assert_eq!(claimable(tx, NOW, 3).await?, [2, 4, 1]);
    assert_eq!(claimable(tx, NOW, 0).await?, []);
    Ok(())
}

async fn what_must_wait_or_has_expired_is_not_handed_out(tx: &mut Tx) -> Result<(), StoreError> {
    let node = enroll(tx, 1).await?;
    let times = [(None, None), (Some(10), None), (None, Some(20)), (Some(10), Some(20))];
    for (number, (not_before, not_after)) in (1..).zip(times) {
        let life = Task::submitted(0, Span::seconds(9), not_before.map(Millis), not_after.map(Millis));
        tasks::insert(tx, &TaskRow { life, ..task(number, node) }).await?;
    }
    for now in [9, 10, 19, 20].map(Millis) {
        let mut expected = Vec::new();
        for number in 1..=4 {
            if rules::is_claimable(&stored(tx, id(number)).await?.life, now) {
                expected.push(number);
            }
        }
        assert_eq!(claimable(tx, now, 100).await?, expected, "at {now:?}");
    }
    Ok(())
}

async fn a_delivery_is_bounded_in_bytes_but_never_empty(tx: &mut Tx) -> Result<(), StoreError> {
    let node = enroll(tx, 1).await?;
    // Two bytes to a letter: bytes count, not letters.
    let payload = format!("\"{}\"", "ä".repeat(49));
    for number in 1..=4 {
        tasks::insert(tx, &TaskRow { payload: payload.clone(), ..task(number, node) }).await?;
    }
    for (bytes_max, expected) in [(0, 1), (100, 1), (199, 1), (200, 2), (399, 3), (400, 4), (9999, 4)] {
        assert_eq!(tasks::claimable(tx, node, NOW, 100, bytes_max).await?.len(), expected, "{bytes_max} bytes");
    }
    Ok(())
}

async fn a_claim_of_a_task_that_moved_on_changes_nothing(tx: &mut Tx) -> Result<(), StoreError> {
    let first = hand_out(tx).await?;
    let waiting = task(1, id(1)).life;
    assert!(!tasks::claim(tx, id(1), &waiting, &claimed(&waiting), 2, NOW).await?);
    assert!(!tasks::claim(tx, id(2), &waiting, &claimed(&waiting), 2, NOW).await?);
    let row = stored(tx, id(1)).await?;
    assert_eq!((row.life, row.delivery, row.claimed_at), (first, 1, Some(NOW)));
    // Back in the queue it stands as it did but for its attempt, which the old claim does not know.
    let lapsed = rules::lapse(&stored(tx, id(1)).await?.life, NOW + Span::hours(1), Millis(0)).unwrap();
    assert!(tasks::update(tx, id(1), &claimed(&waiting), &lapsed, &Stamps::default()).await?);
    assert!(!tasks::claim(tx, id(1), &waiting, &claimed(&waiting), 3, NOW).await?);
    let out_of_order = tasks::claim(tx, id(1), &claimed(&waiting), &lapsed, 3, NOW).await;
    assert!(matches!(out_of_order, Err(StoreError::Bug { .. })));
    Ok(())
}

async fn many_tasks_come_in_go_out_and_end_together(tx: &mut Tx) -> Result<(), StoreError> {
    let node = enroll(tx, 1).await?;
    // More than travel in one statement, and of each sort of value one that is absent.
    let odd = |number: u128| number % 2 == 1;
    let rows: Vec<TaskRow> = (1..=300)
        .map(|number| TaskRow {
            priority: -3,
            payload: format!(r#"{{"ä, {{}} \\\"":{number}}}"#),
            traceparent: odd(number).then(|| "00-aa-bb-01".into()),
            life: Task::submitted(3, Span::seconds(60), None, odd(number).then_some(Millis(NOW.0 + 9))),
            ..task(number, node)
        })
        .collect();
    tasks::insert_all(tx, &[]).await?;
    tasks::insert_all(tx, &rows).await?;
    for row in [&rows[0], &rows[1], &rows[299]] {
        assert_eq!(&stored(tx, row.id).await?, row);
    }
    let ids: Vec<TaskId> = rows.iter().map(|row| row.id).chain([id(999)]).collect();
    let lives = tasks::get_lives(tx, &ids).await?;
    assert_eq!(lives.iter().map(|row| row.id).collect::<BTreeSet<_>>(), ids[..300].iter().copied().collect());
    // One of them is gone already when all are claimed.
    assert!(tasks::claim(tx, id(7), &rows[6].life, &claimed(&rows[6].life), 1, NOW).await?);
    let held: Vec<Task> = rows.iter().map(|row| claimed(&row.life)).collect();
    let claims: Vec<_> = rows.iter().zip(&held).map(|(row, held)| (row.id, &row.life, held)).collect();
    let taken = tasks::claim_all(tx, &claims, 2, NOW).await?;
    assert!(taken.len() == 299 && !taken.contains(&id(7)));
    let ended: Vec<Task> = held.iter().map(|held| Task { state: State::Completed, ..held.clone() }).collect();
    let texts: Vec<String> = (1..=300).map(|number| format!(r#"{{"n":{number}}}"#)).collect();
    let changes: Vec<Change<'_>> = (0..300)
        .map(|at| {
            let stamps = Stamps {
                finished_at: Some(Millis(NOW.0 + 9)),
                message: odd(at as u128).then_some("odd"),
                result: Some(&texts[at]),
                result_digest: odd(at as u128).then_some(&[0, 255][..]),
                ..Stamps::default()
            };
            // Somebody was quicker with the last: it does not stand as it was read.
            let before = if at == 299 { &rows[at].life } else { &held[at] };
            Change { id: rows[at].id, before, after: &ended[at], stamps }
        })
        .collect();
    let changed = tasks::update_all(tx, &changes).await?;
    assert!(changed.len() == 299 && !changed.contains(&id(300)));
    let (one, other, last) = (stored(tx, id(1)).await?, stored(tx, id(2)).await?, stored(tx, id(300)).await?);
    assert_eq!((one.life, one.message, one.result_digest), (ended[0].clone(), None, None));
    assert_eq!((other.result.as_deref(), other.message.as_deref()), (Some(r#"{"n":2}"#), Some("odd")));
    assert_eq!((other.result_digest.as_deref(), other.delivery), (Some(&[0, 255][..]), 2));
    assert_eq!(last.life, held[299]);
    assert_eq!(stored(tx, id(7)).await?.delivery, 1);
    Ok(())
}

async fn every_end_is_kept_with_what_belongs_to_it(tx: &mut Tx) -> Result<(), StoreError> {
    let node = enroll(tx, 1).await?;
    let code = Code::new("boom");
    let ends = [
        State::Completed,
        State::Failed { code: code.clone(), by: EndedBy::Agent },
        State::Failed { code: Code::new(Code::LEASE_EXPIRED), by: EndedBy::Hub },
        State::Rejected { code },
        State::Cancelled { by: EndedBy::Agent },
        State::Cancelled { by: EndedBy::Hub },
        State::Expired,
    ];
    for (number, state) in (1..).zip(ends) {
        let waiting = task(number, node);
        tasks::insert(tx, &waiting).await?;
        let held = claimed(&waiting.life);
        assert!(tasks::claim(tx, waiting.id, &waiting.life, &held, 3, NOW).await?);
        let ended = Task { state: state.clone(), ..held.clone() };
        let result = (state == State::Completed).then_some(r#"{"ok":true}"#);
        let digest = (state != State::Expired).then_some(&[1_u8, 2, 3][..]);
        let stamps = Stamps {
            finished_at: Some(Millis(NOW.0 + 9)),
            message: Some("so it was"),
            result,
            result_digest: digest,
            ..Stamps::default()
        };
        assert!(tasks::update(tx, waiting.id, &held, &ended, &stamps).await?, "{state:?}");
        let expected = TaskRow {
            life: ended.clone(),
            delivery: 3,
            claimed_at: Some(NOW),
            finished_at: Some(Millis(NOW.0 + 9)),
            message: Some("so it was".into()),
            result: result.map(str::to_owned),
            result_digest: digest.map(<[u8]>::to_vec),
            ..waiting
        };
        assert_eq!(stored(tx, expected.id).await?, expected);
        // Decided from what it was, a second decision comes too late.
        assert!(!tasks::update(tx, expected.id, &held, &ended, &stamps).await?);
        let timeless = tasks::update(tx, expected.id, &held, &ended, &Stamps::default()).await;
        assert!(matches!(timeless, Err(StoreError::Bug { .. })));
    }
    Ok(())
}

async fn what_a_state_cannot_have_is_cleared(tx: &mut Tx) -> Result<(), StoreError> {
    let held = hand_out(tx).await?;
    let outcome = Outcome::Failed { code: Code::new("boom"), retry: true };
    let report = rules::Report { run: held.run, attempt: held.attempt, outcome, is_recorded: false };
    let Ok(rules::Finished::Changed(retried)) = rules::finish(&held, &report, NOW, 0) else { panic!("it is retried") };
    // Stamps of an end are of no use to a task that goes back to the queue.
    let stamps = Stamps {
        delivery: Some(9),
        claimed_at: Some(NOW),
        finished_at: Some(NOW),
        message: Some("no space"),
        result: Some("{}"),
        result_digest: Some(&[1]),
    };
    assert!(tasks::update(tx, id(1), &held, &retried, &stamps).await?);
    let expected = TaskRow { life: retried.clone(), message: Some("no space".into()), ..task(1, id(1)) };
    assert_eq!(stored(tx, id(1)).await?, expected);
    // It fails for good, and an operator wants it done all the same.
    let failed = Task { state: State::Failed { code: Code::new("boom"), by: EndedBy::Hub }, ..retried.clone() };
    let stamps = Stamps { finished_at: Some(NOW), result_digest: Some(&[2]), ..Stamps::default() };
    assert!(tasks::update(tx, id(1), &retried, &failed, &stamps).await?);
    let requeued = rules::requeue(&failed).unwrap();
    assert!(tasks::update(tx, id(1), &failed, &requeued, &Stamps::default()).await?);
    assert_eq!(stored(tx, id(1)).await?, TaskRow { life: requeued, ..task(1, id(1)) });
    Ok(())
}

async fn a_renewed_lease_is_not_shortened_by_a_cancellation(tx: &mut Tx) -> Result<(), StoreError> {
    let held = hand_out(tx).await?;
    let renewed_until = NOW + Span::hours(1);
    assert_eq!(tasks::renew(tx, &[(id(1), held.attempt, renewed_until)]).await?, 1);
    let asked = rules::cancel(&held).unwrap();
    assert!(tasks::update(tx, id(1), &held, &asked, &Stamps::default()).await?);
    let row = stored(tx, id(1)).await?;
    assert_eq!(row.life.state, State::InProgress { lease_until: renewed_until, cancel_asked: true });
    assert_eq!((row.delivery, row.claimed_at), (1, Some(NOW)));
    Ok(())
}

async fn waiting_tasks_are_counted_per_node(tx: &mut Tx) -> Result<(), StoreError> {
    hand_out(tx).await?;
    tasks::insert(tx, &task(2, id(1))).await?;
    tasks::insert(tx, &task(3, id(1))).await?;
    assert_eq!(tasks::count_pending(tx, id(1)).await?, 2);
    assert_eq!(tasks::count_pending(tx, id(2)).await?, 0);
    Ok(())
}

async fn only_what_ended_long_ago_is_deleted(tx: &mut Tx) -> Result<(), StoreError> {
    let node = enroll(tx, 1).await?;
    let ended_at = [Some(10), None, Some(20), Some(15), Some(5)];
    for (number, ended_at) in (1..).zip(ended_at) {
        let waiting = task(number, node);
        tasks::insert(tx, &waiting).await?;
        if let Some(at) = ended_at {
            let cancelled = rules::cancel(&waiting.life).unwrap();
            let stamps = Stamps { finished_at: Some(Millis(at)), ..Stamps::default() };
            assert!(tasks::update(tx, waiting.id, &waiting.life, &cancelled, &stamps).await?);
        }
    }
    assert_eq!(tasks::delete_finished_before(tx, Millis(20), 2).await?, 2);
    assert_eq!(tasks::delete_finished_before(tx, Millis(20), 2).await?, 1);
    assert_eq!(tasks::delete_finished_before(tx, Millis(20), 2).await?, 0);
    assert!(tasks::get_any_org(tx, id(2)).await?.is_some());
    assert!(tasks::get_any_org(tx, id(3)).await?.is_some());
    Ok(())
}

async fn a_cancellation_that_was_asked_for_meanwhile_is_not_lost(tx: &mut Tx) -> Result<(), StoreError> {
    let before = hand_out(tx).await?;
    let asked = sortie_rules::tasks::cancel(&before).expect("it is under way");
    assert!(tasks::update(tx, id(1), &before, &asked, &Stamps::default()).await?);
    let lapsed = sortie_rules::tasks::lapse(&before, NOW + Span::days(1), NOW).expect("its lease is over");
    assert!(!tasks::update(tx, id(1), &before, &lapsed, &Stamps::default()).await?, "somebody was quicker");
    Ok(())
}
