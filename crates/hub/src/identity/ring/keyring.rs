//! The ring on disk and in memory, and how it changes: make the new key, sign the set that names it, write
//! the ring, and only then use it and remove what has gone.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::{ArcSwap, ArcSwapOption};
use sortie_rules::rotation::{Ring, RingRefusal, What, knows_the_keys};
use sortie_rules::time::{Millis, Span};
use sortie_wire::envelope::KEYS;
use tokio::sync::Notify;

use super::file::{RingFile, StepKind, TakenStep};
use super::held::{Held, spelled};
use super::make::{self, Made, make};
use crate::clock::Entropy;
use crate::identity::authority::AuthorityError;
use crate::identity::safe::{Contents, Safe};

const RING: &str = "keys/ring.json";
/// Within which time the nodes of a hub without nodes would renew.
const RENEW_WITHIN_LEAST: Span = Span::seconds(1);

/// The hub's ring of keys.
#[derive(Debug)]
pub(crate) struct KeyRing {
    safe: Safe,
    held: ArcSwap<Held>,
    /// Why the safe cannot be read any more, if so.
    locked_out: ArcSwapOption<LockedOut>,
    /// Held by whoever changes the ring.
    pub(crate) turn: tokio::sync::Mutex<()>,
    /// Rings when a node has heard of the newest key set.
    pub(crate) bell: Arc<Notify>,
}

/// That the master key does not open the safe any more.
#[derive(Debug, PartialEq, Eq)]
struct LockedOut {
    /// The newest change of what lies there.
    change: u64,
    /// Why it does not, and what to do.
    why: String,
}

/// What shall become of the ring.
#[derive(Debug)]
pub(crate) struct Change {
    /// The ring then.
    pub(crate) ring: Ring,
    /// The key that was made for it.
    pub(crate) made: Option<Made>,
    /// Within which time nodes are to renew, if that changes.
    pub(crate) renew_within: Option<Span>,
    /// What is done.
    pub(crate) step: TakenStep,
}

impl KeyRing {
    /// Reads the ring, making it at the first start. What a crash left half done is cleared away.
    pub(crate) async fn load(safe: Safe, entropy: &Entropy, now: Millis) -> Result<KeyRing, AuthorityError> {
        let held = loop {
            let contents = safe.open().await?;
            let held = match read(contents.clone())? {
                Some(held) => held,
                None => match first(&safe, contents, entropy, now).await {
                    // Another hub on this database was quicker.
                    Err(AuthorityError::Changed) => continue,
                    held => held?,
                },
            };
            match clear_away(&safe, held).await {
                Err(AuthorityError::Changed) => {}
                held => break held?,
            }
        };
        Ok(KeyRing {
            safe,
            held: ArcSwap::from_pointee(held),
            locked_out: ArcSwapOption::empty(),
            turn: tokio::sync::Mutex::default(),
            bell: Arc::default(),
        })
    }

    /// Whether it is kept in the database.
    pub(crate) fn is_in_database(&self) -> bool {
        matches!(self.safe, Safe::Database(..))
    }

    /// The ring as it is now.
    pub(crate) fn held(&self) -> Arc<Held> {
        self.held.load_full()
    }

    /// Reads again what another hub may have changed. Says whether it has. Whoever calls this has the turn.
    pub(crate) async fn reread(&self) -> Result<bool, AuthorityError> {
        let Safe::Database(..) = &self.safe else { return Ok(false) };
        let contents = match self.safe.open().await {
            Err(AuthorityError::Sealed { change, why }) => {
                self.lock_out(change, &why);
                return Err(AuthorityError::Sealed { change, why });
            }
            contents => contents?,
        };
        if self.locked_out.swap(None).is_some() {
            tracing::info!("The master key file opens the hub's keys in the database again");
        }
        if !contents.is_newer_than(&self.held().contents) {
            return Ok(false);
        }
        let held = read(contents)?.ok_or_else(|| AuthorityError::Damaged(format!("{RING} is missing")))?;
        self.held.store(Arc::new(held));
        Ok(true)
    }

