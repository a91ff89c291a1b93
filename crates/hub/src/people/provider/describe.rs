//! With whom to sign in.

use sortie_wire::sign_in::{ProviderDetails, SignInWith};

use super::verify::away;
use crate::app::App;
use crate::fault::Fault;

/// What a program needs to know that signs somebody in.
pub(super) fn describe(app: &App) -> Result<SignInWith, Fault> {
    let Some(provider) = &app.provider else { return Ok(SignInWith { provider: None }) };
    let settings = &provider.0.settings;
    let known = provider.0.known.load_full().ok_or_else(away)?;
    Ok(SignInWith {
        provider: Some(ProviderDetails {
            issuer: settings.issuer.clone().unwrap_or_default(),
            client_id: settings.client_id.clone().unwrap_or_default(),
            scopes: settings.scopes.clone(),
            token_endpoint: known.metadata.token_endpoint.clone(),
            device_authorization_endpoint: known.metadata.device_authorization_endpoint.clone(),
        }),
    })
}
