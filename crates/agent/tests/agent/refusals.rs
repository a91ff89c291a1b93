//! What was refused is told, once, however long it takes, and listed at the site.

use std::process::Command;

use sortie_wire::envelope::DELIVERY;

use super::agents::Site;
use super::hub::{Asked, TestHub, signer, task};
use super::program::{Program, ledger};

#[tokio::test]
async fn refusals_are_told_after_a_crash_when_the_hub_can_hear_them_again() {
    let hub = TestHub::start().await;
    let site = Site::enrolled(&hub).await;
    let program = Program::start(&site);
    *hub.desk.refuse_refusals.lock().unwrap() = true;
    hub.desk.answer(|_| serde_json::to_vec(&signer().sign(DELIVERY, b"{}")).unwrap());
    hub.desk.until("a word of the refusal", |asked| (asked.refusals_unheard > 0).then_some(())).await;
    program.kill();
    assert_eq!(ledger(&site, "select times - told from refused"), ["1"]);
    *hub.desk.refuse_refusals.lock().unwrap() = false;
    let program = Program::start(&site);
    let told = hub.desk.until("the refusal", |asked| asked.refusals.first().cloned()).await;
    assert_eq!((told.refused[0].code.as_str(), told.refused[0].times), ("unknown_key", 1));
    let work = task(1, "sleep", r#"{"ms":0}"#);
    hub.desk.hand(vec![work.clone()]);
    hub.desk.result(work.id).await;
    program.kill();
    // The crash may have come between the hub's answer and the agent's note of it.
    let not_noted: usize = ledger(&site, "select times - told from refused")[0].parse().unwrap();
    let before = hub.desk.look(|asked| asked.waits.last().map(|wait| wait.boot));
    let program = Program::start(&site);
    let is_new = |asked: &Asked| (asked.waits.last().map(|wait| wait.boot) != before).then_some(());
    hub.desk.until("a wait of the new start", is_new).await;
    hub.desk.hand(vec![task(2, "sleep", r#"{"ms":0}"#)]);
    hub.desk.result(task(2, "", "0").id).await;
    program.kill();
    hub.desk
        .look(|asked| assert_eq!(asked.refusals.len(), 1 + not_noted, "it is told again only if that was not noted"));
}

#[tokio::test]
async fn the_site_s_list_names_refused_deliveries() {
    let hub = TestHub::start().await;
    let site = Site::enrolled(&hub).await;
    let _program = Program::start(&site);
    hub.desk.answer(|_| serde_json::to_vec(&signer().sign(DELIVERY, b"{}")).unwrap());
    hub.desk.until("the refusal", |asked| asked.refusals.first().cloned()).await;
    let listed = || {
        let mut list = Command::new(env!("CARGO_BIN_EXE_sortie-agent"));
        list.args(["refused", "--data"]).arg(site.data());
        String::from_utf8(list.output().unwrap().stdout).unwrap()
    };
    let listed = listed();
    assert!(
        listed.contains("a delivery  unknown_key: no key that is trusted here has signed the envelope"),
        "{listed}"
    );
    assert!(listed.contains("the first for this reason"), "{listed}");
}
