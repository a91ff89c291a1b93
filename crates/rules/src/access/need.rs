//! What a route asks of whoever calls it.

use super::permission::{Permission, Permissions};

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
    /// A person or program that may do this.
    May(Permission),
}

impl Need {
    /// The word in the committed list of routes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Need::Nobody => "nobody",
            Need::Invite => "invite",
            Need::Node => "node",
            Need::TrustKey => "trust_key",
            Need::May(permission) => permission.as_str(),
        }
    }

    /// May someone with these permissions use a route with this need?
    pub fn met_by(self, permissions: Permissions) -> bool {
        match self {
            Need::Nobody => true,
            Need::Invite | Need::Node | Need::TrustKey => false,
            Need::May(permission) => permissions.contain(permission),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_permission_stands_in_for_a_node_or_an_invite() {
        for need in [Need::Node, Need::Invite, Need::TrustKey] {
            assert!(!need.met_by(Permissions::ALL));
        }
        assert!(Need::Nobody.met_by(Permissions::NONE));
        let need = Need::May(Permission::TasksWrite);
        assert!(need.met_by(Permissions::of(&[Permission::TasksWrite])));
        assert!(!need.met_by(Permissions::ALL.without(Permissions::of(&[Permission::TasksWrite]))));
        assert_eq!(need.as_str(), "tasks:write");
    }
}
