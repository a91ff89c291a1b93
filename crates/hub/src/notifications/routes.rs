//! `/api/v1/recipients`, `/api/v1/notification-rules`, `/api/v1/notifications`, `/api/v1/me/notifications` and
//! `/ws/notifications`.

use axum::Json;
use axum::extract::State;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::response::Response;
use sortie_rules::access::{Need, Permission};
use sortie_rules::audit::Action;
use sortie_rules::ids::DispatchId;
use sortie_wire::notifications::{
    MyNotification, MyNotificationQuery, Notification, NotificationQuery, NotificationRuleInUse, PutNotificationRule,
    PutRecipient, ReadUntil, RecipientInUse, TestOutcome, TestRecipient, Unread,
};
use sortie_wire::pages::Page;
use sortie_wire::problem::ProblemCode;
use utoipa_axum::routes;

use super::{change, console, list, log, rules, socket, test};
use crate::app::Shared;
use crate::fault::{Fault, refuse};
use crate::http::{Audience, Body, PageQuery, PathOf, QueryOf, Routes, page_size};
use crate::people::Principal;

/// Bytes of the longest message that somebody may say over a socket: nothing is expected.
const HEARD_BYTES_MAX: usize = 1024;

/// Adds the routes of this room.
pub(crate) fn add(routes: Routes) -> Routes {
    let (read, write) = (Need::May(Permission::SettingsRead), Need::May(Permission::SettingsWrite));
    let own = Need::May(Permission::SelfRead);
    routes
        .add(Audience::People, read, routes!(list_recipients))
        .add(Audience::People, read, routes!(show_recipient))
        .does(Audience::People, write, Action::RecipientChange, routes!(put_recipient))
        .does(Audience::People, write, Action::RecipientChange, routes!(remove_recipient))
        .does(Audience::People, write, Action::RecipientTest, routes!(test_recipient))
        .add(Audience::People, read, routes!(list_notification_rules))
        .does(Audience::People, write, Action::NotificationRuleChange, routes!(put_notification_rule))
        .does(Audience::People, write, Action::NotificationRuleChange, routes!(remove_notification_rule))
        .add(Audience::People, read, routes!(list_notifications))
        .add(Audience::People, own, routes!(list_my_notifications))
        .add(Audience::People, own, routes!(read_my_notifications))
        .add(Audience::People, own, routes!(read_my_notification))
        .add(Audience::People, own, routes!(my_notifications_as_they_come))
}

/// Lists recipients by name: who may be told of alarms.
#[utoipa::path(get, path = "/api/v1/recipients", tag = "notifications", params(PageQuery<String>),
    responses((status = 200, body = Page<RecipientInUse>)))]
async fn list_recipients(
    State(app): State<Shared>,
    who: Principal,
    QueryOf(query): QueryOf<PageQuery<String>>,
) -> Result<Json<Page<RecipientInUse>>, Fault> {
    let limit = page_size(query.limit)?;
    Ok(Json(list::list(&app, &who, query.after, limit).await?))
}

/// Shows one recipient.
#[utoipa::path(get, path = "/api/v1/recipients/{name}", tag = "notifications",
    params(("name" = String, Path, description = "Its name")), responses((status = 200, body = RecipientInUse)))]
async fn show_recipient(
    State(app): State<Shared>,
    who: Principal,
    PathOf(name): PathOf<String>,
) -> Result<Json<RecipientInUse>, Fault> {
    Ok(Json(list::one(&app, &who, name).await?))
}

/// Makes a recipient, or puts it in place of the one of its name. The secret of a webhook is shown this once, unless it
/// was given or is the former one.
#[utoipa::path(put, path = "/api/v1/recipients/{name}", tag = "notifications", request_body = PutRecipient,
    params(("name" = String, Path, description = "Its name")), responses((status = 200, body = RecipientInUse)))]
async fn put_recipient(
    State(app): State<Shared>,
    who: Principal,
    PathOf(name): PathOf<String>,
    body: Body<PutRecipient>,
) -> Result<Json<RecipientInUse>, Fault> {
    Ok(Json(change::put(&app, &who, name, body.value).await?))
}

/// Removes a recipient. What has not gone out to it never does.
#[utoipa::path(delete, path = "/api/v1/recipients/{name}", tag = "notifications",
    params(("name" = String, Path, description = "Its name")), responses((status = 200, body = RecipientInUse)))]
async fn remove_recipient(
    State(app): State<Shared>,
    who: Principal,
    PathOf(name): PathOf<String>,
) -> Result<Json<RecipientInUse>, Fault> {
    Ok(Json(change::remove(&app, &who, name).await?))
}

/// Sends a recipient a test, by each way that it has or by one, and answers with what came of it.
#[utoipa::path(post, path = "/api/v1/recipients/{name}/test", tag = "notifications", request_body = TestRecipient,
    params(("name" = String, Path, description = "Its name")), responses((status = 200, body = Vec<TestOutcome>)))]
