//! Which nodes are meant, as it is typed.

use clap::Args;
use sortie_wire::jobs::Selector;

/// The options that select nodes. All that are given must hold.
#[derive(Debug, Args)]
#[group(id = "selection", required = true, multiple = true)]
pub(crate) struct Selection {
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
    pub(crate) fn to_wire(&self) -> Selector {
        Selector {
            label: (!self.labels.is_empty()).then(|| self.labels.join(",")),
            site: self.site.clone(),
            kind: self.kind.clone(),
            names: self.names.iter().map(|name| name.trim().to_owned()).collect(),
            all: self.all,
        }
    }
}

/// Which nodes are meant, as it is typed.
pub(crate) fn meant(selector: &Selector) -> String {
    let part = |name: &str, value: &Option<String>| value.as_ref().map(|value| format!("{name} {value}"));
    let names = (!selector.names.is_empty()).then(|| selector.names.join(","));
    let parts = [names, part("label", &selector.label), part("site", &selector.site), part("kind", &selector.kind)];
    let said: Vec<String> = parts.into_iter().flatten().collect();
    if said.is_empty() { "all nodes".to_owned() } else { said.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_named_as_they_were_typed() {
        let selector =
            Selector { names: vec!["box-1".into(), "box-2".into()], kind: Some("guest".into()), ..Selector::default() };
        assert_eq!(meant(&selector), "box-1,box-2, kind guest");
        assert_eq!(meant(&Selector { all: true, ..Selector::default() }), "all nodes");
    }
}
