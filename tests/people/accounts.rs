//! Accounts: who signs in with a password, and who does not.

use futures_util::future::join_all;
use http::Method;
use serde_json::json;
use sortie_wire::problem::ProblemCode::{
    AccountExists, FieldInvalid, Forbidden, RateLimited, Unauthenticated, UnknownAccount,
};
use stories::{As, Program, RunningHub, Scene, on_both_engines, on_sqlite, until};

use crate::help::{PASSWORD, account, as_browser, cookie_of, sign_in, status_with, stream, token_of, typed};

on_both_engines!(
    somebody_signs_in_with_a_password_and_is_who_they_are,
    a_change_of_an_account_ends_its_sessions_and_what_they_hold_open,
);
on_sqlite!(
    a_program_signs_in_for_a_token,
    nobody_learns_which_names_there_are,
    a_thousand_wrong_passwords_are_slowed_and_the_owner_is_let_in,
    an_account_that_cannot_be_is_refused_with_the_place,
    nobody_makes_an_account_that_may_more_than_they,
    somebody_changes_their_own_password,
    accounts_are_made_listed_and_changed_by_command,
);

async fn somebody_signs_in_with_a_password_and_is_who_they_are(scene: Scene) {
    let hub = scene.hub().start().await;
    account(&hub, "anna", "operator").await;
    let answer = sign_in(&hub, "anna", PASSWORD).await;
    let header = answer.headers.get("set-cookie").expect("a browser gets a cookie").to_str().unwrap();
    for word in ["__Host-sortie=", "Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(header.contains(word), "{header}");
    }
    assert_eq!((answer.status, answer.json().get("token")), (200, None), "the page's script learns no secret");
    let cookie = crate::help::set_cookie(&answer).unwrap();
    let whoami = as_browser(&hub, &cookie, Method::GET, "/api/v1/whoami").send().await.json();
    assert_eq!((&whoami["name"], &whoami["role"]), (&json!("anna"), &json!("operator")));
    // What she does stands under her name, and what she may not do she may not.
    let put = as_browser(&hub, &cookie, Method::PUT, "/api/v1/sites/homes").json(&json!({ "name": "Homes" }));
    assert_eq!(put.send().await.status, 200);
    assert_eq!(hub.events("site").await[0].actor, "anna");
    let removed = as_browser(&hub, &cookie, Method::DELETE, "/api/v1/sites/homes").send().await;
    assert_eq!((removed.status, &*hub.events("site.removed").await[0].actor), (200, "anna"));
    let tokens = as_browser(&hub, &cookie, Method::GET, "/api/v1/tokens").send().await;
    assert!(tokens.is_problem(Forbidden, None).detail.contains("the role admin"));
    let hub = hub.kill().await.start().await;
    assert_eq!(status_with(&hub, &cookie).await, 200, "a session outlives the hub's process");
    assert_eq!(hub.events("session.began").await.len(), 1);
}

async fn a_program_signs_in_for_a_token(scene: Scene) {
    let hub = scene.hub().start().await;
    account(&hub, "anna", "viewer").await;
    let token = token_of(&hub, "anna", PASSWORD).await;
    assert!(token.starts_with("sortie_ses_"), "found by those who search for leaked ones");
    assert_eq!(hub.people_as(&token).whoami().await.unwrap().name, "anna");
    let mut command = Program::Sortie.command();
    command.env("SORTIE_HUB", hub.url()).env("SORTIE_TOKEN", &token).env("SORTIE_CA", hub.ca_file());
    let told = stories::Ended::of(command.args(["whoami", "--json"])).well().json();
    assert_eq!(told["role"], json!("viewer"));
    hub.sortie(&["site", "put", "homes"]).well();
    let refused = hub.people_as(&token).remove_site("homes").await.unwrap_err();
    assert_eq!(refused.problem().unwrap().code, Forbidden, "who looks on removes no site");
    let cut = &token[..token.len() - 1];
    assert_eq!(hub.people_as(cut).whoami().await.unwrap_err().problem().unwrap().code, Unauthenticated);
}

async fn nobody_learns_which_names_there_are(scene: Scene) {
    let hub = scene.hub().start().await;
    account(&hub, "anna", "admin").await;
    let bela = account(&hub, "bela", "viewer").await;
    let path = format!("/api/v1/accounts/{}", bela["id"].as_str().unwrap());
    assert_eq!(hub.request(Method::PATCH, &path).json(&json!({ "disabled": true })).send().await.status, 200);
    let wrong = sign_in(&hub, "anna", "wild geese over the march").await.is_problem(Unauthenticated, None);
    let nobody = sign_in(&hub, "cili", PASSWORD).await.is_problem(Unauthenticated, None);
    let disabled = sign_in(&hub, "bela", PASSWORD).await.is_problem(Unauthenticated, None);
    let odd = sign_in(&hub, "' or 1=1 --\u{0}", PASSWORD).await.is_problem(Unauthenticated, None);
    assert!([&nobody, &disabled, &odd].into_iter().all(|problem| problem.detail == wrong.detail), "{nobody:?}");
    let log = hub.log();
    assert!(!log.contains("wild geese") && !log.contains("argon2id"), "no password comes into the log");
}

