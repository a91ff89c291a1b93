//! What can be done over the people's side of the API, one word for each.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One thing that a principal may be allowed to do. Its word is `noun:verb`; scopes of tokens are written so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Ask who one is, read one's own notifications, and leave.
    SelfRead,
    /// Read events and alarms.
    EventsRead,
    /// Read tasks, their logs and the task types.
    TasksRead,
    /// Submit, cancel and requeue tasks.
    TasksWrite,
    /// Read jobs.
    JobsRead,
    /// Run and steer jobs.
    JobsWrite,
    /// Read what nodes should be, how they stand to it, and which secrets there are.
    DesiredRead,
    /// Draft and publish what nodes should be.
    DesiredWrite,
    /// Give secrets their values, and remove them.
    SecretsWrite,
    /// Read operations, and the operators who may sign them.
    OperationsRead,
    /// Propose operations, bring signatures, and decide against them.
    OperationsWrite,
    /// Publish a set of operators.
    OperatorsWrite,
    /// Read nodes and sites.
    NodesRead,
    /// Change what is meant for nodes and sites.
    NodesWrite,
    /// List invites.
    AdmissionRead,
    /// Let nodes in, and shut them out.
    AdmissionWrite,
    /// List tokens, accounts and sessions.
    PeopleRead,
    /// Let people and programs in, change what they may do, and shut them out.
    PeopleWrite,
    /// Read settings, alarm rules, and who is told of alarms.
    SettingsRead,
    /// Change settings, alarm rules, and who is told of alarms.
    SettingsWrite,
    /// Read the audit log: who did what.
    AuditRead,
    /// Look at the hub's keys and rotate them. Only for the hub's own org, whatever the role.
    KeysWrite,
    /// List and make orgs. Only for the hub's own org, whatever the role.
    OrgsWrite,
}

impl Permission {
    /// Every permission.
    pub const ALL: [Permission; 23] = [
        Permission::SelfRead,
        Permission::EventsRead,
        Permission::TasksRead,
        Permission::TasksWrite,
        Permission::JobsRead,
        Permission::JobsWrite,
        Permission::DesiredRead,
        Permission::DesiredWrite,
        Permission::SecretsWrite,
        Permission::OperationsRead,
        Permission::OperationsWrite,
        Permission::OperatorsWrite,
        Permission::NodesRead,
        Permission::NodesWrite,
        Permission::AdmissionRead,
        Permission::AdmissionWrite,
        Permission::PeopleRead,
        Permission::PeopleWrite,
        Permission::SettingsRead,
        Permission::SettingsWrite,
        Permission::AuditRead,
        Permission::KeysWrite,
        Permission::OrgsWrite,
    ];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Permission::SelfRead => "self:read",
            Permission::EventsRead => "events:read",
            Permission::TasksRead => "tasks:read",
            Permission::TasksWrite => "tasks:write",
            Permission::JobsRead => "jobs:read",
            Permission::JobsWrite => "jobs:write",
            Permission::DesiredRead => "desired:read",
            Permission::DesiredWrite => "desired:write",
            Permission::SecretsWrite => "secrets:write",
            Permission::OperationsRead => "operations:read",
            Permission::OperationsWrite => "operations:write",
            Permission::OperatorsWrite => "operators:write",
            Permission::NodesRead => "nodes:read",
            Permission::NodesWrite => "nodes:write",
            Permission::AdmissionRead => "admission:read",
            Permission::AdmissionWrite => "admission:write",
            Permission::PeopleRead => "people:read",
            Permission::PeopleWrite => "people:write",
            Permission::SettingsRead => "settings:read",
            Permission::SettingsWrite => "settings:write",
            Permission::AuditRead => "audit:read",
            Permission::KeysWrite => "keys:write",
            Permission::OrgsWrite => "orgs:write",
        }
    }

    /// Whether it changes anything.
    pub fn writes(self) -> bool {
        self.as_str().ends_with(":write")
    }
}

