//! What can happen, one step at a time.

use sortie_rules::ledger::{Stage, is_new};
use sortie_rules::tasks::is_claimable;
use stateright::{Model, Property};

use crate::claims::properties;
use crate::plan::{Broken, Plan};
use crate::world::{Ending, LATE, Message, RESTED, Run, TaskNo, World};

/// The model: a plan, and with it every world that can come of it.
#[derive(Debug, Clone)]
pub struct Line {
    /// How much of everything there is.
    pub plan: Plan,
    /// Whether each world is also asked whether it would come to its end if nothing went wrong any more.
    pub heals: bool,
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// The agent sends a wait.
    Wait,
    /// The agent gives its open wait up.
    GiveUp,
    /// A message comes to whom it is for, not for the first time perhaps; to which of several hubs.
    Comes(Message, usize),
    /// A hub answers a held wait.
    Look(usize),
    /// What was acknowledged too soon is written down.
    Write,
    /// A run begins.
    Begin(Run),
    /// A run has its effect.
    Work(Run),
    /// A run ends.
    End(Run, Ending),
    /// A result is sent.
    Report(Run),
    /// A heartbeat is sent, and heard.
    Beat,
    /// A lease ends.
    Lapse(TaskNo),
    /// Somebody wants a task stopped.
    Cancel(TaskNo),
    /// Somebody wants a task done after all.
    Requeue(TaskNo),
    /// The ledger forgets a run.
    Forget(Run),
    /// The agent dies and comes back.
    AgentCrash,
    /// A hub dies and comes back.
    HubCrash(usize),
}

impl Model for Line {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World::begin(&self.plan)]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        let World { hub, agent, net, left, .. } = world;
        if agent.open.is_none() && left.waits > 0 {
            steps.push(Step::Wait);
        }
        if agent.open.is_some() {
            steps.push(Step::GiveUp);
        }
        for message in net.iter().filter(|message| could_change(world, message)) {
            // What is not a wait is for the agent, or means the same to every hub.
            let many = if matches!(message, Message::Wait { .. }) { self.plan.hubs } else { 1 };
            steps.extend((0..many).map(|at| Step::Comes(message.clone(), at)));
        }
        let something = hub.tasks.iter().any(|task| is_claimable(&task.life, RESTED));
        for (at, memory) in hub.memories.iter().enumerate() {
            if memory.held.is_some() && (something || !memory.cancels.is_empty()) {
                steps.push(Step::Look(at));
            }
        }
        if agent.unwritten.is_some() {
            steps.push(Step::Write);
        }
        for (run, row) in &agent.runs {
            match (row.stage, agent.running.get(run)) {
                // One run at a time is enough for every order of two.
                (Stage::Accepted, None) if agent.running.is_empty() => steps.push(Step::Begin(*run)),
                (Stage::Accepted | Stage::Started, Some(false)) => steps.push(Step::Work(*run)),
                (Stage::Accepted | Stage::Started, Some(true)) => {
                    steps.push(Step::End(*run, Ending::Completed));
                    if left.failures > 0 {
                        steps.push(Step::End(*run, Ending::Failed));
                    }
                }
                (Stage::Done, _) => steps.push(Step::Report(*run)),
                (Stage::Reported, _) if left.forgotten > 0 => steps.push(Step::Forget(*run)),
                _ => {}
            }
        }
        if left.beats > 0 && agent.beat.is_none() && !world.agent_holds().is_empty() {
            steps.push(Step::Beat);
        }
        for (no, task) in hub.tasks.iter().enumerate() {
            let status = task.life.state.status();
            if sortie_rules::tasks::lease_has_ended(&task.life, LATE, sortie_rules::time::Millis(0)) {
                steps.push(Step::Lapse(no));
            }
            if left.cancels > 0 && !status.is_terminal() {
                steps.push(Step::Cancel(no));
            }
            if left.requeues > 0 && status.is_terminal() {
                steps.push(Step::Requeue(no));
            }
        }
        if left.agent_crashes > 0 {
            steps.push(Step::AgentCrash);
        }
        if left.hub_crashes > 0 {
            steps.extend((0..self.plan.hubs).map(Step::HubCrash));
        }
    }

    fn next_state(&self, before: &World, step: Step) -> Option<World> {
        let mut world = before.clone();
        world.take(&self.plan, step);
        (world != *before).then_some(world)
    }

    fn properties(&self) -> Vec<Property<Line>> {
        properties()
    }
}

