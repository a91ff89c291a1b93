//! The loop of the leader: judges each deadline's newest day when its time has come, page by page.
//!
//! The events of a page, and how far the day was judged, are written in one transaction: a hub that dies goes on where
//! the last one stood, and of two that lead by mistake one gives way. A hub that was away judges the newest day only,
//! after nodes have had time to report.

use jiff::tz::TimeZone;
use serde_json::json;
use sortie_rules::backups::{Deadline, Expected, Heard, Lateness, lateness};
use sortie_rules::ids::{NodeId, OrgId};
use sortie_rules::limits::BACKUPS_AT_ONCE;
use sortie_rules::selectors::{Selected, Selector};
use sortie_rules::time::{Millis, Span};
use sortie_store::backup_deadlines::{self, DeadlineRow, Judged};
use sortie_store::backups::{self, ExpectedRow};
use sortie_store::{StoreError, Tx};

use super::zone::zone;
use crate::app::App;
use crate::events::{Record, record_all};
use crate::fault::Fault;

/// Deadlines that are read at once.
const DUE_AT_ONCE: u32 = 100;
/// When a deadline is looked at again of which it cannot be told what it says.
const AGAIN_AFTER: Span = Span::hours(1);

/// A deadline that is to be judged.
#[derive(Debug, Clone)]
struct Case {
    row: DeadlineRow,
    selector: Selector,
    day: Expected,
    /// When the next day is judged.
    next_at: Millis,
}

/// Why a page was not written down.
#[derive(Debug)]
enum Lost {
    /// The deadline has changed, or somebody else has judged.
    Overtaken,
    /// Something else.
    Store(StoreError),
}

impl From<StoreError> for Lost {
    fn from(error: StoreError) -> Lost {
        Lost::Store(error)
    }
}

/// Judges all that is due. Returns how many backups were missed.
pub(crate) async fn judge(app: &App) -> Result<u64, Fault> {
    let mut missed = 0;
    loop {
        let now = app.clock.now();
        let rows = due(app, now, DUE_AT_ONCE).await?;
        if !has_heard(app, now).await? {
            return Ok(missed);
        }
        let is_all = rows.len() < DUE_AT_ONCE as usize;
        for row in rows {
            match case(&row, now) {
                Ok(case) => missed += judge_day(app, case).await?,
                Err(why) => put_off(app, row, &why).await?,
            }
            if app.stop.is_cancelled() || !app.leader.leads(app) {
                return Ok(missed);
            }
        }
        if is_all {
            return Ok(missed);
        }
    }
}

async fn due(app: &App, until: Millis, limit: u32) -> Result<Vec<DeadlineRow>, Fault> {
    let rows = app.store.read(move |tx| Box::pin(async move { backup_deadlines::due(tx, until, limit).await }));
    Ok(rows.await?)
}

/// The deadlines were read. Whether nodes have had time to report since the hub, or its database, was away.
async fn has_heard(app: &App, now: Millis) -> Result<bool, Fault> {
    let before = app.presence.heard_for_backups();
    if Heard::may_be_ahead(before, now) {
        bring_back(app, now).await?;
    }
    let heard = Heard::reached(before, now, app.hearing.reached(app));
    app.presence.set_heard_for_backups(heard);
    Ok(heard.is_enough())
}

/// Deadlines that a clock which was ahead has put off are judged in their time again.
async fn bring_back(app: &App, now: Millis) -> Result<(), Fault> {
    for row in due(app, Millis(i64::MAX), u32::MAX).await? {
        // Of what cannot be told it is said when it is judged.
        let Ok((deadline, zone)) = read(&row) else { continue };
        let Some(judge_at) = deadline.judge_by(&zone, now).filter(|judge_at| *judge_at < row.judged.judge_at) else {
            continue;
        };
        tracing::warn!(org = %row.org, deadline = row.name, "The clock was ahead; a backup deadline is judged sooner");
        move_on(app, row, Judged { judge_at, judging: None }).await?;
    }
    Ok(())
}

fn read(row: &DeadlineRow) -> Result<(Deadline, TimeZone), String> {
    let deadline: Deadline = serde_json::from_str(&row.deadline).map_err(|error| error.to_string())?;
    let zone = zone(&deadline.time_zone)?;
    Ok((deadline, zone))
}

