//! What the administrators of orgs chose.

use sortie_rules::ids::{DEFAULT_ORG, OrgId};
use sortie_rules::time::Millis;
use sortie_store::org_settings::{self, OrgSettingRow};
use sortie_store::{StoreError, Tx};

use crate::setup::{NOW, OTHER_ORG, stories};

stories!(
    what_was_chosen_is_found_by_its_key,
    an_org_neither_sees_nor_changes_what_another_chose,
    of_two_who_change_the_same_only_the_quicker_does,
);

fn chosen(org: OrgId, key: &str, value: &str) -> OrgSettingRow {
    OrgSettingRow { org, key: key.into(), value: value.into(), changed_by: "ann".into(), changed_at: NOW }
}

async fn what_was_chosen_is_found_by_its_key(tx: &mut Tx) -> Result<(), StoreError> {
    assert_eq!(org_settings::get(tx, DEFAULT_ORG, "b.two").await?, None);
    for row in [chosen(DEFAULT_ORG, "b.two", "2"), chosen(DEFAULT_ORG, "a.one", "true")] {
        assert!(org_settings::put(tx, &row, None).await?);
        assert_eq!(org_settings::get(tx, DEFAULT_ORG, &row.key).await?, Some(row));
    }
    let keys: Vec<String> = org_settings::list(tx, DEFAULT_ORG).await?.into_iter().map(|row| row.key).collect();
    assert_eq!(keys, ["a.one", "b.two"]);
    let later = OrgSettingRow {
        changed_by: "bob".into(),
        changed_at: Millis(NOW.0 + 1),
        ..chosen(DEFAULT_ORG, "b.two", "\"x\"")
    };
    assert!(org_settings::put(tx, &later, Some("2")).await?);
    assert_eq!(org_settings::get(tx, DEFAULT_ORG, "b.two").await?, Some(later));
    assert!(org_settings::delete(tx, DEFAULT_ORG, "b.two", "\"x\"").await?);
    assert!(!org_settings::delete(tx, DEFAULT_ORG, "b.two", "\"x\"").await?, "twice is once");
    assert_eq!(org_settings::get(tx, DEFAULT_ORG, "b.two").await?, None);
    Ok(())
}

async fn an_org_neither_sees_nor_changes_what_another_chose(tx: &mut Tx) -> Result<(), StoreError> {
    let ours = chosen(DEFAULT_ORG, "a.one", "1");
    assert!(org_settings::put(tx, &ours, None).await?);
    assert_eq!(org_settings::get(tx, OTHER_ORG, "a.one").await?, None);
    assert_eq!(org_settings::list(tx, OTHER_ORG).await?, []);
    assert!(!org_settings::delete(tx, OTHER_ORG, "a.one", "1").await?);
    assert!(!org_settings::put(tx, &chosen(OTHER_ORG, "a.one", "9"), Some("1")).await?);
    assert!(org_settings::put(tx, &chosen(OTHER_ORG, "a.one", "9"), None).await?, "they choose for themselves");
    assert_eq!(org_settings::get(tx, DEFAULT_ORG, "a.one").await?, Some(ours));
    Ok(())
}

async fn of_two_who_change_the_same_only_the_quicker_does(tx: &mut Tx) -> Result<(), StoreError> {
    assert!(org_settings::put(tx, &chosen(DEFAULT_ORG, "a.one", "1"), None).await?);
    assert!(!org_settings::put(tx, &chosen(DEFAULT_ORG, "a.one", "2"), None).await?);
    assert!(org_settings::put(tx, &chosen(DEFAULT_ORG, "a.one", "3"), Some("1")).await?);
    assert!(!org_settings::put(tx, &chosen(DEFAULT_ORG, "a.one", "4"), Some("1")).await?);
    assert!(!org_settings::delete(tx, DEFAULT_ORG, "a.one", "1").await?);
    assert_eq!(org_settings::get(tx, DEFAULT_ORG, "a.one").await?, Some(chosen(DEFAULT_ORG, "a.one", "3")));
    Ok(())
}
