//! Who may pass: each route declares its need, and one guard sees to it before the handler runs.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sortie_rules::access::{Need, Permission, Role};
use sortie_rules::audit::Action;
use sortie_rules::ids::{BootId, NodeId, OrgId};
use sortie_rules::proofs::{Proof, Standing, standing};
use sortie_rules::protocols;
use sortie_rules::time::Millis;
use sortie_wire::problem::ProblemCode;

use crate::app::Shared;
use crate::audit::{self, Asking};
use crate::enrollment::{self, InviteHolder};
use crate::fault::{Fault, refuse};
use crate::http::frame::refusal;
use crate::http::router::unknown_address;
use crate::identity::Peer;
use crate::nodes::{Known, note_clock, note_proof, quarantined};
use crate::people::{self, Principal, holds};
use crate::proofs::{SealedFor, Shown, bound, brought, verify};
use crate::sessions::{self, Renewed};
use crate::trust_api;

/// The node that proved itself on this connection and that the hub still knows.
#[derive(Debug, Clone)]
pub(crate) struct NodeCaller {
    /// Which node.
    pub(crate) node: NodeId,
    /// Its org.
    pub(crate) org: OrgId,
    /// What else is known of it.
    known: Arc<Known>,
    /// The version of the protocol that it and this hub speak.
    pub(crate) protocol: u32,
}

impl NodeCaller {
    /// Whether it proved itself with this key (the SHA-256 of the public key, in hex).
    pub(crate) fn has_key(&self, fingerprint: &str) -> bool {
        self.known.key_fingerprint == fingerprint
    }

    /// Its name, as events call it.
    pub(crate) fn name(&self) -> &str {
        &self.known.name
    }

    /// The key set that it has said it has, the authority of its certificate, and a place to note others.
    pub(crate) fn keys(&self) -> &std::sync::Mutex<(u64, String)> {
        &self.known.keys
    }

    /// Whether this start of its agent is to be told of this key set without being held.
    pub(crate) fn tell_of_keys(&self, boot: BootId, newest: u64) -> bool {
        self.known.tell_of_keys(boot, newest)
    }

    /// That it is the node still. A request that is held asks again when it has taken its place: an
    /// operator may have shut the node out meanwhile, and whoever does so ends only what is held.
    pub(crate) async fn still_stands(&self, app: &Shared) -> Result<(), Fault> {
        let record = app.nodes.find(&app.store, self.node).await?.ok_or_else(unknown_node)?;
        stands(&record, &self.known.key_fingerprint)
    }

    /// The same, and that it gets tasks.
    pub(crate) async fn may_take_tasks(&self, app: &Shared) -> Result<(), Fault> {
        let record = app.nodes.find(&app.store, self.node).await?.ok_or_else(unknown_node)?;
        stands(&record, &self.known.key_fingerprint)?;
        if record.quarantined { Err(quarantined()) } else { Ok(()) }
    }

    /// Notes what the node's own clock shows.
    pub(crate) fn note_clock(&self, app: &Shared, shows: Millis) {
        note_clock(app, &self.known, shows);
    }
}

/// What a node may ask for whose certificate has ended.
const RENEW: &str = "/agent/v1/renew";

/// What the guard of one route works with.
#[derive(Clone)]
pub(crate) struct Guarded {
    pub(crate) app: Shared,
    pub(crate) need: Need,
    /// What the route does, if it does something.
    pub(crate) action: Option<Action>,
}

/// What the guard finds out about a request on the way to its handler.
#[derive(Default)]
struct Found {
    /// A session's secret that was replaced.
    renewed: Option<Renewed>,
    /// The assertion that the answer is to.
    sealed_for: Option<SealedFor>,
    /// Who asks, if the route does something.
    actor: Option<Principal>,
}

