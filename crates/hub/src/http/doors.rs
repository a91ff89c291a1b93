//! How many may be inside at once, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::settings::Settings;

/// Counts who is inside.
pub(super) struct Doors {
    total: Arc<Semaphore>,
    per_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
    per_address_max: usize,
}

/// Which limit a connection met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// The hub's.
    Hub,
    /// Its address's.
    Address,
}

impl Full {
    /// The word in metrics.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Full::Hub => "hub",
            Full::Address => "address",
        }
    }
}

/// One connection's leave to be inside; given back when dropped.
pub(super) struct Pass {
    _total: OwnedSemaphorePermit,
    per_address: Arc<Mutex<HashMap<IpAddr, usize>>>,
    address: IpAddr,
}

impl Doors {
    /// Nobody is inside yet.
    pub(super) fn new(settings: &Settings) -> Doors {
        Doors {
            total: Arc::new(Semaphore::new(settings.connections_max)),
            per_address: Arc::default(),
            per_address_max: settings.connections_per_address_max,
        }
    }

    /// Lets one more in, unless there are too many.
    pub(super) fn enter(&self, address: IpAddr) -> Result<Pass, Full> {
        let total = Arc::clone(&self.total).try_acquire_owned().map_err(|_| Full::Hub)?;
        let mut counts = self.per_address.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(address).or_insert(0);
        if *count >= self.per_address_max {
            return Err(Full::Address);
        }
        *count += 1;
        Ok(Pass { _total: total, per_address: Arc::clone(&self.per_address), address })
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut counts = self.per_address.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}
