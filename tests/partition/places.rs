//! Who is where.

/// A place in the country, with a network of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Place {
    /// Where the people are, and the story itself.
    People,
    /// The PostgreSQL server.
    Database,
    /// One of two hubs.
    One,
    /// The other hub.
    Other,
    /// The balancer.
    Front,
    /// An agent that goes through the balancer.
    North,
    /// One more.
    South,
    /// An agent that goes straight to the hub `One`.
    West,
}

impl Place {
    /// All of them.
    pub(crate) const ALL: [Place; 8] = [
        Place::People,
        Place::Database,
        Place::One,
        Place::Other,
        Place::Front,
        Place::North,
        Place::South,
        Place::West,
    ];
    /// Those with an agent.
    pub(crate) const AGENTS: [Place; 3] = [Place::North, Place::South, Place::West];

    /// Its name: of its network, of the road's end, and of the node there.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Place::People => "people",
            Place::Database => "database",
            Place::One => "one",
            Place::Other => "other",
            Place::Front => "front",
            Place::North => "north",
            Place::South => "south",
            Place::West => "west",
        }
    }

    /// Its number in addresses.
    pub(crate) fn number(self) -> usize {
        1 + Place::ALL.iter().position(|place| *place == self).expect("all are listed")
    }

    /// Its address.
    pub(crate) fn address(self) -> String {
        format!("10.77.{}.2", self.number())
    }

    /// What runs a program there: the words before its command line.
    pub(crate) fn wrapper(self) -> [String; 2] {
        ["nsenter".to_owned(), format!("--net=/run/netns/{}", self.name())]
    }
}
