//! Several tasks at once, up to a limit, in order.

use std::sync::Arc;

use sortie_agent::Output;
use tokio::sync::Semaphore;

use super::agents::{Journal, Site};
use super::hub::{TestHub, task};

#[tokio::test]
async fn as_many_run_at_once_as_the_settings_say_in_the_order_in_which_they_came() {
    let hub = TestHub::start().await;
    let site = Site::enrolled(&hub).await;
    site.set_policy("allow = [\"work\"]");
    let (journal, leave) = (Journal::default(), Arc::new(Semaphore::new(0)));
    let (notes, gate) = (journal.clone(), Arc::clone(&leave));
    let running = site.start_with(|agent| {
        agent.handler("work", move |work| {
            notes.note(work.payload.get());
            let gate = Arc::clone(&gate);
            async move {
                gate.acquire().await.unwrap().forget();
                Output::of(&())
            }
        })
    });
    hub.desk.hand([9, 8, 7, 6].into_iter().map(|n| task(n, "work", &n.to_string())).collect());
    let begun = journal.until(2).await;
    hub.desk.until("a wait for news only", |asked| asked.waits.iter().any(|wait| wait.room == 0).then_some(())).await;
    assert_eq!(begun.len(), 2);
    leave.add_permits(1);
    assert_eq!(journal.until(3).await, ["9", "8", "7"]);
    leave.add_permits(3);
    for n in 6..=9 {
        hub.desk.result(task(n, "", "0").id).await;
    }
    assert_eq!(journal.read(), ["9", "8", "7", "6"]);
    running.stop().await;
}

#[tokio::test]
async fn a_thousand_tasks_all_come_home_once() {
    let hub = TestHub::start().await;
    let mut site = Site::enrolled(&hub).await;
    site.settings.concurrency = 50;
    site.settings.prefetch = 100;
    let running = site.start();
    for batch in 0..10 {
        let tasks = (0..100).map(|n| task(1 + batch * 100 + n, "sleep", r#"{"ms":0}"#)).collect();
        hub.desk.hand(tasks);
    }
    hub.desk.until("a thousand results", |asked| (asked.results.len() >= 1000).then_some(())).await;
    running.stop().await;
    hub.desk.look(|asked| {
        let mut tasks: Vec<_> = asked.results.iter().map(|result| result.task).collect();
        tasks.sort_unstable();
        tasks.dedup();
        assert_eq!((tasks.len(), asked.results.len()), (1000, 1000));
    });
}
