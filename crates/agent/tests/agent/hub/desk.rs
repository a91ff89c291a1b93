//! What the test hub knows, what it is told to do, and what it was asked.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use rcgen::{KeyPair, PKCS_ED25519};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sortie_rules::ids::{Id, NodeId, TaskId};
use sortie_rules::time::{Millis, Span};
use sortie_wire::deliveries::{Answers, Delivery, HandedTask, WaitQuery};
use sortie_wire::desired::{DESIRED, DesiredQuery, Observed};
use sortie_wire::enrollment::{Enroll, Renew};
use sortie_wire::envelope::{DELIVERY, Envelope, KEYS, Signer};
use sortie_wire::events::SendEvents;
use sortie_wire::heartbeat::Heartbeat;
use sortie_wire::keys::{KeyChain, KeySet, TrustedAuthority};
use sortie_wire::problem::ProblemCode;
use sortie_wire::refusals::RefusalReport;
use sortie_wire::reports::SendReport;
use sortie_wire::results::RunResult;
use tokio::sync::Notify;

use super::authority::Authority;

use super::NOW;

/// Longest that a test waits for a state.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the hub was asked so far.
#[derive(Default)]
pub(crate) struct Asked {
    pub(crate) enrollments: Vec<Enroll>,
    pub(crate) renewals: Vec<Renew>,
    pub(crate) waits: Vec<WaitQuery>,
    pub(crate) heartbeats: Vec<Heartbeat>,
    /// Results as they came, repetitions included.
    pub(crate) results: Vec<RunResult>,
    pub(crate) results_refused: usize,
    /// Refusals as they were told, by reason; the newest word counts.
    pub(crate) refusals: Vec<RefusalReport>,
    pub(crate) refusals_unheard: usize,
    pub(crate) times: usize,
    pub(crate) keys: usize,
    /// After which versions operators were asked for.
    pub(crate) operators: Vec<u64>,
    /// How the desired state was asked for.
    pub(crate) desired: Vec<DesiredQuery>,
    /// What was said of it.
    pub(crate) observed: Vec<Observed>,
    /// Facts of the site, as they came.
    pub(crate) reports: Vec<SendReport>,
    /// Events that the site told by itself, as they came.
    pub(crate) events: Vec<SendEvents>,
}

/// What a wait will be answered with.
pub(crate) enum Letter {
    /// A delivery, which is signed as the answer to the wait that takes it.
    Delivery(Delivery),
    /// Whatever is made for that wait: the body of an answer.
    Made(Made),
}

/// Makes a node's desired state for whoever asks.
type States = Box<dyn Fn(&DesiredQuery) -> Option<Envelope> + Send>;

/// Makes the body of the answer to a wait.
type Made = Box<dyn FnOnce(&WaitQuery) -> Vec<u8> + Send>;

/// What the hub does.
pub(crate) struct Desk {
    pub(crate) node: NodeId,
    signer: Mutex<Signer>,
    /// The key before that one.
    /// For whom certificates are issued, if not for the node.
    other_name: Mutex<Option<String>>,
    retired: Mutex<Option<Signer>>,
    keys: Mutex<KeySet>,
    /// The links after the first key set.
    chain: Mutex<Vec<Envelope>>,
    /// Answers for the next waits.
    queue: Mutex<VecDeque<Letter>>,
    number: Mutex<u64>,
    planned: Mutex<Option<Delivery>>,
    pub(super) is_away: Mutex<bool>,
    /// What results are answered with, if not with receipts.
    pub(crate) refuse_results: Mutex<Option<ProblemCode>>,
    /// Whether the hub cannot keep what it is told of refusals.
    pub(crate) refuse_refusals: Mutex<bool>,
    /// Largest report that is taken, in bytes.
    pub(crate) results_bytes_max: Mutex<usize>,
    /// What the next waits are answered with, before anything in the queue.
    pub(crate) refuse_waits: Mutex<VecDeque<ProblemCode>>,
    /// Tasks that heartbeats are told to cancel, and that they are told are not held.
    pub(crate) pulse: Mutex<(Vec<TaskId>, Vec<TaskId>)>,
    /// The life of the certificates that are given out.
    pub(crate) certificate_life: Mutex<Span>,
    /// What the next questions for operators are answered with, before any set.
    pub(crate) refuse_operators: Mutex<VecDeque<ProblemCode>>,
    /// The sets of operators that it hands on: those after the version that is asked for.
    pub(crate) operators: Mutex<Vec<(u64, Envelope)>>,
    /// The generation that deliveries tell of.
    generation: Mutex<u64>,
    states: Mutex<Option<States>>,
    asked: Mutex<Asked>,
    rung: Notify,
    pub(super) queued: Notify,
}

pub(crate) fn signer() -> Signer {
    Signer::from_pkcs8(&KeyPair::generate_for(&PKCS_ED25519).unwrap().serialize_der()).unwrap()
}

