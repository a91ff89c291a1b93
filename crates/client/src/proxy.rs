//! The way out of a site that has a proxy.

use std::fmt;

use reqwest::NoProxy;

use crate::connect::SetupError;

/// Which proxy to take.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum Proxy {
    /// What `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say (in either case of letters).
    #[default]
    Environment,
    /// None, whatever the environment says.
    Direct,
    /// This one.
    At {
        /// Its address, for example `http://proxy.trust.example:3128`. Credentials may stand in it.
        url: String,
        /// User and password for `Proxy-Authorization: Basic`, if they do not stand in the address.
        credentials: Option<(String, String)>,
        /// Hosts that are reached without it: comma-separated names, suffixes and networks, as in `NO_PROXY`.
        except: Option<String>,
    },
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Proxy::Environment => f.write_str("Environment"),
            Proxy::Direct => f.write_str("Direct"),
            Proxy::At { url, except, .. } => {
                let host = url.rsplit('@').next().unwrap_or_default();
                write!(f, "At({host}, except {except:?}, credentials withheld)")
            }
        }
    }
}

/// Gives the client its proxy.
pub(crate) fn apply(builder: reqwest::ClientBuilder, proxy: &Proxy) -> Result<reqwest::ClientBuilder, SetupError> {
    match proxy {
        Proxy::Environment => Ok(builder),
        Proxy::Direct => Ok(builder.no_proxy()),
        Proxy::At { url, credentials, except } => {
            let mut chosen = reqwest::Proxy::all(url).map_err(|error| SetupError::Proxy(error.without_url()))?;
            if let Some((user, password)) = credentials {
                chosen = chosen.basic_auth(user, password);
            }
            let except = except.as_deref().and_then(NoProxy::from_string);
            Ok(builder.no_proxy().proxy(chosen.no_proxy(except)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_s_password_is_not_printed() {
        let proxy = Proxy::At {
            url: "http://user:s3cret@proxy.example:3128".into(),
            credentials: Some(("user".into(), "s3cret".into())),
            except: None,
        };
        let printed = format!("{proxy:?}");
        assert!(printed.contains("proxy.example:3128") && !printed.contains("s3cret"), "{printed}");
    }
}
