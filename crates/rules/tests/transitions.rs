//! Every transition of a task's life, one by one and in any order.

use proptest::prelude::*;
use sortie_rules::tasks::*;
use sortie_rules::time::{Millis, Span};

const NOW: Millis = Millis(1_000_000);
const LEASE: Span = Span::seconds(60);

fn pending() -> Task {
    Task::submitted(3, LEASE, None, None)
}
fn claimed() -> Task {
    claim(&pending(), NOW).expect("a fresh task is claimable")
}
fn report(task: &Task, outcome: Outcome) -> Report {
    Report { run: task.run, attempt: task.attempt, outcome, is_recorded: false }
}
fn error(retry: bool) -> Outcome {
    Outcome::Failed { code: Code::new("boom"), retry }
}
fn changed(finished: Result<Finished, Refusal>) -> Task {
    match finished {
        Ok(Finished::Changed(task)) => task,
        other => panic!("{other:?}"),
    }
}
fn ended(state: State) -> Task {
    Task { state, ..claimed() }
}
fn all_ends() -> Vec<Task> {
    vec![
        ended(State::Completed),
        ended(State::Failed { code: Code::new("boom"), by: EndedBy::Agent }),
        ended(State::Failed { code: Code::new(Code::LEASE_EXPIRED), by: EndedBy::Hub }),
        ended(State::Rejected { code: Code::new("no") }),
        ended(State::Cancelled { by: EndedBy::Agent }),
        ended(State::Cancelled { by: EndedBy::Hub }),
        ended(State::Expired),
    ]
}

#[test]
fn a_claim_raises_the_attempt_and_starts_the_lease() {
    let task = claimed();
    assert_eq!((task.attempt, task.run), (1, 1));
    assert_eq!(task.state, State::InProgress { lease_until: NOW + LEASE, cancel_asked: false });
}

#[test]
fn nothing_but_a_waiting_task_in_its_time_is_claimable() {
    let at = |not_before, not_after| Task::submitted(3, LEASE, not_before, not_after);
    assert!(claim(&at(Some(NOW), None), NOW).is_ok());
    assert_eq!(claim(&at(Some(NOW + Span(1)), None), NOW), Err(Refusal::NotClaimable));
    assert!(claim(&at(None, Some(NOW + Span(1))), NOW).is_ok());
    assert_eq!(claim(&at(None, Some(NOW)), NOW), Err(Refusal::NotClaimable));
    assert_eq!(claim(&claimed(), NOW), Err(Refusal::NotClaimable));
    for task in all_ends() {
        assert_eq!(claim(&task, NOW), Err(Refusal::NotClaimable));
    }
}

#[test]
fn a_renewal_lengthens_the_lease_of_the_attempt_that_holds_it_and_of_no_other() {
    let later = NOW + Span::seconds(20);
    let task = renew(&claimed(), 1, later).unwrap();
    assert_eq!(task.state, State::InProgress { lease_until: later + LEASE, cancel_asked: false });
    assert_eq!(renew(&task, 1, NOW).unwrap(), task, "a lease never gets shorter");
    assert_eq!(renew(&task, 2, later), Err(Refusal::NotHeld));
    assert_eq!(renew(&pending(), 0, later), Err(Refusal::NotHeld));
    for task in all_ends() {
        assert_eq!(renew(&task, 1, later), Err(Refusal::NotHeld));
    }
}

#[test]
fn a_lapsed_lease_returns_the_task_in_the_same_run() {
    let task = lapse(&claimed(), NOW + LEASE, Millis(0)).unwrap();
    assert_eq!(task.state, State::Pending { not_before: None });
    assert_eq!((task.run, task.retries, task.attempt), (1, 1, 1));
}

#[test]
fn a_lease_holds_until_its_deadline_and_for_one_whole_lease_after_the_hub_began_to_listen() {
    let task = claimed();
    assert_eq!(lapse(&task, NOW + Span(59_999), Millis(0)), Err(Refusal::LeaseHolds));
    let started = NOW + Span::seconds(50);
    assert_eq!(lapse(&task, NOW + LEASE, started), Err(Refusal::LeaseHolds));
    assert!(lapse(&task, started + LEASE, started).is_ok());
    assert_eq!(lapse(&pending(), NOW + LEASE, Millis(0)), Err(Refusal::LeaseHolds));
    for task in all_ends() {
        assert_eq!(lapse(&task, NOW + Span::days(1), Millis(0)), Err(Refusal::LeaseHolds));
    }
}

#[test]
fn past_its_retries_a_lapsed_task_is_dead() {
    let task = Task { retries: 3, ..claimed() };
    let dead = lapse(&task, NOW + LEASE, Millis(0)).unwrap();
    assert_eq!(dead.state, State::Failed { code: Code::new(Code::LEASE_EXPIRED), by: EndedBy::Hub });
}

