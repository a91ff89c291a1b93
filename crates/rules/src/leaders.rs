//! Who of several hubs on one database does what needs doing once. The one that does counts a beat up; the others
//! watch it, each by its own stopwatch, so that no clocks need agree. Whoever can also holds a lock in the database
//! that ends with its connection, and says so in the name under which it leads: where that lock is free, nobody waits
//! for the beat to lapse. A lock that is held proves nothing, and then the beat alone counts.
//!
//! Two leaders at once for a moment do no harm: what they do is the same when it is done twice. The duty itself is in
//! one row, which changes hands only from the beat that was seen.

use crate::limits::LEADER_LAPSE;
use crate::time::Span;

/// What stands behind a name whose hub holds a lock.
const GUARDED: &str = "+lock";

/// The name under which a hub leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HolderName<'s> {
    /// A name of this start of the hub.
    pub own: &'s str,
    /// Whether it holds a lock that ends with it.
    pub guarded: bool,
}

impl<'s> HolderName<'s> {
    /// Reads it back. A hub that knows no locks writes its own name alone.
    pub fn parse(text: &'s str) -> HolderName<'s> {
        match text.strip_suffix(GUARDED) {
            Some(own) => HolderName { own, guarded: true },
            None => HolderName { own: text, guarded: false },
        }
    }

    /// As it is written.
    pub fn text(self) -> String {
        format!("{}{}", self.own, if self.guarded { GUARDED } else { "" })
    }
}

/// The number of the lock that a hub with this name holds; none for a name that no hub of today has.
pub fn lock_of(own: &str) -> Option<i64> {
    let digits = own.len() == 16 && own.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = digits.then(|| u64::from_str_radix(own, 16).ok()).flatten()?;
    Some(i64::from_ne_bytes(number.to_ne_bytes()))
}

/// What a hub saw of a duty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen<'s> {
    /// Who holds it.
    pub holder: HolderName<'s>,
    /// For how long this hub has seen the same beat of the same holder.
    pub unchanged_for: Span,
    /// Whether the holder's lock is free.
    pub lock_is_free: bool,
}

/// What it does about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Takes it, or keeps it: another beat.
    Take,
    /// Somebody else has it, and may live.
    Wait,
}

/// Decides. `own` is a name of this start of this hub.
pub fn look(own: &str, seen: Option<Seen<'_>>) -> Look {
    let Some(seen) = seen else { return Look::Take };
    let has_gone = seen.holder.guarded && seen.lock_is_free;
    match seen.holder.own == own || has_gone || seen.unchanged_for >= LEADER_LAPSE {
        true => Look::Take,
        false => Look::Wait,
    }
}

/// A beat with which a hub leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beat {
    /// How long ago it was begun.
    pub age: Span,
    /// Whether it was made in the name of one who holds a lock.
    pub guarded: bool,
}