async fn test_recipient(
    State(app): State<Shared>,
    who: Principal,
    PathOf(name): PathOf<String>,
    body: Body<TestRecipient>,
) -> Result<Json<Vec<TestOutcome>>, Fault> {
    Ok(Json(test::test(&app, who, name, body.value).await?))
}

/// Lists every rule by which recipients are told, and those that are switched off.
#[utoipa::path(get, path = "/api/v1/notification-rules", tag = "notifications",
    responses((status = 200, body = Page<NotificationRuleInUse>)))]
async fn list_notification_rules(
    State(app): State<Shared>,
    who: Principal,
) -> Result<Json<Page<NotificationRuleInUse>>, Fault> {
    Ok(Json(rules::list(&app, &who).await?))
}

/// Makes a rule of the caller's org, in place of one of the same name, or switches one off.
#[utoipa::path(put, path = "/api/v1/notification-rules/{name}", tag = "notifications",
    request_body = PutNotificationRule, params(("name" = String, Path, description = "Its name")),
    responses((status = 200, body = NotificationRuleInUse)))]
async fn put_notification_rule(
    State(app): State<Shared>,
    who: Principal,
    PathOf(name): PathOf<String>,
    body: Body<PutNotificationRule>,
) -> Result<Json<NotificationRuleInUse>, Fault> {
    Ok(Json(rules::put(&app, &who, name, body.value).await?))
}

/// Takes back what the caller's org says of a rule; the one that the hub has holds again.
#[utoipa::path(delete, path = "/api/v1/notification-rules/{name}", tag = "notifications",
    params(("name" = String, Path, description = "Its name")),
    responses((status = 200, body = NotificationRuleInUse)))]
async fn remove_notification_rule(
    State(app): State<Shared>,
    who: Principal,
    PathOf(name): PathOf<String>,
) -> Result<Json<NotificationRuleInUse>, Fault> {
    Ok(Json(rules::remove(&app, &who, name).await?))
}

/// Lists notifications, newest first: what was told to whom, what waits, and what was held back and why.
#[utoipa::path(get, path = "/api/v1/notifications", tag = "notifications", params(NotificationQuery),
    responses((status = 200, body = Page<Notification>)))]
async fn list_notifications(
    State(app): State<Shared>,
    who: Principal,
    QueryOf(query): QueryOf<NotificationQuery>,
) -> Result<Json<Page<Notification>>, Fault> {
    Ok(Json(log::list(&app, &who, query).await?))
}

/// Lists what stands in the caller's own console, newest first.
#[utoipa::path(get, path = "/api/v1/me/notifications", tag = "notifications", params(MyNotificationQuery),
    responses((status = 200, body = Page<MyNotification>)))]
async fn list_my_notifications(
    State(app): State<Shared>,
    who: Principal,
    QueryOf(query): QueryOf<MyNotificationQuery>,
) -> Result<Json<Page<MyNotification>>, Fault> {
    Ok(Json(console::list(&app, &who, query).await?))
}

/// Marks what stands in the caller's own console as read, up to one. Answers with how much is left.
#[utoipa::path(post, path = "/api/v1/me/notifications/read", tag = "notifications", request_body = ReadUntil,
    responses((status = 200, body = Unread)))]
async fn read_my_notifications(
    State(app): State<Shared>,
    who: Principal,
    body: Body<ReadUntil>,
) -> Result<Json<Unread>, Fault> {
    Ok(Json(console::read_until(&app, &who, body.value.until).await?))
}

/// Marks one as read. Answers with how much is left.
#[utoipa::path(post, path = "/api/v1/me/notifications/{id}/read", tag = "notifications",
    params(("id" = DispatchId, Path, description = "Its id")), responses((status = 200, body = Unread)))]
async fn read_my_notification(
    State(app): State<Shared>,
    who: Principal,
    PathOf(id): PathOf<DispatchId>,
) -> Result<Json<Unread>, Fault> {
    Ok(Json(console::read_one(&app, &who, id).await?))
}

/// A WebSocket over which the caller gets what comes into their own console, as it comes: first how much was not read,
/// then each new notification. With a session's cookie it is opened by pages of the hub's own only.
#[utoipa::path(get, path = "/ws/notifications", tag = "notifications",
    responses((status = 101, description = "A WebSocket of JSON messages")))]
async fn my_notifications_as_they_come(
    State(app): State<Shared>,
    who: Principal,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Fault> {
    let upgrade = upgrade.map_err(|why| {
        let detail = format!("This address speaks WebSocket, over HTTP/1.1 and nothing else: {why}.");
        refuse(ProblemCode::MalformedParameter, detail)
    })?;
    let seat = app.seats.take(&who)?;
    let upgrade = upgrade.max_message_size(HEARD_BYTES_MAX).max_frame_size(HEARD_BYTES_MAX);
    Ok(upgrade.on_upgrade(move |opened| socket::tell(app, who, opened, seat)))
}
