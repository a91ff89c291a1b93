//! The agent dies at each step of a task's life.

use stories::{RunningAgent, Scene, Site, on_sqlite, was_killed};

use crate::cut::{AT_EACH_SYNC, BEFORE_IT_SPEAKS, CUTS_MAX, IN_MID_WRITE, Steps};
use crate::life::Lives;

on_sqlite!(
    an_agent_killed_at_each_sync_does_nothing_twice,
    an_agent_killed_in_mid_write_does_nothing_twice,
    an_agent_killed_before_it_speaks_does_nothing_twice,
);

async fn an_agent_killed_at_each_sync_does_nothing_twice(scene: Scene) {
    kill_at_each(AT_EACH_SYNC, &scene).await;
}

async fn an_agent_killed_in_mid_write_does_nothing_twice(scene: Scene) {
    kill_at_each(Steps { stride: 1, ..IN_MID_WRITE }, &scene).await;
}

async fn an_agent_killed_before_it_speaks_does_nothing_twice(scene: Scene) {
    kill_at_each(BEFORE_IT_SPEAKS, &scene).await;
}

/// Tells one life after another. The agent is killed at the first step of the first, the second step
/// of the second, and so on until a whole life has passed without reaching the step.
async fn kill_at_each(steps: Steps, scene: &Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let people = hub.people();
    let mut lives = Lives::default();

    let mut killed = 0;
    for cut in 0..CUTS_MAX {
        let nth = 1 + cut * steps.stride;
        let (name, words) = (nth.to_string(), steps.calls.kill_at(nth));
        let mut dying = site.clone().under(&words).start();
        let mut again: Option<RunningAgent> = None;
        tokio::select! {
            // What the hub has taken is written down as well, with what comes next at the latest.
            () = async {
                lives.tell(&name, &people, &site).await;
                lives.tell(&format!("{name}-next"), &people, &site).await;
            } => {}
            () = started_again(&mut dying, &site, &mut again) => {}
        }
        match again {
            Some(agent) => agent.kill().await,
            None => {
                dying.kill().await;
                break;
            }
        }
        killed += 1;
    }
    assert!(killed >= 3, "a life has more steps than {killed}");
    let _agent = site.start();
    lives.check(&hub, &site).await;
}

/// Starts the agent again as soon as it has been killed.
async fn started_again(dying: &mut RunningAgent, site: &Site<'_>, again: &mut Option<RunningAgent>) {
    let status = dying.process.end().await;
    assert!(was_killed(status), "the agent ended by itself: {status}");
    dying.process.nothing_left().await;
    *again = Some(site.start());
    std::future::pending().await
}
