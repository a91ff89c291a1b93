//! Chooses who does the work of a resource.

use std::sync::Arc;

use serde_json::{Map, Value};
use sortie_rules::desired::{DIRECTORY, DirectorySpec, FILE, FileSpec, ResourceKey, SERVICE, ServiceSpec};
use sortie_rules::limits::RESOURCE_FILE_WITHIN;
use tokio_util::sync::CancellationToken;

use super::file::FileResource;
use super::look::Look;
use super::{Supervisor, applier, directory, systemd};
use crate::desired::busy::Busy;
use crate::desired::own::Guard;
use crate::desired::trouble::Trouble;
use crate::handlers::command::Places;
use crate::policy::{Applier, Command, Policy};

/// What is needed for the work on any resource.
#[derive(Debug, Clone)]
pub(crate) struct Ground {
    pub(crate) policy: Arc<Policy>,
    pub(crate) guard: Arc<Guard>,
    pub(crate) places: Places,
    pub(crate) supervisor: Arc<Supervisor>,
    pub(crate) busy: Busy,
    pub(crate) stop: CancellationToken,
}

/// Who does it.
#[derive(Debug)]
pub(crate) enum Kind {
    File(Arc<FileResource>),
    Directory(Arc<DirectorySpec>),
    Systemd(ServiceSpec),
    Supervised(ServiceSpec, Command),
    Applied { applier: Applier, spec: Map<String, Value> },
}

impl Kind {
    /// The one for a resource whose secrets are opened; `is_secret` if it has any.
    pub(crate) fn of(
        key: &ResourceKey,
        spec: Map<String, Value>,
        is_secret: bool,
        policy: &Policy,
    ) -> Result<Kind, Trouble> {
        let bad = |why: String| Trouble::failed("bad_spec", format!("its spec cannot be used: {why}"));
        // The site's own programs come first: it may do files its own way.
        if let Some(applier) = policy.desired.applier(key) {
            return Ok(Kind::Applied { applier: applier.clone(), spec });
        }
        match key.kind.as_str() {
            FILE => Ok(Kind::File(Arc::new(FileResource::new(FileSpec::read(&spec).map_err(bad)?, is_secret)?))),
            DIRECTORY => Ok(Kind::Directory(Arc::new(DirectorySpec::read(&spec).map_err(bad)?))),
            SERVICE => service(ServiceSpec::read(&spec).map_err(bad)?, policy),
            kind => {
                let message =
                    format!("the policy of this site has no table [appliers.\"{kind}\"] or [appliers.\"{key}\"]");
                Err(Trouble::refused("no_applier", message))
            }
        }
    }

    /// Looks at it. What was never in order with this spec tells nothing of what is in its place: it may be what was
    /// secret before.
    pub(crate) async fn look(&self, ground: &Ground, key: &ResourceKey, was_in_order: bool) -> Result<Look, Trouble> {
        match self {
            Kind::File(file) => {
                let (file, policy, guard) = (Arc::clone(file), Arc::clone(&ground.policy), Arc::clone(&ground.guard));
                let work = move || file.look(&policy.desired.file_roots, &guard, was_in_order);
                ground.busy.within(key, RESOURCE_FILE_WITHIN, work).await?
            }
            Kind::Directory(spec) => {
                let (spec, policy, guard) = (Arc::clone(spec), Arc::clone(&ground.policy), Arc::clone(&ground.guard));
                let work = move || directory::look(&spec, &policy.desired.file_roots, &guard);
                ground.busy.within(key, RESOURCE_FILE_WITHIN, work).await?
            }
            Kind::Systemd(spec) => ground.systemd(spec).look().await,
            Kind::Supervised(spec, command) => Ok(ground.supervisor.look(&spec.service, command, spec.runs)),
            Kind::Applied { applier, spec } => ground.applier(applier, key, spec).look().await,
        }
    }

    /// Makes it so. Doing it twice is as good as once.
    pub(crate) async fn apply(&self, ground: &Ground, key: &ResourceKey) -> Result<(), Trouble> {
        match self {
            Kind::File(file) => {
                let (file, policy, guard) = (Arc::clone(file), Arc::clone(&ground.policy), Arc::clone(&ground.guard));
                let work = move || file.apply(&policy.desired.file_roots, &guard);
                ground.busy.within(key, RESOURCE_FILE_WITHIN, work).await?
            }
            Kind::Directory(spec) => {
                let (spec, policy, guard) = (Arc::clone(spec), Arc::clone(&ground.policy), Arc::clone(&ground.guard));
                let work = move || directory::apply(&spec, &policy.desired.file_roots, &guard);
                ground.busy.within(key, RESOURCE_FILE_WITHIN, work).await?
            }
            Kind::Systemd(spec) => ground.systemd(spec).apply().await,
            Kind::Supervised(spec, command) => ground.supervisor.apply(&spec.service, command, spec.runs).await,
            Kind::Applied { applier, spec } => ground.applier(applier, key, spec).apply().await,
        }
    }
}

/// A service that the policy has a program for is the agent's own to run; any other is the machine's.
fn service(spec: ServiceSpec, policy: &Policy) -> Result<Kind, Trouble> {
    if let Some(command) = policy.desired.programs.get(&spec.service) {
        if spec.enabled.is_some() {
            let message = "`enabled` is for services of systemd; this one is run by the agent, and ends with it";
            return Err(Trouble::failed("bad_spec", message));
        }
        let command = command.clone();
        return Ok(Kind::Supervised(spec, command));
    }
    if policy.desired.services.contains(&spec.service) {
        return Ok(Kind::Systemd(spec));
    }
    let message =
        format!("the policy of this site does not list the service {} under [desired_services]", spec.service);
    Err(Trouble::refused("forbidden_by_policy", message))
}

impl Ground {
    fn systemd<'a>(&'a self, spec: &'a ServiceSpec) -> systemd::Asking<'a> {
        systemd::Asking { spec, policy: &self.policy.desired, places: &self.places, stop: &self.stop }
    }

    fn applier<'a>(
        &'a self,
        applier: &'a Applier,
        key: &'a ResourceKey,
        spec: &'a Map<String, Value>,
    ) -> applier::Asking<'a> {
        applier::Asking { applier, key, spec, places: &self.places, stop: &self.stop }
    }
}
