//! The site has the last word.

use sortie_agent::{Failure, Output};
use sortie_rules::time::Span;
use sortie_wire::deliveries::HandedTask;
use sortie_wire::results::{OutcomeWord, RunResult};

use super::agents::Site;
use super::desired::{Stage, until};
use super::hub::{NOW, TestHub, task};

async fn ended(hub: &TestHub, task: HandedTask) -> (OutcomeWord, String) {
    let id = task.id;
    hub.desk.hand(vec![task]);
    let RunResult { outcome, code, .. } = hub.desk.result(id).await;
    (outcome, code.map(|code| code.0).unwrap_or_default())
}

#[tokio::test]
async fn every_refusal_has_a_code_of_its_own_and_is_reported() {
    let hub = TestHub::start().await;
    let site = Site::enrolled(&hub).await;
    let root = site.folder().canonicalize().unwrap();
    std::fs::write(root.join("file"), "abc").unwrap();
    let allow = r#"allow = ["sleep", "file.checksum", "file.append", "http.check", "panic", "fail"]"#;
    site.set_policy(&format!("{allow}\n[file_checksum]\nroots = [{root:?}]\n[http_check]\nallow = [\"127.0.0.1:1\"]"));
    let running = site.start_with(|agent| {
        agent
            .handler("panic", |_| async { if true { panic!("boom") } else { Output::of(&()) } })
            .handler("fail", |_| async { Err(Failure::failed("no_paper", "the tray is empty", true)) })
    });
    let path = |name: &str| format!(r#"{{"path":{:?}}}"#, root.join(name));
    let line = format!(r#"{{"path":{:?},"line":"x"}}"#, root.join("journal"));
    let over = HandedTask { not_after: Some(NOW - Span::seconds(1)), ..task(10, "sleep", r#"{"ms":0}"#) };
    for (work, outcome, code) in [
        (task(1, "rm.rf", "{}"), OutcomeWord::Rejected, "type_not_allowed"),
        (task(2, "sys.info", "{}"), OutcomeWord::Rejected, "type_not_allowed"),
        (task(3, "sleep", r#"{"ms":"long"}"#), OutcomeWord::Rejected, "bad_payload"),
        (task(4, "file.checksum", &path("file")), OutcomeWord::Completed, ""),
        (task(5, "file.checksum", r#"{"path":"/etc/passwd"}"#), OutcomeWord::Rejected, "forbidden_by_policy"),
        (task(6, "file.checksum", &path("none")), OutcomeWord::Failed, "not_readable"),
        (task(7, "file.append", &line), OutcomeWord::Rejected, "forbidden_by_policy"),
        (task(8, "panic", "0"), OutcomeWord::Failed, "handler_failed"),
        (task(9, "fail", "0"), OutcomeWord::Failed, "no_paper"),
        (over, OutcomeWord::Rejected, "expired"),
        (task(11, "http.check", r#"{"url":"http://127.0.0.1:2/"}"#), OutcomeWord::Rejected, "forbidden_by_policy"),
        (task(12, "http.check", r#"{"url":"ftp://127.0.0.1:1/"}"#), OutcomeWord::Rejected, "bad_payload"),
    ] {
        let label = format!("{} {}", work.type_name, work.payload.get());
        assert_eq!(ended(&hub, work).await, (outcome, code.to_owned()), "{label}");
    }
    running.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_the_policy_is_told_until_it_is_mended_also_across_starts() {
    let mut stage = Stage::quiet("").await;
    stage.site.set_policy("allow = [\"sleep\"]\nalow = [\"hunter22\"]");
    stage.start();
    let told = stage.hub.desk.observed("what is wrong", 0, 0, |said| said.policy_unusable.is_some()).await;
    let why = told.policy_unusable.unwrap().message;
    assert!(why.starts_with("line 2: there is no setting `alow`") && !why.contains("hunter22"), "{why}");
    stage.stop().await;
    stage.set_policy("");
    let words = stage.hub.desk.look(|asked| asked.observed.len());
    stage.start();
    let is_mended = |said: &sortie_wire::desired::Observed| said.policy_unusable.is_none();
    stage.hub.desk.observed("that it is mended", 0, words, is_mended).await;
    let memory = stage.site.data().join("observed.json");
    until(|| std::fs::read_to_string(&memory).is_ok_and(|text| !text.contains("policy"))).await;
    stage.stop().await;
    // The hub knows, so there is nothing to say.
    let (words, waits) = stage.hub.desk.look(|asked| (asked.observed.len(), asked.waits.len()));
    stage.start();
    stage.hub.desk.until("the next start", |asked| (asked.waits.len() > waits).then_some(())).await;
    stage.stop().await;
    stage.hub.desk.look(|asked| assert_eq!(asked.observed.len(), words));
}
