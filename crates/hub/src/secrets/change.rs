//! Gives secrets their values, and removes them.

use serde_json::json;
use sortie_rules::limits::{SECRET_VALUE_BYTES_MAX, SECRETS_MAX};
use sortie_rules::names::check_name;
use sortie_store::desired::pins;
use sortie_store::desired::publications::LayerKey;
use sortie_store::enforcements;
use sortie_store::secrets::{self, SecretRow};
use sortie_wire::problem::ProblemCode;
use sortie_wire::secrets::{Secret, WriteSecret};

use super::list::{shown, unknown};
use super::seal::seal;
use super::users::{is_used, name_of, referring};
use crate::app::Shared;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse, refuse_at};
use crate::people::Principal;

/// Gives a secret a value. Nodes get it whose standing layers refer to it: their generations rise.
pub(super) async fn put(app: &Shared, who: &Principal, name: String, request: WriteSecret) -> Result<Secret, Fault> {
    check_name("secret", &name).map_err(|error| refuse_at(ProblemCode::FieldInvalid, "/name", format!("{error}.")))?;
    if request.value.is_empty() || request.value.len() > SECRET_VALUE_BYTES_MAX {
        let detail = format!("A secret has from 1 to {SECRET_VALUE_BYTES_MAX} bytes.");
        return Err(refuse_at(ProblemCode::FieldInvalid, "/value", detail));
    }
    let (org, by, now) = (who.org, who.name.to_string(), app.clock.now());
    let act = Act::by(who, now)?.on("secret", &name);
    let shared = app.clone();
    let (row, told) = app
        .store
        .write_checked(move |tx| {
            Box::pin(async move {
                let before = secrets::get(tx, org, &name).await?.map_or(0, |row| row.version);
                if before == 0 && secrets::count(tx, org).await? >= SECRETS_MAX {
                    let detail = format!("An org has at most {SECRETS_MAX} secrets.");
                    return Err(refuse(ProblemCode::FieldInvalid, detail));
                }
                let version = before + 1;
                let sealed = seal(&shared, org, &name, version, &request.value);
                let row = SecretRow { org, name, version, sealed, changed_by: by, changed_at: now };
                if !secrets::put(tx, &row).await? {
                    return Err(refuse(
                        ProblemCode::Conflict,
                        "Somebody has changed the secret meanwhile; look again.",
                    ));
                }
                let referring = if before == 0 { Vec::new() } else { referring(tx, org, &row.name).await? };
                let mut told: Vec<(LayerKey, u64)> = Vec::new();
                for publication in referring {
                    if pins::raise_all(tx, &publication.key, publication.revision, now).await? > 0 {
                        told.push((publication.key, publication.revision));
                    }
                }
                // What the hub itself does with it is tried at once.
                enforcements::hurry(tx, org, &row.name, now).await?;
                let data = json!({ "secret": row.name, "version": version });
                events::record(tx, Record::new(org, now, "secret.changed", &row.changed_by).data(&data)).await?;
                audit::record(tx, act.named(&row.name).changes(json!({ "version": version }))).await?;
                Ok::<_, Fault>((row, told))
            })
        })
        .await?;
    for (key, revision) in told {
        crate::desired::tell_having(app, &key, revision).await?;
    }
    app.enforcements.ring();
    Ok(shown(row))
}

/// Removes a secret. Refused while what stands, goes out, or is meant for any node refers to it.
pub(super) async fn delete(app: &Shared, who: &Principal, name: String) -> Result<Secret, Fault> {
    let (org, by, now) = (who.org, who.name.to_string(), app.clock.now());
    let act = Act::by(who, now)?.on("secret", &name);
    app.store
        .write_checked(move |tx| {
            Box::pin(async move {
                for publication in referring(tx, org, &name).await? {
                    if is_used(tx, &publication).await? {
                        let (layer, revision) = (name_of(tx, &publication.key).await?, publication.revision);
                        let detail = format!("Revision {revision} of the layer `{layer}` refers to `{name}`.");
                        return Err(refuse(ProblemCode::SecretInUse, detail));
                    }
                }
                let row = secrets::get(tx, org, &name).await?.ok_or_else(|| unknown(&name))?;
                secrets::delete(tx, org, &name).await?;
                let data = json!({ "secret": name });
                events::record(tx, Record::new(org, now, "secret.removed", &by).data(&data)).await?;
                audit::record(tx, act.named(&name)).await?;
                Ok::<_, Fault>(shown(row))
            })
        })
        .await
}