impl World {
    /// Takes one step.
    pub(crate) fn take(&mut self, plan: &Plan, step: Step) {
        match step {
            Step::Wait => {
                self.left.waits = self.left.waits.saturating_sub(1);
                self.agent_waits();
            }
            Step::GiveUp => self.agent.open = None,
            Step::Comes(message, at) => self.comes(plan, message, at),
            Step::Look(at) => _ = self.hub_looks(plan, at),
            Step::Write => {
                if let Some((number, tasks)) = self.agent.unwritten.take() {
                    let new = is_new(number, self.agent.acknowledged_on_disk);
                    self.accept(plan, new, number, &tasks);
                }
            }
            Step::Begin(run) => self.agent_begins(plan, run),
            Step::Work(run) => self.agent_works(run, plan),
            Step::End(run, ending) => {
                self.left.failures -= u8::from(ending == Ending::Failed);
                self.agent_ends(run, ending);
            }
            Step::Report(run) => self.agent_reports(run),
            Step::Beat => {
                self.left.beats -= 1;
                let (beat, held) = (self.left.beats, self.agent_holds());
                self.agent.beat = Some(beat);
                self.hub_hears_beat(beat, &held);
            }
            Step::Lapse(no) => _ = self.lapses(no),
            Step::Cancel(no) => {
                self.left.cancels -= 1;
                self.cancels(no);
            }
            Step::Requeue(no) => {
                if self.requeues(no) {
                    self.left.requeues -= 1;
                }
            }
            Step::Forget(run) => {
                self.left.forgotten -= 1;
                self.agent.runs.remove(&run);
                self.seen.forgotten.insert(run);
                // What was under way then has expired long since: minutes against months.
                if plan.broken != Broken::ExpiryUnread {
                    self.net.retain(|message| !matches!(message, Message::Delivery { .. }));
                }
            }
            Step::AgentCrash => {
                self.left.agent_crashes -= 1;
                self.agent_crashes(plan);
            }
            Step::HubCrash(at) => {
                self.left.hub_crashes -= 1;
                self.hub_crashes(at);
            }
        }
    }

    fn comes(&mut self, plan: &Plan, message: Message, at: usize) {
        match message.clone() {
            // Each wait is one request of an agent that proves who it is: nobody else can send it again.
            Message::Wait { boot, seq, ack } => {
                self.net.remove(&message);
                self.hub_hears(plan, at, (boot, seq, ack));
            }
            Message::Delivery { boot, seq, number, tasks, cancel } => {
                self.agent_takes(plan, (boot, seq, number), &tasks, &cancel);
            }
            Message::Result { run, attempt, ending } => self.hub_takes_result(plan, run, attempt, ending),
            Message::Receipt { run } => self.agent_takes_receipt(run),
            Message::Pulse { not_held, cancel, .. } => self.agent_takes_pulse(&not_held, &cancel),
        }
    }
}

/// Whether anybody is there who would hear a message now. A hint: what nobody hears changes nothing.
fn could_change(world: &World, message: &Message) -> bool {
    match message {
        Message::Delivery { .. } => world.agent.open.is_some(),
        Message::Pulse { beat, .. } => world.agent.beat == Some(*beat),
        Message::Receipt { run } => world.agent.runs.get(run).is_some_and(|row| row.stage == Stage::Done),
        Message::Wait { .. } | Message::Result { .. } => true,
    }
}
