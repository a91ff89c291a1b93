//! Makes the whole set of task types, resource kinds and alarm rules: the base pack, and every pack that settings and
//! the data folder name. Either all of it is sound or none of it is used.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sortie_rules::alarms::AlarmRule;
use sortie_rules::limits::PACKS_MAX;
use sortie_wire::desired::ResourceKind;
use sortie_wire::task_types::TaskType;

use super::files::PackFiles;
use super::kinds::{KnownKind, ResourceKinds};
use super::manifest::{MANIFEST, Pack, read};
use super::misplaced::{Misplaced, misplaced, packs_in};
use super::mistake::Mistake;
use super::types::{Known, TaskTypes};
use crate::alarms::PackRule;

macro_rules! base {
    ($($file:literal),+ $(,)?) => {
        &[$(($file, include_str!(concat!("../../../../packs/base/", $file)))),+]
    };
}

/// The base pack.
const BASE: &[(&str, &str)] = base![
    "pack.toml",
    "schemas/sys.info.payload.json",
    "schemas/sys.info.result.json",
    "schemas/file.checksum.payload.json",
    "schemas/file.checksum.result.json",
    "schemas/file.append.payload.json",
    "schemas/file.append.result.json",
    "schemas/http.check.payload.json",
    "schemas/http.check.result.json",
    "schemas/service.restart.payload.json",
    "schemas/service.restart.result.json",
    "schemas/host.reboot.payload.json",
    "schemas/host.reboot.result.json",
    "schemas/file.json",
    "schemas/directory.json",
    "schemas/service.json",
    "schemas/command.json",
    "schemas/sleep.payload.json",
    "schemas/sleep.result.json",
];

/// Packs that cannot be used.
#[derive(Debug)]
pub struct PacksError(pub Vec<Mistake>);

impl fmt::Display for PacksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = if self.0.len() == 1 { "one mistake".to_owned() } else { format!("{} mistakes", self.0.len()) };
        write!(f, "the packs cannot be used: {count}")?;
        self.0.iter().try_for_each(|mistake| write!(f, "\n  {mistake}"))
    }
}
impl std::error::Error for PacksError {}

/// What looking at one pack's folder has shown.
#[derive(Debug)]
pub struct Checked {
    /// The pack's name.
    pub name: String,
    /// Its task types.
    pub types: Vec<TaskType>,
    /// Its resource kinds.
    pub kinds: Vec<ResourceKind>,
    /// Its alarm rules.
    pub alarms: Vec<AlarmRule>,
}

/// Looks at the pack in a folder, by itself and beside the base pack.
pub fn check_folder(folder: &Path) -> Result<Checked, PacksError> {
    let pack = read_folder(folder).map_err(PacksError)?;
    let types = pack.types.iter().map(|known| known.described.clone()).collect();
    let kinds = pack.kinds.iter().map(|known| known.described.clone()).collect();
    let (name, alarms) = (pack.name.clone(), pack.alarms.clone());
    let mut set = Set::new();
    set.add(read(&PackFiles::Embedded(BASE)).map_err(PacksError)?, Path::new("base"));
    set.add(pack, folder);
    set.finish().map(|_| Checked { name, types, kinds, alarms })
}

/// The base pack, the packs in `folders`, and every pack that lies in `packs_folder`.
pub(crate) fn load(folders: &[PathBuf], packs_folder: &Path) -> Result<Packs, PacksError> {
    let mut set = Set::new();
    let mut folders = folders.to_vec();
    match beneath(packs_folder) {
        Ok(beneath) => folders.extend(beneath),
        Err(mistake) => set.mistakes.push(mistake),
    }
    if folders.len() > PACKS_MAX {
        let what = format!("{} packs are named; {PACKS_MAX} are the most", folders.len());
        return Err(PacksError(vec![Mistake::of_file(packs_folder, what)]));
    }
    for Misplaced { pack, remedy } in misplaced(packs_folder) {
        let pack = pack.display();
        tracing::warn!(%pack, remedy, "A pack is not read: it lies where a hub does not look for packs");
    }
    let base = std::iter::once((read(&PackFiles::Embedded(BASE)), Path::new("base")));
    let all = base.chain(folders.iter().map(|folder| (read_folder(folder), folder.as_path())));
    for (pack, folder) in all {
        match pack {
            Ok(pack) => set.add(pack, folder),
            Err(mistakes) => set.mistakes.extend(mistakes),
        }
    }
    set.finish()
}

