//! Makes keys, on disk before anything names them.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;
use sortie_rules::rotation::What;
use sortie_rules::time::Millis;
use sortie_wire::envelope::Signer;

use crate::clock::Entropy;
use crate::data_folder::Files;
use crate::identity::authority::{Authority, AuthorityError};

/// A key that was made.
#[derive(Debug)]
pub(crate) struct Made {
    /// Its id.
    pub(crate) id: String,
    /// The beginning of the names of its files.
    pub(super) stem: String,
    /// It, if it signs key sets.
    pub(super) signer: Option<Signer>,
}

/// The file of a delivery key.
pub(super) fn signer_file(stem: &str) -> String {
    format!("keys/{stem}.pk8")
}

/// Reads a delivery key.
pub(super) fn read_signer(files: &Files, stem: &str) -> Result<Signer, AuthorityError> {
    let name = signer_file(stem);
    let der = files.read(&name)?.unwrap_or_default();
    Signer::from_pkcs8(&der).map_err(|why| AuthorityError::Damaged(format!("{name}: {why}")))
}

/// The first delivery key, from an earlier try or made now.
pub(super) fn first_signer(files: &Files) -> Result<Made, AuthorityError> {
    files.read_or_make(&signer_file("delivery"), new_signer)?;
    let signer = read_signer(files, "delivery")?;
    Ok(Made { id: signer.public_key().id, stem: "delivery".to_owned(), signer: Some(signer) })
}

/// A key for the ring's next version. One that an earlier try left under its name is replaced.
pub(super) fn make(
    files: &Files,
    what: What,
    version: u64,
    entropy: &Entropy,
    now: Millis,
) -> Result<Made, AuthorityError> {
    match what {
        What::Delivery => {
            let stem = format!("delivery.{version}");
            files.write(&signer_file(&stem), &new_signer())?;
            let signer = read_signer(files, &stem)?;
            Ok(Made { id: signer.public_key().id, stem, signer: Some(signer) })
        }
        What::Authority | What::Given => {
            let stem = format!("authority.{version}");
            let name = format!("Sortie hub authority {version}");
            let authority = Authority::make(files, &stem, &name, entropy, now)?;
            Ok(Made { id: authority.fingerprint(), stem, signer: None })
        }
    }
}

fn new_signer() -> Vec<u8> {
    let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key can be made");
    der.as_ref().to_vec()
}
