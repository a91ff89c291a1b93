//! The `[edge]` table of the hub's settings.

use std::net::IpAddr;

use serde::Deserialize;
use sortie_rules::limits::EDGE_LOOKED_AT_EVERY;
use sortie_rules::time::Span;

use crate::settings::BadSetting;

/// The `[edge]` table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EdgeSettings {
    /// Where its API is.
    pub url: String,
    /// How often it is looked whether what is there is as it should be, in seconds.
    pub look_every_s: u32,
}

impl Default for EdgeSettings {
    fn default() -> EdgeSettings {
        let look_every_s = u32::try_from(EDGE_LOOKED_AT_EVERY.0 / 1000).unwrap_or(u32::MAX);
        EdgeSettings { url: "https://api.cloudflare.com/client/v4".to_owned(), look_every_s }
    }
}

impl EdgeSettings {
    /// Checks what the types cannot say.
    pub(crate) fn check(&self) -> Result<(), BadSetting> {
        if self.look_every_s == 0 {
            return Err(BadSetting { key: "edge.look_every_s", why: "it must be above 0" });
        }
        let url = reqwest::Url::parse(&self.url).ok();
        let is_plain = |url: &reqwest::Url| {
            url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none()
        };
        match url.filter(is_plain) {
            Some(url) if url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url)) => Ok(()),
            _ => {
                let why = "it must begin with https:// and hold no credentials (http:// only on loopback: a token goes \
                           there)";
                Err(BadSetting { key: "edge.url", why })
            }
        }
    }

    /// How often it is looked.
    pub(crate) fn look_every(&self) -> Span {
        Span::seconds(self.look_every_s.into())
    }
}

fn is_loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_travels_in_the_clear_on_this_machine_alone() {
        let check = |url: &str| EdgeSettings { url: url.to_owned(), ..EdgeSettings::default() }.check().is_ok();
        for good in ["https://edge.example/v4", "http://127.0.0.1:8080", "http://[::1]:1", "http://localhost:9/v4"] {
            assert!(check(good), "{good}");
        }
        for bad in ["http://edge.example", "edge.example", "https://u:p@edge.example", "https://edge.example?a=b", ""] {
            assert!(!check(bad), "{bad}");
        }
    }
}
