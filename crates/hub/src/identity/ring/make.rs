//! Makes keys. They are put into the safe together with the ring that names them.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;
use sortie_rules::rotation::What;
use sortie_rules::time::Millis;
use sortie_wire::envelope::Signer;

use crate::clock::Entropy;
use crate::identity::authority::{Authority, AuthorityError, key_file};
use crate::identity::safe::Contents;

/// A key that was made and lies nowhere yet.
pub(crate) struct Made {
    /// Its id.
    pub(crate) id: String,
    /// The beginning of the names under which it is to lie.
    pub(super) stem: String,
    /// It, if it signs key sets.
    pub(super) signer: Option<Signer>,
    /// What is to lie in the safe.
    pub(super) entries: Vec<(String, Vec<u8>)>,
}

impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Made({}, withheld)", self.id)
    }
}

/// Where a delivery key lies.
pub(super) fn signer_file(stem: &str) -> String {
    format!("keys/{stem}.pk8")
}

/// Reads a delivery key.
pub(super) fn read_signer(contents: &Contents, stem: &str) -> Result<Signer, AuthorityError> {
    let name = signer_file(stem);
    let der = contents.get(&name).unwrap_or_default();
    Signer::from_pkcs8(der).map_err(|why| AuthorityError::Damaged(format!("{name}: {why}")))
}

/// The first keys: from an earlier try or from before there were rings, or made now.
pub(super) fn first(contents: &Contents, what: What, entropy: &Entropy, now: Millis) -> Result<Made, AuthorityError> {
    let (stem, file) = match what {
        What::Delivery => ("delivery", signer_file("delivery")),
        What::Authority | What::Given => ("authority", key_file("authority")),
    };
    if contents.get(&file).is_none() {
        return made(what, stem, "Sortie hub authority", entropy, now);
    }
    read(contents, what, stem, Vec::new())
}

/// A key for the ring's next version. One that an earlier try left under its name is replaced.
pub(super) fn make(what: What, version: u64, entropy: &Entropy, now: Millis) -> Result<Made, AuthorityError> {
    let stem = match what {
        What::Delivery => format!("delivery.{version}"),
        What::Authority | What::Given => format!("authority.{version}"),
    };
    made(what, &stem, &format!("Sortie hub authority {version}"), entropy, now)
}

fn made(what: What, stem: &str, name: &str, entropy: &Entropy, now: Millis) -> Result<Made, AuthorityError> {
    let entries = match what {
        What::Delivery => vec![(signer_file(stem), new_signer())],
        What::Authority | What::Given => Authority::make(stem, name, entropy, now)?,
    };
    read(&Contents::default().with(&entries), what, stem, entries.clone())
}

fn read(contents: &Contents, what: What, stem: &str, entries: Vec<(String, Vec<u8>)>) -> Result<Made, AuthorityError> {
    let (id, signer) = match what {
        What::Delivery => {
            let signer = read_signer(contents, stem)?;
            (signer.public_key().id, Some(signer))
        }
        What::Authority | What::Given => (Authority::read(contents, stem)?.fingerprint(), None),
    };
    Ok(Made { id, stem: stem.to_owned(), signer, entries })
}

fn new_signer() -> Vec<u8> {
    let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key can be made");
    der.as_ref().to_vec()
}
