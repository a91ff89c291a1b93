//! The ring in memory: every key ready for use, and the newest key set.

use std::collections::BTreeMap;

use sortie_rules::rotation::{Member, Ring, What};
use sortie_wire::envelope::{Envelope, Signer};
use sortie_wire::keys::{KeySet, TrustedAuthority};

use super::file::{RingFile, TakenStep};
use super::make::read_signer;
use crate::identity::authority::{Authority, AuthorityError};
use crate::identity::safe::Contents;

/// The ring in memory. It never changes: another one takes its place.
#[derive(Debug)]
pub(crate) struct Held {
    pub(super) file: RingFile,
    pub(super) contents: Contents,
    signers: BTreeMap<String, Signer>,
    authorities: BTreeMap<String, Authority>,
    set: KeySet,
}

impl Held {
    /// Reads every key that the ring names.
    pub(super) fn read(contents: Contents, file: RingFile) -> Result<Held, AuthorityError> {
        let (mut signers, mut authorities) = (BTreeMap::new(), BTreeMap::new());
        for member in &file.ring.members {
            let missing = || AuthorityError::Damaged(format!("keys/ring.json names no file of `{}`", member.id));
            match member.what {
                What::Delivery => {
                    let stem = file.files.get(&member.id).ok_or_else(missing)?;
                    let signer = read_signer(&contents, stem)?;
                    is_the_one(&signer.public_key().id, member, stem)?;
                    signers.insert(member.id.clone(), signer);
                }
                What::Authority => {
                    let stem = file.files.get(&member.id).ok_or_else(missing)?;
                    let authority = Authority::read(&contents, stem)?;
                    is_the_one(&authority.fingerprint(), member, stem)?;
                    authorities.insert(member.id.clone(), authority);
                }
                What::Given if file.given.contains_key(&member.id) => {}
                What::Given => return Err(missing()),
            }
        }
        let set = set_of(&file, &signers, &authorities);
        let held = Held { file, contents, signers, authorities, set };
        match held.has_all() {
            true => Ok(held),
            false => Err(AuthorityError::Damaged("keys/ring.json names keys that are not there".to_owned())),
        }
    }

    fn has_all(&self) -> bool {
        let ring = self.ring();
        let has = |what, found: &dyn Fn(&str) -> bool| ring.current(what).is_some_and(|member| found(&member.id));
        has(What::Delivery, &|id| self.signers.contains_key(id))
            && has(What::Authority, &|id| self.authorities.contains_key(id))
            && ring.of(What::Delivery).all(|member| self.signers.contains_key(&member.id))
            && ring.of(What::Authority).all(|member| self.authorities.contains_key(&member.id))
    }

    /// Which keys there are, and how far each has come.
    pub(crate) fn ring(&self) -> &Ring {
        &self.file.ring
    }

    /// What has been done to the ring.
    pub(crate) fn steps(&self) -> &[TakenStep] {
        &self.file.steps
    }

    /// What signs.
    pub(crate) fn signer(&self) -> &Signer {
        let current = self.ring().current(What::Delivery).and_then(|member| self.signers.get(&member.id));
        current.expect("a ring has a key that signs")
    }

    /// The authority that vouches for nodes.
    pub(crate) fn issuer(&self) -> &Authority {
        let issuer = self.ring().issuer().and_then(|member| self.authorities.get(&member.id));
        issuer.expect("a ring has an authority")
    }

    /// The authority that vouches for the hub, if the operator gave it no certificate.
    pub(crate) fn serving(&self) -> &Authority {
        let current = self.ring().current(What::Authority).and_then(|member| self.authorities.get(&member.id));
        current.expect("a ring has an authority in use")
    }

    /// Every authority whose certificates nodes may come with.
    pub(crate) fn authorities(&self) -> impl Iterator<Item = &Authority> {
        self.authorities.values()
    }

    /// What agents believe.
    pub(crate) fn set(&self) -> &KeySet {
        &self.set
    }

    /// The key sets after this version, at most so many.
    pub(crate) fn links_after(&self, version: u64, limit: usize) -> Vec<Envelope> {
        let from = usize::try_from(version).unwrap_or(usize::MAX).min(self.file.chain.len());
        self.file.chain[from..].iter().take(limit).cloned().collect()
    }

    /// Signs what a new key set says with the key that signs now.
    pub(super) fn sign(&self, payload_type: &str, message: &[u8]) -> Envelope {
        self.signer().sign(payload_type, message)
    }
}

/// A hub that signed with another key than the one that agents believe would reach none of them.
fn is_the_one(found: &str, member: &Member, stem: &str) -> Result<(), AuthorityError> {
    if found == member.id {
        return Ok(());
    }
    let why = format!("keys/{stem} holds another key ({found}) than keys/ring.json names ({})", member.id);
    Err(AuthorityError::Damaged(why))
}

fn set_of(file: &RingFile, signers: &BTreeMap<String, Signer>, authorities: &BTreeMap<String, Authority>) -> KeySet {
    let ring = &file.ring;
    let own = ring.of(What::Authority).filter_map(|member| {
        let certificate = authorities.get(&member.id)?.pem().to_owned();
        Some(TrustedAuthority { fingerprint: member.id.clone(), certificate })
    });
    let given = ring.of(What::Given).filter_map(|member| {
        let certificate = file.given.get(&member.id)?.clone();
        Some(TrustedAuthority { fingerprint: member.id.clone(), certificate })
    });
    KeySet {
        version: ring.version,
        keys: ring.of(What::Delivery).filter_map(|member| Some(signers.get(&member.id)?.public_key())).collect(),
        authorities: own.chain(given).collect(),
        issuer: ring.issuer().map(|member| member.id.clone()).unwrap_or_default(),
        renew_within: file.renew_within,
    }
}

/// What a key set says, as it is signed.
pub(super) fn spelled(set: &KeySet) -> Vec<u8> {
    serde_json::to_vec(set).expect("a key set can be written")
}
