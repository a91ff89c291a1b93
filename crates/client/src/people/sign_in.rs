//! With whom to sign in, and signing out.

use sortie_wire::sessions::{SignIn, SignedIn};
use sortie_wire::sign_in::{LogOut, LoggedOut, SignInWith};

use super::Hub;
use crate::error::ClientError;

impl Hub {
    /// With whom to sign in. No token is needed for it.
    pub async fn sign_in_with(&self) -> Result<SignInWith, ClientError> {
        self.get(&["auth", "provider"], &()).await
    }

    /// Signs in with a password of the hub's. No token is needed for it.
    pub async fn sign_in(&self, sign_in: &SignIn) -> Result<SignedIn, ClientError> {
        self.act_on(&["auth", "sign-in"], sign_in).await
    }

    /// Ends the sign-in whose token we have.
    pub async fn log_out(&self, also: &LogOut) -> Result<LoggedOut, ClientError> {
        self.act_on(&["auth", "logout"], also).await
    }
}
