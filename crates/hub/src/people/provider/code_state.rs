//! What a browser carries while it is at the provider, in a sealed cookie: by it the hub knows its own sign-in
//! again, without keeping anything.

use axum::http::{HeaderMap, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sortie_rules::limits::SIGN_IN_LIFE;
use sortie_rules::time::Millis;

use crate::app::App;
use crate::fault::Fault;
use crate::http::cookie;

/// The cookie's name. It is sent when the provider's page leads back, so it cannot be `SameSite=Strict`.
const NAME: &str = "__Host-sortie-sign-in";
/// Longest address to return to, in bytes.
const RETURN_TO_MAX: usize = 1024;
/// Where somebody is led who wanted nothing in particular.
const RETURN_TO: &str = "/api/docs";

/// A sign-in under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CodeState {
    /// What the provider must bring back.
    pub(super) state: String,
    /// What proves to the provider that the code is fetched by whoever asked for it (PKCE).
    pub(super) verifier: String,
    /// Where the browser goes afterwards.
    pub(super) return_to: String,
    /// Until when it is waited for.
    pub(super) ends_at: Millis,
}

impl CodeState {
    /// One that begins now.
    pub(super) fn begin(app: &App, return_to: Option<String>) -> CodeState {
        let draw = || URL_SAFE_NO_PAD.encode(app.entropy.bytes::<32>());
        let return_to = return_to.filter(|path| is_path(path)).unwrap_or_else(|| RETURN_TO.to_owned());
        CodeState { state: draw(), verifier: draw(), return_to, ends_at: app.clock.now() + SIGN_IN_LIFE }
    }

    /// The cookie that carries it.
    pub(super) fn cookie(&self, app: &App) -> Result<HeaderValue, Fault> {
        let plain = serde_json::to_vec(self).map_err(|error| Fault::Broken(error.to_string()))?;
        let sealed = URL_SAFE_NO_PAD.encode(app.keys.seal("sign-in", &plain));
        let age = SIGN_IN_LIFE.0 / 1000;
        set(&format!("{NAME}={sealed}; Path=/; Max-Age={age}; Secure; HttpOnly; SameSite=Lax"))
    }

    /// The one that a request carries, if its time is not over.
    pub(super) fn of(app: &App, headers: &HeaderMap) -> Option<CodeState> {
        let value = cookie(headers, NAME)?;
        let plain = app.keys.open("sign-in", &URL_SAFE_NO_PAD.decode(value).ok()?).ok()?;
        let state: CodeState = serde_json::from_slice(&plain).ok()?;
        (app.clock.now() < state.ends_at).then_some(state)
    }
}

/// What takes the cookie away again: a code is fetched once.
pub(super) fn unset() -> Result<HeaderValue, Fault> {
    set(&format!("{NAME}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax"))
}

fn set(text: &str) -> Result<HeaderValue, Fault> {
    let mut value = HeaderValue::from_str(text).map_err(|error| Fault::Broken(format!("a cookie: {error}")))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Whether a browser that is sent there stays with this hub.
fn is_path(path: &str) -> bool {
    let mut letters = path.chars();
    path.len() <= RETURN_TO_MAX
        && letters.next() == Some('/')
        && !matches!(letters.next(), Some('/' | '\\'))
        && path.chars().all(|letter| letter.is_ascii_graphic() && !"\"<>\\".contains(letter))
}

#[cfg(test)]
mod tests {
    use super::is_path;

    #[test]
    fn nobody_is_led_away_from_the_hub() {
        for path in ["/", "/tasks?status=failed#top", "/a/b"] {
            assert!(is_path(path), "{path}");
        }
        for path in
            ["", "//evil.example", "/\\evil.example", "https://evil.example", "evil", "/a b", "/\"><script>", "/\n"]
        {
            assert!(!is_path(path), "{path}");
        }
        assert!(!is_path(&format!("/{}", "a".repeat(2000))));
    }
}
