//! A database that has grown: enough rows in every table that a plan tells how it would go with millions.

use sortie_store::{Store, StoreError};

/// What fills one table: columns, how many rows, and their values, where `i` counts from 1 and `ID` is an id made
/// of it.
struct Filling {
    into: &'static str,
    many: u32,
    select: &'static str,
}

const fn fill(into: &'static str, many: u32, select: &'static str) -> Filling {
    Filling { into, many, select }
}

/// In the order in which rows may refer to each other. The org is the suite's own.
const FILLINGS: &[Filling] = &[
    fill("sites (org, key, name, created_at)", 500, "ORG, 'site-' || i, 'Site', i"),
    fill(
        "nodes (id, org, name, kind, labels, key_fingerprint, certificate_until, enrolled_at, host)",
        3000,
        "ID, ORG, 'node-' || i, 'host', '{}', 'key-' || i, 9000000 + i, i, case when i > 9 then ID end",
    ),
    fill(
        "node_signs (node, presence, presence_at, heard_at, silent_since, delivered, acknowledged)",
        3000,
        "ID, 'online', i, i, i, 1, 1",
    ),
    fill("node_facts (node, facts)", 3000, "ID, '{}'"),
    fill("node_keys (node, keys_version, issued_by, lag_told)", 3000, "ID, 1, '', i % 2"),
    fill("node_refusals (node, refused)", 3000, "ID, '{}'"),
    fill("trust_keys (id, node, secret_hash, created_by, created_at)", 3000, "ID, ID, cast('x' as bytea), 'hub', i"),
    fill(
        "invites (id, org, node_name, kind, labels, replaces, secret_hash, created_by, created_at, expires_at)",
        3000,
        "ID, ORG, 'node-' || i, 'host', '{}', 0, cast('x' as bytea), 'token:ci', i, 1000 + i",
    ),
    fill(
        "tokens (id, org, name, role, secret_hash, created_by, created_at)",
        3000,
        "ID, ORG, 'ci-' || i, 'viewer', cast('x' as bytea), 'hub', i",
    ),
    fill(
        "accounts (id, org, name, role, password_hash, created_by, created_at)",
        3000,
        "ID, ORG, 'person-' || i, 'viewer', 'hash', 'hub', i",
    ),
    fill(
        "sessions (id, org, subject, name, role, secret_hash, rotated_at, confirmed, created_at, last_used_at,
                   ends_at)",
        3000,
        "ID, ORG, 'account:' || i, 'Person', 'viewer', cast('x' as bytea), i, 1, i, i, 1000 + i",
    ),
    fill("denied_tokens (org, jti, denied_by, denied_at, expires_at)", 3000, "ORG, ID, 'token:ci', i, 1000 + i"),
    fill("assertions (id, expires_at)", 3000, "ID, 1000 + i"),
    fill("hub_keys (name, sealed)", 1000, "'key-' || i, cast('x' as bytea)"),
    fill("hub_key_changes (number)", 3000, "i"),
    fill("leaders (duty, holder, beat)", 1000, "'duty-' || i, 'hub', i"),
    fill("outbox_cursors (relay, number, moved_at)", 1000, "'relay-' || i, i, i"),
    fill(
        "idempotency (org, principal, key, route, body_hash, answer, created_at)",
        10_000,
        "ORG, 'token:' || (i % 10), ID, 'POST /tasks', cast('x' as bytea), '{}', i",
    ),
    fill(
        "jobs (id, org, type_name, payload, selector, priority, idempotent, retries_max, lease_ms, nodes,
               submitted_by, submitted_at, status, turn, finished_at)",
        3000,
        "ID, ORG, 'sys.info', '{}', '{}', 0, 1, 3, 60000, 10, 'token:ci', i,
         case when i % 20 = 0 then 'running' else 'completed' end, 1, case when i % 20 = 0 then null else i end",
    ),
    fill(
        "job_nodes (job, position, node, stage, task)",
        20_000,
        "'0' || (1000000 + i % 3000 + 1), i, '0' || (1000000 + i % 3000 + 1),
         case when i % 2 = 0 then 'waiting' else 'released' end, case when i % 2 = 0 then null else ID end",
    ),
    fill(
        "tasks (id, org, node, type_name, priority, payload, idempotent, submitted_by, submitted_at, status, attempt,
                run, retries, retries_max, lease_ms, not_before, not_after, lease_until, cancel_asked, delivery,
                claimed_at, finished_at, job)",
        20_000,
        "ID, ORG, '0' || (1000000 + i % 3000 + 1), 'sys.info', 0, '{}', 1, 'token:ci', i,
         case when i % 10 = 0 then 'pending' when i % 10 = 1 then 'in_progress' else 'completed' end,
         case when i % 10 = 0 then 0 else 1 end, 1, 0, 3, 60000,
         case when i % 50 = 0 then i else null end, case when i % 100 = 0 then i else null end,
         case when i % 10 = 1 then 1000 + i else null end, 0, case when i % 10 = 0 then 0 else 1 end,
         case when i % 10 = 0 then null else i end, case when i % 10 > 1 then i else null end,
         case when i % 3 = 0 then '0' || (1000000 + i % 3000 + 1) else null end",
    ),
    fill("task_logs (task, run, first, bytes, length)", 10_000, "ID, 1, 0, cast('x' as bytea), 1"),
    fill("task_log_ends (task, run, length)", 10_000, "ID, 1, 1"),
    fill(
        "blobs (id, org, sha256, bytes, begun_at, kept_at, leaving_at)",
        10_000,
        "ID, ORG, 'hash-' || i, 9, i, i, case when i % 50 = 0 then i else null end",
    ),
    fill("task_log_archives (task, run, length, blob)", 10_000, "ID, 1, 9, ID"),
    fill("task_progress (task, run, percent, message, at)", 10_000, "ID, 1, 50, 'half', i"),
    fill(
        "post_steps (task, run, name, item, org, kind, status, tries, since, next_at, finished_at)",
        10_000,
        "ID, 1, 'mail', 0, ORG, 'mail', case when i % 20 = 0 then 'pending' else 'done' end, 1, i,
         case when i % 20 = 0 then i else null end, case when i % 20 = 0 then null else i end",
    ),
    fill(
        "fields (org, holder_kind, holder, name, value, task, at)",
        10_000,
        "ORG, 'node', '0' || (1000000 + i % 3000), 'field-' || i, '1', ID, i",
    ),
    fill(
        "publications (id, org, layer, layer_of, revision, state, message, published_by, published_at, finished_at,
                       nodes, within_ms, rolls_back, status, stands, turn)",
        3000,
        "ID, ORG, case when i % 3 = 0 then 'org' else 'site' end, case when i % 3 = 0 then '' else 'site-' || i end,
         i, '{}', 'why', 'token:ci', i, case when i % 300 = 1 then null else i end, 10, 1000, 0,
         case when i % 300 = 1 then 'running' else 'completed' end, 0, 1",
    ),
    fill(
        "publication_nodes (publication, position, node, stage)",
        20_000,
        "'0' || (1000000 + i % 3000 + 1), i, '0' || (1000000 + (i + i / 3000) % 3000 + 1), 'waiting'",
    ),
    fill("publication_secrets (publication, org, secret)", 3000, "ID, ORG, 'secret-' || i"),
    fill(
        "drafts (org, layer, layer_of, state, based_on, version, changed_by, changed_at)",
        3000,
        "ORG, 'site', 'site-' || i, '{}', 0, 1, 'token:ci', i",
    ),
    fill(
        "node_desired (node, org, generation, org_revision, site_revision, node_revision, changed_at)",
        3000,
        "ID, ORG, 1, i % 5, 0, 0, i",
    ),
    fill(
        "node_observed (node, org, generation, standing, document, heard_at)",
        3000,
        "ID, ORG, 1, case when i % 100 = 0 then 'failing' else 'converged' end, '{}', i",
    ),
    fill(
        "enforcements (node, resource, zone, org, enforcer, secret, begun, status, since, failures, next_try, turn)",
        3000,
        "ID, 'geo.rules/main', 'zone-' || i, ORG, 'geo', 'edge-' || i, 1, 'in_order', i, 0, 1000000 + i, 1",
    ),
    fill(
        "secrets (org, name, version, sealed, changed_by, changed_at)",
        3000,
        "ORG, 'secret-' || i, 1, cast('x' as bytea), 'token:ci', i",
    ),
    fill(
        "reports (node, kind, subject, number, org, taken_at, received_at, source, facts, newest)",
        20_000,
        "'0' || (1000000 + i % 3000 + 1), 'facts', '', i, ORG, i, i, 'agent', '{}',
         case when i > 17000 then 1 else 0 end",
    ),
    fill(
        "alarms (id, org, rule, judged_by, severity, node, subject, state, began_at, seen_at, seen, due_at, opened_at,
                 resolved_at, summary, data, turn)",
        20_000,
        "ID, ORG, 'rule-' || (i % 50), 'hash', 'warning', '0' || (1000000 + i % 3000 + 1), 'subject-' || i,
         case when i % 10 = 0 then 'open' else 'resolved' end, i, i, 1, case when i % 20 = 0 then i else null end, i,
         case when i % 10 = 0 then null else i end, 'why', '{}', 1",
    ),
    fill("backups (node, target, completed_at, reported_at)", 3000, "ID, 'home', i, i"),
    fill(
        "backup_deadlines (org, name, target, deadline, selector, changed_by, changed_at, judge_at, judged_to, turn)",
        3000,
        "ORG, 'deadline-' || i, 'home', '{}', '{}', 'token:ci', i, 1000 + i, '', 1",
    ),
    fill(
        "history (holder, step, at, tasks_completed, tasks_failed, tasks_other, backups_completed, backups_failed,
                  backups_missed, online_ms)",
        20_000,
        "'0' || (1000000 + i % 3000 + 1), case when i % 3 = 0 then 'day' else 'hour' end, i, 1, 1, 1, 1, 1, 1, i",
    ),
    fill("history_levels (holder, online, since_at, known_since)", 3000, "ID, 1, i, i"),
    fill("node_events (node, outbox, number)", 3000, "ID, ID, i"),
    fill(
        "maintenance (id, org, reason, selector, begins_at, ends_at, made_by, made_at)",
        3000,
        "ID, ORG, 'why', '{}', i, 1000 + i, 'token:ci', i",
    ),
    fill("alarm_rules (org, name, rule, changed_by, changed_at)", 3000, "ORG, 'rule-' || i, '{}', 'token:ci', i"),
    fill(
        "recipients (org, name, recipient, secret_version, changed_by, changed_at)",
        3000,
        "ORG, 'recipient-' || i, '{}', 0, 'token:ci', i",
    ),
    fill(
        "notification_rules (org, name, rule, changed_by, changed_at)",
        3000,
        "ORG, 'rule-' || i, '{}', 'token:ci', i",
    ),
    fill(
        "notifications (id, org, event, alarm, alarm_rule, severity, node, subject, summary, opened, at, recipient,
                        channel, rule, state, why, due_at, waits_since, dispatch, created_at, ended_at)",
        20_000,
        "ID, ORG, i, '0' || (2000000 + i), 'node.down', 'warning', '0' || (1000000 + i % 3000 + 1), '', 'why', i % 2, i,
         'recipient-' || (i % 100), 'mail', 'operators',
         case when i % 100 = 0 then 'waiting' when i % 100 = 1 then 'held_back' else 'sent' end,
         case when i % 100 = 1 then 'cool_down' else null end, case when i % 100 = 1 then i else null end,
         case when i % 100 = 1 then null else i end,
         case when i % 100 > 1 then '0' || (3000000 + i / 10) else null end, i,
         case when i % 100 > 1 then i else null end",
    ),
    fill(
        "dispatches (id, org, recipient, channel, state, is_test, count, tries, since, next_at, created_at, ended_at,
                     person, title, text, read_at)",
        10_000,
        "ID, ORG, 'recipient-' || (i % 100), 'console', case when i % 100 = 0 then 'waiting' else 'sent' end, 0, 1, 1,
         i, case when i % 100 = 0 then i else null end, i, case when i % 100 = 0 then null else i end,
         'account:' || (i % 100), 'title', 'text', case when i % 50 = 3 then null else i end",
    ),
    fill(
        "told (org, alarm_rule, node, subject, recipient, channel, told_at)",
        10_000,
        "ORG, 'node.down', '0' || (1000000 + i % 3000 + 1), 'subject-' || i, 'recipient-' || (i % 100), 'mail', i",
    ),
    fill(
        "operations (id, org, node, node_key, type_name, payload, wanted, valid_ms, proposed_by, proposed_at, ends_at,
                     stage, signed_by, ended_at)",
        10_000,
        "ID, ORG, '0' || (1000000 + i % 3000 + 1), 'key', 'host.reboot', '{}', 1, 1000, 'token:ci', i, 1000 + i,
         case when i % 50 = 0 then 'awaiting_signature' else 'rejected' end, '[]',
         case when i % 50 = 0 then null else i end",
    ),
    fill(
        "events (number, org, at, kind, node, task, actor, data)",
        30_000,
        "i, ORG, i, case when i % 100 = 0 then 'node.changed' else 'task.submitted' end,
         '0' || (1000000 + i % 3000 + 1), ID, 'hub', '{}'",
    ),
    fill("audit (org, first, last, hash, lines)", 5000, "ORG, i * 10 - 9, i * 10, HASH, '{}'"),
];

