//! `sortie audit list`.

use clap::{Args, ValueEnum};
use serde_json::Value;
use sortie_rules::limits::{PAGE_DEFAULT, PAGE_MAX};
use sortie_rules::time::Millis;
use sortie_wire::audit::{AuditLink, AuditObject, AuditOutcome, AuditQuery};
use sortie_wire::pages::Page;

use crate::context::Context;
use crate::exit::Done;
use crate::find_hub::HubOptions;
use crate::output::{Table, ago, utc};
use crate::values::When;

/// What it takes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie audit list --action token --since -7d\n  \
                        sortie audit list --actor anna --outcome refused --all --json")]
pub(crate) struct List {
    #[command(flatten)]
    hub: HubOptions,
    /// Only what this one did, by name or key
    #[arg(long, value_name = "NAME|KEY")]
    actor: Option<String>,
    /// Only this action, or those that begin with it and a dot: `token`, `token.revoke`
    #[arg(long, value_name = "WORD")]
    action: Option<String>,
    /// Only what was done to this, by id or name
    #[arg(long, value_name = "ID|NAME")]
    object: Option<String>,
    /// Only what was done, or what was refused
    #[arg(long, value_enum)]
    outcome: Option<Outcome>,
    /// Only from then on: 2026-03-01T09:00:00Z, or so long ago, -7d
    #[arg(long, value_name = "INSTANT", allow_hyphen_values = true)]
    since: Option<When>,
    /// Only before then
    #[arg(long, value_name = "INSTANT", allow_hyphen_values = true)]
    until: Option<When>,
    /// Show at most so many entries
    #[arg(long, value_name = "ROWS", default_value_t = PAGE_DEFAULT,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(PAGE_MAX)))]
    limit: u32,
    /// Show every entry, however many there are
    #[arg(long, conflicts_with = "limit")]
    all: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Outcome {
    Done,
    Refused,
}

/// Does it.
pub(super) async fn run(list: List, context: &Context) -> Done {
    let (hub, output, now) = (context.hub(&list.hub)?, context.output, context.clock.now());
    let wanted = if list.all { usize::MAX } else { list.limit as usize };
    let mut query = AuditQuery {
        after: None,
        actor: list.actor,
        action: list.action,
        object: list.object,
        outcome: list.outcome.map(|outcome| match outcome {
            Outcome::Done => AuditOutcome::Done,
            Outcome::Refused => AuditOutcome::Refused,
        }),
        since: list.since.map(|when| when.resolve(now)),
        until: list.until.map(|when| when.resolve(now)),
        limit: None,
    };
    let mut page: Page<AuditLink> = Page { items: Vec::new(), next: None };
    loop {
        query.limit = Some(PAGE_MAX.min(u32::try_from(wanted - page.items.len()).unwrap_or(PAGE_MAX)));
        let more = hub.audit(&query).await?;
        page.items.extend(more.items);
        page.next = more.next;
        // A page without entries may have looked through much and found nothing.
        query.after = page.next.as_deref().and_then(|next| next.parse().ok());
        if query.after.is_none() || page.items.len() >= wanted {
            break;
        }
    }
    output.either(&page, |page| {
        if page.items.is_empty() {
            output.say("Nobody did anything of this kind.");
            return Ok(());
        }
        let mut table = Table::new(["number", "when", "who", "by", "from", "action", "to", "more"]);
        for link in &page.items {
            let entry = &link.entry;
            table.row([
                link.number.to_string(),
                ago(now, entry.at),
                entry.actor.name.clone(),
                entry.actor.by.clone(),
                entry.address.map(|address| address.to_string()).unwrap_or_default(),
                entry.action.clone(),
                entry.object.as_ref().map(object).unwrap_or_default(),
                more(link),
            ]);
        }
        output.table(&table)?;
        if page.next.is_some() {
            output.say(&format!("These are {} entries; there may be more: --all shows every one.", page.items.len()));
        }
        Ok(())
    })
}

/// What something was done to, so that it can be found: an operation's name is only its type.
fn object(to: &AuditObject) -> String {
    match (to.kind.as_str(), &to.name) {
        ("operation", Some(name)) => format!("{} ({name})", to.id),
        ("keys", None) => format!("key set {}", to.id),
        (_, Some(name)) => name.clone(),
        (_, None) => to.id.clone(),
    }
}

/// What else belongs to an entry, on one line.
fn more(link: &AuditLink) -> String {
    let refused = link.entry.refused.as_ref().map(|refused| format!("refused: {}", refused.code));
    // An instant stands in the log as a number, under a name that says so.
    let said = |name: &str, value: &Value| match value.as_i64().filter(|_| name.ends_with("_at")) {
        Some(at) => utc(Millis(at)),
        None => value.as_str().map_or_else(|| value.to_string(), str::to_owned),
    };
    let changes = link.entry.changes.as_ref().and_then(Value::as_object).into_iter().flatten();
    let changes = changes.map(|(name, value)| format!("{name} {}", said(name, value)));
    refused.into_iter().chain(changes).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_something_was_done_to_can_be_found_again() {
        let to = |kind: &str, id: &str, name: Option<&str>| {
            object(&AuditObject { id: id.into(), kind: kind.into(), name: name.map(str::to_owned) })
        };
        assert_eq!(to("node", "1", Some("box")), "box");
        assert_eq!(to("operation", "1", Some("service.restart")), "1 (service.restart)");
        assert_eq!((to("keys", "8", None), to("task", "1", None)), ("key set 8".to_owned(), "1".to_owned()));
    }
}
