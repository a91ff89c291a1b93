//! A hub as a person or program sees it. Cheap to clone; clones share their connections.

use std::fmt;
use std::sync::Arc;

use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sortie_wire::tokens::Whoami;

use crate::call::{Call, Line};
use crate::connect::{Connect, SetupError};
use crate::error::ClientError;
use crate::retry::{Patience, Repeat, patiently};

/// An API token, as it stands after `Authorization: Bearer`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(pub String);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(withheld)")
    }
}

/// A hub as a person or program sees it.
#[derive(Debug, Clone)]
pub struct Hub {
    line: Arc<Line>,
    token: Token,
    patience: Patience,
    traceparent: Option<String>,
}

impl Hub {
    /// A hub, a token for it, and how long calls are tried. Nothing is sent yet.
    pub fn open(connect: &Connect, token: Token, patience: Patience) -> Result<Hub, SetupError> {
        Ok(Hub { line: Arc::new(connect.line()?), token, patience, traceparent: None })
    }

    /// The same hub; calls belong to this trace (W3C Trace Context).
    #[must_use]
    pub fn traced(&self, traceparent: impl Into<String>) -> Hub {
        Hub { traceparent: Some(traceparent.into()), ..self.clone() }
    }

    /// The hub's address as people read it.
    pub fn address(&self) -> &str {
        self.line.name()
    }

    /// Who the token makes us, and which hub this is.
    pub async fn whoami(&self) -> Result<Whoami, ClientError> {
        self.get(&["whoami"], &()).await
    }

    /// A key for a creation that the caller gave none.
    pub(super) fn key(&self, given: Option<&str>) -> String {
        given.map_or_else(|| self.patience.entropy.hex(), str::to_owned)
    }

    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.repeat(Repeat::Safely, || self.call(Method::GET, path).query(query)).await
    }

    /// A read of something that is no JSON.
    pub(super) async fn get_bytes(&self, path: &[&str], query: &impl Serialize) -> Result<Vec<u8>, ClientError> {
        let make = || self.call(Method::GET, path).query(query);
        patiently(&self.patience, Repeat::Safely, || async { make()?.send_for_bytes().await }).await
    }

    /// A read of what the hub tells agents and everybody else.
    pub(super) async fn get_told<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &impl Serialize,
    ) -> Result<T, ClientError> {
        let path: Vec<&str> = ["agent", "v1"].into_iter().chain(path.iter().copied()).collect();
        self.repeat(Repeat::Safely, || self.line.call(Method::GET, &path).query(query)).await
    }

    /// A page of a list: what follows `after`, so many rows at most.
    pub(super) async fn get_page<T: DeserializeOwned>(
        &self,
        path: &[&str],
        after: Option<String>,
        limit: Option<u32>,
    ) -> Result<T, ClientError> {
        #[derive(Serialize)]
        struct Asked {
            after: Option<String>,
            limit: Option<u32>,
        }
        self.get(path, &Asked { after, limit }).await
    }

    /// A read that the hub may hold so many seconds.
    pub(super) async fn held_get<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &impl Serialize,
        seconds: u32,
    ) -> Result<T, ClientError> {
        self.repeat(Repeat::Safely, || Ok(self.call(Method::GET, path).query(query)?.held(seconds))).await
    }

    /// A change that does the same however often it comes.
    pub(super) async fn set<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.repeat(Repeat::Safely, || self.call(method.clone(), path).body(body)).await
    }

    /// A removal, which does the same however often it comes.
    pub(super) async fn remove<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, ClientError> {
        self.repeat(Repeat::Safely, || Ok(self.call(Method::DELETE, path))).await
    }

    /// A creation, known to the hub by its key.
    pub(super) async fn create<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
        key: &str,
    ) -> Result<T, ClientError> {
        self.repeat(Repeat::Safely, || self.call(Method::POST, path).idempotency_key(key).body(body)).await
    }

    /// A deed without a body that may not be done twice.
    pub(super) async fn act<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T, ClientError> {
        self.repeat(Repeat::IfNothingWasDone, || Ok(self.call(Method::POST, path))).await
    }

    /// A change by another method than POST that cannot be told from the same again.
    pub(super) async fn change<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.repeat(Repeat::IfNothingWasDone, || self.call(method.clone(), path).body(body)).await
    }

    /// The same with a query.
    pub(super) async fn act_with<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.repeat(Repeat::IfNothingWasDone, || self.call(Method::POST, path).query(query)).await
    }

    /// The same with a body.
    pub(super) async fn act_on<T: DeserializeOwned>(
        &self,
        path: &[&str],
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        self.repeat(Repeat::IfNothingWasDone, || self.call(Method::POST, path).body(body)).await
    }

    fn call(&self, method: Method, path: &[&str]) -> Call<'_> {
        let path: Vec<&str> = ["api", "v1"].into_iter().chain(path.iter().copied()).collect();
        self.line
            .call(method, &path)
            .authorization(&format!("Bearer {}", self.token.0))
            .traceparent(self.traceparent.as_deref())
    }

    async fn repeat<'h, T: DeserializeOwned>(
        &self,
        repeat: Repeat,
        make: impl Fn() -> Result<Call<'h>, ClientError>,
    ) -> Result<T, ClientError> {
        patiently(&self.patience, repeat, || async { make()?.send().await }).await
    }
}
