//! What several of these stories share.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sortie_client::people::Hub;
use sortie_rules::desired::{ConditionStatus, LayerName, Standing};
use sortie_wire::desired::{NodeDesired, Publication, Publish};
use stories::{RunningHub, Site, until};

/// The layer of this name.
pub(crate) fn layer(name: &str) -> LayerName {
    name.parse().expect("it names a layer")
}

/// A policy under which the agent keeps files and directories below the site's files in order, and looks every second.
pub(crate) fn keeping(site: &Site<'_>, more: &str) -> String {
    let roots = site.files();
    format!(
        "allow = [\"sys.info\"]\n\
         [desired]\nkinds = [\"file\", \"directory\", \"service\", \"command\"]\nlook_every_s = 1\n\
         [desired_files]\nroots = [{roots:?}]\n{more}"
    )
}

/// A site whose agent keeps files in order, and runs.
pub(crate) async fn keeper<'s>(hub: &RunningHub<'s>, name: &str) -> (Site<'s>, stories::RunningAgent) {
    let site = hub.site(name).await;
    site.set_policy(&keeping(&site, ""));
    let agent = site.start();
    (site, agent)
}

/// A file that should hold this.
pub(crate) fn file(path: &Path, content: &str) -> Value {
    json!({ "spec": { "path": path, "content": content } })
}

/// Publishes a state for a layer, and waits until it was given to its nodes.
pub(crate) async fn publish(people: &Hub, name: &str, state: Value) -> Publication {
    let message = "as the story wants it".to_owned();
    let publish = Publish { state: Some(state), message, ..Publish::default() };
    over(people, &publish_as(people, name, publish).await).await
}

/// Publishes in this way.
pub(crate) async fn publish_as(people: &Hub, name: &str, publish: Publish) -> Publication {
    people.publish(&layer(name), &publish, None).await.expect("it can be published")
}

/// Waits until a publication is over.
pub(crate) async fn over(people: &Hub, publication: &Publication) -> Publication {
    until("the publication is over", async || {
        let now = people.publication(publication.id).await.expect("it is there");
        now.status.is_terminal().then_some(now)
    })
    .await
}

/// Waits until a node has said this of the generation that is meant.
pub(crate) async fn stands(people: &Hub, node: &str, standing: Standing) -> NodeDesired {
    until(&format!("{node} is {}", standing.as_str()), async || {
        let desired = people.node_desired(node).await.expect("the node is there");
        let is_so = desired
            .observed
            .as_ref()
            .is_some_and(|found| found.standing == standing && found.observed.generation == desired.generation);
        is_so.then_some(desired)
    })
    .await
}

/// The condition of a resource: its status, its reason and its message.
pub(crate) fn condition(desired: &NodeDesired, resource: &str) -> (ConditionStatus, String, String) {
    let conditions = &desired.observed.as_ref().expect("it has said something").observed.conditions;
    let found = conditions.iter().find(|condition| condition.resource.to_string() == resource);
    let found = found.unwrap_or_else(|| panic!("nothing is said of {resource}: {conditions:?}"));
    (found.status, found.reason.clone().unwrap_or_default(), found.message.clone().unwrap_or_default())
}

/// Waits until a file holds this.
pub(crate) async fn holds(path: &Path, content: &str) {
    until(&format!("{} holds what it should", path.display()), async || {
        (std::fs::read_to_string(path).ok()? == content).then_some(())
    })
    .await;
}

/// All files below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found
}