#[test]
fn a_lapse_after_a_cancel_or_after_the_end_of_its_time_ends_the_task() {
    let asked = cancel(&claimed()).unwrap();
    assert_eq!(lapse(&asked, NOW + LEASE, Millis(0)).unwrap().state, State::Cancelled { by: EndedBy::Hub });
    let overdue = Task { not_after: Some(NOW + Span(1)), ..claimed() };
    assert_eq!(lapse(&overdue, NOW + LEASE, Millis(0)).unwrap().state, State::Expired);
}

#[test]
fn each_outcome_leads_to_its_end() {
    let task = claimed();
    let end = |outcome| changed(finish(&task, &report(&task, outcome), NOW, 0)).state;
    assert_eq!(end(Outcome::Completed), State::Completed);
    assert_eq!(end(Outcome::Cancelled), State::Cancelled { by: EndedBy::Agent });
    assert_eq!(end(Outcome::Rejected { code: Code::new("no") }), State::Rejected { code: Code::new("no") });
    assert_eq!(
        end(Outcome::Interrupted),
        State::Failed { code: Code::new(Code::INTERRUPTED), by: EndedBy::Agent },
        "interrupted work is never retried by itself"
    );
    assert_eq!(end(error(false)), State::Failed { code: Code::new("boom"), by: EndedBy::Agent });
}

#[test]
fn an_error_with_retries_left_opens_a_new_run_after_a_wait() {
    let task = claimed();
    let again = changed(finish(&task, &report(&task, error(true)), NOW, u32::MAX));
    assert_eq!(again.state, State::Pending { not_before: Some(NOW + Span::seconds(1)) });
    assert_eq!((again.run, again.retries), (2, 1));
    let last = Task { retries: 3, ..claimed() };
    assert!(matches!(changed(finish(&last, &report(&last, error(true)), NOW, 0)).state, State::Failed { .. }));
    let asked = cancel(&task).unwrap();
    assert!(matches!(changed(finish(&asked, &report(&asked, error(true)), NOW, 0)).state, State::Failed { .. }));
}

#[test]
fn the_same_result_again_changes_nothing_and_another_is_refused() {
    let done = ended(State::Completed);
    let same = Report { is_recorded: true, ..report(&done, Outcome::Completed) };
    assert_eq!(finish(&done, &same, NOW, 0), Ok(Finished::Repeated));
    assert_eq!(finish(&done, &report(&done, error(true)), NOW, 0), Err(Refusal::OtherResult));
    let refused = ended(State::Rejected { code: Code::new("no") });
    assert_eq!(finish(&refused, &report(&refused, Outcome::Completed), NOW, 0), Err(Refusal::OtherResult));
}

#[test]
fn a_late_result_replaces_what_the_hub_only_concluded() {
    for task in all_ends() {
        let late = finish(&task, &report(&task, Outcome::Completed), NOW, 0);
        let concluded = matches!(
            task.state,
            State::Expired | State::Failed { by: EndedBy::Hub, .. } | State::Cancelled { by: EndedBy::Hub }
        );
        assert_eq!(late.is_ok(), concluded, "{:?}", task.state);
    }
    let dead = ended(State::Failed { code: Code::new(Code::LEASE_EXPIRED), by: EndedBy::Hub });
    let failed = changed(finish(&dead, &report(&dead, error(true)), NOW, 0));
    assert_eq!(failed.state, State::Failed { code: Code::new("boom"), by: EndedBy::Agent }, "it is not revived");
}

#[test]
fn an_older_attempt_counts_as_long_as_nobody_has_answered() {
    let lapsed = lapse(&claimed(), NOW + LEASE, Millis(0)).unwrap();
    let by_first = Report { run: 1, attempt: 1, outcome: Outcome::Completed, is_recorded: false };
    assert_eq!(changed(finish(&lapsed, &by_first, NOW, 0)).state, State::Completed);
    let second = claim(&lapsed, NOW + LEASE).unwrap();
    assert_eq!(second.attempt, 2);
    assert_eq!(changed(finish(&second, &by_first, NOW, 0)).state, State::Completed);
}

#[test]
fn an_error_of_a_closed_run_is_only_repeated_but_its_success_counts() {
    let task = claimed();
    let second_run = changed(finish(&task, &report(&task, error(true)), NOW, 0));
    assert_eq!(finish(&second_run, &report(&task, error(true)), NOW, 0), Ok(Finished::Repeated));
    let success = changed(finish(&second_run, &report(&task, Outcome::Completed), NOW, 0));
    assert_eq!(success.state, State::Completed);
}

#[test]
fn a_hub_restored_from_a_backup_takes_results_of_attempts_it_never_made() {
    let ahead = Report { run: 2, attempt: 5, outcome: Outcome::Completed, is_recorded: false };
    let task = changed(finish(&pending(), &ahead, NOW, 0));
    assert_eq!((task.state, task.run, task.attempt), (State::Completed, 2, 5));
}

