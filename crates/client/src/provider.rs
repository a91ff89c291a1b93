//! The identity provider, as a program without a browser uses it: somebody signs in on another device
//! (RFC 8628), and tokens are renewed (RFC 6749, section 6).

use std::fmt;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sortie_rules::limits::{PROVIDER_ANSWER_MAX, PROVIDER_DOCUMENT_BYTES_MAX};

use crate::connect::{Connect, SetupError};
use crate::{proxy, tls};

/// Longest time for name, connection and handshake.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// A provider, and the client as which it is asked.
#[derive(Debug, Clone)]
pub struct Provider {
    http: Client,
    token_endpoint: String,
    client_id: String,
}

/// The code that somebody is to type on another device.
#[derive(Clone, Deserialize)]
pub struct DeviceCode {
    device_code: String,
    /// What is to be typed.
    pub user_code: String,
    /// Where.
    pub verification_uri: String,
    /// The same with the code in it.
    pub verification_uri_complete: Option<String>,
    /// How long it can be typed, in seconds.
    pub expires_in: u64,
    /// How long to wait between two questions, in seconds.
    pub interval: Option<u64>,
}

impl fmt::Debug for DeviceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DeviceCode({}, secret withheld)", self.user_code)
    }
}

/// Tokens that the provider gave.
#[derive(Clone, Deserialize)]
pub struct Tokens {
    /// What the hub is shown.
    pub access_token: String,
    /// What the next ones are got with; absent if it stays the one that was used, or if there is none.
    pub refresh_token: Option<String>,
    /// How long the access token holds, in seconds.
    pub expires_in: Option<u64>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(withheld)")
    }
}

/// Why the provider gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// It does not answer.
    #[error("the identity provider at {host} cannot be reached: {why}")]
    Unreachable {
        /// Whose address was asked.
        host: String,
        /// What happened.
        why: String,
    },
    /// It refuses, with a word of the standard.
    #[error("the identity provider refuses: {error}{}", described(.description.as_deref()))]
    Refused {
        /// The word.
        error: String,
        /// What it adds to that.
        description: Option<String>,
    },
    /// What answers is no provider.
    #[error("what answers at {host} is not understood: {why}")]
    NotUnderstood {
        /// Whose address was asked.
        host: String,
        /// Why not.
        why: String,
    },
}

fn described(description: Option<&str>) -> String {
    description.map_or_else(String::new, |text| format!(" ({text})"))
}

#[derive(Deserialize)]
struct Complaint {
    error: String,
    error_description: Option<String>,
}

impl Provider {
    /// A provider by its token endpoint. `connect` says whom to believe and which way out; its address is
    /// not used.
    pub fn new(connect: &Connect, token_endpoint: &str, client_id: &str) -> Result<Provider, SetupError> {
        let builder = Client::builder()
            .tls_backend_preconfigured(tls::client_config(connect)?)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("sortie/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIME)
            .timeout(PROVIDER_ANSWER_MAX.to_std());
        let http = proxy::apply(builder, &connect.proxy)?.build().map_err(SetupError::Client)?;
        Ok(Provider { http, token_endpoint: token_endpoint.to_owned(), client_id: client_id.to_owned() })
    }

    /// Begins a sign-in on another device.
    pub async fn begin(&self, endpoint: &str, scopes: &str) -> Result<DeviceCode, ProviderError> {
        self.post(endpoint, &[("client_id", &self.client_id), ("scope", scopes)]).await
    }

    /// Asks whether somebody has signed in. That nobody has yet is an error of the standard.
    pub async fn poll(&self, code: &DeviceCode) -> Result<Tokens, ProviderError> {
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        let fields =
            [("grant_type", grant), ("device_code", code.device_code.as_str()), ("client_id", &self.client_id)];
        self.post(&self.token_endpoint, &fields).await
    }

    /// Gets fresh tokens.
    pub async fn refresh(&self, refresh_token: &str) -> Result<Tokens, ProviderError> {
        let fields =
            [("grant_type", "refresh_token"), ("refresh_token", refresh_token), ("client_id", &self.client_id)];
        self.post(&self.token_endpoint, &fields).await
    }

    async fn post<T: DeserializeOwned>(&self, address: &str, fields: &[(&str, &str)]) -> Result<T, ProviderError> {
        let url = Url::parse(address);
        let host = url.ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| address.to_owned());
        let unreachable = |error: reqwest::Error| ProviderError::Unreachable {
            host: host.clone(),
            why: root_cause(&error.without_url()),
        };
        let not_understood = |why: String| ProviderError::NotUnderstood { host: host.clone(), why };
        let request = self.http.post(address).header(ACCEPT, "application/json");
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form(fields));
        let mut answer = request.send().await.map_err(unreachable)?;
        let status = answer.status();
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(unreachable)? {
            if body.len() + part.len() > PROVIDER_DOCUMENT_BYTES_MAX {
                return Err(not_understood(format!("it is more than {PROVIDER_DOCUMENT_BYTES_MAX} bytes")));
            }
            body.extend_from_slice(&part);
        }
        if status.is_success() {
            return serde_json::from_slice(&body).map_err(|error| not_understood(error.to_string()));
        }
        match serde_json::from_slice::<Complaint>(&body) {
            Ok(Complaint { error, error_description }) => {
                Err(ProviderError::Refused { error, description: error_description })
            }
            Err(_) => Err(not_understood(format!("it answers with status {}", status.as_u16()))),
        }
    }
}

fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

/// Fields as forms send them.
fn form(fields: &[(&str, &str)]) -> String {
    let mut url = Url::parse("http://form").expect("a host alone is an address");
    url.query_pairs_mut().extend_pairs(fields);
    url.query().unwrap_or_default().to_owned()
}
