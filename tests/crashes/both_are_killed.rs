//! Hub and agents die at moments that the seed chooses, while many tasks are under way.

use stories::{Scene, on_both_engines};

use crate::life::Lives;

on_both_engines!(whatever_dies_and_whenever_every_task_comes_to_one_end);

async fn whatever_dies_and_whenever_every_task_comes_to_one_end(scene: Scene) {
    let mut hub = scene.hub().start().await;
    let site = hub.site("north").await;
    let mut agent = site.start();
    let mut lives = Lives::default();
    for round in 0..12 {
        let people = hub.people();
        let name = round.to_string();
        let (kill_hub, kill_agent) = (scene.seed().below(2) == 0, scene.seed().below(2) == 0);
        let until_so_many = hub.events("task").await.len() as u64 + scene.seed().below(12);
        let telling = async {
            for part in 0..4 {
                lives.tell(&format!("{name}.{part}"), &people, &site).await;
            }
        };
        let dying = async {
            // The seed chooses a moment of the work, counted in what the hub has written down.
            stories::until("the work goes on", async || {
                (hub.events("task").await.len() as u64 >= until_so_many).then_some(())
            })
            .await;
            if kill_agent {
                agent.kill().await;
                agent = site.start();
            }
            if kill_hub {
                hub = hub.kill().await.start().await;
            }
            (hub, agent)
        };
        let ((), lived) = tokio::join!(telling, dying);
        (hub, agent) = lived;
    }
    lives.check(&hub, &site).await;
}
