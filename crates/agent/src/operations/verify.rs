//! The site's word on one operation: what was signed is opened, members of the set that stands are counted,
//! and `rules::operations` decides. The agent asks this, and the helper does so again for itself.

use serde_json::value::RawValue;
use sortie_rules::ids::{NodeId, TaskId};
use sortie_rules::operations::{Claims, Demand, judge};
use sortie_rules::tasks::Code;
use sortie_rules::time::Millis;
use sortie_wire::deliveries::HandedTask;
use sortie_wire::envelope::{Distrust, Envelope};
use sortie_wire::operations::Statement;
use sortie_wire::operators::{Signed, open_operation};
use sortie_wire::readable::is_unambiguous;

use super::known::Known;
use crate::handlers::Failure;

/// Digits of a nonce: 128 bits in hex.
const NONCE_DIGITS: usize = 32;

/// The task with which an operation came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bearer<'t> {
    pub(crate) task: TaskId,
    pub(crate) run: u32,
    pub(crate) type_name: &'t str,
    /// What operators signed, if anything came.
    pub(crate) operation: Option<&'t Envelope>,
}

/// What a site holds it against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site<'s> {
    pub(crate) node: NodeId,
    /// The fingerprint of the node's key.
    pub(crate) key: &'s str,
    /// How many must have signed, by the site's policy.
    pub(crate) needed: u32,
    /// Who may.
    pub(crate) known: &'s Known,
    /// The later of the site's time and the hub's.
    pub(crate) now: Millis,
}

/// An operation that may be carried out, once its nonce is seen to be its own.
#[derive(Debug, Clone)]
pub(crate) struct Verified {
    /// What the handler gets.
    pub(crate) params: Box<RawValue>,
    /// The nonce.
    pub(crate) nonce: String,
    /// Until when the operation is valid.
    pub(crate) expires_at: Millis,
}

/// What was signed, before it is held against anything.
#[derive(Debug)]
pub(crate) struct Opened {
    signed: Signed,
    statement: Statement,
}

/// A nonce, and the operation that bears it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Borne {
    pub(crate) nonce: String,
    pub(crate) operation: TaskId,
    pub(crate) expires_at: Millis,
}

/// The nonce of a task's operation, as it says: nothing is verified yet. One that came with another task than
/// its own says nothing.
pub(crate) fn borne(handed: &HandedTask) -> Option<Borne> {
    let statement = Statement::unverified(handed.operation.as_ref()?)?;
    let Statement { operation, nonce, expires_at, .. } = statement;
    let is_its_own = operation == handed.id && is_nonce(&nonce);
    is_its_own.then(|| Borne { nonce: nonce.to_ascii_lowercase(), operation, expires_at })
}

fn is_nonce(text: &str) -> bool {
    text.len() == NONCE_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Opens what was signed. Every signature on it holds after this; whose they are is not judged yet.
pub(crate) fn open(bearer: Bearer<'_>) -> Result<Opened, Failure> {
    let Some(envelope) = bearer.operation else {
        let name = bearer.type_name;
        let message = format!(
            "the policy of this site demands that an operator has signed {name}, and none has; propose it with \
             `sortie op propose {name}`, and sign it"
        );
        return Err(reject(Code::SIGNATURE_MISSING, message));
    };
    let signed = open_operation(envelope).map_err(|error: Distrust| {
        reject(Code::SIGNATURE_INVALID, format!("what came as an operation is not believed: {error}"))
    })?;
    let unreadable =
        |why: String| reject(Code::OPERATION_UNREADABLE, format!("what was signed is no operation: {why}"));
    let statement: Statement =
        serde_json::from_slice(&signed.message).map_err(|error| unreadable(error.to_string()))?;
    if !is_unambiguous(&statement.params) {
        let why = "its payload is nested too deeply, has a key twice in one object, or something that is no value";
        return Err(unreadable(why.to_owned()));
    }
    if !is_nonce(&statement.nonce) {
        return Err(unreadable(format!("its nonce is not {NONCE_DIGITS} digits of hex")));
    }
    Ok(Opened { signed, statement })
}

impl Opened {
    /// Until when it says that it is valid.
    pub(crate) fn expires_at(&self) -> Millis {
        self.statement.expires_at
    }

    /// The operation, if the site has no reason to refuse it.
    pub(crate) fn verify(self, bearer: Bearer<'_>, site: Site<'_>) -> Result<Verified, Failure> {
        let Known::Set(believed) = site.known else { return Err(nobody(site.known, bearer.type_name)) };
        let Opened { signed, statement } = self;
        let claims = Claims {
            operation: statement.operation,
            op: &statement.op,
            node: statement.target.node,
            key: &statement.target.key,
            issued_at: statement.issued_at,
            expires_at: statement.expires_at,
            payload_bytes: statement.params.get().len(),
            signed: believed.operators.set().count(&signed.keys),
        };
        let demand = Demand {
            task: bearer.task,
            run: bearer.run,
            type_name: bearer.type_name,
            node: site.node,
            key: site.key,
            needed: site.needed,
            now: site.now,
        };
        judge(claims, demand).map_err(|refusal| {
            let stands = believed.operators.set().version;
            let set = match refusal.code().0.as_str() {
                Code::SIGNER_UNKNOWN | Code::SIGNATURES_TOO_FEW => {
                    format!(" (this site believes version {stands} of the operators)")
                }
                _ => String::new(),
            };
            reject(&refusal.code().0, format!("the operation is refused: {refusal}{set}"))
        })?;
        let Statement { params, nonce, expires_at, .. } = statement;
        Ok(Verified { params, nonce: nonce.to_ascii_lowercase(), expires_at })
    }
}

/// Another operation has used its nonce.
pub(crate) fn replayed(by: TaskId) -> Failure {
    let message = format!("its nonce was used by the operation {by}; propose it again, and sign it");
    reject(Code::OPERATION_REPLAYED, message)
}

/// The site's own record of its operators cannot be used.
pub(crate) fn unusable(error: &super::Unusable) -> Failure {
    reject(Code::OPERATORS_UNKNOWN, format!("this site's operators cannot be told: {error}"))
}

fn nobody(known: &Known, name: &str) -> Failure {
    let message = match known.fingerprint() {
        Some(fingerprint) => format!(
            "{name} needs an operator, and no set of operators with the fingerprint {fingerprint}, which was given at \
             this site, has come from the hub yet; `sortie agent operators --data DIR` at the site says more"
        ),
        None => format!(
            "{name} needs an operator, and this site knows none; whoever looks after it gives their set with `sortie \
             agent operators FILE --data DIR`, or its fingerprint with `sortie agent operators FINGERPRINT --data DIR`"
        ),
    };
    reject(Code::OPERATORS_UNKNOWN, message)
}

fn reject(code: &str, message: String) -> Failure {
    Failure::Rejected { code: Code::new(code), message }
}