    /// Whether the master key does not open the keys in the database any more. They are used as they are in memory.
    pub(crate) fn is_locked_out(&self) -> bool {
        self.locked_out.load().is_some()
    }

    /// Whether the keys in memory are sure to be those that all hubs use.
    pub(crate) fn is_known(&self) -> bool {
        let locked_out = self.locked_out.load();
        locked_out.as_ref().is_none_or(|locked_out| knows_the_keys(self.held().contents.change(), locked_out.change))
    }

    /// Notes it, and tells it once.
    fn lock_out(&self, change: u64, why: &str) {
        let now = Arc::new(LockedOut { change, why: why.to_owned() });
        let before = self.locked_out.swap(Some(Arc::clone(&now)));
        if before.is_some_and(|before| before == now) {
            return;
        }
        match self.is_known() {
            true => tracing::error!(
                why,
                "The hub's keys were sealed with another master key: this hub serves on with those in memory, cannot \
                 rotate them, and looks at its file again every moment; put the new one in its place, or name it and \
                 restart this hub"
            ),
            false => tracing::error!(
                why,
                "The hub's keys were changed, and this hub cannot read them: it is not ready until its file holds the \
                 master key that the other hubs have"
            ),
        }
    }

    /// Makes a key for the ring's next version. It lies nowhere yet.
    pub(crate) fn make(&self, what: What, entropy: &Entropy, now: Millis) -> Result<Made, AuthorityError> {
        make(what, self.held().ring().version + 1, entropy, now)
    }

    /// Changes the ring: it stands, in the safe and in memory, when this returns. Whoever calls this has the turn.
    pub(crate) async fn take(&self, change: Change) -> Result<Arc<Held>, AuthorityError> {
        let Change { ring, made, renew_within, step } = change;
        let before = self.held();
        let mut file = RingFile { ring, ..before.file.clone() };
        file.steps.push(step);
        if let Some(made) = &made {
            file.files.insert(made.id.clone(), made.stem.clone());
        }
        file.renew_within = renew_within.unwrap_or(file.renew_within);
        self.write(&before, file, made).await
    }

    /// Believes what vouches for the operator's certificate, of which this is the fingerprint and the text
    /// (PEM), or nothing if the hub has one of its own.
    pub(crate) async fn settle_given(
        &self,
        anchor: Option<(String, String)>,
        now: Millis,
    ) -> Result<(), AuthorityError> {
        let before = self.held();
        let ring = match &anchor {
            Some((id, _)) if before.ring().of(What::Given).any(|member| member.id == *id) => {
                before.ring().use_again(id, now)
            }
            Some((id, _)) => before.ring().introduce(What::Given, id, true, now)?,
            None if before.ring().current(What::Given).is_some() => before.ring().without(What::Given, now),
            None => return Ok(()),
        };
        if ring == *before.ring() {
            return Ok(());
        }
        let mut file = before.file.clone();
        file.steps.push(TakenStep {
            at: now,
            actor: "hub".to_owned(),
            kind: StepKind::Given,
            what: Some(What::Given),
            from: before.ring().version,
            to: ring.version,
            data: serde_json::json!({ "authority": anchor.as_ref().map(|(id, _)| id) }),
            act: None,
        });
        file.given.extend(anchor);
        file.ring = ring;
        self.write(&before, file, None).await.map(drop)
    }

    async fn write(&self, before: &Held, mut file: RingFile, made: Option<Made>) -> Result<Arc<Held>, AuthorityError> {
        let is_in = |file: &RingFile, id: &str| file.ring.members.iter().any(|member| member.id == id);
        let ring = file.clone();
        file.files.retain(|id, _| is_in(&ring, id));
        file.given.retain(|id, _| is_in(&ring, id));
        let (mut put, signer) = made.map_or_else(Default::default, |made| (made.entries, made.signer));
        if file.ring.version != before.file.ring.version {
            let set = Held::read(before.contents.with(&put), file.clone())?;
            let mut link = before.sign(KEYS, &spelled(set.set()));
            if let Some(signer) = signer {
                signer.also_sign(&mut link).map_err(|error| AuthorityError::Damaged(error.to_string()))?;
            }
            file.chain.push(link);
        }
        put.push((RING.to_owned(), text(&file)?));
        let remove = unnamed(&before.contents.with(&put), &file);
        let contents = self.safe.change(&before.contents, put, remove).await?;
        let held = Arc::new(Held::read(contents, file)?);
        self.held.store(Arc::clone(&held));
        Ok(held)
    }
}

