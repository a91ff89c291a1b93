//! The cookie of a session, and the token that says the same for programs.

use axum::http::{HeaderMap, HeaderValue};
use sortie_rules::ids::SessionId;

use crate::fault::Fault;
use crate::http::cookie;
use crate::identity::Secret;

/// The cookie's name. By its prefix browsers keep it to this host, to TLS, and to the whole path.
const NAME: &str = "__Host-sortie";
/// How a session begins that is shown as a token.
pub(super) const TOKEN_PREFIX: &str = "sortie_ses_";

/// What is shown of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ShownSession<'a> {
    pub(super) id: SessionId,
    pub(super) secret: &'a str,
    /// Whether a browser sent it, which sends it whatever page asked for the request.
    pub(super) by_cookie: bool,
}

/// The session that the request's cookies name.
pub(super) fn from_cookies(headers: &HeaderMap) -> Option<ShownSession<'_>> {
    split(cookie(headers, NAME)?, true)
}

/// The session that a bearer token names.
pub(super) fn from_token(token: &str) -> Option<ShownSession<'_>> {
    split(token.strip_prefix(TOKEN_PREFIX)?, false)
}

fn split(text: &str, by_cookie: bool) -> Option<ShownSession<'_>> {
    let (id, secret) = text.split_once('.')?;
    Some(ShownSession { id: id.parse().ok()?, secret, by_cookie })
}

/// The header that gives a browser the session. Without an age: it is gone with the browser.
pub(super) fn set(id: SessionId, secret: &Secret) -> Result<HeaderValue, Fault> {
    header(&format!("{NAME}={id}.{}; Path=/; Secure; HttpOnly; SameSite=Strict", secret.expose()))
}

/// The header that takes it from the browser.
pub(crate) fn unset() -> Result<HeaderValue, Fault> {
    header(&format!("{NAME}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict"))
}

fn header(text: &str) -> Result<HeaderValue, Fault> {
    let mut value = HeaderValue::from_str(text).map_err(|error| Fault::Broken(format!("a cookie: {error}")))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use axum::http::header::COOKIE;

    use super::*;

    const ID: &str = "01980c5e-7d1a-7c3e-9b7e-0123456789ab";

    fn headers(cookies: &[&str]) -> HeaderMap {
        cookies.iter().map(|text| (COOKIE, HeaderValue::from_str(text).unwrap())).collect()
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let text = format!("theme=dark; {NAME}={ID}.secret; lang=hu");
        let headers = headers(&["a=b", &text]);
        let shown = from_cookies(&headers).unwrap();
        assert_eq!((shown.id.to_string().as_str(), shown.secret, shown.by_cookie), (ID, "secret", true));
    }

    #[test]
    fn what_is_no_session_is_none() {
        for text in ["", "sortie=x", "__Host-sortie=", "__Host-sortie=x.y", "x__Host-sortie=1.2"] {
            assert_eq!(from_cookies(&headers(&[text])), None, "{text}");
        }
        assert_eq!(from_token(&format!("sortie_tok_{ID}.secret")), None);
        assert!(from_token(&format!("sortie_ses_{ID}.secret")).is_some_and(|shown| !shown.by_cookie));
    }

    #[test]
    fn browsers_keep_it_from_scripts_other_sites_and_plain_connections() {
        let value = set(ID.parse().unwrap(), &Secret::draw(&crate::clock::Entropy::default())).unwrap();
        let text = value.to_str().unwrap();
        for word in ["Secure", "HttpOnly", "SameSite=Strict", "Path=/"] {
            assert!(text.contains(word), "{text}");
        }
        assert!(!text.contains("Domain") && value.is_sensitive());
    }
}
