//! Who the bearer of a provider's token is. Strangers hear one sentence whatever is wrong with theirs; what
//! it was, stands in the log.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value};
use sortie_rules::ids::{DEFAULT_ORG, OrgId};
use sortie_rules::limits::PROVIDER_TOKEN_BYTES_MAX;
use sortie_rules::sign_in::{Algorithm, Identity, Refusal, judge};
use sortie_rules::time::Millis;
use sortie_store::orgs;
use sortie_wire::problem::ProblemCode;

use super::cache::TokenHash;
use super::client::{Known, Provider};
use super::keys::{Keys, NoKey};
use crate::app::App;
use crate::clock::Stopwatch;
use crate::fault::{Fault, refuse};
use crate::people::principal::{Principal, Proof, holds};

/// A provider's token that was verified.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ProviderToken {
    /// Whose it is.
    pub(crate) org: OrgId,
    /// Its id; `sha256:` and its hash if the provider gave it none.
    pub(crate) jti: String,
    /// From when on it is worth nothing.
    pub(crate) ends_at: Millis,
}

/// A token that was verified, and who bears it.
#[derive(Debug, Clone)]
pub(super) struct Verified {
    pub(super) principal: Principal,
    pub(super) token: Arc<ProviderToken>,
}

/// What the signature of a token is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Unsigned {
    #[error("it is not a signed token")]
    Malformed,
    #[error("its algorithm is not among those of the settings")]
    Algorithm,
    #[error("its header demands what is not understood here")]
    Demands,
    #[error("it names a key that the provider does not have")]
    UnknownKey,
    #[error("the key that it names does not sign with its algorithm")]
    UnfitKey,
    #[error("its signature does not hold")]
    Signature,
}

/// What a token's header says, as far as it matters. Where keys could be got from is not read: they come
/// from the provider.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// Who bears this token, if it holds and is not denied.
pub(in crate::people) async fn authenticate(app: &App, provider: &Provider, token: &str) -> Result<Principal, Fault> {
    let verified = provider.verify(app, token).await?;
    if app.denied.holds(verified.token.org, &verified.token.jti) {
        return Err(refused("it was denied"));
    }
    Ok(verified.principal)
}

/// The one answer to a token that does not hold.
fn refused(why: impl std::fmt::Display) -> Fault {
    tracing::debug!(%why, "A token of the identity provider was refused");
    metrics::counter!("sortie_provider_tokens_refused_total").increment(1);
    refuse(
        ProblemCode::Unauthenticated,
        "The token of the identity provider is not valid, or not any more; sign in again.",
    )
}

impl Provider {
    /// Who bears this token, whether it is denied or not.
    pub(super) async fn verify(&self, app: &App, token: &str) -> Result<Verified, Fault> {
        if token.len() > PROVIDER_TOKEN_BYTES_MAX {
            return Err(refused(format_args!("it is larger than {PROVIDER_TOKEN_BYTES_MAX} bytes")));
        }
        let watch = Stopwatch::start();
        let hash = TokenHash::of(token);
        let round = match self.0.verified.find(hash) {
            Ok(known) if app.clock.now() < known.token.ends_at => {
                metrics::histogram!("sortie_token_check_seconds", "token" => "known").record(watch.seconds());
                return Ok(known);
            }
            Ok(_) => return Err(refused(Refusal::Expired)),
            Err(round) => round,
        };
        let claims = self.claims(app, token).await?;
        let identity = judge(&claims, &self.0.settings.expected(), app.clock.now());
        let identity = identity.map_err(|why| if why.is_of_the_person() { nobody(why) } else { refused(why) })?;
        exists(app, identity.org).await?;
        let verified = verified(identity, token);
        self.0.verified.remember(hash, verified.clone(), round, app.clock.now());
        metrics::histogram!("sortie_token_check_seconds", "token" => "fresh").record(watch.seconds());
        Ok(verified)
    }

    /// The claims of a token whose signature holds. The keys are read anew once if it names another.
    async fn claims(&self, app: &App, token: &str) -> Result<Map<String, Value>, Fault> {
        let known = self.0.known.load_full();
        let signed = |known: &Known| signed(&known.keys, &self.0.settings.algorithms, token);
        match known.as_deref().map(signed) {
            Some(Ok(claims)) => return Ok(claims),
            Some(Err(why)) if why != Unsigned::UnknownKey => return Err(refused(why)),
            _ => self.look_again(&app.clock, known.as_ref()).await,
        }
        match self.0.known.load_full().as_deref().map(signed) {
            Some(claims) => claims.map_err(refused),
            None => Err(away()),
        }
    }
}

