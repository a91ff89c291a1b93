//! By which rules an org judges, read from memory where it can be: the hub's own and those of packs, but for what the
//! org itself says under their names.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use arc_swap::ArcSwap;
use aws_lc_rs::digest::{SHA256, digest};
use sortie_rules::alarms::{AlarmRule, known_rules};
use sortie_rules::ids::OrgId;
use sortie_store::alarm_rules::{self, AlarmRuleRow};
use sortie_store::{Store, StoreError};

/// Most orgs whose rules are kept in memory.
const CACHED_MAX: usize = 10_000;

/// A rule that a pack has.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PackRule {
    /// The pack's name.
    pub(crate) pack: String,
    /// The rule.
    pub(crate) rule: AlarmRule,
}

/// Where a rule comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// Every hub has it.
    Hub,
    /// A pack of this name has it.
    Pack(String),
    /// The org has made it.
    Org,
}

/// A rule in use.
#[derive(Debug)]
pub(super) struct Judge {
    pub(super) rule: AlarmRule,
    pub(super) origin: Origin,
    /// A hash of its text.
    pub(super) hash: String,
}

/// The rules of one org.
#[derive(Debug, Default)]
pub(super) struct RuleSet {
    by_name: BTreeMap<String, Arc<Judge>>,
    by_event: HashMap<String, Vec<Arc<Judge>>>,
    by_report: HashMap<String, Vec<Arc<Judge>>>,
}

impl RuleSet {
    /// The rules of the hub and of these packs, but for what these rows say.
    pub(super) fn new(packs: &[PackRule], rows: &[AlarmRuleRow]) -> RuleSet {
        let judge = |rule: &AlarmRule, origin| Judge { rule: rule.clone(), origin, hash: hash_of(rule) };
        let mut by_name: BTreeMap<String, Arc<Judge>> = BTreeMap::new();
        for rule in known_rules() {
            by_name.insert(rule.name.clone(), Arc::new(judge(rule, Origin::Hub)));
        }
        for PackRule { pack, rule } in packs {
            by_name.insert(rule.name.clone(), Arc::new(judge(rule, Origin::Pack(pack.clone()))));
        }
        for row in rows {
            match row.rule.as_deref().map(serde_json::from_str::<AlarmRule>) {
                None => drop(by_name.remove(&row.name)),
                Some(Ok(rule)) => drop(by_name.insert(row.name.clone(), Arc::new(judge(&rule, Origin::Org)))),
                // A newer hub may know more of rules than this one.
                Some(Err(error)) => {
                    tracing::warn!(org = %row.org, rule = row.name, %error, "An alarm rule cannot be read; it is none");
                    by_name.remove(&row.name);
                }
            }
        }
        let mut set = RuleSet { by_name, ..RuleSet::default() };
        for judge in set.by_name.values() {
            let mut kinds: Vec<&str> = judge.rule.event_kinds().collect();
            kinds.sort_unstable();
            kinds.dedup();
            for kind in kinds {
                set.by_event.entry(kind.to_owned()).or_default().push(Arc::clone(judge));
            }
            if let Some(kind) = judge.rule.report_kind() {
                set.by_report.entry(kind.to_owned()).or_default().push(Arc::clone(judge));
            }
        }
        set
    }

    /// The rule of this name, unless it is switched off.
    pub(super) fn get(&self, name: &str) -> Option<&Arc<Judge>> {
        self.by_name.get(name)
    }

    /// Every rule in use, by name.
    pub(super) fn all(&self) -> impl Iterator<Item = &Judge> {
        self.by_name.values().map(|judge| &**judge)
    }

    /// The rules for which events of this kind may mean something.
    pub(super) fn of_event(&self, kind: &str) -> &[Arc<Judge>] {
        self.by_event.get(kind).map_or(&[], Vec::as_slice)
    }

    /// The rules that look at reports of this kind.
    pub(super) fn of_report(&self, kind: &str) -> &[Arc<Judge>] {
        self.by_report.get(kind).map_or(&[], Vec::as_slice)
    }
}

/// What tells a rule's text from others: sixteen hexadecimal digits.
fn hash_of(rule: &AlarmRule) -> String {
    let text = serde_json::to_string(rule).expect("a rule is plain data");
    hex::encode(&digest(&SHA256, text.as_bytes()).as_ref()[..8])
}

