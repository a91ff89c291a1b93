//! The hub, or an agent, dies at each step of a rotation: before each file that it puts in the place of
//! another, and before each that it removes. What is on the disk is what was before or what shall be.

use sortie_wire::hub_keys::{FinishKeys, HubKeys, KeyState, Rotatable, RotateKeys};
use stories::{Calls, HubPlan, RunningHub, Scene, Site, on_sqlite, until, was_killed};

use crate::steps::{begun, believed, finish, keys, nobody_lags, rotate_at_once, works};

on_sqlite!(
    a_hub_killed_at_each_step_of_a_rotation_goes_on_with_it,
    an_agent_killed_at_each_step_of_following_believes_the_former_set_or_the_next
);

/// Most cuts; a rotation has fewer steps.
const CUTS_MAX: u32 = 40;

/// Changes of a name on the disk.
const NAMES_CHANGED: &str = "rename,renameat,renameat2,unlink,unlinkat";

/// Makes a program do its work on one thread: strace counts calls for each, and each cut shall be at another step.
const ON_ONE_THREAD: (&str, &str) = ("TOKIO_WORKER_THREADS", "1");

/// A whole rotation of the authority, for an administrator who tries each step again until it is done. The
/// version says how far it has come.
async fn rotation(plan: &HubPlan<'_>, from: u64) -> Option<HubKeys> {
    let people = plan.people_at_once()?;
    let look = async || people.hub_keys().await.ok();
    let rotate = RotateKeys { what: Rotatable::Authority, from, at_once: false };
    people.rotate_keys(&rotate).await.ok()?;
    until("it has begun and nobody lags, or the hub has died", async || match look().await {
        None => Some(None),
        Some(keys) if keys.keys.iter().all(|key| key.state != KeyState::Coming) && keys.lagging == 0 => {
            Some(Some(keys))
        }
        Some(_) => None,
    })
    .await?;
    people.finish_keys(&FinishKeys { from: from + 1, force: false }).await.ok()
}

async fn a_hub_killed_at_each_step_of_a_rotation_goes_on_with_it(scene: Scene) {
    let mut hub: RunningHub<'_> = scene.hub().start().await;
    let site = hub.site("north").await;
    let _agent = site.start();
    works(&hub, &site).await;
    let (mut killed, mut passed) = (0, 0);
    for cut in 1..CUTS_MAX {
        let from = keys(&hub).await.version;
        let (plan, _) = hub.stop().await;
        let words = Calls::of(NAMES_CHANGED).kill_at(cut);
        let mut dying = plan.clone().variable(ON_ONE_THREAD.0, ON_ONE_THREAD.1).under(&words).launch();
        let whole = tokio::select! {
            whole = rotation_of_a_hub_that_starts(&plan, from) => whole,
            status = dying.end() => {
                assert!(was_killed(status), "the hub ended by itself: {status}");
                None
            }
        };
        if whole.is_none() {
            dying.nothing_left().await;
            killed += 1;
        } else {
            dying.kill().await;
        }
        hub = plan.start().await;
        // Whatever was done, it is taken to its end from there.
        if keys(&hub).await.version == from {
            hub.people().rotate_keys(&RotateKeys { what: Rotatable::Authority, from, at_once: false }).await.unwrap();
        }
        begun(&hub).await;
        nobody_lags(&hub).await;
        if keys(&hub).await.version == from + 1 {
            finish(&hub, false).await;
        }
        let after = keys(&hub).await;
        assert_eq!((after.version, after.keys.len(), after.lagging), (from + 2, 2, 0), "{after:?}");
        works(&hub, &site).await;
        // The thread that starts it counts by itself: one whole rotation may be luck.
        passed += u32::from(whole.is_some());
        if passed == 3 {
            break;
        }
    }
    assert!(killed >= 6, "a rotation has more steps than {killed}");
    let rounds = usize::try_from((keys(&hub).await.version - 1) / 2).unwrap();
    for kind in ["keys.rotated", "keys.begun", "keys.finished"] {
        assert_eq!(hub.events(kind).await.len(), rounds, "each {kind} was told once");
    }
    assert_eq!(site.log().matches("the agent has started").count(), 1, "the agent was there all the time");
}

async fn rotation_of_a_hub_that_starts(plan: &HubPlan<'_>, from: u64) -> Option<HubKeys> {
    until("the hub answers", async || plan.people_at_once()?.whoami().await.ok()).await;
    match rotation(plan, from).await {
        Some(keys) => Some(keys),
        // It has died; whoever waits for its end sees that.
        None => std::future::pending().await,
    }
}

async fn an_agent_killed_at_each_step_of_following_believes_the_former_set_or_the_next(scene: Scene) {
    let hub = scene.hub().start().await;
    let site: Site<'_> = hub.site("north").await;
    let identity = site.data().join("identity");
    let first = site.start();
    works(&hub, &site).await;
    first.stop().await;
    // What it believes, and then the certificate by the authority that it now believes; and whether it believes it.
    let steps = [
        ("fsync", "node.json.tmp", false),
        (NAMES_CHANGED, "node.json.tmp", false),
        ("fsync", ".", true),
        ("fsync", "certificate.pem.tmp", true),
        (NAMES_CHANGED, "certificate.pem.tmp", true),
    ];
    for (calls, file, followed) in steps {
        let words = Calls::of(calls).on(identity.join(file)).kill_at(1);
        let mut dying = site.clone().under(&words).start();
        let version = rotate_at_once(&hub, Rotatable::Authority).await.version;
        let status = dying.process.end().await;
        assert!(was_killed(status), "at {calls} of {file:?} the agent ended by itself: {status}");
        dying.process.nothing_left().await;
        let left = believed(&site);
        assert_eq!(left.version, version - u64::from(!followed), "killed at {calls} of {file:?}");
        assert!(!left.authorities.is_empty() && !left.keys.is_empty());
        let agent = site.start();
        nobody_lags(&hub).await;
        works(&hub, &site).await;
        finish(&hub, false).await;
        works(&hub, &site).await;
        agent.stop().await;
    }
}
