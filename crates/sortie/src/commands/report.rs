//! `sortie report`: what nodes tell of themselves.

use clap::{Args, Subcommand};
use sortie_client::people::Hub;
use sortie_rules::limits::PAGE_MAX;
use sortie_wire::reports::{Report, ReportQuery};

use super::pages::{Pages, tell_rest};
use crate::context::Context;
use crate::exit::{Done, Failure};
use crate::find_hub::HubOptions;
use crate::output::{Table, ago, moment};

/// What `sortie report` takes.
#[derive(Debug, Args)]
pub(crate) struct ReportCommand {
    #[command(flatten)]
    hub: HubOptions,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List a node's reports: the newest of each kind, or all of one kind
    List(List),
    /// Print the facts of a node's newest report of a kind, as JSON
    Show(Show),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie report list box-7\n  sortie report list box-7 --kind backup --all")]
struct List {
    /// The node
    #[arg(value_name = "NAME|ID")]
    node: String,
    /// Only of this kind, newest first
    #[arg(long)]
    kind: Option<String>,
    /// Only of this subject
    #[arg(long, requires = "kind")]
    subject: Option<String>,
    #[command(flatten)]
    pages: Pages,
}

#[derive(Debug, Args)]
#[command(after_help = "Example: sortie report show box-7 facts | jq .memory")]
struct Show {
    /// The node
    #[arg(value_name = "NAME|ID")]
    node: String,
    /// The kind, as `sortie report list` shows it
    kind: String,
    /// The subject, where there are several
    #[arg(long)]
    subject: Option<String>,
}

/// Does it.
pub(crate) async fn run(command: ReportCommand, context: &Context) -> Done {
    let hub = context.hub(&command.hub)?;
    match command.verb {
        Verb::List(list) => run_list(list, &hub, context).await,
        Verb::Show(show) => run_show(show, &hub, context).await,
    }
}

async fn run_list(list: List, hub: &Hub, context: &Context) -> Done {
    let page = list
        .pages
        .read(|after, limit| {
            let after = after.and_then(|after| after.parse().ok());
            let (kind, subject) = (list.kind.clone(), list.subject.clone());
            let query = ReportQuery { kind, subject, after, limit, facts: false };
            let (hub, node) = (hub.clone(), list.node.clone());
            async move { hub.reports(&node, &query).await }
        })
        .await?;
    let (output, now) = (context.output, context.clock.now());
    output.either(&page, |page| {
        tell_rest(page, "The node has reported nothing of this so far.", output);
        if page.items.is_empty() {
            return Ok(());
        }
        let mut table = Table::new(["kind", "subject", "taken", "received", "source"]);
        for report in &page.items {
            table.row([
                report.kind.clone(),
                report.subject.clone().unwrap_or_default(),
                ago(now, report.taken_at),
                ago(now, report.received_at),
                report.source.clone(),
            ]);
        }
        output.table(&table)
    })
}

/// The subject of the reports of a kind, if that is one; nothing if they are about none.
async fn only_subject(show: &Show, hub: &Hub) -> Result<Option<String>, Failure> {
    let query = ReportQuery { kind: None, subject: None, after: None, limit: Some(PAGE_MAX), facts: false };
    let newest = hub.reports(&show.node, &query).await?.items;
    let of_kind = newest.into_iter().filter(|report| report.kind == show.kind);
    // One about nothing is what is asked for by the kind alone.
    let Some(subjects) = of_kind.map(|report| report.subject).collect::<Option<Vec<String>>>() else { return Ok(None) };
    match subjects.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(only.clone())),
        many => {
            let what = format!("`{}` has reports of the kind `{}` about {}", show.node, show.kind, many.join(", "));
            Err(Failure::usage(what).remedy("name one of them with --subject"))
        }
    }
}

async fn run_show(show: Show, hub: &Hub, context: &Context) -> Done {
    let subject = match &show.subject {
        Some(subject) => Some(subject.clone()),
        None => only_subject(&show, hub).await?,
    };
    let query = ReportQuery { kind: Some(show.kind.clone()), subject, after: None, limit: Some(1), facts: true };
    let page = hub.reports(&show.node, &query).await?;
    let Some(report) = page.items.into_iter().next() else {
        return Err(Failure::other(format!("`{}` has sent no report of the kind `{}`", show.node, show.kind))
            .remedy(format!("`sortie report list {}` shows what there is", show.node)));
    };
    let (output, now) = (context.output, context.clock.now());
    output.either(&report, |report: &Report| {
        let source = &report.source;
        output.say(&format!(
            "Taken {} by `{source}`, received {}.",
            moment(now, report.taken_at),
            ago(now, report.received_at)
        ));
        let facts: serde_json::Value = report
            .facts
            .as_ref()
            .and_then(|facts| serde_json::from_str(facts.get()).ok())
            .unwrap_or(serde_json::Value::Null);
        output.value(&facts)
    })
}
