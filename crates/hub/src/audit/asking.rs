//! With which request something is asked: what the audit log says of it beside who asks.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use sortie_rules::audit::Action;

use crate::fault::Fault;
use crate::http::CorrelationId;
use crate::identity::Peer;

/// A request for something that its route declares to do.
#[derive(Debug, Clone)]
pub(crate) struct Asking {
    /// What its route does.
    pub(crate) action: Action,
    /// Its id, as its answer and the log have it.
    pub(crate) correlation_id: Arc<str>,
    /// Where it comes from.
    pub(crate) address: Option<IpAddr>,
}

impl Asking {
    /// What is known of a request to a route that does this.
    pub(crate) fn of(action: Action, request: &Request) -> Arc<Asking> {
        let extensions = request.extensions();
        Arc::new(Asking {
            action,
            correlation_id: extensions.get::<CorrelationId>().map(|id| Arc::clone(&id.0)).unwrap_or_default(),
            address: extensions.get::<Arc<Peer>>().map(|peer| peer.address),
        })
    }
}

/// For handlers whose callers have not proved who they are.
impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        let asking = parts.extensions.get::<Arc<Asking>>().cloned();
        asking.map(Asked).ok_or_else(|| Fault::Broken("a handler acts whose route declares no action".to_owned()))
    }
}

/// What the guard noted, as handlers take it.
#[derive(Debug, Clone)]
pub(crate) struct Asked(pub(crate) Arc<Asking>);
