//! The way to a hub: its host and port, and the proxy that the environment puts before it.

use crate::context::Env;

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) host: String,
    pub(super) port: u16,
}

/// Reads host and port from an address; the scheme's own port if none is named.
pub(super) fn place(address: &str) -> Option<Place> {
    let (scheme, rest) = address.trim().split_once("://").unwrap_or(("http", address.trim()));
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit('@').next()?;
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']')?;
            (host, after.strip_prefix(':'))
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let own = if scheme.eq_ignore_ascii_case("https") { 443 } else { 80 };
    let port = port.map_or(Some(own), |port| port.parse().ok())?;
    (!host.is_empty()).then(|| Place { host: host.to_owned(), port })
}

/// The proxy that calls to this host take, and the variable that says so.
pub(super) fn proxy(host: &str, env: &Env) -> Option<(&'static str, String)> {
    let excepted = ["NO_PROXY", "no_proxy"].into_iter().find_map(|name| env.get(name));
    if excepted.is_some_and(|list| is_excepted(host, &list)) {
        return None;
    }
    ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].into_iter().find_map(|name| Some((name, env.get(name)?)))
}

/// Names in the list stand for themselves and for all below them. Networks are not looked into.
fn is_excepted(host: &str, list: &str) -> bool {
    list.split(',').map(|name| name.trim().trim_start_matches('.')).any(|name| {
        name == "*" || name.eq_ignore_ascii_case(host) || (!name.is_empty() && host.ends_with(&format!(".{name}")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(host: &str, port: u16) -> Option<Place> {
        Some(Place { host: host.into(), port })
    }

    #[test]
    fn host_and_port_are_read_from_an_address() {
        assert_eq!(place("https://hub.example:8443/x"), at("hub.example", 8443));
        assert_eq!(place("https://hub.example"), at("hub.example", 443));
        assert_eq!(place("https://[::1]:9/"), at("::1", 9));
        assert_eq!(place("http://me:secret@proxy:3128"), at("proxy", 3128));
        assert_eq!(place("proxy:3128"), at("proxy", 3128));
        assert_eq!(place("https://:1"), None);
        assert_eq!(place("https://hub:no"), None);
    }

    #[test]
    fn a_proxy_is_taken_unless_the_host_is_excepted() {
        let env = |except: &str| Env::of(&[("https_proxy", "http://p:1"), ("NO_PROXY", except)]);
        assert_eq!(proxy("hub.example", &env("")), Some(("https_proxy", "http://p:1".into())));
        assert_eq!(proxy("hub.example", &env("localhost,.example")), None);
        assert_eq!(proxy("hub.example", &env("*")), None);
        assert_eq!(proxy("hubexample", &env("example")).map(|(name, _)| name), Some("https_proxy"));
        assert_eq!(proxy("hub.example", &Env::of(&[])), None);
    }
}
