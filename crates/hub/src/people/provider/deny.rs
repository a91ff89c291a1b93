//! Denies a token of the provider before its time is over: from the next request on it is void, here at
//! once and at other hubs on the same database within a second. What was begun with it ends.

use sortie_rules::ids::OrgId;
use sortie_rules::limits::{DENIAL_DEFAULT, DENIAL_MAX, DENIED_TOKENS_MAX, SUBJECT_BYTES_MAX};
use sortie_rules::time::Millis;
use sortie_store::denied_tokens::{self, DeniedTokenRow};
use sortie_wire::pages::Page;
use sortie_wire::problem::ProblemCode;
use sortie_wire::sign_in::{DeniedToken, DenyToken};

use crate::app::App;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse, refuse_at};
use crate::http::page;
use crate::people::Principal;

/// Denies what the request names.
pub(super) async fn deny(app: &App, who: &Principal, request: DenyToken) -> Result<DeniedToken, Fault> {
    let (jti, expires_at) = match (request.jti, request.token) {
        (Some(jti), None) => named(app, jti, request.expires_at)?,
        (None, Some(token)) if request.expires_at.is_none() => whole(app, who, &token).await?,
        _ => {
            let detail = "Send either `token`, or `jti` and, if it is known, `expires_at`.";
            return Err(refuse_at(ProblemCode::FieldInvalid, "", detail));
        }
    };
    deny_one(app, who, who.org, jti, expires_at).await
}

/// A token of which only the id is known.
fn named(app: &App, jti: String, expires_at: Option<Millis>) -> Result<(String, Millis), Fault> {
    if !(1..=SUBJECT_BYTES_MAX).contains(&jti.len()) || jti.chars().any(char::is_control) {
        let detail = format!("A token's id has 1 to {SUBJECT_BYTES_MAX} bytes and no control characters.");
        return Err(refuse_at(ProblemCode::FieldInvalid, "/jti", detail));
    }
    let now = app.clock.now();
    let end = expires_at.unwrap_or(now + DENIAL_DEFAULT);
    if end <= now || end > now + DENIAL_MAX {
        let detail = "It must lie ahead, by a year at most: until then the token is denied.";
        return Err(refuse_at(ProblemCode::FieldInvalid, "/expires_at", detail));
    }
    Ok((jti, end + app.settings.oidc_leeway()))
}

/// A token that is there, which must be one of the same org.
async fn whole(app: &App, who: &Principal, token: &str) -> Result<(String, Millis), Fault> {
    let refused = |detail: &str| refuse_at(ProblemCode::FieldInvalid, "/token", detail);
    let provider = app.provider.as_ref().ok_or_else(|| {
        refused("This hub has no identity provider, so there are no tokens of one; `sortie token revoke` ends its own.")
    })?;
    let verified = match provider.verify(app, token).await {
        Ok(verified) => verified,
        Err(Fault::Problem(problem)) if problem.status < 500 => {
            return Err(refused("This token is not valid here in any case, so there is nothing to deny."));
        }
        Err(fault) => return Err(fault),
    };
    if verified.token.org != who.org {
        return Err(refuse(ProblemCode::Forbidden, "This token is of another org, whose administrators may deny it."));
    }
    Ok((verified.token.jti.clone(), verified.token.ends_at))
}

/// Denies the token of this id.
pub(super) async fn deny_one(
    app: &App,
    who: &Principal,
    org: OrgId,
    jti: String,
    expires_at: Millis,
) -> Result<DeniedToken, Fault> {
    let now = app.clock.now();
    let act = Act::by(who, now)?.on("provider_token", &jti);
    let row = DeniedTokenRow { org, jti, denied_by: who.name.to_string(), denied_at: now, expires_at };
    let written = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                if denied_tokens::deny(tx, &row).await? {
                    if denied_tokens::count(tx, org).await? > DENIED_TOKENS_MAX {
                        let detail = format!(
                            "This org denies {DENIED_TOKENS_MAX} tokens, which are the most; take the person's roles \
                             away at the identity provider instead."
                        );
                        return Err(refuse(ProblemCode::RateLimited, detail));
                    }
                    let data = serde_json::json!({ "jti": row.jti, "expires_at": row.expires_at });
                    let denied = Record::new(org, row.denied_at, "token.denied", &row.denied_by);
                    events::record(tx, denied.data(&data)).await?;
                    audit::record(tx, act.changes(serde_json::json!({ "expires_at": row.expires_at }))).await?;
                }
                let stands = denied_tokens::get(tx, org, &row.jti).await?;
                stands.ok_or_else(|| Fault::Broken("a token that was just denied".to_owned()))
            })
        })
        .await?;
    app.denied.add(org, written.jti.clone(), written.expires_at);
    app.people.ring();
    Ok(shown(written))
}

/// One page of denied tokens.
pub(super) async fn list(
    app: &App,
    who: &Principal,
    after: Option<String>,
    limit: u32,
) -> Result<Page<DeniedToken>, Fault> {
    let org = who.org;
    let rows = app
        .store
        .read(move |tx| Box::pin(async move { denied_tokens::list(tx, org, after.as_deref(), limit + 1).await }))
        .await?;
    Ok(page(rows, limit, |row| row.jti.clone(), shown))
}

fn shown(row: DeniedTokenRow) -> DeniedToken {
    let DeniedTokenRow { org: _, jti, denied_by, denied_at, expires_at } = row;
    DeniedToken { jti, denied_by, denied_at, expires_at }
}
