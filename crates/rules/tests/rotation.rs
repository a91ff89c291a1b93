//! A hub whose keys rotate, agents that sleep and wake, thieves and liars: in whatever order things happen,
//! an agent whose key set is in the chain comes to its end, and nobody without a key of the chain moves anyone.

use std::collections::BTreeSet;

use proptest::prelude::*;
use sortie_rules::rotation::{Link, NodeKeys, Ring, Step, What, judge_link};
use sortie_rules::time::Millis;

/// A key set as the model knows it: which keys it believes and who signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Set {
    version: u64,
    keys: BTreeSet<String>,
    signed_by: BTreeSet<String>,
}

/// What can happen.
#[derive(Debug, Clone)]
enum Act {
    Rotate {
        authority: bool,
        at_once: bool,
    },
    Begin,
    Finish {
        force: bool,
    },
    /// An agent walks so many links of the chain, and its write may be lost to a crash.
    Walk {
        agent: usize,
        links: usize,
        crashes: bool,
    },
    /// Somebody offers an agent a set signed by a key of their own.
    Forge {
        agent: usize,
        ahead: u64,
        claims_ours: bool,
    },
    /// Somebody offers an agent an old or a later set of the true chain.
    Replay {
        agent: usize,
        at: usize,
    },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (any::<bool>(), any::<bool>()).prop_map(|(authority, at_once)| Act::Rotate { authority, at_once }),
        2 => Just(Act::Begin),
        3 => any::<bool>().prop_map(|force| Act::Finish { force }),
        6 => (0..AGENTS, 0usize..4, any::<bool>())
            .prop_map(|(agent, links, crashes)| Act::Walk { agent, links, crashes }),
        2 => (0..AGENTS, 0u64..3, any::<bool>())
            .prop_map(|(agent, ahead, claims_ours)| Act::Forge { agent, ahead, claims_ours }),
        2 => (0..AGENTS, 0usize..12).prop_map(|(agent, at)| Act::Replay { agent, at }),
    ]
}

const AGENTS: usize = 3;

fn believed(ring: &Ring) -> BTreeSet<String> {
    ring.of(What::Delivery).map(|member| member.id.clone()).collect()
}

fn look(own: &Set, offered: &Set) -> Link {
    let ours = offered.signed_by.intersection(&own.keys).next().is_some();
    let new_keys_signed = offered.keys.difference(&own.keys).all(|key| offered.signed_by.contains(key));
    let says_the_same = own.keys == offered.keys;
    Link { version: offered.version, says_the_same, is_signed_by_ours: ours, new_keys_signed }
}

/// The set at hand after a link was offered.
fn offer(own: &Set, offered: &Set) -> Set {
    match judge_link(own.version, look(own, offered)) {
        Ok(Step::Take) => offered.clone(),
        Ok(Step::Stay) | Err(_) => own.clone(),
    }
}

/// The chain with the link that leads to the next ring, signed by what signs now and by what is new.
fn extend(chain: &mut Vec<Set>, before: &Ring, after: &Ring) {
    if after.version == before.version {
        assert_eq!(believed(before), believed(after), "who is believed changes with the version only");
        return;
    }
    assert_eq!(after.version, before.version + 1);
    let signer = before.current(What::Delivery).expect("something signs").id.clone();
    let new = believed(after).difference(&believed(before)).cloned().collect::<BTreeSet<_>>();
    let signed_by = new.into_iter().chain([signer]).collect();
    chain.push(Set { version: after.version, keys: believed(after), signed_by });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn whoever_is_in_the_chain_comes_to_its_end_and_nobody_else_moves_anyone(
        acts in proptest::collection::vec(act(), 1..60),
    ) {
        let mut ring = Ring::first("d1", "a1", Millis(0));
        let first = Set { version: 1, keys: believed(&ring), signed_by: believed(&ring) };
        let mut chain = vec![first.clone()];
        let mut agents = vec![first; AGENTS];
        for (moment, act) in acts.into_iter().enumerate() {
            let now = Millis(i64::try_from(moment).unwrap());
            let before = ring.clone();
            match act {
                Act::Rotate { authority, at_once } => {
                    let (what, letter) = if authority { (What::Authority, 'a') } else { (What::Delivery, 'd') };
                    if let Ok(next) = ring.introduce(what, &format!("{letter}{}", moment + 2), at_once, now) {
                        ring = next;
                    }
                }
                Act::Begin => ring = ring.begin(now),
                Act::Finish { force } => {
                    let lags = |agent: &Set| {
                        ring.needed() > agent.version
                            || ring.lag(NodeKeys { version: agent.version, issued_by: "a1" }).is_some()
                    };
                    let lagging = agents.iter().filter(|agent| lags(agent)).count() as u64;
                    if let Ok(next) = ring.finish(lagging, force, now) {
                        if !force {
                            let used = &next.current(What::Delivery).unwrap().id;
                            for agent in &agents {
                                prop_assert!(lagging == 0 || ring.is_settled());
                                prop_assert!(agent.keys.contains(used) || ring.is_settled());
                            }
                        }
                        ring = next;
                    }
                }
                Act::Walk { agent, links, crashes } => {
                    let mut walked = agents[agent].clone();
                    for link in chain.iter().filter(|link| link.version > agents[agent].version).take(links) {
                        walked = offer(&walked, link);
                    }
                    // The write is whole or it is not there.
                    if !crashes {
                        agents[agent] = walked;
                    }
                }
                Act::Forge { agent, ahead, claims_ours } => {
                    let own = agents[agent].clone();
                    let mut keys = BTreeSet::from(["thief".to_owned()]);
                    if claims_ours {
                        keys.extend(own.keys.iter().cloned());
                    }
                    let signed_by = BTreeSet::from(["thief".to_owned()]);
                    let forged = Set { version: own.version + ahead, keys, signed_by };
                    prop_assert_eq!(offer(&own, &forged), own);
                }
                Act::Replay { agent, at } => {
                    let own = agents[agent].clone();
                    let after = offer(&own, &chain[at % chain.len()]);
                    prop_assert!(after.version >= own.version, "nobody goes back");
                    agents[agent] = after;
                }
            }
            extend(&mut chain, &before, &ring);
            prop_assert!(ring.current(What::Delivery).is_some() && ring.current(What::Authority).is_some());
        }
        for mut agent in agents {
            prop_assert!(chain.contains(&agent), "each is in the chain");
            for link in chain.iter().filter(|link| link.version > agent.version).cloned().collect::<Vec<_>>() {
                agent = offer(&agent, &link);
            }
            prop_assert_eq!(&agent, chain.last().unwrap(), "each comes to its end");
        }
    }
}
