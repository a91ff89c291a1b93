//! What needs doing once is done by one hub, and by another when that one dies.

use serde_json::json;
use serde_json::value::to_raw_value;
use sortie_rules::tasks::Status;
use sortie_rules::time::Span;
use sortie_wire::tasks::SubmitTask;
use stories::{Engine, Net, RunningHub, Scene, turns, until};

/// Whether a hub says that it leads.
async fn leads(hub: &RunningHub<'_>) -> bool {
    hub.operations("/metrics").await.1.lines().any(|line| line.starts_with("sortie_leader 1"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn when_the_leader_is_killed_another_hub_leads_and_lapsed_work_is_given_out_again() {
    let scene = Scene::new(Engine::Postgres);
    let hub = scene.hub().start().await;
    until("it leads", async || leads(&hub).await.then_some(())).await;
    let other = hub.plan().beside("other").start().await;
    let node = other.hand_node("north").await;
    let task = SubmitTask {
        type_name: "sleep".to_owned(),
        node: "north".to_owned(),
        payload: Some(to_raw_value(&json!({ "ms": 0 })).expect("it is JSON")),
        priority: None,
        not_before: None,
        not_after: None,
        max_retries: None,
        lease: Some(Span::seconds(5)),
    };
    let id = hub.people().submit(&task, None).await.expect("an administrator may").id;
    let held = node.take_one().await;
    assert_eq!((held.id, held.attempt), (id, 1));
    assert!(!leads(&other).await, "one leads at a time");
    let dead = hub.kill().await;
    until("the other leads", async || leads(&other).await.then_some(())).await;
    // The lease of what nobody reports lapses, and somebody notices.
    let again = until("it is handed out again", async || node.wait(1, 1).await.tasks.pop()).await;
    assert_eq!((again.id, again.attempt), (id, 2));
    let hub = dead.start().await;
    assert_eq!(hub.task(id).await.summary.status, Status::InProgress);
}

/// Waits until a hub leads and holds its lock.
async fn guarded(hub: &RunningHub<'_>) {
    let is_guarded = "select holder from leaders where holder like '%+lock'";
    until("it leads and holds its lock", async || {
        (leads(hub).await && !hub.plan().sql(is_guarded).is_empty()).then_some(())
    })
    .await;
}

/// The beats that a hub has seen pass while it waited for another: six seconds of them are a lapse.
async fn looks(hub: &RunningHub<'_>) -> u64 {
    turns(hub, "lead").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn after_the_leaders_sigkill_another_leads_with_its_next_look() {
    let scene = Scene::new(Engine::Postgres);
    let hub = scene.hub().start().await;
    guarded(&hub).await;
    let other = hub.plan().beside("other").start().await;
    until("the other has looked", async || (looks(&other).await > 0).then_some(())).await;
    let dead = hub.kill().await;
    let before = looks(&other).await;
    until("the other leads", async || leads(&other).await.then_some(())).await;
    let looks = looks(&other).await - before;
    assert!(looks <= 3, "it did not wait for a lapse, which takes six looks and more: {looks}");
    // What needs the leader goes on: an event gets its number.
    assert!(!other.events("site.changed").await.is_empty());
    drop(dead);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_lone_hub_that_was_killed_leads_with_its_first_look_when_it_is_started_again() {
    let scene = Scene::new(Engine::Postgres);
    let hub = scene.hub().start().await;
    guarded(&hub).await;
    let hub = hub.kill().await.start().await;
    until("it leads", async || leads(&hub).await.then_some(())).await;
    assert!(looks(&hub).await <= 3, "it did not wait for a lapse");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_leader_whose_lock_is_taken_from_it_leads_on_or_another_does_and_nobody_is_left_without() {
    let scene = Scene::new(Engine::Postgres);
    let hub = scene.hub().start().await;
    guarded(&hub).await;
    let other = hub.plan().beside("other").start().await;
    let _node = other.hand_node("north").await;
    for round in 1..=3 {
        let ended = "select count(pg_terminate_backend(pid)) from pg_locks \
                     where locktype = 'advisory' and objsubid = 1 and mode = 'ExclusiveLock'";
        hub.plan().sql(ended);
        hub.submit("north", "sys.info", json!({})).await;
        let told = until("the event has its number", async || {
            Some(other.events("task.submitted").await.len()).filter(|told| *told >= round)
        })
        .await;
        assert_eq!(told, round, "each event is numbered once");
    }
    assert_eq!(hub.plan().sql("select count(*) from leaders"), ["1"], "one holds the duty");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_leader_that_hangs_is_followed_when_its_beat_has_lapsed_although_its_lock_is_held() {
    let scene = Scene::new(Engine::Postgres);
    let mut hub = scene.hub().start().await;
    guarded(&hub).await;
    let other = hub.plan().beside("other").start().await;
    hub.process().signal(rustix::process::Signal::STOP);
    until("the other leads", async || leads(&other).await.then_some(())).await;
    hub.process().signal(rustix::process::Signal::CONT);
    until("the first leads no more", async || (!leads(&hub).await).then_some(())).await;
    assert!(leads(&other).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_leader_that_is_stopped_lets_another_lead_at_once() {
    let scene = Scene::new(Engine::Postgres);
    let hub = scene.hub().start().await;
    until("it leads", async || leads(&hub).await.then_some(())).await;
    let other = hub.plan().beside("other").start().await;
    hub.stop().await;
    assert_eq!(other.plan().sql("select count(*) from leaders where beat > 1"), ["0"], "it has let go");
    until("the other leads", async || leads(&other).await.then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_leader_that_is_cut_off_in_the_middle_of_its_beat_says_that_it_leads_no_more_and_holds_nobody_up_for_long() {
    let scene = Scene::new(Engine::Postgres);
    let server = scene.postgres().expect("it is on PostgreSQL");
    let url = server.fresh_database();
    let net = Net::to(&url).await;
    // It does not give up by itself while the story lasts.
    let plan = scene.hub().setting("database.statement_max_s", 300);
    let hub = plan.setting("database_url", net.to_database(&url)).start().await;
    until("it leads", async || leads(&hub).await.then_some(())).await;
    let other = hub.plan().beside("other").setting("database_url", &url).start().await;
    // The beat waits for a row that somebody else holds. It gets it when its hub is out of reach already.
    let hold = "select * from leaders for update; select pg_sleep(3)";
    let beats = "select count(*) from pg_stat_activity where query like 'update leaders%' and ";
    let is_so = |what: &str| server.sql(&url, &format!("{beats} {what}")) != ["0"];
    until("it is cut off in the middle of a beat", async || {
        std::thread::scope(|scope| {
            let held = scope.spawn(|| server.sql(&url, hold));
            while !held.is_finished() && !is_so("wait_event_type = 'Lock'") {}
            net.stall();
        });
        let is_cut_off = is_so("state = 'idle in transaction'");
        if !is_cut_off {
            net.mend();
        }
        is_cut_off.then_some(())
    })
    .await;
    until("the other leads", async || leads(&other).await.then_some(())).await;
    assert!(!leads(&hub).await, "who has heard nothing of the database for so long leads no more, and says so");
    net.mend();
    until("the one that was cut off hears again", async || (hub.operations("/readyz").await.0 == 200).then_some(()))
        .await;
    assert_eq!((leads(&hub).await, leads(&other).await), (false, true), "one leads");
}
