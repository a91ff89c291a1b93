//! One request and its answer: written, sent, read up to a limit, and understood.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Method, Response, StatusCode, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sortie_rules::limits::{BATCH_BODY_BYTES_MAX, WAIT_MAX};
use sortie_rules::protocols;
use sortie_rules::time::Span;
use sortie_wire::problem::{Problem, ProblemCode};

use crate::classify::classify;
use crate::error::ClientError;

/// Longest time for name, connection and handshake.
pub(crate) const CONNECT_TIME: Duration = Duration::from_secs(10);
/// How often a silent connection is tried, so that a dead one is noticed.
pub(crate) const TCP_KEEPALIVE: Duration = Duration::from_secs(20);
/// How long a connection is kept for another request (shorter than the usual idle cut of proxies).
pub(crate) const IDLE_TIME: Duration = Duration::from_secs(45);
/// Most connections that are kept for another request.
pub(crate) const IDLE_CONNECTIONS_MAX: usize = 32;
/// Largest answer that is read, in bytes: a task with its result, or a delivery in base64.
pub(crate) const ANSWER_BYTES_MAX: usize = BATCH_BODY_BYTES_MAX;
/// Longest time that the hub's wish for a pause is heeded.
const RETRY_AFTER_MAX: Span = Span::hours(1);
/// Time for a call, beyond what the hub may hold it and what its body needs.
const ANSWER_TIME: Duration = Duration::from_secs(30);
/// Time for the answer of a held call, beyond the hold.
const HELD_ANSWER_TIME: Duration = Duration::from_secs(10);
/// The slowest line for which time is allowed, in bytes per second.
const SLOWEST_LINE: usize = 16 * 1024;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// A hub's address and the connections to it.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    http: Client,
    base: Url,
    name: String,
}

/// What a request was answered with, read to its end.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// One request in the making.
#[derive(Debug)]
pub(crate) struct Call<'l> {
    line: &'l Line,
    method: Method,
    url: Url,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Option<Bytes>,
    held: Option<u32>,
}

impl Line {
    pub(crate) fn new(http: Client, base: Url) -> Line {
        let name = base.as_str().trim_end_matches('/').to_owned();
        Line { http, base, name }
    }

    /// The hub's address as errors and logs show it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A request to the path made of these parts, each escaped by itself.
    pub(crate) fn call(&self, method: Method, path: &[&str]) -> Call<'_> {
        let mut url = self.base.clone();
        if let Ok(mut parts) = url.path_segments_mut() {
            parts.pop_if_empty().extend(path);
        }
        Call { line: self, method, url, headers: Vec::new(), body: None, held: None }
    }
}

