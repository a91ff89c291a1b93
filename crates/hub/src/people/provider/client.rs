//! The way to the provider, and what is known of it.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use sortie_rules::limits::PROVIDER_ANSWER_MAX;

use super::cache::VerifiedTokens;
use super::discovery::Metadata;
use super::keys::Keys;
use super::refresh::Gate;
use super::settings::OidcSettings;

/// The identity provider. Clones are the same one.
#[derive(Debug, Clone)]
pub(crate) struct Provider(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) settings: OidcSettings,
    pub(super) secret: Option<String>,
    pub(super) http: reqwest::Client,
    /// Nothing until the provider has answered once.
    pub(super) known: ArcSwapOption<Known>,
    pub(super) gate: tokio::sync::Mutex<Gate>,
    pub(super) verified: VerifiedTokens,
}

/// What the provider said of itself.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) metadata: Metadata,
    pub(super) keys: Keys,
}

/// Settings of the provider that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("setting `oidc.{key}`: {why}")]
pub struct ProviderError {
    key: &'static str,
    why: String,
}

impl Provider {
    /// The provider of the settings, if they name one. It is not asked anything yet.
    pub(crate) fn new(settings: &OidcSettings) -> Result<Option<Provider>, ProviderError> {
        if settings.issuer.is_none() {
            return Ok(None);
        }
        let secret = settings.client_secret_file.as_ref().map(|file| {
            let text = std::fs::read_to_string(file)
                .map_err(|error| fault("client_secret_file", format!("{}: {error}", file.display())))?;
            Ok(text.trim().to_owned())
        });
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(settings)?)
            // Where it leads is in the settings and in what the provider says of itself, and nowhere else.
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(PROVIDER_ANSWER_MAX.to_std())
            .user_agent(concat!("sortie/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| fault("issuer", error.to_string()))?;
        Ok(Some(Provider(Arc::new(Inner {
            settings: settings.clone(),
            secret: secret.transpose()?,
            http,
            known: ArcSwapOption::empty(),
            gate: tokio::sync::Mutex::default(),
            verified: VerifiedTokens::default(),
        }))))
    }
}

fn fault(key: &'static str, why: String) -> ProviderError {
    ProviderError { key, why }
}

fn tls(settings: &OidcSettings) -> Result<rustls::ClientConfig, ProviderError> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(file) = &settings.ca_file {
        let refuse = |why: String| fault("ca_file", format!("{}: {why}", file.display()));
        let pem = std::fs::read(file).map_err(|error| refuse(error.to_string()))?;
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        let certificates = certificates.map_err(|error| refuse(error.to_string()))?;
        if certificates.is_empty() {
            return Err(refuse("it holds no certificate (PEM)".to_owned()));
        }
        for certificate in certificates {
            roots.add(certificate).map_err(|error| refuse(error.to_string()))?;
        }
    }
    Ok(rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}
