//! The ledger on real files, also as a crash would leave them: copied while it is open.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::value::RawValue;
use sortie_rules::ids::{BootId, Id, TaskId};
use sortie_rules::limits::LEDGER_KEEPS;
use sortie_rules::time::{Millis, Span};
use sortie_wire::deliveries::HandedTask;
use sortie_wire::results::{OutcomeWord, RunResult};
use uuid::Builder;

use super::prune::RESULT_KEPT;
use super::*;
use crate::operations::{Borne, borne};
use crate::runner::{cancelled, interrupted};

const NOW: Millis = Millis(1_800_000_000_000);

struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new() -> Scratch {
        Scratch(tempfile::tempdir().unwrap())
    }
    fn path(&self) -> PathBuf {
        self.0.path().join("ledger.db")
    }
    /// The file and its log as a crash at this moment would leave them.
    fn crashed(&self) -> Scratch {
        let copy = Scratch::new();
        for name in ["ledger.db", "ledger.db-wal"] {
            std::fs::copy(self.0.path().join(name), copy.0.path().join(name)).unwrap();
        }
        copy
    }
}

/// Starts count from 1.
fn name(last: Option<BootId>) -> BootId {
    Id::from_uuid(uuid::Uuid::from_u128(last.map_or(1, |last| last.uuid().as_u128() + 1)))
}
fn open(path: &Path) -> (Ledger, WriterThread, u64, Recovered) {
    let (ledger, thread, line, recovered) = WriterThread::start(path, name).unwrap();
    (ledger, thread, line.acknowledged, recovered)
}

fn task(n: u64, at: Millis) -> TaskId {
    let mut tail = [0; 10];
    tail[2..].copy_from_slice(&n.to_be_bytes());
    Id::from_uuid(Builder::from_unix_timestamp_millis(at.0.unsigned_abs(), &tail).into_uuid())
}
fn handed(n: u64, run: u32, attempt: u32, idempotent: bool) -> HandedTask {
    HandedTask {
        id: task(n, NOW),
        run,
        attempt,
        type_name: "sleep".into(),
        idempotent,
        lease: Span::seconds(60),
        not_after: None,
        traceparent: None,
        secrets: Vec::new(),
        operation: None,
        payload: RawValue::from_string(r#"{"ms":1}"#.into()).unwrap(),
    }
}
fn delivery(number: u64, tasks: Vec<HandedTask>) -> Incoming {
    let offered =
        |handed: HandedTask| Offered { starts: !handed.idempotent && handed.run == 1, borne: borne(&handed), handed };
    let tasks = tasks.into_iter().map(offered).collect();
    Incoming { number, issued_at: NOW, operators_version: 3, tasks }
}
fn done(n: u64, run: u32, at: Millis) -> Ended {
    let key = RunKey { task: task(n, NOW), run };
    let result = RunResult {
        task: key.task,
        run,
        attempt: 1,
        outcome: OutcomeWord::Completed,
        result: Some(RawValue::from_string("{}".into()).unwrap()),
        code: None,
        message: None,
        retry: false,
        log_bytes: 0,
        started_at: at,
        finished_at: at,
    };
    Ended { run: key, result: Arc::new(serde_json::to_vec(&result).unwrap()), at }
}
fn read(ended: &Ended) -> RunResult {
    serde_json::from_slice(&ended.result).unwrap()
}
async fn verdicts(ledger: &Ledger, incoming: Incoming) -> Vec<&'static str> {
    let verdicts = match ledger.accept(incoming, NOW).await.unwrap() {
        Taken::Whole(verdicts) => verdicts,
        Taken::Refused(refused, _) => return vec![refused.code.as_str()],
    };
    let word = |verdict: &Verdict| match verdict {
        Verdict::Accepted(_) => "accepted",
        Verdict::Held(_) => "held",
        Verdict::AnswerAgain => "answer",
        Verdict::Ignored => "ignored",
    };
    verdicts.iter().map(word).collect()
}
async fn close(ledger: Ledger, thread: WriterThread) {
    drop(ledger);
    tokio::task::spawn_blocking(move || thread.join()).await.unwrap();
}

