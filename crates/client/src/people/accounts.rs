//! Accounts of people who sign in with a password, and their sessions.

use reqwest::Method;
use sortie_rules::ids::{AccountId, SessionId};
use sortie_wire::accounts::{Account, ChangeAccount, CreateAccount};
use sortie_wire::pages::Page;
use sortie_wire::sessions::{ChangePassword, Session};

use super::Hub;
use crate::error::ClientError;

impl Hub {
    /// Makes an account.
    pub async fn create_account(&self, account: &CreateAccount) -> Result<Account, ClientError> {
        self.create(&["accounts"], account, &self.key(None)).await
    }

    /// A page of accounts, oldest first.
    pub async fn accounts(&self, after: Option<String>, limit: Option<u32>) -> Result<Page<Account>, ClientError> {
        self.get_page(&["accounts"], after, limit).await
    }

    /// Changes an account; its sessions end.
    pub async fn change_account(&self, id: AccountId, change: &ChangeAccount) -> Result<Account, ClientError> {
        self.set(Method::PATCH, &["accounts", &id.to_string()], change).await
    }

    /// Gives whoever asks another password; their other sessions end.
    pub async fn change_password(&self, change: &ChangePassword) -> Result<Account, ClientError> {
        self.act_on(&["auth", "password"], change).await
    }

    /// A page of who is signed in, newest first.
    pub async fn sessions(&self, after: Option<String>, limit: Option<u32>) -> Result<Page<Session>, ClientError> {
        self.get_page(&["sessions"], after, limit).await
    }

    /// Signs somebody out at once.
    pub async fn end_session(&self, id: SessionId) -> Result<Session, ClientError> {
        self.act(&["sessions", &id.to_string(), "end"]).await
    }
}
