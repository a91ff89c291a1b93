//! Several hubs on one database.

use counterparts::{SmtpPlan, SmtpSink};
use sortie_wire::notifications::NotificationState;
use stories::{Engine, Scene};

use crate::help::{becomes, heat_is_an_alarm, hot, hours_pass, mails, on_call, with_mail};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn two_hubs_send_one_mail_and_the_second_goes_on_when_the_first_dies() {
    let scene = Scene::new(Engine::Postgres);
    let sink = SmtpSink::start(SmtpPlan::default());
    let plan = with_mail(scene.hub(), sink.port());
    let hub = plan.start().await;
    let other = hub.plan().beside("other").start().await;
    // Said at one hub, it holds at the one that leads, whichever that is.
    on_call(&other).await;
    heat_is_an_alarm(&other).await;
    let (north, south) = (hub.hand_node("north").await, other.hand_node("south").await);
    hot(&north, true).await;
    becomes(&other, 1, NotificationState::Sent).await;
    let dead = hub.kill().await;
    hours_pass(other.plan(), 1);
    hot(&south, true).await;
    becomes(&other, 2, NotificationState::Sent).await;
    let hub = dead.start().await;
    hours_pass(hub.plan(), 1);
    hot(&north, false).await;
    becomes(&hub, 3, NotificationState::Sent).await;
    let mut subjects: Vec<String> = mails(&sink, 3).await.into_iter().map(|mail| mail.subject).collect();
    subjects.sort();
    assert_eq!(
        subjects,
        ["[critical] box.hot at north", "[critical] box.hot at south", "[resolved] box.hot at north"],
        "each once"
    );
}
