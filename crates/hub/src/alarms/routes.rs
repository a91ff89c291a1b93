//! `/api/v1/alarms` and `/api/v1/alarm-rules`.

use axum::Json;
use axum::extract::State;
use sortie_rules::access::{Need, Permission};
use sortie_rules::audit::Action;
use sortie_rules::ids::AlarmId;
use sortie_wire::alarms::{Alarm, AlarmQuery, AlarmRuleInUse, PutAlarmRule};
use sortie_wire::pages::Page;
use utoipa_axum::routes;

use super::{change, list};
use crate::app::Shared;
use crate::fault::Fault;
use crate::http::{Audience, Body, PathOf, QueryOf, Routes};
use crate::people::Principal;

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    let (read, write) = (Need::May(Permission::SettingsRead), Need::May(Permission::SettingsWrite));
    routes
        .add(Audience::People, Need::May(Permission::EventsRead), routes!(list_alarms))
        .add(Audience::People, Need::May(Permission::EventsRead), routes!(show_alarm))
        .add(Audience::People, read, routes!(list_alarm_rules))
        .does(Audience::People, write, Action::AlarmRuleChange, routes!(put_alarm_rule))
        .does(Audience::People, write, Action::AlarmRuleChange, routes!(remove_alarm_rule))
}

/// Lists alarms, newest first: what is wrong, and what was.
#[utoipa::path(get, path = "/api/v1/alarms", tag = "alarms", params(AlarmQuery),
    responses((status = 200, body = Page<Alarm>)))]
async fn list_alarms(
    State(app): State<Shared>,
    who: Principal,
    QueryOf(query): QueryOf<AlarmQuery>,
) -> Result<Json<Page<Alarm>>, Fault> {
    Ok(Json(list::list(&app, &who, query).await?))
}

/// Shows one alarm, with what began it.
#[utoipa::path(get, path = "/api/v1/alarms/{id}", tag = "alarms",
    params(("id" = AlarmId, Path, description = "Its id")), responses((status = 200, body = Alarm)))]
async fn show_alarm(
    State(app): State<Shared>,
    who: Principal,
    PathOf(id): PathOf<AlarmId>,
) -> Result<Json<Alarm>, Fault> {
    Ok(Json(list::one(&app, &who, id).await?))
}

/// Lists every rule by which alarms are judged in the caller's org, and those that are switched off.
#[utoipa::path(get, path = "/api/v1/alarm-rules", tag = "alarms",
    responses((status = 200, body = Page<AlarmRuleInUse>)))]
async fn list_alarm_rules(State(app): State<Shared>, who: Principal) -> Result<Json<Page<AlarmRuleInUse>>, Fault> {
    Ok(Json(list::rules(&app, &who).await?))
}

/// Makes a rule of the caller's org, in place of one of the same name, or switches one off. What the former rule
/// raised is over.
#[utoipa::path(put, path = "/api/v1/alarm-rules/{name}", tag = "alarms", request_body = PutAlarmRule,
    params(("name" = String, Path, description = "Its name")), responses((status = 200, body = AlarmRuleInUse)))]
async fn put_alarm_rule(
    State(app): State<Shared>,
    who: Principal,
    PathOf(name): PathOf<String>,
    body: Body<PutAlarmRule>,
) -> Result<Json<AlarmRuleInUse>, Fault> {
    Ok(Json(change::put(&app, who, name, body.value).await?))
}

/// Takes back what the caller's org says of a rule; the one that the hub or a pack has holds again.
#[utoipa::path(delete, path = "/api/v1/alarm-rules/{name}", tag = "alarms",
    params(("name" = String, Path, description = "Its name")), responses((status = 200, body = AlarmRuleInUse)))]
async fn remove_alarm_rule(
    State(app): State<Shared>,
    who: Principal,
    PathOf(name): PathOf<String>,
) -> Result<Json<AlarmRuleInUse>, Fault> {
    Ok(Json(change::remove(&app, who, name).await?))
}
