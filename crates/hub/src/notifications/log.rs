//! Shows what was told to whom, what was held back and why.

use sortie_store::notifications::{self, NotificationFilter, NotificationRow, NotificationState};
use sortie_wire::notifications::{Notification, NotificationQuery, NotificationState as Shown};
use sortie_wire::pages::Page;

use crate::app::App;
use crate::fault::Fault;
use crate::http::{page, page_size};
use crate::people::Principal;

/// A page of notifications, newest first.
pub(super) async fn list(app: &App, who: &Principal, query: NotificationQuery) -> Result<Page<Notification>, Fault> {
    let (org, size, after) = (who.org, page_size(query.limit)?, query.after);
    let filter = NotificationFilter {
        state: query.state.map(Shown::as_str),
        recipient: query.recipient,
        channel: query.channel,
        alarm: query.alarm,
    };
    let rows = app
        .store
        .read(move |tx| Box::pin(async move { notifications::list(tx, org, &filter, after, size + 1).await }))
        .await?;
    Ok(page(rows, size, |row| row.id.to_string(), show))
}

fn show(row: NotificationRow) -> Notification {
    let (state, due_at, dispatch, ended_at) = match row.state {
        NotificationState::Waiting { dispatch, .. } => (Shown::Waiting, None, dispatch, None),
        NotificationState::HeldBack { due_at } => (Shown::HeldBack, due_at, None, None),
        NotificationState::Over { how, dispatch, ended_at } => {
            let state = match how.as_str() {
                "sent" => Shown::Sent,
                "failed" => Shown::Failed,
                _ => Shown::GivenUp,
            };
            (state, None, Some(dispatch), Some(ended_at))
        }
    };
    let tells = row.tells;
    Notification {
        id: row.id,
        alarm: tells.alarm,
        alarm_rule: tells.alarm_rule,
        severity: tells.severity,
        opened: tells.opened,
        node: tells.node,
        node_name: tells.node_name,
        subject: (!tells.subject.is_empty()).then_some(tells.subject),
        summary: tells.summary,
        at: tells.at,
        recipient: row.recipient,
        channel: row.channel,
        rule: row.rule,
        state,
        why: row.why,
        due_at,
        dispatch,
        created_at: row.created_at,
        ended_at,
    }
}