#[test]
fn cancel_ends_a_waiting_task_and_asks_for_one_under_way() {
    assert_eq!(cancel(&pending()).unwrap().state, State::Cancelled { by: EndedBy::Hub });
    let asked = cancel(&claimed()).unwrap();
    assert!(matches!(asked.state, State::InProgress { cancel_asked: true, .. }));
    let done = changed(finish(&asked, &report(&asked, Outcome::Completed), NOW, 0));
    assert_eq!(done.state, State::Completed, "work that was done all the same is done");
    for task in all_ends() {
        assert_eq!(cancel(&task), Err(Refusal::Ended(task.state.status())));
    }
}

#[test]
fn only_waiting_tasks_expire_and_only_after_their_end() {
    let task = Task::submitted(3, LEASE, None, Some(NOW));
    assert_eq!(expire(&task, NOW).unwrap().state, State::Expired);
    assert_eq!(expire(&task, Millis(NOW.0 - 1)), Err(Refusal::NotExpired));
    assert_eq!(expire(&pending(), NOW), Err(Refusal::NotExpired));
    let under_way = Task { not_after: Some(NOW), ..claimed() };
    assert_eq!(expire(&under_way, NOW + LEASE), Err(Refusal::NotExpired));
}

#[test]
fn requeue_opens_a_new_run_of_whatever_ended_without_completing() {
    for task in all_ends() {
        match requeue(&task) {
            Ok(again) => {
                assert_eq!(again.state, State::Pending { not_before: None });
                assert_eq!((again.run, again.retries, again.attempt), (task.run + 1, 0, task.attempt));
            }
            Err(refusal) => {
                assert_eq!((refusal, &task.state), (Refusal::NotRequeueable(Status::Completed), &State::Completed))
            }
        }
    }
    assert_eq!(requeue(&pending()), Err(Refusal::NotRequeueable(Status::Pending)));
    assert_eq!(requeue(&claimed()), Err(Refusal::NotRequeueable(Status::InProgress)));
}

/// Everything that can happen to a task, with the time that passes before it.
#[derive(Debug, Clone)]
enum Happening {
    Claim,
    Renew,
    Lapse,
    Finish { runs_back: u32, outcome: Outcome },
    Cancel,
    Expire,
    Requeue,
}

fn happenings() -> impl Strategy<Value = (i64, Happening)> {
    let outcomes = prop_oneof![
        Just(Outcome::Completed),
        any::<bool>().prop_map(error),
        Just(Outcome::Interrupted),
        Just(Outcome::Rejected { code: Code::new("no") }),
        Just(Outcome::Cancelled),
    ];
    let what = prop_oneof![
        4 => Just(Happening::Claim),
        2 => Just(Happening::Renew),
        2 => Just(Happening::Lapse),
        3 => (0u32..3, outcomes).prop_map(|(runs_back, outcome)| Happening::Finish { runs_back, outcome }),
        1 => Just(Happening::Cancel),
        1 => Just(Happening::Expire),
        1 => Just(Happening::Requeue),
    ];
    (0i64..100_000, what)
}

proptest! {
    /// Whatever happens in whatever order: counters never fall, the agent's word is never
    /// overwritten except by an operator's requeue, and no task is handed out beyond its retries.
    #[test]
    fn no_order_of_events_breaks_a_life(
        retries_max in 0u32..4,
        not_after in proptest::option::of(0i64..2_000_000),
        events in proptest::collection::vec(happenings(), 1..80),
    ) {
        let mut task = Task::submitted(retries_max, LEASE, None, not_after.map(Millis));
        let (mut now, mut claims_since_requeue) = (Millis(0), 0);
        for (passes, happening) in events {
            now = now + Span(passes);
            let before = task.clone();
            let next = match &happening {
                Happening::Claim => claim(&task, now).ok(),
                Happening::Renew => renew(&task, task.attempt, now).ok(),
                Happening::Lapse => lapse(&task, now, Millis(0)).ok(),
                Happening::Cancel => cancel(&task).ok(),
                Happening::Expire => expire(&task, now).ok(),
                Happening::Requeue => requeue(&task).ok(),
                Happening::Finish { runs_back, outcome } => {
                    let run = task.run.saturating_sub(*runs_back).max(1);
                    let report = Report { run, attempt: task.attempt, outcome: outcome.clone(), is_recorded: false };
                    match finish(&task, &report, now, 7) { Ok(Finished::Changed(next)) => Some(next), _ => None }
                }
            };
            let Some(next) = next else { continue };
            prop_assert!(next.attempt >= before.attempt && next.run >= before.run);
            prop_assert!(next.retries <= next.retries_max);
            match happening {
                Happening::Claim => {
                    claims_since_requeue += 1;
                    prop_assert_eq!(next.attempt, before.attempt + 1);
                    prop_assert!(claims_since_requeue <= retries_max + 1, "handed out more often than allowed");
                }
                Happening::Requeue => claims_since_requeue = 0,
                _ => prop_assert!(before.state != State::Completed, "completed is for good"),
            }
            if before.state.status().is_terminal() && !matches!(happening, Happening::Requeue) {
                prop_assert!(matches!(happening, Happening::Finish { .. }), "only a late result changes an end");
                prop_assert!(next.state.status().is_terminal());
            }
            task = next;
        }
    }
}
