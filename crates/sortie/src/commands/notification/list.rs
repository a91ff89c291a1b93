//! `sortie notification list`.

use clap::{Args, ValueEnum};
use sortie_client::people::Hub;
use sortie_rules::ids::AlarmId;
use sortie_wire::notifications::{Notification, NotificationQuery, NotificationState};

use crate::commands::pages::{Pages, tell_rest};
use crate::commands::recipient::ChannelWord;
use crate::context::Context;
use crate::exit::Done;
use crate::output::{Table, ago, moment};

/// Which notifications are wanted.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie notification list\n  sortie notification list --held\n  \
                        sortie notification list --recipient on-call --state failed")]
pub(super) struct List {
    /// Only those that stand so
    #[arg(long, value_enum)]
    state: Option<StateWord>,
    /// Only those that are held back, with the reason
    #[arg(long, conflicts_with = "state")]
    held: bool,
    /// Only those for this recipient
    #[arg(long, value_name = "NAME")]
    recipient: Option<String>,
    /// Only those by this way
    #[arg(long, value_enum)]
    channel: Option<ChannelWord>,
    /// Only those of this alarm
    #[arg(long, value_name = "ID")]
    alarm: Option<AlarmId>,
    #[command(flatten)]
    pages: Pages,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum StateWord {
    Waiting,
    HeldBack,
    Sent,
    Failed,
    GivenUp,
}

impl List {
    fn query(&self) -> NotificationQuery {
        let said = self.state.map(|word| match word {
            StateWord::Waiting => NotificationState::Waiting,
            StateWord::HeldBack => NotificationState::HeldBack,
            StateWord::Sent => NotificationState::Sent,
            StateWord::Failed => NotificationState::Failed,
            StateWord::GivenUp => NotificationState::GivenUp,
        });
        NotificationQuery {
            state: said.or(self.held.then_some(NotificationState::HeldBack)),
            recipient: self.recipient.clone(),
            channel: self.channel.map(ChannelWord::channel),
            alarm: self.alarm,
            after: None,
            limit: None,
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
            let (hub, query) = (hub.clone(), NotificationQuery { after, limit, ..query.clone() });
            async move { hub.notifications(&query).await }
        })
        .await?;
    let (output, now) = (context.output, context.clock.now());
    output.either(&page, |page| {
        tell_rest(page, "There is no such notification.", output);
        if page.items.is_empty() {
            return Ok(());
        }
        let mut table = Table::new(["made", "recipient", "by", "state", "why", "alarm", "is", "node", "subject"]);
        for one in &page.items {
            let why = match (&one.why, one.due_at) {
                (Some(why), Some(due_at)) => format!("{why}, until {}", moment(now, due_at)),
                (why, _) => why.clone().unwrap_or_default(),
            };
            table.row([
                ago(now, one.created_at),
                one.recipient.clone(),
                one.channel.as_str().to_owned(),
                one.state.as_str().to_owned(),
                why,
                one.alarm_rule.clone(),
                if one.opened { one.severity.as_str() } else { "over" }.to_owned(),
                node_of(one),
                one.subject.clone().unwrap_or_default(),
            ]);
        }
        output.table(&table)
    })
}

fn node_of(one: &Notification) -> String {
    one.node_name.clone().or_else(|| one.node.map(|node| node.to_string())).unwrap_or_default()
}
