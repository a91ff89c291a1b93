//! Forgets what hubs have in memory of an org's settings: here at once, and at every other hub on the database within
//! a second, by an event. For whoever has changed the table by hand, which tells nobody.

use sortie_rules::org_settings::{ALL, OrgSetting};
use sortie_wire::org_settings::EvictedOrgSettings;

use crate::app::Shared;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::Fault;
use crate::http::to_the_end;
use crate::people::Principal;

/// Forgets one setting of the caller's org, or all of them.
pub(crate) async fn evict(
    app: &Shared,
    who: Principal,
    setting: Option<&'static OrgSetting>,
) -> Result<EvictedOrgSettings, Fault> {
    let app = app.clone();
    // A caller that hangs up must not leave in memory here what the others forget.
    to_the_end(async move {
        let (org, now) = (who.org, app.clock.now());
        let written = app
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let data = serde_json::json!({ "key": setting.map(|setting| setting.key) });
                    events::record(tx, Record::new(org, now, "setting.evicted", &who.name).data(&data)).await?;
                    let act = Act::by(&who, now)?;
                    let act = match setting {
                        Some(setting) => act.on("setting", setting.key),
                        None => act,
                    };
                    audit::record(tx, act).await?;
                    Ok::<_, Fault>(())
                })
            })
            .await;
        // Even if it is not known whether the others will: it costs a query.
        match setting {
            Some(setting) => app.org_settings.evict(org, setting),
            None => app.org_settings.evict_org(org),
        }
        let keys = ALL.into_iter().filter(|known| setting.is_none_or(|setting| setting.key == known.key));
        written.map(|()| EvictedOrgSettings { keys: keys.map(|known| known.key.to_owned()).collect() })
    })
    .await
}
