//! How many requests one caller may send: what is too much is refused with the time to come back, which is true,
//! and costs nobody else anything.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use http::Method;
use sortie_rules::access::Role;
use sortie_wire::problem::ProblemCode::{RateLimited, Unauthenticated};
use sortie_wire::tokens::CreateToken;
use stories::{Answer, As, HubPlan, RunningHub, Scene, on_sqlite, until};

on_sqlite!(
    a_principal_over_its_limit_is_refused_until_it_was_told_to_come_back,
    an_address_that_proves_nothing_is_limited_and_those_who_have_proved_themselves_go_on,
    agents_are_not_counted,
    a_client_of_ours_waits_by_itself,
    zero_is_no_limit,
);

/// How many are sent at once: far more than any of these limits lets in.
const MANY: usize = 40;

/// So many a second and five at once, of a principal or an address.
fn limit<'s>(plan: HubPlan<'s>, whose: &str, per_second: u32) -> HubPlan<'s> {
    let key = format!("limits.requests_per_{whose}");
    plan.setting(&key, per_second).setting(&format!("{key}_burst"), 5)
}

async fn token(hub: &RunningHub<'_>, name: &str) -> As {
    let request = CreateToken { name: name.to_owned(), role: Role::Viewer, scopes: None, valid_for: None };
    As::Token(hub.people().create_token(&request, None).await.expect("an administrator may").token)
}

async fn ask(hub: &RunningHub<'_>, who: &As) -> Answer {
    hub.request(Method::GET, "/api/v1/whoami").from(who.clone()).send().await
}

async fn ask_many(hub: &RunningHub<'_>, who: &As) -> Vec<Answer> {
    join_all((0..MANY).map(|_| ask(hub, who))).await
}

/// After how long a refused request may come again.
fn retry_after(refused: &Answer) -> Duration {
    refused.is_problem(RateLimited, None);
    let seconds = refused.headers.get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    Duration::from_secs(seconds.unwrap_or_else(|| panic!("it says when to come back: {refused:?}")))
}

/// The answers of those who were let in, and one of those who were not; there are both.
fn parted(answers: Vec<Answer>, let_in: u16) -> (usize, Answer) {
    let (inside, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == let_in);
    assert!(refused.iter().all(|answer| answer.status == 429), "{refused:?}");
    (inside.len(), refused.into_iter().next().expect("these were too many"))
}

async fn time_is_over(began: Instant, wait: Duration) {
    until("it may come again", async || (began.elapsed() >= wait).then_some(())).await;
}

async fn counted(hub: &RunningHub<'_>, limit: &str) {
    let line = format!("sortie_requests_refused_total{{limit=\"{limit}\"}}");
    assert!(hub.operations("/metrics").await.1.contains(&line), "{line}");
}

async fn a_principal_over_its_limit_is_refused_until_it_was_told_to_come_back(scene: Scene) {
    let hub = limit(scene.hub(), "principal", 1).start().await;
    let (busy, other) = (token(&hub, "busy").await, token(&hub, "other").await);
    let began = Instant::now();
    let (let_in, refused) = parted(ask_many(&hub, &busy).await, 200);
    let seconds = usize::try_from(began.elapsed().as_secs()).expect("it is soon");
    assert!((5..=5 + seconds + 1).contains(&let_in), "{let_in} in {seconds} s");
    let (refused_at, wait) = (Instant::now(), retry_after(&refused));
    assert_eq!(wait, Duration::from_secs(1), "there is one a second");
    assert_eq!(ask(&hub, &other).await.status, 200, "another one has what is theirs");
    ask(&hub, &As::Nobody).await.is_problem(Unauthenticated, None);
    time_is_over(refused_at, wait).await;
    assert_eq!(ask(&hub, &busy).await.status, 200, "it was told the truth");
    counted(&hub, "principal").await;
    // What is forbidden counts as well: it is asked.
    let invites = || hub.request(Method::GET, "/api/v1/tokens").from(busy.clone()).send();
    let answers = join_all((0..MANY).map(|_| invites())).await;
    parted(answers, 403);
}

async fn an_address_that_proves_nothing_is_limited_and_those_who_have_proved_themselves_go_on(scene: Scene) {
    let hub = limit(scene.hub(), "address", 1).start().await;
    let known = token(&hub, "known").await;
    assert_eq!(ask(&hub, &known).await.status, 200);
    for stranger in
        [As::Nobody, As::Token("sortie_tok_nonsense".to_owned()), As::Token(format!("{}x", hub.admin_token()))]
    {
        let (_, refused) = parted(ask_many(&hub, &stranger).await, 401);
        let (refused_at, wait) = (Instant::now(), retry_after(&refused));
        for answer in ask_many(&hub, &known).await {
            assert_eq!(answer.status, 200, "it comes from the same address, and has proved itself before: {answer:?}");
        }
        time_is_over(refused_at, wait).await;
        ask(&hub, &stranger).await.is_problem(Unauthenticated, None);
    }
    // What anybody may ask is counted too.
    let open = join_all((0..MANY).map(|_| hub.request(Method::GET, "/api/openapi.json").from(As::Nobody).send())).await;
    parted(open, 200);
    counted(&hub, "address").await;
}

async fn agents_are_not_counted(scene: Scene) {
    let plan = limit(limit(scene.hub(), "principal", 1), "address", 1);
    let hub = plan.start().await;
    let node = hub.hand_node("north").await;
    parted(ask_many(&hub, &As::Nobody).await, 401);
    for _ in 0..MANY {
        assert!(node.wait(1, 0).await.tasks.is_empty());
    }
    let keys = || hub.request(Method::GET, "/agent/v1/keys").from(As::Node(node.identity())).send();
    assert!(join_all((0..MANY).map(|_| keys())).await.iter().all(|answer| answer.status == 200));
    hub.people().revoke_node("north").await.expect("an administrator may");
    let revoked = join_all((0..MANY).map(|_| node.request(Method::POST, "/heartbeat").send())).await;
    parted(revoked, 403);
}

async fn a_client_of_ours_waits_by_itself(scene: Scene) {
    let hub = limit(scene.hub(), "principal", 10).start().await;
    let people = hub.people();
    let asked = join_all((0..15).map(|_| people.whoami())).await;
    assert!(asked.into_iter().all(|answer| answer.is_ok()));
    counted(&hub, "principal").await;
    hub.sortie(&["whoami"]).well();
}

async fn zero_is_no_limit(scene: Scene) {
    let hub = limit(limit(scene.hub(), "principal", 0), "address", 0).start().await;
    let admin = As::Token(hub.admin_token());
    for (who, status) in [(admin, 200), (As::Nobody, 401)] {
        assert!(ask_many(&hub, &who).await.iter().all(|answer| answer.status == status));
    }
}