impl Desk {
    /// From now on what is sent is refused as if the hub were in trouble, or is not any more.
    pub(crate) fn set_away(&self, away: bool) {
        *self.is_away.lock().unwrap() = away;
    }

    pub(super) fn new(authority: &Authority) -> Desk {
        let signer = signer();
        let authority = TrustedAuthority { fingerprint: authority.fingerprint(), certificate: authority.pem() };
        let keys =
            KeySet { version: 1, keys: vec![signer.public_key()], authorities: vec![authority], ..KeySet::default() };
        Desk {
            node: Id::from_uuid(uuid::Uuid::from_u128(0xa)),
            signer: Mutex::new(signer),
            retired: Mutex::default(),
            other_name: Mutex::default(),
            keys: Mutex::new(keys),
            chain: Mutex::default(),
            queue: Mutex::default(),
            number: Mutex::new(0),
            planned: Mutex::default(),
            is_away: Mutex::new(false),
            refuse_results: Mutex::new(None),
            refuse_refusals: Mutex::new(false),
            results_bytes_max: Mutex::new(usize::MAX),
            refuse_waits: Mutex::default(),
            pulse: Mutex::default(),
            certificate_life: Mutex::new(Span::days(30)),
            refuse_operators: Mutex::default(),
            operators: Mutex::default(),
            generation: Mutex::new(0),
            states: Mutex::default(),
            asked: Mutex::default(),
            rung: Notify::new(),
            queued: Notify::new(),
        }
    }

    /// Waits until `look` finds what it looks for in what was asked.
    pub(crate) async fn until<T>(&self, what: &str, mut look: impl FnMut(&Asked) -> Option<T>) -> T {
        let looking = async {
            loop {
                let rung = self.rung.notified();
                if let Some(found) = look(&self.asked.lock().unwrap()) {
                    return found;
                }
                rung.await;
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("never came: {what}"))
    }

    /// The results of a task, when there are at least so many.
    pub(crate) async fn results(&self, task: TaskId, count: usize) -> Vec<RunResult> {
        self.until(&format!("{count} results of {task}"), |asked| {
            let found: Vec<RunResult> = asked.results.iter().filter(|result| result.task == task).cloned().collect();
            (found.len() >= count).then_some(found)
        })
        .await
    }

    /// The first result of a task.
    pub(crate) async fn result(&self, task: TaskId) -> RunResult {
        self.results(task, 1).await.remove(0)
    }

    /// Looks at what was asked.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&Asked) -> T) -> T {
        look(&self.asked.lock().unwrap())
    }

    pub(super) fn note(&self, note: impl FnOnce(&mut Asked)) {
        note(&mut self.asked.lock().unwrap());
        self.rung.notify_waiters();
    }

    /// A delivery of these tasks, numbered and valid; nothing is sent yet.
    pub(crate) fn delivery(&self, tasks: Vec<HandedTask>) -> Delivery {
        let mut number = self.number.lock().unwrap();
        if !tasks.is_empty() {
            *number += 1;
        }
        Delivery {
            node: self.node,
            answers: Answers { boot: Id::from_uuid(uuid::Uuid::nil()), seq: 0 },
            number: *number,
            issued_at: NOW,
            expires_at: NOW + Span::minutes(10),
            tasks,
            cancel: vec![],
            results_wanted: false,
            protocol: 1,
            keys_version: self.keys().version,
            operators_version: 0,
            desired_generation: *self.generation.lock().unwrap(),
        }
    }

    /// Signs it as the answer to the next wait, and sends it.
    pub(crate) fn send(&self, delivery: &Delivery) {
        self.put(Letter::Delivery(delivery.clone()));
    }

    /// Answers the next wait with these bytes.
    pub(crate) fn answer(&self, made: impl FnOnce(&WaitQuery) -> Vec<u8> + Send + 'static) {
        self.put(Letter::Made(Box::new(made)));
    }

    fn put(&self, letter: Letter) {
        self.queue.lock().unwrap().push_back(letter);
        self.queued.notify_waiters();
    }

    /// Keeps a delivery for whoever makes a bad answer of it.
    pub(crate) fn plan(&self, delivery: Delivery) {
        *self.planned.lock().unwrap() = Some(delivery);
    }

    /// The delivery that was planned.
    pub(crate) fn planned(&self) -> Delivery {
        self.planned.lock().unwrap().clone().expect("one was planned")
    }

    /// Hands out tasks.
    pub(crate) fn hand(&self, tasks: Vec<HandedTask>) {
        self.send(&self.delivery(tasks));
    }

    /// Sends a word without tasks.
    pub(crate) fn say(&self, word: impl FnOnce(&mut Delivery)) {
        let mut delivery = self.delivery(vec![]);
        word(&mut delivery);
        self.send(&delivery);
    }

