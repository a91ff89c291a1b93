//! Finds out from the HTTP client's errors what really happened.

use std::error::Error as StdError;
use std::io;

use rustls::{CertificateError, Error as Rustls};

use crate::error::{ClientError, Stage};
use crate::tls::TlsFault;

/// What a failed exchange with `hub` means.
pub(crate) fn classify(hub: &str, error: reqwest::Error) -> ClientError {
    let error = error.without_url();
    if let Some(fault) = tls_fault(&error) {
        return ClientError::Tls { hub: hub.to_owned(), fault: Box::new(fault) };
    }
    let stage = stage(&error);
    ClientError::Unreachable { hub: hub.to_owned(), stage, source: Box::new(RootCause::of(&error)) }
}

/// What began it all. The layers above it are the HTTP library's own, and say less than [`Stage`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct RootCause(String);

impl RootCause {
    fn of(error: &reqwest::Error) -> RootCause {
        let root = chain(error).last().map(ToString::to_string).unwrap_or_default();
        RootCause(without_manual(&root).to_owned())
    }
}

/// Without the page of its manual that rustls adds to a sentence.
fn without_manual(sentence: &str) -> &str {
    sentence.split_once(": https://docs.rs/").map_or(sentence, |(said, _)| said)
}

/// The words of the HTTP library are read here because it keeps these types to itself. They choose
/// the sentence a person reads, and whether a request can have arrived: unknown words mean that it can.
fn stage(error: &reqwest::Error) -> Stage {
    let words = chain(error).map(|cause| cause.to_string()).collect::<Vec<_>>().join(": ");
    if words.contains("dns error") || words.contains("failed to lookup address") {
        return Stage::Name;
    }
    if words.contains("tunnel error") || words.contains("proxy") {
        return Stage::Proxy;
    }
    match (error.is_connect(), error.is_timeout()) {
        (true, _) => Stage::Connect,
        (false, true) => Stage::Timeout,
        (false, false) => Stage::Broken,
    }
}

fn tls_fault(error: &reqwest::Error) -> Option<TlsFault> {
    let rustls = chain(error).find_map(|cause| {
        let inner = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        inner.and_then(|inner| inner.downcast_ref::<Rustls>()).or_else(|| cause.downcast_ref::<Rustls>())
    })?;
    Some(match rustls {
        Rustls::InvalidCertificate(CertificateError::Other(other)) => match other.0.downcast_ref::<TlsFault>() {
            Some(fault) => fault.clone(),
            None => TlsFault::Other(other.to_string()),
        },
        Rustls::AlertReceived(alert) => TlsFault::Refused { alert: format!("{alert:?}") },
        other => TlsFault::Other(other.to_string()),
    })
}

/// The error and everything that caused it, outermost first. An `io::Error` that wraps another error
/// shows that one's source and not itself, so its inside is visited too.
fn chain<'e>(error: &'e (dyn StdError + 'static)) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |cause| {
        let cause: &'e (dyn StdError + 'static) = *cause;
        let wrapped = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        wrapped.map(|inner| inner as &(dyn StdError + 'static)).or_else(|| cause.source())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_s_manual_is_nothing_for_a_log() {
        let said = "peer closed connection without sending TLS close_notify";
        assert_eq!(without_manual(&format!("{said}: https://docs.rs/rustls/latest/rustls/#eof")), said);
        assert_eq!(without_manual("Connection refused (os error 111)"), "Connection refused (os error 111)");
    }
}
