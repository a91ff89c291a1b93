//! Results come home, however long the hub is away.

use sortie_agent::Output;
use sortie_wire::problem::ProblemCode;
use sortie_wire::results::OutcomeWord;

use super::agents::Site;
use super::hub::{Asked, TestHub, task};

#[tokio::test]
async fn a_result_is_kept_over_an_outage_and_sent_until_it_is_acknowledged() {
    let mut hub = TestHub::start().await;
    let site = Site::enrolled(&hub).await;
    let running = site.start();
    *hub.desk.refuse_results.lock().unwrap() = Some(ProblemCode::StorageUnavailable);
    let work = task(1, "sleep", r#"{"ms":0}"#);
    hub.desk.hand(vec![work.clone()]);
    hub.desk.until("a report that is refused", |asked| (asked.results_refused > 0).then_some(())).await;
    hub.go_away().await;
    *hub.desk.refuse_results.lock().unwrap() = None;
    hub.come_back().await;
    hub.desk.result(work.id).await;
    let more = task(2, "sleep", r#"{"ms":0}"#);
    hub.desk.hand(vec![more.clone()]);
    hub.desk.result(more.id).await;
    running.stop().await;
    hub.desk.look(|asked| assert_eq!(asked.results.len(), 2, "each once: an acknowledged one is not sent again"));
}

#[tokio::test]
async fn a_result_is_kept_over_a_restart_of_the_agent() {
    let hub = TestHub::start().await;
    let site = Site::enrolled(&hub).await;
    *hub.desk.refuse_results.lock().unwrap() = Some(ProblemCode::StorageUnavailable);
    let running = site.start();
    let work = task(1, "sleep", r#"{"ms":0}"#);
    hub.desk.hand(vec![work.clone()]);
    hub.desk.until("a report that is refused", |asked| (asked.results_refused > 0).then_some(())).await;
    running.kill().await;
    *hub.desk.refuse_results.lock().unwrap() = None;
    let running = site.start();
    assert_eq!(hub.desk.result(work.id).await.outcome, OutcomeWord::Completed);
    running.stop().await;
    let running = site.start();
    hub.desk
        .until("a wait of the third start", |asked| {
            let boots: std::collections::BTreeSet<_> = asked.waits.iter().map(|wait| wait.boot).collect();
            (boots.len() == 3).then_some(())
        })
        .await;
    running.stop().await;
    hub.desk.look(|asked| assert_eq!(asked.results.len(), 1, "the receipt was written down"));
}

#[tokio::test]
async fn a_result_that_nobody_lets_through_fails_its_task_and_holds_up_no_other() {
    let hub = TestHub::start().await;
    let site = Site::enrolled(&hub).await;
    site.set_policy("allow = [\"large\", \"sleep\"]");
    *hub.desk.results_bytes_max.lock().unwrap() = 100_000;
    let running = site.start_with(|agent| agent.handler("large", |_| async { Output::of(&"x".repeat(200_000)) }));
    let (large, small) = (task(1, "large", "0"), task(2, "sleep", r#"{"ms":0}"#));
    hub.desk.hand(vec![large.clone(), small.clone()]);
    assert_eq!(hub.desk.result(small.id).await.outcome, OutcomeWord::Completed);
    let result = hub.desk.result(large.id).await;
    assert_eq!((result.outcome, result.code.unwrap().0.as_str()), (OutcomeWord::Failed, "result_too_large"));
    running.stop().await;
}

#[tokio::test]
async fn an_agent_whose_identity_was_copied_asks_for_nothing_more_and_finishes_what_it_has() {
    let hub = TestHub::start().await;
    let site = Site::enrolled(&hub).await;
    let running = site.start();
    let work = task(1, "sleep", r#"{"ms":300}"#);
    hub.desk.hand(vec![work.clone()]);
    hub.desk.until("an acknowledgement", |asked| asked.waits.iter().any(|wait| wait.ack == 1).then_some(())).await;
    hub.desk.refuse_waits.lock().unwrap().push_back(ProblemCode::NodeQuarantined);
    hub.desk.say(|_| ());
    let waits = |asked: &Asked| asked.waits.len();
    hub.desk.until("the refused wait", |asked| (waits(asked) == 3).then_some(())).await;
    assert_eq!(hub.desk.result(work.id).await.outcome, OutcomeWord::Completed);
    assert_eq!(hub.desk.look(waits), 3);
    running.stop().await;
}

#[tokio::test]
async fn a_wait_that_came_late_is_followed_by_the_next() {
    let hub = TestHub::start().await;
    let site = Site::enrolled(&hub).await;
    hub.desk.refuse_waits.lock().unwrap().extend([ProblemCode::WaitLate, ProblemCode::Stopping]);
    let running = site.start();
    let work = task(1, "sleep", r#"{"ms":0}"#);
    hub.desk.hand(vec![work.clone()]);
    hub.desk.result(work.id).await;
    hub.desk.look(|asked| {
        let seqs: Vec<u64> = asked.waits.iter().map(|wait| wait.seq).take(3).collect();
        assert_eq!(seqs, [1, 2, 3]);
    });
    running.stop().await;
}