/// What stands on PostgreSQL alone.
const ON_POSTGRES: &[Filling] = &[
    fill("audit_waiting (org, entry)", 3000, "ORG, '{}'"),
    fill("events (org, at, kind, actor, data)", 1000, "ORG, i, 'task.submitted', 'hub', '{}'"),
];

/// The tables that grow.
pub(super) fn tables() -> impl Iterator<Item = &'static str> {
    FILLINGS.iter().chain(ON_POSTGRES).filter_map(|filling| filling.into.split_whitespace().next())
}

/// Fills every table.
pub(super) async fn fill_all(store: &Store) {
    let on_postgres = store.engine() == "postgres";
    let org = format!("'{}'", sortie_rules::ids::DEFAULT_ORG);
    let hash = if on_postgres { "sha256('x')" } else { "zeroblob(32)" };
    let mut texts: Vec<&'static str> = Vec::new();
    for Filling { into, many, select } in
        FILLINGS.iter().chain(on_postgres.then_some(ON_POSTGRES).into_iter().flatten())
    {
        let select = select.replace("ID", "'0' || (1000000 + i)").replace("ORG", &org).replace("HASH", hash);
        texts.push(leaked(format!(
            "insert into {into}
             with recursive n (i) as (select 1 union all select i + 1 from n where i < {many}) select {select} from n"
        )));
    }
    run(store, texts).await;
}

/// Lets the engine look at how full they are.
pub(super) async fn look_at_all(store: &Store) {
    run(store, vec!["analyze"]).await;
}

async fn run(store: &Store, texts: Vec<&'static str>) {
    let filled = store.write(move |tx| {
        Box::pin(async move {
            for text in texts {
                tx.execute(text, &[]).await?;
            }
            Ok::<_, StoreError>(())
        })
    });
    filled.await.unwrap();
}

/// Statements live as long as the program; those that the suite makes up do so too.
pub(super) fn leaked(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}
