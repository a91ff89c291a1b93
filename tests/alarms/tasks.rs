//! Tasks that end without being done.

use serde_json::json;
use sortie_rules::tasks::Code;
use sortie_wire::alarms::AlarmState;
use stories::{HandNode, Scene, on_both_engines, until};

use crate::help::{are_told, becomes, of_rule, time_passes};

on_both_engines!(tasks_of_a_type_that_fail_are_one_alarm_until_one_is_done, what_nothing_ends_is_over_in_time,);

async fn tasks_of_a_type_that_fail_are_one_alarm_until_one_is_done(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    let mut tasks = Vec::new();
    for _ in 0..3 {
        tasks.push(hub.submit("north", "sleep", json!({ "ms": 0 })).await);
        let held = node.take_one().await;
        node.report(&HandNode::failed(&held, Code::HANDLER_FAILED, false)).await.expect("it is taken");
    }
    let other = hub.submit("north", "sys.info", json!({})).await;
    let held = node.take_one().await;
    node.report(&HandNode::failed(&held, Code::HANDLER_FAILED, false)).await.expect("it is taken");
    until("each type has its alarm", async || {
        let all = of_rule(&hub, "task.dead").await;
        let of_sleep = all.iter().find(|alarm| alarm.subject.as_deref() == Some("sleep"))?;
        (all.len() == 2 && of_sleep.seen == 3).then_some(())
    })
    .await;
    let all = of_rule(&hub, "task.dead").await;
    let began = |subject: &str| {
        let alarm = all.iter().find(|alarm| alarm.subject.as_deref() == Some(subject)).unwrap();
        (alarm.state, alarm.data["task"].clone(), alarm.data["data"]["type"].clone())
    };
    assert_eq!(began("sleep"), (AlarmState::Open, json!(tasks[0]), json!("sleep")));
    assert_eq!(began("sys.info"), (AlarmState::Open, json!(other), json!("sys.info")));
    hub.submit("north", "sleep", json!({ "ms": 0 })).await;
    let held = node.take_one().await;
    node.report(&HandNode::completed(&held, json!({ "slept_ms": 0 }))).await.expect("it is taken");
    until("one of the two is over", async || {
        let all = of_rule(&hub, "task.dead").await;
        let open: Vec<_> = all.iter().filter(|alarm| alarm.state == AlarmState::Open).collect();
        (open.len() == 1 && open[0].subject.as_deref() == Some("sys.info")).then_some(())
    })
    .await;
    are_told(&hub, &[("alarm.opened", "task.dead"), ("alarm.opened", "task.dead"), ("alarm.resolved", "task.dead")])
        .await;
}

async fn what_nothing_ends_is_over_in_time(scene: Scene) {
    let hub = scene.hub().start().await;
    let node = hub.hand_node("north").await;
    hub.submit("north", "sleep", json!({ "ms": 0 })).await;
    let held = node.take_one().await;
    node.report(&HandNode::failed(&held, Code::HANDLER_FAILED, false)).await.expect("it is taken");
    let open = becomes(&hub, "task.dead", AlarmState::Open).await;
    let week = 7 * 86_400;
    assert_eq!(open.due_at.map(|due| due.since(open.seen_at).0), Some(week * 1000));
    time_passes(hub.plan(), week - 60);
    let hub = hub.kill().await.start().await;
    assert_eq!(becomes(&hub, "task.dead", AlarmState::Open).await.id, open.id);
    time_passes(hub.plan(), 61);
    becomes(&hub, "task.dead", AlarmState::Resolved).await;
    are_told(&hub, &[("alarm.opened", "task.dead"), ("alarm.resolved", "task.dead")]).await;
}
