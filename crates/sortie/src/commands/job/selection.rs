//! Which nodes are meant, as it is typed.

use clap::Args;
use sortie_wire::jobs::Selector;

/// The options that select nodes. All that are given must hold.
#[derive(Debug, Args)]
#[group(id = "selection", required = true, multiple = true)]
pub(super) struct Selection {
    /// Nodes with these labels: zone=north,role!=db,gpu,!trial
    #[arg(long = "label", short = 'l', value_name = "TERMS", value_delimiter = ',')]
    labels: Vec<String>,
    /// Nodes at this site
    #[arg(long, value_name = "KEY")]
    site: Option<String>,
    /// Nodes of this kind
    #[arg(long)]
    kind: Option<String>,
    /// Nodes of these names; several with commas between them
    #[arg(long = "node", value_name = "NAMES", value_delimiter = ',')]
    names: Vec<String>,
    /// Every node
    #[arg(long)]
    all: bool,
}

impl Selection {
    /// As the hub takes it.
    pub(super) fn to_wire(&self) -> Selector {
        Selector {
            label: (!self.labels.is_empty()).then(|| self.labels.join(",")),
            site: self.site.clone(),
            kind: self.kind.clone(),
            names: self.names.iter().map(|name| name.trim().to_owned()).collect(),
            all: self.all,
        }
    }
}
