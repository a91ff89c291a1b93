//! Shows what happened at a node, or in the caller's org.

use sortie_rules::history::{Point, Step, points};
use sortie_rules::limits::HISTORY_POINTS_MAX;
use sortie_rules::time::Span;
use sortie_store::history;
use sortie_wire::history::{
    History, HistoryBackups, HistoryPoint, HistoryQuery, HistorySeries, HistoryStep, HistoryTasks,
};
use sortie_wire::problem::ProblemCode;

use crate::app::App;
use crate::fault::{Fault, refuse};
use crate::people::Principal;

/// Rows of one holder and step: more are not kept.
const ROWS_MAX: u32 = 2000;

/// What happened at a node.
pub(super) async fn of_node(app: &App, who: &Principal, node: &str, query: HistoryQuery) -> Result<History, Fault> {
    let known = app.nodes.find_named(&app.store, who.org, node).await?;
    of(app, known.id.to_string(), query).await
}

/// What happened in the caller's org.
pub(super) async fn of_org(app: &App, who: &Principal, query: HistoryQuery) -> Result<History, Fault> {
    of(app, who.org.to_string(), query).await
}

async fn of(app: &App, holder: String, query: HistoryQuery) -> Result<History, Fault> {
    let malformed = |detail: String| refuse(ProblemCode::MalformedParameter, detail);
    let now = app.clock.now();
    let wanted = query.step.unwrap_or(HistoryStep::Day);
    let step = match wanted {
        HistoryStep::Hour => Step::Hour,
        HistoryStep::Day => Step::Day,
    };
    let until = query.until.unwrap_or(now);
    let from = step.start_of(query.from.unwrap_or(until - Span::days(7)));
    let is_empty = query.from.unwrap_or(from) >= until;
    if is_empty || until.0.saturating_sub(from.0) / step.length().0 > HISTORY_POINTS_MAX {
        let detail = format!("`from` is before `until`, and there are at most {HISTORY_POINTS_MAX} points in between.");
        return Err(malformed(detail));
    }
    let (rows, level) = app
        .store
        .read(move |tx| {
            let holder = holder.clone();
            Box::pin(async move {
                let rows = history::list(tx, &holder, step, from, ROWS_MAX).await?;
                let level = history::levels(tx, &[holder]).await?.pop().map(|(_, level)| level);
                Ok::<_, Fault>((rows, level))
            })
        })
        .await?;
    let points = points(step, (from, until), &rows, level, now);
    Ok(History { step: wanted, points: points.into_iter().map(|point| shown(point, query.series)).collect() })
}

fn shown(point: Point, series: Option<HistorySeries>) -> HistoryPoint {
    let is_wanted = |one| series.is_none_or(|series| series == one);
    let counts = point.counts;
    let tasks =
        HistoryTasks { completed: counts.tasks_completed, failed: counts.tasks_failed, other: counts.tasks_other };
    let backups = HistoryBackups {
        completed: counts.backups_completed,
        failed: counts.backups_failed,
        missed: counts.backups_missed,
    };
    HistoryPoint {
        at: point.at,
        // Finer than anybody reads, and the same from run to run.
        online: point.online.filter(|_| is_wanted(HistorySeries::Presence)).map(|online| (online * 1e4).round() / 1e4),
        tasks: is_wanted(HistorySeries::Tasks).then_some(tasks),
        backups: is_wanted(HistorySeries::Backups).then_some(backups),
    }
}
