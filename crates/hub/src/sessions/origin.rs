//! Whether a request comes from a page of the hub's own.

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, Uri};

/// Browsers say where a request comes from, in `Sec-Fetch-Site` (those of the last years) and in `Origin`
/// (with each request that changes something). One that says neither is none that we trust with a cookie.
pub(super) fn is_own(headers: &HeaderMap, uri: &Uri) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    // HTTP/2 has the host in the address, HTTP/1.1 in a header.
    let host = uri.authority().map(|authority| authority.as_str()).or_else(|| text(HOST.as_str()));
    let origin = text(ORIGIN.as_str()).and_then(|origin| origin.strip_prefix("https://"));
    host.is_some_and(|host| origin.is_some_and(|origin| origin.eq_ignore_ascii_case(host)))
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn own(headers: &[(&'static str, &'static str)], uri: &'static str) -> bool {
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        is_own(&headers.collect(), &Uri::from_static(uri))
    }

    #[test]
    fn what_the_browser_says_of_the_site_counts() {
        assert!(own(&[("sec-fetch-site", "same-origin")], "/x"));
        for site in ["same-site", "cross-site", "none", ""] {
            let headers = [("sec-fetch-site", site), ("origin", "https://hub:1"), ("host", "hub:1")];
            assert!(!own(&headers, "/x"), "{site}");
        }
    }

    #[test]
    fn without_it_the_origin_must_be_the_host() {
        assert!(own(&[("origin", "https://hub:8443"), ("host", "HUB:8443")], "/x"));
        assert!(own(&[("origin", "https://hub:8443")], "https://hub:8443/x"));
        for origin in ["https://hub", "http://hub:8443", "https://evil:8443", "null", "https://hub:8443.evil"] {
            assert!(!own(&[("origin", origin), ("host", "hub:8443")], "/x"), "{origin}");
        }
        assert!(!own(&[("host", "hub:8443")], "/x"), "who says nothing is not trusted");
    }
}
