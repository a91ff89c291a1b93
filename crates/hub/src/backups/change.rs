//! Says by when backups are expected, and takes that back. A deadline that is changed is judged from its next time on.

use serde_json::json;
use sortie_rules::backups::{Deadline, WrittenDeadline};
use sortie_rules::limits::BACKUP_DEADLINES_MAX;
use sortie_rules::names::check_name;
use sortie_store::backup_deadlines::{self, DeadlineRow, Judged};
use sortie_wire::backups::{BackupDeadline, PutBackupDeadline};
use sortie_wire::problem::ProblemCode;

use super::list::shown;
use super::zone::zone;
use crate::app::Shared;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse, refuse_at};
use crate::jobs::selector;
use crate::people::Principal;

/// Expects backups by then, in place of what was said under this name.
pub(super) async fn put(
    app: &Shared,
    who: Principal,
    name: String,
    request: PutBackupDeadline,
) -> Result<BackupDeadline, Fault> {
    let invalid = |at: &str, why: &str| refuse_at(ProblemCode::FieldInvalid, at, format!("{why}."));
    check_name("backup deadline", &name).map_err(|error| invalid("/name", &error.to_string()))?;
    let PutBackupDeadline { selector: mut asked, target, by, time_zone, days, grace_s } = request;
    let written = WrittenDeadline { target, by, time_zone, days, grace_s };
    let deadline = Deadline::try_from(written)
        .map_err(|bad| refuse_at(ProblemCode::FieldInvalid, format!("/{}", bad.field), format!("Deadline: {bad}.")))?;
    let zone = zone(&deadline.time_zone).map_err(|why| invalid("/time_zone", &format!("Deadline: {why}")))?;
    selector(&asked)?;
    for named in &mut asked.names {
        // Of a box whose name was mistyped nobody would miss the backup.
        let known = app.nodes.find_named(&app.store, who.org, named).await?;
        named.clone_from(&known.name);
    }
    let (org, now) = (who.org, app.clock.now());
    let next = deadline.next(&zone, now).ok_or_else(|| invalid("/by", "There is no such time any more"))?;
    let broken = |error: serde_json::Error| Fault::Broken(error.to_string());
    let row = DeadlineRow {
        org,
        name,
        target: deadline.target.clone(),
        deadline: serde_json::to_string(&deadline).map_err(broken)?,
        selector: serde_json::to_string(&asked).map_err(broken)?,
        changed_by: who.name.to_string(),
        changed_at: now,
        judged: Judged { judge_at: next.due_at + deadline.grace, judging: None },
        turn: 0,
    };
    let written = app.store.write(move |tx| {
        Box::pin(async move {
            let before = backup_deadlines::get(tx, org, &row.name).await?;
            let is_same = |before: &DeadlineRow| (&before.deadline, &before.selector) == (&row.deadline, &row.selector);
            if let Some(same) = before.filter(is_same) {
                // Choosing what holds already is no change, and nothing is judged anew.
                audit::record(tx, Act::by(&who, now)?.on("backup_deadline", &row.name).changes(json!({}))).await?;
                return Ok(same);
            }
            let all = backup_deadlines::list(tx, org).await?;
            if all.len() >= BACKUP_DEADLINES_MAX && !all.iter().any(|one| one.name == row.name) {
                let detail = format!("An org has at most {BACKUP_DEADLINES_MAX} backup deadlines; remove one first.");
                return Err(refuse(ProblemCode::FieldInvalid, detail));
            }
            backup_deadlines::put(tx, &row).await?;
            tell(tx, &who, &row, false, now).await?;
            Ok(row)
        })
    });
    shown(written.await?)
}

/// Expects them no more. Returns what was expected.
pub(super) async fn remove(app: &Shared, who: Principal, name: String) -> Result<BackupDeadline, Fault> {
    let (org, now) = (who.org, app.clock.now());
    let written = app.store.write(move |tx| {
        Box::pin(async move {
            let row = backup_deadlines::get(tx, org, &name).await?.ok_or_else(|| unknown(&name))?;
            backup_deadlines::delete(tx, org, &name).await?;
            tell(tx, &who, &row, true, now).await?;
            Ok::<_, Fault>(row)
        })
    });
    shown(written.await?)
}

fn unknown(name: &str) -> Fault {
    let given: String = name.chars().take(80).collect();
    let detail = format!("Your org has no backup deadline `{given}`; `sortie deadline list` shows them.");
    refuse(ProblemCode::UnknownBackupDeadline, detail)
}

async fn tell(
    tx: &mut sortie_store::Tx,
    who: &Principal,
    row: &DeadlineRow,
    removed: bool,
    now: sortie_rules::time::Millis,
) -> Result<(), Fault> {
    let data = json!({ "deadline": row.name, "target": row.target, "removed": removed });
    events::record(tx, Record::new(row.org, now, "backup_deadline.changed", &who.name).data(&data)).await?;
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap_or_default();
    let changes = json!({ "removed": removed, "deadline": read(&row.deadline), "selector": read(&row.selector) });
    audit::record(tx, Act::by(who, now)?.on("backup_deadline", &row.name).changes(changes)).await?;
    Ok(())
}
