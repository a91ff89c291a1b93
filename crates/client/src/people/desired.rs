//! Desired state: layers, publications, and how nodes stand to them.

use reqwest::Method;
use sortie_rules::desired::LayerName;
use sortie_rules::ids::PublicationId;
use sortie_wire::desired::{
    Diff, DiffQuery, LayerShown, NodeDesired, Publication, PublicationNode, PublicationQuery, Publish, ResourceKind,
    StopPublication, WriteDraft,
};
use sortie_wire::pages::Page;

use super::Hub;
use crate::error::ClientError;

impl Hub {
    /// Every kind of resource.
    pub async fn resource_kinds(&self) -> Result<Page<ResourceKind>, ClientError> {
        self.get(&["resource-kinds"], &()).await
    }

    /// A layer: what stands, what is drafted, what goes out.
    pub async fn layer(&self, layer: &LayerName) -> Result<LayerShown, ClientError> {
        self.get(&["desired", &layer.to_string()], &()).await
    }

    /// Writes a layer's draft. It is repeated only where the first try surely changed nothing: the same again would be
    /// a conflict, since the draft that was read has changed.
    pub async fn write_draft(&self, layer: &LayerName, draft: &WriteDraft) -> Result<LayerShown, ClientError> {
        self.change(Method::PUT, &["desired", &layer.to_string(), "draft"], draft).await
    }

    /// Throws a layer's draft away.
    pub async fn discard_draft(&self, layer: &LayerName) -> Result<LayerShown, ClientError> {
        self.remove(&["desired", &layer.to_string(), "draft"]).await
    }

    /// What a change of a layer means.
    pub async fn layer_diff(&self, layer: &LayerName, query: &DiffQuery) -> Result<Diff, ClientError> {
        self.get(&["desired", &layer.to_string(), "diff"], query).await
    }

    /// Publishes a layer. Without a key of the caller's one is drawn, for this call and its repetitions.
    pub async fn publish(
        &self,
        layer: &LayerName,
        publish: &Publish,
        idempotency_key: Option<&str>,
    ) -> Result<Publication, ClientError> {
        self.create(&["desired", &layer.to_string(), "publish"], publish, &self.key(idempotency_key)).await
    }

    /// A page of a layer's publications, newest first.
    pub async fn history(&self, layer: &LayerName, query: &PublicationQuery) -> Result<Page<Publication>, ClientError> {
        self.get(&["desired", &layer.to_string(), "history"], query).await
    }

    /// A revision of a layer, with what it says.
    pub async fn revision(&self, layer: &LayerName, revision: u64) -> Result<Publication, ClientError> {
        self.get(&["desired", &layer.to_string(), "history", &revision.to_string()], &()).await
    }

    /// A publication, with what it says and how many of its nodes stand where.
    pub async fn publication(&self, id: PublicationId) -> Result<Publication, ClientError> {
        self.get(&["publications", &id.to_string()], &()).await
    }

    /// A page of a publication's nodes, by name.
    pub async fn publication_nodes(
        &self,
        id: PublicationId,
        query: &PublicationQuery,
    ) -> Result<Page<PublicationNode>, ClientError> {
        self.get(&["publications", &id.to_string(), "nodes"], query).await
    }

    /// Lets a publication go no further, and takes it back if `rolls_back`.
    pub async fn stop_publication(&self, id: PublicationId, rolls_back: bool) -> Result<Publication, ClientError> {
        self.act_on(&["publications", &id.to_string(), "stop"], &StopPublication { rolls_back }).await
    }

    /// What a node should be, layer by layer, and what it says of it. A name may stand for the id.
    pub async fn node_desired(&self, node: &str) -> Result<NodeDesired, ClientError> {
        self.get(&["nodes", node, "desired"], &()).await
    }
}