impl From<RingRefusal> for AuthorityError {
    fn from(refusal: RingRefusal) -> AuthorityError {
        AuthorityError::Refused(refusal)
    }
}

/// The ring that lies in the safe.
fn read(contents: Contents) -> Result<Option<Held>, AuthorityError> {
    let Some(text) = contents.get(RING) else { return Ok(None) };
    let file: RingFile = serde_json::from_slice(text)
        .map_err(|error| AuthorityError::Damaged(format!("{RING} cannot be read ({error})")))?;
    Held::read(contents, file).map(Some)
}

fn text(file: &RingFile) -> Result<Vec<u8>, AuthorityError> {
    serde_json::to_vec_pretty(file).map_err(|error| AuthorityError::Damaged(error.to_string()))
}

/// The ring of a hub that never had one: of the keys that it has, or makes now.
async fn first(safe: &Safe, contents: Contents, entropy: &Entropy, now: Millis) -> Result<Held, AuthorityError> {
    if let Some(name) = contents.names().find(|name| later_version(name).is_some()) {
        return Err(AuthorityError::Damaged(format!("{RING} is missing, and {name} shows that there was one")));
    }
    let signer = make::first(&contents, What::Delivery, entropy, now)?;
    let authority = make::first(&contents, What::Authority, entropy, now)?;
    let mut put: Vec<_> = signer.entries.into_iter().chain(authority.entries).collect();
    let mut file = RingFile {
        ring: Ring::first(&signer.id, &authority.id, now),
        files: BTreeMap::from([(signer.id, signer.stem), (authority.id, authority.stem)]),
        given: BTreeMap::new(),
        renew_within: RENEW_WITHIN_LEAST,
        chain: Vec::new(),
        steps: Vec::new(),
    };
    let held = Held::read(contents.with(&put), file.clone())?;
    file.chain.push(held.sign(KEYS, &spelled(held.set())));
    put.push((RING.to_owned(), text(&file)?));
    let contents = safe.change(&contents, put, Vec::new()).await?;
    Held::read(contents, file)
}

/// Removes private keys that the ring does not name: made for a change that a crash cut short, or gone.
async fn clear_away(safe: &Safe, held: Held) -> Result<Held, AuthorityError> {
    let remove = unnamed(&held.contents, &held.file);
    if remove.is_empty() {
        return Ok(held);
    }
    let contents = safe.change(&held.contents, Vec::new(), remove).await?;
    Held::read(contents, held.file)
}

/// What lies in the safe of keys that a ring does not name.
fn unnamed(contents: &Contents, file: &RingFile) -> Vec<String> {
    let is_left = |name: &&str| {
        let Some(own) = name.strip_prefix("keys/") else { return false };
        let stem = own.rsplit_once('.').map_or(own, |(stem, _)| stem);
        let is_ours = matches!(stem, "delivery" | "authority") || later_version(name).is_some();
        is_ours && !file.files.values().any(|named| named == stem)
    };
    contents.names().filter(is_left).map(str::to_owned).collect()
}