/// The innermost layer of every route.
pub(crate) async fn guard(State(guarded): State<Guarded>, mut request: Request, next: Next) -> Response {
    let app = guarded.app.clone();
    if let Some(action) = guarded.action {
        let asking = Asking::of(action, &request);
        request.extensions_mut().insert(asking);
    }
    // Boxed: the request may be held for long, its admission is over soon.
    let mut found = Found::default();
    let mut response = match Box::pin(counted(guarded, request, &mut found)).await {
        Ok(request) => next.run(request).await,
        Err(fault) => fault.into_response(),
    };
    // A secret that was replaced must arrive, whatever else is answered.
    if let Some(Renewed(cookie)) = found.renewed {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    if let Some(sealed_for) = found.sealed_for {
        response.extensions_mut().insert(sealed_for);
    }
    if let (StatusCode::FORBIDDEN, Some(actor)) = (response.status(), found.actor) {
        let code = refusal(&response).unwrap_or(ProblemCode::Forbidden);
        audit::forbidden(&app, &actor, code).await;
    }
    response
}

/// The same as [`admit`], for callers who have requests left.
async fn counted(guarded: Guarded, request: Request, found: &mut Found) -> Result<Request, Fault> {
    let (app, need) = (guarded.app.clone(), guarded.need);
    let asks = app.rates.asks(&request);
    app.rates.comes(&asks, app.clock.now())?;
    let admitted = admit(guarded, request, found).await;
    app.rates.came(&asks, need, admitted, app.clock.now())
}

/// The request, and with it who asks, if it meets the need.
async fn admit(guarded: Guarded, request: Request, found: &mut Found) -> Result<Request, Fault> {
    let Guarded { app, need, .. } = guarded;
    let (mut parts, mut body) = request.into_parts();
    let protocol = match need {
        Need::Invite | Need::Node => spoken_with(&parts)?,
        Need::Nobody | Need::TrustKey | Need::May(_) => 0,
    };
    match need {
        Need::Nobody => {}
        Need::Invite => {
            let (holder, meant) = enrollment::invite_holder(&app, &parts.headers).await?;
            body = bound(body, meant)?;
            parts.extensions.insert(holder);
        }
        Need::Node => {
            let shown = brought(&parts).map(verify).transpose()?;
            let (caller, proof) = match shown {
                Some(shown) => {
                    found.sealed_for = Some(SealedFor(shown.answer_to.clone()));
                    let caller = asserting_node(&app, &mut parts, &shown).await?;
                    body = bound(body, shown.body)?;
                    (caller, Proof::Assertion)
                }
                None => (certified_node(&app, &mut parts).await?, Proof::Certificate),
            };
            app.presence.heard(&app, caller.node, caller.org);
            note_proof(&app, &caller.known, proof);
            parts.extensions.insert(NodeCaller { protocol, ..caller });
        }
        Need::TrustKey => {
            let caller = keyed_node(&app, &mut parts).await?;
            app.rates.of_principal(&format!("node:{}", caller.node).into(), app.clock.now())?;
            parts.extensions.insert(caller);
        }
        Need::May(permission) => {
            let shown = sessions::authenticate(&app, &mut parts).await?;
            found.renewed = parts.extensions.remove::<Renewed>();
            let principal = match shown {
                Some(principal) => principal,
                None => people::authenticate(&app, &parts.headers).await?,
            };
            app.rates.of_principal(&principal.key, app.clock.now())?;
            let asking = parts.extensions.get::<Arc<Asking>>().cloned();
            let principal = principal.asking(asking);
            found.actor = principal.asking.is_some().then(|| principal.clone());
            if !need.met_by(principal.permissions) {
                return Err(may_not(&principal, permission));
            }
            parts.extensions.insert(principal);
        }
    }
    Ok(Request::from_parts(parts, body))
}

fn may_not(who: &Principal, permission: Permission) -> Fault {
    let (needs, has) = (permission.as_str(), who.role.as_str());
    let roles = Role::ALL.into_iter().filter(|role| holds(*role, None, who.org).contain(permission));
    let roles: Vec<&str> = roles.map(Role::as_str).collect();
    let detail = match &roles[..] {
        [] => format!("This needs `{needs}`, which nobody of this org has: it is for the hub's own org."),
        _ if roles.contains(&has) => format!("This needs `{needs}`, which the scopes of this token leave out."),
        roles => format!("This needs `{needs}`: the role {}; you have the role {has}.", roles.join(" or ")),
    };
    refuse(ProblemCode::Forbidden, detail)
}

/// The version of the protocol that this caller and the hub speak.
fn spoken_with(parts: &Parts) -> Result<u32, Fault> {
    let header = parts.headers.get(protocols::HEADER).map(|value| value.to_str().unwrap_or_default());
    protocols::choose(header).map_err(|why| {
        let detail = format!(
            "{why}: this hub serves {}. Use an agent of a version near the hub's ({}).",
            protocols::spoken(),
            env!("CARGO_PKG_VERSION")
        );
        refuse(ProblemCode::ProtocolUnsupported, detail)
    })
}

/// The node whose certificate the connection has shown.
async fn certified_node(app: &Shared, parts: &mut Parts) -> Result<NodeCaller, Fault> {
    let peer = parts.extensions.get::<Arc<Peer>>().and_then(|peer| peer.node.clone());
    let peer = peer.ok_or_else(|| {
        let detail = "This address is for agents: connect with the node's certificate, or bring an assertion. If \
                      something on the way opens connections, no certificate arrives: set proof = \"assertion\".";
        refuse(ProblemCode::Unauthenticated, detail)
    })?;
    let record = app.nodes.find(&app.store, peer.node).await?.ok_or_else(unknown_node)?;
    stands(&record, &peer.key_fingerprint)?;
    app.rates.of_node(peer.node, app.clock.now())?;
    names_itself(parts, peer.node, &record).await?;
    Ok(NodeCaller { node: peer.node, org: record.org, known: record, protocol: 0 })
}

/// The node that has signed an assertion, which counts for this request and no other.
async fn asserting_node(app: &Shared, parts: &mut Parts, shown: &Shown) -> Result<NodeCaller, Fault> {
    shown.is_for(app, parts)?;
    let mut record = app.nodes.find(&app.store, shown.node).await?.ok_or_else(unknown_node)?;
    stands(&record, &shown.key_fingerprint)?;
    app.used.is_new(shown)?;
    app.rates.of_principal(&format!("node:{}", shown.node).into(), app.clock.now())?;
    app.used.once(app, shown).await?;
    let standing = |record: &Known| standing(record.certificate_until, app.clock.now(), app.settings.renewal_grace());
    if standing(&record) != Standing::Holds {
        // Another hub may have renewed it since this one read of it.
        app.nodes.forget(shown.node);
        record = app.nodes.find(&app.store, shown.node).await?.ok_or_else(unknown_node)?;
    }
    match standing(&record) {
        Standing::Holds => {}
        Standing::Renewable if parts.uri.path() == RENEW => {}
        Standing::Renewable => {
            let detail = "The node's certificate has ended: renew it first, with the same key.";
            return Err(refuse(ProblemCode::CertificateEnded, detail));
        }
        Standing::Lapsed => {
            let detail = format!(
                "The node's certificate ended more than {} ago; the node may come back with an invite made with \
                 --replace.",
                app.settings.renewal_grace()
            );
            return Err(refuse(ProblemCode::CertificateEnded, detail));
        }
    }
    names_itself(parts, shown.node, &record).await?;
    Ok(NodeCaller { node: shown.node, org: record.org, known: record, protocol: 0 })
}

/// That a path which names a node names this one. Whoever names another to learn where it stands, as
/// `sortie doctor` does, is told what keeps it from tasks.
async fn names_itself(parts: &mut Parts, node: NodeId, record: &Known) -> Result<(), Fault> {
    let params = RawPathParams::from_request_parts(parts, &()).await.ok();
    let named = params.as_ref().and_then(|params| params.iter().find(|(key, _)| *key == "node_id"));
    if named.is_some_and(|(_, id)| id != node.to_string()) {
        if record.quarantined {
            return Err(quarantined());
        }
        return Err(refuse(ProblemCode::NodeMismatch, "The path names another node than the proof."));
    }
    Ok(())
}

/// The node whose key the request bears, if it is the one that the path names.
async fn keyed_node(app: &Shared, parts: &mut Parts) -> Result<NodeCaller, Fault> {
    if !app.settings.trust_api {
        return Err(unknown_address(&parts.uri));
    }
    let (node, key_fingerprint) = trust_api::authenticate(app, &parts.headers).await?;
    let record = app.nodes.find(&app.store, node).await?.ok_or_else(unknown_node)?;
    stands(&record, &key_fingerprint)?;
    let params = RawPathParams::from_request_parts(parts, &()).await.ok();
    let named = params.as_ref().and_then(|params| params.iter().find(|(key, _)| *key == "trust_name"));
    if !named.is_some_and(|(_, name)| name.eq_ignore_ascii_case(&record.name)) {
        return Err(refuse(ProblemCode::NodeMismatch, "The path names another trust than the key."));
    }
    app.presence.heard(app, node, record.org);
    Ok(NodeCaller { node, org: record.org, known: record, protocol: 0 })
}

/// Whether the holder of this key is the node now.
fn stands(record: &Known, key_fingerprint: &str) -> Result<(), Fault> {
    if record.revoked {
        return Err(refuse(
            ProblemCode::CertificateRevoked,
            "An operator revoked this node; it may come back with an invite made with --replace.",
        ));
    }
    if record.key_fingerprint != key_fingerprint {
        return Err(refuse(
            ProblemCode::CertificateRevoked,
            "The node enrolled anew with another key; this one is void.",
        ));
    }
    Ok(())
}

fn unknown_node() -> Fault {
    refuse(ProblemCode::NodeUnknown, "This hub does not know the node that the proof names.")
}

impl<S: Send + Sync> FromRequestParts<S> for NodeCaller {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        parts.extensions.get::<NodeCaller>().cloned().ok_or_else(undeclared)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for InviteHolder {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        parts.extensions.get::<InviteHolder>().cloned().ok_or_else(undeclared)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Principal {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Fault> {
        parts.extensions.get::<Principal>().cloned().ok_or_else(undeclared)
    }
}

fn undeclared() -> Fault {
    Fault::Broken("a handler takes a caller that its route does not declare".to_owned())
}
