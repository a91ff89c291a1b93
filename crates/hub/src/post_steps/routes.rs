//! `/api/v1/tasks/{id}/post-steps/{name}/retry`.

use axum::Json;
use axum::extract::State;
use sortie_rules::access::{Need, Permission};
use sortie_rules::audit::Action;
use sortie_rules::ids::TaskId;
use sortie_wire::tasks::PostStep;
use utoipa_axum::routes;

use super::again;
use crate::app::Shared;
use crate::fault::Fault;
use crate::http::{Audience, PathOf, Routes};
use crate::people::Principal;

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    routes.does(Audience::People, Need::May(Permission::TasksWrite), Action::PostStepRetry, routes!(retry_post_step))
}

/// Begins anew with a post-step that was given up, for every item of it.
#[utoipa::path(post, path = "/api/v1/tasks/{id}/post-steps/{name}/retry", tag = "tasks",
    params(("id" = TaskId, Path), ("name" = String, Path)), responses((status = 200, body = Vec<PostStep>)))]
async fn retry_post_step(
    State(app): State<Shared>,
    who: Principal,
    PathOf((id, name)): PathOf<(TaskId, String)>,
) -> Result<Json<Vec<PostStep>>, Fault> {
    Ok(Json(again::again(&app, &who, id, name).await?))
}
