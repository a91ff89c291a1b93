//! What the client makes of answers.

use sortie_client::agent::HubLine;
use sortie_client::{ClientError, Connect, Stage, Trust};
use sortie_rules::time::Span;
use sortie_wire::problem::{Problem, ProblemCode};

use super::certificates::Authority;
use super::server::{Server, answer, json};

async fn answered(with: String) -> ClientError {
    let authority = Authority::new("the hub's authority");
    let server = Server::start(authority.server("localhost"), &[with]).await;
    server.line(Trust::Pem(authority.pem())).keys(0).await.unwrap_err()
}

#[tokio::test]
async fn a_problem_keeps_its_kind_and_the_wish_for_a_pause() {
    let problem = Problem::new(ProblemCode::RateLimited, "later");
    let body = format!(
        r#"{{"type":"{}","title":"{}","status":429,"code":"rate_limited","detail":"later"}}"#,
        problem.kind, problem.title
    );
    let error = answered(answer("429 Too Many Requests", "retry-after: 7\r\n", &body)).await;
    assert_eq!(error.problem(), Some(&problem));
    assert_eq!((error.retry_after(), error.is_final()), (Some(Span::seconds(7)), false));
}

#[tokio::test]
async fn a_problem_of_a_newer_hub_keeps_its_status_and_sentence() {
    let body = r#"{"type":"urn:x","title":"t","status":409,"code":"not_known_yet","detail":"a new sort of no"}"#;
    let error = answered(answer("409 Conflict", "", body)).await;
    assert!(error.is_final());
    let problem = error.problem().unwrap();
    assert_eq!(
        (problem.status, problem.code, problem.detail.as_str()),
        (409, ProblemCode::Internal, "a new sort of no")
    );
}

#[tokio::test]
async fn a_page_of_a_proxy_is_not_taken_for_the_hub() {
    for (status, is_final) in [("200 OK", true), ("302 Found", true), ("403 Forbidden", true), ("503 Busy", false)] {
        let page = answer(status, "content-type: text/html\r\nlocation: /login\r\n", "<html>sign in</html>");
        let error = answered(page).await;
        let ClientError::NotSortie { content_type, .. } = &error else { panic!("{error:?}") };
        assert_eq!(content_type.as_deref(), Some("text/html"));
        assert_eq!(error.is_final(), is_final, "{status}");
    }
    let body = r#"{"type":"x","title":"t","status":200,"code":"internal","detail":"d"}"#;
    let lying = answer("404 Not Found", "", body);
    assert!(matches!(answered(lying).await, ClientError::NotSortie { status: 404, .. }));
}

#[tokio::test]
async fn an_answer_without_end_is_given_up() {
    let announced = "HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n{".to_owned();
    assert!(matches!(answered(announced).await, ClientError::TooLarge { .. }));
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, " ".repeat(1 << 20));
    let unannounced = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}", chunk.repeat(20));
    assert!(matches!(answered(unannounced).await, ClientError::TooLarge { .. }));
}

#[tokio::test]
async fn a_hub_that_is_not_there_is_told_from_one_that_breaks_off() {
    let broken = answered(String::new()).await;
    assert!(matches!(broken, ClientError::Unreachable { stage: Stage::Broken, .. }), "{broken:?}");
    let authority = Authority::new("the hub's authority");
    let server = Server::start(authority.server("localhost"), &[json("1")]).await;
    let connect = server.connect("localhost", Trust::Pem(authority.pem()));
    let asked = async |hub: &str| {
        let connect = Connect { hub: hub.to_owned(), ..connect.clone() };
        HubLine::open(&connect).unwrap().keys(0).await.unwrap_err()
    };
    let nobody = asked("https://127.0.0.1:1").await;
    assert!(matches!(nobody, ClientError::Unreachable { stage: Stage::Connect, .. }), "{nobody:?}");
    let nameless = asked("https://no-such-host.invalid").await;
    assert!(matches!(nameless, ClientError::Unreachable { stage: Stage::Name, .. }), "{nameless:?}");
    assert!(!nobody.is_final() && !nameless.is_final());
}
