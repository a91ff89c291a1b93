//! Starts a hub and stops it: the order in which things come to life, and the order in which they go.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use sortie_rules::access::Role;
use sortie_rules::audit::Action;
use sortie_rules::ids::DEFAULT_ORG;
use sortie_rules::time::{Millis, Span};
use sortie_store::{Location, OpenError, Options, Store, StoreError, hub_keys, meta, orgs};
use sortie_wire::tokens::CreateToken;
use tokio_util::sync::CancellationToken;

use crate::app::{App, Shared};
use crate::audit::{self, Act};
use crate::blobs::{Blobs, BlobsError};
use crate::clock::{Clock, Entropy};
use crate::data_folder::{DataFolder, DataFolderError};
use crate::fault::Fault;
use crate::http::{Listening, install_metrics, listen, routes_of, serve, serve_operations};
use crate::identity::{AuthorityError, Given, KeyRing, Keys, MasterKey, MasterKeyError, Safe, ServerTls, TlsError};
use crate::liveness::{self, PresenceBoard};
use crate::nodes::Directory;
use crate::org_settings::OrgSettings;
use crate::outbox::{NatsError, Outbox};
use crate::outgoing::{Caller, CallerError, Mailer, MailerError};
use crate::packs::{self, PacksError};
use crate::people::provider::{Denied, Provider, ProviderError};
use crate::people::{TokenCache, create_token};
use crate::post_steps::{WebhookError, Webhooks};
use crate::replicas::Leader;
use crate::settings::{BadSetting, Settings};
use crate::{loops, replicas, waiting};

/// Readers of SQLite.
const SQLITE_READERS: usize = 2;

