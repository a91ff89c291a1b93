//! What operators sign, on an agent that runs: what may be is done once, by operators who stand, in their time.
//! What is wrong with one is tried in `bad_operations`. The keys and signatures are those of `ssh-keygen`.

use rcgen::{CertificateSigningRequestParams, PublicKeyData as _};
use serde_json::{Value, json};
use sortie_agent::{Clock, Failure, Given, Output, SetOperators, set_operators};
use sortie_rules::ids::{Id, TaskId};
use sortie_rules::time::{Millis, Span};
use sortie_wire::deliveries::HandedTask;
use sortie_wire::envelope::Envelope;
use sortie_wire::operators::fingerprint_of;
use sortie_wire::problem::ProblemCode;
use sortie_wire::results::{OutcomeWord, RunResult};

use super::agents::{Journal, Running, Site, entropy};
use super::hub::{NOW, TestHub, task};
use super::operators::{Person, chain};

const POLICY: &str = "[handlers.\"work\"]\nkind = \"builtin\"\nbuiltin = \"work\"\nclass = \"privileged\"\n";

/// A site whose operator is ada, and where `work` is privileged and notes its payload.
struct Stage {
    hub: TestHub,
    site: Site,
    agent: Option<Running>,
    journal: Journal,
    ada: Person,
    /// The fingerprint of the node's key.
    key: String,
}

impl Stage {
    async fn new(policy: &str) -> Stage {
        let ada = Person::new("ada");
        let first = Person::set(1, 1, &[&ada], &[&ada]);
        let mut stage = Stage::of(ada, policy, Some(Given::Chain(chain(&[&first])))).await;
        stage.start();
        stage
    }

    async fn of(ada: Person, policy: &str, operators: Option<Given>) -> Stage {
        let hub = TestHub::start().await;
        let site = Site::enrolled_with(&hub, operators).await;
        site.set_policy(policy);
        let key = key_of_node(&hub);
        Stage { hub, site, agent: None, journal: Journal::default(), ada, key }
    }

    fn start(&mut self) {
        let journal = self.journal.clone();
        let agent = self.site.start_with(|agent| {
            agent.handler("work", move |work| {
                journal.note(work.payload.get());
                let fails = work.payload.get().contains("fails");
                async move {
                    if fails { Err(Failure::failed("no", "not this time", true)) } else { Output::of(&work.run) }
                }
            })
        });
        self.agent = Some(agent);
    }

    /// What an operator signs for task `n`.
    fn statement(&self, n: u128) -> Value {
        json!({
            "op": "work",
            "operation": id(n),
            "target": { "node": self.hub.desk.node, "key": self.key },
            "params": { "n": n as u64 },
            "nonce": format!("{n:032x}"),
            "issued_at": NOW.0,
            "expires_at": NOW.0 + Span::days(1).0,
            "key_id": self.ada.key.fingerprint(),
        })
    }

    /// Task `n` with its operation, signed by these.
    fn signed(&self, n: u128, by: &[&Person]) -> HandedTask {
        with(n, Person::operation(self.statement(n).to_string().as_bytes(), by))
    }

    /// The same with another statement.
    fn said(&self, n: u128, change: impl FnOnce(&mut Value)) -> HandedTask {
        let mut statement = self.statement(n);
        change(&mut statement);
        with(n, Person::operation(statement.to_string().as_bytes(), &[&self.ada]))
    }

    async fn hand(&self, handed: HandedTask) -> RunResult {
        let (id, run) = (handed.id, handed.run);
        self.hub.desk.hand(vec![handed]);
        self.hub
            .desk
            .until("its result", |asked| asked.results.iter().find(|r| r.task == id && r.run == run).cloned())
            .await
    }

    /// The code with which a task is refused.
    async fn refused(&self, handed: HandedTask) -> String {
        let result = self.hand(handed).await;
        assert_eq!(result.outcome, OutcomeWord::Rejected, "{result:?}");
        assert!(!result.retry);
        result.code.unwrap().0
    }

    async fn stop(self) {
        self.agent.unwrap().stop().await;
    }
}

/// The fingerprint of the key with which the node has enrolled.
pub(crate) fn key_of_node(hub: &TestHub) -> String {
    let request = hub.desk.look(|asked| asked.enrollments[0].certificate_request.clone());
    let request = CertificateSigningRequestParams::from_pem(&request).unwrap();
    hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, request.public_key.der_bytes()))
}

fn id(n: u128) -> TaskId {
    Id::from_uuid(uuid::Uuid::from_u128(n))
}

