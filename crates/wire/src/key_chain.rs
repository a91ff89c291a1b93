//! Following the chain of key sets from the one at hand.

use sortie_rules::limits::{KEY_LINKS_PER_ANSWER_MAX, KEY_SET_BYTES_MAX, KEYS_PER_SET_MAX};
use sortie_rules::rotation::{Link, LinkRefusal, Step, judge_link};

use crate::envelope::{Envelope, KEYS, Verifier};
use crate::keys::{KeyChain, KeySet};

/// Why a chain was not followed to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainRefusal {
    /// A link is not believed.
    #[error(transparent)]
    Link(#[from] LinkRefusal),
    /// It is longer, or a set in it larger, than any true one.
    #[error("the hub offers more key sets, or larger ones, than may be")]
    TooLarge,
    /// A link cannot be read, or names no key that signs or no authority.
    #[error("a key set that the hub offers is damaged")]
    Damaged,
}

impl ChainRefusal {
    /// The stable word for it.
    pub const fn code(&self) -> &'static str {
        match self {
            ChainRefusal::Link(refusal) => refusal.code(),
            ChainRefusal::TooLarge => "keys_too_large",
            ChainRefusal::Damaged => "keys_damaged",
        }
    }
}

/// How far a chain leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// The last set that is believed; the one at hand if nothing is.
    pub set: KeySet,
    /// Why the rest is not.
    pub refusal: Option<ChainRefusal>,
}

/// Follows a chain from the set at hand, link by link, as far as it is to be believed.
pub fn follow(own: &KeySet, chain: &KeyChain) -> Followed {
    let mut set = own.clone();
    if chain.links.len() > KEY_LINKS_PER_ANSWER_MAX {
        return Followed { set, refusal: Some(ChainRefusal::TooLarge) };
    }
    for link in &chain.links {
        match next(&set, link) {
            Ok(Some(next)) => set = next,
            Ok(None) => {}
            Err(refusal) => return Followed { set, refusal: Some(refusal) },
        }
    }
    // A chain that ends before the newest set, or before ours, was cut.
    let (offered, own) = (chain.newest, set.version);
    let refusal = if offered < own {
        Some(LinkRefusal::Older { offered, own })
    } else if chain.links.is_empty() && offered > own {
        Some(LinkRefusal::Gap { offered, own })
    } else {
        None
    };
    Followed { set, refusal: refusal.map(ChainRefusal::Link) }
}