/// Why a hub did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Settings contradict themselves.
    #[error(transparent)]
    Setting(#[from] BadSetting),
    /// The data folder cannot be used.
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
    /// The store cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The hub's keys cannot be used.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A pack cannot be used.
    #[error(transparent)]
    Packs(#[from] PacksError),
    /// The mail server's settings cannot be used.
    #[error(transparent)]
    Mailer(#[from] MailerError),
    /// A webhook's settings cannot be used.
    #[error(transparent)]
    Webhook(#[from] WebhookError),
    /// The private addresses that may be called cannot be read.
    #[error(transparent)]
    Caller(#[from] CallerError),
    /// The settings of NATS cannot be used.
    #[error(transparent)]
    Nats(#[from] NatsError),
    /// The place of blobs cannot be used.
    #[error(transparent)]
    Blobs(#[from] BlobsError),
    /// The identity provider's settings cannot be used.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {source}; is something else using it?")]
    Listen {
        /// Which address.
        address: String,
        /// Why not.
        source: io::Error,
    },
    /// The address of health and metrics cannot be listened on.
    #[error(
        "cannot listen on {address} for health and metrics: {source}; a second hub on this machine needs an address of \
         its own: operations_listen in hub.toml or SORTIE_HUB_OPERATIONS_LISTEN, or \"none\""
    )]
    Operations {
        /// Which address.
        address: String,
        /// Why not.
        source: io::Error,
    },
    /// Something else.
    #[error("the hub could not start: {0}")]
    Other(String),
}

impl StartError {
    /// Whether folder or settings were chosen wrongly, and not something went wrong with right ones.
    pub fn is_the_caller_s(&self) -> bool {
        matches!(
            self,
            StartError::Setting(_)
                | StartError::DataFolder(_)
                | StartError::Tls(_)
                | StartError::Packs(_)
                | StartError::Mailer(_)
                | StartError::Webhook(_)
                | StartError::Caller(_)
                | StartError::Nats(_)
                | StartError::Provider(_)
                | StartError::Blobs(_)
                | StartError::Open(OpenError::Location { .. } | OpenError::Certificates { .. })
                | StartError::Authority(AuthorityError::MasterKey(_) | AuthorityError::Sealed { .. })
        )
    }
}

/// A hub at work.
#[derive(Debug)]
pub struct Hub {
    app: Shared,
    listening: Listening,
    operations: Option<SocketAddr>,
    first_start: bool,
    admin_token: PathBuf,
    /// Dropped last: while it is held no other hub uses the folder.
    _data: DataFolder,
}

impl Hub {
    /// Where agents and people reach it.
    pub fn url(&self) -> &str {
        &self.app.url
    }
    /// Where it listens.
    pub fn listen_addr(&self) -> SocketAddr {
        self.listening.address
    }
    /// Where health and metrics are served.
    pub fn operations_addr(&self) -> Option<SocketAddr> {
        self.operations
    }
    /// Whether this start made the data folder's contents.
    pub fn first_start(&self) -> bool {
        self.first_start
    }
    /// The file that holds the bootstrap administrator's token.
    pub fn admin_token_path(&self) -> &Path {
        &self.admin_token
    }
    /// The SHA-256 of the certificate that invites carry, in hex.
    pub fn ca_fingerprint(&self) -> String {
        self.app.tls.fingerprint().to_string()
    }
    /// Reads the packs again: all of them are taken at once, or none if one has a mistake. Returns how
    /// many task types there are now. Org settings are read again from the store, in case somebody changed
    /// them there, and so are the files of the operator's certificate.
    pub async fn reload(&self) -> Result<usize, PacksError> {
        self.app.org_settings.evict_all();
        self.app.alarms.rules.evict_all();
        if let Err(error) = crate::keys::reread_given(&self.app).await {
            tracing::error!(%error, "The certificate was not read again; the former one is served on");
        }
        packs::reload(&self.app)
    }
    /// Stops in an orderly way: it is not ready any more and serves on for as long as balancers take to see that;
    /// then held waits are answered, requests under way finish within the grace, what is in memory is written down.
    pub async fn stop(self) {
        self.app.readiness.stop();
        let drain = Span::seconds(self.app.settings.drain_s.into());
        if drain > Span::ZERO {
            tracing::info!(drain_s = self.app.settings.drain_s, "Not ready any more; serving on until balancers know");
            tokio::time::sleep(drain.to_std()).await;
        }
        self.app.stop.cancel();
        self.listening.ended().await;
        self.app.performers.steps.close();
        self.app.performers.steps.wait().await;
        self.app.notifications.tries.close();
        self.app.notifications.tries.wait().await;
        self.app.enforcements.tries.close();
        self.app.enforcements.tries.wait().await;
        for (what, result) in
            [("leases", crate::tasks::flush_renewals(&self.app).await), ("presence", liveness::flush(&self.app).await)]
        {
            if let Err(error) = result {
                tracing::warn!(what, %error, "Could not write down what was in memory");
            }
        }
        if let Err(error) = audit::seal(&self.app).await {
            tracing::warn!(%error, "Some entries of the audit log wait for their link; they get it at the next start");
        }
        if let Err(error) = self.app.leader.let_go(&self.app).await {
            tracing::warn!(%error, "Another hub does what this one has done for all of them only in some seconds");
        }
        if let Some(alone) = &self.app.blobs.alone
            && let Err(error) = alone.let_go(&self.app.store).await
        {
            tracing::warn!(%error, "The next start watches for some seconds whether another hub has a folder of blobs");
        }
        self.app.store.close().await;
    }
}

/// Starts a hub. It serves when this returns.
pub async fn start(settings: Settings, clock: Clock) -> Result<Hub, StartError> {
    settings.check()?;
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let metrics = install_metrics();
    let (entropy, now) = (Entropy::default(), clock.now());
    let packs = packs::load(&settings.packs, &settings.packs_folder())?;
    let mailer = Mailer::new(settings.mail.as_ref())?;
    let webhooks = Webhooks::new(&settings.webhooks)?;
    let caller = Caller::new(&settings.outgoing.private)?;
    let outbox = Outbox::new(settings.nats.as_ref())?;
    let provider = Provider::new(&settings.oidc)?;
    let edge = crate::edge::Edge::new(&settings.edge).map_err(|error| StartError::Other(error.to_string()))?;
    let data = DataFolder::open(&settings.data)?;
    let store = open_store(&settings, &clock).await?;
    let safe = safe_of(&settings, &data, &store).await?;
    let keys = Keys::load(&safe, &entropy).await?;
    let ring = KeyRing::load(safe, &entropy, now).await?;
    let given = Given::read(&settings, now)?;
    crate::keys::is_not_older_than_the_store(&store, &ring).await?;
    settle_given(&ring, given.as_ref(), now).await?;
    let blobs = Blobs::open(&settings, &store, &entropy).await?;
    let listener = listen(settings.listen)
        .map_err(|source| StartError::Listen { address: settings.listen.to_string(), source })?;
    let bound = listener.local_addr().map_err(|error| StartError::Other(error.to_string()))?;
    let names = certificate_names(&settings, bound);
    let url = settings.url.clone().unwrap_or_else(|| default_url(&settings, bound));
    let tls = ServerTls::new(&ring.held(), given, names, &entropy, now)?;
    let first_start = bootstrap(&store, &data, &keys, &entropy, now).await?;
    let leader = Leader::new(&entropy);
    let presence = presence_of(&settings, &clock, &store, now).await?;
    begin_to_follow(&store, now).await?;
    let denied = Denied::default();
    denied.load(&store).await?;
    data.write("ca.pem", ring.held().set().trust().as_bytes())?;
    let app = Arc::new(App {
        types: ArcSwap::from_pointee(packs.types),
        kinds: ArcSwap::from_pointee(packs.kinds),
        alarms: crate::alarms::Alarms::new(packs.alarms),
        notifications: crate::notifications::Notifications::default(),
        maintenances: crate::maintenance::Maintenances::default(),
        nodes: Directory::default(),
        people: TokenCache::default(),
        operators: crate::operators::Published::default(),
        org_settings: OrgSettings::default(),
        provider,
        denied,
        sessions: crate::sessions::Sessions::default(),
        hashing: crate::accounts::Hashing::default(),
        slowing: crate::accounts::Slowing::default(),
        refused: crate::audit::Refused::default(),
        waiting: waiting::Waiting::default(),
        used: crate::proofs::Used::default(),
        seats: crate::http::Seats::default(),
        rates: crate::http::Rates::new(&settings.limits),
        mailer,
        caller,
        webhooks,
        outbox,
        blobs,
        walk: crate::blobs::Walk::default(),
        unpacked: crate::logs::Unpacked::default(),
        performers: crate::post_steps::Performers::default(),
        jobs: crate::jobs::Advance::default(),
        desired: crate::desired::Desired::default(),
        edge,
        enforcements: crate::enforcement::Enforcements::default(),
        renewals: crate::tasks::Renewals::default(),
        hearing: crate::tasks::Hearing::new(clock.now()),
        readiness: crate::http::Readiness::default(),
        together: crate::tasks::Together::default(),
        summaries: crate::summary::Models::default(),
        stop: CancellationToken::new(),
        listening_since: clock.now(),
        settings,
        clock,
        entropy,
        store,
        keys,
        ring,
        files: data.files().clone(),
        tls,
        url,
        presence,
        minded: liveness::Minded::default(),
        leader,
    });
    if let Some(bells) = app.store.bells(app.leader.lock())? {
        app.waiting.ring_beyond(replicas::answer_bells(&app, bells));
    }
    crate::keys::record_steps(&app).await.map_err(|fault| StartError::Other(fault.to_string()))?;
    let operations = start_operations(&app, metrics).await?;
    // Commands on this machine wait for it: from now on there is nothing that could still say no.
    data.write("hub.url", local_url(bound).as_bytes())?;
    loops::start_all(&app);
    let grace = Span::seconds(app.settings.stop_grace_s.into());
    let listening = serve(app.clone(), listener, routes_of(&app), app.stop.clone(), grace)
        .map_err(|error| StartError::Other(error.to_string()))?;
    let admin_token = data.file("admin.token");
    Ok(Hub { app, listening, operations, first_start, admin_token, _data: data })
}

/// What is known of every node's presence, and of this hub's own absence.
async fn presence_of(
    settings: &Settings,
    clock: &Clock,
    store: &Store,
    now: Millis,
) -> Result<PresenceBoard, StartError> {
    liveness::skip_absence(store, now).await?;
    let presence = PresenceBoard::new(clock, settings.presence.clone());
    liveness::load(store, &presence).await?;
    Ok(presence)
}

/// What follows from events begins with the next one, where a hub has not followed them before.
async fn begin_to_follow(store: &Store, now: Millis) -> Result<(), StartError> {
    crate::alarms::begin(store, now).await?;
    crate::notifications::begin(store, now).await?;
    crate::history::begin(store, now).await?;
    Ok(())
}

/// Where this hub's keys are kept: with PostgreSQL in the database, else in the data folder. Those that lie in the
/// other one, because the hub was moved, are brought over.
async fn safe_of(settings: &Settings, data: &DataFolder, store: &Store) -> Result<Safe, StartError> {
    let folder = Safe::Folder(data.files().clone());
    let Some(file) = settings.master_key_file.as_deref() else {
        let sealed = store.read(|tx| Box::pin(async move { hub_keys::all(tx).await })).await?.1;
        let missing = match store.engine() {
            "postgres" => Some(MasterKeyError::NotNamed),
            _ if !sealed.is_empty() && folder.open().await?.is_empty() => Some(MasterKeyError::NotNamedToUnseal),
            _ => None,
        };
        return missing.map_or(Ok(folder), |why| Err(AuthorityError::from(why).into()));
    };
    let master = MasterKey::read(file).map_err(AuthorityError::from)?;
    let database = Safe::Database(store.clone(), master);
    let (safe, other) = if store.engine() == "postgres" { (database, folder) } else { (folder, database) };
    safe.take_over(&other).await?;
    Ok(safe)
}

/// Believes what vouches for the operator's certificate, whoever else does the same at this moment. A ring without
/// room for it is told, and the hub serves.
async fn settle_given(ring: &KeyRing, given: Option<&Given>, now: Millis) -> Result<(), StartError> {
    loop {
        match ring.settle_given(given.map(Given::anchor), now).await {
            Err(AuthorityError::Changed) => ring.reread().await.map(drop)?,
            Err(AuthorityError::Refused(refusal)) => {
                tracing::error!(%refusal, "Agents do not believe what vouches for the hub's new certificate");
                return Ok(());
            }
            settled => return Ok(settled?),
        }
    }
}

async fn open_store(settings: &Settings, clock: &Clock) -> Result<Store, OpenError> {
    let location = settings.location();
    let readers = match location {
        Location::Sqlite(_) => SQLITE_READERS,
        Location::Postgres(_) => settings.database.connections as usize,
    };
    Store::open_within(Options { location, readers, now: clock.now() }, settings.server_limits()).await
}

async fn start_operations(
    app: &Shared,
    metrics: Option<metrics_exporter_prometheus::PrometheusHandle>,
) -> Result<Option<SocketAddr>, StartError> {
    let Ok(address) = app.settings.operations_listen.parse::<SocketAddr>() else { return Ok(None) };
    let bound = serve_operations(app.clone(), address, metrics, app.stop.clone()).await;
    bound.map(Some).map_err(|source| StartError::Operations { address: address.to_string(), source })
}

async fn is_bootstrapped(store: &Store) -> Result<bool, StoreError> {
    let known = store.read(|tx| Box::pin(async move { meta::get(tx, "bootstrapped_at").await })).await?;
    Ok(known.is_some())
}

/// Makes the first org and the first administrator, once. The token is written before it is valid,
/// so that a crash in between leaves nothing that nobody can use.
async fn bootstrap(
    store: &Store,
    data: &DataFolder,
    keys: &Keys,
    entropy: &Entropy,
    now: Millis,
) -> Result<bool, StartError> {
    if is_bootstrapped(store).await? {
        return Ok(false);
    }
    let id = entropy.id(now);
    let token = format!("{}{}.{}", crate::people::TOKEN_PREFIX, id, keys.secret_of("token", id).expose());
    data.write("admin.token", token.as_bytes())?;
    let secret_keys = keys.secret_of("token", id).hash();
    let request = CreateToken { name: "admin".to_owned(), role: Role::Admin, scopes: None, valid_for: None };
    let made = store
        .write(move |tx| {
            Box::pin(async move {
                let org = orgs::OrgRow { id: DEFAULT_ORG, name: "default".to_owned(), created_at: now };
                if orgs::get(tx, DEFAULT_ORG).await?.is_none() {
                    orgs::insert(tx, &org).await?;
                }
                create_token(tx, secret_keys, DEFAULT_ORG, "hub", id, request, now).await?;
                let act = Act::by_hub(DEFAULT_ORG, Action::TokenCreate, now).on("token", id).named("admin");
                audit::record(tx, act.changes(serde_json::json!({ "role": Role::Admin }))).await?;
                meta::set(tx, "bootstrapped_at", &now.0.to_string()).await?;
                Ok::<_, Fault>(())
            })
        })
        .await;
    let Err(fault) = made else { return Ok(true) };
    // Of several hubs that start together for the first time one is first; the token of any other is none.
    if !is_bootstrapped(store).await? {
        return Err(StartError::Other(fault.to_string()));
    }
    data.remove("admin.token")?;
    Ok(false)
}

fn certificate_names(settings: &Settings, bound: SocketAddr) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    names.extend(settings.names.iter().cloned());
    names.extend(host_name());
    if !bound.ip().is_unspecified() {
        names.push(bound.ip().to_string());
    }
    names.extend(settings.url.as_deref().and_then(host_of).map(str::to_owned));
    names.sort();
    names.dedup();
    names
}

fn default_url(settings: &Settings, bound: SocketAddr) -> String {
    let host = settings.names.first().cloned().or_else(|| (bound.ip().is_unspecified()).then(host_name).flatten());
    match host {
        Some(host) => format!("https://{host}:{}", bound.port()),
        None => local_url(bound),
    }
}

/// The address for commands on the same machine.
fn local_url(bound: SocketAddr) -> String {
    let ip = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => "127.0.0.1".to_owned(),
        IpAddr::V6(ip) if ip.is_unspecified() => "127.0.0.1".to_owned(),
        IpAddr::V6(ip) => format!("[{ip}]"),
        IpAddr::V4(ip) => ip.to_string(),
    };
    format!("https://{ip}:{}", bound.port())
}

fn host_name() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok()?;
    let name = name.trim().to_ascii_lowercase();
    (!name.is_empty() && name != "localhost" && name != "(none)").then_some(name)
}

fn host_of(url: &str) -> Option<&str> {
    let authority = url.strip_prefix("https://")?.split('/').next()?;
    let host = if authority.starts_with('[') {
        authority.trim_start_matches('[').split(']').next()
    } else {
        authority.split(':').next()
    };
    host.filter(|host| !host.is_empty())
}
