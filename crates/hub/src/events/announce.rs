//! Tells those who wait for events that there are more, the outbox, the alarms and whoever is told of
//! them. One look serves all of them, and
//! where nobody waits nobody looks.

use sortie_store::events;

use crate::app::App;
use crate::fault::Fault;
use crate::outbox::Outbox;

/// Looks for the newest event, if anybody waits for it: people, the outbox, or, at the leader, alarms.
pub(crate) async fn announce(app: &App) -> Result<u64, Fault> {
    if app.waiting.news.receiver_count() == 0 && app.outbox.is_none() && !app.leader.leads(app) {
        return Ok(0);
    }
    let newest = app.store.read(|tx| Box::pin(async move { events::last_number(tx).await })).await?;
    let is_news = app.waiting.news.send_if_modified(|known| {
        let is_news = *known != newest;
        *known = newest;
        is_news
    });
    if is_news {
        app.outbox.iter().for_each(Outbox::ring);
        app.alarms.ring();
        app.notifications.ring();
    }
    Ok(is_news.into())
}
