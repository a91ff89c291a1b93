//! Ends a sign-in: its token is denied here at once, and the provider is asked to revoke what belongs to it
//! (RFC 7009). A provider that is away changes nothing about the first.

use serde::Deserialize;
use sortie_rules::ids::SessionId;
use sortie_store::sessions;
use sortie_wire::problem::ProblemCode;
use sortie_wire::sign_in::{LogOut, LoggedOut};

use super::client::Provider;
use super::deny::deny_one;
use super::discovery::{body, root_cause};
use crate::app::App;
use crate::fault::{Fault, refuse};
use crate::people::Principal;
use crate::people::principal::Proof;

/// What the provider said to one token.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Revoked {
    Yes,
    /// It keeps no list of such tokens.
    NotSuchTokens,
}

#[derive(Deserialize)]
struct Complaint {
    error: String,
}

/// Ends the sign-in of whoever asks with this token.
pub(super) async fn log_out(app: &App, who: &Principal, token: &str, also: LogOut) -> Result<LoggedOut, Fault> {
    let Proof::Provider(proof) = &who.proof else {
        let detail = "An API token is not a sign-in, and does not end with one; `sortie token revoke ID` ends it.";
        return Err(refuse(ProblemCode::NotSignedIn, detail));
    };
    deny_one(app, who, proof.org, proof.jti.clone(), proof.ends_at).await?;
    let provider = app.provider.as_ref().ok_or_else(|| Fault::Broken("a token of no provider".to_owned()))?;
    let told = provider.revoke_all(token, also.refresh_token.as_deref()).await;
    Ok(match told {
        Ok(detail) => LoggedOut { provider_told: true, detail: detail.to_owned() },
        Err(why) => {
            tracing::warn!(why, "The identity provider could not be told that somebody signed out");
            let detail = "You are signed out here, but the identity provider could not be told: it may still give \
                          new tokens to whoever holds the refresh token.";
            LoggedOut { provider_told: false, detail: detail.to_owned() }
        }
    })
}

/// Ends a session, and the sign-in at the provider that it came from.
pub(super) async fn log_out_session(app: &App, who: &Principal, id: SessionId) -> Result<LoggedOut, Fault> {
    let sealed = app.store.read(move |tx| Box::pin(async move { sessions::get(tx, id).await })).await?;
    crate::sessions::end(app, who, id).await?;
    let kept = sealed.and_then(|row| row.provider).and_then(|sealed| app.keys.open("session", &sealed).ok());
    let token = kept.and_then(|bytes| String::from_utf8(bytes).ok());
    let Some((token, provider)) = token.as_deref().zip(app.provider.as_ref()) else {
        return Ok(LoggedOut { provider_told: false, detail: "You are signed out.".to_owned() });
    };
    Ok(match provider.revoke(token, "refresh_token").await {
        Ok(Revoked::Yes) => {
            let detail = "You are signed out, here and at the identity provider.".to_owned();
            LoggedOut { provider_told: true, detail }
        }
        Ok(Revoked::NotSuchTokens) => {
            let detail = "You are signed out here; the identity provider does not revoke tokens of this kind.";
            LoggedOut { provider_told: true, detail: detail.to_owned() }
        }
        Err(why) => {
            tracing::warn!(why, "The identity provider could not be told that somebody signed out");
            let detail = "You are signed out here, but the identity provider could not be told.".to_owned();
            LoggedOut { provider_told: false, detail }
        }
    })
}

impl Provider {
    async fn revoke_all(&self, access: &str, refresh: Option<&str>) -> Result<&'static str, String> {
        if let Some(refresh) = refresh {
            self.revoke(refresh, "refresh_token").await?;
        }
        Ok(match self.revoke(access, "access_token").await? {
            Revoked::Yes => "You are signed out, here and at the identity provider.",
            Revoked::NotSuchTokens if refresh.is_some() => {
                "You are signed out, here and at the identity provider, which revoked the refresh token."
            }
            Revoked::NotSuchTokens => {
                "You are signed out here; the identity provider does not revoke tokens of this kind, which end by \
                 themselves."
            }
        })
    }

    /// Asks the provider to revoke a token.
    async fn revoke(&self, token: &str, kind: &str) -> Result<Revoked, String> {
        let inner = &self.0;
        let known = inner.known.load_full().ok_or("it has not been heard since this hub began")?;
        let address = known.metadata.revocation_endpoint.as_deref().ok_or("it has no revocation endpoint")?;
        let client_id = inner.settings.client_id.as_deref().unwrap_or_default();
        let mut fields = vec![("token", token), ("token_type_hint", kind), ("client_id", client_id)];
        fields.extend(inner.secret.as_deref().map(|secret| ("client_secret", secret)));
        let request = inner.http.post(address).header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(form(&fields)).send().await;
        let answer = answer.map_err(|error| format!("it does not answer: {}", root_cause(&error.without_url())))?;
        let status = answer.status().as_u16();
        if status == 200 {
            return Ok(Revoked::Yes);
        }
        let complaint = serde_json::from_slice::<Complaint>(&body(answer).await?).map(|complaint| complaint.error);
        match complaint.as_deref() {
            Ok("unsupported_token_type") => Ok(Revoked::NotSuchTokens),
            Ok(error) => Err(format!("it answered with status {status}: {error}")),
            Err(_) => Err(format!("it answered with status {status}")),
        }
    }
}

/// Fields as forms send them.
pub(super) fn form(fields: &[(&str, &str)]) -> String {
    let mut url = reqwest::Url::parse("http://form").expect("a host alone is an address");
    url.query_pairs_mut().extend_pairs(fields);
    url.query().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn fields_are_written_as_forms_send_them() {
        assert_eq!(super::form(&[("token", "a+b/c=&d"), ("x", "é y")]), "token=a%2Bb%2Fc%3D%26d&x=%C3%A9+y");
    }
}
