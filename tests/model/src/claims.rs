//! What must hold in every world, and what must be seen in some so that the model is about something.

use sortie_rules::tasks::State;
use stateright::Property;

use crate::heal::heals;
use crate::step::Line;
use crate::world::World;

/// A claim.
#[derive(Debug, Clone, Copy)]
pub struct Claim {
    /// What it says.
    pub name: &'static str,
    /// Whether it must hold always, or be seen once.
    pub always: bool,
    holds: fn(&Line, &World) -> bool,
}

/// All of them.
pub const CLAIMS: [Claim; 12] = [
    always("work that may not be repeated has its effect at most once per run", |_, world| {
        world.seen.effects.values().all(|effects| *effects <= 1)
    }),
    always("an end that the agent told is never replaced", |_, world| !world.seen.second_end),
    always("a result never overwrites that of a newer run", |_, world| !world.seen.older_run_won),
    always("an acknowledged delivery is never lost", |_, world| nothing_is_lost(world)),
    always("nothing is stopped that nobody wanted stopped", |_, world| !world.seen.stopped_unasked),
    always("an agent that keeps its disk is not taken for a copy", |_, world| !world.seen.mistaken),
    always("when nothing goes wrong any more, everything ends and idempotent work is finished", |line, world| {
        !line.heals || heals(&line.plan, world)
    }),
    sometimes("a task completes", |_, world| world.hub.tasks.iter().any(|task| task.life.state == State::Completed)),
    sometimes("a delivery that comes again is refused", |_, world| world.seen.refused),
    sometimes("a run that comes again is answered from the ledger", |_, world| world.seen.answered_again),
    sometimes("a result comes after the hub gave up", |_, world| world.seen.late_result),
    sometimes("a crash interrupts", |_, world| {
        world.agent.runs.values().any(|row| row.ending == Some(crate::world::Ending::Interrupted))
    }),
];

const fn always(name: &'static str, holds: fn(&Line, &World) -> bool) -> Claim {
    Claim { name, always: true, holds }
}

const fn sometimes(name: &'static str, holds: fn(&Line, &World) -> bool) -> Claim {
    Claim { name, always: false, holds }
}

/// The claims as the checker wants them.
pub(crate) fn properties() -> Vec<Property<Line>> {
    let property = |claim: Claim| match claim.always {
        true => Property::always(claim.name, claim.holds),
        false => Property::sometimes(claim.name, claim.holds),
    };
    CLAIMS.into_iter().map(property).collect()
}

/// Whatever the hub counts as handed out and acknowledged stands in the ledger, or went from there with a
/// receipt.
fn nothing_is_lost(world: &World) -> bool {
    let heard = world.hub.memories.iter().filter_map(|memory| memory.line).map(|line| line.acknowledged);
    let acknowledged = heard.fold(world.hub.kept.acknowledged, u64::max);
    world.hub.tasks.iter().enumerate().all(|(no, task)| {
        let handed = matches!(task.life.state, State::InProgress { .. }) && task.delivery <= acknowledged;
        let run = (no, task.life.run);
        !handed || world.agent.runs.contains_key(&run) || world.seen.forgotten.contains(&run)
    })
}
