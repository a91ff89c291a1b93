//! What a chain of sets changes in whom a site believes. It may come from anybody: nothing of it counts that
//! the set which stands, or the fingerprint that was given, does not vouch for.

use sortie_wire::envelope::Envelope;
use sortie_wire::operators::{NotBelieved, OperatorChain, Operators, fingerprint_of};

use super::known::{Believed, Known};

/// Why a chain changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// It ends with a set that was left behind.
    #[error(
        "version {stands} of the operators stands here already, and these are of version {given}; if you mean to go \
         back, say so with --replace"
    )]
    Older {
        /// The version that stands.
        stands: u64,
        /// The version that was given.
        given: u64,
    },
    /// It does not lead on from the set that stands.
    #[error(
        "these operators do not follow those who stand here (version {stands}, fingerprint {fingerprint}): {why}; if \
         you know by another way that they are right, say so with --replace"
    )]
    Elsewhere {
        /// The version that stands.
        stands: u64,
        /// Its fingerprint.
        fingerprint: String,
        /// What does not fit.
        why: NotBelieved,
    },
    /// The set for which the site waits is not among them.
    #[error(
        "this site was told to wait for the set of operators with the fingerprint {0}, and none of these sets has it; \
         if you know by another way that these are right, say so with --replace"
    )]
    NotAwaited(String),
    /// They do not follow one another.
    #[error(transparent)]
    NotBelieved(#[from] NotBelieved),
}

/// What is believed with this chain, if that is more than before.
pub(crate) fn follow(known: &Known, chain: &OperatorChain) -> Result<Option<Believed>, NotTaken> {
    match known {
        Known::Nobody => Ok(Some(Believed { operators: Operators::of(chain)?, links: chain.links.clone() })),
        Known::Pinned(fingerprint) => {
            let at = place_of(&chain.links, fingerprint);
            let at = at.ok_or_else(|| NotTaken::NotAwaited(fingerprint.clone()))?;
            let first = Operators::pinned(&chain.links[at], fingerprint)?;
            let operators = lead_on(first, &chain.links[at + 1..])?;
            Ok(Some(Believed { operators, links: chain.links[at..].to_vec() }))
        }
        Known::Set(believed) => further(believed, &chain.links),
    }
}

fn further(believed: &Believed, links: &[Envelope]) -> Result<Option<Believed>, NotTaken> {
    let (stands, fingerprint) = (believed.operators.set().version, believed.operators.fingerprint());
    let rest = match place_of(links, fingerprint) {
        Some(at) => &links[at + 1..],
        None => {
            let last = links.last().and_then(fingerprint_of);
            if let Some(at) = last.and_then(|last| place_of(&believed.links, &last)) {
                let behind = (believed.links.len() - 1 - at) as u64;
                return Err(NotTaken::Older { stands, given: stands - behind });
            }
            links
        }
    };
    if rest.is_empty() {
        return Ok(None);
    }
    let operators = lead_on(believed.operators.clone(), rest).map_err(|why| NotTaken::Elsewhere {
        stands,
        fingerprint: fingerprint.to_owned(),
        why,
    })?;
    Ok(Some(Believed { operators, links: believed.links.iter().chain(rest).cloned().collect() }))
}

fn lead_on(from: Operators, links: &[Envelope]) -> Result<Operators, NotBelieved> {
    links.iter().try_fold(from, |operators, link| operators.follow(link))
}

fn place_of(links: &[Envelope], fingerprint: &str) -> Option<usize> {
    links.iter().position(|link| fingerprint_of(link).is_some_and(|found| found == fingerprint))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::tests::{Hand, chain, fingerprint, set};

    fn believe(known: &Known, links: &[&Envelope]) -> Known {
        Known::Set(Box::new(follow(known, &chain(links)).unwrap().unwrap()))
    }

    #[test]
    fn a_site_goes_on_from_what_it_believes_and_from_nothing_else() {
        let (ada, bob, eve) = (Hand::new(1), Hand::new(2), Hand::new(3));
        let first = set(1, 1, &[&ada], &[&ada]);
        let second = set(2, 1, &[&ada, &bob], &[&ada]);
        let third = set(3, 2, &[&bob, &ada], &[&bob]);
        let known = believe(&Known::Nobody, &[&first]);
        assert_eq!(follow(&known, &chain(&[&first])), Ok(None));
        assert_eq!(follow(&known, &chain(&[])), Ok(None));
        // The whole chain, or what follows alone.
        for links in [vec![&first, &second, &third], vec![&second, &third]] {
            assert_eq!(believe(&known, &links).version(), 3);
        }
        let known = believe(&known, &[&second]);
        assert_eq!(follow(&known, &chain(&[&first])), Err(NotTaken::Older { stands: 2, given: 1 }));
        // A fork, a set that skips one, and one that a stranger signed.
        let fork = set(2, 1, &[&eve], &[&ada]);
        for links in
            [vec![&first, &fork], vec![&fork], vec![&set(4, 1, &[&eve], &[&ada])], vec![&set(3, 1, &[&eve], &[&eve])]]
        {
            assert!(matches!(follow(&known, &chain(&links)), Err(NotTaken::Elsewhere { stands: 2, .. })), "{links:?}");
        }
        // Nothing is taken of a chain that goes astray later.
        assert!(follow(&known, &chain(&[&third, &set(4, 1, &[&eve], &[&eve])])).is_err());
    }

    #[test]
    fn a_fingerprint_counts_wherever_its_set_stands_in_the_chain() {
        let (ada, bob) = (Hand::new(1), Hand::new(2));
        let first = set(1, 1, &[&ada], &[&ada]);
        let second = set(2, 1, &[&bob], &[&ada]);
        let third = set(3, 1, &[&ada], &[&bob]);
        let pinned = Known::Pinned(fingerprint(&second));
        assert_eq!(believe(&pinned, &[&first, &second, &third]).version(), 3);
        assert_eq!(believe(&pinned, &[&second]).version(), 2);
        assert!(matches!(follow(&pinned, &chain(&[&first])), Err(NotTaken::NotAwaited(_))));
    }
}
