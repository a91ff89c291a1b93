//! The hub as this agent knows it: the line to it, whom that line believes, and the keys with which
//! its deliveries are verified. All of that can change while the agent runs; nobody is interrupted.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use sortie_client::agent::{Choice, HubLine, NodeProof};
use sortie_client::{ClientError, Clock, Connect, Entropy, SetupError};
use sortie_rules::ids::NodeId;
use sortie_rules::protocols::{Lower, goes_on};
use sortie_rules::time::{Millis, Span};
use sortie_wire::deliveries::SignedTime;
use sortie_wire::enrollment::{Facts, Renew, Renewed};
use sortie_wire::envelope::{Distrust, TIME, Verifier};
use sortie_wire::keys::KeySet;
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
        Ok(Hub {
            node: identity.node(),
            name: identity.name().to_owned(),
            way,
            time,
            identity: Mutex::new(identity),
            line: RwLock::new(line),
            renewal_wanted: Notify::new(),
            keys,
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

    /// Whether the certificate has ended, by the hub's time.
    fn certificate_has_ended(&self) -> bool {
        self.time.now() > self.certificate_life().1
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

    /// Fetches the key set and keeps it if it is newer. Where the line may end at somebody else, whom the settings
    /// let in, it proves nothing about keys, and none are believed.
    pub(crate) async fn refresh_keys(&self) -> Result<(), HubError> {
        if !self.way.leads_to_the_hub_alone() {
            let why = "its line may end at an authority of the settings (ca_file, ca_system), which could put in keys \
                       of its own; if the hub has new keys, enrol this node anew with an invite made with --replace";
            return Err(HubError::Unusable(format!("a newer key set was not fetched: {why}")));
        }
        let offered: KeySet = self.line().keys().await?;
        Keys::new(&offered)?;
        let kept = {
            let mut identity = self.identity();
            identity.take_keys(offered)?;
            Keys::new(identity.keys())?
        };
        tracing::info!(version = kept.version, "the hub's key set was fetched");
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(kept);
        Ok(())
    }

    /// Gets a new certificate for the same key, keeps it, and uses it for all that is sent from then on.
    pub(crate) async fn renew(&self, facts: Facts) -> Result<Millis, HubError> {
        let certificate_request = self.identity().certificate_request()?;
        let Renewed { certificate, trust, keys, now: _ } =
            self.line().renew(&Renew { certificate_request, facts }, self.certificate_has_ended()).await?;
        Keys::new(&keys)?;
        let (line, kept) = {
            let mut identity = self.identity();
            // The certificate is for this node's own key; whom to believe is another matter.
            match self.way.leads_to_the_hub_alone() {
                true => identity.renew(&certificate, trust, keys)?,
                false => identity.renew_certificate(&certificate)?,
            }
            (line(&identity, &self.way, &self.time, &self.keys)?, Keys::new(identity.keys())?)
        };
        *self.line.write().unwrap_or_else(PoisonError::into_inner) = line;
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(kept);
        Ok(certificate.not_after)
    }

    /// Asks the hub for its signed time, over a line on which dates of certificates do not count and
    /// nothing secret is sent, and believes it: the answer carries a nonce of ours and the signature
    /// of a key that is known here. This is what saves a machine whose clock is wrong.
    pub(crate) async fn learn_time(&self, entropy: &Entropy) -> Result<(), HubError> {
        let nonce = entropy.hex();
        let line = {
            let dateless = connect(&self.identity(), &self.way, &self.time);
            HubLine::open(&Connect { identity: None, ignore_dates: true, ..dateless })?
        };
        let envelope = line.time(&nonce).await?;
        let unusable = |error: Distrust| HubError::Unusable(error.to_string());
        let message = self.keys().verifier.open(&envelope, TIME).map_err(unusable)?;
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
impl Way {
    /// Whether nobody but the hub can be at the other end, as far as certificates say.
    fn leads_to_the_hub_alone(&self) -> bool {
        self.ca_pem.is_none() && !self.ca_system
    }
}

fn line(
    identity: &Identity,
    way: &Way,
    time: &Arc<HubTime>,
    keys: &Arc<RwLock<Arc<Keys>>>,
) -> Result<HubLine, SetupError> {
    let connect = connect(identity, way, time);
    let keys = Arc::clone(keys);
    let proof = NodeProof {
        node: identity.node(),
        hub_id: identity.hub_id().to_owned(),
        key_pem: identity.proof().key_pem,
        choice: way.proof,
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