/// The set that a link leads to; `None` if that is the one at hand.
fn next(own: &KeySet, link: &Envelope) -> Result<Option<KeySet>, ChainRefusal> {
    if link.payload.len() > KEY_SET_BYTES_MAX * 4 / 3 + 4 {
        return Err(ChainRefusal::TooLarge);
    }
    // What it says of itself is read before anything of it is believed, to say what is wrong with it.
    let offered: KeySet = link
        .unverified_payload()
        .and_then(|payload| serde_json::from_slice(&payload).ok())
        .ok_or(ChainRefusal::Damaged)?;
    if offered.keys.len() + offered.authorities.len() > KEYS_PER_SET_MAX {
        return Err(ChainRefusal::TooLarge);
    }
    let signed = |keys: &KeySet| Verifier::new(keys).is_ok_and(|verifier| verifier.open(link, KEYS).is_ok());
    let is_new = |id: &str| own.keys.iter().all(|key| key.id != id);
    let new_keys_signed = offered.keys.iter().filter(|key| is_new(&key.id)).all(|key| {
        let alone = KeySet { keys: vec![key.clone()], ..KeySet::default() };
        signed(&alone)
    });
    let found = Link {
        version: offered.version,
        says_the_same: offered == *own,
        is_signed_by_ours: signed(own),
        new_keys_signed,
    };
    match judge_link(own.version, found)? {
        Step::Stay => Ok(None),
        // Who believed nobody could never be told anything again.
        Step::Take if offered.keys.is_empty() || offered.authorities.is_empty() => Err(ChainRefusal::Damaged),
        Step::Take => Verifier::new(&offered).map(|_| Some(offered)).map_err(|_| ChainRefusal::Damaged),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::{DELIVERY, Signer};
    use crate::keys::TrustedAuthority;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::Ed25519KeyPair;
    use proptest::prelude::*;

    fn signer() -> Signer {
        let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Signer::from_pkcs8(der.as_ref()).unwrap()
    }
    fn set(version: u64, signers: &[&Signer]) -> KeySet {
        let authority = TrustedAuthority { fingerprint: "ab".into(), certificate: "PEM".into() };
        let keys = signers.iter().map(|signer| signer.public_key()).collect();
        KeySet { version, keys, authorities: vec![authority], ..KeySet::default() }
    }
    fn link(set: &KeySet, signers: &[&Signer]) -> Envelope {
        let mut envelope = signers[0].sign(KEYS, &serde_json::to_vec(set).unwrap());
        for signer in &signers[1..] {
            signer.also_sign(&mut envelope).unwrap();
        }
        envelope
    }
    fn chain(links: Vec<Envelope>) -> KeyChain {
        KeyChain { links, newest: 9 }
    }
    fn code(followed: &Followed) -> &'static str {
        followed.refusal.as_ref().map_or("", ChainRefusal::code)
    }

    #[test]
    fn a_chain_is_followed_from_any_of_its_sets_to_its_end() {
        let (one, two, three) = (signer(), signer(), signer());
        let sets = [set(1, &[&one]), set(2, &[&one, &two]), set(3, &[&two]), set(4, &[&two, &three])];
        let links = [link(&sets[1], &[&one, &two]), link(&sets[2], &[&two]), link(&sets[3], &[&two, &three])];
        for (at, own) in sets.iter().enumerate() {
            let followed = follow(own, &KeyChain { links: links[at..].to_vec(), newest: 4 });
            assert_eq!(followed, Followed { set: sets[3].clone(), refusal: None });
        }
    }

    #[test]
    fn a_chain_that_was_cut_at_its_end_is_told() {
        let (one, two) = (signer(), signer());
        let (first, second) = (set(1, &[&one]), set(2, &[&one, &two]));
        let cut = KeyChain { links: vec![], newest: 2 };
        assert_eq!(code(&follow(&first, &cut)), "keys_gap");
        assert_eq!(code(&follow(&second, &KeyChain { links: vec![], newest: 1 })), "keys_older");
        assert_eq!(code(&follow(&second, &cut)), "");
    }

    #[test]
    fn what_is_forged_cut_older_forked_or_too_large_is_refused_and_what_came_before_it_stands() {
        let (one, two, thief) = (signer(), signer(), signer());
        let (first, second) = (set(1, &[&one]), set(2, &[&one, &two]));
        let good = link(&second, &[&one, &two]);
        let third = set(3, &[&two]);
        let refused = |own: &KeySet, links: Vec<Envelope>| {
            let followed = follow(own, &chain(links));
            (code(&followed), followed.set.version)
        };
        assert_eq!(refused(&first, vec![link(&set(2, &[&thief]), &[&thief])]), ("keys_unsigned", 1));
        assert_eq!(refused(&first, vec![good.clone(), link(&set(3, &[&thief]), &[&thief])]), ("keys_unsigned", 2));
        assert_eq!(refused(&first, vec![link(&second, &[&one])]), ("keys_unproven", 1));
        assert_eq!(refused(&first, vec![link(&third, &[&one, &two])]), ("keys_gap", 1));
        assert_eq!(refused(&third, vec![good.clone()]), ("keys_older", 3));
        assert_eq!(refused(&second, vec![link(&set(2, &[&one]), &[&one])]), ("keys_forked", 2));
        assert_eq!(refused(&first, vec![good.clone(); KEY_LINKS_PER_ANSWER_MAX + 1]), ("keys_too_large", 1));
        let relabelled = Envelope { payload_type: DELIVERY.to_owned(), ..good.clone() };
        assert_eq!(refused(&first, vec![relabelled]), ("keys_unsigned", 1));
        let nobody = KeySet { version: 2, ..KeySet::default() };
        assert_eq!(refused(&first, vec![link(&nobody, &[&one])]), ("keys_damaged", 1));
        assert_eq!(refused(&first, vec![one.sign(KEYS, b"{}")]), ("keys_damaged", 1));
        let many: Vec<Signer> = (0..KEYS_PER_SET_MAX).map(|_| signer()).collect();
        let many = set(2, &many.iter().collect::<Vec<_>>());
        assert_eq!(refused(&first, vec![link(&many, &[&one])]), ("keys_too_large", 1));
        let mut large = second.clone();
        large.authorities[0].certificate = "x".repeat(KEY_SET_BYTES_MAX);
        assert_eq!(refused(&first, vec![link(&large, &[&one, &two])]), ("keys_too_large", 1));
    }

    proptest! {
        #[test]
        fn no_flipped_bit_leads_anywhere_else(place: prop::sample::Index, bit in 0u8..8) {
            let (one, two) = (signer(), signer());
            let (first, second) = (set(1, &[&one]), set(2, &[&one, &two]));
            let mut text = serde_json::to_vec(&link(&second, &[&one, &two])).unwrap();
            let at = place.index(text.len());
            text[at] ^= 1 << bit;
            if let Ok(damaged) = serde_json::from_slice::<Envelope>(&text) {
                let followed = follow(&first, &chain(vec![damaged]));
                prop_assert!(followed.set == first || followed.set == second);
            }
        }
    }
}
