//! Seals all that lies in a database with another master key.

use sortie_store::{StoreError, Tx, hub_keys};

use super::MasterKey;

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resealed {
    /// So many keys were sealed anew.
    Now(usize),
    /// So many are sealed with this key already.
    Before(usize),
    /// Neither key opens them.
    Unopened,
    /// None is there.
    Nothing,
    /// Somebody has changed them at this moment.
    Changed,
}

/// Seals all that `old` opens with `new`, in the transaction at hand: a change like any other, so that of a hub that
/// changes the keys at the same moment and this one is refused.
pub(crate) async fn reseal(tx: &mut Tx, old: &MasterKey, new: &MasterKey) -> Result<Resealed, StoreError> {
    let (change, sealed) = hub_keys::all(tx).await?;
    if sealed.is_empty() {
        return Ok(Resealed::Nothing);
    }
    if new.open_all(&sealed).is_some() {
        return Ok(Resealed::Before(sealed.len()));
    }
    let Some(opened) = old.open_all(&sealed) else { return Ok(Resealed::Unopened) };
    let put = new.seal_all(opened.into_iter().collect());
    Ok(match hub_keys::change(tx, change, &put, &[]).await? {
        true => Resealed::Now(put.len()),
        false => Resealed::Changed,
    })
}
