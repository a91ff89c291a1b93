//! How often the client asks again.

use sortie_client::Trust;
use sortie_rules::ids::Id;
use sortie_rules::time::Span;
use sortie_wire::problem::ProblemCode;
use sortie_wire::tasks::SubmitTask;

use super::certificates::Authority;
use super::server::{Server, answer, json};

fn problem(code: ProblemCode, headers: &str) -> String {
    let body =
        format!(r#"{{"type":"x","title":"t","status":{},"code":"{}","detail":"d"}}"#, code.status(), code.as_str());
    answer(&format!("{} X", code.status()), headers, &body)
}

fn keys_of(server: &Server) -> Vec<String> {
    let key =
        |request: &String| request.lines().find_map(|line| line.strip_prefix("idempotency-key: ")).unwrap().to_owned();
    server.asked().iter().map(key).collect()
}

fn task() -> SubmitTask {
    serde_json::from_str(r#"{"type":"sleep","node":"box"}"#).unwrap()
}

#[tokio::test]
async fn a_repeated_submission_has_the_identity_of_the_first_try() {
    let authority = Authority::new("the hub's authority");
    let id = uuid::Uuid::from_u128(7);
    let submitted = json(&format!(r#"{{"id":"{id}","node":"{id}","status":"pending"}}"#));
    let answers = [String::new(), problem(ProblemCode::Stopping, ""), submitted];
    let server = Server::start(authority.server("localhost"), &answers).await;
    server.hub(Trust::Pem(authority.pem()), Span::minutes(1)).submit(&task(), None).await.unwrap();
    let keys = keys_of(&server);
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|key| *key == keys[0]));
}

#[tokio::test]
async fn what_may_not_be_done_twice_is_asked_once_unless_the_hub_put_it_off() {
    let authority = Authority::new("the hub's authority");
    let id = Id::from_uuid(uuid::Uuid::from_u128(7));
    let server = Server::start(authority.server("localhost"), &[String::new()]).await;
    server.hub(Trust::Pem(authority.pem()), Span::minutes(1)).requeue_task(id).await.unwrap_err();
    assert_eq!(server.asked().len(), 1);
    let answers = [problem(ProblemCode::RateLimited, "retry-after: 0\r\n"), problem(ProblemCode::UnknownTask, "")];
    let server = Server::start(authority.server("localhost"), &answers).await;
    let error = server.hub(Trust::Pem(authority.pem()), Span::minutes(1)).requeue_task(id).await.unwrap_err();
    assert_eq!(error.problem().unwrap().code, ProblemCode::UnknownTask);
    assert_eq!(server.asked().len(), 2);
}

#[tokio::test]
async fn a_hub_that_asks_for_more_patience_than_there_is_gets_no_second_call() {
    let authority = Authority::new("the hub's authority");
    let server =
        Server::start(authority.server("localhost"), &[problem(ProblemCode::Stopping, "retry-after: 60\r\n")]).await;
    let error = server.hub(Trust::Pem(authority.pem()), Span::seconds(30)).whoami().await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Span::minutes(1)));
    assert_eq!(server.asked().len(), 1);
}
