//! How many requests each caller has left: so many a second for whoever has proved who they are, and so many for
//! each address of those who have not. Agents with a certificate have far more than they need; those that come with
//! assertions have what people have, since each assertion is kept for a while. What a node makes the hub write down
//! of it (its clock, its keys, new certificates) is counted by the minute.
//!
//! Once an address has sent too many, a proof from there is only looked at if it has held before, so that a flood
//! of made-up ones neither costs a query each nor shuts out those who come from the same place.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, Hash, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use axum::extract::Request;
use sortie_rules::access::Need;
use sortie_rules::addresses::counted_as;
use sortie_rules::ids::NodeId;
use sortie_rules::limits::{
    CALLERS_COUNTED_MAX, NODE_EVENT_REQUESTS_BURST, NODE_NOTES_BURST, NODE_REQUESTS_BURST, NODE_REQUESTS_PER_SECOND,
    PROOFS_REMEMBERED_MAX,
};
use sortie_rules::rates::{Bucket, Rate, retry_after_seconds};
use sortie_rules::time::{Millis, Span};
use sortie_wire::assertions::SCHEME;
use sortie_wire::problem::ProblemCode;

use crate::fault::{Fault, refuse_for};
use crate::identity::Peer;
use crate::settings::Limits;

/// Where requests may bring a proof.
const PROOFS: [&str; 3] = ["authorization", "cookie", "x-api-key"];

/// How many requests each caller has left.
#[derive(Debug)]
pub(crate) struct Rates {
    principals: Buckets<Arc<str>>,
    addresses: Buckets<IpAddr>,
    nodes: Buckets<NodeId>,
    /// Filled by the minute, as is the next.
    notes: Buckets<NodeId>,
    events: Buckets<NodeId>,
    held: RwLock<HashSet<u64>>,
    /// Keyed by chance: what is remembered tells nothing of a proof, and no other can be made to fit it.
    hasher: RandomState,
}

/// A request, as far as it matters here.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asks {
    address: Option<IpAddr>,
    has_certificate: bool,
    /// What it brings, unless that is nothing.
    proof: Option<u64>,
}

/// What of a proof is the same from one request to the next. An assertion is another each time; its beginning
/// names the key, and to look at the signature of one whose key has held costs no query.
fn lasting(proof: &[u8]) -> &[u8] {
    let is_assertion = proof.get(..SCHEME.len()).is_some_and(|word| word.eq_ignore_ascii_case(SCHEME.as_bytes()));
    match proof.iter().position(|byte| *byte == b'.').filter(|_| is_assertion) {
        Some(end) => &proof[..end],
        None => proof,
    }
}

impl Rates {
    /// Nobody has asked yet.
    pub(crate) fn new(limits: &Limits) -> Rates {
        let rate = |per_second, burst| Rate { per_second, burst };
        Rates {
            principals: Buckets::new(rate(limits.requests_per_principal, limits.requests_per_principal_burst)),
            addresses: Buckets::new(rate(limits.requests_per_address, limits.requests_per_address_burst)),
            nodes: Buckets::without_end(rate(NODE_REQUESTS_PER_SECOND, NODE_REQUESTS_BURST)),
            notes: Buckets::without_end(rate(1, NODE_NOTES_BURST)),
            events: Buckets::without_end(rate(1, NODE_EVENT_REQUESTS_BURST)),
            held: RwLock::default(),
            hasher: RandomState::new(),
        }
    }

    /// What a request brings.
    pub(super) fn asks(&self, request: &Request) -> Asks {
        let peer = request.extensions().get::<Arc<Peer>>();
        let proofs = PROOFS.map(|name| request.headers().get(name).map(|value| lasting(value.as_bytes())));
        Asks {
            address: peer.map(|peer| counted_as(peer.address)),
            has_certificate: peer.is_some_and(|peer| peer.node.is_some()),
            proof: proofs.iter().any(Option::is_some).then(|| self.hasher.hash_one(proofs)),
        }
    }

    /// Whether a request is looked at: not if too many came from its address, and it brings nothing that has
    /// held before.
    pub(super) fn comes(&self, asks: &Asks, now: Millis) -> Result<(), Fault> {
        let Some(address) = asks.address.filter(|_| !asks.has_certificate) else { return Ok(()) };
        let wait = self.addresses.wait(&address, now);
        if wait == Span::ZERO || self.has_held(asks) { Ok(()) } else { Err(too_many(Whose::Address, wait)) }
    }

