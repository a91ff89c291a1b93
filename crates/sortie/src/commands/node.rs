//! `sortie node`: the agents that have enrolled.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use sortie_rules::clocks::ClockState;
use sortie_rules::desired::{Standing, Standings};
use sortie_rules::liveness::Presence;
use sortie_rules::proofs::Proof;
use sortie_rules::tasks::Code;
use sortie_rules::time::{Millis, Span};
use sortie_wire::nodes::{ChangeNode, Node, NodeQuery};
use sortie_wire::refusals::RefusedDeliveries;
use sortie_wire::trusts::{AddNode, AddedNode};

use super::history::{self, History};
use super::pages::{Pages, tell_rest};
use super::site;
use crate::context::Context;
use crate::exit::{Done, Failure};
use crate::find_hub::HubOptions;
use crate::output::{Output, Table, ago, details, moment};
use crate::values::{Label, labels};

/// What `sortie node` takes.
#[derive(Debug, Args)]
pub(crate) struct NodeCommand {
    #[command(flatten)]
    hub: HubOptions,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the nodes, by name
    List(List),
    /// Show one node
    #[command(after_help = "Example: sortie node show box-17")]
    Show {
        /// The node
        #[arg(value_name = "NAME|ID")]
        node: String,
    },
    /// Change what is meant for a node
    Set(Set),
    /// Make a node for a client of the trust API, which has no certificate; its key is printed
    Add(Add),
    /// Give such a node another key; the one before is void at once
    #[command(after_help = "Example: sortie node key trust-north > trust-north.key")]
    Key {
        /// The node
        #[arg(value_name = "NAME|ID")]
        node: String,
    },
    /// End a node's quarantine: whoever comes next with its key is the node
    #[command(after_help = "Example: sortie node readmit box-17\n\
                            The hub quarantines a node when two agents come with its key. If its disk was restored \
                            from an older copy, or the copy is stopped for good, readmit it. If both shall go on, \
                            let one enrol with an invite of its own.")]
    Readmit {
        /// The node
        #[arg(value_name = "NAME|ID")]
        node: String,
    },
    /// Look back: how much of the time it was online, and how its tasks and backups went
    History(History),
    /// Shut a node out: its certificate counts for nothing from now on
    #[command(after_help = "Example: sortie node revoke box-17")]
    Revoke {
        /// The node
        #[arg(value_name = "NAME|ID")]
        node: String,
    },
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  sortie node list --presence down --label ring=first\n  \
                        sortie node list --standing failing,drifted")]
struct List {
    /// Only nodes of this site
    #[arg(long)]
    site: Option<String>,
    /// Only nodes that live on this one
    #[arg(long, value_name = "NAME|ID")]
    host: Option<String>,
    /// Only nodes of this kind
    #[arg(long)]
    kind: Option<String>,
    /// Only nodes of this presence: new, online, stale or down
    #[arg(long, value_parser = parse_presence)]
    presence: Option<Presence>,
    /// Only nodes that stand so to their desired state: converged, converging, drifted, failing, or none if they have
    /// none; several with commas between them
    #[arg(long, value_name = "WORDS", value_delimiter = ',', value_parser = parse_standing)]
    standing: Vec<String>,
    /// Only nodes with this label; may be given several times
    #[arg(long = "label", value_name = "KEY=VALUE")]
    labels: Vec<Label>,
    #[command(flatten)]
    pages: Pages,
}

#[derive(Debug, Args)]
#[command(after_help = "Example: sortie node add trust-north --site trust-north > trust-north.key\n\
                        The hub's setting `trust_api` must be on. A machine that can run an agent needs none of this: \
                        `sortie invite create`.")]
struct Add {
    /// Its name: what stands in its client's paths
    name: String,
    /// The site it belongs to
    #[arg(long)]
    site: Option<String>,
    /// What sort of node it is [default: trust]
    #[arg(long)]
    kind: Option<String>,
    /// A label to set; may be given several times
    #[arg(long = "label", value_name = "KEY=VALUE")]
    labels: Vec<Label>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example: sortie node set box-17 --site customer-homes --label ring=second --no-label trial\n\
                        A span of 0 returns to the hub's default, an empty --site takes it out of its site, an empty \
                        --host away from its host.")]
struct Set {
    /// The node
    #[arg(value_name = "NAME|ID")]
    node: String,
    /// The site it belongs to
    #[arg(long)]
    site: Option<String>,
    /// The node that it lives on
    #[arg(long, value_name = "NAME|ID")]
    host: Option<String>,
    /// What sort of node it is
    #[arg(long)]
    kind: Option<String>,
    /// A label to set; may be given several times
    #[arg(long = "label", value_name = "KEY=VALUE")]
    labels: Vec<Label>,
    /// A label to remove; may be given several times
    #[arg(long = "no-label", value_name = "KEY")]
    no_labels: Vec<String>,
    /// Silence after which it is called stale, for example 30m
    #[arg(long, value_name = "SPAN")]
    stale_after: Option<Span>,
    /// Silence after which it is called down, for example 1h
    #[arg(long, value_name = "SPAN")]
    down_after: Option<Span>,
}

fn parse_presence(word: &str) -> Result<Presence, String> {
    Presence::parse(word).ok_or_else(|| "presence is new, online, stale or down".to_owned())
}

fn parse_standing(word: &str) -> Result<String, String> {
    Standings::parse(word).map(|_| word.to_owned()).map_err(|error| error.to_string())
}

/// Does it.
pub(crate) async fn run(command: NodeCommand, context: &Context) -> Done {
    let (hub, output, now) = (context.hub(&command.hub)?, context.output, context.clock.now());
    match command.verb {
        Verb::List(list) => {
            let page = list
                .pages
                .read(|after, limit| {
                    let (hub, query) = (hub.clone(), list.query(after, limit));
                    async move { hub.nodes(&query).await }
                })
                .await?;
            output.either(&page, |page| {
                tell_rest(page, "There are no such nodes. `sortie invite create` invites one.", output);
                if page.items.is_empty() { Ok(()) } else { output.table(&table(&page.items, now)) }
            })
        }
        Verb::Show { node } => {
            let node = hub.node(&node).await?;
            output.either(&node, |node| output.lines(details(&rows(node, now), output.colours())))
        }
        Verb::Set(set) => {
            let (node, change) = (set.node.clone(), set.change()?);
            let is_new = site::is_missing(&hub, change.site.as_deref()).await;
            let node = hub.change_node(&node, &change).await?;
            change.site.iter().filter(|_| is_new).for_each(|key| site::tell_new(key, context));
            output.either(&node, |node| output.lines(details(&rows(node, now), output.colours())))
        }
        Verb::Add(add) => {
            let Add { name, site, kind, labels: given } = add;
            let is_new = site::is_missing(&hub, site.as_deref()).await;
            let added = hub.add_node(&AddNode { name, site, kind, labels: labels(given) }).await?;
            added.node.site.iter().filter(|_| is_new).for_each(|key| site::tell_new(key, context));
            told_key(&added, output)
        }
        Verb::Key { node } => told_key(&hub.change_node_key(&node).await?, output),
        Verb::Readmit { node } => {
            // Whoever may not look at nodes may readmit one all the same.
            let before = hub.node(&node).await.ok();
            if before.is_some_and(|node| node.quarantined_at.is_none() && node.revoked_at.is_none()) {
                return Err(Failure::usage(format!("the node `{node}` is not quarantined; nothing was changed"))
                    .remedy(context.next_command(&format!("node show {node}"))));
            }
            let node = hub.readmit_node(&node).await?;
            output.either(&node, |node| {
                output.say(&format!("The node `{}` gets tasks again, whoever comes next with its key.", node.name));
                Ok(())
            })
        }
        Verb::History(asked) => history::run(asked, &hub, context).await,
        Verb::Revoke { node } => {
            let node = hub.revoke_node(&node).await?;
            output.either(&node, |node| {
                output.say(&format!(
                    "The node `{}` is shut out. Only an invite that replaces it lets it in again: {}",
                    node.name,
                    context.next_command(&format!("invite create --node {} --replace", node.name))
                ));
                Ok(())
            })
        }
    }
}

fn told_key(added: &AddedNode, output: Output) -> Done {
    output.either(added, |added| {
        output.say(&format!("The key of `{}`, shown this once:", added.node.name));
        output.line(&added.key)
    })
}

impl List {
    fn query(&self, after: Option<String>, limit: Option<u32>) -> NodeQuery {
        let label = self.labels.iter().map(|label| format!("{}={}", label.key, label.value)).collect::<Vec<_>>();
        NodeQuery {
            site: self.site.clone(),
            host: self.host.clone(),
            kind: self.kind.clone(),
            presence: self.presence,
            standing: (!self.standing.is_empty()).then(|| self.standing.join(",")),
            label: (!label.is_empty()).then(|| label.join(",")),
            after,
            limit,
        }
    }
}

impl Set {
    fn change(self) -> Result<ChangeNode, Failure> {
        let removed = self.no_labels.into_iter().map(|key| (key, None));
        let set = labels(self.labels).into_iter().map(|(key, value)| (key, Some(value)));
        let change = ChangeNode {
            site: self.site,
            host: self.host,
            kind: self.kind,
            labels: removed.chain(set).collect(),
            stale_after: self.stale_after,
            down_after: self.down_after,
        };
        if change == ChangeNode::default() {
            return Err(Failure::usage("nothing to change was given").remedy("for example --label ring=first"));
        }
        Ok(change)
    }
}

fn table(nodes: &[Node], now: Millis) -> Table {
    let mut table =
        Table::new(["name", "presence", "heard", "standing", "proof", "clock", "site", "kind", "labels", "version"]);
    for node in nodes {
        table.row([
            node.name.clone(),
            presence(node).to_owned(),
            node.heard_at.map_or_else(|| "never".to_owned(), |at| ago(now, at)),
            node.standing.map_or("", Standing::as_str).to_owned(),
            node.proof.map_or("", Proof::as_str).to_owned(),
            node.clock.map_or("", ClockState::as_str).to_owned(),
            node.site.clone().unwrap_or_default(),
            kind(node),
            spelled(&node.labels),
            node.facts.as_ref().map(|facts| facts.version.clone()).unwrap_or_default(),
        ]);
    }
    table
}

fn presence(node: &Node) -> &'static str {
    match (node.revoked_at, node.quarantined_at) {
        (Some(_), _) => "revoked",
        (None, Some(_)) => "quarantined",
        (None, None) => node.presence.as_str(),
    }
}

/// What sort of node it is, and where it lives.
fn kind(node: &Node) -> String {
    match (&node.host, node.host_revoked) {
        (None, _) => node.kind.clone(),
        (Some(host), false) => format!("{} on {host}", node.kind),
        (Some(host), true) => format!("{} on {host} (revoked)", node.kind),
    }
}

/// What is said of the clock, and by how much it is off.
fn clock(node: &Node) -> String {
    match (node.clock, node.clock_skew_ms) {
        (Some(ClockState::Skewed), Some(skew_ms)) => {
            let word = if skew_ms < 0 { "behind" } else { "ahead" };
            format!("skewed, {} {word}", Span(i64::try_from(skew_ms.unsigned_abs() / 1000 * 1000).unwrap_or(i64::MAX)))
        }
        (state, _) => state.map_or("", ClockState::as_str).to_owned(),
    }
}

fn spelled(labels: &BTreeMap<String, String>) -> String {
    labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
}

fn rows(node: &Node, now: Millis) -> Vec<(&'static str, String)> {
    let threshold = |span: Option<Span>| span.map_or_else(|| "the hub's default".to_owned(), |span| span.to_string());
    let mut rows = vec![
        ("name", node.name.clone()),
        ("id", node.id.to_string()),
        ("presence", presence(node).to_owned()),
        ("since", moment(now, node.presence_at)),
        ("heard", node.heard_at.map_or_else(|| "never".to_owned(), |at| moment(now, at))),
        ("standing", node.standing.map_or("none", Standing::as_str).to_owned()),
        ("site", node.site.clone().unwrap_or_else(|| "none".to_owned())),
        ("kind", kind(node)),
        ("labels", spelled(&node.labels)),
        ("stale after", threshold(node.stale_after)),
        ("down after", threshold(node.down_after)),
        ("enrolled", moment(now, node.enrolled_at)),
        (
            "certificate",
            if node.key_fingerprint.starts_with("key:") {
                "none: it has a key of the trust API".to_owned()
            } else {
                format!("until {}", moment(now, node.certificate_until))
            },
        ),
        ("proof", node.proof.map_or("not heard yet", Proof::as_str).to_owned()),
        ("clock", clock(node)),
        ("key", node.key_fingerprint.clone()),
        (
            "keys",
            node.keys
                .map_or_else(|| "it follows none".to_owned(), |keys| format!("{} of {}", keys.version, keys.newest)),
        ),
    ];
    if !node.guests.is_empty() {
        rows.push(("guests", node.guests.join(" ")));
    }
    if let Some(policy) = &node.policy_unusable {
        let (message, since, word) = (&policy.message, moment(now, policy.since), Code::POLICY_UNUSABLE);
        let remedy = "`sortie doctor --data DIR` at the site says more";
        rows.push(("policy", format!("{word}: {message} (since {since}); nothing runs there; {remedy}")));
    }
    if let Some(at) = node.quarantined_at {
        rows.push(("quarantined", moment(now, at)));
    }
    if let Some(at) = node.revoked_at {
        rows.push(("revoked", moment(now, at)));
    }
    if let Some(facts) = &node.facts {
        rows.push(("machine", format!("{} ({} {})", facts.hostname, facts.os, facts.arch)));
        rows.push(("agent", facts.version.clone()));
        rows.push(("builtins", facts.types.join(" ")));
    }
    if !node.fields.is_empty() {
        let fields: Vec<String> = node.fields.iter().map(|field| format!("{} {}", field.name, field.value)).collect();
        rows.push(("results said", fields.join(", ")));
    }
    if !node.refused_deliveries.is_empty() {
        let refused = node.refused_deliveries.iter().map(|refused| {
            let RefusedDeliveries { code, times, last_at, .. } = refused;
            format!("{code} {times}× (the last {})", ago(now, *last_at))
        });
        rows.push(("refused", refused.collect::<Vec<_>>().join(", ")));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set() -> Set {
        Set {
            node: "a".into(),
            site: None,
            host: None,
            kind: None,
            labels: Vec::new(),
            no_labels: Vec::new(),
            stale_after: None,
            down_after: None,
        }
    }

    #[test]
    fn a_label_that_is_set_and_removed_is_set() {
        let label = "ring=first".parse().unwrap();
        let change = Set { labels: vec![label], no_labels: vec!["ring".into(), "old".into()], ..set() }.change();
        let labels = change.unwrap().labels;
        assert_eq!(labels["ring"].as_deref(), Some("first"));
        assert_eq!(labels["old"], None);
    }

    #[test]
    fn a_change_of_nothing_is_refused_here() {
        assert!(set().change().is_err());
    }
}
