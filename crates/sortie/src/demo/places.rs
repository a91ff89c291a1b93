//! The places where the demo's agents stand, one from each kind of world that Sortie is made for.

/// A place with one machine.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The node's name.
    pub(super) node: &'static str,
    /// The site it belongs to.
    pub(super) site: &'static str,
    /// What sort of node it is.
    pub(super) kind: &'static str,
    /// A label.
    pub(super) label: (&'static str, &'static str),
    /// What it is, for people.
    pub(super) what: &'static str,
}

/// All of them.
pub(super) const PLACES: [Place; 3] = [
    Place {
        node: "trust-north",
        site: "north-trust",
        kind: "trust",
        label: ("region", "north"),
        what: "an imaging department behind a hospital's firewall",
    },
    Place {
        node: "box-17",
        site: "customer-homes",
        kind: "box",
        label: ("ring", "first"),
        what: "a managed box in a customer's home",
    },
    Place {
        node: "clinic-east",
        site: "east-clinic",
        kind: "clinic",
        label: ("region", "east"),
        what: "a clinic that answers queries on its own data",
    },
];

/// The one whose agent is killed.
pub(super) const KILLED: &str = "box-17";
