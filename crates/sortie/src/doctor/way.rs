//! The way to a hub: its host and port, and the proxy that the environment puts before it.

use hyper_util::client::proxy::matcher::Matcher;

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

/// The proxy that calls to this host take, and the variable that says so. The judge is the one that the
/// client itself asks, so that both read `NO_PROXY` alike.
pub(super) fn proxy(host: &str, env: &Env) -> Option<(&'static str, String)> {
    let first = |names: [&'static str; 2]| names.into_iter().find_map(|name| Some((name, env.get(name)?)));
    let (name, value) = first(["HTTPS_PROXY", "https_proxy"]).or_else(|| first(["ALL_PROXY", "all_proxy"]))?;
    let excepted = first(["NO_PROXY", "no_proxy"]).map(|(_, list)| list).unwrap_or_default();
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let asked = format!("https://{host}/").parse().ok()?;
    let taken = Matcher::builder().https(value.clone()).no(excepted).build().intercept(&asked);
    taken.map(|_| (name, value))
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
        // Networks, too.
        assert_eq!(proxy("10.1.2.3", &env("10.0.0.0/8")), None);
        assert_eq!(proxy("::1", &env("::1")), None);
        assert!(proxy("192.0.2.1", &env("10.0.0.0/8")).is_some());
    }
}
