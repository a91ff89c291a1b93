//! The file of the sets, and the set that is under way in it.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use sortie_wire::envelope::Envelope;
use sortie_wire::operators::{
    NotBelieved, OPERATORS, OperatorChain, OperatorSet, Operators, sign_operators, text_of_operators, unsigned,
};
use sortie_wire::ssh::SshKey;

use crate::exit::{Done, Failure};
use crate::operator_keys::Signing;

/// A file of sets: those that stand, and perhaps one that waits for signatures.
#[derive(Debug)]
pub(super) struct Chain {
    links: Vec<Envelope>,
    stands: Option<Operators>,
    next: Option<(Envelope, OperatorSet)>,
}

impl Chain {
    /// A new file with a first set, which nobody has signed.
    pub(super) fn begin(set: OperatorSet) -> Result<Chain, Failure> {
        Ok(Chain { links: Vec::new(), stands: None, next: Some((draft(&set)?, set)) })
    }

    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<Chain, Failure> {
        let unusable = |why: String| Failure::usage(format!("{}: {why}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
        let chain: OperatorChain = serde_json::from_str(&text).map_err(|error| unusable(error.to_string()))?;
        let mut read = Chain { links: Vec::new(), stands: None, next: None };
        for link in chain.links {
            if read.next.is_some() {
                return Err(unusable("a set that is not signed by enough is followed by another".to_owned()));
            }
            let operators = match &read.stands {
                None => Operators::begin(&link),
                Some(stands) => stands.follow(&link),
            };
            match operators {
                Ok(operators) => {
                    read.stands = Some(operators);
                    read.links.push(link);
                }
                Err(NotBelieved::Refused(sortie_rules::operators::Refusal::TooFew { .. })) => {
                    let set = set_of(&link).map_err(unusable)?;
                    read.next = Some((link, set));
                }
                Err(error) => return Err(unusable(error.to_string())),
            }
        }
        if read.stands.is_none() && read.next.is_none() {
            return Err(unusable("there is no set of operators in it".to_owned()));
        }
        Ok(read)
    }

    /// Writes the file, whole or not at all.
    pub(super) fn write(&self, path: &Path) -> Done {
        let links = self.links.iter().chain(self.next.as_ref().map(|(link, _)| link)).cloned().collect();
        let text = serde_json::to_string_pretty(&OperatorChain { links })
            .map_err(|error| Failure::other(error.to_string()))?;
        let failed = |error: std::io::Error| Failure::other(format!("{} cannot be written: {error}", path.display()));
        let beside = path.with_added_extension("writing");
        std::fs::write(&beside, text + "\n").map_err(failed)?;
        std::fs::rename(&beside, path).map_err(failed)
    }

    /// The set that stands.
    pub(super) fn stands(&self) -> Option<&Operators> {
        self.stands.as_ref()
    }

    /// The sets that stand, as they were signed.
    pub(super) fn links(&self) -> &[Envelope] {
        &self.links
    }

    /// The set that waits for signatures, and how many of those who must have signed it.
    pub(super) fn next(&self) -> Option<(&OperatorSet, usize, u32)> {
        let (link, set) = self.next.as_ref()?;
        let judges = self.stands.as_ref().map_or(set, Operators::set);
        let signed = judges.members.iter().filter(|member| {
            let fingerprint = member.key.fingerprint();
            link.signatures.iter().any(|signature| signature.keyid == fingerprint)
        });
        Some((set, signed.count(), judges.needed))
    }

    /// Whether the set that waits bears this key's signature.
    pub(super) fn bears(&self, key: &SshKey) -> bool {
        let fingerprint = key.fingerprint();
        let link = self.next.as_ref().map(|(link, _)| link);
        link.is_some_and(|link| link.signatures.iter().any(|signature| signature.keyid == fingerprint))
    }

    /// Puts a set after the one that stands; nobody has signed it.
    pub(super) fn propose(&mut self, set: OperatorSet) -> Done {
        self.next = Some((draft(&set)?, set));
        Ok(())
    }

    /// Signs the set that waits. With enough signatures it stands.
    pub(super) fn sign(&mut self, signing: &Signing) -> Done {
        let Some((mut link, set)) = self.next.take() else {
            return Err(Failure::usage("there is no set in it that waits for signatures"));
        };
        let judges = self.stands.as_ref().map_or(&set, Operators::set);
        if judges.member(&signing.key().fingerprint()).is_none() {
            let names: Vec<&str> = judges.members.iter().map(|member| member.name.as_str()).collect();
            return Err(Failure::usage(format!("this key is not one of those who must sign: {}", names.join(", "))));
        }
        let message = BASE64.decode(&link.payload).map_err(|error| Failure::usage(error.to_string()))?;
        let proof = signing.sign(&text_of_operators(&message))?;
        sign_operators(&mut link, signing.key().clone(), proof);
        let operators = match &self.stands {
            None => Operators::begin(&link),
            Some(stands) => stands.follow(&link),
        };
        match operators {
            Ok(operators) => {
                self.stands = Some(operators);
                self.links.push(link);
            }
            Err(NotBelieved::Refused(sortie_rules::operators::Refusal::TooFew { .. })) => self.next = Some((link, set)),
            Err(error) => return Err(Failure::usage(error.to_string())),
        }
        Ok(())
    }
}

fn draft(set: &OperatorSet) -> Result<Envelope, Failure> {
    let bytes = serde_json::to_vec(set).map_err(|error| Failure::other(error.to_string()))?;
    Ok(unsigned(OPERATORS, &bytes))
}

fn set_of(link: &Envelope) -> Result<OperatorSet, String> {
    let bytes = BASE64.decode(&link.payload).map_err(|error| error.to_string())?;
    serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}
