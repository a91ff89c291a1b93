//! The agent ends in mid-run and starts again.

use sortie_agent::Output;
use sortie_wire::deliveries::HandedTask;
use sortie_wire::results::OutcomeWord;

use super::agents::{Journal, Running, Site};
use super::hub::{TestHub, task};

/// Starts an agent whose `work` notes that it began and then, if `stuck`, never ends.
fn start(site: &Site, journal: &Journal, stuck: bool) -> Running {
    let notes = journal.clone();
    site.start_with(|agent| {
        agent.handler("work", move |work| {
            notes.note(work.payload.get());
            async move {
                if stuck {
                    std::future::pending::<()>().await;
                }
                Output::of(&"done")
            }
        })
    })
}

async fn site(hub: &TestHub) -> Site {
    let site = Site::enrolled(hub).await;
    site.set_policy("allow = [\"work\"]");
    site
}

#[tokio::test]
async fn work_that_may_be_repeated_runs_again_and_other_work_is_reported_as_interrupted() {
    let hub = TestHub::start().await;
    let (site, journal) = (site(&hub).await, Journal::default());
    let running = start(&site, &journal, true);
    let may = task(1, "work", "\"may\"");
    let may_not = HandedTask { idempotent: false, ..task(2, "work", "\"may not\"") };
    let waiting = HandedTask { idempotent: false, ..task(3, "work", "\"waiting\"") };
    hub.desk.hand(vec![may.clone(), may_not.clone(), waiting.clone()]);
    journal.until(2).await;
    running.kill().await;
    let running = start(&site, &journal, false);
    assert_eq!(hub.desk.result(may.id).await.outcome, OutcomeWord::Completed);
    assert_eq!(hub.desk.result(may_not.id).await.outcome, OutcomeWord::Interrupted);
    assert_eq!(hub.desk.result(waiting.id).await.outcome, OutcomeWord::Completed, "it had not begun");
    let count = |word: &str| journal.read().iter().filter(|note| note.contains(word)).count();
    assert_eq!((count("\"may\""), count("\"may not\""), count("\"waiting\"")), (2, 1, 1));
    running.stop().await;
}

#[tokio::test]
async fn a_stop_lets_running_work_finish_and_leaves_the_rest_for_the_next_start() {
    let hub = TestHub::start().await;
    let site = Site::enrolled(&hub).await;
    let running = site.start();
    let short = task(1, "sleep", r#"{"ms":300}"#);
    let long = task(2, "sleep", r#"{"ms":3600000}"#);
    let waiting = task(3, "sleep", r#"{"ms":1}"#);
    hub.desk.hand(vec![short.clone(), long.clone(), waiting.clone()]);
    hub.desk.until("an acknowledgement", |asked| asked.waits.iter().any(|wait| wait.ack == 1).then_some(())).await;
    running.stop().await;
    hub.desk.look(|asked| {
        let reported: Vec<_> = asked.results.iter().map(|result| result.task).collect();
        assert_eq!(reported, [short.id], "what finished within the grace is reported before the end");
    });
    let running = site.start();
    assert_eq!(hub.desk.result(waiting.id).await.outcome, OutcomeWord::Completed);
    running.stop().await;
}

#[tokio::test]
async fn a_restarted_agent_goes_on_from_its_acknowledgement() {
    let hub = TestHub::start().await;
    let site = Site::enrolled(&hub).await;
    let running = site.start();
    hub.desk.hand(vec![task(1, "sleep", r#"{"ms":0}"#)]);
    hub.desk.result(task(1, "", "0").id).await;
    running.kill().await;
    let waits = hub.desk.look(|asked| asked.waits.len());
    let running = site.start();
    let first = hub.desk.until("a wait", |asked| asked.waits.get(waits).copied()).await;
    assert_eq!((first.seq, first.ack), (1, 1));
    running.stop().await;
}
