//! The hub dies at each step of a task's life.

use stories::{HubPlan, Process, RunningHub, Scene, on_both_engines, on_sqlite, was_killed};

use crate::cut::{AT_EACH_SYNC, BEFORE_IT_SPEAKS, CUTS_MAX, IN_MID_WRITE, Steps};
use crate::life::Lives;

on_sqlite!(a_hub_killed_at_each_sync_loses_nothing, a_hub_killed_in_mid_write_loses_nothing);

/// PostgreSQL does its own writing, so here the cuts are where the hub speaks.
mod where_it_speaks {
    use super::*;

    on_both_engines!(a_hub_killed_before_it_speaks_loses_nothing);

    async fn a_hub_killed_before_it_speaks_loses_nothing(scene: Scene) {
        kill_at_each(BEFORE_IT_SPEAKS, &scene).await;
    }
}

async fn a_hub_killed_at_each_sync_loses_nothing(scene: Scene) {
    kill_at_each(AT_EACH_SYNC, &scene).await;
}

async fn a_hub_killed_in_mid_write_loses_nothing(scene: Scene) {
    kill_at_each(IN_MID_WRITE, &scene).await;
}

/// Tells one life after another. The hub is killed at the first step of the first, the second step of
/// the second, and so on until a whole life has passed without reaching the step.
async fn kill_at_each(steps: Steps, scene: &Scene) {
    let mut hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let _agent = site.start();
    let mut lives = Lives::default();
    lives.tell("whole", &hub.people(), &site).await;

    let mut killed = 0;
    for cut in 0..CUTS_MAX {
        let nth = 1 + cut * steps.stride;
        let people = hub.people();
        let (plan, _stopped) = hub.stop().await;
        let (name, words) = (nth.to_string(), steps.calls.kill_at(nth));
        let mut dying = plan.clone().under(&words).launch();
        let mut again = None;
        tokio::select! {
            () = lives.tell(&name, &people, &site) => {}
            () = started_again(&mut dying, &plan, &mut again) => {}
        }
        if let Some(again) = again {
            (hub, killed) = (again, killed + 1);
            continue;
        }
        dying.kill().await;
        hub = plan.start().await;
        break;
    }
    assert!(killed >= 5, "a life has more steps than {killed}");
    lives.check(&hub, &site).await;
}

/// Starts the hub again as soon as it has been killed.
async fn started_again<'s>(dying: &mut Process, plan: &HubPlan<'s>, again: &mut Option<RunningHub<'s>>) {
    let status = dying.end().await;
    assert!(was_killed(status), "the hub ended by itself: {status}");
    dying.nothing_left().await;
    *again = Some(plan.clone().start().await);
    std::future::pending().await
}
