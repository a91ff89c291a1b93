//! Tasks that someone wants stopped, and tasks that the hub takes back.

use sortie_rules::time::Span;
use sortie_wire::deliveries::HandedTask;
use sortie_wire::results::OutcomeWord;

use super::agents::Site;
use super::hub::{TestHub, task};

const FOR_AN_HOUR: &str = r#"{"ms":3600000}"#;

#[tokio::test]
async fn a_full_agent_hears_of_cancellations_and_stops_what_runs_and_what_waits() {
    let hub = TestHub::start().await;
    let site = Site::enrolled(&hub).await;
    let running = site.start();
    let tasks: Vec<HandedTask> = (1..=4).map(|n| task(n, "sleep", FOR_AN_HOUR)).collect();
    hub.desk.hand(tasks.clone());
    hub.desk.until("a wait for news only", |asked| asked.waits.iter().any(|wait| wait.room == 0).then_some(())).await;
    hub.desk.say(|delivery| delivery.cancel = vec![tasks[0].id, tasks[3].id]);
    for cancelled in [&tasks[0], &tasks[3]] {
        assert_eq!(hub.desk.result(cancelled.id).await.outcome, OutcomeWord::Cancelled);
    }
    hub.desk.until("room again", |asked| asked.waits.last().is_some_and(|wait| wait.room > 0).then_some(())).await;
    running.stop().await;
}

#[tokio::test]
async fn a_heartbeat_brings_home_what_is_to_be_cancelled() {
    let hub = TestHub::start().await;
    let site = Site::enrolled(&hub).await;
    let running = site.start();
    let work = HandedTask { lease: Span::seconds(1), ..task(1, "sleep", FOR_AN_HOUR) };
    hub.desk.pulse.lock().unwrap().0.push(work.id);
    hub.desk.hand(vec![work.clone()]);
    assert_eq!(hub.desk.result(work.id).await.outcome, OutcomeWord::Cancelled);
    hub.desk.look(|asked| assert_eq!(asked.heartbeats[0].held[0].task, work.id));
    running.stop().await;
}

#[tokio::test]
async fn what_the_hub_takes_back_before_it_began_is_not_begun_and_may_come_again() {
    let hub = TestHub::start().await;
    let site = Site::enrolled(&hub).await;
    let running = site.start();
    let long = |n| HandedTask { lease: Span::seconds(1), ..task(n, "sleep", FOR_AN_HOUR) };
    let waiting = HandedTask { lease: Span::seconds(1), ..task(3, "sleep", r#"{"ms":0}"#) };
    hub.desk.hand(vec![long(1), long(2), waiting.clone()]);
    hub.desk.pulse.lock().unwrap().1.extend([waiting.id, long(1).id]);
    let held = |asked: &super::hub::Asked| asked.heartbeats.last().map(|beat| beat.held.len());
    hub.desk.until("a heartbeat without the one", |asked| (held(asked) == Some(2)).then_some(())).await;
    hub.desk.pulse.lock().unwrap().1.clear();
    hub.desk.say(|delivery| delivery.cancel = vec![long(1).id, long(2).id]);
    hub.desk.results(long(2).id, 1).await;
    hub.desk.look(|asked| assert!(asked.results.iter().all(|result| result.task != waiting.id)));
    hub.desk.hand(vec![HandedTask { attempt: 2, ..waiting.clone() }]);
    assert_eq!(hub.desk.result(waiting.id).await.outcome, OutcomeWord::Completed);
    running.stop().await;
}

#[tokio::test]
async fn an_idle_agent_sends_no_heartbeat() {
    let hub = TestHub::start().await;
    let site = Site::enrolled(&hub).await;
    let running = site.start();
    let work = HandedTask { lease: Span::seconds(1), ..task(1, "sleep", r#"{"ms":0}"#) };
    hub.desk.hand(vec![work.clone()]);
    hub.desk.result(work.id).await;
    let longer = HandedTask { lease: Span::seconds(60), ..task(2, "sleep", r#"{"ms":2000}"#) };
    hub.desk.hand(vec![longer.clone()]);
    hub.desk.result(longer.id).await;
    hub.desk.look(|asked| assert!(asked.heartbeats.is_empty(), "{:?}", asked.heartbeats));
    running.stop().await;
}