fn with(n: u128, envelope: Envelope) -> HandedTask {
    HandedTask { operation: Some(Box::new(envelope)), ..task(n, "work", r#"{"n":"unsigned"}"#) }
}

#[tokio::test]
async fn what_an_operator_signed_is_done_once_and_with_what_was_signed() {
    let stage = Stage::new(POLICY).await;
    let work = stage.signed(1, &[&stage.ada]);
    assert_eq!(stage.hand(work.clone()).await.outcome, OutcomeWord::Completed);
    // Reports go one after the other: when the next has come, the receipt of the first is there.
    assert_eq!(stage.hand(stage.signed(2, &[&stage.ada])).await.outcome, OutcomeWord::Completed);
    stage.hub.desk.hand(vec![HandedTask { attempt: 2, ..work.clone() }]);
    assert_eq!(stage.hub.desk.results(work.id, 2).await[1].outcome, OutcomeWord::Completed, "from the ledger");
    assert_eq!(stage.refused(HandedTask { run: 2, ..work }).await, "operation_repeated");
    assert_eq!(stage.journal.read(), [r#"{"n":1}"#, r#"{"n":2}"#], "never the task's own payload");
    stage.stop().await;
}

#[tokio::test]
async fn no_flipped_bit_of_an_operation_goes_through() {
    let stage = Stage::new(POLICY).await;
    let good = stage.signed(1, &[&stage.ada]);
    let mut seen = Vec::new();
    let text = serde_json::to_vec(good.operation.as_ref().unwrap()).unwrap();
    for place in 0..text.len() {
        let mut flipped = text.clone();
        flipped[place] ^= 1 << (place % 7);
        // What is no envelope at all, no hub can hand out.
        let Ok(envelope) = serde_json::from_slice::<Envelope>(&flipped) else { continue };
        // Another spelling of the same bytes is the same operation.
        if envelope != **good.operation.as_ref().unwrap() {
            seen.push(HandedTask { id: id(1000 + place as u128), operation: Some(Box::new(envelope)), ..good.clone() });
        }
    }
    assert!(seen.len() > 500, "{} of {}", seen.len(), text.len());
    for tasks in seen.chunks(50) {
        stage.hub.desk.hand(tasks.to_vec());
        for handed in tasks {
            let result = stage.hub.desk.result(handed.id).await;
            assert_eq!(result.outcome, OutcomeWord::Rejected, "{result:?}");
            assert_eq!(result.code.unwrap().0, "signature_invalid");
        }
    }
    assert!(stage.journal.read().is_empty());
    assert_eq!(stage.hand(good).await.outcome, OutcomeWord::Completed);
    stage.stop().await;
}

#[tokio::test]
async fn a_site_may_demand_more_signatures_and_counts_each_operator_once() {
    let (ada, bob) = (Person::new("ada"), Person::new("bob"));
    let first = Person::set(1, 2, &[&ada, &bob], &[&ada, &bob]);
    let policy = POLICY.to_owned() + "signatures = 2\n";
    let mut stage = Stage::of(ada, &policy, Some(Given::Chain(chain(&[&first])))).await;
    stage.start();
    let ada = &stage.ada;
    assert_eq!(stage.refused(stage.signed(1, &[ada])).await, "signatures_too_few");
    assert_eq!(stage.refused(stage.signed(2, &[ada, ada])).await, "signatures_too_few");
    assert_eq!(stage.refused(stage.signed(3, &[ada, &Person::new("eve")])).await, "signatures_too_few");
    assert_eq!(stage.hand(stage.signed(4, &[ada, &bob])).await.outcome, OutcomeWord::Completed);
    stage.stop().await;
}

#[tokio::test]
async fn a_site_without_operators_refuses_and_says_what_to_type_and_one_where_it_is_routine_asks_nobody() {
    let mut stage = Stage::of(Person::new("ada"), POLICY, None).await;
    stage.start();
    let result = stage.hand(stage.signed(1, &[&stage.ada])).await;
    assert_eq!(result.code.unwrap().0, "operators_unknown");
    assert!(result.message.unwrap().contains("sortie agent operators FILE"));
    // From the next one on, without a restart.
    let first = Person::set(1, 1, &[&stage.ada], &[&stage.ada]);
    let given = Some(Given::Chain(chain(&[&first])));
    let command = SetOperators { settings: stage.site.settings.clone(), given, replace: false };
    set_operators(command, Clock::new(|| NOW), &entropy()).await.unwrap();
    assert_eq!(stage.hand(stage.signed(2, &[&stage.ada])).await.outcome, OutcomeWord::Completed);
    stage.site.set_policy("allow = [\"work\"]");
    let nobody_s = stage.signed(3, &[&Person::new("eve")]);
    assert_eq!(stage.hand(nobody_s).await.outcome, OutcomeWord::Completed);
    assert_eq!(stage.journal.read(), [r#"{"n":2}"#, r#"{"n":"unsigned"}"#]);
    stage.stop().await;
}

#[tokio::test]
async fn operations_are_never_asked_for_again() {
    let stage = Stage::new(POLICY).await;
    let fails = stage.hand(stage.said(1, |s| s["params"] = json!("fails"))).await;
    assert_eq!((fails.outcome, fails.retry), (OutcomeWord::Failed, false));
    stage.stop().await;
}

#[tokio::test]
async fn the_operators_follow_one_another_before_what_the_new_ones_signed_is_judged() {
    let stage = Stage::new(POLICY).await;
    let (ada, bob) = (&stage.ada, Person::new("bob"));
    let second = Person::set(2, 1, &[&bob], &[ada]);
    let desk = &stage.hub.desk;
    desk.operators.lock().unwrap().push((2, second));
    // The hub is busy at first: the run waits, rather than being judged by operators who are no more.
    desk.refuse_operators.lock().unwrap().push_back(ProblemCode::StorageUnavailable);
    let (by_bob, by_ada) = (stage.signed(1, &[&bob]), stage.signed(2, &[ada]));
    let mut delivery = desk.delivery(vec![by_bob.clone(), by_ada.clone()]);
    delivery.operators_version = 2;
    desk.send(&delivery);
    assert_eq!(desk.result(by_bob.id).await.outcome, OutcomeWord::Completed);
    let removed = desk.result(by_ada.id).await;
    assert_eq!(removed.code.unwrap().0, "signer_unknown", "she was removed");
    desk.look(|asked| assert_eq!(asked.operators, [1, 1]));
    stage.stop().await;
}

#[tokio::test]
async fn what_was_told_of_newer_operators_is_known_after_a_restart() {
    let mut stage = Stage::new(POLICY).await;
    let bob = Person::new("bob");
    let second = Person::set(2, 1, &[&bob], &[&stage.ada]);
    let desk = std::sync::Arc::clone(&stage.hub.desk);
    desk.refuse_operators.lock().unwrap().extend([ProblemCode::StorageUnavailable; 100]);
    let by_ada = stage.signed(1, &[&stage.ada]);
    let mut delivery = desk.delivery(vec![by_ada.clone()]);
    delivery.operators_version = 2;
    desk.send(&delivery);
    desk.until("a question for operators", |asked| (!asked.operators.is_empty()).then_some(())).await;
    desk.until("its acknowledgement", |asked| asked.waits.iter().any(|wait| wait.ack == 1).then_some(())).await;
    stage.agent.take().unwrap().kill().await;
    desk.operators.lock().unwrap().push((2, second));
    desk.refuse_operators.lock().unwrap().clear();
    stage.start();
    assert_eq!(desk.result(by_ada.id).await.code.unwrap().0, "signer_unknown");
    assert!(stage.journal.read().is_empty());
    stage.stop().await;
}

#[tokio::test]
async fn a_hub_cannot_fork_skip_or_set_back_the_operators() {
    let stage = Stage::new(POLICY).await;
    let (ada, eve) = (&stage.ada, Person::new("eve"));
    let links = [
        Person::set(2, 1, &[&eve], &[&eve]),
        Person::set(3, 1, &[&eve], &[ada]),
        Person::set(1, 1, &[&eve], &[&eve]),
        Person::set(2, 1, &[&eve], &[]),
    ];
    let desk = &stage.hub.desk;
    for (n, link) in (1..).zip(links) {
        *desk.operators.lock().unwrap() = vec![(100, link)];
        let work = stage.signed(n, &[&eve]);
        let mut delivery = desk.delivery(vec![work.clone()]);
        delivery.operators_version = 10 + n as u64;
        desk.send(&delivery);
        assert_eq!(desk.result(work.id).await.code.unwrap().0, "signer_unknown", "{n}");
    }
    assert_eq!(stage.hand(stage.signed(50, &[ada])).await.outcome, OutcomeWord::Completed);
    stage.stop().await;
}

#[tokio::test]
async fn a_fingerprint_is_enough_for_a_site_that_the_hub_then_hands_the_operators() {
    let (ada, bob) = (Person::new("ada"), Person::new("bob"));
    let first = Person::set(1, 1, &[&bob], &[&bob]);
    let second = Person::set(2, 1, &[&ada], &[&bob]);
    let fingerprint = fingerprint_of(&second).unwrap();
    let mut stage = Stage::of(ada, POLICY, Some(Given::Fingerprint(fingerprint))).await;
    stage.start();
    let result = stage.hand(stage.signed(1, &[&stage.ada])).await;
    assert_eq!(result.code.unwrap().0, "operators_unknown");
    // Others than the one that was named count for nothing.
    let desk = &stage.hub.desk;
    *desk.operators.lock().unwrap() = vec![(1, first.clone())];
    let work = stage.signed(2, &[&bob]);
    let mut delivery = desk.delivery(vec![work.clone()]);
    delivery.operators_version = 1;
    desk.send(&delivery);
    assert_eq!(desk.result(work.id).await.code.unwrap().0, "operators_unknown");
    *desk.operators.lock().unwrap() = vec![(1, first), (2, second)];
    let work = stage.signed(3, &[&stage.ada]);
    let mut delivery = desk.delivery(vec![work.clone()]);
    delivery.operators_version = 2;
    desk.send(&delivery);
    assert_eq!(desk.result(work.id).await.outcome, OutcomeWord::Completed);
    stage.stop().await;
}

#[tokio::test]
async fn neither_a_lying_hub_nor_a_clock_that_was_set_back_revives_an_old_operation() {
    let mut stage = Stage::new(POLICY).await;
    let old = |stage: &Stage, n| {
        stage.said(n, |s| {
            s["issued_at"] = json!(NOW.0 - 1000);
            s["expires_at"] = json!(NOW.0 + Span::minutes(1).0);
        })
    };
    // The hub says that it is later, once, by as much as is believed without asking, and brings no work.
    let later = NOW + Span::minutes(4);
    stage.hub.desk.say(|delivery| (delivery.issued_at, delivery.expires_at) = (later, later + Span::minutes(10)));
    stage.hub.desk.until("the wait after it", |asked| (asked.waits.len() > 1).then_some(())).await;
    // From then on it says that it is earlier, and the machine has forgotten the time.
    stage.agent.take().unwrap().stop().await;
    stage.site.set_clock(Clock::new(|| Millis(0)));
    stage.start();
    assert_eq!(stage.refused(old(&stage, 1)).await, "operation_expired");
    stage.stop().await;
    let mut stage = Stage::new(POLICY).await;
    // The same with work.
    let work = old(&stage, 2);
    let mut delivery = stage.hub.desk.delivery(vec![work.clone()]);
    (delivery.issued_at, delivery.expires_at) = (later, later + Span::minutes(10));
    stage.hub.desk.send(&delivery);
    assert_eq!(stage.hub.desk.result(work.id).await.code.unwrap().0, "operation_expired");
    stage.agent.take().unwrap().stop().await;
    stage.site.set_clock(Clock::new(|| Millis(0)));
    stage.start();
    assert_eq!(stage.refused(old(&stage, 3)).await, "operation_expired");
    stage.stop().await;
    let mut stage = Stage::new(POLICY).await;
    stage.agent.take().unwrap().stop().await;
    // The machine's own clock is later than what the hub says.
    stage.site.set_clock(Clock::new(|| NOW + Span::hours(2)));
    stage.start();
    assert_eq!(stage.refused(old(&stage, 4)).await, "operation_expired");
    assert!(stage.journal.read().is_empty());
    stage.stop().await;
}

#[tokio::test]
async fn a_run_that_waits_for_newer_operators_can_be_called_off() {
    let stage = Stage::new(POLICY).await;
    let desk = &stage.hub.desk;
    desk.refuse_operators.lock().unwrap().extend([ProblemCode::StorageUnavailable; 100]);
    let work = HandedTask { lease: Span::seconds(1), ..stage.signed(1, &[&stage.ada]) };
    let mut delivery = desk.delivery(vec![work.clone()]);
    delivery.operators_version = 2;
    desk.send(&delivery);
    desk.until("a question for operators", |asked| (!asked.operators.is_empty()).then_some(())).await;
    desk.pulse.lock().unwrap().0.push(work.id);
    assert_eq!(desk.result(work.id).await.outcome, OutcomeWord::Cancelled);
    assert!(stage.journal.read().is_empty());
    stage.stop().await;
}

#[tokio::test]
async fn an_operation_that_a_crash_cut_is_not_begun_again_though_the_hub_calls_it_repeatable() {
    let mut stage = Stage::new(POLICY).await;
    let (started, told) = (Journal::default(), Journal::default());
    stage.agent.take().unwrap().stop().await;
    let notes = started.clone();
    let agent = stage.site.start_with(|agent| {
        agent.handler("work", move |_| {
            notes.note("begun");
            std::future::pending()
        })
    });
    let work = stage.signed(1, &[&stage.ada]);
    assert!(work.idempotent, "so the hub says");
    stage.hub.desk.hand(vec![work.clone()]);
    started.until(1).await;
    agent.kill().await;
    stage.journal = told;
    stage.start();
    assert_eq!(stage.hub.desk.result(work.id).await.outcome, OutcomeWord::Interrupted);
    assert!(stage.journal.read().is_empty());
    stage.stop().await;
}
