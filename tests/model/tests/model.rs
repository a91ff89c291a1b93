//! The model check, bounded so that it runs in CI. `cargo run --release -p model -- --help` says how to look
//! further.

use std::collections::BTreeSet;

use model::{Broken, CLAIMS, Line, Plan};
use stateright::{Checker, HasDiscoveries, Model};

/// Looks through every world of a plan. What a claim says must hold does, and what must be seen is seen.
#[track_caller]
fn holds(plan: Plan, unseen: &[&str]) {
    let checker = Line { plan, heals: true }.checker().threads(2).spawn_bfs().join();
    let found = checker.discoveries();
    for claim in CLAIMS {
        match (claim.always, found.get(claim.name)) {
            (true, Some(path)) => panic!("{}: it does not hold:\n{:#?}", claim.name, path.clone().into_actions()),
            (false, None) => assert!(unseen.contains(&claim.name), "{}: never seen", claim.name),
            (true, None) | (false, Some(_)) => {}
        }
    }
    assert!(checker.is_done());
    tell(checker.unique_state_count());
}

/// With a rule broken, the claim does not hold, and the checker says by which steps.
#[track_caller]
fn fails(plan: Plan, name: &'static str) {
    let line = Line { plan, heals: name == ENDS };
    let found = HasDiscoveries::AnyOf(BTreeSet::from([name]));
    let checker = line.checker().threads(2).finish_when(found).spawn_bfs().join();
    let steps = checker.discoveries().remove(name).unwrap_or_else(|| panic!("{name}: the broken rule was not noticed"));
    assert!(steps.into_actions().len() < 30, "the shortest way there is short");
}

#[expect(clippy::print_stderr, reason = "how far a check went is for whoever runs it")]
fn tell(states: usize) {
    eprintln!("{states} worlds");
}

const EFFECTS: &str = "work that may not be repeated has its effect at most once per run";
const OLDER_RUN: &str = "a result never overwrites that of a newer run";
const COPY: &str = "an agent that keeps its disk is not taken for a copy";
const LOST: &str = "an acknowledged delivery is never lost";
const UNASKED: &str = "nothing is stopped that nobody wanted stopped";
const ENDS: &str = "when nothing goes wrong any more, everything ends and idempotent work is finished";

#[test]
fn two_tasks_come_to_their_ends_over_loss_and_a_crash_of_either_side() {
    holds(Plan { waits: 2, ..Plan::small() }, &["a result comes after the hub gave up"]);
    holds(Plan { hub_crashes: 0, ..Plan::small() }, &[]);
}

#[test]
fn one_task_comes_to_its_end_over_more_of_everything() {
    holds(Plan { idempotent: vec![false], waits: 4, ..Plan::small() }, &[]);
}

#[test]
fn a_task_that_is_cancelled_and_requeued_holds_every_claim() {
    let called_off = Plan { hub_crashes: 0, cancels: 1, requeues: 1, ..Plan::small() };
    holds(Plan { idempotent: vec![false], ..called_off.clone() }, &[]);
    let failing = Plan { idempotent: vec![true], agent_crashes: 0, failures: 1, ..called_off };
    holds(failing, &["a crash interrupts"]);
}

#[test]
fn a_task_of_which_heartbeats_speak_holds_every_claim() {
    let beating = Plan { idempotent: vec![true], agent_crashes: 0, cancels: 1, beats: 1, ..Plan::small() };
    holds(beating, &["a crash interrupts"]);
}

#[test]
fn a_ledger_that_forgets_what_was_reported_holds_every_claim() {
    holds(Plan { idempotent: vec![false], hub_crashes: 0, forgotten: 1, ..Plan::small() }, &[]);
}

#[test]
fn an_agent_that_goes_from_hub_to_hub_and_back_holds_every_claim() {
    let two = Plan { hubs: 2, agent_crashes: 0, hub_crashes: 0, ..Plan::small() };
    let unseen = ["a crash interrupts"];
    holds(Plan { idempotent: vec![true], waits: 4, ..two.clone() }, &unseen);
    holds(Plan { idempotent: vec![false, true], waits: 2, ..two.clone() }, &unseen);
    holds(Plan { idempotent: vec![false], agent_crashes: 1, hub_crashes: 1, ..two }, &[]);
}

#[test]
fn a_task_that_is_cancelled_and_requeued_between_hubs_holds_every_claim() {
    let two = Plan { hubs: 2, agent_crashes: 0, hub_crashes: 0, cancels: 1, requeues: 1, ..Plan::small() };
    holds(Plan { idempotent: vec![true], ..two }, &["a crash interrupts"]);
}

#[test]
fn a_hub_that_does_not_read_what_others_know_takes_the_agent_for_a_copy() {
    let two = Plan { hubs: 2, agent_crashes: 0, hub_crashes: 0, ..Plan::small() };
    fails(Plan { idempotent: vec![true], waits: 4, ..two }.with(Broken::LineUnread), COPY);
}

#[test]
fn a_wish_that_a_hub_has_kept_while_the_agent_was_elsewhere_stops_work_that_nobody_wanted_stopped() {
    let two = Plan { hubs: 2, agent_crashes: 0, hub_crashes: 0, cancels: 1, requeues: 1, ..Plan::small() };
    fails(Plan { idempotent: vec![true], waits: 4, retries: 0, ..two }.with(Broken::WishesKept), UNASKED);
}

#[test]
fn a_delivery_that_counts_for_any_wait_stops_work_that_nobody_wanted_stopped() {
    let called_off = Plan { agent_crashes: 0, hub_crashes: 0, cancels: 1, requeues: 1, ..Plan::small() };
    let plan = Plan { idempotent: vec![true], waits: 4, retries: 0, ..called_off };
    fails(plan.with(Broken::AnswersUnread), UNASKED);
}

#[test]
fn a_delivery_without_an_end_brings_back_what_the_ledger_forgot() {
    let plan = Plan { idempotent: vec![false], agent_crashes: 0, hub_crashes: 0, forgotten: 1, ..Plan::small() };
    fails(plan.with(Broken::ExpiryUnread), EFFECTS);
}

#[test]
fn a_start_that_is_not_written_first_lets_work_happen_twice() {
    fails(Plan::small().with(Broken::StartUnwritten), EFFECTS);
}

#[test]
fn an_acknowledgement_before_the_ledger_loses_a_delivery() {
    fails(Plan::small().with(Broken::AcknowledgedUnwritten), LOST);
}

#[test]
fn a_result_whose_run_is_not_looked_at_ends_a_newer_run() {
    fails(Plan { idempotent: vec![true], failures: 1, ..Plan::small() }.with(Broken::RunUnread), OLDER_RUN);
}

#[test]
fn what_a_crash_leaves_behind_would_never_end_if_nobody_took_it_up() {
    fails(Plan::small().with(Broken::RecoveryForgotten), ENDS);
}
