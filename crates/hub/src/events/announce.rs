//! Tells those who wait for events that there are more, and the outbox. One look serves all of them, and
//! where nobody waits nobody looks.

use sortie_store::events;

use crate::app::App;
use crate::fault::Fault;

/// Looks for the newest event, if anybody waits for it.
pub(crate) async fn announce(app: &App) -> Result<u64, Fault> {
    if app.waiting.news.receiver_count() == 0 && app.outbox.is_none() {
        return Ok(0);
    }
    let newest = app.store.read(|tx| Box::pin(async move { events::last_number(tx).await })).await?;
    let is_news = app.waiting.news.send_if_modified(|known| {
        let is_news = *known != newest;
        *known = newest;
        is_news
    });
    if let Some(outbox) = app.outbox.as_ref().filter(|_| is_news) {
        outbox.ring();
    }
    Ok(is_news.into())
}
