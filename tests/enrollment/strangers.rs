//! Whom an agent takes for its hub: the holder of the authority that its invite named, and nobody else.

use serde_json::json;
use sortie_rules::tasks::Status;
use stories::{Scene, Site, on_sqlite, until};

use crate::help::{changed, traces};
use crate::impostor::Impostor;

on_sqlite!(
    an_agent_sends_its_invite_to_nobody_but_the_hub_that_made_it,
    a_running_agent_tells_nothing_to_somebody_in_the_hub_s_place,
    an_agent_does_not_follow_a_hub_that_lost_its_authority,
);

async fn an_agent_sends_its_invite_to_nobody_but_the_hub_that_made_it(scene: Scene) {
    let hub = scene.hub().start().await;
    let invite = hub.invite("north").await;
    let authority = std::fs::read_to_string(hub.ca_file()).unwrap();
    let site = Site::new(&scene, "north");
    // The second shows the right authority too, which has not vouched for it.
    for true_authority in [None, Some(authority.as_str())] {
        let impostor = Impostor::at("127.0.0.1:0", true_authority).await;
        let diverted = changed(&invite, |invite| invite.hub = impostor.url().to_owned());
        let enroll = tokio::task::spawn_blocking({
            let mut command = site.command("enroll");
            command.args(["--invite", &diverted]);
            move || stories::Ended::of(&mut command)
        });
        enroll.await.unwrap().failed(4, &["no secure connection to the hub at", impostor.url()]);
        assert_eq!((impostor.asked(), impostor.heard()), (1, vec![]));
    }
    assert_eq!(traces(&hub).await, (0, 0, 0));
    site.enroll(&invite).well();
}

async fn a_running_agent_tells_nothing_to_somebody_in_the_hub_s_place(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let _agent = site.start();
    let id = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(hub.ended(id).await.summary.status, Status::Completed);
    let (authority, address) = (std::fs::read_to_string(hub.ca_file()).unwrap(), hub.address());
    let plan = hub.kill().await;
    let impostor = Impostor::at(&address, Some(&authority)).await;
    until("the agent has asked twice", async || (impostor.asked() >= 2).then_some(())).await;
    until("it says whom it does not believe", async || {
        site.log().lines().find(|line| line.contains("no secure connection to the hub")).map(drop)
    })
    .await;
    assert!(impostor.heard().is_empty());
    impostor.leave().await;
    let hub = plan.start().await;
    let id = hub.submit("north", "sys.info", json!({})).await;
    assert_eq!(hub.ended(id).await.summary.status, Status::Completed, "and it knows the hub when that is back");
}

async fn an_agent_does_not_follow_a_hub_that_lost_its_authority(scene: Scene) {
    let hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let plan = hub.kill().await;
    std::fs::remove_dir_all(plan.data().join("keys")).unwrap();
    let hub = plan.start().await;
    let mut agent = site.start();
    until("the agent says whom it does not believe", async || {
        site.log().lines().find(|line| line.contains("no secure connection to the hub")).map(drop)
    })
    .await;
    assert!(agent.process.ended().is_none() && hub.people().node("north").await.unwrap().heard_at.is_none());
}
