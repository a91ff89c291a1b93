//! What the provider says of itself (OpenID Connect Discovery), and its keys. Nothing that it answers is
//! read beyond a limit, and no address of it is asked that its own issuer could not be.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sortie_rules::limits::PROVIDER_DOCUMENT_BYTES_MAX;

use super::keys::Keys;
use super::settings::may_be_asked;

/// The provider's addresses.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Metadata {
    issuer: String,
    jwks_uri: String,
    pub(crate) token_endpoint: String,
    pub(super) authorization_endpoint: Option<String>,
    pub(super) device_authorization_endpoint: Option<String>,
    pub(super) revocation_endpoint: Option<String>,
}

/// Asks the provider for its addresses.
pub(super) async fn metadata(http: &reqwest::Client, issuer: &str) -> Result<Metadata, String> {
    let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let metadata: Metadata = parse(&get(http, &address).await?).map_err(|why| format!("{address}: {why}"))?;
    if metadata.issuer != issuer {
        return Err(format!("{address} is of `{}`; the setting oidc.issuer must be exactly that", metadata.issuer));
    }
    let addresses = [Some(&metadata.jwks_uri), Some(&metadata.token_endpoint)];
    let more =
        [&metadata.authorization_endpoint, &metadata.device_authorization_endpoint, &metadata.revocation_endpoint]
            .map(Option::as_ref);
    if let Some(unsafe_one) = addresses.into_iter().chain(more).flatten().find(|address| !may_be_asked(address)) {
        return Err(format!("{address} names {unsafe_one}, which is not asked: it is not https"));
    }
    Ok(metadata)
}

/// Asks the provider for its keys.
pub(super) async fn keys(http: &reqwest::Client, metadata: &Metadata) -> Result<Keys, String> {
    let address = &metadata.jwks_uri;
    Keys::read(&get(http, address).await?).map_err(|why| format!("{address}: {why}"))
}

fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    serde_json::from_slice(text).map_err(|error| error.to_string())
}

async fn get(http: &reqwest::Client, address: &str) -> Result<Vec<u8>, String> {
    let answer = http.get(address).header("accept", "application/json").send().await;
    let answer = answer.map_err(|error| format!("{address} does not answer: {}", root_cause(&error.without_url())))?;
    if answer.status() != reqwest::StatusCode::OK {
        return Err(format!("{address} answered with status {}", answer.status().as_u16()));
    }
    body(answer).await.map_err(|why| format!("{address}: {why}"))
}

/// The body of an answer, if it is not too large.
pub(super) async fn body(mut answer: reqwest::Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(|error| root_cause(&error.without_url()))? {
        if body.len() + part.len() > PROVIDER_DOCUMENT_BYTES_MAX {
            return Err(format!("it answered with more than {PROVIDER_DOCUMENT_BYTES_MAX} bytes"));
        }
        body.extend_from_slice(&part);
    }
    Ok(body)
}

/// What lies at the bottom of an error.
pub(super) fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
