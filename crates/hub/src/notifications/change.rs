//! Makes recipients, changes and removes them.

use serde_json::{Value, json};
use sortie_rules::ids::OrgId;
use sortie_rules::limits::RECIPIENTS_MAX;
use sortie_rules::notifications::Recipient;
use sortie_store::recipients::{self, RecipientRow};
use sortie_store::{StoreError, Tx, accounts, notifications};
use sortie_wire::notifications::{PutRecipient, RecipientInUse};
use sortie_wire::problem::ProblemCode;

use super::list::{shown, unknown};
use super::secret;
use super::zone::Zone;
use crate::app::Shared;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse, refuse_at};
use crate::outgoing::{SigningKey, address, mailbox};
use crate::people::Principal;
use crate::sessions::subject_of;

fn invalid(at: &str, why: &str) -> Fault {
    refuse_at(ProblemCode::FieldInvalid, at, format!("{why}."))
}

/// Makes a recipient, or puts it in place of the one of its name. A webhook has a secret from then on: the one given,
/// the one that it had, or one that is made now and shown this once.
pub(super) async fn put(
    app: &Shared,
    who: &Principal,
    name: String,
    request: PutRecipient,
) -> Result<RecipientInUse, Fault> {
    let recipient = read(request.recipient, &name).map_err(|why| invalid("/recipient", &why))?;
    let given = match &request.webhook_secret {
        Some(_) if recipient.webhook.is_none() => {
            return Err(invalid("/webhook_secret", "a recipient without a webhook has no secret"));
        }
        Some(text) if SigningKey::read(text).is_none() => {
            return Err(invalid("/webhook_secret", "a secret is `whsec_` and 16 to 64 bytes in base64"));
        }
        Some(text) => Some(text.trim().to_owned()),
        None => None,
    };
    let made = SigningKey::write(&app.entropy.bytes());
    let (org, by, now) = (who.org, who.name.to_string(), app.clock.now());
    let (act, shared) = (Act::by(who, now)?.on("recipient", &name), app.clone());
    app.store
        .write_checked(move |tx| {
            Box::pin(async move {
                let recipient = with_person(tx, org, recipient).await?;
                let before = recipients::get(tx, org, &name).await?;
                if before.is_none() && recipients::count(tx, org).await? >= RECIPIENTS_MAX {
                    return Err(invalid("/name", &format!("an org has at most {RECIPIENTS_MAX} recipients")));
                }
                let kept = before.as_ref().filter(|row| row.secret.is_some() && given.is_none());
                let (version, kept) = (before.as_ref().map_or(0, |row| row.secret_version), kept.cloned());
                let (secret, secret_version, told) = match (&recipient.webhook, kept) {
                    (None, _) => (None, version, None),
                    (Some(_), Some(row)) => (row.secret, version, None),
                    (Some(_), None) => {
                        let told = given.is_none().then(|| made.clone());
                        let text = given.unwrap_or(made);
                        (Some(secret::seal(&shared, org, &name, version + 1, &text)), version + 1, told)
                    }
                };
                let text = serde_json::to_string(&recipient).expect("a recipient is plain data");
                let row = RecipientRow {
                    org,
                    name,
                    recipient: text,
                    secret,
                    secret_version,
                    // Whoever says it anew means it.
                    webhook_gone_at: None,
                    changed_by: by,
                    changed_at: now,
                };
                recipients::put(tx, &row).await?;
                let changes =
                    json!({ "removed": false, "secret_version": secret_version, "recipient": told_of(&recipient) });
                tell(tx, &row, false).await?;
                audit::record(tx, act.changes(changes)).await?;
                Ok::<_, Fault>(RecipientInUse { webhook_secret: told, ..shown(row) })
            })
        })
        .await
}