#[tokio::test]
async fn what_was_accepted_is_there_after_a_crash_with_the_number_it_is_acknowledged_by() {
    let scratch = Scratch::new();
    let (ledger, _thread, acknowledged, _) = open(&scratch.path());
    assert_eq!(acknowledged, 0);
    let tasks = vec![handed(2, 1, 1, true), handed(1, 1, 3, false)];
    assert_eq!(verdicts(&ledger, delivery(7, tasks)).await, ["accepted", "accepted"]);
    let copy = scratch.crashed();
    let (_ledger, _thread, acknowledged, recovered) = open(&copy.path());
    assert_eq!(acknowledged, 7);
    let run: Vec<TaskId> = recovered.run.iter().map(|handed| handed.id).collect();
    assert_eq!(run, [task(2, NOW)], "the one that may be repeated is run");
    let cut = Interrupted { run: RunKey { task: task(1, NOW), run: 1 }, attempt: 3 };
    assert_eq!(recovered.interrupted, [cut], "the one that may not had its start written with it");
}

#[tokio::test]
async fn runs_are_taken_up_in_the_order_in_which_they_came() {
    let scratch = Scratch::new();
    let (ledger, thread, ..) = open(&scratch.path());
    for number in 1..=3 {
        let tasks = (0..3).map(|n| handed(100 - 10 * number + n, 1, 1, true)).collect();
        verdicts(&ledger, delivery(number, tasks)).await;
    }
    close(ledger, thread).await;
    let (_ledger, _thread, _, recovered) = open(&scratch.path());
    let order: Vec<TaskId> = recovered.run.iter().map(|handed| handed.id).collect();
    assert_eq!(order, [90, 91, 92, 80, 81, 82, 70, 71, 72].map(|n| task(n, NOW)));
}

#[tokio::test]
async fn a_run_that_comes_again_is_answered_from_the_ledger() {
    let scratch = Scratch::new();
    let (ledger, _thread, ..) = open(&scratch.path());
    let come = |number, run, attempt| delivery(number, vec![handed(1, run, attempt, true)]);
    assert_eq!(verdicts(&ledger, come(1, 1, 1)).await, ["accepted"]);
    assert_eq!(verdicts(&ledger, come(2, 1, 2)).await, ["held"]);
    ledger.finish(done(1, 1, NOW)).await.unwrap();
    assert_eq!(verdicts(&ledger, come(3, 1, 4)).await, ["answer"]);
    let waiting = ledger.unreported(10, usize::MAX).await.unwrap();
    assert_eq!(read(&waiting[0]).attempt, 4, "the result names the newest attempt");
    ledger.reported(vec![waiting[0].run]).await.unwrap();
    assert!(ledger.unreported(10, usize::MAX).await.unwrap().is_empty());
    assert_eq!(verdicts(&ledger, come(4, 1, 5)).await, ["answer"]);
    assert_eq!(ledger.unreported(10, usize::MAX).await.unwrap().len(), 1);
    assert_eq!(verdicts(&ledger, come(5, 2, 6)).await, ["accepted"], "a new run executes");
    assert_eq!(verdicts(&ledger, come(6, 1, 7)).await, ["ignored"], "and the old one is closed");
}

#[tokio::test]
async fn an_old_delivery_played_again_brings_nothing_new() {
    let scratch = Scratch::new();
    let (ledger, _thread, ..) = open(&scratch.path());
    verdicts(&ledger, delivery(5, vec![handed(1, 1, 1, true)])).await;
    for number in [4, 5] {
        let again = delivery(number, vec![handed(1, 1, 2, true)]);
        assert_eq!(verdicts(&ledger, again).await, ["held"], "it is known");
        let other = delivery(number, vec![handed(1, 1, 9, true), handed(2, 1, 1, true)]);
        assert_eq!(verdicts(&ledger, other).await, ["number_taken"]);
    }
    let copy = scratch.crashed();
    let (_ledger, _thread, acknowledged, recovered) = open(&copy.path());
    assert_eq!(acknowledged, 5);
    assert_eq!(recovered.run.iter().map(|run| run.attempt).collect::<Vec<_>>(), [2], "nothing of the others was done");
}

