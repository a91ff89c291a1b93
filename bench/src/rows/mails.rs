//! From an event to the mail that tells of its alarm, as the mail server has it.

use std::time::{Duration, Instant};

use anyhow::ensure;
use counterparts::{SmtpPlan, SmtpSink};
use serde_json::json;
use sortie_wire::alarms::PutAlarmRule;
use sortie_wire::nodes::{ChangeNode, NodeQuery};
use sortie_wire::notifications::PutRecipient;

use super::ground::Ground;
use crate::cli::Setup;
use crate::figure::Figure;

/// How many nodes there are, each with a recipient of its own: one recipient would soon be told in lots.
const NODES: usize = 200;
/// Those that are not counted.
const WARM_UP: usize = 10;
/// How often it is looked whether the mail is there.
const LOOK_EVERY: Duration = Duration::from_millis(2);
/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Measures it.
pub(super) async fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let sink = tokio::task::spawn_blocking(|| SmtpSink::start(SmtpPlan::default())).await?;
    let set = [
        ("SORTIE_HUB_MAIL__HOST", "127.0.0.1".to_owned()),
        ("SORTIE_HUB_MAIL__PORT", sink.port().to_string()),
        ("SORTIE_HUB_MAIL__SECURITY", "none".to_owned()),
        ("SORTIE_HUB_MAIL__FROM", "hub@sortie.example".to_owned()),
    ];
    let ground = Ground::set(setup, NODES, &set).await?;
    let people = ground.hub.line()?;
    let rule = json!({
        "name": "node.touched", "severity": "critical", "summary": "Somebody has changed a node.",
        "begins": [{ "kind": "node.changed" }], "lasts_s": 86400,
    });
    people.set_alarm_rule("node.touched", &PutAlarmRule { rule: Some(rule) }).await?;
    let query = NodeQuery { limit: Some(1000), ..NodeQuery::default() };
    let nodes: Vec<String> = people.nodes(&query).await?.items.into_iter().map(|node| node.name).collect();
    for node in &nodes {
        let recipient = json!({
            "name": node, "audience": "operator", "mail": format!("{node}@sortie.example"),
            "nodes": { "names": [node] },
        });
        people.set_recipient(node, &PutRecipient { recipient, webhook_secret: None }).await?;
    }
    let mut times = Vec::with_capacity(NODES);
    for (at, node) in nodes.iter().enumerate() {
        let labels = [("touched".to_owned(), Some("yes".to_owned()))].into();
        let began = Instant::now();
        people.change_node(node, &ChangeNode { labels, ..ChangeNode::default() }).await?;
        while sink.count() <= at {
            ensure!(began.elapsed() < PATIENCE, "no mail came of `{node}` within {PATIENCE:?}");
            tokio::time::sleep(LOOK_EVERY).await;
        }
        if at >= WARM_UP {
            times.push(began.elapsed());
        }
    }
    let notes = format!(
        "from the call that changes a node to the mail in the mail server's folder, one after another, each to another \
         recipient of {NODES} ({})",
        ground.engine
    );
    let figure = Figure::ours("event_to_mail", notes).times(times).memory(ground.hub.memory());
    ground.end().await?;
    Ok(vec![figure])
}
