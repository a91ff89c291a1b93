//! The `[oidc]` table of the hub's settings.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use sortie_rules::access::Role;
use sortie_rules::limits::LEEWAY_MAX;
use sortie_rules::sign_in::{Algorithm, Expected, OrgWhenAbsent};
use sortie_rules::time::Span;

use crate::settings::BadSetting;

/// The `[oidc]` table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OidcSettings {
    /// The provider's own name for itself; without it there is no provider.
    pub issuer: Option<String>,
    /// As which client people sign in.
    pub client_id: Option<String>,
    /// The file with the client's secret, if it has one.
    pub client_secret_file: Option<PathBuf>,
    /// What `aud` must hold.
    pub audience: Option<String>,
    /// What `sortie login` asks for.
    pub scopes: String,
    /// The algorithms that may sign.
    pub algorithms: Vec<Algorithm>,
    /// By how much clocks may differ, in seconds.
    pub leeway_s: u32,
    /// How often the provider's keys are read anew, in seconds.
    pub refresh_s: u32,
    /// A certificate authority to believe beside the operating system's.
    pub ca_file: Option<PathBuf>,
    /// Where a token holds the roles.
    pub roles_claim: String,
    /// Which of the provider's roles are which of ours.
    pub roles: BTreeMap<String, Role>,
    /// Where a token holds the org.
    pub org_claim: String,
    /// What becomes of those who have none.
    pub org_when_absent: OrgWhenAbsent,
}

impl Default for OidcSettings {
    fn default() -> OidcSettings {
        OidcSettings {
            issuer: None,
            client_id: None,
            client_secret_file: None,
            audience: None,
            scopes: "openid profile email".to_owned(),
            algorithms: vec![Algorithm::RS256, Algorithm::PS256, Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA],
            leeway_s: 60,
            refresh_s: 300,
            ca_file: None,
            roles_claim: "realm_access.roles".to_owned(),
            roles: [("user".to_owned(), Role::Viewer), ("admin".to_owned(), Role::Admin)].into(),
            org_claim: "org_id".to_owned(),
            org_when_absent: OrgWhenAbsent::Refused,
        }
    }
}

impl OidcSettings {
    /// Checks what the types cannot say.
    pub(crate) fn check(&self) -> Result<(), BadSetting> {
        let refuse = |key, why| Err(BadSetting { key, why });
        let Some(issuer) = &self.issuer else { return Ok(()) };
        if !may_be_asked(issuer) || issuer.contains(['?', '#']) {
            return refuse("oidc.issuer", "it must begin with https://, or with http:// on this machine's loopback");
        }
        if self.client_id.as_deref().is_none_or(str::is_empty) {
            return refuse("oidc.client_id", "a provider needs it; it is the client's name at the provider");
        }
        if self.algorithms.is_empty() {
            return refuse("oidc.algorithms", "there must be one at least");
        }
        if self.leeway() > LEEWAY_MAX {
            return refuse("oidc.leeway_s", "it must be at most 300");
        }
        if self.refresh_s == 0 {
            return refuse("oidc.refresh_s", "it must be above 0");
        }
        if self.roles.is_empty() {
            return refuse("oidc.roles", "without any role nobody could sign in");
        }
        Ok(())
    }

    fn leeway(&self) -> Span {
        Span::seconds(self.leeway_s.into())
    }

    /// What a token must say.
    pub(super) fn expected(&self) -> Expected<'_> {
        Expected {
            issuer: self.issuer.as_deref().unwrap_or_default(),
            audience: self.audience.as_deref(),
            client_id: self.client_id.as_deref().unwrap_or_default(),
            leeway: self.leeway(),
            roles_claim: &self.roles_claim,
            roles: &self.roles,
            org_claim: &self.org_claim,
            org_when_absent: self.org_when_absent,
        }
    }
}

/// Whether an address of the provider's may be asked: what comes from it decides who gets in.
pub(super) fn may_be_asked(address: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(address) else { return false };
    let is_loopback = || match url.host_str() {
        Some("localhost") => true,
        Some(host) => host.trim_matches(['[', ']']).parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback()),
        None => false,
    };
    let is_safe = match url.scheme() {
        "https" => url.has_host(),
        "http" => is_loopback(),
        _ => false,
    };
    is_safe && url.username().is_empty() && url.password().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_asked_over_tls_or_on_this_machine() {
        for good in ["https://id.example/realms/r", "http://127.0.0.1:9/", "http://localhost:9", "http://[::1]:9"] {
            assert!(may_be_asked(good), "{good}");
        }
        for bad in
            ["http://id.example", "id.example", "ftp://127.0.0.1", "https://a:b@id.example", "http://127.0.0.1.x"]
        {
            assert!(!may_be_asked(bad), "{bad}");
        }
    }

    #[test]
    fn contradictions_are_named() {
        let good = OidcSettings {
            issuer: Some("https://id.example".into()),
            client_id: Some("sortie".into()),
            ..OidcSettings::default()
        };
        good.check().unwrap();
        let key = |settings: OidcSettings| settings.check().unwrap_err().key;
        assert_eq!(key(OidcSettings { issuer: Some("http://id.example".into()), ..good.clone() }), "oidc.issuer");
        assert_eq!(key(OidcSettings { client_id: None, ..good.clone() }), "oidc.client_id");
        assert_eq!(key(OidcSettings { algorithms: vec![], ..good.clone() }), "oidc.algorithms");
        assert_eq!(key(OidcSettings { leeway_s: 301, ..good.clone() }), "oidc.leeway_s");
        assert_eq!(key(OidcSettings { refresh_s: 0, ..good.clone() }), "oidc.refresh_s");
        assert_eq!(key(OidcSettings { roles: BTreeMap::new(), ..good }), "oidc.roles");
        for shared in ["HS256", "none", "ES256K"] {
            let refused = toml::from_str::<OidcSettings>(&format!("algorithms = [\"{shared}\"]")).unwrap_err();
            assert!(refused.to_string().contains("RS256"), "{refused}");
        }
    }
}
