//! What can be broken.

use std::fmt;

use stories::Seed;

use crate::places::Place;
use crate::roads::{Roads, Way};

/// The roads that somebody in the country uses.
const USED: [(Place, Place); 11] = [
    (Place::One, Place::Database),
    (Place::Other, Place::Database),
    (Place::One, Place::Other),
    (Place::Front, Place::One),
    (Place::Front, Place::Other),
    (Place::North, Place::Front),
    (Place::South, Place::Front),
    (Place::West, Place::One),
    (Place::People, Place::One),
    (Place::People, Place::Other),
    (Place::People, Place::Front),
];
/// Places whose cable is pulled.
const PULLED: [Place; 7] =
    [Place::Database, Place::One, Place::Other, Place::Front, Place::North, Place::South, Place::West];

/// One fault, or several at once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fault {
    ways: Vec<(Place, Place, Way)>,
    pulled: Vec<Place>,
}

impl Fault {
    /// No packet goes between the two.
    pub(crate) fn apart(one: Place, other: Place) -> Fault {
        Fault::on(one, other, Way::Closed)
    }

    /// No packet goes from the first to the second; the other way all do.
    pub(crate) fn one_way(from: Place, to: Place) -> Fault {
        Fault { ways: vec![(from, to, Way::Closed)], pulled: Vec::new() }
    }

    /// Packets fare so between the two.
    pub(crate) fn on(one: Place, other: Place, way: Way) -> Fault {
        Fault { ways: vec![(one, other, way), (other, one, way)], pulled: Vec::new() }
    }

    /// The cable of a place is pulled.
    pub(crate) fn pulled(place: Place) -> Fault {
        Fault { ways: Vec::new(), pulled: vec![place] }
    }

    /// The same and another.
    #[must_use]
    pub(crate) fn and(mut self, other: Fault) -> Fault {
        self.ways.extend(other.ways);
        self.pulled.extend(other.pulled);
        self
    }

    /// One fault that the seed chooses. `leader` is the hub that leads.
    pub(crate) fn draw(seed: &Seed, leader: Place) -> Fault {
        let among = |many: usize| usize::try_from(seed.below(many as u64)).expect("it is below many");
        let (one, other) = USED[among(USED.len())];
        match seed.below(10) {
            0 | 1 => Fault::apart(one, other),
            2 => Fault::one_way(one, other),
            3 => Fault::one_way(other, one),
            4 => Fault::on(one, other, Way::Lossy),
            5 => Fault::on(one, other, Way::Late),
            6 => Fault::on(one, other, Way::Jumbled),
            7 => Fault::on(one, other, Way::Narrow),
            8 => Fault::pulled(PULLED[among(PULLED.len())]),
            _ => Fault::apart(leader, Place::Database),
        }
    }

    /// Breaks it.
    pub(crate) fn strike(&self, roads: &Roads) {
        for (from, to, way) in &self.ways {
            roads.set(*from, *to, *way);
        }
        for place in &self.pulled {
            roads.unplug(*place);
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ways = self.ways.iter().map(|(from, to, way)| format!("{} to {}: {way:?}", from.name(), to.name()));
        let pulled = self.pulled.iter().map(|place| format!("{}: pulled", place.name()));
        out.write_str(&ways.chain(pulled).collect::<Vec<_>>().join(", "))
    }
}
