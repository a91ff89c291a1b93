//! The hub as this agent knows it: the line to it, whom that line believes, and the keys with which
//! its deliveries are verified. All of that can change while the agent runs; nobody is interrupted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use sortie_client::agent::{Choice, HubLine, NodeProof};
use sortie_client::{ClientError, Clock, Connect, Entropy, SetupError};
use sortie_rules::ids::NodeId;
use sortie_rules::limits::{KEY_LINKS_FOLLOWED_MAX, KEY_LINKS_PER_ANSWER_MAX};
use sortie_rules::protocols::{Lower, goes_on};
use sortie_rules::time::{Millis, Span};
use sortie_wire::deliveries::SignedTime;
use sortie_wire::enrollment::{Facts, Renew, Renewed};
use sortie_wire::envelope::{Distrust, Envelope, TIME, Verifier};
use sortie_wire::key_chain::{ChainRefusal, Followed, follow};
use sortie_wire::keys::{KeyChain, KeySet};
use tokio::sync::Notify;

use crate::identity::{Identity, IdentityError, KeyError};
use crate::line::{HubTime, SKEW_WORTH_SAYING};
use crate::settings::{Settings, UnreadableFile};

/// The hub as this agent knows it.
#[derive(Debug)]
pub(crate) struct Hub {
    node: NodeId,
    name: String,
    way: Way,
    time: Arc<HubTime>,
    identity: Mutex<Identity>,
    line: RwLock<HubLine>,
    /// Rings when the hub says that the certificate has ended.
    pub(crate) renewal_wanted: Notify,
    keys: Arc<RwLock<Arc<Keys>>>,
    /// Held by whoever follows the chain of key sets.
    following: tokio::sync::Mutex<()>,
    /// Rings when another key set is believed.
    changed: Notify,
    /// Rings when there is another certificate.
    renewed: Notify,
    /// The newest key set that the helper is known to believe.
    helper_has: AtomicU64,
}

/// The keys of the hub, ready for use.
#[derive(Debug)]
pub(crate) struct Keys {
    pub(crate) version: u64,
    pub(crate) verifier: Arc<Verifier>,
}

/// How the hub is reached, beside what the identity says.
#[derive(Debug)]
struct Way {
    proxy: sortie_client::Proxy,
    ca_pem: Option<String>,
    ca_system: bool,
    proof: Choice,
    entropy: Entropy,
}

