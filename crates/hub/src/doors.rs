//! Doors for the fuzzer: readers of strangers' bytes that nobody else outside has to know.

use axum::extract::Query;
use axum::http::{HeaderMap, HeaderValue, Uri};
use sortie_wire::deliveries::WaitQuery;

use crate::http::{cookie as find, last_event_id as read};

/// Reads the query of a wait, as its route does.
pub fn wait_query(query: &str) -> Result<(), String> {
    let uri: Uri = format!("/?{query}").parse().map_err(|error| format!("{error}"))?;
    Query::<WaitQuery>::try_from_uri(&uri).map(drop).map_err(|error| error.to_string())
}

/// Looks for the session in a `Cookie` header.
pub fn cookie(header: &[u8]) -> Result<(), String> {
    let headers = with("cookie", header)?;
    find(&headers, "sortie_session").map(drop).ok_or_else(|| "none".to_owned())
}

/// Reads a `Last-Event-ID` header.
pub fn last_event_id(header: &[u8]) -> Result<(), String> {
    let headers = with("last-event-id", header)?;
    read(&headers).map(drop).map_err(|_| "no number".to_owned())
}

/// Reads an assertion, and gives what the key in it has signed.
pub fn assertion(token: &str) -> Result<sortie_wire::assertions::Claims, String> {
    crate::proofs::claims(token).ok_or_else(|| "the key in it has not signed it".to_owned())
}

/// Reads the labels that a list of nodes is asked for.
pub fn labels(query: &str) -> Result<(), String> {
    crate::nodes::labels(query).map(drop).map_err(|fault| format!("{fault:?}"))
}

fn with(name: &'static str, header: &[u8]) -> Result<HeaderMap, String> {
    let value = HeaderValue::from_bytes(header).map_err(|error| error.to_string())?;
    let mut headers = HeaderMap::new();
    headers.insert(name, value);
    Ok(headers)
}