/// The pack in a folder. Where there is none, but one below it, that is said.
fn read_folder(folder: &Path) -> Result<Pack, Vec<Mistake>> {
    let deeper = if folder.join(MANIFEST).exists() { Vec::new() } else { packs_in(folder) };
    let Some(first) = deeper.first() else { return read(&PackFiles::Folder(folder.to_owned())) };
    let what = format!(
        "there is no such file; the pack is in {}. A hub reads DATA/packs/NAME/{MANIFEST}, and none that lies deeper",
        first.display()
    );
    Err(vec![Mistake::of_file(folder.join(MANIFEST), what)])
}

/// The folders with a `pack.toml` in this one, by name. No folder means no packs.
fn beneath(folder: &Path) -> Result<Vec<PathBuf>, Mistake> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Mistake::of_file(folder, format!("it cannot be read: {error}"))),
    };
    let mut found: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    found.retain(|path| path.join(MANIFEST).exists());
    found.sort();
    Ok(found)
}

/// What all packs bring.
#[derive(Debug)]
pub(crate) struct Packs {
    pub(crate) types: TaskTypes,
    pub(crate) kinds: ResourceKinds,
    pub(crate) alarms: Vec<PackRule>,
}

/// Types and kinds under collection, and whose pack each is.
struct Set {
    types: BTreeMap<String, Arc<Known>>,
    kinds: BTreeMap<String, Arc<KnownKind>>,
    alarms: BTreeMap<String, PackRule>,
    packs: BTreeMap<String, PathBuf>,
    mistakes: Vec<Mistake>,
}

impl Set {
    fn new() -> Set {
        let (types, kinds, alarms) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Set { types, kinds, alarms, packs: BTreeMap::new(), mistakes: Vec::new() }
    }

    fn add(&mut self, pack: Pack, folder: &Path) {
        if let Some(other) = self.packs.insert(pack.name.clone(), folder.to_owned()) {
            let what = format!("the name `{}` is taken by the pack in {}", pack.name, other.display());
            self.mistakes.push(Mistake::of_file(folder.join(MANIFEST), what));
        }
        for known in pack.types {
            let name = known.described.name.clone();
            if let Some(other) = self.types.insert(name.clone(), known) {
                let what = format!("the task type `{name}` belongs to the pack `{}` already", other.described.pack);
                self.mistakes.push(Mistake::of_file(folder.join(MANIFEST), what));
            }
        }
        for known in pack.kinds {
            let name = known.described.name.clone();
            if let Some(other) = self.kinds.insert(name.clone(), known) {
                let what = format!("the resource kind `{name}` belongs to the pack `{}` already", other.described.pack);
                self.mistakes.push(Mistake::of_file(folder.join(MANIFEST), what));
            }
        }
        for rule in pack.alarms {
            let (name, pack) = (rule.name.clone(), pack.name.clone());
            if let Some(other) = self.alarms.insert(name.clone(), PackRule { pack, rule }) {
                let what = format!("the alarm rule `{name}` belongs to the pack `{}` already", other.pack);
                self.mistakes.push(Mistake::of_file(folder.join(MANIFEST), what));
            }
        }
    }

    fn finish(self) -> Result<Packs, PacksError> {
        let Set { types, kinds, alarms, mistakes, .. } = self;
        if mistakes.is_empty() {
            let alarms = alarms.into_values().collect();
            Ok(Packs { types: TaskTypes(types), kinds: ResourceKinds(kinds), alarms })
        } else {
            Err(PacksError(mistakes))
        }
    }
}

