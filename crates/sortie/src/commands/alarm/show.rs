//! `sortie alarm show`.

use sortie_client::people::Hub;
use sortie_rules::ids::AlarmId;
use sortie_wire::alarms::Alarm;

use super::list::node_of;
use crate::context::Context;
use crate::exit::Done;
use crate::output::{Table, moment};

/// Shows one.
pub(super) async fn run(id: AlarmId, hub: &Hub, context: &Context) -> Done {
    let alarm = hub.alarm(id).await?;
    let (output, now) = (context.output, context.clock.now());
    output.either(&alarm, |alarm: &Alarm| {
        output.say(&alarm.summary);
        let mut table = Table::new(["what", "is"]);
        let mut row = |what: &str, is: String| table.row([what.to_owned(), is]);
        row("rule", alarm.rule.clone());
        row("severity", alarm.severity.as_str().to_owned());
        row("state", alarm.state.as_str().to_owned());
        for (what, is) in [("node", node_of(alarm)), ("subject", alarm.subject.clone().unwrap_or_default())] {
            if !is.is_empty() {
                row(what, is);
            }
        }
        row("began", moment(now, alarm.began_at));
        let times = [
            ("opened", alarm.opened_at),
            ("resolved", alarm.resolved_at),
            ("due", alarm.due_at),
            ("nobody is told until", alarm.maintenance_until),
        ];
        for (what, at) in times {
            at.into_iter().for_each(|at| row(what, moment(now, at)));
        }
        row("seen", format!("{} times, {}", alarm.seen, moment(now, alarm.seen_at)));
        row("by", alarm.data.to_string());
        output.table(&table)
    })
}