#[tokio::test]
async fn refusals_are_counted_by_reason_over_crashes_until_the_hub_knows() {
    use sortie_rules::verification;
    let scratch = Scratch::new();
    let (ledger, _thread, ..) = open(&scratch.path());
    assert_eq!(ledger.untold().await.unwrap(), []);
    let refused = |code, number| Refused { code, message: "no".to_owned(), number };
    for times in 1..=3 {
        let refused = refused(verification::Refused::BadSignature, None);
        assert_eq!(ledger.refuse(refused, NOW + Span::seconds(times)).await.unwrap(), times.unsigned_abs());
    }
    ledger.refuse(refused(verification::Refused::Expired, Some(7)), NOW).await.unwrap();
    let copy = scratch.crashed();
    let (ledger, thread, ..) = open(&copy.path());
    let untold = ledger.untold().await.unwrap();
    let counts: Vec<_> = untold.iter().map(|one| (one.code.as_str(), one.times, one.number)).collect();
    assert_eq!(counts, [("bad_signature", 3, None), ("expired", 1, Some(7))]);
    assert_eq!((untold[0].first_at, untold[0].last_at), (NOW + Span::seconds(1), NOW + Span::seconds(3)));
    ledger.told(vec![("bad_signature".into(), 3), ("expired".into(), 1)]).await.unwrap();
    assert_eq!(ledger.untold().await.unwrap(), []);
    ledger.refuse(refused(verification::Refused::Expired, None), NOW).await.unwrap();
    assert_eq!(ledger.untold().await.unwrap().len(), 2, "all of it is told again, which changes nothing");
    close(ledger, thread).await;
}

#[tokio::test]
async fn each_start_is_named_on_disk_before_anybody_hears_it() {
    let scratch = Scratch::new();
    let (ledger, thread, first, _) = WriterThread::start(&scratch.path(), name).unwrap();
    let copy = scratch.crashed();
    close(ledger, thread).await;
    let (_ledger, _thread, second, _) = WriterThread::start(&copy.path(), name).unwrap();
    assert_eq!((first.boot, second.boot), (name(None), name(Some(first.boot))));
}

#[test]
fn a_ledger_of_the_first_form_is_brought_up_to_date() {
    let scratch = Scratch::new();
    let first = rusqlite::Connection::open(scratch.path()).unwrap();
    let schema = concat!(include_str!("schema.sql"), "pragma user_version = 1;");
    first.execute_batch(schema).unwrap();
    drop(first);
    for _ in 0..2 {
        let connection = file::open(&scratch.path()).unwrap();
        connection.execute("delete from refused", []).unwrap();
    }
}

#[tokio::test]
async fn results_survive_a_crash_until_the_receipt_and_in_pieces() {
    let scratch = Scratch::new();
    let (ledger, _thread, ..) = open(&scratch.path());
    let tasks = (0..10).map(|n| handed(n, 1, 1, true)).collect();
    verdicts(&ledger, delivery(1, tasks)).await;
    for n in 0..10 {
        ledger.finish(done(n, 1, NOW)).await.unwrap();
    }
    let copy = scratch.crashed();
    let (ledger, thread, _, recovered) = open(&copy.path());
    assert_eq!((recovered.unreported, recovered.run.len()), (10, 0));
    let three = ledger.unreported(3, usize::MAX).await.unwrap();
    assert_eq!(three.len(), 3);
    assert_eq!(ledger.unreported(10, 1).await.unwrap().len(), 1, "one is taken however large");
    ledger.reported(three.iter().map(|ended| ended.run).collect()).await.unwrap();
    close(ledger, thread).await;
    let (_ledger, _thread, _, recovered) = open(&copy.path());
    assert_eq!(recovered.unreported, 7, "receipts are written at the latest when the ledger is closed");
}

#[tokio::test]
async fn a_waiting_run_is_forgotten_only_under_the_attempt_that_the_hub_took_back() {
    let scratch = Scratch::new();
    let (ledger, _thread, ..) = open(&scratch.path());
    let run = RunKey { task: task(1, NOW), run: 1 };
    verdicts(&ledger, delivery(1, vec![handed(1, 1, 1, true)])).await;
    verdicts(&ledger, delivery(2, vec![handed(1, 1, 2, true)])).await;
    assert!(!ledger.withdraw(run, 1).await.unwrap());
    assert!(ledger.withdraw(run, 2).await.unwrap());
    assert_eq!(verdicts(&ledger, delivery(3, vec![handed(1, 1, 3, true)])).await, ["accepted"]);
    ledger.begin(run).await.unwrap();
    assert!(!ledger.withdraw(run, 3).await.unwrap(), "what has begun is not forgotten");
}

