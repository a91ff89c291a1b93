//! Who keeps an org: whether there is anybody left who can let people in after somebody lost that.

/// Who can administer an org: enabled accounts of administrators, valid tokens of theirs without scopes, and
/// whether people come with an identity provider's word that they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keepers {
    /// Enabled accounts with the role `admin`.
    pub accounts: u64,
    /// Tokens with the role `admin` that hold and are not limited by scopes.
    pub tokens: u64,
    /// Whether an identity provider may name administrators.
    pub provider: bool,
}

/// What is about to be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeper {
    /// The account of an administrator.
    Account,
    /// The token of an administrator.
    Token,
}

/// What would be lost with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// The last account of an administrator: nobody with a password could administer the org.
    Account,
    /// The last way to administer the org.
    Way,
}

/// Whether this is the last of its kind. `keepers` counts it still.
pub fn is_last(keepers: Keepers, lost: Keeper) -> Option<Last> {
    let Keepers { accounts, tokens, provider } = keepers;
    match lost {
        Keeper::Account if accounts <= 1 && tokens == 0 && !provider => Some(Last::Way),
        Keeper::Account if accounts <= 1 => Some(Last::Account),
        Keeper::Token if tokens <= 1 && accounts == 0 && !provider => Some(Last::Way),
        Keeper::Account | Keeper::Token => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_account_and_the_last_way_are_told_from_others() {
        let keepers = |accounts, tokens, provider| Keepers { accounts, tokens, provider };
        for (there, account, token) in [
            (keepers(1, 0, false), Some(Last::Way), None),
            (keepers(1, 1, false), Some(Last::Account), None),
            (keepers(1, 0, true), Some(Last::Account), None),
            (keepers(2, 0, false), None, None),
            (keepers(0, 1, false), Some(Last::Account), Some(Last::Way)),
            (keepers(0, 2, false), Some(Last::Account), None),
            (keepers(0, 1, true), Some(Last::Account), None),
        ] {
            if there.accounts > 0 {
                assert_eq!(is_last(there, Keeper::Account), account, "{there:?}");
            }
            if there.tokens > 0 {
                assert_eq!(is_last(there, Keeper::Token), token, "{there:?}");
            }
        }
    }
}
