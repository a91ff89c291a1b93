//! With what an agent proves who it is: the certificate of the connection or, where that does not arrive, an
//! assertion in each request. What answers an assertion must be signed by the hub, since the connection may end
//! at somebody else.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sortie_rules::ids::NodeId;
use sortie_rules::limits::ASSERTION_LIFE;
use sortie_rules::time::Span;
use sortie_wire::answers::{ANSWER, HEADER, answer_to, read, signed};
use sortie_wire::assertions::{Asserter, Claims, SCHEME, body_hash};
use sortie_wire::envelope::Verifier;
use sortie_wire::problem::ProblemCode;

use crate::call::{Answered, Call, Line};
use crate::clock::{Clock, Entropy, Steady};
use crate::connect::{Connect, SetupError};
use crate::error::{ClientError, Doubt};
use crate::tls::TlsFault;

/// Which proof an agent takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    /// The certificate, unless it does not arrive.
    #[default]
    Auto,
    /// The certificate, whatever becomes of it.
    Certificate,
    /// Assertions; no certificate is shown.
    Assertion,
}

/// The keys with which the hub signs, as they are now.
pub type HubKeys = Arc<dyn Fn() -> Arc<Verifier> + Send + Sync>;

/// With what a node proves who it is.
#[derive(Clone)]
pub struct NodeProof {
    /// Which node.
    pub node: NodeId,
    /// What its hub calls itself.
    pub hub_id: String,
    /// Its private key (PKCS#8, PEM).
    pub key_pem: String,
    /// Which proof it takes.
    pub choice: Choice,
    /// The hub's keys.
    pub keys: HubKeys,
    /// Where ids come from.
    pub entropy: Entropy,
}

impl fmt::Debug for NodeProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeProof({}, {:?}, key withheld)", self.node, self.choice)
    }
}

/// After so long an agent that chose by itself looks whether its certificate arrives again.
const CERTIFICATE_AGAIN: Span = Span::hours(6);

/// Asks with assertions, and knows when to.
pub(super) struct Proving {
    /// Connections on which no certificate is shown.
    line: Line,
    asserter: Asserter,
    proof: NodeProof,
    clock: Clock,
    /// When the certificate was found not to arrive.
    turned: Mutex<Option<Steady>>,
}

impl fmt::Debug for Proving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proving({:?})", self.proof)
    }
}

impl Proving {
    pub(super) fn new(connect: &Connect, proof: NodeProof) -> Result<Proving, SetupError> {
        let unusable = |why: String| SetupError::Identity(why);
        let key = PrivateKeyDer::from_pem_slice(proof.key_pem.as_bytes());
        let key = key.map_err(|error| unusable(format!("the key: {error}")))?;
        let asserter = Asserter::from_pkcs8(key.secret_der()).map_err(|error| unusable(error.to_string()))?;
        let line = Connect { identity: None, ..connect.clone() }.line()?;
        Ok(Proving { line, asserter, proof, clock: connect.clock.clone(), turned: Mutex::new(None) })
    }

