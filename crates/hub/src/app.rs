//! What every verb can reach: the store, the keys, the clock, and what the hub keeps in memory.
//! It owns; the verbs are functions of their own.

use std::sync::Arc;

use arc_swap::ArcSwap;
use sortie_rules::time::Millis;
use sortie_store::Store;
use tokio_util::sync::CancellationToken;

use crate::accounts::{Hashing, Slowing};
use crate::alarms::Alarms;
use crate::audit::Refused;
use crate::blobs::{Blobs, Walk};
use crate::clock::{Clock, Entropy};
use crate::data_folder::Files;
use crate::desired::Desired;
use crate::edge::Edge;
use crate::enforcement::Enforcements;
use crate::http::{Rates, Readiness, Seats};
use crate::identity::{KeyRing, Keys, ServerTls};
use crate::jobs::Advance;
use crate::liveness::{Minded, PresenceBoard};
use crate::logs::Unpacked;
use crate::maintenance::Maintenances;
use crate::nodes::Directory;
use crate::notifications::Notifications;
use crate::operators::Published;
use crate::org_settings::OrgSettings;
use crate::outbox::Outbox;
use crate::outgoing::{Caller, Mailer};
use crate::packs::{ResourceKinds, TaskTypes};
use crate::people::TokenCache;
use crate::people::provider::{Denied, Provider};
use crate::post_steps::{Performers, Webhooks};
use crate::proofs::Used;
use crate::replicas::Leader;
use crate::sessions::Sessions;
use crate::settings::Settings;
use crate::summary::Models;
use crate::tasks::{Hearing, Renewals, Together};
use crate::waiting::Waiting;

/// A hub's insides.
#[derive(Debug)]
pub struct App {
    pub(crate) settings: Settings,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) store: Store,
    pub(crate) keys: Keys,
    /// What agents believe.
    pub(crate) ring: KeyRing,
    /// What lies in the data folder.
    pub(crate) files: Files,
    pub(crate) tls: ServerTls,
    /// Where agents reach the hub, as invites say.
    pub(crate) url: String,
    pub(crate) types: ArcSwap<TaskTypes>,
    /// What can stand in a desired state.
    pub(crate) kinds: ArcSwap<ResourceKinds>,
    /// By which rules alarms are judged, and how far that has come.
    pub(crate) alarms: Alarms,
    /// How far it has come to tell people of them.
    pub(crate) notifications: Notifications,
    /// When nobody is told what begins at some nodes.
    pub(crate) maintenances: Maintenances,
    pub(crate) nodes: Directory,
    pub(crate) people: TokenCache,
    /// Which set of operators is the newest of each org.
    pub(crate) operators: Published,
    pub(crate) org_settings: OrgSettings,
    /// Where people sign in, if not with tokens alone.
    pub(crate) provider: Option<Provider>,
    /// Tokens of the provider that are void before their time.
    pub(crate) denied: Denied,
    pub(crate) sessions: Sessions,
    /// Where passwords are hashed, few at once.
    pub(crate) hashing: Hashing,
    /// Who failed to sign in.
    pub(crate) slowing: Slowing,
    /// What was refused to whom, as far as the audit log is concerned.
    pub(crate) refused: Refused,
    pub(crate) waiting: Waiting,
    /// Which assertions of nodes were used.
    pub(crate) used: Used,
    pub(crate) mailer: Mailer,
    /// Calls webhooks.
    pub(crate) caller: Caller,
    pub(crate) webhooks: Webhooks,
    /// The way of events to NATS, if there is one.
    pub(crate) outbox: Option<Outbox>,
    /// What lies beside the database.
    pub(crate) blobs: Blobs,
    /// How far it was looked which of it nobody needs any more.
    pub(crate) walk: Walk,
    /// Archived logs that are read at the moment.
    pub(crate) unpacked: Unpacked,
    pub(crate) performers: Performers,
    /// Which jobs are not over, and the bell that says that one may go on.
    pub(crate) jobs: Advance,
    /// The generations of nodes, and the bell that says that a publication may go on.
    pub(crate) desired: Desired,
    /// The way to the edge.
    pub(crate) edge: Edge,
    /// What the hub itself enforces there, and the bell that says that there may be something to do.
    pub(crate) enforcements: Enforcements,
    /// Who holds how many streams.
    pub(crate) seats: Seats,
    /// How many requests each caller has left.
    pub(crate) rates: Rates,
    pub(crate) renewals: Renewals,
    /// Since when silence about a lease counts.
    pub(crate) hearing: Hearing,
    /// Where submissions share their transactions.
    pub(crate) together: Together,
    pub(crate) presence: PresenceBoard,
    /// How far it was minded that the machine's clock was put forward or back.
    pub(crate) minded: Minded,
    /// How each org fares, as people asked lately.
    pub(crate) summaries: Models,
    /// Whether this hub does what one of several has to do.
    pub(crate) leader: Leader,
    /// When this hub began to hear agents: no silence counts from before.
    pub(crate) listening_since: Millis,
    /// Whether a balancer should send somebody here.
    pub(crate) readiness: Readiness,
    /// Cancelled when the hub is to stop.
    pub(crate) stop: CancellationToken,
}

impl App {
    /// Whether no other hub can be on the database.
    pub(crate) fn is_alone(&self) -> bool {
        self.store.engine() != "postgres"
    }

    /// Whether the hub's keys are where it keeps them.
    pub(crate) fn keys_are_kept(&self) -> bool {
        let are_there = ["keys/secrets.key", "keys/ring.json"].iter().all(|name| self.files.file(name).is_file());
        are_there || self.ring.is_in_database()
    }
}

/// A handle to the insides.
pub(crate) type Shared = Arc<App>;