/// What is to be judged: the newest day whose time has come. One before it that was begun, by a hub that was away
/// then, is left.
fn case(row: &DeadlineRow, now: Millis) -> Result<Case, String> {
    let (deadline, zone) = read(row)?;
    let asked = serde_json::from_str(&row.selector).map_err(|error| error.to_string())?;
    let selector = crate::jobs::selector(&asked).map_err(|fault| fault.to_string())?;
    let (day, next_at) = deadline.to_judge(&zone, now).ok_or("the calendar has no such day")?;
    let mut row = row.clone();
    row.judged.judging = row.judged.judging.filter(|(due_at, _)| *due_at == day.due_at);
    Ok(Case { row, selector, day, next_at })
}

/// One that cannot be judged waits; a person has to mend it, or the machine's time zones.
async fn put_off(app: &App, row: DeadlineRow, why: &str) -> Result<(), Fault> {
    tracing::error!(org = %row.org, deadline = row.name, why, "A backup deadline cannot be judged; it will be later");
    let later = Judged { judge_at: app.clock.now() + AGAIN_AFTER, ..row.judged.clone() };
    move_on(app, row, later).await
}

async fn move_on(app: &App, row: DeadlineRow, judged: Judged) -> Result<(), Fault> {
    let (org, name, turn) = (row.org, row.name, row.turn);
    let written = app.store.write(move |tx| {
        let (name, judged) = (name.clone(), judged.clone());
        Box::pin(async move { backup_deadlines::move_on(tx, (org, &name), turn, &judged).await })
    });
    // If it was changed meanwhile, all the better.
    Ok(written.await.map(drop)?)
}

/// Judges one day of one deadline, from where it was judged up to. Returns how many missed it.
async fn judge_day(app: &App, mut case: Case) -> Result<u64, Fault> {
    let mut missed = 0;
    loop {
        let (now, this) = (app.clock.now(), case.clone());
        let page = app.store.write(move |tx| Box::pin(async move { judge_page(tx, &this, now).await })).await;
        match page {
            Ok((count, judged)) => {
                missed += count;
                case.row.turn += 1;
                let is_over = judged.judging.is_none();
                case.row.judged = judged;
                if is_over {
                    return Ok(missed);
                }
            }
            Err(Lost::Overtaken) => return Ok(missed),
            Err(Lost::Store(error)) => return Err(error.into()),
        }
    }
}

async fn judge_page(tx: &mut Tx, case: &Case, now: Millis) -> Result<(u64, Judged), Lost> {
    let Case { row, selector, day, next_at } = case;
    let after = row.judged.judging.as_ref().map_or("", |(_, name)| name);
    let narrowed = (selector.site.as_deref(), selector.kind.as_deref());
    let nodes = backups::expected(tx, row.org, narrowed, &row.target, after, BACKUPS_AT_ONCE).await?;
    let missed: Vec<&ExpectedRow> = nodes.iter().filter(|node| is_missed(case, node, now)).collect();
    let ids: Vec<NodeId> = missed.iter().map(|node| node.node).collect();
    let stand = backups::miss(tx, &ids, &row.target, day.day_began).await?;
    // What was done meanwhile, or told of this day by another deadline, is not told.
    let missed: Vec<&ExpectedRow> = missed.into_iter().zip(stand).filter_map(|(node, is)| is.then_some(node)).collect();
    let records: Vec<Record<'_>> = missed.iter().map(|node| told(row.org, case, node, now)).collect();
    if !records.is_empty() {
        record_all(tx, &records).await?;
    }
    let judged = match nodes.last().filter(|_| nodes.len() == BACKUPS_AT_ONCE as usize) {
        Some(last) => Judged { judge_at: row.judged.judge_at, judging: Some((day.due_at, last.name.clone())) },
        None => Judged { judge_at: *next_at, judging: None },
    };
    match backup_deadlines::move_on(tx, (row.org, &row.name), row.turn, &judged).await? {
        true => Ok((missed.len() as u64, judged)),
        false => Err(Lost::Overtaken),
    }
}

fn is_missed(case: &Case, node: &ExpectedRow, now: Millis) -> bool {
    let selected = Selected { name: &node.name, site: node.site.as_deref(), kind: &node.kind, labels: &node.labels };
    let known_since = node.enrolled_at.max(case.row.changed_at);
    case.selector.matches(selected) && lateness(case.day, node.completed_at, known_since, now) == Lateness::Missed
}

fn told(org: OrgId, case: &Case, node: &ExpectedRow, now: Millis) -> Record<'static> {
    let data = json!({
        "target": case.row.target, "day": case.day.day.to_string(), "due_at": case.day.due_at,
        "completed_at": node.completed_at, "deadline": case.row.name,
    });
    Record::new(org, now, "backup.missed", "hub").node(node.node).data(&data)
}
