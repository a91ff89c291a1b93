//! Task types: what can be asked of an agent.

use sortie_wire::pages::Page;
use sortie_wire::task_types::TaskType;

use super::Hub;
use crate::error::ClientError;

impl Hub {
    /// Every task type that the hub knows, with its schemas.
    pub async fn task_types(&self) -> Result<Page<TaskType>, ClientError> {
        self.get(&["task-types"], &()).await
    }
}
