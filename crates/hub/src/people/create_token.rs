//! Makes an API token. Its secret is shown once; the store keeps a hash.

use sortie_rules::access::Permissions;
use sortie_rules::ids::{OrgId, TokenId};
use sortie_rules::org_settings::{Asked, LetIn, TOKENS_ROLE_MAX, TOKENS_SCOPES_NEEDED, TOKENS_VALID_FOR_MAX, TooMuch};
use sortie_rules::time::Millis;
use sortie_store::{Tx, tokens};
use sortie_wire::tokens::{CreateToken, CreatedToken, TokenDetails};

use super::authenticate::TOKEN_PREFIX;
use super::principal::{Principal, holds};
use crate::app::App;
use crate::events::{self, Record};
use crate::fault::{Fault, refuse_at};
use crate::identity::Keys;
use sortie_wire::problem::ProblemCode;

/// Longest name of a token, in bytes.
const NAME_BYTES_MAX: usize = 100;

/// Checks what the types cannot say, and that nobody gives more than they have.
pub(crate) fn check(who: &Principal, request: &CreateToken) -> Result<(), Fault> {
    if request.name.is_empty() || request.name.len() > NAME_BYTES_MAX || request.name.chars().any(char::is_control) {
        let detail = "A token's name has 1 to 100 bytes and no control characters.";
        return Err(refuse_at(ProblemCode::FieldInvalid, "/name", detail));
    }
    if request.valid_for.is_some_and(|span| span.0 <= 0) {
        return Err(refuse_at(ProblemCode::FieldInvalid, "/valid_for", "A token must be valid for some time."));
    }
    let beyond = request.scopes.unwrap_or_default().without(request.role.permissions());
    if !beyond.is_empty() {
        let detail = format!("The role {} may not do this anyway: {beyond}.", request.role.as_str());
        return Err(refuse_at(ProblemCode::FieldInvalid, "/scopes", detail));
    }
    who.may_give(Permissions::NONE, holds(request.role, request.scopes, who.org))
}

/// Whether the settings of the org let such a token in.
pub(crate) async fn let_in(app: &App, who: &Principal, request: &CreateToken) -> Result<(), Fault> {
    let (settings, store, org) = (&app.org_settings, &app.store, who.org);
    let let_in = LetIn {
        role_max: settings.read(store, org, &TOKENS_ROLE_MAX).await?,
        scopes_needed: settings.read(store, org, &TOKENS_SCOPES_NEEDED).await?,
        valid_for_max: settings.read(store, org, &TOKENS_VALID_FOR_MAX).await?,
    };
    let asked = Asked { role: request.role, scopes: request.scopes, valid_for: request.valid_for };
    let_in.token(asked).map_err(|too_much| {
        let (pointer, key, detail) = match too_much {
            TooMuch::Role(most) => {
                let detail = format!("New tokens of this org have at most the role {}; ask for that.", most.as_str());
                ("/role", TOKENS_ROLE_MAX.setting.key, detail)
            }
            TooMuch::Unlimited => {
                let detail = "Tokens of this org need scopes; say what this one is for, as in [\"tasks:read\"].";
                ("/scopes", TOKENS_SCOPES_NEEDED.setting.key, detail.to_owned())
            }
            TooMuch::Long(most) => {
                let detail = format!(
                    "Tokens of this org are valid for at most {most}; give this one an end by then, in milliseconds: \
                     at most {}.",
                    most.0
                );
                ("/valid_for", TOKENS_VALID_FOR_MAX.setting.key, detail)
            }
        };
        let detail = format!("{detail} An administrator can change the org setting `{key}`.");
        refuse_at(ProblemCode::FieldInvalid, pointer, detail)
    })
}

/// Writes the token; [`shown`] then says what it is.
pub(crate) async fn create(
    tx: &mut Tx,
    secret_hash: Vec<u8>,
    org: OrgId,
    created_by: &str,
    id: TokenId,
    request: CreateToken,
    now: Millis,
) -> Result<tokens::TokenRow, Fault> {
    let row = tokens::TokenRow {
        id,
        org,
        name: request.name,
        role: request.role,
        scopes: request.scopes,
        secret_hash,
        created_by: created_by.to_owned(),
        created_at: now,
        expires_at: request.valid_for.map(|span| now + span),
        revoked_at: None,
        last_used_at: None,
    };
    tokens::insert(tx, &row).await?;
    let data = serde_json::json!({ "token": id, "name": row.name, "role": row.role, "scopes": row.scopes });
    events::record(tx, Record::new(org, now, "token.created", created_by).data(&data)).await?;
    Ok(row)
}

/// What somebody comes to hold with this token, for the audit log.
pub(crate) fn given(row: &tokens::TokenRow) -> serde_json::Value {
    serde_json::json!({ "role": row.role, "scopes": row.scopes, "expires_at": row.expires_at })
}

/// The token as it is shown to whoever made it.
pub(crate) fn shown(keys: &Keys, row: tokens::TokenRow) -> CreatedToken {
    let token = format!("{TOKEN_PREFIX}{}.{}", row.id, keys.secret_of("token", row.id).expose());
    CreatedToken { token, details: details(row) }
}

/// The token as lists show it.
pub(crate) fn details(row: tokens::TokenRow) -> TokenDetails {
    TokenDetails {
        id: row.id,
        name: row.name,
        role: row.role,
        scopes: row.scopes,
        created_by: row.created_by,
        created_at: row.created_at,
        expires_at: row.expires_at,
        revoked_at: row.revoked_at,
        last_used_at: row.last_used_at,
    }
}
