//! Work on files, on threads of its own and within a time: a file system that hangs holds up the resources on it, and
//! no others.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use sortie_rules::desired::ResourceKey;
use sortie_rules::time::Span;

use super::trouble::Trouble;

/// Whose work is under way, also if nobody waits for it any more.
#[derive(Debug, Clone, Default)]
pub(crate) struct Busy(Arc<Mutex<BTreeSet<ResourceKey>>>);

struct Turn {
    busy: Busy,
    key: ResourceKey,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.busy.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

impl Busy {
    /// What the work on a resource gives, if it is done in time. What is not goes on by itself, and until it has ended
    /// nothing else is begun with the resource.
    pub(super) async fn within<T: Send + 'static>(
        &self,
        key: &ResourceKey,
        time: Span,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Trouble> {
        let hangs = || Trouble::failed("hangs", format!("the file system has not answered within {time}"));
        if !self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone()) {
            return Err(hangs());
        }
        let turn = Turn { busy: self.clone(), key: key.clone() };
        let working = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        match tokio::time::timeout(time.to_std(), working).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => Err(Trouble::failed("fault", format!("a fault of the agent: {error}"))),
            Err(_) => Err(hangs()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_hangs_is_not_begun_again_and_holds_up_no_other() {
        let (busy, key) = (Busy::default(), "file/a".parse().unwrap());
        let (let_go, held) = std::sync::mpsc::sync_channel::<()>(0);
        let stuck = busy.within(&key, Span(1), move || held.recv()).await;
        assert_eq!(stuck.unwrap_err().reason, "hangs");
        assert_eq!(busy.within(&key, Span::seconds(9), || ()).await.unwrap_err().reason, "hangs");
        assert_eq!(busy.within(&"file/b".parse().unwrap(), Span::seconds(9), || 7).await, Ok(7));
        drop(let_go);
        while busy.within(&key, Span::seconds(9), || ()).await.is_err() {
            tokio::task::yield_now().await;
        }
    }
}