async fn a_thousand_wrong_passwords_are_slowed_and_the_owner_is_let_in(scene: Scene) {
    let hub = scene.hub().start().await;
    account(&hub, "anna", "operator").await;
    let mut statuses = Vec::new();
    for round in 0..50 {
        let passwords: Vec<String> = (0..20).map(|number| format!("guess {round} and {number}")).collect();
        let answers = join_all(passwords.iter().map(|password| sign_in(&hub, "anna", password))).await;
        for answer in &answers {
            if answer.status == 429 {
                answer.is_problem(RateLimited, None);
                let after =
                    answer.headers.get("retry-after").and_then(|value| value.to_str().ok()?.parse::<u32>().ok());
                assert!(after.is_some_and(|seconds| seconds >= 1), "{answer:?}");
            }
        }
        statuses.extend(answers.into_iter().map(|answer| answer.status));
    }
    let looked_at = statuses.iter().filter(|status| **status == 401).count();
    let slowed = statuses.iter().filter(|status| **status == 429).count();
    assert_eq!(looked_at + slowed, 1_000, "{statuses:?}");
    assert!(looked_at < 20, "{looked_at} of a thousand were looked at");
    let right = async || (sign_in(&hub, "anna", PASSWORD).await.status == 200).then_some(());
    until("the owner is let in", right).await;
    assert_eq!(sign_in(&hub, "anna", PASSWORD).await.status, 200, "and is not slow any more");
}

async fn an_account_that_cannot_be_is_refused_with_the_place(scene: Scene) {
    let hub = scene.hub().start().await;
    let make = async |name: &str, role: &str, password: &str| {
        let body = json!({ "name": name, "role": role, "password": password });
        hub.request(Method::POST, "/api/v1/accounts").json(&body).send().await
    };
    for name in ["", "Anna", "an na", "-", &"a".repeat(64)] {
        make(name, "viewer", PASSWORD).await.is_problem(FieldInvalid, Some("/name"));
    }
    for (password, why) in [("short", "at least 12"), ("annaannaanna!", "name"), ("aaaaaaaaaaaaaaa", "repeats")] {
        let problem = make("anna", "viewer", password).await.is_problem(FieldInvalid, Some("/password"));
        assert!(problem.detail.contains(why), "{problem:?}");
    }
    let long = "wild geese ".repeat(30);
    make("anna", "viewer", &long).await.is_problem(FieldInvalid, Some("/password"));
    let service = make("anna", "service", PASSWORD).await.is_problem(FieldInvalid, Some("/role"));
    assert!(service.detail.contains("sortie token create"));
    assert_eq!(make("anna", "viewer", PASSWORD).await.status, 201);
    make("anna", "admin", PASSWORD).await.is_problem(AccountExists, None);
    let nobody = hub.request(Method::PATCH, "/api/v1/accounts/01980c5e-7d1a-7c3e-9b7e-0123456789ab");
    nobody.json(&json!({ "role": "admin" })).send().await.is_problem(UnknownAccount, None);
}

async fn nobody_makes_an_account_that_may_more_than_they(scene: Scene) {
    let hub = scene.hub().start().await;
    let scopes = "people:write people:read tasks:read events:read jobs:read desired:read operations:read nodes:read";
    let scopes: Vec<&str> = scopes.split(' ').collect();
    let body = json!({ "name": "porter", "role": "admin", "scopes": scopes });
    let porter = hub.request(Method::POST, "/api/v1/tokens").json(&body).send().await.json();
    let porter = As::Token(porter["token"].as_str().unwrap().to_owned());
    let make = async |role: &str| {
        let body = json!({ "name": role, "role": role, "password": PASSWORD });
        hub.request(Method::POST, "/api/v1/accounts").from(porter.clone()).json(&body).send().await
    };
    assert_eq!(make("viewer").await.status, 201, "a viewer may nothing that the porter may not");
    let refused = make("operator").await.is_problem(Forbidden, None);
    assert!(refused.detail.contains("tasks:write"), "{refused:?}");
    let admin = account(&hub, "anna", "admin").await;
    let path = format!("/api/v1/accounts/{}", admin["id"].as_str().unwrap());
    let lowered = hub.request(Method::PATCH, &path).from(porter).json(&json!({ "role": "viewer" })).send().await;
    lowered.is_problem(Forbidden, None);
}

