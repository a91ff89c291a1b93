//! Whatever is published, lost on the way, cut by a crash or restored from a backup: a node comes to what is meant
//! last, and never goes back to what it has left.

use proptest::prelude::*;
use sortie_rules::desired::{Accepted, Offer, Refused, Verdict, judge};
use sortie_rules::ids::{Id, NodeId};
use uuid::Uuid;

/// What may happen.
#[derive(Debug, Clone)]
enum Happening {
    /// Somebody publishes: the generation rises.
    Publish,
    /// The agent asks, and what happens to the answer.
    Ask(Answer),
    /// An answer that somebody has kept comes again.
    Replay(usize),
    /// The hub is restored as it was so many publications ago.
    Restore(usize),
}

#[derive(Debug, Clone, Copy)]
enum Answer {
    Arrives,
    IsLost,
    /// It arrives, and the agent dies before it is on its disk.
    DiesWithTheAgent,
}

/// A generation and what it says.
type State = (u64, u64);

struct Hub {
    state: State,
    earlier: Vec<State>,
    /// In milliseconds. It is that of the machine, and no restore sets it back.
    time: u64,
}

impl Hub {
    fn publish(&mut self, says: u64) {
        self.earlier.push(self.state);
        self.state = (self.state.0 + 1, says);
    }

    /// What is newer than what the agent has accepted.
    fn answer(&self, after: u64) -> Option<State> {
        (self.state.0 > after).then_some(self.state)
    }

    /// As it was so many publications ago, and beyond every generation that it has given out since.
    fn restore(&mut self, publications: usize) {
        for _ in 0..publications {
            self.state = self.earlier.pop().unwrap_or(self.state);
        }
        self.time += 1000;
        self.state.0 = self.state.0.max(self.time);
    }
}

fn me() -> NodeId {
    Id::from_uuid(Uuid::from_u128(1))
}

fn offer(accepted: &Accepted, (generation, says): State) -> Result<Verdict, Refused> {
    judge(me(), accepted, Offer { node: me(), generation, digest: &says.to_string() })
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let answers = prop_oneof![Just(Answer::Arrives), Just(Answer::IsLost), Just(Answer::DiesWithTheAgent)];
    let one = prop_oneof![
        3 => Just(Happening::Publish),
        4 => answers.prop_map(Happening::Ask),
        2 => any::<usize>().prop_map(Happening::Replay),
        1 => (0usize..4).prop_map(Happening::Restore),
    ];
    proptest::collection::vec(one, 0..60)
}

proptest! {
    #[test]
    fn a_node_comes_to_what_is_meant_last_and_never_goes_back(happenings in happenings()) {
        let mut hub = Hub { state: (1, 0), earlier: Vec::new(), time: 1_000_000 };
        // What the agent has on its disk.
        let mut accepted = Accepted { generation: 0, digest: String::new() };
        let (mut says, mut seen): (u64, Vec<State>) = (0, Vec::new());
        for happening in happenings {
            let before = accepted.generation;
            match happening {
                Happening::Publish => {
                    says += 1;
                    hub.publish(says);
                }
                Happening::Ask(answer) => {
                    let Some(state) = hub.answer(accepted.generation) else { continue };
                    seen.push(state);
                    let verdict = offer(&accepted, state);
                    prop_assert_eq!(verdict, Ok(Verdict::Take), "what the hub answers is always taken");
                    if matches!(answer, Answer::Arrives) {
                        accepted = Accepted { generation: state.0, digest: state.1.to_string() };
                    }
                }
                Happening::Replay(which) => {
                    if let Some(state) = seen.get(which % seen.len().max(1))
                        && offer(&accepted, *state) == Ok(Verdict::Take)
                    {
                        accepted = Accepted { generation: state.0, digest: state.1.to_string() };
                    }
                }
                Happening::Restore(publications) => hub.restore(publications),
            }
            prop_assert!(accepted.generation >= before);
        }
        // The line holds from now on: one question, and the node is what it should be.
        if let Some(state) = hub.answer(accepted.generation) {
            prop_assert_eq!(offer(&accepted, state), Ok(Verdict::Take));
            accepted = Accepted { generation: state.0, digest: state.1.to_string() };
        }
        prop_assert_eq!(accepted, Accepted { generation: hub.state.0, digest: hub.state.1.to_string() });
    }
}
