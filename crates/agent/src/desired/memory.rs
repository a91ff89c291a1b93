//! What is known of each resource from one look to the next, and from one start to the next: its condition, and with
//! which spec it was in order. On disk in one file, which holds no secret.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use sortie_rules::desired::{Condition, ConditionStatus, ResourceKey, Resources, changed, fit};
use sortie_rules::limits::OBSERVED_BYTES_MAX;
use sortie_rules::time::{Millis, Span};
use sortie_wire::desired::{Observed, PolicyUnusable, RefusedGeneration};

use super::signed::Taken;
use crate::clock::Steady;
use crate::data_folder::{FolderError, read_if_there, write_whole};

const FILE: &str = "observed.json";
/// How often it is written while resources come in order one after the other.
const WRITTEN_EVERY: Span = Span::seconds(1);
/// What is left for the rest of what the hub is told.
const CONDITIONS_BYTES_MAX: usize = OBSERVED_BYTES_MAX / 10 * 9;

/// What is remembered.
#[derive(Debug)]
pub(crate) struct Memory {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    text: Text,
    written: Option<Steady>,
    is_dirty: bool,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Text {
    looked_at: Option<Millis>,
    resources: BTreeMap<ResourceKey, Remembered>,
    /// The newest that operators signed and that was taken, also of resources that are not meant any more.
    signed: BTreeMap<ResourceKey, Taken>,
    /// Why the policy cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_unusable: Option<PolicyUnusable>,
    /// The hub may know of a policy that could not be used, and has to hear what became of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    must_tell_of_policy: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Remembered {
    /// For which generation it was looked at last.
    generation: u64,
    /// The SHA-256 of the spec with which it was in order last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    in_order_with: Option<String>,
    condition: Condition,
}

impl Memory {
    /// What lies in the folder. What cannot be read is forgotten: then things are made as they should be once more.
    pub(crate) fn read(folder: &Path) -> Result<Memory, FolderError> {
        let path = folder.join(FILE);
        let text = match read_if_there(&path)?.map(|text| serde_json::from_str(&text)) {
            None => Text::default(),
            Some(Ok(text)) => text,
            Some(Err(error)) => {
                tracing::error!(file = %path.display(), %error, "what was known of resources cannot be read, and is \
                 forgotten");
                Text::default()
            }
        };
        Ok(Memory { path, state: Mutex::new(State { text, written: None, is_dirty: false }) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets what is no resource any more.
    pub(super) fn keep_only(&self, resources: &Resources) {
        let mut state = self.lock();
        let before = state.text.resources.len();
        state.text.resources.retain(|key, _| resources.contains_key(key));
        state.is_dirty |= state.text.resources.len() != before;
    }

    /// What operators signed of a resource and was taken last.
    pub(super) fn taken(&self, key: &ResourceKey) -> Option<Taken> {
        self.lock().text.signed.get(key).cloned()
    }

    /// Takes what operators signed of a resource, on disk before anything comes of it. What nobody could take any more
    /// is forgotten, if it is not meant.
    pub(super) fn take(&self, key: &ResourceKey, taken: Taken, now: Millis) {
        {
            let mut state = self.lock();
            if state.text.signed.get(key) == Some(&taken) {
                return;
            }
            let Text { resources, signed, .. } = &mut state.text;
            signed.retain(|key, taken| resources.contains_key(key) || taken.expires_at >= now);
            signed.insert(key.clone(), taken);
            state.is_dirty = true;
        }
        self.write(true);
    }

    /// Whether a resource was in order with the spec of this digest.
    pub(super) fn was_in_order(&self, key: &ResourceKey, digest: &str) -> bool {
        self.lock().text.resources.get(key).is_some_and(|one| one.in_order_with.as_deref() == Some(digest))
    }

    /// Notes how a resource stands, and with which spec it is in order, if it is. Says whether that is news.
    pub(super) fn note(&self, generation: u64, now: Condition, in_order_with: Option<String>) -> bool {
        let mut state = self.lock();
        let before = state.text.resources.get(&now.resource);
        let condition = changed(before.map(|one| &one.condition), now);
        let in_order_with = in_order_with.or_else(|| before.and_then(|one| one.in_order_with.clone()));
        let next = Remembered { generation, in_order_with, condition };
        let is_news = before != Some(&next);
        if is_news {
            state.text.resources.insert(next.condition.resource.clone(), next);
            state.is_dirty = true;
        }
        is_news
    }

    /// Whether a resource is known to stand so already, for the same reason and in the same words.
    pub(super) fn says(&self, now: &Condition) -> bool {
        let same = |before: &Condition| {
            (before.status, &before.reason, &before.message) == (now.status, &now.reason, &now.message)
        };
        self.lock().text.resources.get(&now.resource).is_some_and(|one| same(&one.condition))
    }

    /// Notes why the policy cannot be used, or that it can. Says whether that is news, which is on disk then: the hub
    /// hears of the end, whenever that comes.
    pub(super) fn note_policy(&self, unusable: Option<&str>, now: Millis) -> bool {
        {
            let mut state = self.lock();
            let before = state.text.policy_unusable.as_ref();
            if before.map(|before| before.message.as_str()) == unusable {
                return false;
            }
            let since = before.map_or(now, |before| before.since);
            state.text.must_tell_of_policy = true;
            state.text.policy_unusable = unusable.map(|message| PolicyUnusable { message: message.to_owned(), since });
            state.is_dirty = true;
        }
        self.write(true);
        true
    }

    /// Whether there is something to tell of the policy.
    pub(super) fn must_tell_of_policy(&self) -> bool {
        self.lock().text.must_tell_of_policy
    }

    /// The hub has heard this.
    pub(super) fn hub_heard(&self, told: &Observed) {
        let mut state = self.lock();
        let is_over = told.policy_unusable.is_none() && state.text.policy_unusable.is_none();
        if is_over && state.text.must_tell_of_policy {
            state.text.must_tell_of_policy = false;
            state.is_dirty = true;
            drop(state);
            self.write(true);
        }
    }

    /// All resources were gone through.
    pub(super) fn looked(&self, at: Millis) {
        // Not worth a write of its own.
        self.lock().text.looked_at = Some(at);
    }

    /// What the hub is told. What was not looked at for this generation is pending.
    pub(super) fn observed(
        &self,
        generation: u64,
        resources: Option<&Resources>,
        now: Millis,
        refused: Option<RefusedGeneration>,
    ) -> Observed {
        let state = self.lock();
        let one = |key: &ResourceKey| match state.text.resources.get(key) {
            Some(one) if one.generation == generation => one.condition.clone(),
            before => Condition {
                resource: key.clone(),
                status: ConditionStatus::Pending,
                reason: None,
                message: None,
                since: now,
                applied_at: before.and_then(|one| one.condition.applied_at),
                actual: None,
            },
        };
        let conditions = resources.into_iter().flat_map(Resources::keys).map(one).collect();
        let (looked_at, policy_unusable) = (state.text.looked_at, state.text.policy_unusable.clone());
        let conditions = fit(conditions, CONDITIONS_BYTES_MAX);
        Observed { generation, conditions, looked_at, refused, policy_unusable }
    }

    /// Puts it on disk, if there is news and it was not just written, or if it must be.
    pub(super) fn write(&self, must: bool) {
        let mut state = self.lock();
        let is_due = must || state.written.is_none_or(|written| written.elapsed() >= WRITTEN_EVERY);
        if !state.is_dirty || !is_due {
            return;
        }
        let written = serde_json::to_vec(&state.text)
            .map_err(|error| error.to_string())
            .and_then(|text| write_whole(&self.path, &text).map_err(|error| error.to_string()));
        match written {
            Ok(()) => state.is_dirty = false,
            Err(error) => tracing::error!(error, "what is known of resources could not be written down"),
        }
        state.written = Some(Steady::now());
    }
}
