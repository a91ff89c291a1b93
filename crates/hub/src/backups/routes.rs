//! `/api/v1/backup-deadlines`.

use axum::Json;
use axum::extract::State;
use sortie_rules::access::{Need, Permission};
use sortie_rules::audit::Action;
use sortie_wire::backups::{BackupDeadline, PutBackupDeadline};
use sortie_wire::pages::Page;
use utoipa_axum::routes;

use super::{change, list};
use crate::app::Shared;
use crate::fault::Fault;
use crate::http::{Audience, Body, PathOf, Routes};
use crate::people::Principal;

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    let (read, write) = (Need::May(Permission::SettingsRead), Need::May(Permission::SettingsWrite));
    routes
        .add(Audience::People, read, routes!(list_backup_deadlines))
        .does(Audience::People, write, Action::BackupDeadlineChange, routes!(put_backup_deadline))
        .does(Audience::People, write, Action::BackupDeadlineChange, routes!(remove_backup_deadline))
}

/// Lists by when backups are expected in the caller's org.
#[utoipa::path(get, path = "/api/v1/backup-deadlines", tag = "alarms",
    responses((status = 200, body = Page<BackupDeadline>)))]
async fn list_backup_deadlines(State(app): State<Shared>, who: Principal) -> Result<Json<Page<BackupDeadline>>, Fault> {
    Ok(Json(list::list(&app, &who).await?))
}

/// Says by when the backups of a target are expected, in place of what was said under this name. It is judged from its
/// next time on.
#[utoipa::path(put, path = "/api/v1/backup-deadlines/{name}", tag = "alarms", request_body = PutBackupDeadline,
    params(("name" = String, Path, description = "Its name")), responses((status = 200, body = BackupDeadline)))]
async fn put_backup_deadline(
    State(app): State<Shared>,
    who: Principal,
    PathOf(name): PathOf<String>,
    body: Body<PutBackupDeadline>,
) -> Result<Json<BackupDeadline>, Fault> {
    Ok(Json(change::put(&app, who, name, body.value).await?))
}

/// Expects these backups no more.
#[utoipa::path(delete, path = "/api/v1/backup-deadlines/{name}", tag = "alarms",
    params(("name" = String, Path, description = "Its name")), responses((status = 200, body = BackupDeadline)))]
async fn remove_backup_deadline(
    State(app): State<Shared>,
    who: Principal,
    PathOf(name): PathOf<String>,
) -> Result<Json<BackupDeadline>, Fault> {
    Ok(Json(change::remove(&app, who, name).await?))
}
