//! The S3 store is down, slow, denying or overloaded: tasks go on, logs stay, and leave when it is back.

use std::time::Duration;

use counterparts::S3Server;
use http::Method;
use sortie_wire::problem::ProblemCode;
use stories::{Net, RunningHub, Scene, on_both_engines, on_sqlite};

use crate::help::{ended_with, into_bucket, is_archived, log_of, pieces, until_archived, until_away};

on_both_engines!(logs_stay_while_the_store_is_down_and_leave_when_it_is_back);
on_sqlite!(
    a_hub_starts_and_works_while_its_store_is_down,
    a_store_that_is_slow_or_silent_holds_up_no_task,
    a_store_that_denies_or_is_overloaded_loses_no_log,
    an_answer_that_is_lost_keeps_a_log_once,
);

/// A hub, the net to its store, and a log that lies there.
async fn net_to(server: &S3Server) -> (Net, String) {
    let net = Net::to(&server.url()).await;
    let address = format!("http://{}", net.address());
    (net, address)
}

fn times_said(hub: &RunningHub<'_>, words: &str) -> usize {
    hub.log().matches(words).count()
}

async fn logs_stay_while_the_store_is_down_and_leave_when_it_is_back(scene: Scene) {
    let server = S3Server::start();
    let (net, address) = net_to(&server).await;
    let hub = into_bucket(&scene, &server, &address).start().await;
    let node = hub.hand_node("north").await;
    let first = ended_with(&hub, &node, "north", b"one\n").await;
    until_archived(hub.plan(), first).await;
    net.refuse();
    let second = ended_with(&hub, &node, "north", b"two\n").await;
    until_away(&hub, true).await;
    assert!(hub.operations("/metrics").await.1.contains("sortie_blobs_up 0"));
    assert_eq!(log_of(&hub, second).await, b"two\n");
    let answer = hub.request(Method::GET, &format!("/api/v1/tasks/{first}/log")).send().await;
    answer.is_problem(ProblemCode::BlobsAway, None);
    net.mend();
    until_archived(hub.plan(), second).await;
    until_away(&hub, false).await;
    assert_eq!((log_of(&hub, first).await, log_of(&hub, second).await), (b"one\n".to_vec(), b"two\n".to_vec()));
    assert_eq!((times_said(&hub, "Blobs are away"), times_said(&hub, "Blobs are back")), (1, 1), "told once");
}

async fn a_hub_starts_and_works_while_its_store_is_down(scene: Scene) {
    let server = S3Server::start();
    let (net, address) = net_to(&server).await;
    net.refuse();
    let hub = into_bucket(&scene, &server, &address).start().await;
    until_away(&hub, true).await;
    let node = hub.hand_node("north").await;
    let id = ended_with(&hub, &node, "north", b"one\n").await;
    assert_eq!(log_of(&hub, id).await, b"one\n");
    net.mend();
    until_archived(hub.plan(), id).await;
    assert_eq!(log_of(&hub, id).await, b"one\n");
}

async fn a_store_that_is_slow_or_silent_holds_up_no_task(scene: Scene) {
    let server = S3Server::start();
    let (net, address) = net_to(&server).await;
    let hub = into_bucket(&scene, &server, &address).start().await;
    let node = hub.hand_node("north").await;
    net.be_late(Duration::from_millis(300));
    let slow = ended_with(&hub, &node, "north", b"slow\n").await;
    until_archived(hub.plan(), slow).await;
    net.be_late(Duration::ZERO);
    net.stall();
    let mut silent = Vec::new();
    for count in 0..5 {
        silent.push(ended_with(&hub, &node, "north", format!("silent {count}\n").as_bytes()).await);
    }
    assert!(silent.iter().all(|id| pieces(hub.plan(), *id) == 1 && !is_archived(hub.plan(), *id)));
    net.mend();
    for (count, id) in silent.into_iter().enumerate() {
        until_archived(hub.plan(), id).await;
        assert_eq!(log_of(&hub, id).await, format!("silent {count}\n").as_bytes());
    }
}

async fn a_store_that_denies_or_is_overloaded_loses_no_log(scene: Scene) {
    let server = S3Server::start();
    let hub = into_bucket(&scene, &server, &server.url()).start().await;
    let node = hub.hand_node("north").await;
    for (turn, log) in [b"denied\n".as_slice(), b"overloaded\n"].into_iter().enumerate() {
        let set = |stands| if turn == 0 { server.deny(stands) } else { server.overload(stands) };
        set(true);
        let id = ended_with(&hub, &node, "north", log).await;
        until_away(&hub, true).await;
        assert_eq!(log_of(&hub, id).await, log);
        set(false);
        until_archived(hub.plan(), id).await;
        assert_eq!(log_of(&hub, id).await, log);
    }
}

async fn an_answer_that_is_lost_keeps_a_log_once(scene: Scene) {
    let server = S3Server::start();
    let (net, address) = net_to(&server).await;
    let hub = into_bucket(&scene, &server, &address).start().await;
    let node = hub.hand_node("north").await;
    net.cut_answers(2);
    let id = ended_with(&hub, &node, "north", b"one\n").await;
    until_archived(hub.plan(), id).await;
    assert_eq!(log_of(&hub, id).await, b"one\n");
    assert_eq!(crate::help::count(hub.plan(), "blobs"), 1);
}