async fn a_change_of_an_account_ends_its_sessions_and_what_they_hold_open(scene: Scene) {
    let hub = scene.hub().start().await;
    let anna = account(&hub, "anna", "operator").await;
    let path = format!("/api/v1/accounts/{}", anna["id"].as_str().unwrap());
    let changes =
        [json!({ "role": "viewer" }), json!({ "password": "other geese at night" }), json!({ "disabled": true })];
    let passwords = [PASSWORD, PASSWORD, "other geese at night"];
    for (change, password) in changes.iter().zip(passwords) {
        let (cookie, token) = (cookie_of(&hub, "anna", password).await, token_of(&hub, "anna", password).await);
        let mut by_cookie = stream(&hub, &format!("cookie: {cookie}"), "by-cookie").await;
        let mut by_token = stream(&hub, &format!("authorization: Bearer {token}"), "by-token").await;
        assert_eq!(status_with(&hub, &cookie).await, 200);
        assert_eq!(hub.request(Method::PATCH, &path).json(change).send().await.status, 200);
        assert_eq!(status_with(&hub, &cookie).await, 401, "{change}");
        assert_eq!(hub.people_as(&token).whoami().await.unwrap_err().problem().unwrap().code, Unauthenticated);
        by_cookie.end().await;
        by_token.end().await;
    }
    sign_in(&hub, "anna", "other geese at night").await.is_problem(Unauthenticated, None);
    assert_eq!(hub.request(Method::PATCH, &path).json(&json!({ "disabled": false })).send().await.status, 200);
    cookie_of(&hub, "anna", "other geese at night").await;
    assert_eq!(hub.events("account.changed").await.len(), 4);
}

async fn somebody_changes_their_own_password(scene: Scene) {
    let hub = scene.hub().start().await;
    account(&hub, "anna", "viewer").await;
    let (mine, other) = (cookie_of(&hub, "anna", PASSWORD).await, cookie_of(&hub, "anna", PASSWORD).await);
    let change = async |cookie: &str, old: &str, new: &str| {
        let request = as_browser(&hub, cookie, Method::POST, "/api/v1/auth/password");
        request.json(&json!({ "old": old, "new": new })).send().await
    };
    change(&mine, "not the old one", "other geese at night").await.is_problem(Forbidden, None);
    change(&mine, PASSWORD, "short").await.is_problem(FieldInvalid, Some("/new"));
    assert_eq!(change(&mine, PASSWORD, "other geese at night").await.status, 200);
    assert_eq!((status_with(&hub, &mine).await, status_with(&hub, &other).await), (200, 401), "the others end");
    sign_in(&hub, "anna", PASSWORD).await.is_problem(Unauthenticated, None);
    cookie_of(&hub, "anna", "other geese at night").await;
    // Whoever has got hold of the session does not guess the password by it, however often they try.
    let mut guesses = Vec::new();
    for number in 0..20 {
        guesses.push(change(&mine, &format!("guess number {number}"), "more geese at night").await.status);
    }
    assert!(guesses.contains(&403) && guesses.contains(&429), "{guesses:?}");
    assert!(guesses.iter().all(|status| matches!(status, 403 | 429)), "{guesses:?}");
    let by_token = hub.request(Method::POST, "/api/v1/auth/password");
    by_token.json(&json!({ "old": PASSWORD, "new": PASSWORD })).send().await.is_problem(Forbidden, None);
}

async fn accounts_are_made_listed_and_changed_by_command(scene: Scene) {
    let hub = scene.hub().start().await;
    hub.sortie(&["account", "list"]).failed(0, &["sortie account create"]);
    let made = typed(&hub, &["account", "create", "anna", "--role", "operator"], &format!("{PASSWORD}\n")).well();
    assert!(made.stderr.contains("anna can sign in, with the role operator") && !made.stderr.contains(PASSWORD));
    let listed = hub.sortie(&["account", "list"]).well().stdout;
    assert!(["anna", "operator", "active", "never"].iter().all(|word| listed.contains(word)), "{listed}");
    let cookie = cookie_of(&hub, "anna", PASSWORD).await;
    hub.sortie(&["account", "change", "ana", "--disable"]).failed(3, &["no account `ana`", "did you mean `anna`?"]);
    hub.sortie(&["account", "change", "anna"]).failed(2, &["--role", "--disable"]);
    let sessions = hub.sortie(&["session", "list"]).well().stdout;
    assert!(sessions.contains("anna") && sessions.contains("operator"), "{sessions}");
    hub.sortie(&["account", "change", "anna", "--disable"]).failed(0, &["anna cannot sign in"]);
    assert_eq!(status_with(&hub, &cookie).await, 401);
    hub.sortie(&["session", "list"]).failed(0, &["Nobody is signed in"]);
    hub.sortie(&["account", "change", "anna", "--enable", "--role", "viewer"]).failed(0, &["the role viewer"]);
    let short = typed(&hub, &["account", "create", "bela", "--role", "viewer"], "short\n");
    assert!(short.code == Some(3) && short.stderr.contains("at least 12 characters"), "{short:?}");
    let closed = typed(&hub, &["account", "create", "bela", "--role", "viewer"], "");
    assert!(closed.code == Some(1) && closed.stderr.contains("standard input has ended"), "{closed:?}");
    ended_session_by_command(&hub).await;
}

async fn ended_session_by_command(hub: &RunningHub<'_>) {
    let cookie = cookie_of(hub, "anna", PASSWORD).await;
    let id = hub.sortie_json(&["session", "list"])["items"][0]["id"].as_str().unwrap().to_owned();
    hub.sortie(&["session", "end", &id]).failed(0, &["anna is signed out"]);
    assert_eq!(status_with(hub, &cookie).await, 401);
    hub.sortie(&["session", "end", &id]).failed(3, &["unknown_session (404)"]);
}
