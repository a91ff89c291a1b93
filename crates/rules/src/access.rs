//! Who may do what: roles of people and services, and the need that each route declares.

use serde::{Deserialize, Serialize};

/// What a person or service may do in its org. Each role may do all that the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads, submits and steers work.
    Operator,
    /// Everything, including who may come in.
    Admin,
}

impl Role {
    /// The word for the role in tokens, tables and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Admin => "admin",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Role> {
        [Role::Viewer, Role::Operator, Role::Admin].into_iter().find(|role| role.as_str() == word)
    }
}

/// What a route needs of whoever calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// Nothing: anyone may ask (liveness, the OpenAPI document).
    Nobody,
    /// The secret of an open invite.
    Invite,
    /// The proof of a node's key.
    Node,
    /// The secret of a node without a certificate, on the trust API.
    TrustKey,
    /// A person or service with at least this role.
    Role(Role),
}

impl Need {
    /// The word in the committed list of routes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Need::Nobody => "nobody",
            Need::Invite => "invite",
            Need::Node => "node",
            Need::TrustKey => "trust_key",
            Need::Role(role) => role.as_str(),
        }
    }

    /// May someone with `role` use a route with this need?
    pub fn met_by(self, role: Role) -> bool {
        matches!(self, Need::Role(least) if role >= least) || self == Need::Nobody
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_may_do_what_the_lesser_ones_may() {
        assert!(Need::Role(Role::Viewer).met_by(Role::Admin));
        assert!(Need::Role(Role::Operator).met_by(Role::Operator));
        assert!(!Need::Role(Role::Operator).met_by(Role::Viewer));
        assert!(!Need::Role(Role::Admin).met_by(Role::Operator));
    }

    #[test]
    fn no_role_stands_in_for_a_node_or_an_invite() {
        for role in [Role::Viewer, Role::Operator, Role::Admin] {
            assert!(!Need::Node.met_by(role));
            assert!(!Need::Invite.met_by(role));
            assert!(!Need::TrustKey.met_by(role));
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
    }
}