/// The version for which a key was made, if not for the first: `keys/delivery.2.pk8`, `keys/authority.2.key`.
fn later_version(name: &str) -> Option<u64> {
    let (stem, _) = name.strip_prefix("keys/")?.rsplit_once('.')?;
    let version = stem.strip_prefix("delivery.").or_else(|| stem.strip_prefix("authority."))?;
    version.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data_folder::{DataFolder, Files};
    use sortie_wire::key_chain::follow;
    use sortie_wire::keys::{KeyChain, KeySet};

    const NOW: Millis = Millis(1_800_000_000_000);

    async fn try_load(files: &Files) -> Result<KeyRing, AuthorityError> {
        KeyRing::load(Safe::Folder(files.clone()), &Entropy::default(), NOW).await
    }
    async fn load(files: &Files) -> KeyRing {
        try_load(files).await.unwrap()
    }
    fn step(ring: &KeyRing, to: u64) -> TakenStep {
        TakenStep {
            at: NOW,
            actor: "ann".into(),
            kind: StepKind::Rotated,
            what: None,
            from: ring.held().ring().version,
            to,
            data: serde_json::json!({}),
            act: None,
        }
    }
    async fn rotate(keys: &KeyRing, what: What) {
        let made = keys.make(what, &Entropy::default(), NOW).unwrap();
        let ring = keys.held().ring().introduce(what, &made.id, false, NOW).unwrap();
        let step = step(keys, ring.version);
        keys.take(Change { ring, made: Some(made), renew_within: None, step }).await.unwrap();
    }
    async fn finish(keys: &KeyRing) {
        let ring = keys.held().ring().finish(0, false, NOW).unwrap();
        let step = step(keys, ring.version);
        keys.take(Change { ring, made: None, renew_within: None, step }).await.unwrap();
    }
    fn followed(own: &KeySet, keys: &KeyRing) -> KeySet {
        let held = keys.held();
        let chain = KeyChain { links: held.links_after(own.version, 50), newest: held.ring().version };
        let followed = follow(own, &chain);
        assert_eq!(followed.refusal, None);
        followed.set
    }

    #[tokio::test]
    async fn whoever_has_the_first_set_follows_through_any_rotation_and_restart() {
        let folder = tempfile::tempdir().unwrap();
        let files = DataFolder::open(folder.path()).unwrap().files().clone();
        let keys = load(&files).await;
        let first = keys.held().set().clone();
        assert_eq!((first.version, first.keys.len(), first.authorities.len()), (1, 1, 1));
        for what in [What::Delivery, What::Authority, What::Delivery] {
            rotate(&keys, what).await;
            finish(&keys).await;
        }
        keys.settle_given(Some(("ab".into(), "PEM".into())), NOW).await.unwrap();
        keys.settle_given(Some(("ab".into(), "PEM".into())), NOW).await.unwrap();
        let again = load(&files).await;
        assert_eq!(again.held().set(), keys.held().set());
        let newest = followed(&first, &again);
        assert_eq!((newest.version, newest.keys.len(), newest.authorities.len()), (8, 1, 2));
        assert_eq!(&newest, again.held().set());
        assert_ne!((newest.keys[0].id.as_str(), &newest.issuer), (first.keys[0].id.as_str(), &first.issuer));
        let mut names = files.list("keys").unwrap();
        names.sort();
        assert_eq!(names, ["authority.4.key", "authority.4.pem", "delivery.6.pk8", "ring.json"]);
    }

    #[tokio::test]
    async fn a_key_that_no_ring_names_is_cleared_away_and_a_ring_that_is_gone_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let files = DataFolder::open(folder.path()).unwrap().files().clone();
        let keys = load(&files).await;
        // A crash left it: it was made for a change that never came.
        files.write("keys/delivery.2.pk8", b"a key").unwrap();
        drop(keys);
        let keys = load(&files).await;
        assert!(files.read("keys/delivery.2.pk8").unwrap().is_none());
        rotate(&keys, What::Delivery).await;
        std::fs::remove_file(files.file(RING)).unwrap();
        let refusal = try_load(&files).await.unwrap_err().to_string();
        assert!(refusal.contains("ring.json is missing") && refusal.contains("backup"), "{refusal}");
    }

    #[tokio::test]
    async fn a_key_that_was_cut_is_named_and_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let files = DataFolder::open(folder.path()).unwrap().files().clone();
        load(&files).await;
        for file in ["keys/delivery.pk8", "keys/authority.key", RING] {
            let whole = std::fs::read(files.file(file)).unwrap();
            std::fs::write(files.file(file), b"").unwrap();
            let refusal = try_load(&files).await.unwrap_err().to_string();
            assert!(refusal.contains("backup"), "{refusal}");
            std::fs::write(files.file(file), whole).unwrap();
        }
        load(&files).await;
    }
}
