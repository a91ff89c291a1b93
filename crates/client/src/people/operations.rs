//! Operations, and the operators who sign them.

use sortie_rules::ids::TaskId;
use sortie_wire::envelope::Envelope;
use sortie_wire::operations::{Operation, OperationQuery, ProposeOperation, RejectOperation};
use sortie_wire::operators::{OperatorChain, OperatorsQuery, PublishedOperators};
use sortie_wire::pages::Page;

use super::Hub;
use crate::error::ClientError;

impl Hub {
    /// Proposes an operation, for operators to sign.
    pub async fn propose_operation(
        &self,
        proposal: &ProposeOperation,
        idempotency_key: Option<&str>,
    ) -> Result<Operation, ClientError> {
        self.create(&["operations"], proposal, &self.key(idempotency_key)).await
    }

    /// An operation with its payload, and with what was signed.
    pub async fn operation(&self, id: TaskId) -> Result<Operation, ClientError> {
        self.get(&["operations", &id.to_string()], &()).await
    }

    /// A page of operations, newest first.
    pub async fn operations(&self, query: &OperationQuery) -> Result<Page<Operation>, ClientError> {
        self.get(&["operations"], query).await
    }

    /// Brings what an operator signed. The same again changes nothing.
    pub async fn sign_operation(&self, id: TaskId, signed: &Envelope) -> Result<Operation, ClientError> {
        self.set(reqwest::Method::POST, &["operations", &id.to_string(), "signatures"], signed).await
    }

    /// Decides against an operation.
    pub async fn reject_operation(&self, id: TaskId, reason: &RejectOperation) -> Result<Operation, ClientError> {
        self.act_on(&["operations", &id.to_string(), "reject"], reason).await
    }

    /// The sets of operators, oldest first.
    pub async fn operators(&self) -> Result<Page<PublishedOperators>, ClientError> {
        self.get(&["operators"], &()).await
    }

    /// The sets of operators as they were signed.
    pub async fn operators_chain(&self, after: Option<u64>) -> Result<OperatorChain, ClientError> {
        self.get(&["operators", "chain"], &OperatorsQuery { after }).await
    }

    /// Publishes a set of operators. The same again changes nothing.
    pub async fn publish_operators(&self, link: &Envelope) -> Result<PublishedOperators, ClientError> {
        self.set(reqwest::Method::POST, &["operators"], link).await
    }
}
