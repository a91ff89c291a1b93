//! The settings that were read lately, so that what depends on one costs no query.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use sortie_rules::ids::OrgId;
use sortie_rules::org_settings::{Key, OrgSetting, Value};
use sortie_store::org_settings::{self, OrgSettingRow};
use sortie_store::{Store, StoreError};

/// Most values kept in memory.
const CACHED_MAX: usize = 10_000;

/// Reads what an org has chosen.
#[derive(Debug, Default)]
pub(crate) struct OrgSettings(RwLock<Entries>);

#[derive(Debug, Default)]
struct Entries {
    values: HashMap<(OrgId, &'static str), Value>,
    /// Rises when something is evicted: a row read before that is not remembered after it.
    changes: u64,
}

impl OrgSettings {
    /// What holds in this org.
    pub(crate) async fn read<T>(&self, store: &Store, org: OrgId, key: &Key<T>) -> Result<T, StoreError> {
        let setting = key.setting;
        let changes = match self.find(org, setting) {
            Ok(value) => return Ok(key.read(value)),
            Err(changes) => changes,
        };
        let row = store.read(move |tx| Box::pin(async move { org_settings::get(tx, org, setting.key).await })).await?;
        let value = value_of(setting, row.as_ref());
        self.keep(org, setting, value, changes);
        Ok(key.read(value))
    }

    /// What is in memory; else how many changes there were, to be told to [`OrgSettings::keep`].
    fn find(&self, org: OrgId, setting: &'static OrgSetting) -> Result<Value, u64> {
        let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
        entries.values.get(&(org, setting.key)).copied().ok_or(entries.changes)
    }

    /// Keeps what was read, unless something has changed since it was looked for.
    fn keep(&self, org: OrgId, setting: &'static OrgSetting, value: Value, changes: u64) {
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if entries.changes != changes {
            return;
        }
        if entries.values.len() >= CACHED_MAX {
            entries.values.clear();
        }
        entries.values.insert((org, setting.key), value);
    }

    /// Forgets one value: it was changed.
    pub(crate) fn evict(&self, org: OrgId, setting: &'static OrgSetting) {
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        entries.changes += 1;
        entries.values.remove(&(org, setting.key));
    }

    /// Forgets every value of an org.
    pub(crate) fn evict_org(&self, org: OrgId) {
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        entries.changes += 1;
        entries.values.retain(|(of, _), _| *of != org);
    }

    /// Forgets every value: any may have been changed.
    pub(crate) fn evict_all(&self) {
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        entries.changes += 1;
        entries.values.clear();
    }
}

/// What holds where this row stands, or none.
pub(super) fn value_of(setting: &OrgSetting, row: Option<&OrgSettingRow>) -> Value {
    let Some(row) = row else { return setting.default };
    setting.read(&row.value).unwrap_or_else(|| {
        let (org, key) = (row.org, setting.key);
        tracing::warn!(%org, key, value = row.value, "An org setting fits its key no more; its default holds");
        setting.default
    })
}

#[cfg(test)]
mod tests {
    use sortie_rules::ids::DEFAULT_ORG;
    use sortie_rules::org_settings::SESSIONS_IDLE;
    use sortie_rules::time::{Millis, Span};
    use sortie_store::orgs::{self, OrgRow};
    use sortie_store::{Location, Options};

    use super::*;

    async fn store(folder: &std::path::Path) -> Store {
        let location = Location::Sqlite(folder.join("hub.sqlite"));
        let store = Store::open(Options { location, readers: 1, now: Millis(1) }).await.expect("it can be opened");
        let org = OrgRow { id: DEFAULT_ORG, name: "default".to_owned(), created_at: Millis(1) };
        let made = store.write(move |tx| Box::pin(async move { orgs::insert(tx, &org).await })).await;
        made.expect("an org can be made");
        store
    }

    /// Chooses behind the cache's back.
    async fn choose(store: &Store, value: &'static str, former: Option<&'static str>) {
        let row = OrgSettingRow {
            org: DEFAULT_ORG,
            key: SESSIONS_IDLE.setting.key.to_owned(),
            value: value.to_owned(),
            changed_by: "ann".to_owned(),
            changed_at: Millis(2),
        };
        let put = store.write(move |tx| Box::pin(async move { org_settings::put(tx, &row, former).await })).await;
        assert_eq!(put, Ok(true));
    }

    #[tokio::test]
    async fn what_was_read_is_kept_until_it_or_everything_is_evicted() {
        let folder = tempfile::tempdir().expect("there is a temporary folder");
        let (store, settings) = (store(folder.path()).await, OrgSettings::default());
        let read = async || settings.read(&store, DEFAULT_ORG, &SESSIONS_IDLE).await.expect("the store answers");
        assert_eq!(read().await, Span::minutes(30));
        choose(&store, "60", None).await;
        assert_eq!(read().await, Span::minutes(30), "it is read from memory");
        settings.evict(DEFAULT_ORG, SESSIONS_IDLE.setting);
        assert_eq!(read().await, Span::seconds(60));
        choose(&store, "61", Some("60")).await;
        settings.evict_all();
        assert_eq!(read().await, Span::seconds(61));
        choose(&store, "\"no number\"", Some("61")).await;
        settings.evict_all();
        assert_eq!(read().await, Span::minutes(30), "what does not fit counts as not chosen");
        store.close().await;
    }

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        let (settings, idle) = (OrgSettings::default(), SESSIONS_IDLE.setting);
        type Change = fn(&OrgSettings);
        let changes: [Change; 3] = [
            |settings| settings.evict(DEFAULT_ORG, SESSIONS_IDLE.setting),
            |settings| settings.evict_org(DEFAULT_ORG),
            OrgSettings::evict_all,
        ];
        for change in changes {
            let before = settings.find(DEFAULT_ORG, idle).expect_err("it is not in memory");
            // The read is on its way when the change comes.
            change(&settings);
            settings.keep(DEFAULT_ORG, idle, Value::Number(60), before);
            let now = settings.find(DEFAULT_ORG, idle).expect_err("what is outdated is not kept");
            settings.keep(DEFAULT_ORG, idle, Value::Number(90), now);
            assert_eq!(settings.find(DEFAULT_ORG, idle), Ok(Value::Number(90)));
            settings.evict_all();
        }
    }

    #[test]
    fn an_org_s_values_are_evicted_and_those_of_others_stay() {
        let (settings, idle) = (OrgSettings::default(), SESSIONS_IDLE.setting);
        let other = OrgId::from_uuid(uuid::Uuid::from_u128(7));
        for org in [DEFAULT_ORG, other] {
            settings.keep(org, idle, idle.default, 0);
        }
        settings.evict_org(other);
        assert_eq!(settings.find(DEFAULT_ORG, idle), Ok(idle.default));
        assert!(settings.find(other, idle).is_err());
    }

    #[test]
    fn memory_has_an_end() {
        let (settings, idle) = (OrgSettings::default(), SESSIONS_IDLE.setting);
        for org in 0..=CACHED_MAX as u128 {
            settings.keep(OrgId::from_uuid(uuid::Uuid::from_u128(org)), idle, idle.default, 0);
        }
        assert!(settings.0.read().unwrap().values.len() <= CACHED_MAX);
    }
}
