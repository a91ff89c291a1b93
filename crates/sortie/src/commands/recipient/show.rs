//! `sortie recipient list` and `sortie recipient show`.

use sortie_client::people::Hub;
use sortie_wire::notifications::RecipientInUse;

use crate::commands::pages::{Pages, tell_rest};
use crate::context::Context;
use crate::exit::Done;
use crate::output::{Table, ago, moment};

/// Lists them.
pub(super) async fn list(pages: Pages, hub: &Hub, context: &Context) -> Done {
    let page = pages
        .read(|after, limit| {
            let hub = hub.clone();
            async move { hub.recipients(after, limit).await }
        })
        .await?;
    let (output, now) = (context.output, context.clock.now());
    output.either(&page, |page| {
        tell_rest(page, "There are no recipients, so nobody is told. `sortie recipient set FILE` makes one.", output);
        if page.items.is_empty() {
            return Ok(());
        }
        let mut table = Table::new(["name", "audience", "told by", "state", "changed", "by"]);
        for one in &page.items {
            let (changed, by) = (ago(now, one.changed_at), one.changed_by.clone());
            table.row([one.name.clone(), field(one, "audience"), ways(one), state(one).to_owned(), changed, by]);
        }
        output.table(&table)
    })
}

/// Shows one.
pub(super) async fn one(name: &str, hub: &Hub, context: &Context) -> Done {
    let recipient = hub.recipient(name).await?;
    let (output, now) = (context.output, context.clock.now());
    output.either(&recipient, |one: &RecipientInUse| {
        let mut table = Table::new(["what", "is"]);
        for (what, is) in one.recipient.as_object().into_iter().flatten() {
            let is = is.as_str().map_or_else(|| is.to_string(), str::to_owned);
            table.row([what.clone(), is]);
        }
        table.row(["state".to_owned(), state(one).to_owned()]);
        if let Some(at) = one.webhook_gone_at {
            table.row(["webhook gone".to_owned(), moment(now, at)]);
        }
        table.row(["changed".to_owned(), format!("{} by {}", moment(now, one.changed_at), one.changed_by)]);
        output.table(&table)
    })
}

fn field(one: &RecipientInUse, name: &str) -> String {
    one.recipient[name].as_str().unwrap_or_default().to_owned()
}

/// By which ways it could be told.
fn ways(one: &RecipientInUse) -> String {
    let ways = [("mail", "mail"), ("webhook", "webhook"), ("person", "console")];
    let has: Vec<&str> =
        ways.into_iter().filter(|(has, _)| !one.recipient[*has].is_null()).map(|(_, way)| way).collect();
    has.join(", ")
}

fn state(one: &RecipientInUse) -> &'static str {
    match (one.recipient["is_off"].as_bool(), one.webhook_gone_at) {
        (Some(true), _) => "off",
        (_, Some(_)) => "webhook gone",
        (_, None) => "on",
    }
}
