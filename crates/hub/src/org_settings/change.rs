//! Chooses what shall hold, or goes back to the default. The event says what held before and after.

use sortie_rules::org_settings::{OrgSetting, Value};
use sortie_store::Tx;
use sortie_store::org_settings::{self, OrgSettingRow};
use sortie_wire::org_settings::OrgSetting as Shown;
use sortie_wire::problem::ProblemCode;

use super::cache::value_of;
use super::list::shown;
use crate::app::Shared;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse, refuse_at};
use crate::http::to_the_end;
use crate::people::Principal;

/// Chooses this value.
pub(crate) async fn set(
    app: &Shared,
    who: Principal,
    setting: &'static OrgSetting,
    given: &serde_json::Value,
) -> Result<Shown, Fault> {
    let taken = setting.take(given);
    let value = taken.map_err(|error| refuse_at(ProblemCode::FieldInvalid, "/value", format!("{error}.")))?;
    change(app, who, setting, Some(value)).await
}

/// Goes back to the default.
pub(crate) async fn reset(app: &Shared, who: Principal, setting: &'static OrgSetting) -> Result<Shown, Fault> {
    change(app, who, setting, None).await
}

async fn change(app: &Shared, who: Principal, setting: &'static OrgSetting, to: Option<Value>) -> Result<Shown, Fault> {
    let app = app.clone();
    // A caller that hangs up must not leave in memory what is no longer in the store.
    to_the_end(async move {
        let (org, now) = (who.org, app.clock.now());
        let after = to.map(|value| OrgSettingRow {
            org,
            key: setting.key.to_owned(),
            value: value.to_json().to_string(),
            changed_by: who.name.to_string(),
            changed_at: now,
        });
        let written =
            app.store.write(move |tx| Box::pin(async move { write(tx, &who, setting, after, now).await })).await;
        // Even if it is not known whether the change stands.
        app.org_settings.evict(org, setting);
        written.map(|row| shown(setting, row.as_ref()))
    })
    .await
}

/// Writes it down, unless it stands there already. Returns what stands there then.
async fn write(
    tx: &mut Tx,
    who: &Principal,
    setting: &'static OrgSetting,
    after: Option<OrgSettingRow>,
    now: sortie_rules::time::Millis,
) -> Result<Option<OrgSettingRow>, Fault> {
    let before = org_settings::get(tx, who.org, setting.key).await?;
    let former = before.as_ref().map(|row| row.value.as_str());
    if former == after.as_ref().map(|row| row.value.as_str()) {
        return Ok(before);
    }
    let was_first = match (&after, former) {
        (Some(row), former) => org_settings::put(tx, row, former).await?,
        (None, Some(former)) => org_settings::delete(tx, who.org, setting.key, former).await?,
        (None, None) => true,
    };
    if !was_first {
        let detail = "Somebody else has changed this org setting at the same moment; look at it, and choose again.";
        return Err(refuse(ProblemCode::Conflict, detail));
    }
    let value = |row: Option<&OrgSettingRow>| value_of(setting, row).to_json();
    let data = serde_json::json!({
        "key": setting.key, "before": value(before.as_ref()), "after": value(after.as_ref()),
    });
    events::record(tx, Record::new(who.org, now, "setting.changed", &who.name).data(&data)).await?;
    let changes = serde_json::json!({ "after": data["after"], "before": data["before"] });
    audit::record(tx, Act::by(who, now)?.on("setting", setting.key).changes(changes)).await?;
    Ok(after)
}