/// Something that should have been fetched from the hub, or kept from it, was not.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// The call failed.
    #[error(transparent)]
    Call(#[from] ClientError),
    /// What came cannot be used.
    #[error("what the hub sent cannot be used: {0}")]
    Unusable(String),
    /// The key sets that it offers do not follow from the one at hand.
    #[error("{0} ({code})", code = .0.code())]
    Keys(ChainRefusal),
    /// What came cannot be kept.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The line cannot be set up.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// A file that the settings name cannot be read.
    #[error(transparent)]
    File(#[from] UnreadableFile),
}

impl HubError {
    /// How long the hub asked to wait, if it answered.
    pub(crate) fn retry_after(&self) -> Option<Span> {
        match self {
            HubError::Call(error) => error.retry_after(),
            _ => None,
        }
    }
}

impl From<KeyError> for HubError {
    fn from(error: KeyError) -> HubError {
        HubError::Identity(error.into())
    }
}

impl Hub {
    /// A line to the hub of this identity. Nothing is sent yet.
    pub(crate) fn open(
        identity: Identity,
        settings: &Settings,
        time: Arc<HubTime>,
        entropy: Entropy,
    ) -> Result<Hub, HubError> {
        let way = Way {
            proxy: settings.proxy.to_proxy(),
            ca_pem: settings.ca_pem()?,
            ca_system: settings.ca_system,
            proof: settings.proof,
            entropy,
        };
        let keys = Arc::new(RwLock::new(Arc::new(Keys::new(identity.keys())?)));
        let line = line(&identity, &way, &time, &keys)?;
        let renewal_wanted = Notify::new();
        if let Err(why) = identity.has_certificate() {
            tracing::error!(why, "this node's certificate cannot be shown; requests are signed until it has another");
            renewal_wanted.notify_one();
        }
        Ok(Hub {
            node: identity.node(),
            name: identity.name().to_owned(),
            way,
            time,
            identity: Mutex::new(identity),
            line: RwLock::new(line),
            renewal_wanted,
            keys,
            following: tokio::sync::Mutex::default(),
            changed: Notify::new(),
            renewed: Notify::new(),
            helper_has: AtomicU64::new(0),
        })
    }

    /// The node that this agent is.
    pub(crate) fn node(&self) -> NodeId {
        self.node
    }
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
    /// The line as it is now. Requests that are under way keep the one they began on.
    pub(crate) fn line(&self) -> HubLine {
        self.line.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
    /// The hub's keys as they are now.
    pub(crate) fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }
    /// From when and until when the certificate holds.
    pub(crate) fn certificate_life(&self) -> (Millis, Millis) {
        self.identity().certificate_life()
    }

    /// Whether there is no certificate to show: it has ended, by the hub's time, or cannot be used.
    pub(crate) fn has_no_certificate(&self) -> bool {
        self.time.now() > self.certificate_life().1 || self.identity().has_certificate().is_err()
    }

    fn identity(&self) -> MutexGuard<'_, Identity> {
        self.identity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// That the hub speaks no lower version of the protocol than it has before. A higher one is noted.
    pub(crate) fn speaks(&self, offered: u32) -> Result<Result<(), Lower>, HubError> {
        let mut identity = self.identity();
        match goes_on(identity.protocol(), offered) {
            Ok(protocol) => Ok(Ok(identity.speak(protocol)?)),
            Err(lower) => Ok(Err(lower)),
        }
    }

    /// The version of the newest key set that is believed.
    pub(crate) fn keys_version(&self) -> u64 {
        self.keys().version
    }

    /// Whether the certificate comes from another authority than the key set says that nodes should have, and
    /// within which time that is to change.
    pub(crate) fn told_to_renew(&self) -> Option<Span> {
        let identity = self.identity();
        let (keys, issuer) = (identity.keys(), identity.issuer());
        let is_another = !keys.issuer.is_empty() && issuer.is_some_and(|issuer| issuer != keys.issuer);
        is_another.then_some(keys.renew_within)
    }

    /// Whether the helper is known to believe this key set.
    pub(crate) fn helper_has(&self, version: u64) -> bool {
        self.helper_has.load(Ordering::Relaxed) >= version
    }

    /// The helper believes this key set.
    pub(crate) fn note_helper_has(&self, version: u64) {
        self.helper_has.fetch_max(version, Ordering::Relaxed);
    }

    /// Waits until there is another certificate.
    pub(crate) async fn certificate_changed(&self) {
        self.renewed.notified().await;
    }

    /// Waits until the hub's keys have changed here.
    pub(crate) async fn keys_changed(&self) {
        self.changed.notified().await;
    }

    /// Follows the chain of the hub's key sets from the one at hand and keeps what it leads to, on disk first.
    /// Says whether that is another set than before.
    pub(crate) async fn follow_keys(&self) -> Result<bool, HubError> {
        match self.follow_keys_on(&self.line()).await {
            // The hub's certificate may come from an authority that the chain leads to.
            Err(HubError::Call(ClientError::Tls { fault, .. })) if fault.is_about_the_issuer() => {
                self.follow_keys_unjudged().await
            }
            followed => followed,
        }
    }

    /// What could be done about an error, where the settings stand in the way.
    pub(crate) fn advice(&self, error: &ClientError) -> Option<&'static str> {
        let ends_elsewhere = matches!(error, ClientError::Tls { fault, .. } if fault.is_about_the_issuer());
        let names_others = self.way.ca_pem.is_some() || self.way.ca_system;
        (ends_elsewhere && names_others && self.way.proof == Choice::Certificate).then_some(
            "a certificate is shown to nobody but the hub: where a proxy of yours opens connections, set proof = \
             \"assertion\" or \"auto\"",
        )
    }

    /// The same over a connection on which no certificate is judged and nothing secret is sent, for when the
    /// hub's comes from an authority that is not known here: each link proves itself.
    pub(crate) async fn follow_keys_unjudged(&self) -> Result<bool, HubError> {
        let unjudged = connect(&self.identity(), &self.way, &self.time);
        let line = HubLine::open(&Connect { identity: None, ignore_trust: true, ..unjudged })?;
        self.follow_keys_on(&line).await
    }

    async fn follow_keys_on(&self, line: &HubLine) -> Result<bool, HubError> {
        // One at a time: whoever comes second finds it done.
        let _turn = self.following.lock().await;
        let before = self.keys_version();
        for _ in 0..KEY_LINKS_FOLLOWED_MAX / KEY_LINKS_PER_ANSWER_MAX {
            let own = self.identity().keys().clone();
            let chain = line.keys(own.version).await?;
            let Followed { set, refusal } = follow(&own, &chain);
            if set.version > own.version {
                self.take_keys(set)?;
            }
            if let Some(refusal) = refusal {
                return Err(HubError::Keys(refusal));
            }
            if self.keys_version() >= chain.newest {
                break;
            }
        }
        Ok(self.keys_version() > before)
    }

    /// The hub's key sets after this version, as it serves them.
    pub(crate) async fn key_chain(&self, after: u64) -> Result<KeyChain, HubError> {
        Ok(self.line().keys(after).await?)
    }

    /// Believes another key set from now on. Requests that are under way end on the line they began on.
    fn take_keys(&self, set: KeySet) -> Result<(), HubError> {
        let (line, kept) = {
            let mut identity = self.identity();
            identity.take_keys(set)?;
            (line(&identity, &self.way, &self.time, &self.keys)?, Keys::new(identity.keys())?)
        };
        tracing::info!(version = kept.version, "the hub's key set was followed by a newer one");
        *self.line.write().unwrap_or_else(PoisonError::into_inner) = line;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(kept);
        self.changed.notify_one();
        Ok(())
    }

    /// Gets a new certificate for the same key, keeps it, and uses it for all that is sent from then on.
    pub(crate) async fn renew(&self, facts: Facts) -> Result<Millis, HubError> {
        let certificate_request = self.identity().certificate_request()?;
        let renew = Renew { certificate_request, facts };
        let renewed = match self.line().renew(&renew, self.has_no_certificate()).await {
            Err(error) if error.is_by_an_unknown_key() && self.follow_keys().await? => {
                self.line().renew(&renew, self.has_no_certificate()).await?
            }
            answer => answer?,
        };
        let Renewed { certificate, keys_version, now: _ } = renewed;
        if keys_version > self.keys_version() {
            // It may come from an authority that is newer than our set.
            self.follow_keys().await?;
        }
        let line = {
            let mut identity = self.identity();
            let unusable = |why| HubError::Unusable(format!("the certificate cannot be shown: {why}"));
            identity.check(&certificate, self.time.now()).map_err(unusable)?;
            identity.renew(&certificate)?;
            line(&identity, &self.way, &self.time, &self.keys)?
        };
        *self.line.write().unwrap_or_else(PoisonError::into_inner) = line;
        self.renewed.notify_one();
        Ok(certificate.not_after)
    }

    /// The hub's signed time for this nonce, over a line on which dates of certificates do not count and
    /// nothing secret is sent. It is not verified yet.
    pub(crate) async fn signed_time(&self, nonce: &str) -> Result<Envelope, HubError> {
        let line = {
            let dateless = connect(&self.identity(), &self.way, &self.time);
            HubLine::open(&Connect { identity: None, ignore_dates: true, ..dateless })?
        };
        Ok(line.time(nonce).await?)
    }

    /// Asks the hub for its signed time and believes it: the answer carries a nonce of ours and the signature
    /// of a key that is known here. This is what saves a machine whose clock is wrong.
    pub(crate) async fn learn_time(&self, entropy: &Entropy) -> Result<(), HubError> {
        let nonce = entropy.hex();
        let envelope = self.signed_time(&nonce).await?;
        let unusable = |error: Distrust| HubError::Unusable(error.to_string());
        let message = match self.keys().verifier.open(&envelope, TIME) {
            // It may be signed by a key that is newer than our set.
            Err(Distrust::UnknownKey) if self.follow_keys_unjudged().await? => {
                self.keys().verifier.open(&envelope, TIME)
            }
            opened => opened,
        }
        .map_err(unusable)?;
        let told: SignedTime =
            serde_json::from_slice(&message).map_err(|error| HubError::Unusable(error.to_string()))?;
        if told.nonce != nonce {
            return Err(HubError::Unusable("the signed time is an answer to another question".to_owned()));
        }
        let off = self.time.believe(told.now);
        if off.unsigned_abs() > SKEW_WORTH_SAYING.0.unsigned_abs() {
            tracing::warn!(off_ms = off, "the clock of this machine differs from the hub's, whose signed time is used");
        }
        Ok(())
    }
}

