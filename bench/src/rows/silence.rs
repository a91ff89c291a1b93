//! A fleet that falls silent at once: until each node's change, its alarm and the events of both are on the hub's disk,
//! and until somebody is told of all of it.

use std::time::{Duration, Instant};

use anyhow::ensure;

use super::ground::Ground;
use crate::cli::Setup;
use crate::figure::Figure;
use crate::process::{own_kib, processor_seconds};

/// How many nodes fall silent.
const NODES: u64 = 100_000;
/// After which silence they are down, in seconds: long enough for the hub to have come up and to rest.
const DOWN_AFTER_S: u32 = 15;
/// How often it is looked how far it has come.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(300);
/// How many there are by now.
const DOWN: &str = "select count(*) from node_signs where presence = 'down'";
const ALARMS: &str = "select count(*) from alarms where state = 'open'";
const TOLD: &str = "select count(*) from events where kind = 'alarm.opened' or kind = 'node.down'";
const SENT: &str = "select coalesce(sum(count), 0) from dispatches where state = 'sent'";
const DISPATCHES: &str = "select count(*) from dispatches";
/// Somebody who is told of all of it, in a console.
const ON_CALL: &str = r#"insert into recipients (org, name, recipient, secret_version, changed_by, changed_at)
    select id, 'on-call', '{"name":"on-call","audience":"operator","person":"account:on-call"}', 0, 'bench', 1
        from orgs limit 1"#;

/// Measures it.
pub(super) async fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let after = DOWN_AFTER_S.to_string();
    let set = [
        ("SORTIE_HUB_PRESENCE__STALE_AFTER_S", after.clone()),
        ("SORTIE_HUB_PRESENCE__DOWN_AFTER_S", after),
        ("SORTIE_HUB_PRESENCE__CHECK_EVERY_S", "5".to_owned()),
    ];
    let mut ground = Ground::set(setup, 1, &set).await?;
    for statement in fleet(NODES).into_iter().chain([ON_CALL.to_owned()]) {
        ground.sql(statement).await?;
    }
    // What is known of nodes is read at the start.
    ground.hub.restart(setup, false).await?;
    let pid = ground.hub.pid();
    let (rested, used) = (own_kib(pid).unwrap_or(0), processor_seconds(pid));
    let began = until(&ground, DOWN, 1).await?.0;
    let (down, highest) = until(&ground, DOWN, NODES).await?;
    let (end, higher) = until(&ground, ALARMS, NODES).await?;
    let (sent, highest_of_all) = until(&ground, SENT, NODES).await?;
    let dispatches = count(&ground, DISPATCHES).await?;
    let told = count(&ground, TOLD).await?;
    ensure!(told == 2 * NODES, "{told} events tell of {NODES} nodes");
    let each = 1e6 * (processor_seconds(pid) - used) / NODES as f64;
    let notes = format!(
        "{NODES} nodes are down, each has its alarm, and two events tell of it ({}), counted from the first; all were \
         down after {:.1} s, and somebody was told of all of them, in {dispatches} dispatches, after {:.1} s; the \
         hub's own memory {} MB before and {} MB at most; its processor {each:.0} us for each",
        ground.engine,
        (down - began).as_secs_f64(),
        (sent - began).as_secs_f64(),
        rested / 1024,
        highest.max(higher).max(highest_of_all) / 1024,
    );
    let figure = Figure::ours("silence", notes).counted(NODES, end - began).memory(ground.hub.memory());
    ground.end().await?;
    Ok(vec![figure])
}

/// What makes so many nodes that were heard at this moment.
fn fleet(count: u64) -> [String; 2] {
    let numbers =
        format!("with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < {count})");
    let id = "'01980000-0000-7000-8000-' || substr(cast(1000000000000 + n as text), 2)";
    let now = crate::machine::clock().now().0;
    [
        format!(
            "{numbers} insert into nodes (id, org, name, kind, labels, key_fingerprint, certificate_until, enrolled_at)
             select {id}, (select id from orgs limit 1), 'silent-' || cast(n as text), 'host', '{{}}',
                 'silent-' || cast(n as text), {now} + 2592000000, {now} from numbers"
        ),
        format!(
            "{numbers} insert into node_signs
                 (node, presence, presence_at, heard_at, silent_since, delivered, acknowledged)
             select {id}, 'online', {now}, {now}, {now}, 0, 0 from numbers"
        ),
    ]
}

async fn count(ground: &Ground, statement: &str) -> anyhow::Result<u64> {
    let found = ground.sql(statement.to_owned()).await?;
    Ok(found.first().and_then(|count| count.parse().ok()).unwrap_or(0))
}

/// Waits until there are so many, and says when that was, and the highest own memory of the hub meanwhile, in KiB.
async fn until(ground: &Ground, statement: &str, enough: u64) -> anyhow::Result<(Instant, u64)> {
    let (begun, mut highest) = (Instant::now(), 0);
    loop {
        let there = count(ground, statement).await?;
        highest = highest.max(own_kib(ground.hub.pid()).unwrap_or(0));
        if there >= enough {
            return Ok((Instant::now(), highest));
        }
        ensure!(begun.elapsed() < PATIENCE, "after {PATIENCE:?} there are {there} of {enough}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