    /// Counts a request for its address, unless it proved who asks.
    pub(super) fn came(
        &self,
        asks: &Asks,
        need: Need,
        admitted: Result<Request, Fault>,
        now: Millis,
    ) -> Result<Request, Fault> {
        let is_free = match &admitted {
            Ok(_) => need != Need::Nobody || asks.has_certificate,
            Err(fault) => match fault.to_problem().status {
                // Counted already, or no fault of the caller's.
                429 | 500.. => true,
                401 => false,
                403 => fault.to_problem().code == ProblemCode::Forbidden && matches!(need, Need::May(_)),
                _ => matches!(need, Need::May(_)),
            },
        };
        if is_free {
            if admitted.is_ok() && need != Need::Nobody {
                self.remember(asks);
            }
            return admitted;
        }
        let taken = asks.address.map_or(Ok(()), |address| self.addresses.take(address, now));
        taken.map_err(|wait| too_many(Whose::Address, wait))?;
        admitted
    }

    /// Counts a request for whoever has proved who they are.
    pub(super) fn of_principal(&self, key: &Arc<str>, now: Millis) -> Result<(), Fault> {
        self.principals.take(Arc::clone(key), now).map_err(|wait| too_many(Whose::Principal, wait))
    }

    /// Counts a request of a node that came with its certificate.
    pub(super) fn of_node(&self, node: NodeId, now: Millis) -> Result<(), Fault> {
        self.nodes.take(node, now).map_err(|wait| too_many(Whose::Principal, wait))
    }

    /// Whether something may be written down of a node now; else how long until then.
    pub(crate) fn note_of_node(&self, node: NodeId, now: Millis) -> Result<(), Span> {
        self.notes.take(node, by_the_minute(now)).map_err(|wait| Span(wait.0.saturating_mul(60)))
    }

    /// Counts a request of a node that tells events.
    pub(crate) fn events_of_node(&self, node: NodeId, now: Millis) -> Result<(), Fault> {
        let taken = self.events.take(node, by_the_minute(now));
        taken.map_err(|wait| too_many(Whose::Principal, Span(wait.0.saturating_mul(60))))
    }

    /// Forgets callers who have not been there lately.
    pub(crate) fn tidy(&self, now: Millis) {
        self.principals.tidy(now);
        self.addresses.tidy(now);
        self.nodes.tidy(now);
        self.notes.tidy(by_the_minute(now));
        self.events.tidy(by_the_minute(now));
    }

    fn has_held(&self, asks: &Asks) -> bool {
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        asks.proof.is_some_and(|proof| held.contains(&proof))
    }

    fn remember(&self, asks: &Asks) {
        let Some(proof) = asks.proof.filter(|_| self.addresses.rate.is_limited() && !self.has_held(asks)) else {
            return;
        };
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        if held.len() >= PROOFS_REMEMBERED_MAX {
            held.clear();
        }
        held.insert(proof);
    }
}

/// A time in which a second is a minute, for buckets that fill by the minute.
fn by_the_minute(now: Millis) -> Millis {
    Millis(now.0 / 60)
}

/// Whose requests were too many.
#[derive(Debug, Clone, Copy)]
enum Whose {
    Principal,
    Address,
}

fn too_many(whose: Whose, wait: Span) -> Fault {
    let seconds = retry_after_seconds(wait);
    let (limit, detail) = match whose {
        Whose::Principal => ("principal", format!("You have sent too many requests; go on after {seconds} s.")),
        Whose::Address => {
            let detail = format!(
                "Too many requests from this address brought no proof that holds; come back after {seconds} s."
            );
            ("address", detail)
        }
    };
    metrics::counter!("sortie_requests_refused_total", "limit" => limit).increment(1);
    refuse_for(wait, ProblemCode::RateLimited, detail)
}

/// The buckets of callers of one kind.
#[derive(Debug)]
struct Buckets<K> {
    rate: Rate,
    /// Most callers that are counted apart.
    max: usize,
    counted: Mutex<Counted<K>>,
}

#[derive(Debug)]
struct Counted<K> {
    by_caller: HashMap<K, Bucket>,
    /// That of all those for whom there was no more room.
    others: Option<Bucket>,
}

impl<K: Hash + Eq> Buckets<K> {
    fn new(rate: Rate) -> Buckets<K> {
        Buckets { max: CALLERS_COUNTED_MAX, ..Buckets::without_end(rate) }
    }

    /// For callers of whom there are only as many as were let in.
    fn without_end(rate: Rate) -> Buckets<K> {
        let counted = Counted { by_caller: HashMap::new(), others: None };
        Buckets { rate, max: usize::MAX, counted: Mutex::new(counted) }
    }

    /// Takes one request of a caller's, or says how long until there is one.
    fn take(&self, caller: K, now: Millis) -> Result<(), Span> {
        if !self.rate.is_limited() {
            return Ok(());
        }
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = counted.by_caller.len() >= self.max;
        let bucket = if is_full && !counted.by_caller.contains_key(&caller) {
            counted.others.get_or_insert(Bucket::full(self.rate, now))
        } else {
            counted.by_caller.entry(caller).or_insert(Bucket::full(self.rate, now))
        };
        let (left, taken) = bucket.take(self.rate, now);
        *bucket = left;
        taken
    }

