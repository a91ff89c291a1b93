//! Doors for the fuzzer and the bench: readers and checks that nobody else outside has to know.

use sortie_rules::ids::{NodeId, TaskId};
use sortie_rules::time::Millis;
use sortie_wire::deliveries::WaitQuery;
use sortie_wire::envelope::{Envelope, Verifier};
use sortie_wire::operators::OperatorChain;

use crate::operations::{Bearer, Known, Site, follow, open};

/// Reads what came over the helper's socket, as either side would.
pub fn helper_lines(bytes: &[u8]) -> Result<(), String> {
    crate::helper::read_lines(bytes)
}

/// Reads a list of what a site has refused.
pub fn refused_list(bytes: &[u8]) -> Result<(), String> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let read = lines.map(serde_json::from_slice::<crate::Refusal>);
    let all: Vec<crate::Refusal> = read.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    // Whatever stands there can be shown on a terminal.
    let obeyed = all.iter().any(|refusal| crate::refusals::in_words(refusal, refusal.at).chars().any(char::is_control));
    assert!(!obeyed, "a terminal would obey what is shown");
    Ok(())
}

/// Reads a desired state whose signature holds, as far as that goes without touching the machine.
pub fn desired_state(message: &[u8]) -> Result<(), String> {
    crate::desired::read_for_nobody(message)
}

/// What a site holds an operation against.
#[derive(Debug)]
pub struct Judged<'t> {
    /// The task with which it came.
    pub task: TaskId,
    /// The task's type.
    pub type_name: &'t str,
    /// This node.
    pub node: NodeId,
    /// The fingerprint of its key.
    pub key: &'t str,
    /// Whom the site believes.
    pub operators: &'t OperatorChain,
    /// What the time is.
    pub now: Millis,
}

impl Judged<'_> {
    /// The payload with which it is carried out, by one operator's signature, or why it is refused.
    pub fn operation(&self, envelope: &Envelope) -> Result<String, String> {
        let believed = follow(&Known::Nobody, self.operators).map_err(|error| error.to_string())?;
        let known = believed.map_or(Known::Nobody, |believed| Known::Set(Box::new(believed)));
        let bearer = Bearer { task: self.task, run: 1, type_name: self.type_name, operation: Some(envelope) };
        let site = Site { node: self.node, key: self.key, needed: 1, known: &known, now: self.now };
        let verified = open(bearer).and_then(|opened| opened.verify(bearer, site));
        verified.map(|verified| verified.params.get().to_owned()).map_err(|failure| format!("{failure:?}"))
    }
}

/// Everything that is asked of the answer to a wait before the ledger is: how many tasks are in it, or why it is
/// refused.
pub fn verify(
    envelope: &Envelope,
    keys: &Verifier,
    me: NodeId,
    asked: &WaitQuery,
    now: Millis,
) -> Result<usize, String> {
    crate::line::verify(envelope, keys, me, asked, now).map_err(|refused| refused.to_string())
}