/// Whether a hub leads still. One whose beat said that it holds a lock leads no more when the lock has gone: others may
/// have seen that, and lead.
pub fn leads(beat: Option<Beat>, holds_lock: bool) -> bool {
    beat.is_some_and(|beat| beat.age < Span(LEADER_LAPSE.0 / 2) && (holds_lock || !beat.guarded))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "00000000000000a1";
    const OTHER: &str = "ffffffffffffffff";

    fn seen(text: &str, unchanged_for: Span, lock_is_free: bool) -> Option<Seen<'_>> {
        Some(Seen { holder: HolderName::parse(text), unchanged_for, lock_is_free })
    }

    #[test]
    fn a_duty_is_kept_and_taken_only_from_nobody_or_from_whoever_has_stopped_beating() {
        let almost = Span(LEADER_LAPSE.0 - 1);
        assert_eq!(look(ONE, None), Look::Take);
        // Without a lock that one says it holds, it proves nothing that it is free.
        for is_free in [false, true] {
            for own in [Span::ZERO, LEADER_LAPSE] {
                assert_eq!(look(ONE, seen(ONE, own, is_free)), Look::Take);
            }
            assert_eq!(look(OTHER, seen(ONE, Span::ZERO, is_free)), Look::Wait);
            assert_eq!(look(OTHER, seen(ONE, almost, is_free)), Look::Wait);
            assert_eq!(look(OTHER, seen(ONE, LEADER_LAPSE, is_free)), Look::Take);
        }
    }

    #[test]
    fn whoever_said_that_it_holds_a_lock_and_does_not_has_gone() {
        let name = HolderName { own: ONE, guarded: true }.text();
        assert_eq!(look(OTHER, seen(&name, Span::ZERO, true)), Look::Take);
        assert_eq!(look(OTHER, seen(&name, Span::ZERO, false)), Look::Wait, "it may live, or be cut off");
        assert_eq!(look(OTHER, seen(&name, LEADER_LAPSE, false)), Look::Take, "a lock that is held proves nothing");
        assert_eq!(look(ONE, seen(&name, Span::ZERO, false)), Look::Take, "it is one's own");
    }

    #[test]
    fn a_leader_that_has_lost_its_lock_leads_no_more_and_one_that_never_had_it_leads_by_its_beat() {
        let beat = |age, guarded| Some(Beat { age, guarded });
        let half = Span(LEADER_LAPSE.0 / 2);
        assert!(!leads(None, true));
        assert!(leads(beat(Span::ZERO, true), true));
        assert!(!leads(beat(Span::ZERO, true), false));
        assert!(leads(beat(Span::ZERO, false), false));
        for (guarded, holds) in [(true, true), (false, false), (false, true)] {
            assert!(leads(beat(Span(half.0 - 1), guarded), holds));
            assert!(!leads(beat(half, guarded), holds));
        }
    }

    #[test]
    fn names_are_read_back_and_each_has_its_own_lock() {
        for guarded in [true, false] {
            let name = HolderName { own: ONE, guarded };
            assert_eq!(HolderName::parse(&name.text()), name);
        }
        assert_eq!((lock_of(ONE), lock_of(OTHER)), (Some(0xa1), Some(-1)));
        for strange in ["", "hub", "00000000000000g1", "+0000000000000a1", "00000000000000a10"] {
            assert_eq!(lock_of(strange), None, "{strange}");
        }
    }

    /// Two hubs through every order of what can happen to them: the row changes hands only from the beat that was seen,
    /// and a hub that has died while it held its lock is followed at the very next look.
    #[test]
    fn in_every_order_of_deaths_and_lost_locks_the_duty_has_one_holder_and_the_dead_are_followed_at_once() {
        #[derive(Clone, Copy, Default)]
        struct Hub {
            dead: bool,
            locked: bool,
        }
        #[derive(Clone, Copy)]
        enum Step {
            Beat(usize),
            Lock(usize),
            LoseLock(usize),
            Die(usize),
        }
        let steps = [0, 1].map(|hub| [Step::Beat(hub), Step::Lock(hub), Step::LoseLock(hub), Step::Die(hub)]).concat();
        let names = [ONE, OTHER];
        let number = |own: &str| names.iter().position(|name| *name == own).expect("there are two");
        let mut orders = vec![(vec![Hub::default(); 2], None::<String>)];
        for _ in 0..6 {
            let before = std::mem::take(&mut orders);
            for ((hubs, row), step) in before.iter().flat_map(|world| steps.iter().map(move |step| (world, *step))) {
                let (mut hubs, mut row) = (hubs.clone(), row.clone());
                match step {
                    Step::Lock(at) => hubs[at].locked = !hubs[at].dead,
                    Step::LoseLock(at) => hubs[at].locked = false,
                    // The database drops the lock with the connection.
                    Step::Die(at) => hubs[at] = Hub { dead: true, locked: false },
                    Step::Beat(at) if hubs[at].dead => {}
                    Step::Beat(at) => {
                        let holder = row.as_deref().map(HolderName::parse);
                        let seen = holder.map(|holder| Seen {
                            holder,
                            unchanged_for: Span::ZERO,
                            lock_is_free: !hubs[number(holder.own)].locked,
                        });
                        let said_and_gone = holder.is_some_and(|holder| {
                            holder.guarded && hubs[number(holder.own)].dead && !hubs[number(holder.own)].locked
                        });
                        let look = look(names[at], seen);
                        assert!(!said_and_gone || look == Look::Take, "the dead are followed at once");
                        let other_is_well =
                            holder.is_some_and(|holder| number(holder.own) != at && hubs[number(holder.own)].locked);
                        assert!(!other_is_well || look == Look::Wait, "who holds its lock is left alone");
                        if look == Look::Take {
                            row = Some(HolderName { own: names[at], guarded: hubs[at].locked }.text());
                        }
                    }
                }
                orders.push((hubs, row));
            }
        }
        assert_eq!(orders.len(), 8_usize.pow(6));
    }
}
