//! API tokens of people and services.

use sortie_rules::ids::TokenId;
use sortie_wire::pages::Page;
use sortie_wire::tokens::{CreateToken, CreatedToken, RevokeToken, TokenDetails};

use super::Hub;
use crate::error::ClientError;

impl Hub {
    /// Makes a token. The answer is the only place where it is ever shown.
    pub async fn create_token(
        &self,
        token: &CreateToken,
        idempotency_key: Option<&str>,
    ) -> Result<CreatedToken, ClientError> {
        self.create(&["tokens"], token, &self.key(idempotency_key)).await
    }

    /// The tokens, newest first.
    pub async fn tokens(&self) -> Result<Page<TokenDetails>, ClientError> {
        self.get(&["tokens"], &()).await
    }

    /// A page of tokens, newest first.
    pub async fn tokens_after(
        &self,
        after: Option<String>,
        limit: Option<u32>,
    ) -> Result<Page<TokenDetails>, ClientError> {
        self.get_page(&["tokens"], after, limit).await
    }

    /// Ends a token at once, unless nobody could administer the org without it.
    pub async fn revoke_token(&self, id: TokenId) -> Result<TokenDetails, ClientError> {
        self.act(&["tokens", &id.to_string(), "revoke"]).await
    }

    /// Ends a token at once, whatever is left.
    pub async fn revoke_last_token(&self, id: TokenId) -> Result<TokenDetails, ClientError> {
        self.act_with(&["tokens", &id.to_string(), "revoke"], &RevokeToken { force: true }).await
    }
}