    /// Asks, with the proof that arrives. `make` is called once for each try.
    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        certified: &Line,
        make: impl for<'l> Fn(&'l Line) -> Result<Call<'l>, ClientError>,
    ) -> Result<T, ClientError> {
        if self.asserts() {
            return self.assert(make(&self.line)?).await;
        }
        let refused = match make(certified)?.send().await {
            Err(error) if self.proof.choice == Choice::Auto && says_that_none_arrived(&error) => error,
            answer => return answer,
        };
        let answer = self.assert(make(&self.line)?).await;
        match &answer {
            // What is signed is the hub's word, whatever it says.
            Ok(_) | Err(ClientError::Problem { .. }) => {}
            Err(error) if tells_more(error, &refused) => return answer,
            Err(_) => return Err(refused),
        }
        tracing::info!(%refused, "the node's certificate does not arrive at the hub; assertions are sent instead");
        *self.turned.lock().unwrap_or_else(PoisonError::into_inner) = Some(Steady::now());
        answer
    }

    /// Asks with an assertion, and believes a signed answer alone.
    pub(super) async fn assert<T: DeserializeOwned>(&self, call: Call<'_>) -> Result<T, ClientError> {
        let authorization = self.authorization(&call);
        let answer = call.authorization(&authorization).exchange().await?;
        let understood = answer.understand(&self.line);
        match (self.check(&authorization, &answer), understood) {
            (Ok(()), understood) => understood,
            // A page of whatever stands between: it says nothing that the hub could have said.
            (Err(_), Err(error @ ClientError::NotSortie { .. })) => Err(error),
            (Err(doubt), understood) => {
                let (problem, retry_after) = match understood {
                    Err(ClientError::Problem { problem, retry_after }) => (Some(problem), retry_after),
                    _ => (None, None),
                };
                Err(ClientError::Unproven { hub: self.line.name().to_owned(), doubt, problem, retry_after })
            }
        }
    }

    /// On which connections assertions are sent.
    pub(super) fn line(&self) -> &Line {
        &self.line
    }

    /// Whether assertions are sent.
    pub(super) fn asserts(&self) -> bool {
        match self.proof.choice {
            Choice::Certificate => false,
            Choice::Assertion => true,
            Choice::Auto => {
                let turned = *self.turned.lock().unwrap_or_else(PoisonError::into_inner);
                turned.is_some_and(|at| at.elapsed() < CERTIFICATE_AGAIN)
            }
        }
    }

    fn authorization(&self, call: &Call<'_>) -> String {
        let (method, target, body) = call.asked();
        let iat = self.clock.now().0.div_euclid(1000);
        let claims = Claims {
            sub: self.proof.node,
            aud: self.proof.hub_id.clone(),
            iat,
            exp: iat + ASSERTION_LIFE.0 / 1000,
            jti: self.proof.entropy.hex(),
            method: method.to_owned(),
            target,
            body: body_hash(body),
        };
        self.asserter.assert(&claims)
    }

    fn check(&self, authorization: &str, answer: &Answered) -> Result<(), Doubt> {
        let signature = answer.header(HEADER).and_then(read).ok_or(Doubt::Unsigned)?;
        let assertion = authorization.strip_prefix(SCHEME).unwrap_or_default().trim_start();
        let message = signed(&answer_to(assertion), answer.status.as_u16(), &answer.body);
        Ok((self.proof.keys)().check(ANSWER, &message, &[signature])?)
    }
}

/// Whether what became of an assertion says more than why the certificate was not taken: it was signed by a newer
/// key than is known here, say, and whoever asked can follow the hub's keys, and ask again.
fn tells_more(asserted: &ClientError, certified: &ClientError) -> bool {
    let is_about_dates = matches!(asserted, ClientError::Tls { fault, .. } if fault.is_about_dates());
    let came_further = is_about_the_issuer(certified) && !is_about_the_issuer(asserted);
    asserted.is_by_an_unknown_key() || is_about_dates || came_further
}

fn is_about_the_issuer(error: &ClientError) -> bool {
    matches!(error, ClientError::Tls { fault, .. } if fault.is_about_the_issuer())
}

/// Whether an answer means that the certificate did not reach the hub: the hub says so itself, what stands before
/// it does not take a certificate of ours, or the connection ends at somebody who is not the hub.
fn says_that_none_arrived(error: &ClientError) -> bool {
    match error {
        ClientError::Problem { problem, .. } => problem.code == ProblemCode::Unauthenticated,
        ClientError::Tls { fault, .. } => matches!(**fault, TlsFault::Refused { .. }) || fault.is_about_the_issuer(),
        // The statuses with which web servers refuse a client's certificate.
        ClientError::NotSortie { status, .. } => matches!(status, 400 | 401 | 403 | 495 | 496),
        _ => false,
    }
}
