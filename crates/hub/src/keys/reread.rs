//! Serves the operator's certificate as its files are now. Where it comes from another authority than before,
//! the next key set says so, and nodes that have not heard of it follow the chain when the handshake fails.

use super::apply::{apply, reread, unusable};
use crate::app::Shared;
use crate::fault::Fault;
use crate::identity::{AuthorityError, Given};

/// Reads the files again. Returns 1 if they hold another certificate than the one that is served; one that
/// cannot be used changes nothing.
pub(crate) async fn reread_given(app: &Shared) -> Result<u64, Fault> {
    let Some(served) = app.tls.given() else { return Ok(0) };
    let broken = |error: &dyn std::fmt::Display| Fault::Broken(error.to_string());
    let now = app.clock.now();
    let Some(given) = Given::read(&app.settings, now).map_err(|error| broken(&error))? else { return Ok(0) };
    if given == *served {
        return Ok(0);
    }
    let _turn = app.ring.turn.lock().await;
    reread(app).await?;
    let (fingerprint, pem) = given.anchor();
    tracing::info!(authority = fingerprint, "The operator's certificate has changed and is served from now on");
    app.ring.settle_given(Some((fingerprint, pem)), now).await.map_err(unusable)?;
    app.tls.take_given(given);
    apply(app).await?;
    Ok(1)
}

/// Uses what another hub on this database has made of the keys. Returns 1 if that was anything. A hub that is locked
/// out has said so, and follows everything else.
pub(crate) async fn reread_ring(app: &Shared) -> Result<u64, Fault> {
    let _turn = app.ring.turn.lock().await;
    match app.ring.reread().await {
        Ok(true) => {}
        Ok(false) | Err(AuthorityError::Sealed { .. }) => return Ok(0),
        Err(error) => return Err(unusable(error)),
    }
    tracing::info!(
        version = app.ring.held().ring().version,
        "Another hub has changed the keys; they are used from now on"
    );
    apply(app).await?;
    Ok(1)
}
