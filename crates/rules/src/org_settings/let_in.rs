//! What the org settings let in: tokens and invites that are asked for, and why they are refused.

use crate::access::{Permissions, Role};
use crate::limits::INVITE_LIFE;
use crate::time::Span;

/// What an org lets its new tokens be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LetIn {
    /// The most that a token may be.
    pub role_max: Role,
    /// Whether a token must be limited by scopes.
    pub scopes_needed: bool,
    /// How long a token may be valid; zero: without end.
    pub valid_for_max: Span,
}

/// A token that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// What it shall be.
    pub role: Role,
    /// To what it shall be limited.
    pub scopes: Option<Permissions>,
    /// How long it shall be valid; without end if absent.
    pub valid_for: Option<Span>,
}

/// Why a token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooMuch {
    /// It would be more than this.
    Role(Role),
    /// It has no scopes.
    Unlimited,
    /// It would be valid for longer than this.
    Long(Span),
}

impl LetIn {
    /// Whether a token may be made.
    pub fn token(self, asked: Asked) -> Result<(), TooMuch> {
        if !self.role_max.permissions().contain_all(asked.role.permissions()) {
            return Err(TooMuch::Role(self.role_max));
        }
        if self.scopes_needed && asked.scopes.is_none() {
            return Err(TooMuch::Unlimited);
        }
        let without_limit = self.valid_for_max == Span::ZERO;
        if without_limit || asked.valid_for.is_some_and(|span| span <= self.valid_for_max) {
            return Ok(());
        }
        Err(TooMuch::Long(self.valid_for_max))
    }
}

/// How long an invite is valid for which so much was asked, or the most that may be asked.
pub fn invite_life(asked: Option<Span>, most: Span) -> Result<Span, Span> {
    match asked {
        Some(asked) if asked > most => Err(most),
        Some(asked) => Ok(asked),
        None => Ok(INVITE_LIFE.min(most)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Permission;

    const ANY: LetIn = LetIn { role_max: Role::Admin, scopes_needed: false, valid_for_max: Span::ZERO };
    const ENDLESS_ADMIN: Asked = Asked { role: Role::Admin, scopes: None, valid_for: None };

    #[test]
    fn where_nobody_chose_every_token_is_let_in() {
        assert_eq!(ANY.token(ENDLESS_ADMIN), Ok(()));
        assert_eq!(ANY.token(Asked { valid_for: Some(Span(i64::MAX)), ..ENDLESS_ADMIN }), Ok(()));
    }

    #[test]
    fn a_token_is_not_more_than_its_org_allows() {
        let most = |role_max| LetIn { role_max, ..ANY };
        let asked = |role| Asked { role, ..ENDLESS_ADMIN };
        assert_eq!(most(Role::Operator).token(asked(Role::Admin)), Err(TooMuch::Role(Role::Operator)));
        for role in [Role::Viewer, Role::Service, Role::Operator] {
            assert_eq!(most(Role::Operator).token(asked(role)), Ok(()));
        }
        assert_eq!(most(Role::Service).token(asked(Role::Operator)), Err(TooMuch::Role(Role::Service)));
        assert_eq!(most(Role::Viewer).token(asked(Role::Service)), Err(TooMuch::Role(Role::Viewer)));
    }

    #[test]
    fn where_scopes_are_needed_a_token_without_any_is_refused() {
        let strict = LetIn { scopes_needed: true, ..ANY };
        assert_eq!(strict.token(ENDLESS_ADMIN), Err(TooMuch::Unlimited));
        let scopes = Some(Permissions::of(&[Permission::TasksRead]));
        assert_eq!(strict.token(Asked { scopes, ..ENDLESS_ADMIN }), Ok(()));
    }

    #[test]
    fn where_tokens_have_an_end_longer_and_endless_ones_are_refused() {
        let day = LetIn { valid_for_max: Span::days(1), ..ANY };
        let asked = |valid_for| Asked { valid_for, ..ENDLESS_ADMIN };
        assert_eq!(day.token(asked(Some(Span::days(1)))), Ok(()));
        assert_eq!(day.token(asked(Some(Span(Span::days(1).0 + 1)))), Err(TooMuch::Long(Span::days(1))));
        assert_eq!(day.token(asked(None)), Err(TooMuch::Long(Span::days(1))));
    }

    #[test]
    fn an_invite_lives_no_longer_than_its_org_allows() {
        assert_eq!(invite_life(None, Span::days(30)), Ok(INVITE_LIFE));
        assert_eq!(invite_life(None, Span::minutes(5)), Ok(Span::minutes(5)), "its usual life is cut, not refused");
        assert_eq!(invite_life(Some(Span::minutes(5)), Span::minutes(5)), Ok(Span::minutes(5)));
        assert_eq!(invite_life(Some(Span::minutes(6)), Span::minutes(5)), Err(Span::minutes(5)));
    }
}
