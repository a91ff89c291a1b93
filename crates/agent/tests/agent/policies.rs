//! The site has the last word.

use sortie_agent::{Failure, Output};
use sortie_rules::time::Span;
use sortie_wire::deliveries::HandedTask;
use sortie_wire::results::{OutcomeWord, RunResult};

use super::agents::Site;
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
