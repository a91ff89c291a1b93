//! Those whose box it is are told in their language, of their own boxes, and without what only operators understand.

use counterparts::{SmtpPlan, SmtpSink};
use serde_json::json;
use stories::{Scene, on_both_engines};

use crate::help::{Mail, log, mails, recipient, with_mail};

on_both_engines!(a_customer_is_told_of_their_own_box_in_their_own_language);

async fn a_customer_is_told_of_their_own_box_in_their_own_language(scene: Scene) {
    let sink = SmtpSink::start(SmtpPlan::default());
    let plan = with_mail(scene.hub(), sink.port()).setting("presence.stale_after_s", 1);
    let plan = plan.setting("presence.down_after_s", 2).setting("presence.check_every_s", 1);
    let hub = plan.setting("presence.flush_every_s", 1).start().await;
    for (name, locale, node) in [("kovacs", "hu", "box-1"), ("smith", "en", "box-1"), ("nagy", "hu", "box-2")] {
        recipient(
            &hub,
            json!({
                "name": name, "audience": "customer", "locale": locale, "time_zone": "Europe/Budapest",
                "mail": format!("{name}@homes.example"), "nodes": { "names": [node] },
            }),
        )
        .await;
    }
    let node = hub.hand_node("box-1").await;
    node.wait(0, 0).await;
    let begun = mails(&sink, 2).await;
    let to = |all: &[Mail], name: &str| -> Mail {
        let found = all.iter().find(|mail| mail.to.contains(name));
        found.unwrap_or_else(|| panic!("{name} has no mail among {all:?}")).clone()
    };
    let (kovacs, smith) = (to(&begun, "kovacs"), to(&begun, "smith"));
    assert_eq!(kovacs.subject, "Otthoni eszköze nem érhető el (box-1)");
    assert!(kovacs.text.contains("Tisztelt Ügyfelünk!") && kovacs.text.contains("óta nem érhető el"), "{kovacs:?}");
    assert_eq!(smith.subject, "We cannot reach your device box-1");
    assert!(smith.text.contains("switched on and connected"), "{smith:?}");
    for jargon in ["node.down", "critical", "sortie", "alarm", &node.id.to_string()] {
        assert!(!kovacs.text.contains(jargon) && !smith.text.contains(jargon), "{jargon}");
    }
    node.wait(0, 0).await;
    let all = mails(&sink, 4).await;
    let over: Vec<Mail> = all.into_iter().filter(|mail| !begun.contains(mail)).collect();
    assert_eq!(to(&over, "kovacs").subject, "Otthoni eszköze ismét elérhető (box-1)");
    assert_eq!(to(&over, "smith").subject, "We can reach your device box-1 again");
    assert!(log(&hub).await.iter().all(|one| one.recipient != "nagy"), "it is somebody else's box");
}
