//! Doors for the fuzzer and the bench: readers and checks that nobody else outside has to know.

use sortie_rules::ids::NodeId;
use sortie_rules::time::Millis;
use sortie_wire::deliveries::WaitQuery;
use sortie_wire::envelope::{Envelope, Verifier};

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
