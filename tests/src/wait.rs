//! Waiting for a state: looking again and again until it is there. The only place in the stories
//! that lets time pass.

use std::time::{Duration, Instant};

/// How long between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How long any state may take on a slow and busy machine before the story has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Looks until there is something to see. `what` completes "waited in vain: …".
///
/// # Panics
/// If it is not there within a minute.
pub async fn until<T>(what: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    match until_within(PATIENCE, look).await {
        Some(seen) => seen,
        None => panic!("waited {} s in vain: {what}", PATIENCE.as_secs()),
    }
}

/// Looks until there is something to see or the time is over.
pub async fn until_within<T>(at_most: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let began = Instant::now();
    loop {
        if let Some(seen) = look().await {
            return Some(seen);
        }
        if began.elapsed() > at_most {
            return None;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
