//! Whether everything would end if nothing went wrong any more: nobody dies, nothing is lost, and a lease ends
//! only where the agent is silent about it.

use sortie_rules::ledger::Stage;
use sortie_rules::tasks::{State, Status};

use crate::plan::Plan;
use crate::step::Step;
use crate::world::{Ending, Message, Run, World};

/// More steps than any healed world needs.
const STEPS_MAX: usize = 200;

/// Whether everything ends, and what may be repeated and nobody called off is finished.
pub(crate) fn heals(plan: &Plan, world: &World) -> bool {
    let mut world = world.clone();
    let may_finish: Vec<bool> = (0..plan.idempotent.len()).map(|no| may_finish(plan, &world, no)).collect();
    world.agent.open = None;
    for _ in 0..STEPS_MAX {
        if world.hub.tasks.iter().all(|task| task.life.state.status().is_terminal()) && nothing_untold(&world) {
            let ends = world.hub.tasks.iter().zip(may_finish);
            return ends.into_iter().all(|(task, may)| !may || task.life.state.status() == Status::Completed);
        }
        advance(plan, &mut world);
    }
    false
}

/// Whether a task has what it needs to be finished: it may be repeated, nobody called it off, it has not
/// ended by another word, and it has retries left.
fn may_finish(plan: &Plan, world: &World, no: usize) -> bool {
    let life = &world.hub.tasks[no].life;
    let called_off = match life.state {
        State::Pending { .. } => false,
        State::InProgress { cancel_asked, .. } => cancel_asked,
        _ => true,
    };
    let told_otherwise = world.agent.runs.iter().any(|(run, row)| {
        run.0 == no && row.ending.is_some_and(|ending| matches!(ending, Ending::Cancelled | Ending::Failed))
    }) || world.net.iter().any(|message| {
        matches!(message, Message::Result { run, ending: Ending::Cancelled | Ending::Failed, .. } if run.0 == no)
    });
    plan.idempotent[no] && !called_off && !told_otherwise && life.retries < life.retries_max
}

fn nothing_untold(world: &World) -> bool {
    world.agent.runs.values().all(|row| row.stage == Stage::Reported)
}

/// The next thing that happens by itself.
fn advance(plan: &Plan, world: &mut World) {
    if world.agent.unwritten.is_some() {
        return world.take(plan, Step::Write);
    }
    let untold = world.agent.runs.iter().find(|(_, row)| row.stage == Stage::Done);
    if let Some((run, row)) = untold.map(|(run, row)| (*run, row.clone())) {
        let Some(ending) = row.ending else { return };
        world.hub_takes_result(plan, run, row.attempt, ending);
        return world.agent_takes_receipt(run);
    }
    let held = world.agent.runs.iter().find(|(_, row)| matches!(row.stage, Stage::Accepted | Stage::Started));
    if let Some(run) = held.map(|(run, _)| *run) {
        return work(plan, world, run);
    }
    // The agent holds nothing: it waits, and takes what it is answered with.
    world.agent_waits();
    let (boot, asked) = (world.agent.boot, world.agent.seq);
    let ack = world.agent.acknowledged;
    world.hub_hears(plan, 0, (boot, asked, ack));
    let answer = world.net.iter().find_map(|message| match message {
        Message::Delivery { boot: b, seq, number, tasks, cancel } if (*b, *seq) == (boot, asked) => {
            Some((*number, tasks.clone(), cancel.clone()))
        }
        _ => None,
    });
    match answer {
        Some((number, tasks, cancel)) => world.agent_takes(plan, (boot, asked, number), &tasks, &cancel),
        // Nothing is pending: what the hub still counts as handed out is with nobody.
        None => {
            world.agent.open = None;
            (0..plan.idempotent.len()).for_each(|no| _ = world.lapses(no));
        }
    }
}

fn work(plan: &Plan, world: &mut World, run: Run) {
    match world.agent.running.get(&run) {
        None => world.agent_begins(plan, run),
        Some(false) => world.agent_works(run, plan),
        Some(true) => world.agent_ends(run, Ending::Completed),
    }
}
