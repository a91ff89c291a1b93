//! The one cryptography provider: aws-lc-rs, everywhere.

use std::sync::Arc;

use rustls::crypto::{CryptoProvider, aws_lc_rs};

/// Makes aws-lc-rs the process's provider, for libraries that ask for a default. Doing it again
/// does nothing.
pub fn install_crypto() {
    let _already_installed = aws_lc_rs::default_provider().install_default();
}

/// The provider that every connection of this crate is given by name.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}
