//! Remembers failed sign-ins, by account and by address, and says who has to wait. In memory and by each hub
//! for itself: what is lost with a restart is a minute.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sortie_rules::addresses::counted_as;
use sortie_rules::limits::{FAILURES_FREE_PER_ACCOUNT, FAILURES_FREE_PER_ADDRESS};
use sortie_rules::passwords::Failures;
use sortie_rules::time::{Millis, Span};

/// Most names and addresses that are remembered.
const REMEMBERED_MAX: usize = 20_000;

/// Whose failures are counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Whose {
    /// Those of an account, whether or not there is one of this name.
    Account(String),
    /// Those from an address; of IPv6 the network that one customer has.
    Address(IpAddr),
}

/// The failures of all.
#[derive(Debug, Default)]
pub(crate) struct Slowing(Mutex<HashMap<Whose, Failures>>);

impl Slowing {
    /// Lets a try begin, or says how long it has to wait. A try counts as a failure until it has succeeded, so
    /// that many at once are no way around.
    pub(super) fn begin(&self, name: &str, address: IpAddr, now: Millis) -> Result<(), Span> {
        let mut all = self.all();
        let whose = [
            (Whose::Account(name.to_lowercase()), FAILURES_FREE_PER_ACCOUNT),
            (Whose::Address(counted_as(address)), FAILURES_FREE_PER_ADDRESS),
        ];
        let wait = |(whose, free): &(Whose, u32)| all.get(whose).and_then(|failures| failures.wait(*free, now));
        if let Some(wait) = whose.iter().filter_map(wait).max() {
            return Err(wait);
        }
        if all.len() + whose.len() > REMEMBERED_MAX {
            all.retain(|_, failures| !failures.is_forgotten(now));
            // Still as many: a flood from everywhere. Forgetting it all is better than growing without end.
            if all.len() + whose.len() > REMEMBERED_MAX {
                all.clear();
            }
        }
        for (whose, _) in whose {
            let failures = all.entry(whose).or_default();
            *failures = failures.and_one(now);
        }
        Ok(())
    }

    /// The try was not looked at, and counts for nothing.
    pub(super) fn take_back(&self, name: &str, address: IpAddr) {
        let mut all = self.all();
        for whose in [Whose::Account(name.to_lowercase()), Whose::Address(counted_as(address))] {
            if let Some(failures) = all.get_mut(&whose) {
                *failures = failures.less_one();
            }
        }
    }

    /// The try succeeded: the account's failures are forgotten, and this one of the address.
    pub(super) fn succeeded(&self, name: &str, address: IpAddr) {
        let mut all = self.all();
        all.remove(&Whose::Account(name.to_lowercase()));
        if let Some(failures) = all.get_mut(&Whose::Address(counted_as(address))) {
            *failures = failures.less_one();
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<Whose, Failures>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_800_000_000_000);

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_account_is_slowed_wherever_the_tries_come_from() {
        let slowing = Slowing::default();
        for number in 0..FAILURES_FREE_PER_ACCOUNT {
            assert_eq!(slowing.begin("Anna", address(&format!("192.0.2.{number}")), NOW), Ok(()));
        }
        assert!(slowing.begin("anna", address("192.0.2.99"), NOW).is_err());
        assert_eq!(slowing.begin("bela", address("192.0.2.99"), NOW), Ok(()));
    }

    #[test]
    fn an_address_is_slowed_whatever_name_is_tried() {
        let slowing = Slowing::default();
        for number in 0..FAILURES_FREE_PER_ADDRESS {
            assert_eq!(slowing.begin(&format!("name{number}"), address("2001:db8::1"), NOW), Ok(()));
        }
        assert!(slowing.begin("other", address("2001:db8::2"), NOW).is_err(), "the same network");
        assert_eq!(slowing.begin("other", address("2001:db8:0:1::2"), NOW), Ok(()));
    }

    #[test]
    fn whoever_succeeds_was_never_slow() {
        let slowing = Slowing::default();
        for _ in 0..100 {
            assert_eq!(slowing.begin("anna", address("192.0.2.1"), NOW), Ok(()));
            slowing.succeeded("anna", address("192.0.2.1"));
        }
    }

    #[test]
    fn a_try_that_was_not_looked_at_counts_for_nothing() {
        let slowing = Slowing::default();
        for _ in 0..100 {
            assert_eq!(slowing.begin("anna", address("192.0.2.1"), NOW), Ok(()));
            slowing.take_back("anna", address("192.0.2.1"));
        }
        for _ in 0..FAILURES_FREE_PER_ACCOUNT {
            assert_eq!(slowing.begin("anna", address("192.0.2.1"), NOW), Ok(()));
        }
        assert!(slowing.begin("anna", address("192.0.2.1"), NOW).is_err(), "and those that were looked at do count");
    }

    #[test]
    fn a_flood_of_names_does_not_grow_without_end() {
        let slowing = Slowing::default();
        for number in 0..u32::try_from(REMEMBERED_MAX).unwrap() {
            let _ = slowing.begin(&format!("name{number}"), IpAddr::V4(number.into()), NOW);
        }
        assert!(slowing.all().len() <= REMEMBERED_MAX);
    }
}