#[tokio::test]
async fn ends_without_a_handler_are_written_like_any_other() {
    let scratch = Scratch::new();
    let (ledger, _thread, ..) = open(&scratch.path());
    verdicts(&ledger, delivery(1, vec![handed(1, 1, 1, true), handed(2, 1, 1, false)])).await;
    ledger.finish(cancelled(RunKey { task: task(1, NOW), run: 1 }, 1, NOW)).await.unwrap();
    ledger.finish(interrupted(RunKey { task: task(2, NOW), run: 1 }, 1, NOW, 0)).await.unwrap();
    let waiting = ledger.unreported(10, usize::MAX).await.unwrap();
    let words: Vec<OutcomeWord> = waiting.iter().map(|ended| read(ended).outcome).collect();
    assert_eq!(words, [OutcomeWord::Cancelled, OutcomeWord::Interrupted]);
}

#[tokio::test]
async fn bodies_go_after_days_and_rows_after_months_but_nothing_that_is_unreported() {
    let scratch = Scratch::new();
    let (ledger, _thread, ..) = open(&scratch.path());
    let tasks = (1..=2).map(|n| handed(n, 1, 1, true)).collect();
    verdicts(&ledger, delivery(1, tasks)).await;
    ledger.finish(done(1, 1, NOW)).await.unwrap();
    ledger.finish(done(2, 1, NOW)).await.unwrap();
    ledger.reported(vec![RunKey { task: task(1, NOW), run: 1 }]).await.unwrap();
    let later = |span: Span| NOW + span + Span::seconds(1);
    assert_eq!(ledger.prune(None, later(RESULT_KEPT)).await.unwrap(), None);

    ledger.want_all().await.unwrap();
    assert_eq!(ledger.unreported(10, usize::MAX).await.unwrap().len(), 1, "the first one's body is gone");
    assert_eq!(verdicts(&ledger, delivery(2, vec![handed(1, 1, 2, true)])).await, ["answer"]);
    let answers = ledger.unreported(10, usize::MAX).await.unwrap();
    let forgotten = answers.iter().map(read).find(|result| result.task == task(1, NOW)).unwrap();
    assert_eq!(forgotten.code.as_ref().unwrap().0, "result_forgotten");
    forgotten.outcome().unwrap();

    ledger.reported(vec![RunKey { task: task(1, NOW), run: 1 }]).await.unwrap();
    ledger.prune(None, later(LEDGER_KEEPS)).await.unwrap();
    assert_eq!(verdicts(&ledger, delivery(3, vec![handed(1, 1, 3, true)])).await, ["accepted"], "it is unknown again");
    assert_eq!(verdicts(&ledger, delivery(4, vec![handed(2, 1, 3, true)])).await, ["answer"], "unreported: it stays");
}

#[tokio::test]
async fn a_run_is_known_as_long_as_the_nonce_of_its_operation_however_far_the_clock_leaps() {
    let scratch = Scratch::new();
    let (ledger, thread, _, _) = open(&scratch.path());
    let (operation, routine) = (handed(1, 1, 1, false), handed(2, 1, 1, false));
    let until = NOW + Span::days(3);
    let mut incoming = delivery(1, vec![operation.clone(), routine.clone()]);
    incoming.tasks[0].borne = Some(Borne { nonce: "a".repeat(32), operation: operation.id, expires_at: until });
    assert_eq!(verdicts(&ledger, incoming).await, ["accepted", "accepted"]);
    for n in [1, 2] {
        ledger.finish(done(n, 1, NOW)).await.unwrap();
        ledger.reported(vec![RunKey { task: task(n, NOW), run: 1 }]).await.unwrap();
    }
    // The machine's clock leaps, and comes back.
    let leapt = NOW + LEDGER_KEEPS + Span::days(300);
    ledger.prune(None, leapt).await.unwrap();
    let again = verdicts(&ledger, delivery(2, vec![operation.clone(), routine.clone()])).await;
    assert_eq!(again, ["answer", "accepted"], "the operation is answered from the ledger");
    ledger.reported(vec![RunKey { task: operation.id, run: 1 }]).await.unwrap();
    // By the hub's signature its time has passed: whoever brings it again is refused for that.
    ledger.keep_time(until + Span(1)).await.unwrap();
    ledger.prune(None, leapt).await.unwrap();
    assert_eq!(verdicts(&ledger, delivery(3, vec![operation])).await, ["accepted"]);
    close(ledger, thread).await;
}