/// The identity provider has not been heard since this hub began.
pub(super) fn away() -> Fault {
    let detail = "The identity provider is away, and this hub has not heard from it since it began, so nobody can \
                  come with its tokens yet. API tokens work; try again in a moment.";
    refuse(ProblemCode::ProviderUnavailable, detail)
}

/// What a person is told whom the provider knows and this hub does not.
fn nobody(why: Refusal) -> Fault {
    tracing::debug!(%why, "Somebody of the identity provider is nobody here");
    let detail = match why {
        Refusal::NoRole => {
            "You are signed in, but none of your roles at the identity provider is one here; its \
                            administrators give roles, and [oidc.roles] in hub.toml says which count."
        }
        Refusal::NoOrg => {
            "You are signed in, but your token names no org; set oidc.org_when_absent = \"default\" in \
                           hub.toml if everybody belongs to the hub's own."
        }
        _ => "You are signed in, but what your token names as your org is no org's id.",
    };
    refuse(ProblemCode::Forbidden, detail)
}

/// That the org which a token names is one of this hub's.
async fn exists(app: &App, org: OrgId) -> Result<(), Fault> {
    if org == DEFAULT_ORG {
        return Ok(());
    }
    let found = app.store.read(move |tx| Box::pin(async move { orgs::get(tx, org).await })).await?;
    let unknown = || refuse(ProblemCode::Forbidden, "You are signed in, but this hub has no org with your org's id.");
    found.map(drop).ok_or_else(unknown)
}

/// The id of a token that has none: the hash of all but its signature, since those of elliptic curves have
/// another that holds.
fn id_of(token: &str) -> String {
    let signed = token.rsplit_once('.').map_or(token, |(signed, _)| signed);
    format!("sha256:{}", TokenHash::of(signed).hex())
}

fn verified(identity: Identity, token: &str) -> Verified {
    let Identity { subject, name, role, org, jti, ends_at } = identity;
    let jti = jti.unwrap_or_else(|| id_of(token));
    let token = Arc::new(ProviderToken { org, jti, ends_at });
    let principal = Principal {
        org,
        name: name.into(),
        role,
        permissions: holds(role, None, org),
        key: format!("oidc:{subject}").into(),
        proof: Proof::Provider(Arc::clone(&token)),
        subject: format!("oidc:{subject}").into(),
        asking: None,
    };
    Verified { principal, token }
}

/// The claims of a token, if one of these keys signed it with one of these algorithms.
fn signed(keys: &Keys, algorithms: &[Algorithm], token: &str) -> Result<Map<String, Value>, Unsigned> {
    let (message, signature) = token.rsplit_once('.').ok_or(Unsigned::Malformed)?;
    let (header, claims) = message.split_once('.').ok_or(Unsigned::Malformed)?;
    let part = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| Unsigned::Malformed);
    let header: Header = serde_json::from_slice(&part(header)?).map_err(|_| Unsigned::Malformed)?;
    if header.crit.is_some() {
        return Err(Unsigned::Demands);
    }
    let algorithm = Algorithm::parse(&header.alg).filter(|algorithm| algorithms.contains(algorithm));
    let algorithm = algorithm.ok_or(Unsigned::Algorithm)?;
    let key = keys.find(header.kid.as_deref(), algorithm).map_err(|why| match why {
        NoKey::Unknown => Unsigned::UnknownKey,
        NoKey::Unfit => Unsigned::UnfitKey,
    })?;
    match jsonwebtoken::crypto::verify(signature, message.as_bytes(), key, named(algorithm)) {
        Ok(true) => serde_json::from_slice(&part(claims)?).map_err(|_| Unsigned::Malformed),
        Ok(false) | Err(_) => Err(Unsigned::Signature),
    }
}

fn named(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::RS256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::RS384 => jsonwebtoken::Algorithm::RS384,
        Algorithm::RS512 => jsonwebtoken::Algorithm::RS512,
        Algorithm::PS256 => jsonwebtoken::Algorithm::PS256,
        Algorithm::PS384 => jsonwebtoken::Algorithm::PS384,
        Algorithm::PS512 => jsonwebtoken::Algorithm::PS512,
        Algorithm::ES256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::ES384 => jsonwebtoken::Algorithm::ES384,
        Algorithm::EdDSA => jsonwebtoken::Algorithm::EdDSA,
    }
}

#[cfg(test)]
mod tests {
    use super::id_of;

    #[test]
    fn a_token_without_an_id_is_the_same_under_another_signature() {
        assert_eq!(id_of("header.claims.one"), id_of("header.claims.other"));
        assert_ne!(id_of("header.claims.one"), id_of("header.others.one"));
    }
}
