//! Whether a desired state is the hub's, this node's, and the next. Pure: nothing has happened yet when this says no.

use aws_lc_rs::digest::{SHA256, digest};
use sortie_rules::desired::{
    Accepted, DIRECTORY, DirectorySpec, Disorder, FILE, FileSpec, Offer, Refused, SERVICE, ServiceSpec, Verdict,
    in_order, judge,
};
use sortie_rules::ids::NodeId;
use sortie_rules::limits::{DESIRED_BYTES_MAX, RESOURCES_MAX};
use sortie_wire::desired::{DESIRED, DesiredState, RefusedGeneration};
use sortie_wire::envelope::{Distrust, Envelope, Verifier};

/// A state that may be accepted, and the digest of what was signed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Opened {
    pub(super) state: DesiredState,
    pub(super) digest: String,
}

/// Why a state is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotTaken {
    #[error("the desired state has {0} bytes, and at most {DESIRED_BYTES_MAX} are taken")]
    TooLarge(usize),
    #[error("the desired state is not believed: {0}")]
    Distrusted(Distrust),
    #[error("what the hub signed is no desired state that this agent can read: {0}")]
    Unreadable(String),
    #[error("{0}")]
    Judged(Refused),
    #[error("the desired state has {0} resources, and at most {RESOURCES_MAX} are taken")]
    TooMany(usize),
    #[error("the resources of the desired state have no order: {0}")]
    Disordered(Disorder),
}

impl NotTaken {
    /// The stable word for it.
    pub(super) fn code(&self) -> &'static str {
        match self {
            NotTaken::TooLarge(_) => "too_large",
            NotTaken::Distrusted(Distrust::OtherType) => "other_type",
            NotTaken::Distrusted(Distrust::Damaged) => "not_an_envelope",
            NotTaken::Distrusted(Distrust::Unsigned) => "unsigned",
            NotTaken::Distrusted(Distrust::UnknownKey) => "unknown_key",
            NotTaken::Distrusted(Distrust::BadSignature) => "bad_signature",
            NotTaken::Unreadable(_) => "not_a_state",
            NotTaken::Judged(refused) => refused.as_str(),
            NotTaken::TooMany(_) => "too_many_resources",
            NotTaken::Disordered(_) => "no_order",
        }
    }

    /// What the hub is told of it.
    pub(super) fn tell(&self, generation: u64) -> RefusedGeneration {
        let message = sortie_rules::desired::cut_message(&self.to_string());
        RefusedGeneration { generation, code: self.code().to_owned(), message }
    }
}

/// The state in an envelope that has just come; `None` if it was accepted already.
pub(super) fn take(
    envelope: &Envelope,
    keys: &Verifier,
    me: NodeId,
    accepted: &Accepted,
) -> Result<Option<Opened>, NotTaken> {
    let bytes = envelope.payload.len() / 4 * 3;
    if bytes > DESIRED_BYTES_MAX {
        return Err(NotTaken::TooLarge(bytes));
    }
    let message = keys.open(envelope, DESIRED).map_err(NotTaken::Distrusted)?;
    let opened = read(&message)?;
    let offer = Offer { node: opened.state.node, generation: opened.state.generation, digest: &opened.digest };
    match judge(me, accepted, offer).map_err(NotTaken::Judged)? {
        Verdict::Known => return Ok(None),
        Verdict::Take => {}
    }
    usable(&opened)?;
    Ok(Some(opened))
}

/// The state in an envelope that was accepted before, and has this digest. The key that signed it may have been
/// followed by others since: then the digest stands for the signature that was checked when it came.
pub(super) fn take_again(
    envelope: &Envelope,
    keys: &Verifier,
    me: NodeId,
    kept_digest: &str,
) -> Result<Opened, NotTaken> {
    let message = match keys.open(envelope, DESIRED) {
        Err(Distrust::UnknownKey) => envelope.unverified_payload().ok_or(NotTaken::Distrusted(Distrust::Damaged))?,
        opened => opened.map_err(NotTaken::Distrusted)?,
    };
    let opened = read(&message)?;
    if opened.digest != kept_digest || envelope.payload_type != DESIRED {
        return Err(NotTaken::Distrusted(Distrust::Damaged));
    }
    if opened.state.node != me {
        return Err(NotTaken::Judged(Refused::OtherNode(opened.state.node)));
    }
    usable(&opened)?;
    Ok(opened)
}

fn read(message: &[u8]) -> Result<Opened, NotTaken> {
    let state = serde_json::from_slice(message).map_err(|error| NotTaken::Unreadable(error.to_string()))?;
    Ok(Opened { state, digest: hex::encode(digest(&SHA256, message).as_ref()) })
}

/// Reads a state and the specs in it, and does nothing with them.
pub(crate) fn read_for_nobody(message: &[u8]) -> Result<(), String> {
    let opened = read(message).map_err(|error| error.to_string())?;
    usable(&opened).map_err(|error| error.to_string())?;
    for (key, resource) in &opened.state.resources {
        match key.kind.as_str() {
            FILE => drop(FileSpec::read(&resource.spec)?),
            DIRECTORY => drop(DirectorySpec::read(&resource.spec)?),
            SERVICE => drop(ServiceSpec::read(&resource.spec)?),
            _ => {}
        }
    }
    Ok(())
}

fn usable(opened: &Opened) -> Result<(), NotTaken> {
    let resources = &opened.state.resources;
    if resources.len() > RESOURCES_MAX {
        return Err(NotTaken::TooMany(resources.len()));
    }
    in_order(resources).map(|_| ()).map_err(NotTaken::Disordered)
}
