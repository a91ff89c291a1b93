//! What a delivery may bring about, and what not.

use sortie_agent::Output;
use sortie_rules::ids::{Id, TaskId};
use sortie_rules::time::Span;
use sortie_wire::deliveries::Delivery;
use sortie_wire::envelope::DELIVERY;
use sortie_wire::results::OutcomeWord;

use super::agents::{Journal, Running, Site};
use super::hub::{NOW, TestHub, signer, task};

/// A site where `work` notes its payload.
async fn noting(hub: &TestHub) -> (Site, Running, Journal) {
    let site = Site::enrolled(hub).await;
    site.set_policy("allow = [\"work\"]");
    let journal = Journal::default();
    let notes = journal.clone();
    let running = site.start_with(|agent| {
        agent.handler("work", move |work| {
            notes.note(work.payload.get());
            async move { Output::of(&work.attempt) }
        })
    });
    (site, running, journal)
}

/// Waits until the agent has the receipt of a task: reports go one after the other.
async fn settled(hub: &TestHub, work: TaskId) {
    hub.desk.result(work).await;
    let next = task(0xffff, "work", "\"next\"");
    hub.desk.hand(vec![next.clone()]);
    hub.desk.result(next.id).await;
}

#[tokio::test]
async fn a_task_is_run_and_its_result_reported() {
    let hub = TestHub::start().await;
    let site = Site::enrolled(&hub).await;
    let running = site.start();
    let (nap, info) = (task(1, "sleep", r#"{"ms":1,"note":"x"}"#), task(2, "sys.info", "{}"));
    hub.desk.hand(vec![nap.clone(), info.clone()]);
    let result = hub.desk.result(nap.id).await;
    assert_eq!(result.outcome, OutcomeWord::Completed);
    let slept: serde_json::Value = serde_json::from_str(result.result.unwrap().get()).unwrap();
    assert!(slept["slept_ms"].as_i64().unwrap() >= 1 && slept["note"] == "x", "{slept}");
    let told: serde_json::Value = serde_json::from_str(hub.desk.result(info.id).await.result.unwrap().get()).unwrap();
    assert!(told["cpus"].as_u64().unwrap() > 0 && told["data_disk"]["total_bytes"].as_u64().unwrap() > 0);
    running.stop().await;
    hub.desk.look(|asked| {
        assert_eq!((asked.waits[0].seq, asked.waits[0].ack, asked.waits[0].room), (1, 0, 4));
        assert_eq!((asked.waits[1].seq, asked.waits[1].ack), (2, 1), "the next wait acknowledges");
    });
}

#[tokio::test]
async fn a_task_that_comes_again_runs_once_and_is_answered_again() {
    let hub = TestHub::start().await;
    let (_site, running, journal) = noting(&hub).await;
    let mut work = task(1, "work", "1");
    hub.desk.hand(vec![work.clone()]);
    settled(&hub, work.id).await;
    work.attempt = 2;
    hub.desk.hand(vec![work.clone(), work.clone()]);
    let results = hub.desk.results(work.id, 2).await;
    assert_eq!(results[1].attempt, 2, "under the newer attempt");
    assert_eq!(results[1].result.as_ref().unwrap().get(), "1", "with the result of the first");
    work.run = 2;
    hub.desk.hand(vec![work.clone()]);
    hub.desk.until("a result of the second run", |asked| asked.results.iter().any(|r| r.run == 2).then_some(())).await;
    assert_eq!(journal.read(), ["1", "\"next\"", "1"], "once per run");
    running.stop().await;
}

#[tokio::test]
async fn a_delivery_that_is_not_the_hub_s_for_this_node_in_time_has_no_effect() {
    let hub = TestHub::start().await;
    let desk = &hub.desk;
    let (_site, running, journal) = noting(&hub).await;
    let forged = Delivery { number: 9, ..desk.delivery(vec![task(1, "work", "1")]) };
    desk.answer(move |asked| {
        let forged = Delivery { answers: asked.answers(), ..forged };
        serde_json::to_vec(&signer().sign(DELIVERY, &serde_json::to_vec(&forged).unwrap())).unwrap()
    });
    desk.until("a look for newer keys", |asked| (asked.keys > 0).then_some(())).await;
    let other_node = Id::from_uuid(uuid::Uuid::from_u128(0xb));
    desk.send(&Delivery { node: other_node, ..desk.delivery(vec![task(2, "work", "2")]) });
    let past = NOW - Span::seconds(1);
    desk.send(&Delivery { issued_at: past, expires_at: past, ..desk.delivery(vec![task(3, "work", "3")]) });
    desk.until("a question for the time", |asked| (asked.times > 0).then_some(())).await;
    let good = task(4, "work", "4");
    desk.hand(vec![good.clone()]);
    desk.result(good.id).await;
    assert_eq!(journal.read(), ["4"]);
    desk.look(|asked| assert!(asked.waits.iter().all(|wait| wait.ack == 0 || wait.ack >= 4)));
    running.stop().await;
}

#[tokio::test]
async fn an_old_delivery_played_again_starts_nothing_that_is_forgotten() {
    let hub = TestHub::start().await;
    let desk = &hub.desk;
    let (_site, running, journal) = noting(&hub).await;
    let old = desk.delivery(vec![task(1, "work", "1")]);
    let new = desk.delivery(vec![task(2, "work", "2")]);
    desk.send(&new);
    desk.result(task(2, "", "0").id).await;
    desk.send(&old);
    let last = task(3, "work", "3");
    desk.hand(vec![last.clone()]);
    desk.result(last.id).await;
    assert_eq!(journal.read(), ["2", "3"]);
    running.stop().await;
}

#[tokio::test]
async fn an_empty_delivery_still_moves_the_acknowledgement() {
    let hub = TestHub::start().await;
    let (_site, running, _journal) = noting(&hub).await;
    hub.desk.say(|delivery| delivery.number = 7);
    hub.desk.until("an acknowledgement", |asked| asked.waits.iter().any(|wait| wait.ack == 7).then_some(())).await;
    running.stop().await;
}

#[tokio::test]
async fn a_hub_restored_from_a_backup_gets_the_results_again() {
    let hub = TestHub::start().await;
    let (_site, running, journal) = noting(&hub).await;
    let work = task(1, "work", "1");
    hub.desk.hand(vec![work.clone()]);
    settled(&hub, work.id).await;
    hub.desk.say(|delivery| delivery.results_wanted = true);
    hub.desk.results(work.id, 2).await;
    assert_eq!(journal.read(), ["1", "\"next\""]);
    running.stop().await;
}