    /// What a state says, as the hub signs it.
    pub(crate) fn state(&self, generation: u64, resources: &Value) -> Value {
        json!({ "node": self.node, "generation": generation, "issued_at": NOW, "resources": resources })
    }

    /// Publishes these resources, and tells of it.
    pub(crate) fn publish(&self, generation: u64, resources: &Value) {
        let state = self.state(generation, resources);
        self.publish_signed(generation, self.sign(DESIRED, state.to_string().as_bytes()));
    }

    /// Publishes whatever is in this envelope.
    pub(crate) fn publish_signed(&self, generation: u64, envelope: Envelope) {
        self.publish_made(generation, move |_| Some(envelope.clone()));
    }

    /// Publishes what is made for whoever asks.
    pub(crate) fn publish_made(
        &self,
        generation: u64,
        states: impl Fn(&DesiredQuery) -> Option<Envelope> + Send + 'static,
    ) {
        *self.states.lock().unwrap() = Some(Box::new(states));
        *self.generation.lock().unwrap() = generation;
        self.say(|_| ());
    }

    pub(super) fn state_for(&self, query: &DesiredQuery) -> Option<Envelope> {
        self.states.lock().unwrap().as_ref().and_then(|states| states(query))
    }

    /// The first word on this generation, from `from` on, in which `look` finds what it looks for.
    pub(crate) async fn observed(
        &self,
        what: &str,
        generation: u64,
        from: usize,
        look: impl Fn(&Observed) -> bool,
    ) -> Observed {
        self.until(what, |asked| {
            let heard = asked.observed.iter().skip(from);
            heard.filter(|observed| observed.generation == generation).find(|observed| look(observed)).cloned()
        })
        .await
    }

    /// The body of the answer to this wait, if there is something to say.
    pub(super) fn next(&self, asked: &WaitQuery) -> Option<Vec<u8>> {
        Some(match self.queue.lock().unwrap().pop_front()? {
            Letter::Delivery(delivery) => {
                let delivery = Delivery { answers: asked.answers(), ..delivery };
                let envelope = self.sign(DELIVERY, &serde_json::to_vec(&delivery).unwrap());
                serde_json::to_vec(&envelope).unwrap()
            }
            Letter::Made(made) => made(asked),
        })
    }

    pub(crate) fn sign(&self, kind: &str, message: &[u8]) -> Envelope {
        self.signer.lock().unwrap().sign(kind, message)
    }

    /// The links after this version.
    pub(crate) fn chain(&self, after: u64) -> KeyChain {
        let chain = self.chain.lock().unwrap();
        let links = chain.iter().skip(usize::try_from(after.saturating_sub(1)).unwrap()).cloned().collect();
        KeyChain { links, newest: self.keys().version }
    }

    pub(crate) fn keys(&self) -> KeySet {
        self.keys.lock().unwrap().clone()
    }

    /// Signs with a new key from now on and takes the old one out of the set. The old one is returned.
    pub(crate) fn retire(&self) -> Signer {
        self.rotate();
        let mut keys = self.keys.lock().unwrap();
        keys.version += 1;
        keys.keys.remove(0);
        let link = self.sign(KEYS, &serde_json::to_vec(&*keys).unwrap());
        self.chain.lock().unwrap().push(link);
        self.retired.lock().unwrap().take().expect("it was rotated")
    }

    /// Signs with a new key from now on; the old one stays in the set.
    pub(crate) fn rotate(&self) {
        let fresh = signer();
        let mut keys = self.keys.lock().unwrap();
        keys.version += 1;
        keys.keys.push(fresh.public_key());
        let mut link = self.sign(KEYS, &serde_json::to_vec(&*keys).unwrap());
        fresh.also_sign(&mut link).unwrap();
        self.chain.lock().unwrap().push(link);
        *self.retired.lock().unwrap() = Some(std::mem::replace(&mut *self.signer.lock().unwrap(), fresh));
    }

    /// Issues certificates for somebody else from now on.
    pub(crate) fn mistake_names(&self, name: &str) {
        *self.other_name.lock().unwrap() = Some(name.to_owned());
    }

    pub(super) fn certificate_name(&self) -> String {
        self.other_name.lock().unwrap().clone().unwrap_or_else(|| self.node.to_string())
    }

    pub(super) fn certificate_until(&self) -> Millis {
        NOW + *self.certificate_life.lock().unwrap()
    }
}

/// A task to hand out.
pub(crate) fn task(n: u128, type_name: &str, payload: &str) -> HandedTask {
    HandedTask {
        id: Id::from_uuid(uuid::Uuid::from_u128(n)),
        run: 1,
        attempt: 1,
        type_name: type_name.into(),
        idempotent: true,
        lease: Span::seconds(60),
        not_after: None,
        traceparent: None,
        secrets: Vec::new(),
        operation: None,
        payload: RawValue::from_string(payload.into()).unwrap(),
    }
}
