//! What the hub has said yes to survives SIGKILL, with its event; what it has not is there with it or not at all.

use http::Method;
use serde_json::json;
use stories::{Scene, on_both_engines};

use crate::help::{ask_for_token, set, told, value};

on_both_engines!(what_was_chosen_is_obeyed_after_a_kill_and_so_is_each_change_that_was_cut);

async fn what_was_chosen_is_obeyed_after_a_kill_and_so_is_each_change_that_was_cut(scene: Scene) {
    const KEY: &str = "terminal.session_max_ttl_seconds";
    let mut hub = scene.hub().start().await;
    set(&hub, "tokens.role_max", json!("viewer")).await;
    for round in 0..3 {
        let lowest = 100 + round * 10;
        set(&hub, KEY, json!(lowest)).await;
        let changing = (1..4).map(|more| {
            let request = hub.request(Method::PUT, &format!("/api/v1/settings/{KEY}"));
            tokio::spawn(request.json(&json!({ "value": lowest + more })).try_send())
        });
        let changing: Vec<_> = changing.collect();
        hub = hub.kill().await.start().await;
        for change in changing {
            // Whether it was answered is chance; that value and event agree is not.
            let _answered = change.await.expect("it does not panic");
        }
        let told = told(&hub).await;
        let of_key: Vec<_> = told.iter().filter(|change| change[0] == KEY).collect();
        assert_eq!(of_key.last().expect("it was changed")[2], value(&hub, KEY).await, "{told:?}");
        assert!(of_key.windows(2).all(|pair| pair[1][1] == pair[0][2]), "no change is missing: {told:?}");
        assert!(value(&hub, KEY).await.as_i64().expect("a number") >= lowest, "what was answered is kept");
    }
    let refused = ask_for_token(&hub, json!({ "name": "ci", "role": "operator" })).await;
    assert_eq!(refused.problem().pointer.as_deref(), Some("/role"));
}
