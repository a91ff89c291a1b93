//! Becoming a node: a key made here, an invite from the hub, and the identity that comes back.

use sortie_client::agent::{Choice, HubLine};
use sortie_client::{ClientError, Connect, SetupError, Trust};
use sortie_rules::ids::NodeId;
use sortie_wire::enrollment::{Enroll, Enrolled, Invite};

use crate::clock::{Clock, Entropy};
use crate::data_folder::{DataFolder, FolderError, read_if_there, write_whole};
use crate::facts::facts;
use crate::handlers::BUILTIN_TYPES;
use crate::identity::{Identity, IdentityError, NodeRecord};
use crate::line::SKEW_WORTH_SAYING;
use crate::operations::{Given, Known, NotSet, OperatorsOutcome, change, fetch, follow};
use crate::policy::{self, Policy, PolicyError};
use crate::settings::{Settings, UnreadableFile};

/// What an enrolment needs.
#[derive(Debug)]
pub struct EnrollOptions {
    /// The agent's settings, with the data folder that the identity goes to.
    pub settings: Settings,
    /// The invite.
    pub invite: Invite,
    /// The operators whom the site believes, if it shall believe any; the hub has no say in that.
    pub operators: Option<Given>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolledNode {
    /// The node's id.
    pub node: NodeId,
    /// The node's name.
    pub name: String,
    /// The hub's address.
    pub hub: String,
    /// Whether a commented policy was written because there was none.
    pub policy_written: bool,
    /// Whom the site believes as its operators.
    pub operators: OperatorsOutcome,
    /// Why they are not known yet, though their fingerprint was given.
    pub operators_awaited: Option<String>,
}

/// Why there is no enrolment. Nothing that was there before has been changed.
#[derive(Debug, thiserror::Error)]
pub enum EnrollError {
    /// There is an identity already.
    #[error(
        "the agent in this data folder is enrolled already, as `{name}` at {hub}; to enrol anew, stop it and give an \
         empty folder with --data (an invite made with --replace keeps the node's name)"
    )]
    AlreadyEnrolled {
        /// The node's name.
        name: String,
        /// Its hub.
        hub: String,
    },
    /// The data folder cannot be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Key or identity cannot be made, read or kept.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The policy that is there cannot be used.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// A file that the settings name cannot be read.
    #[error(transparent)]
    File(#[from] UnreadableFile),
    /// The operators cannot be believed, or not be kept.
    #[error(transparent)]
    Operators(#[from] NotSet),
    /// Invite or settings do not say how to reach the hub.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The hub cannot be reached, or says no.
    #[error(transparent)]
    Hub(#[from] ClientError),
}

/// Enrols. A lost answer harms nobody: the same invite with the same key, which a former try left in
/// the data folder, gets the same enrolment again.
///
/// The hub is believed by the invite's fingerprint alone, since all later trust grows from this answer: the key
/// of a certificate for which it vouches has signed it. So the connection itself may end at a proxy whose
/// authority the settings name, which can read what is said and put nothing in; and a clock that is wrong does
/// no harm to it.
pub async fn enroll(options: EnrollOptions, clock: Clock, entropy: &Entropy) -> Result<EnrolledNode, EnrollError> {
    let EnrollOptions { settings, invite, operators } = options;
    let folder = DataFolder::open(&settings.data)?;
    if Identity::is_there(folder.path())? {
        let identity = Identity::load(folder.path())?;
        let (name, hub) = (identity.name().to_owned(), identity.hub().to_owned());
        return Err(EnrollError::AlreadyEnrolled { name, hub });
    }
    // Nothing that a former try has left in the folder counts as long as nobody is enrolled in it.
    let believed = operators.map(|given| first_operators(&given)).transpose()?;
    let key = Identity::key(folder.path())?;
    let policy_written = write_default_policy(&settings)?;
    let policy = Policy::read(&settings.policy_path())?;

    let request = Enroll {
        certificate_request: key.certificate_request().map_err(IdentityError::from)?,
        facts: facts(policy.types(BUILTIN_TYPES.iter().copied())),
    };
    let Enrolled { node, name, certificate, keys, hub_id, chain: _, now } =
        come_in(&settings, &invite, &request, &clock, entropy).await?;
    let off = clock.now().0.abs_diff(now.0);
    if off > SKEW_WORTH_SAYING.0.unsigned_abs() {
        tracing::warn!(off_ms = off, "the clock of this machine differs from the hub's, whose signed time is used");
    }
    let record = NodeRecord {
        node,
        name: name.clone(),
        hub: invite.hub.clone(),
        hub_id,
        protocol: 0,
        certificate_from: certificate.not_before,
        certificate_until: certificate.not_after,
        keys,
    };
    if let Some(known) = believed {
        change(folder.path(), |_| Ok::<_, NotSet>(Some(known)))?;
    }
    Identity::create(folder.path(), key, &certificate, record)?;
    let (operators, operators_awaited) = operators_now(&settings, clock, entropy).await?;
    Ok(EnrolledNode { node, name, hub: invite.hub, policy_written, operators, operators_awaited })
}

/// Whom the site believes from now on, before the hub has said a word.
fn first_operators(given: &Given) -> Result<Known, NotSet> {
    match given {
        Given::Fingerprint(fingerprint) => Ok(Known::Pinned(fingerprint.clone())),
        Given::Chain(chain) => {
            let believed = follow(&Known::Nobody, chain)?;
            Ok(believed.map_or(Known::Nobody, |believed| Known::Set(Box::new(believed))))
        }
    }
}

/// Whom the site believes. If that is a fingerprint, the hub is asked for its set; if it has none, the agent asks
/// again when the hub tells of one.
async fn operators_now(
    settings: &Settings,
    clock: Clock,
    entropy: &Entropy,
) -> Result<(OperatorsOutcome, Option<String>), NotSet> {
    let known = Known::read(&settings.data)?;
    let Known::Pinned(fingerprint) = &known else { return Ok((OperatorsOutcome::of(&known), None)) };
    match fetch(settings, fingerprint, false, clock, entropy).await {
        Ok(known) => Ok((OperatorsOutcome::of(&known), None)),
        Err(error) => Ok((OperatorsOutcome::of(&known), Some(error.to_string()))),
    }
}

/// Tries each way on which the hub's answer can come, as long as the one before was opened by somebody else or
/// failed for the dates of certificates alone.
async fn come_in(
    settings: &Settings,
    invite: &Invite,
    request: &Enroll,
    clock: &Clock,
    entropy: &Entropy,
) -> Result<Enrolled, EnrollError> {
    let pinned = Connect {
        proxy: settings.proxy.to_proxy(),
        ..Connect::new(invite.hub.clone(), Trust::Fingerprint(invite.ca.clone()), clock.clone())
    };
    let ask = async |connect: &Connect| -> Result<Enrolled, EnrollError> {
        Ok(HubLine::open(connect)?.enroll(invite, request, &entropy.hex()).await?)
    };
    let dateless = |way: Connect| Connect { ignore_dates: true, ..way };
    let (hub, fault) = match ask(&pinned).await {
        Err(EnrollError::Hub(ClientError::Tls { hub, fault })) => (hub, fault),
        outcome => return outcome,
    };
    if fault.is_about_dates() {
        return ask(&dateless(pinned)).await;
    }
    let Some(way) = beside(settings, pinned)? else { return Err(ClientError::Tls { hub, fault }.into()) };
    match ask(&way).await {
        Err(EnrollError::Hub(ClientError::Tls { fault, .. })) if fault.is_about_dates() => ask(&dateless(way)).await,
        outcome => outcome,
    }
}

/// The same with the authorities of the settings in place of the fingerprint, where there are any and the agent
/// may prove itself to a hub that does not see its certificate.
fn beside(settings: &Settings, pinned: Connect) -> Result<Option<Connect>, EnrollError> {
    let ca_pem = settings.ca_pem()?;
    let trust = match (settings.ca_system, &ca_pem) {
        _ if settings.proof == Choice::Certificate => return Ok(None),
        (true, _) => Trust::System,
        (false, Some(pem)) => Trust::Pem(pem.clone()),
        (false, None) => return Ok(None),
    };
    Ok(Some(Connect { trust, also_trust: ca_pem, ..pinned }))
}

/// The site owns the policy: only where there is none is a commented one written, once.
fn write_default_policy(settings: &Settings) -> Result<bool, FolderError> {
    let path = settings.policy_path();
    if read_if_there(&path)?.is_some() {
        return Ok(false);
    }
    write_whole(&path, policy::DEFAULT_TOML.as_bytes())?;
    Ok(true)
}
