//! Shows by when backups are expected.

use sortie_rules::backups::WrittenDeadline;
use sortie_store::backup_deadlines::{self, DeadlineRow};
use sortie_wire::backups::{BackupDeadline, PutBackupDeadline};
use sortie_wire::pages::Page;

use crate::app::App;
use crate::fault::Fault;
use crate::people::Principal;

/// Every deadline, by name. All of them fit into one page.
pub(super) async fn list(app: &App, who: &Principal) -> Result<Page<BackupDeadline>, Fault> {
    let org = who.org;
    let rows = app.store.read(move |tx| Box::pin(async move { backup_deadlines::list(tx, org).await })).await?;
    let items = rows.into_iter().map(shown).collect::<Result<_, _>>()?;
    Ok(Page { items, next: None })
}

/// As people read it.
pub(super) fn shown(row: DeadlineRow) -> Result<BackupDeadline, Fault> {
    let broken = |error: serde_json::Error| Fault::Broken(format!("the backup deadline `{}`: {error}", row.name));
    let WrittenDeadline { target, by, time_zone, days, grace_s } =
        serde_json::from_str(&row.deadline).map_err(broken)?;
    let selector = serde_json::from_str(&row.selector).map_err(broken)?;
    Ok(BackupDeadline {
        deadline: PutBackupDeadline { selector, target, by, time_zone, days, grace_s },
        name: row.name,
        judged_at: row.judged.judge_at,
        changed_by: row.changed_by,
        changed_at: row.changed_at,
    })
}