    /// How long until there is a request of this caller's; zero if there is one.
    fn wait(&self, caller: &K, now: Millis) -> Span {
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = counted.by_caller.len() >= self.max;
        let bucket = counted.by_caller.get(caller).or(counted.others.as_ref().filter(|_| is_full));
        bucket.map_or(Span::ZERO, |bucket| bucket.wait(self.rate, now))
    }

    /// Forgets those whose bucket is full again.
    fn tidy(&self, now: Millis) {
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.by_caller.retain(|_, bucket| !bucket.is_full(self.rate, now));
        counted.by_caller.shrink_to(CALLERS_COUNTED_MAX / 100);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_790_000_000_000);

    #[test]
    fn callers_are_counted_apart_and_forgotten_when_they_have_been_away() {
        let buckets = Buckets::new(Rate { per_second: 1, burst: 2 });
        for caller in ["one", "other"] {
            assert_eq!([(); 3].map(|()| buckets.take(caller, NOW)), [Ok(()), Ok(()), Err(Span::seconds(1))]);
            assert_eq!(buckets.wait(&caller, NOW), Span::seconds(1));
        }
        assert_eq!(buckets.wait(&"third", NOW), Span::ZERO);
        buckets.tidy(NOW + Span(1999));
        assert_eq!(buckets.counted.lock().unwrap().by_caller.len(), 2);
        buckets.tidy(NOW + Span::seconds(2));
        assert!(buckets.counted.lock().unwrap().by_caller.is_empty());
    }

    #[test]
    fn what_a_node_has_the_hub_write_down_is_counted_by_the_minute() {
        let (rates, node) = (Rates::new(&Limits::default()), sortie_rules::ids::Id::from_uuid(uuid::Uuid::nil()));
        for _ in 0..NODE_NOTES_BURST {
            assert_eq!(rates.note_of_node(node, NOW), Ok(()));
        }
        let wait = rates.note_of_node(node, NOW).unwrap_err();
        assert!(wait > Span::seconds(59) && wait <= Span::minutes(1), "{wait:?}");
        assert_eq!(rates.note_of_node(node, NOW + Span::minutes(1) + Span::seconds(1)), Ok(()));
        for _ in 0..NODE_EVENT_REQUESTS_BURST {
            rates.events_of_node(node, NOW).expect("it has some left");
        }
        let refused = rates.events_of_node(node, NOW).unwrap_err().to_problem();
        assert_eq!(refused.code, ProblemCode::RateLimited);
        rates.events_of_node(node, NOW + Span::minutes(1) + Span::seconds(1)).expect("one more a minute");
    }

    #[test]
    fn a_request_is_free_for_its_address_only_if_it_was_counted_for_somebody() {
        let limits = Limits { requests_per_address: 1, requests_per_address_burst: 1, ..Limits::default() };
        let asks = Asks { address: Some(IpAddr::from([192, 0, 2, 1])), has_certificate: false, proof: None };
        let need = Need::May(sortie_rules::access::Permission::TasksRead);
        let counted = |code: ProblemCode| {
            let rates = Rates::new(&limits);
            let answer = || rates.came(&asks, need, Err(crate::fault::refuse(code, "No.")), NOW);
            [answer(), answer()].map(|answer| answer.unwrap_err().to_problem().code)
        };
        assert_eq!(counted(ProblemCode::Forbidden), [ProblemCode::Forbidden; 2], "whoever may not is somebody");
        for code in [ProblemCode::Unauthenticated, ProblemCode::CrossSite] {
            assert_eq!(counted(code), [code, ProblemCode::RateLimited]);
        }
    }

    #[test]
    fn when_there_is_no_more_room_the_rest_are_counted_together() {
        let buckets = Buckets::new(Rate { per_second: 1, burst: 2 });
        for caller in 0..CALLERS_COUNTED_MAX {
            assert_eq!(buckets.take(caller, NOW), Ok(()));
        }
        let strangers = [1, 2, 3].map(|more| buckets.take(CALLERS_COUNTED_MAX + more, NOW));
        assert_eq!(strangers, [Ok(()), Ok(()), Err(Span::seconds(1))]);
        assert_eq!(buckets.wait(&(CALLERS_COUNTED_MAX + 9), NOW), Span::seconds(1));
        assert_eq!(buckets.take(7, NOW), Ok(()), "whoever has a place keeps it");
        assert_eq!(buckets.counted.lock().unwrap().by_caller.len(), CALLERS_COUNTED_MAX);
        buckets.tidy(NOW + Span::seconds(2));
        assert_eq!(buckets.take(CALLERS_COUNTED_MAX + 9, NOW + Span::seconds(2)), Ok(()));
    }
}
