//! How a publication shall go out, as it is typed.

use clap::Args;
use sortie_rules::time::Span;
use sortie_wire::desired::Publish;
use sortie_wire::jobs::Selector;

/// The options of everything that publishes.
#[derive(Debug, Args)]
pub(super) struct GoingOut {
    /// Why, in a sentence; asked for if absent
    #[arg(long, short = 'm', value_name = "SENTENCE")]
    pub(super) message: Option<String>,
    /// Only to nodes with these labels: ring=first,!trial. The others, and nodes that come later, keep what stands
    #[arg(long = "label", short = 'l', value_name = "TERMS", value_delimiter = ',')]
    labels: Vec<String>,
    /// Only to nodes of these names; several with commas between them
    #[arg(long = "node", value_name = "NAMES", value_delimiter = ',')]
    names: Vec<String>,
    /// How many nodes may be on their way to it at once [default: all, and none is waited for]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    at_a_time: Option<u32>,
    /// Stop when so many nodes did not come in order in time [default: 1]
    #[arg(long, value_name = "COUNT", requires = "at_a_time", value_parser = clap::value_parser!(u32).range(1..))]
    stop_after: Option<u32>,
    /// How long each node has for that, for example 10m [default: 5m]
    #[arg(long, value_name = "SPAN", requires = "at_a_time")]
    within: Option<Span>,
    /// When it stops, give nodes that have it what they had before
    #[arg(long, requires = "at_a_time")]
    roll_back: bool,
    /// Publish without asking; what differs is told all the same
    #[arg(long)]
    pub(super) yes: bool,
    /// Follow it until it is over
    #[arg(long)]
    pub(super) watch: bool,
    /// An Idempotency-Key: the same key publishes once, however often this is run
    #[arg(long, value_name = "KEY")]
    pub(super) key: Option<String>,
}

impl GoingOut {
    /// As the hub takes it, for whatever `what` names.
    pub(super) fn to_wire(&self, message: String, what: Publish) -> Publish {
        let selector = (!self.labels.is_empty() || !self.names.is_empty()).then(|| Selector {
            label: (!self.labels.is_empty()).then(|| self.labels.join(",")),
            names: self.names.iter().map(|name| name.trim().to_owned()).collect(),
            ..Selector::default()
        });
        Publish {
            message,
            selector,
            at_a_time: self.at_a_time,
            stop_after_failures: self.stop_after,
            within: self.within,
            rolls_back: self.roll_back,
            ..what
        }
    }
}
