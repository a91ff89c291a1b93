//! Calls webhooks, as Standard Webhooks has it: signed, with an id that is the same for each try. The address is judged
//! after its name was resolved, and redirects are not followed.

use std::net::SocketAddr;
use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sortie_rules::addresses::{Allowed, is_public};
use sortie_rules::limits::POST_STEP_ANSWER_MAX;
use sortie_rules::time::Millis;

use super::trouble::Trouble;

/// What a secret begins with when it is written down.
const SECRET_PREFIX: &str = "whsec_";

/// Calls webhooks.
#[derive(Debug)]
pub(crate) struct Caller {
    private: Allowed,
    tls: Arc<rustls::ClientConfig>,
}

/// With what calls are signed.
#[derive(Debug, Clone)]
pub(crate) struct SigningKey(hmac::Key);

/// One call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    /// Where.
    pub(crate) url: &'a reqwest::Url,
    /// Signed with what.
    pub(crate) key: &'a SigningKey,
    /// The same with each try.
    pub(crate) id: &'a str,
    /// What is told, as JSON: the same bytes with each try.
    pub(crate) body: &'a str,
    /// When.
    pub(crate) now: Millis,
}

/// Private addresses that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("setting `outgoing.private`: {0}")]
pub struct CallerError(String);

impl SigningKey {
    /// Reads a secret: `whsec_` and 16 to 64 bytes in base64.
    pub(crate) fn read(text: &str) -> Option<SigningKey> {
        let secret = text.trim().strip_prefix(SECRET_PREFIX).and_then(|rest| STANDARD.decode(rest).ok())?;
        (16..=64).contains(&secret.len()).then(|| SigningKey(hmac::Key::new(hmac::HMAC_SHA256, &secret)))
    }

    /// A secret of these bytes, as it is written down.
    pub(crate) fn write(bytes: &[u8; 32]) -> String {
        format!("{SECRET_PREFIX}{}", STANDARD.encode(bytes))
    }

    /// The signature over id, time and body (Standard Webhooks, symmetric).
    fn sign(&self, id: &str, timestamp: &str, body: &str) -> String {
        let tag = hmac::sign(&self.0, format!("{id}.{timestamp}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(tag.as_ref()))
    }
}

/// Reads the address of a webhook, or says why it is none.
pub(crate) fn address(text: &str) -> Result<reqwest::Url, String> {
    let url = reqwest::Url::parse(text).map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !url.username().is_empty() {
        return Err("it must begin with http:// or https:// and hold no credentials".into());
    }
    Ok(url)
}

impl Caller {
    /// Calls public addresses, and these private ones.
    pub(crate) fn new(private: &[String]) -> Result<Caller, CallerError> {
        let private = Allowed::parse(private).map_err(|error| CallerError(error.to_string()))?;
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let tls = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Ok(Caller { private, tls: Arc::new(tls) })
    }

    /// Calls once, within the time that an answer may take.
    pub(crate) async fn call(&self, call: Call<'_>) -> Result<String, Trouble> {
        let host = call.url.host_str().unwrap_or_default().to_owned();
        let within = tokio::time::timeout(POST_STEP_ANSWER_MAX.to_std(), self.call_once(call));
        let late = |_| Err(Trouble::later("webhook_unreachable", format!("{host} does not answer in time")));
        within.await.unwrap_or_else(late)
    }

    async fn call_once(&self, call: Call<'_>) -> Result<String, Trouble> {
        let Call { url, key, id, body, now } = call;
        let timestamp = (now.0 / 1000).to_string();
        let signature = key.sign(id, &timestamp, body);
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let addresses = self.resolve(&host, url.port_or_known_default().unwrap_or(443)).await?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured((*self.tls).clone())
            .resolve_to_addrs(&host, &addresses)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| Trouble::later("webhook_unreachable", error.to_string()))?;
        let answer = client
            .post(url.clone())
            .header("content-type", "application/json")
            .header("user-agent", concat!("sortie/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .body(body.to_owned())
            .send()
            .await
            .map_err(|error| {
                let why = error.without_url();
                Trouble::later("webhook_unreachable", format!("{host} does not answer: {}", root_cause(&why)))
            })?;
        match answer.status().as_u16() {
            status @ 200..=299 => Ok(format!("{host} answered with status {status}")),
            // The one status by which a receiver says never again.
            410 => Err(Trouble::final_("webhook_gone", format!("{host} answered that it is gone (410)"))),
            status => Err(Trouble::later("webhook_refused", format!("{host} answered with status {status}"))),
        }
    }

    /// The addresses of a host that may be called: public ones, and those that the settings list.
    async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Trouble> {
        let unknown = |why: String| Trouble::later("webhook_unreachable", format!("{host} cannot be resolved: {why}"));
        let found = tokio::net::lookup_host((host, port)).await.map_err(|error| unknown(error.to_string()))?;
        let may = |address: &SocketAddr| is_public(address.ip()) || self.private.allows(host, *address);
        let allowed: Vec<SocketAddr> = found.filter(may).collect();
        if allowed.is_empty() {
            let why = format!("{host} leads to a private address; list it in `private` under [outgoing] to allow that");
            return Err(Trouble::later("address_forbidden", why));
        }
        Ok(allowed)
    }
}

fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference libraries.
    #[test]
    fn a_signature_is_what_others_expect() {
        let key = SigningKey::read("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "{\"test\": 2432232314}");
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn secrets_and_addresses_are_read_or_refused() {
        assert!(SigningKey::read(&SigningKey::write(&[7; 32])).is_some());
        for bad in ["whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_?"] {
            assert!(SigningKey::read(bad).is_none(), "{bad}");
        }
        assert!(address("https://example.org/hook?x=1").is_ok());
        for bad in ["ftp://example.org", "https://ann@example.org", "example.org", ""] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