#[tokio::test]
async fn pruning_goes_through_a_large_ledger_in_steps() {
    let scratch = Scratch::new();
    let (ledger, _thread, ..) = open(&scratch.path());
    let tasks = (0..1200).map(|n| handed(n, 1, 1, true)).collect();
    verdicts(&ledger, delivery(1, tasks)).await;
    for n in 0..1200 {
        ledger.finish(done(n, 1, NOW)).await.unwrap();
    }
    ledger.reported((0..1200).map(|n| RunKey { task: task(n, NOW), run: 1 }).collect()).await.unwrap();
    let late = NOW + LEDGER_KEEPS + Span::days(1);
    let (mut after, mut steps) = (None, 0);
    loop {
        steps += 1;
        after = ledger.prune(after, late).await.unwrap();
        if after.is_none() {
            break;
        }
    }
    assert_eq!(steps, 3);
    let again = (0..1200).map(|n| handed(n, 1, 1, true)).collect();
    assert!(verdicts(&ledger, delivery(2, again)).await.iter().all(|verdict| *verdict == "accepted"));
}

#[tokio::test]
async fn many_at_once_are_all_on_disk_when_they_are_answered() {
    let scratch = Scratch::new();
    let (ledger, _thread, ..) = open(&scratch.path());
    let tasks = (0..500).map(|n| handed(n, 1, 1, true)).collect();
    verdicts(&ledger, delivery(1, tasks)).await;
    let finishing: Vec<_> = (0..500)
        .map(|n| {
            let ledger = ledger.clone();
            tokio::spawn(async move { ledger.finish(done(n, 1, NOW)).await })
        })
        .collect();
    for finished in finishing {
        finished.await.unwrap().unwrap();
    }
    let copy = scratch.crashed();
    assert_eq!(open(&copy.path()).3.unreported, 500);
}

#[tokio::test]
async fn a_ledger_of_a_newer_program_is_left_alone() {
    let scratch = Scratch::new();
    let (ledger, thread, ..) = open(&scratch.path());
    close(ledger, thread).await;
    let connection = rusqlite::Connection::open(scratch.path()).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let refusal = WriterThread::start(&scratch.path(), name).unwrap_err();
    assert!(refusal.to_string().contains("newer agent"), "{refusal}");
}

#[tokio::test]
async fn a_full_disk_fails_the_whole_group_and_the_ledger_works_on_afterwards() {
    let scratch = Scratch::new();
    let connection = file::open(&scratch.path()).unwrap();
    let pages: i64 = connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    connection.pragma_update(None, "max_page_count", pages + 2).unwrap();
    let (reply, answer) = tokio::sync::oneshot::channel();
    let (reply_too, answer_too) = tokio::sync::oneshot::channel();
    let large = HandedTask {
        payload: RawValue::from_string(format!("\"{}\"", "x".repeat(1 << 16))).unwrap(),
        ..handed(1, 1, 1, true)
    };
    let small = handed(2, 1, 1, true);
    let accept = |tasks, number, reply| group::Request::Accept { incoming: delivery(number, tasks), now: NOW, reply };
    let mut requests = vec![accept(vec![small.clone()], 1, reply_too), accept(vec![large], 2, reply)];
    assert!(!group::commit(&connection, &mut requests, &mut Vec::new()));
    assert!(matches!(answer.await.unwrap(), Err(LedgerError::Full)));
    assert!(matches!(answer_too.await.unwrap(), Err(LedgerError::Full)), "the small one was in the same transaction");
    let (reply, answer) = tokio::sync::oneshot::channel();
    assert!(group::commit(&connection, &mut vec![accept(vec![small], 1, reply)], &mut Vec::new()));
    assert!(matches!(answer.await.unwrap().unwrap(), Taken::Whole(verdicts) if verdicts.len() == 1));
}
