//! Webhooks of post-steps, as Standard Webhooks has them: signed, with an id that is the same for each
//! try. The address is judged after its name was resolved, and redirects are not followed.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sortie_rules::addresses::{Allowed, is_public};
use sortie_rules::limits::{POST_STEP_ANSWER_MAX, WEBHOOK_RESULT_BYTES_MAX};
use sortie_rules::time::Millis;

use super::matter::Matter;
use super::perform::Trouble;
use crate::moments::rfc3339;
use crate::settings::WebhookSettings;

/// The webhooks of the settings, by name.
#[derive(Debug)]
pub(crate) struct Webhooks {
    hooks: BTreeMap<String, Hook>,
    private: Allowed,
    tls: Arc<rustls::ClientConfig>,
}

#[derive(Debug)]
struct Hook {
    url: reqwest::Url,
    key: hmac::Key,
}

/// Settings of a webhook that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("setting `{key}`: {why}")]
pub struct WebhookError {
    key: String,
    why: String,
}

impl Webhooks {
    /// Reads the secrets of the webhooks. Nothing is called yet.
    pub(crate) fn new(
        settings: &BTreeMap<String, WebhookSettings>,
        private: &[String],
    ) -> Result<Webhooks, WebhookError> {
        let mut hooks = BTreeMap::new();
        for (name, settings) in settings {
            let fault = |key: &str, why: String| WebhookError { key: format!("webhooks.{name}.{key}"), why };
            let url = reqwest::Url::parse(&settings.url).map_err(|error| fault("url", error.to_string()))?;
            if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !url.username().is_empty() {
                return Err(fault("url", "it must begin with http:// or https:// and hold no credentials".into()));
            }
            let text = std::fs::read_to_string(&settings.secret_file)
                .map_err(|error| fault("secret_file", format!("{}: {error}", settings.secret_file.display())))?;
            let secret = text.trim().strip_prefix("whsec_").and_then(|rest| STANDARD.decode(rest).ok());
            let secret = secret.filter(|secret| (16..=64).contains(&secret.len())).ok_or_else(|| {
                fault("secret_file", "it must hold `whsec_` and 16 to 64 bytes in base64 (24 to 64 are advised)".into())
            })?;
            hooks.insert(name.clone(), Hook { url, key: hmac::Key::new(hmac::HMAC_SHA256, &secret) });
        }
        let private = Allowed::parse(private)
            .map_err(|error| WebhookError { key: "outgoing.private".into(), why: error.to_string() })?;
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let tls = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Ok(Webhooks { hooks, private, tls: Arc::new(tls) })
    }

    /// Calls a webhook once.
    pub(super) async fn call(&self, name: &str, matter: &Matter, id: &str, now: Millis) -> Result<String, Trouble> {
        let Some(hook) = self.hooks.get(name) else {
            let why = format!("this hub has no webhook `{name}`; set [webhooks.{name}] in hub.toml");
            return Err(Trouble::later("webhook_unknown", why));
        };
        let body = body(matter);
        let timestamp = (now.0 / 1000).to_string();
        let signature = sign(&hook.key, id, &timestamp, &body);
        let host = hook.url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let addresses = self.resolve(&host, hook.url.port_or_known_default().unwrap_or(443)).await?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured((*self.tls).clone())
            .resolve_to_addrs(&host, &addresses)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(POST_STEP_ANSWER_MAX.to_std())
            .build()
            .map_err(|error| Trouble::later("webhook_unreachable", error.to_string()))?;
        let answer = client
            .post(hook.url.clone())
            .header("content-type", "application/json")
            .header("user-agent", concat!("sortie/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .body(body)
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

/// What is sent: the same bytes with each try.
fn body(matter: &Matter) -> String {
    let mut data = json!({ "task": matter.task_json(), "item": matter.item });
    if matter.result.to_string().len() <= WEBHOOK_RESULT_BYTES_MAX {
        data["result"] = matter.result.clone();
    } else {
        data["result_at"] = format!("/api/v1/tasks/{}", matter.task).into();
    }
    json!({ "type": format!("task.{}", matter.status), "timestamp": rfc3339(matter.finished_at), "data": data })
        .to_string()
}

/// The signature over id, time and body (Standard Webhooks, symmetric).
fn sign(key: &hmac::Key, id: &str, timestamp: &str, body: &str) -> String {
    let tag = hmac::sign(key, format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(tag.as_ref()))
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
        let secret = STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let signature = sign(&key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "{\"test\": 2432232314}");
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
