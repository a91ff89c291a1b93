//! Nodes: list, show, change, revoke.

use reqwest::Method;
use sortie_wire::nodes::{ChangeNode, Node, NodeQuery};
use sortie_wire::pages::Page;
use sortie_wire::trusts::{AddNode, AddedNode};

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

    /// Makes a node for a client of the trust API; its key is in the answer.
    pub async fn add_node(&self, node: &AddNode) -> Result<AddedNode, ClientError> {
        self.create(&["nodes"], node, &self.key(None)).await
    }

    /// Gives such a node another key; the one before is void.
    pub async fn change_node_key(&self, node: &str) -> Result<AddedNode, ClientError> {
        self.act(&["nodes", node, "key"]).await
    }

    /// Shuts a node out: its certificate counts for nothing from now on.
    pub async fn revoke_node(&self, node: &str) -> Result<Node, ClientError> {
        self.act(&["nodes", node, "revoke"]).await
    }

    /// Ends a node's quarantine: whoever comes next with its key is the node.
    pub async fn readmit_node(&self, node: &str) -> Result<Node, ClientError> {
        self.act(&["nodes", node, "readmit"]).await
    }
}
