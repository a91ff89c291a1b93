//! What stands in somebody's own console, and that they have read it.

use sortie_rules::ids::DispatchId;
use sortie_store::dispatches::{self, DispatchRow};
use sortie_wire::notifications::{MyNotification, MyNotificationQuery, Unread};
use sortie_wire::pages::Page;
use sortie_wire::problem::ProblemCode;

use crate::app::App;
use crate::fault::{Fault, refuse};
use crate::http::{page, page_size};
use crate::people::Principal;

/// A page of it, newest first.
pub(super) async fn list(
    app: &App,
    who: &Principal,
    query: MyNotificationQuery,
) -> Result<Page<MyNotification>, Fault> {
    let (org, person, size) = (who.org, who.subject.clone(), page_size(query.limit)?);
    let (unread, after) = (query.unread.unwrap_or(false), query.after);
    let rows = app.store.read(move |tx| {
        Box::pin(async move { dispatches::of_person(tx, (org, &person), unread, after, size + 1).await })
    });
    Ok(page(rows.await?, size, |row| row.id.to_string(), show))
}

/// All of it up to this one is read.
pub(super) async fn read_until(app: &App, who: &Principal, until: DispatchId) -> Result<Unread, Fault> {
    let (org, person, now) = (who.org, who.subject.clone(), app.clock.now());
    app.store
        .write(move |tx| {
            Box::pin(async move {
                dispatches::read_until(tx, org, &person, until, now).await?;
                Ok(Unread { unread: dispatches::unread(tx, org, &person).await? })
            })
        })
        .await
}

/// This one is read.
pub(super) async fn read_one(app: &App, who: &Principal, id: DispatchId) -> Result<Unread, Fault> {
    let (org, person, now) = (who.org, who.subject.clone(), app.clock.now());
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let row = dispatches::get(tx, id).await?.filter(|row| row.org == org && is_of(row, &person));
                if row.is_none() {
                    let detail = "You have no such notification; GET /api/v1/me/notifications lists them.";
                    return Err(refuse(ProblemCode::UnknownNotification, detail));
                }
                dispatches::read_one(tx, org, &person, id, now).await?;
                Ok(Unread { unread: dispatches::unread(tx, org, &person).await? })
            })
        })
        .await
}

fn is_of(row: &DispatchRow, person: &str) -> bool {
    row.console.as_ref().is_some_and(|console| console.person == person)
}

/// One as its person sees it.
pub(super) fn show(row: DispatchRow) -> MyNotification {
    let console = row.console;
    MyNotification {
        id: row.id,
        count: row.count,
        created_at: row.created_at,
        read_at: console.as_ref().and_then(|console| console.read_at),
        title: console.as_ref().map(|console| console.title.clone()).unwrap_or_default(),
        text: console.map(|console| console.text).unwrap_or_default(),
    }
}
