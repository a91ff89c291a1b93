//! What can go wrong with a call, kept apart as long as someone may decide on it.

use std::error::Error as StdError;
use std::fmt;

use sortie_rules::time::Span;
use sortie_wire::envelope::Distrust;
use sortie_wire::problem::{Problem, ProblemCode};

use crate::tls::TlsFault;

/// A call that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The hub answered with a problem.
    #[error("{problem}")]
    Problem {
        /// The problem.
        problem: Box<Problem>,
        /// How long the hub asks us to wait before another try.
        retry_after: Option<Span>,
    },
    /// No answer came.
    #[error("the hub at {hub} cannot be reached: {stage}")]
    Unreachable {
        /// The hub's address.
        hub: String,
        /// How far we came.
        stage: Stage,
        /// What began it.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// Whoever answered is not believed to be the hub, or does not believe us.
    #[error("no secure connection to the hub at {hub}: {fault}")]
    Tls {
        /// The hub's address.
        hub: String,
        /// What is wrong, and what the other side presented.
        fault: Box<TlsFault>,
    },
    /// An answer that no hub gives: a proxy's page, say.
    #[error("what answered at {hub} is not a Sortie hub (status {status}{})", content(.content_type))]
    NotSortie {
        /// The hub's address.
        hub: String,
        /// The HTTP status of the answer.
        status: u16,
        /// Its media type, if it named one.
        content_type: Option<String>,
        /// How long it asks us to wait before another try.
        retry_after: Option<Span>,
    },
    /// An answer that the hub has not signed, or not as the answer to this request. Nothing is done upon it.
    #[error("what answered at {hub} has not proved to be the hub: {doubt}{}", said(.problem))]
    Unproven {
        /// The hub's address.
        hub: String,
        /// What is wrong with the proof.
        doubt: Doubt,
        /// What it says, if that is a problem: a hub that does not know who is asking does not sign.
        problem: Option<Box<Problem>>,
        /// How long it asks us to wait before another try.
        retry_after: Option<Span>,
    },
    /// The answer is larger than it may be.
    #[error("the hub's answer is larger than {limit} bytes")]
    TooLarge {
        /// Most bytes that are read.
        limit: usize,
    },
    /// What was to be sent could not be written down as JSON.
    #[error("the request cannot be written as JSON")]
    Unwritable(#[source] serde_json::Error),
}

/// Why an answer is not believed to be the hub's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// It bears no signature.
    #[error("its answer is not signed; something between here and the hub answers in its place, or takes headers away")]
    Unsigned,
    /// Its signature counts for nothing.
    #[error("its answer is not signed as the hub's to this request: {0}")]
    Distrusted(#[from] Distrust),
    /// The certificate by whose key it is signed is not the one that is pinned.
    #[error("its answer is not signed by the hub that the invite names: {0}")]
    NotEndorsed(String),
}

/// How far a call came before it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The hub's name was not found.
    Name,
    /// The proxy let nothing through.
    Proxy,
    /// Nobody took the connection.
    Connect,
    /// No answer in time.
    Timeout,
    /// The connection broke in mid-request: the hub may or may not have acted on it.
    Broken,
}

impl Stage {
    /// What a person can do about it.
    pub fn remedy(self) -> &'static str {
        match self {
            Stage::Name => "check the hub's name in its address, and this machine's DNS",
            Stage::Proxy => "check HTTPS_PROXY and NO_PROXY; `sortie doctor` looks closer",
            Stage::Connect => {
                "is the hub running, and does a firewall let this machine out? `sortie doctor` looks closer"
            }
            Stage::Timeout => {
                "the line or the hub is slow, or something swallows the packets; `sortie doctor` looks closer"
            }
            Stage::Broken => "try again; if it was a change, look first whether it was made",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::Name => "its name is not known (DNS)",
            Stage::Proxy => "the proxy does not let us through",
            Stage::Connect => "nobody took the connection",
            Stage::Timeout => "no answer came in time",
            Stage::Broken => "the connection broke",
        })
    }
}

impl ClientError {
    /// Whether the answer bears a signature of a key that is not known here: the hub's keys may have changed.
    pub fn is_by_an_unknown_key(&self) -> bool {
        matches!(self, ClientError::Unproven { doubt: Doubt::Distrusted(Distrust::UnknownKey), .. })
    }

    /// Whether another try of the same request would end the same way. A 401 is final for the
    /// request, and yet no reason to throw a credential away.
    pub fn is_final(&self) -> bool {
        match self {
            ClientError::Problem { problem, .. } => is_final_status(problem.status),
            ClientError::NotSortie { status, .. } => *status < 400 || is_final_status(*status),
            ClientError::Tls { .. } | ClientError::TooLarge { .. } | ClientError::Unwritable(_) => true,
            ClientError::Unreachable { .. } | ClientError::Unproven { .. } => false,
        }
    }

    /// How long the hub asked us to wait before another try.
    pub fn retry_after(&self) -> Option<Span> {
        match self {
            ClientError::Problem { retry_after, .. }
            | ClientError::NotSortie { retry_after, .. }
            | ClientError::Unproven { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The hub's problem, if it answered with one.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            ClientError::Problem { problem, .. } => Some(problem),
            _ => None,
        }
    }

    /// Whether the request surely changed nothing: it never reached the hub, or the hub put it off.
    pub(crate) fn nothing_was_done(&self) -> bool {
        match self {
            ClientError::Unreachable { stage, .. } => matches!(stage, Stage::Name | Stage::Proxy | Stage::Connect),
            ClientError::Problem { problem, .. } => {
                matches!(problem.status, 425 | 429 | 503) && problem.code != ProblemCode::OutcomeUnknown
            }
            _ => false,
        }
    }
}

fn is_final_status(status: u16) -> bool {
    (400..500).contains(&status) && !matches!(status, 408 | 425 | 429)
}

fn said(problem: &Option<Box<Problem>>) -> String {
    problem.as_ref().map(|problem| format!("; it says: {problem}")).unwrap_or_default()
}

fn content(content_type: &Option<String>) -> String {
    content_type.as_ref().map(|kind| format!(", {kind}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(code: ProblemCode) -> ClientError {
        ClientError::Problem { problem: Box::new(Problem::new(code, "x")), retry_after: None }
    }

    #[test]
    fn refusals_are_final_and_postponements_are_not() {
        for code in ProblemCode::ALL {
            let put_off = matches!(code.status(), 408 | 425 | 429 | 500..);
            assert_eq!(problem(*code).is_final(), !put_off, "{}", code.as_str());
        }
        let broken = ClientError::Unreachable { hub: "h".into(), stage: Stage::Broken, source: "x".into() };
        assert!(!broken.is_final() && !broken.nothing_was_done());
    }

    #[test]
    fn what_may_have_been_kept_is_not_nothing() {
        assert!(problem(ProblemCode::StorageUnavailable).nothing_was_done());
        assert!(!problem(ProblemCode::OutcomeUnknown).nothing_was_done());
    }

    #[test]
    fn a_stranger_s_page_is_final_unless_a_proxy_says_that_the_hub_is_away() {
        let page = |status| ClientError::NotSortie { hub: "h".into(), status, content_type: None, retry_after: None };
        assert!(page(200).is_final() && page(302).is_final() && page(404).is_final());
        assert!(!page(502).is_final() && !page(503).is_final() && !page(429).is_final());
    }
}
