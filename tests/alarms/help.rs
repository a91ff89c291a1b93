//! What several of these stories share.

use http::Method;
use serde_json::{Value, json};
use sortie_rules::time::{Millis, Span};
use sortie_wire::alarms::{Alarm, AlarmQuery, AlarmState, PutAlarmRule};
use sortie_wire::reports::SendReport;
use stories::{Answer, As, HandNode, HubPlan, RunningHub, until};

/// Every alarm of the hub's own org, the oldest first.
pub(crate) async fn alarms(hub: &RunningHub<'_>) -> Vec<Alarm> {
    let query = AlarmQuery { limit: Some(1000), ..AlarmQuery::default() };
    let mut items = hub.people().alarms(&query).await.expect("an administrator may").items;
    items.reverse();
    items
}

/// Those of a rule, the oldest first.
pub(crate) async fn of_rule(hub: &RunningHub<'_>, rule: &str) -> Vec<Alarm> {
    alarms(hub).await.into_iter().filter(|alarm| alarm.rule == rule).collect()
}

/// Waits until the newest alarm of a rule stands so.
pub(crate) async fn becomes(hub: &RunningHub<'_>, rule: &str, state: AlarmState) -> Alarm {
    until(&format!("{rule} is {}", state.as_str()), async || {
        of_rule(hub, rule).await.pop().filter(|alarm| alarm.state == state)
    })
    .await
}

/// What was told of alarms, the oldest first: what, and of which rule.
pub(crate) async fn told(hub: &RunningHub<'_>) -> Vec<(String, String)> {
    let events = hub.events("alarm").await;
    events.into_iter().map(|event| (event.kind, event.data["rule"].as_str().unwrap_or_default().to_owned())).collect()
}

/// That these, and no others, were told of, in this order.
pub(crate) async fn are_told(hub: &RunningHub<'_>, expected: &[(&str, &str)]) {
    let said = told(hub).await;
    let said: Vec<(&str, &str)> = said.iter().map(|(kind, rule)| (kind.as_str(), rule.as_str())).collect();
    assert_eq!(said, expected);
}

/// Waits until so much was told of alarms.
pub(crate) async fn much_is_told(hub: &RunningHub<'_>, count: usize) {
    until("all of it is told", async || (told(hub).await.len() >= count).then_some(())).await;
}

/// A report with these facts.
pub(crate) async fn report(node: &HandNode, kind: &str, facts: Value) {
    let facts = serde_json::value::to_raw_value(&facts).expect("a JSON value is JSON");
    let report = SendReport { kind: kind.into(), subject: None, taken_at: Millis(1), source: "agent".into(), facts };
    node.line().report(node.id, &report).await.expect("a report in order is taken");
}

/// Makes a rule of the hub's own org.
pub(crate) async fn set_rule(hub: &RunningHub<'_>, rule: Value) {
    let name = rule["name"].as_str().expect("it has a name").to_owned();
    let put = PutAlarmRule { rule: Some(rule) };
    hub.people().set_alarm_rule(&name, &put).await.expect("an administrator may");
}

/// A rule by which each site that is called `a site` is an alarm for a day, with the site's key as its subject.
pub(crate) async fn sites_are_alarms(hub: &RunningHub<'_>) {
    set_rule(
        hub,
        json!({
            "name": "site.made", "severity": "info", "summary": "A site was made.", "subject": "/site",
            "begins": [{ "kind": "site.changed", "where": { "/name": "a site" } }], "lasts_s": 86400,
        }),
    )
    .await;
}

/// Time passes for what waits for it: so many seconds, as the hub finds it.
pub(crate) fn time_passes(plan: &HubPlan<'_>, seconds: i64) {
    plan.sql(&format!("update alarms set due_at = due_at - {} where due_at is not null", seconds * 1000));
}

/// A caller with a token of this role.
pub(crate) async fn somebody(hub: &RunningHub<'_>, role: &str) -> As {
    let asked = hub.request(Method::POST, "/api/v1/tokens").json(&json!({ "name": role, "role": role }));
    As::Token(asked.send().await.json()["token"].as_str().expect("it was made").to_owned())
}

/// Asks for this as somebody.
pub(crate) async fn ask(hub: &RunningHub<'_>, who: &As, method: Method, path: &str, body: &Value) -> Answer {
    let request = hub.request(method.clone(), path).from(who.clone());
    if method == Method::GET { request.send().await } else { request.json(body).send().await }
}

/// A node that has been silent for so long when the hub starts.
pub(crate) fn silent_for(plan: &HubPlan<'_>, node: &str, span: Span) {
    plan.sql(&format!(
        "update node_signs set silent_since = (select cast(value as bigint) from meta where key = 'alive_at') - {}
         where node = (select id from nodes where name = '{node}')",
        span.0
    ));
}