impl Keys {
    fn new(set: &KeySet) -> Result<Keys, HubError> {
        let verifier = Verifier::new(set).map_err(|_| HubError::Unusable("its key set is damaged".to_owned()))?;
        Ok(Keys { version: set.version, verifier: Arc::new(verifier) })
    }
}

/// The line on which the node proves itself as the settings say.
fn line(
    identity: &Identity,
    way: &Way,
    time: &Arc<HubTime>,
    keys: &Arc<RwLock<Arc<Keys>>>,
) -> Result<HubLine, SetupError> {
    let mut connect = connect(identity, way, time);
    let keys = Arc::clone(keys);
    let mut choice = way.proof;
    if identity.has_certificate().is_err() {
        (connect.identity, choice) = (None, Choice::Assertion);
    }
    let proof = NodeProof {
        node: identity.node(),
        hub_id: identity.hub_id().to_owned(),
        key_pem: identity.proof().key_pem,
        choice,
        keys: Arc::new(move || Arc::clone(&keys.read().unwrap_or_else(PoisonError::into_inner).verifier)),
        entropy: way.entropy.clone(),
    };
    HubLine::proving(&connect, proof)
}

fn connect(identity: &Identity, way: &Way, time: &Arc<HubTime>) -> Connect {
    let time = Arc::clone(time);
    Connect {
        also_trust: way.ca_pem.clone(),
        also_system: way.ca_system,
        identity: Some(identity.proof()),
        proxy: way.proxy.clone(),
        ..Connect::new(identity.hub(), identity.trust(), Clock::new(move || time.now()))
    }
}