/// The rules of all orgs, as far as they were read.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    packs: ArcSwap<Vec<PackRule>>,
    entries: RwLock<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    sets: HashMap<OrgId, Arc<RuleSet>>,
    /// Rises when something is evicted: what was read before that is not remembered after it.
    changes: u64,
}

impl Rules {
    /// The rules by which this org judges.
    pub(super) async fn of(&self, store: &Store, org: OrgId) -> Result<Arc<RuleSet>, StoreError> {
        let changes = match self.find(org) {
            Ok(set) => return Ok(set),
            Err(changes) => changes,
        };
        let packs = self.packs();
        let rows = store.read(move |tx| Box::pin(async move { alarm_rules::list(tx, org).await })).await?;
        let set = Arc::new(RuleSet::new(&packs, &rows));
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if entries.changes == changes {
            if entries.sets.len() >= CACHED_MAX {
                entries.sets.clear();
            }
            entries.sets.insert(org, Arc::clone(&set));
        }
        Ok(set)
    }

    /// What is in memory; else how many changes there were.
    fn find(&self, org: OrgId) -> Result<Arc<RuleSet>, u64> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        entries.sets.get(&org).cloned().ok_or(entries.changes)
    }

    /// The rules that packs have.
    pub(super) fn packs(&self) -> Arc<Vec<PackRule>> {
        self.packs.load_full()
    }

    /// Takes these for the rules that packs have.
    pub(crate) fn set_packs(&self, packs: Vec<PackRule>) {
        self.packs.store(Arc::new(packs));
        self.evict_all();
    }

    /// Forgets an org's rules: it has changed them.
    pub(crate) fn evict(&self, org: OrgId) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.changes += 1;
        entries.sets.remove(&org);
    }

    /// Forgets all rules: any may have been changed.
    pub(crate) fn evict_all(&self) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.changes += 1;
        entries.sets.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use sortie_rules::ids::DEFAULT_ORG;
    use sortie_rules::time::Millis;

    fn row(name: &str, rule: Option<String>) -> AlarmRuleRow {
        AlarmRuleRow { org: DEFAULT_ORG, name: name.into(), rule, changed_by: "ann".into(), changed_at: Millis(1) }
    }

    fn rule(name: &str, kind: &str) -> String {
        json!({"name": name, "severity": "info", "summary": "x", "begins": [{"kind": kind}], "lasts_s": 60}).to_string()
    }

    #[test]
    fn an_org_has_the_hub_s_rules_and_those_of_packs_but_for_what_it_says_itself() {
        let of_pack = serde_json::from_str(&rule("disk.broken", "disk.broken")).unwrap();
        let packs = [PackRule { pack: "box".into(), rule: of_pack }];
        let plain = RuleSet::new(&packs, &[]);
        assert_eq!(plain.get("node.down").unwrap().origin, Origin::Hub);
        assert_eq!(plain.get("disk.broken").unwrap().origin, Origin::Pack("box".into()));
        assert_eq!(plain.of_event("node.recovered").len(), 2, "each rule once for a kind");
        assert_eq!(plain.of_report("facts").len(), 1);
        let rows = [
            row("node.down", None),
            row("disk.broken", Some(rule("disk.broken", "disk.gone"))),
            row("own", Some(rule("own", "task.failed"))),
            row("bad", Some("{}".into())),
        ];
        let own = RuleSet::new(&packs, &rows);
        assert!(own.get("node.down").is_none() && own.get("bad").is_none());
        assert_eq!(own.get("disk.broken").unwrap().origin, Origin::Org);
        assert_ne!(own.get("disk.broken").unwrap().hash, plain.get("disk.broken").unwrap().hash);
        assert_eq!((own.of_event("disk.broken").len(), own.of_event("disk.gone").len()), (0, 1));
        assert_eq!(own.of_event("task.failed").len(), 2);
        assert_eq!(own.all().count(), plain.all().count());
    }

    #[test]
    fn what_was_read_before_a_change_is_not_kept_after_it() {
        let rules = Rules::default();
        let before = rules.find(DEFAULT_ORG).expect_err("it is not in memory");
        rules.evict(DEFAULT_ORG);
        assert_ne!(rules.find(DEFAULT_ORG).expect_err("nor is it now"), before);
    }
}
