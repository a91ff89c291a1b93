//! `sortie alarm list`.

use clap::{Args, ValueEnum};
use sortie_client::people::Hub;
use sortie_rules::alarms::Severity;
use sortie_wire::alarms::{Alarm, AlarmQuery, AlarmState};

use crate::commands::pages::Pages;
use crate::context::Context;
use crate::exit::Done;
use crate::output::{Table, ago, moment};

/// Which alarms are wanted.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie alarm list\n  sortie alarm list --node box-7 --all\n  \
                        sortie alarm list --severity critical\n\nWithout --state, --all shows those that are \
                        over, too.")]
pub(super) struct List {
    /// Only those that stand so; the open ones, unless --all says otherwise
    #[arg(long, value_enum)]
    state: Option<StateWord>,
    /// Only those about this node
    #[arg(long, value_name = "NAME|ID")]
    node: Option<String>,
    /// Only those of this rule
    #[arg(long)]
    rule: Option<String>,
    /// Only those of this severity
    #[arg(long, value_enum)]
    severity: Option<SeverityWord>,
    #[command(flatten)]
    pages: Pages,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum StateWord {
    Pending,
    Open,
    Resolved,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SeverityWord {
    Info,
    Warning,
    Critical,
}

impl List {
    fn query(&self) -> AlarmQuery {
        let said = self.state.map(|word| match word {
            StateWord::Pending => AlarmState::Pending,
            StateWord::Open => AlarmState::Open,
            StateWord::Resolved => AlarmState::Resolved,
        });
        let usual = (!self.pages.wants_all()).then_some(AlarmState::Open);
        let severity = self.severity.map(|word| match word {
            SeverityWord::Info => Severity::Info,
            SeverityWord::Warning => Severity::Warning,
            SeverityWord::Critical => Severity::Critical,
        });
        let (node, rule) = (self.node.clone(), self.rule.clone());
        AlarmQuery { state: said.or(usual), severity, node, rule, after: None, limit: None }
    }

    /// What to say when there are none.
    fn none(&self) -> &'static str {
        let List { state, node, rule, severity, pages } = self;
        let is_narrowed = state.is_some() || node.is_some() || rule.is_some() || severity.is_some();
        match (is_narrowed, pages.wants_all()) {
            (true, _) => "There is no such alarm.",
            (false, true) => "There is no alarm, and there was none.",
            (false, false) => "No alarm is open; --all shows those that are over, too.",
        }
    }
}

/// Lists them.
pub(super) async fn run(list: List, hub: &Hub, context: &Context) -> Done {
    let query = list.query();
    let page = list
        .pages
        .read(|after, limit| {
            let after = after.and_then(|after| after.parse().ok());
            let (hub, query) = (hub.clone(), AlarmQuery { after, limit, ..query.clone() });
            async move { hub.alarms(&query).await }
        })
        .await?;
    let (output, now) = (context.output, context.clock.now());
    output.either(&page, |page| {
        if page.items.is_empty() {
            output.say(list.none());
            return Ok(());
        }
        if page.next.is_some() {
            let rows = page.items.len();
            output.say(&format!(
                "These are {rows} rows; there are more: `--state open --all` shows all that is wrong, `--all` also \
                 what is over."
            ));
        }
        let mut table = Table::new([
            "id",
            "severity",
            "state",
            "rule",
            "node",
            "subject",
            "began",
            "seen",
            "held until",
            "summary",
        ]);
        for alarm in &page.items {
            table.row([
                alarm.id.to_string(),
                alarm.severity.as_str().to_owned(),
                alarm.state.as_str().to_owned(),
                alarm.rule.clone(),
                node_of(alarm),
                alarm.subject.clone().unwrap_or_default(),
                ago(now, alarm.began_at),
                alarm.seen.to_string(),
                alarm.maintenance_until.map(|until| moment(now, until)).unwrap_or_default(),
                alarm.summary.clone(),
            ]);
        }
        output.table(&table)
    })
}

/// The node that an alarm is about, as people call it.
pub(super) fn node_of(alarm: &Alarm) -> String {
    alarm.node_name.clone().or_else(|| alarm.node.map(|node| node.to_string())).unwrap_or_default()
}