/// The base pack, for tests.
#[cfg(test)]
pub(crate) fn base() -> Packs {
    load(&[], Path::new("/nonexistent")).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::enforcement::Enforcer;
    use std::fs;

    const GOOD: &str = "name = \"mine\"\n\n[[task_types]]\nname = \"mine.work\"\nsummary = \"Works.\"\n\
        idempotent = true\nlease_s = 60\nmax_retries = 3\npayload = \"p.json\"\nresult = \"r.json\"\n";

    fn pack(manifest: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("schemas")).unwrap();
        fs::write(folder.path().join("pack.toml"), manifest).unwrap();
        fs::write(folder.path().join("schemas/p.json"), "{\"properties\": {\"key\": {\"type\": \"string\"}}}").unwrap();
        fs::write(folder.path().join("schemas/r.json"), "{}").unwrap();
        folder
    }

    fn mistakes(manifest: &str) -> Vec<String> {
        let folder = pack(manifest);
        let PacksError(mistakes) = check_folder(folder.path()).expect_err("it has mistakes");
        let shown = |mistake: &Mistake| format!("{}:{}: {}", mistake.line, mistake.column, mistake.what);
        mistakes.iter().map(shown).collect()
    }

    #[test]
    fn the_base_pack_is_sound() {
        let Packs { types, kinds, .. } = base();
        let schemas = types.all().count() * 2 + kinds.all().count();
        assert_eq!(schemas, BASE.len() - 1);
        assert!(!types.find("file.append", "").unwrap().described.idempotent);
    }

    #[test]
    fn a_sound_pack_is_taken() {
        let folder = pack(&(GOOD.to_owned() + "secrets = [\"/key\"]\nclass = \"privileged\"\n"));
        let checked = check_folder(folder.path()).unwrap();
        assert_eq!((checked.name.as_str(), checked.types[0].name.as_str()), ("mine", "mine.work"));
        assert_eq!(checked.types[0].secrets, ["/key"]);
        assert!(load(&[folder.path().to_owned()], Path::new("/nonexistent")).unwrap().types.get("mine.work").is_some());
    }

    #[test]
    fn a_folder_around_a_pack_is_told_from_the_pack() {
        let around = tempfile::tempdir().unwrap();
        fs::create_dir(around.path().join("mine")).unwrap();
        fs::write(around.path().join("mine/pack.toml"), GOOD).unwrap();
        let PacksError(mistakes) = check_folder(around.path()).expect_err("it is no pack");
        let inner = around.path().join("mine");
        assert!(mistakes[0].what.contains(&format!("the pack is in {}", inner.display())), "{mistakes:?}");
        // A hub starts without it, and does not take it.
        let deep = tempfile::tempdir().unwrap();
        fs::create_dir_all(deep.path().join("mine/mine")).unwrap();
        fs::write(deep.path().join("mine/mine/pack.toml"), GOOD).unwrap();
        assert!(load(&[], deep.path()).unwrap().types.get("mine.work").is_none());
    }

    #[test]
    fn every_mistake_is_told_with_its_place() {
        let all = mistakes(
            &GOOD
                .replace("lease_s = 60", "lease_s = 1")
                .replace("idempotent = true", "idempotnet = true")
                .replace("r.json", "missing.json"),
        );
        assert!(all[0].starts_with("6:1: unknown key `idempotnet`; did you mean `idempotent`?"), "{all:?}");
        assert!(all.iter().any(|one| one.starts_with("3:1: `idempotent` is missing")), "{all:?}");
        assert!(all.iter().any(|one| one.starts_with("7:11: `lease_s` must be a whole number from 5")), "{all:?}");
        assert!(all.iter().any(|one| one.starts_with("10:10: `result` names schemas/missing.json")), "{all:?}");
        assert_eq!(all.len(), 4, "{all:?}");
    }

    const KIND: &str = "\n[[resource_kinds]]\nname = \"mine.disk\"\nsummary = \"A disk.\"\nschema = \"p.json\"\n";

    #[test]
    fn a_pack_brings_resource_kinds_with_or_without_task_types() {
        let only_kinds = "name = \"mine\"\n".to_owned() + KIND + "hub_only = [\"/key\"]\n";
        let checked = check_folder(pack(&only_kinds).path()).unwrap();
        assert_eq!((checked.kinds[0].name.as_str(), checked.types.len()), ("mine.disk", 0));
        assert_eq!((&checked.kinds[0].hub_only, checked.kinds[0].enforcer), (&vec!["/key".to_owned()], None));
        let enforced = only_kinds.clone() + "enforcer = \"geo\"\n";
        assert_eq!(check_folder(pack(&enforced).path()).unwrap().kinds[0].enforcer, Some(Enforcer::Geo));
        assert!(mistakes(&enforced.replace("geo", "gio"))[0].contains("no enforcer `gio`; it has geo"));
        let with = |from: &str, to: &str| mistakes(&(GOOD.to_owned() + &KIND.replace(from, to)));
        assert!(with("mine.disk", "Disk")[0].contains("only a-z"));
        assert!(with("mine.disk", "file")[0].contains("pack `base` already"));
        assert!(with("p.json", "none.json")[0].contains("schemas/none.json"));
        assert!(with("summary", "sumary")[0].contains("did you mean `summary`"));
        assert!(mistakes(&(only_kinds.replace("/key", "/kye")))[0].contains("nothing at `/kye`"));
        assert!(mistakes(&(GOOD.to_owned() + KIND + KIND))[0].contains("is there twice"));
    }

    const ALARM: &str = "\n[[alarms]]\nname = \"mine.broken\"\nseverity = \"critical\"\n\
        summary = \"It is broken.\"\nbegins = [{ kind = \"task.failed\", where = { \"/type\" = \"mine.work\" } }]\n\
        lasts_s = 60\n";

    #[test]
    fn a_pack_brings_alarm_rules_and_each_mistake_is_told_in_a_sentence() {
        let only_alarms = "name = \"mine\"\n".to_owned() + ALARM;
        let folder = pack(&only_alarms);
        assert_eq!(check_folder(folder.path()).unwrap().alarms[0].name, "mine.broken");
        let packs = load(&[folder.path().to_owned()], Path::new("/nonexistent")).unwrap();
        assert_eq!((packs.alarms.len(), packs.alarms[0].pack.as_str()), (1, "mine"));
        let with = |from: &str, to: &str| mistakes(&only_alarms.replace(from, to)).remove(0);
        assert!(with("lasts_s = 60", "").contains("nothing ends it; say `ends` or `lasts_s`"));
        assert!(with("lasts_s", "last_s").starts_with("8:1: unknown key `last_s`; did you mean `lasts_s`"));
        assert!(with("critical", "bad").contains("unknown variant `bad`"));
        assert!(with("mine.broken", "node.down").contains("every hub has an alarm rule `node.down`"));
        assert!(with("\"/type\"", "\"type\"").contains("JSON pointer"));
        assert!(mistakes(&(only_alarms.clone() + ALARM))[0].contains("is there twice"));
    }

    #[test]
    fn what_no_two_resources_share_is_named_by_pointers_that_the_schema_knows() {
        let with = |unique: &str| "name = \"mine\"\n".to_owned() + KIND + "unique = [\"" + unique + "\"]\n";
        let checked = check_folder(pack(&with("/key")).path()).unwrap();
        assert_eq!(checked.kinds[0].unique, ["/key"]);
        assert!(mistakes(&with("/kye"))[0].contains("nothing at `/kye`"));
        assert!(mistakes(&with("/*"))[0].contains("`*` has no meaning"));
    }

    #[test]
    fn broken_toml_names_secrets_and_doubles_are_found() {
        assert!(mistakes("name = ").first().unwrap().starts_with("1:8: "));
        assert!(
            mistakes("name = \"x\"\n")[0].contains("at least one [[task_types]], [[resource_kinds]] or [[alarms]]")
        );
        assert!(mistakes(&(GOOD.to_owned() + "secrets = [\"/kye\"]\n"))[0].starts_with("11:12: "));
        assert!(mistakes(&(GOOD.to_owned() + "class = \"secret\"\n"))[0].contains("privileged"));
        assert!(mistakes(&GOOD.replace("mine.work", "sleep"))[0].contains("pack `base` already"));
        assert!(mistakes(&GOOD.replace("\"mine\"", "\"base\""))[0].contains("is taken"));
        assert!(mistakes(&GOOD.replace("p.json", "../pack.toml"))[0].contains("within its own folder"));
        let twice = GOOD.to_owned() + &GOOD[GOOD.find("[[").unwrap()..];
        assert!(mistakes(&twice)[0].contains("is there twice"));
    }
}