/// Removes a recipient. What has not gone out to it never does.
pub(super) async fn remove(app: &Shared, who: &Principal, name: String) -> Result<RecipientInUse, Fault> {
    let (org, by, now) = (who.org, who.name.to_string(), app.clock.now());
    let act = Act::by(who, now)?.on("recipient", &name);
    app.store
        .write_checked(move |tx| {
            Box::pin(async move {
                let row = recipients::get(tx, org, &name).await?.ok_or_else(|| unknown(&name))?;
                recipients::delete(tx, org, &name).await?;
                notifications::drop_all_for(tx, org, &name, "recipient_removed", now).await?;
                tell(tx, &RecipientRow { changed_by: by, changed_at: now, ..row.clone() }, true).await?;
                audit::record(tx, act.changes(json!({ "removed": true }))).await?;
                Ok::<_, Fault>(shown(row))
            })
        })
        .await
}

/// A recipient as it was given, under the name at which it shall stand.
fn read(mut given: Value, name: &str) -> Result<Recipient, String> {
    if let Some(fields) = given.as_object_mut() {
        fields.entry("name").or_insert_with(|| json!(name));
    }
    let recipient: Recipient = serde_json::from_value(given).map_err(|error| error.to_string())?;
    recipient.check()?;
    if recipient.name != name {
        return Err(format!("it calls itself `{}`, and it shall stand under `{name}`", recipient.name));
    }
    if let Some(mail) = &recipient.mail {
        mailbox(mail).map_err(|why| format!("`mail` is no address: {why}"))?;
    }
    if let Some(url) = &recipient.webhook {
        address(url).map_err(|why| format!("`webhook` is no address: {why}"))?;
    }
    if let Some(zone) = recipient.time_zone.as_deref().filter(|zone| !Zone::is_known(zone)) {
        let shown: String = zone.chars().take(80).collect();
        return Err(format!("`time_zone`: there is no zone `{shown}`; one is called like `Europe/Budapest`"));
    }
    Ok(recipient)
}

/// The same, with the subject of whom it calls by the name of an account.
async fn with_person(tx: &mut Tx, org: OrgId, recipient: Recipient) -> Result<Recipient, Fault> {
    let Some(name) = recipient.person.as_deref().filter(|person| !person.contains(':')) else { return Ok(recipient) };
    let account = accounts::named(tx, name).await?.filter(|account| account.org == org);
    let account = account.ok_or_else(|| {
        let shown: String = name.chars().take(80).collect();
        let detail = format!(
            "There is no account `{shown}`. `person` names an account, or the subject of somebody who signs in at the \
             identity provider (`oidc:…`) or with a token (`token:…`)."
        );
        refuse_at(ProblemCode::UnknownAccount, "/recipient/person", detail)
    })?;
    Ok(Recipient { person: Some(subject_of(account.id)), ..recipient })
}

/// What the audit log keeps of a recipient: of a webhook no more than its host, since many addresses are secrets.
fn told_of(recipient: &Recipient) -> Value {
    let host = |text: &String| address(text).ok().and_then(|url| url.host_str().map(str::to_owned));
    json!(Recipient { webhook: recipient.webhook.as_ref().and_then(host), ..recipient.clone() })
}

/// Writes down that a recipient is another one now, or none.
async fn tell(tx: &mut Tx, row: &RecipientRow, removed: bool) -> Result<(), StoreError> {
    let data = json!({ "recipient": row.name, "removed": removed });
    events::record(tx, Record::new(row.org, row.changed_at, "recipient.changed", &row.changed_by).data(&data)).await
}

/// What is answered where there is nothing that could be changed so.
pub(super) fn no_way(name: &str) -> Fault {
    refuse(
        ProblemCode::FieldInvalid,
        format!("The recipient `{name}` has no such way; `sortie recipient show` lists them."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_reached_is_refused_where_it_is_said() {
        let good = json!({ "audience": "operator", "mail": "noc@example.org" });
        assert_eq!(read(good.clone(), "noc").unwrap().name, "noc");
        for (field, value, said) in [
            ("name", json!("other"), "calls itself `other`"),
            ("mail", json!("nobody"), "no address"),
            ("webhook", json!("ftp://example.org"), "https://"),
            ("time_zone", json!("Nowhere/Land"), "Europe/Budapest"),
            ("audience", json!(null), "audience"),
        ] {
            let mut bad = good.clone();
            bad[field] = value;
            let error = read(bad, "noc").unwrap_err();
            assert!(error.contains(said) || field == "audience", "{field}: {error}");
        }
    }
}
