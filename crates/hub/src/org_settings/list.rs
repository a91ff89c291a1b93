//! Shows what an org has chosen, and where the defaults hold.

use sortie_rules::org_settings::{ALL, OrgSetting, Shape, known, nearest_known};
use sortie_store::org_settings::{self, OrgSettingRow};
use sortie_wire::org_settings::{OrgSetting as Shown, OrgSettingType};
use sortie_wire::pages::Page;
use sortie_wire::problem::ProblemCode;

use super::cache::value_of;
use crate::app::App;
use crate::fault::{Fault, refuse};
use crate::people::Principal;

/// Every key with what holds. All of them fit into one page.
pub(crate) async fn list(app: &App, who: &Principal) -> Result<Page<Shown>, Fault> {
    let org = who.org;
    let rows = app.store.read(move |tx| Box::pin(async move { org_settings::list(tx, org).await })).await?;
    let row_of = |key: &str| rows.iter().find(|row| row.key == key);
    let items = ALL.into_iter().map(|setting| shown(setting, row_of(setting.key))).collect();
    Ok(Page { items, next: None })
}

/// One key with what holds.
pub(crate) async fn show(app: &App, who: &Principal, setting: &'static OrgSetting) -> Result<Shown, Fault> {
    let org = who.org;
    let row = app.store.read(move |tx| Box::pin(async move { org_settings::get(tx, org, setting.key).await })).await?;
    Ok(shown(setting, row.as_ref()))
}

/// The key that a path names.
pub(super) fn named(key: &str) -> Result<&'static OrgSetting, Fault> {
    known(key).ok_or_else(|| {
        let given: String = key.chars().take(80).collect();
        let hint = match nearest_known(key) {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "GET /api/v1/settings lists them all.".to_owned(),
        };
        refuse(ProblemCode::UnknownOrgSetting, format!("There is no org setting `{given}`; {hint}"))
    })
}

/// A key as people read it.
pub(super) fn shown(setting: &OrgSetting, row: Option<&OrgSettingRow>) -> Shown {
    let plain = Shown {
        key: setting.key.to_owned(),
        meaning: setting.meaning.to_owned(),
        kind: OrgSettingType::Flag,
        value: value_of(setting, row).to_json(),
        default: setting.default.to_json(),
        unit: None,
        least: None,
        most: None,
        words: Vec::new(),
        changed_by: row.map(|row| row.changed_by.clone()),
        changed_at: row.map(|row| row.changed_at),
    };
    match setting.shape {
        Shape::Flag => plain,
        Shape::Number { unit, least, most } => Shown {
            kind: OrgSettingType::Number,
            unit: Some(unit.to_owned()),
            least: Some(least),
            most: Some(most),
            ..plain
        },
        Shape::Word(words) => {
            Shown { kind: OrgSettingType::Word, words: words.iter().map(|&word| word.to_owned()).collect(), ..plain }
        }
    }
}
