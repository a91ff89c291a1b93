//! What results make of their tasks, in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use sortie_rules::ids::{NodeId, TaskId};
use sortie_rules::tasks::{Finished, Refusal, Report, Status, Task, finish};
use sortie_rules::time::Millis;
use sortie_store::tasks::{self, Change, Stamps, TaskLife};
use sortie_store::{StoreError, Tx, logs};
use sortie_wire::problem::{Problem, ProblemCode};

use super::events::About;
use super::finish::Checked;
use crate::events::record_all;
use crate::fault::Fault;
use crate::http::NodeCaller;
use crate::operations::end;
use crate::packs::TaskTypes;
use crate::post_steps::plan;

/// How often a result is judged anew because somebody else was quicker.
const TRIES: usize = 3;

/// What became of one result.
pub(super) enum Judged {
    Taken { ended: bool, status: Status, node: NodeId },
    Repeated,
    Refused(Problem),
}

/// A result on its way: its place among those that came together, and how often it was judged.
struct Open {
    place: usize,
    checked: Checked,
    tries: usize,
}

/// What a result makes of its task.
struct Decided {
    open: Open,
    row: TaskLife,
    after: Task,
}

/// Judges results in their order. Each round takes one of each task, for each is judged by what the one before it
/// has made of the task, and those of which somebody else was quicker once more.
pub(super) async fn judge_all(
    tx: &mut Tx,
    caller: &NodeCaller,
    types: &TaskTypes,
    results: Vec<Result<Checked, Box<Problem>>>,
    now: Millis,
    draw: u32,
) -> Result<Vec<Judged>, Fault> {
    let mut judged: BTreeMap<usize, Judged> = BTreeMap::new();
    let mut open = Vec::with_capacity(results.len());
    for (place, result) in results.into_iter().enumerate() {
        match result {
            Ok(checked) => open.push(Open { place, checked, tries: 0 }),
            Err(problem) => drop(judged.insert(place, Judged::Refused(*problem))),
        }
    }
    while !open.is_empty() {
        let mut named = BTreeSet::new();
        let (round, mut later): (Vec<Open>, Vec<Open>) =
            open.into_iter().partition(|open| named.insert(open.checked.task));
        let ids: Vec<TaskId> = named.into_iter().collect();
        let mut lives: BTreeMap<TaskId, TaskLife> =
            tasks::get_lives(tx, &ids).await?.into_iter().map(|row| (row.id, row)).collect();
        let mut decided = Vec::with_capacity(round.len());
        for open in round {
            let (place, row) = (open.place, lives.remove(&open.checked.task));
            match decide(caller, types, open, row, now, draw)? {
                Ok(change) => decided.push(change),
                Err(known) => drop(judged.insert(place, known)),
            }
        }
        write(tx, caller, types, decided, &mut judged, &mut later, now).await?;
        later.sort_unstable_by_key(|open| open.place);
        open = later;
    }
    Ok(judged.into_values().collect())
}

/// What one result makes of its task, or what is to be said of it without changing anything.
fn decide(
    caller: &NodeCaller,
    types: &TaskTypes,
    open: Open,
    row: Option<TaskLife>,
    now: Millis,
    draw: u32,
) -> Result<Result<Decided, Judged>, Fault> {
    let refused = |code, detail: &str| Ok(Err(Judged::Refused(Problem::new(code, detail))));
    let Some(row) = row.filter(|row| row.org == caller.org) else {
        return refused(ProblemCode::UnknownTask, "There is no such task.");
    };
    if row.node != caller.node {
        return refused(ProblemCode::NotYourTask, "The task is another node's; only that node may report it.");
    }
    let checked = open.checked.held_to(types, &row.type_name);
    let report = Report {
        run: checked.run,
        attempt: checked.attempt,
        outcome: checked.outcome.clone(),
        is_recorded: row.result_digest.as_deref() == Some(&checked.digest),
    };
    match finish(&row.life, &report, now, draw) {
        Ok(Finished::Changed(after)) => Ok(Ok(Decided { open: Open { checked, ..open }, row, after })),
        Ok(Finished::Repeated) => Ok(Err(Judged::Repeated)),
        Err(Refusal::OtherResult) => refused(
            ProblemCode::OtherResult,
            "Another result of this task has been recorded; this one changes nothing.",
        ),
        Err(other) => Err(Fault::Broken(format!("a result was refused with: {other}"))),
    }
}

/// Writes down what was decided, with its events. Where somebody was quicker, the result is judged anew later.
async fn write(
    tx: &mut Tx,
    caller: &NodeCaller,
    types: &TaskTypes,
    decided: Vec<Decided>,
    judged: &mut BTreeMap<usize, Judged>,
    later: &mut Vec<Open>,
    now: Millis,
) -> Result<(), Fault> {
    let changes: Vec<Change<'_>> = decided.iter().map(|decided| decided.change(now)).collect();
    let changed = tasks::update_all(tx, &changes).await?;
    let mut records = Vec::with_capacity(decided.len());
    for decided in &decided {
        let Decided { open, row, after } = decided;
        if changed.contains(&row.id) {
            let about = About {
                org: row.org,
                node: row.node,
                task: row.id,
                type_name: &row.type_name,
                actor: caller.name(),
                now,
            };
            plan(tx, types, (row.org, row.id, &row.type_name), after, now).await?;
            end(tx, row, after, Some(((caller.node, caller.name()), decided.result())), now).await?;
            records.push(about.changed(after));
            if open.checked.log_bytes > 0 {
                logs::set_end(tx, row.id, open.checked.run, open.checked.log_bytes).await?;
            }
        }
    }
    record_all(tx, &records).await?;
    for Decided { open, row, after } in decided {
        if changed.contains(&row.id) {
            let status = after.state.status();
            judged.insert(open.place, Judged::Taken { ended: status.is_terminal(), status, node: row.node });
        } else if open.tries + 1 < TRIES {
            later.push(Open { tries: open.tries + 1, ..open });
        } else {
            return Err(StoreError::Unavailable { why: "the task is being changed by others".to_owned() }.into());
        }
    }
    Ok(())
}

impl Decided {
    /// The result, if it is kept.
    fn result(&self) -> Option<&str> {
        self.open.checked.result.as_deref().filter(|_| self.after.state.status() == Status::Completed)
    }

    fn change(&self, now: Millis) -> Change<'_> {
        let status = self.after.state.status();
        let (ended, checked) = (status.is_terminal(), &self.open.checked);
        let stamps = Stamps {
            finished_at: ended.then_some(now),
            message: checked.message.as_deref(),
            result: self.result(),
            result_digest: ended.then_some(checked.digest.as_slice()),
            ..Stamps::default()
        };
        Change { id: self.row.id, before: &self.row.life, after: &self.after, stamps }
    }
}
