//! Begins a session.

use axum::http::HeaderName;
use axum::http::header::SET_COOKIE;
use axum::response::AppendHeaders;
use sortie_rules::access::Role;
use sortie_rules::ids::{AccountId, OrgId, SessionId};
use sortie_rules::org_settings::SESSIONS_ABSOLUTE;
use sortie_store::accounts::{self, AccountRow};
use sortie_store::sessions::{self, SessionRow};
use sortie_wire::problem::ProblemCode;
use sortie_wire::sessions::Session;

use super::cookie::{self, TOKEN_PREFIX};
use super::list::shown;
use crate::app::App;
use crate::audit::{self, Act, Asking};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse};
use crate::identity::Secret;

/// Somebody who has proved who they are.
pub(crate) struct NewSession {
    /// Their org.
    pub(crate) org: OrgId,
    /// Where they are known.
    pub(crate) subject: String,
    /// Their name.
    pub(crate) name: String,
    /// What they may do.
    pub(crate) role: Role,
    /// What is needed to sign out at the provider, sealed.
    pub(crate) provider: Option<Vec<u8>>,
    /// The account whose password was right.
    pub(crate) account: Option<AccountRow>,
}

/// A session that has just begun, with its secret.
pub(crate) struct Begun {
    /// The session.
    pub(crate) session: Session,
    secret: Secret,
}

impl Begun {
    /// For programs.
    pub(crate) fn token(&self) -> String {
        format!("{TOKEN_PREFIX}{}.{}", self.session.id, self.secret.expose())
    }

    /// For browsers.
    pub(crate) fn cookie(&self) -> Result<AppendHeaders<[(HeaderName, axum::http::HeaderValue); 1]>, Fault> {
        Ok(AppendHeaders([(SET_COOKIE, cookie::set(self.session.id, &self.secret)?)]))
    }
}

/// How an account stands in a session.
pub(crate) fn subject_of(account: AccountId) -> String {
    format!("account:{account}")
}

/// Begins one.
pub(crate) async fn begin(app: &App, asking: &Asking, new: NewSession) -> Result<Begun, Fault> {
    let (secret, now) = (Secret::draw(&app.entropy), app.clock.now());
    let id: SessionId = app.entropy.id(now);
    let life = app.org_settings.read(&app.store, new.org, &SESSIONS_ABSOLUTE).await?;
    let row = SessionRow {
        id,
        org: new.org,
        subject: new.subject,
        name: new.name,
        role: new.role,
        secret_hash: secret.hash(),
        previous_hash: None,
        rotated_at: now,
        confirmed: true,
        provider: new.provider,
        created_at: now,
        last_used_at: now,
        ends_at: now + life,
    };
    let act = Act::by_subject(asking, row.org, (&row.subject, &row.name), now).on("session", id);
    let act = act.changes(serde_json::json!({ "role": row.role, "ends_at": row.ends_at }));
    let written = row.clone();
    app.store
        .write(move |tx| {
            Box::pin(async move {
                if let Some(account) = new.account {
                    // A change of the account ends its sessions, and must not miss one that was on its way.
                    if !accounts::sign_in(tx, &account, now).await? {
                        let detail = "The account was changed at this moment; sign in again.";
                        return Err(refuse(ProblemCode::Unauthenticated, detail));
                    }
                }
                sessions::insert(tx, &written).await?;
                let data = serde_json::json!({ "session": id, "name": written.name, "subject": written.subject });
                events::record(tx, Record::new(written.org, now, "session.began", &written.name).data(&data)).await?;
                audit::record(tx, act).await?;
                Ok::<_, Fault>(())
            })
        })
        .await?;
    Ok(Begun { session: shown(row), secret })
}
