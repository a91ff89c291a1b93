//! `sortie node history`: what happened at a node, day by day or hour by hour.

use clap::Args;
use sortie_client::people::Hub;
use sortie_rules::limits::{HISTORY_DAYS_KEPT, HISTORY_HOURS_KEPT};
use sortie_rules::time::{Millis, Span};
use sortie_wire::history::{HistoryPoint, HistoryQuery, HistoryStep};

use crate::context::Context;
use crate::exit::Done;
use crate::output::{Table, utc};

/// How wide the bar of a day is at most.
const BAR: usize = 10;

/// Which time is looked back at.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie node history box-7\n  sortie node history box-7 --hours 24\n  \
                        sortie node history box-7 --days 30 --json\n\n\
                        Days and hours are those of UTC, and the last one is still under way.")]
pub(super) struct History {
    /// The node
    #[arg(value_name = "NAME|ID")]
    node: String,
    /// So many days
    #[arg(long, value_name = "COUNT", default_value_t = 7,
        value_parser = clap::value_parser!(i64).range(1..=HISTORY_DAYS_KEPT.0 / 86_400_000))]
    days: i64,
    /// So many hours instead, one by one
    #[arg(long, value_name = "COUNT", conflicts_with = "days",
        value_parser = clap::value_parser!(i64).range(1..=HISTORY_HOURS_KEPT.0 / 3_600_000))]
    hours: Option<i64>,
}

/// Shows it.
pub(super) async fn run(asked: History, hub: &Hub, context: &Context) -> Done {
    let now = context.clock.now();
    let (step, back) = match asked.hours {
        Some(hours) => (HistoryStep::Hour, Span::hours(hours - 1)),
        None => (HistoryStep::Day, Span::days(asked.days - 1)),
    };
    let query = HistoryQuery { series: None, from: Some(now - back), until: None, step: Some(step) };
    let history = hub.node_history(&asked.node, &query).await?;
    context.output.either(&history, |history| {
        let mut table =
            Table::new(["from", "online", "", "tasks done", "failed", "other", "backups", "failed", "missed"]);
        for point in &history.points {
            table.row(row(point, step));
        }
        context.output.table(&table)
    })
}

fn row(point: &HistoryPoint, step: HistoryStep) -> [String; 9] {
    let tasks = point.tasks.map_or([0; 3], |tasks| [tasks.completed, tasks.failed, tasks.other]);
    let backups = point.backups.map_or([0; 3], |backups| [backups.completed, backups.failed, backups.missed]);
    let [done, failed, other] = tasks.map(shown);
    let [completed, broken, missed] = backups.map(shown);
    let (share, bar) = online(point.online);
    [moment(point.at, step), share, bar, done, failed, other, completed, broken, missed]
}

/// The day, or the hour of a day.
fn moment(at: Millis, step: HistoryStep) -> String {
    let whole = utc(at);
    let length = match step {
        HistoryStep::Day => "2026-03-01".len(),
        HistoryStep::Hour => "2026-03-01 09:15".len(),
    };
    whole.get(..length).unwrap_or(&whole).to_owned()
}

/// Nothing stands out less.
fn shown(count: u64) -> String {
    if count == 0 { "-".to_owned() } else { count.to_string() }
}

/// The share of the time, in percent and as a bar. What is not whole is not shown as such.
fn online(share: Option<f64>) -> (String, String) {
    let Some(share) = share.map(|share| share.clamp(0.0, 1.0)) else { return ("?".to_owned(), String::new()) };
    let percent = (share * 100.0).floor();
    let full = (share * BAR as f64).round() as usize;
    (format!("{percent:.0} %"), "█".repeat(full) + &"░".repeat(BAR - full.min(BAR)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_wire::history::{HistoryBackups, HistoryTasks};

    #[test]
    fn a_day_is_one_row() {
        let point = HistoryPoint {
            at: Millis(1_772_323_200_000),
            online: Some(0.999),
            tasks: Some(HistoryTasks { completed: 12, failed: 1, other: 0 }),
            backups: Some(HistoryBackups { completed: 1, failed: 0, missed: 0 }),
        };
        let expected = ["2026-03-01", "99 %", "██████████", "12", "1", "-", "1", "-", "-"];
        assert_eq!(row(&point, HistoryStep::Day), expected);
        assert_eq!(row(&point, HistoryStep::Hour)[0], "2026-03-01 00:00");
        assert_eq!(online(Some(0.34)), ("34 %".to_owned(), "███░░░░░░░".to_owned()));
        assert_eq!(online(None), ("?".to_owned(), String::new()));
    }
}