/// The word is no permission.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no permission `{0}`; there are {known}", known = Permissions::ALL)]
pub struct UnknownPermission(pub String);

impl FromStr for Permission {
    type Err = UnknownPermission;

    fn from_str(word: &str) -> Result<Permission, UnknownPermission> {
        let found = Permission::ALL.into_iter().find(|permission| permission.as_str() == word);
        found.ok_or_else(|| UnknownPermission(word.chars().take(80).collect()))
    }
}

/// A set of permissions. Its text is their words with spaces between; in JSON it is a list of them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Permissions(u32);

impl Permissions {
    /// None at all.
    pub const NONE: Permissions = Permissions(0);
    /// Every one.
    pub const ALL: Permissions = Permissions::of(&Permission::ALL);

    /// These.
    pub const fn of(permissions: &[Permission]) -> Permissions {
        let (mut bits, mut at) = (0, 0);
        while at < permissions.len() {
            bits |= 1 << permissions[at] as u32;
            at += 1;
        }
        Permissions(bits)
    }

    /// Those in either.
    #[must_use]
    pub const fn and(self, others: Permissions) -> Permissions {
        Permissions(self.0 | others.0)
    }

    /// Those in both.
    #[must_use]
    pub const fn within(self, limit: Permissions) -> Permissions {
        Permissions(self.0 & limit.0)
    }

    /// Those that are not among `others`.
    #[must_use]
    pub const fn without(self, others: Permissions) -> Permissions {
        Permissions(self.0 & !others.0)
    }

    /// Whether this one is among them.
    pub const fn contain(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u32) != 0
    }

    /// Whether all of these are among them.
    pub const fn contain_all(self, others: Permissions) -> bool {
        others.0 & !self.0 == 0
    }

    /// Whether there are none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them, in the order of [`Permission::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.into_iter().filter(move |permission| self.contain(*permission))
    }
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Permissions {
        permissions.into_iter().fold(Permissions::NONE, |all, one| all.and(Permissions::of(&[one])))
    }
}

impl fmt::Display for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.iter().map(Permission::as_str).collect();
        f.write_str(&words.join(" "))
    }
}

impl fmt::Debug for Permissions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Permissions({self})")
    }
}

impl FromStr for Permissions {
    type Err = UnknownPermission;

    fn from_str(text: &str) -> Result<Permissions, UnknownPermission> {
        text.split_whitespace().map(str::parse::<Permission>).collect()
    }
}

impl Serialize for Permissions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(Permission::as_str))
    }
}

impl<'de> Deserialize<'de> for Permissions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Permissions, D::Error> {
        let words = Vec::<String>::deserialize(deserializer)?;
        words.iter().map(|word| word.parse::<Permission>().map_err(serde::de::Error::custom)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_sets_are_read_back() {
        for permission in Permission::ALL {
            assert_eq!(permission.as_str().parse(), Ok(permission));
        }
        let some = Permissions::of(&[Permission::TasksRead, Permission::JobsWrite]);
        assert_eq!(some.to_string(), "tasks:read jobs:write");
        assert_eq!("jobs:write  tasks:read".parse(), Ok(some));
        assert_eq!(serde_json::to_string(&some).unwrap(), r#"["tasks:read","jobs:write"]"#);
        assert_eq!(serde_json::from_str::<Permissions>(r#"["jobs:write","tasks:read"]"#).unwrap(), some);
        assert!("tasks:rule".parse::<Permissions>().unwrap_err().to_string().contains("tasks:write"));
        assert_eq!("".parse(), Ok(Permissions::NONE));
    }

    #[test]
    fn sets_are_sets() {
        let (some, one) = (Permissions::of(&[Permission::TasksRead, Permission::JobsWrite]), Permission::JobsWrite);
        let only = Permissions::of(&[one]);
        assert!(some.contain(one) && some.contain_all(only) && !only.contain_all(some));
        assert_eq!(some.without(only).and(only), some);
        assert_eq!(some.within(only), only);
        assert!(some.without(some).is_empty() && Permissions::ALL.contain_all(some));
    }
}
