//! Nodes: list, show, change, revoke.

use reqwest::Method;
use sortie_wire::nodes::{ChangeNode, Node, NodeQuery};
use sortie_wire::pages::Page;

use super::Hub;
use crate::error::ClientError;

impl Hub {
    /// A page of nodes, by name.
    pub async fn nodes(&self, query: &NodeQuery) -> Result<Page<Node>, ClientError> {
        self.get(&["nodes"], query).await
    }

    /// A node, by name or id.
    pub async fn node(&self, node: &str) -> Result<Node, ClientError> {
        self.get(&["nodes", node], &()).await
    }

    /// Changes what is meant for a node: site, kind, labels, thresholds.
    pub async fn change_node(&self, node: &str, change: &ChangeNode) -> Result<Node, ClientError> {
        self.set(Method::PATCH, &["nodes", node], change).await
    }

    /// Shuts a node out: its certificate counts for nothing from now on.
    pub async fn revoke_node(&self, node: &str) -> Result<Node, ClientError> {
        self.act(&["nodes", node, "revoke"]).await
    }
}