impl Call<'_> {
    /// With this query.
    pub(crate) fn query(mut self, query: &impl Serialize) -> Result<Self, ClientError> {
        let value = serde_json::to_value(query).map_err(ClientError::Unwritable)?;
        let mut pairs = self.url.query_pairs_mut();
        for (name, value) in value.as_object().into_iter().flatten() {
            match value {
                serde_json::Value::Null => {}
                serde_json::Value::String(text) => drop(pairs.append_pair(name, text)),
                other => drop(pairs.append_pair(name, &other.to_string())),
            }
        }
        drop(pairs);
        if self.url.query() == Some("") {
            self.url.set_query(None);
        }
        Ok(self)
    }

    /// With this body.
    pub(crate) fn body(mut self, body: &impl Serialize) -> Result<Self, ClientError> {
        self.body = Some(serde_json::to_vec(body).map_err(ClientError::Unwritable)?.into());
        Ok(self)
    }

    /// With a body that is JSON already.
    pub(crate) fn written_body(mut self, json: impl Into<Bytes>) -> Self {
        self.body = Some(json.into());
        self
    }

    /// The hub may hold the answer so many seconds.
    pub(crate) fn held(mut self, seconds: u32) -> Self {
        self.held = Some(seconds);
        self
    }

    /// With this proof of who is asking. A proof that cannot stand in a header is left out, and the
    /// hub will say so.
    pub(crate) fn authorization(self, value: &str) -> Self {
        self.secret_header(AUTHORIZATION, value)
    }

    /// With this key, by which a repeated request is known.
    pub(crate) fn idempotency_key(self, key: &str) -> Self {
        self.header(IDEMPOTENCY_KEY, key)
    }

    /// As a part of this trace, if there is one.
    pub(crate) fn traceparent(self, trace: Option<&str>) -> Self {
        match trace {
            Some(trace) => self.header(TRACEPARENT, trace),
            None => self,
        }
    }

    /// What is asked, as a proof for this one request names it: method, path and query as the hub sees them, body.
    /// A path before the hub's own is for whatever stands before the hub.
    pub(crate) fn asked(&self) -> (&str, String, &[u8]) {
        let before = self.line.base.path().trim_end_matches('/');
        let path = self.url.path().strip_prefix(before).unwrap_or(self.url.path());
        let target = self.url.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
        (self.method.as_str(), target, self.body.as_deref().unwrap_or_default())
    }

    /// Sends it and understands the answer.
    pub(crate) async fn send<T: DeserializeOwned>(self) -> Result<T, ClientError> {
        let line = self.line;
        self.exchange().await?.understand(line)
    }

    /// Sends it and reads an answer that is no JSON, unless it is a refusal.
    pub(crate) async fn send_for_bytes(self) -> Result<Vec<u8>, ClientError> {
        let line = self.line;
        let answer = self.exchange().await?;
        if answer.status.is_success() {
            return Ok(answer.body);
        }
        answer.understand::<serde_json::Value>(line).map(|_| answer.body)
    }

    /// Sends it and reads the answer, whatever that is.
    pub(crate) async fn exchange(self) -> Result<Answered, ClientError> {
        let (line, time) = (self.line, self.time());
        let mut request = line.http.request(self.method, self.url).timeout(time).header(ACCEPT, "application/json");
        request = request.header(protocols::HEADER, protocols::spoken());
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        if let Some(body) = self.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        let mut response = request.send().await.map_err(|error| classify(&line.name, error))?;
        let body = read(line, &mut response).await?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        Ok(Answered { status, headers, body })
    }

    fn time(&self) -> Duration {
        let body = self.body.as_ref().map_or(0, Bytes::len);
        let hold = self.held.map(|seconds| Duration::from_secs(u64::from(seconds)).min(WAIT_MAX.to_std()));
        let answer = hold.map_or(ANSWER_TIME, |hold| hold + HELD_ANSWER_TIME);
        answer + Duration::from_secs((body / SLOWEST_LINE) as u64)
    }

    fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    fn secret_header(self, name: HeaderName, value: &str) -> Self {
        let mut call = self.header(name, value);
        if let Some((_, value)) = call.headers.last_mut() {
            value.set_sensitive(true);
        }
        call
    }
}

async fn read(line: &Line, response: &mut Response) -> Result<Vec<u8>, ClientError> {
    let too_large = ClientError::TooLarge { limit: ANSWER_BYTES_MAX };
    let expected = usize::try_from(response.content_length().unwrap_or(0)).unwrap_or(usize::MAX);
    if expected > ANSWER_BYTES_MAX {
        return Err(too_large);
    }
    let mut body = Vec::with_capacity(expected);
    while let Some(chunk) = response.chunk().await.map_err(|error| classify(&line.name, error))? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err(too_large);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

impl Answered {
    /// A hub answers with JSON or, where it refuses, with a problem whose status is the answer's own.
    pub(crate) fn understand<T: DeserializeOwned>(&self, line: &Line) -> Result<T, ClientError> {
        let retry_after = retry_after(&self.headers);
        let not_sortie = || ClientError::NotSortie {
            hub: line.name.clone(),
            status: self.status.as_u16(),
            content_type: content_type(&self.headers),
            retry_after,
        };
        if self.status.is_success() {
            let is_nothing = self.body.is_empty() && self.status == StatusCode::NO_CONTENT;
            let body = if is_nothing { b"null" } else { &self.body[..] };
            return serde_json::from_slice(body).map_err(|_| not_sortie());
        }
        match problem(&self.body) {
            Some(problem) if problem.status == self.status.as_u16() => {
                Err(ClientError::Problem { problem: Box::new(problem), retry_after })
            }
            _ => Err(not_sortie()),
        }
    }

    /// A header's text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A newer hub may know problems that this program does not. Their sentence and status are kept;
/// their code becomes `internal`, on which nothing is decided.
fn problem(body: &[u8]) -> Option<Problem> {
    if let Ok(problem) = serde_json::from_slice::<Problem>(body) {
        return Some(problem);
    }
    let mut document: serde_json::Value = serde_json::from_slice(body).ok()?;
    let code = document.get_mut("code")?;
    *code = serde_json::Value::from(ProblemCode::Internal.as_str());
    serde_json::from_value(document).ok()
}

fn content_type(headers: &HeaderMap) -> Option<String> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(kind.chars().take(100).collect())
}

/// Only the form in seconds: the hub sends no other, and a date would be judged by a clock that may be wrong.
fn retry_after(headers: &HeaderMap) -> Option<Span> {
    let seconds: i64 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    (seconds >= 0).then(|| Span(seconds.saturating_mul(1000)).min(RETRY_AFTER_MAX))
}
