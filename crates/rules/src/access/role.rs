//! The one table of who may do what.

use serde::{Deserialize, Serialize};

use super::permission::{Permission, Permissions};

/// What a person or program is in its org.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads, submits and steers work.
    Operator,
    /// Everything, including who may come in.
    Admin,
    /// A program: submits work and reads what becomes of it.
    Service,
}

/// What everybody may do who is somebody.
const VIEWER: Permissions = Permissions::of(&[
    Permission::SelfRead,
    Permission::EventsRead,
    Permission::TasksRead,
    Permission::JobsRead,
    Permission::DesiredRead,
    Permission::OperationsRead,
    Permission::NodesRead,
]);
const OPERATOR: Permissions = VIEWER.and(Permissions::of(&[
    Permission::TasksWrite,
    Permission::JobsWrite,
    Permission::DesiredWrite,
    Permission::OperationsWrite,
    Permission::NodesWrite,
    Permission::AdmissionRead,
    Permission::SettingsRead,
]));
const SERVICE: Permissions = VIEWER.and(Permissions::of(&[Permission::TasksWrite, Permission::JobsWrite]));

impl Role {
    /// Every role.
    pub const ALL: [Role; 4] = [Role::Viewer, Role::Operator, Role::Admin, Role::Service];

    /// The word for the role in tokens, tables and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Admin => "admin",
            Role::Service => "service",
        }
    }

    /// Reads the word back.
    pub fn parse(word: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// What the role may do, in the hub's own org.
    pub const fn permissions(self) -> Permissions {
        match self {
            Role::Viewer => VIEWER,
            Role::Operator => OPERATOR,
            Role::Admin => Permissions::ALL,
            Role::Service => SERVICE,
        }
    }
}

/// What somebody with this role may do: not more than the scopes say, where there are some, and nothing to
/// orgs as such or to the hub's keys unless they belong to the hub's own.
pub fn permissions_of(role: Role, scopes: Option<Permissions>, in_the_hubs_own_org: bool) -> Permissions {
    let limit = scopes.map_or(Permissions::ALL, |scopes| scopes.and(Permissions::of(&[Permission::SelfRead])));
    let elsewhere = Permissions::of(&[Permission::OrgsWrite, Permission::KeysWrite]);
    let all = role.permissions().within(limit);
    if in_the_hubs_own_org { all } else { all.without(elsewhere) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_who_may_do_what() {
        let may = |role: Role| role.permissions().to_string();
        let read = "self:read events:read tasks:read jobs:read desired:read operations:read nodes:read";
        assert_eq!(may(Role::Viewer), read);
        assert_eq!(
            may(Role::Operator),
            "self:read events:read tasks:read tasks:write jobs:read jobs:write desired:read desired:write \
             operations:read operations:write nodes:read nodes:write admission:read settings:read"
        );
        assert_eq!(
            may(Role::Service),
            "self:read events:read tasks:read tasks:write jobs:read jobs:write desired:read operations:read nodes:read"
        );
        assert_eq!(Role::Admin.permissions(), Permissions::ALL);
        assert!(Role::Viewer.permissions().iter().all(|permission| !permission.writes()));
    }

    #[test]
    fn the_documented_table_is_this_one() {
        let documented = include_str!("../../../../docs/people.md");
        for permission in Permission::ALL {
            let yes = |role| if role_has(role, permission) { " yes" } else { "" };
            let cells = [Role::Viewer, Role::Operator, Role::Admin, Role::Service].map(yes).join(" |");
            let row = format!("| `{}` |{cells} |", permission.as_str());
            assert!(documented.contains(&row), "docs/people.md has no row `{row}`");
        }
    }

    fn role_has(role: Role, permission: Permission) -> bool {
        role.permissions().contain(permission)
    }

    #[test]
    fn roles_are_read_back() {
        assert!(Role::ALL.into_iter().all(|role| Role::parse(role.as_str()) == Some(role)));
        assert_eq!(Role::parse("Admin"), None);
    }

    #[test]
    fn scopes_take_away_and_never_give() {
        let scopes = Permissions::of(&[Permission::TasksRead, Permission::PeopleWrite]);
        let may = permissions_of(Role::Operator, Some(scopes), true);
        assert_eq!(may.to_string(), "self:read tasks:read");
        assert_eq!(permissions_of(Role::Viewer, Some(Permissions::NONE), true).to_string(), "self:read");
    }

    #[test]
    fn an_admin_of_another_org_makes_no_orgs_and_rotates_no_keys() {
        for permission in [Permission::OrgsWrite, Permission::KeysWrite] {
            assert!(permissions_of(Role::Admin, None, true).contain(permission));
            assert!(!permissions_of(Role::Admin, None, false).contain(permission));
        }
    }
}
