//! The one table of keys. A key that is added here is listed, read, changed and documented everywhere.

use super::setting::{OrgSetting, Shape, Value};
use crate::access::Role;
use crate::config::nearest;
use crate::limits::INVITE_LIFE_MAX;
use crate::time::Span;

/// A key whose values are read as `T`.
#[derive(Debug)]
pub struct Key<T: 'static> {
    /// What may stand under it.
    pub setting: &'static OrgSetting,
    read: fn(Value) -> Option<T>,
}

/// How long an invite may be valid.
pub const INVITES_VALID_FOR_MAX: Key<Span> = Key {
    setting: &OrgSetting {
        key: "invites.valid_for_max_seconds",
        shape: Shape::Number { unit: "seconds", least: 60, most: INVITE_LIFE_MAX.0 / 1000 },
        default: Value::Number(INVITE_LIFE_MAX.0 / 1000),
        meaning: "The longest time for which a new invite may be valid.",
    },
    read: seconds,
};

/// When a session ends, however busy it is.
pub const SESSIONS_ABSOLUTE: Key<Span> = Key {
    setting: &OrgSetting {
        key: "sessions.absolute_seconds",
        shape: Shape::Number { unit: "seconds", least: 300, most: 2_592_000 },
        default: Value::Number(43_200),
        meaning: "When a session of the console ends, counted from the sign-in, however busy it is.",
    },
    read: seconds,
};

/// When a session ends that nobody uses.
pub const SESSIONS_IDLE: Key<Span> = Key {
    setting: &OrgSetting {
        key: "sessions.idle_seconds",
        shape: Shape::Number { unit: "seconds", least: 5, most: 86_400 },
        default: Value::Number(1800),
        meaning: "When a session of the console ends that nobody uses, counted from its last request.",
    },
    read: seconds,
};

/// When a session's secret is replaced.
pub const SESSIONS_ROTATE: Key<Span> = Key {
    setting: &OrgSetting {
        key: "sessions.rotate_seconds",
        shape: Shape::Number { unit: "seconds", least: 1, most: 86_400 },
        default: Value::Number(900),
        meaning: "How old the secret of a session's cookie may become before the next request replaces it.",
    },
    read: seconds,
};

/// How long a terminal may be open.
pub const TERMINAL_SESSION_MAX_TTL: Key<Span> = Key {
    setting: &OrgSetting {
        key: "terminal.session_max_ttl_seconds",
        shape: Shape::Number { unit: "seconds", least: 60, most: 86_400 },
        default: Value::Number(14_400),
        meaning: "The longest time for which a terminal at a node may be open.",
    },
    read: seconds,
};

/// The most that a token may be.
pub const TOKENS_ROLE_MAX: Key<Role> = Key {
    setting: &OrgSetting {
        key: "tokens.role_max",
        shape: Shape::Word(&["viewer", "service", "operator", "admin"]),
        default: Value::Word("admin"),
        meaning: "The role up to which new API tokens may be made; each includes the ones before it.",
    },
    read: role,
};

/// Whether tokens must be limited.
pub const TOKENS_SCOPES_NEEDED: Key<bool> = Key {
    setting: &OrgSetting {
        key: "tokens.scopes_needed",
        shape: Shape::Flag,
        default: Value::Flag(false),
        meaning: "Whether each new API token must be limited by scopes to what it is for.",
    },
    read: flag,
};

/// How long a token may be valid; zero: without end.
pub const TOKENS_VALID_FOR_MAX: Key<Span> = Key {
    setting: &OrgSetting {
        key: "tokens.valid_for_max_seconds",
        shape: Shape::Number { unit: "seconds", least: 0, most: 315_360_000 },
        default: Value::Number(0),
        meaning: "The longest time for which a new API token may be valid; 0: as long as one likes, even without end.",
    },
    read: seconds,
};

/// Every key, in the order of their names.
pub static ALL: [&OrgSetting; 8] = [
    INVITES_VALID_FOR_MAX.setting,
    SESSIONS_ABSOLUTE.setting,
    SESSIONS_IDLE.setting,
    SESSIONS_ROTATE.setting,
    TERMINAL_SESSION_MAX_TTL.setting,
    TOKENS_ROLE_MAX.setting,
    TOKENS_SCOPES_NEEDED.setting,
    TOKENS_VALID_FOR_MAX.setting,
];

/// The key of this name.
pub fn known(key: &str) -> Option<&'static OrgSetting> {
    ALL.into_iter().find(|setting| setting.key == key)
}

/// The name that somebody probably meant.
pub fn nearest_known(key: &str) -> Option<&'static str> {
    nearest(key, ALL.into_iter().map(|setting| setting.key))
}

impl<T> Key<T> {
    /// What a value of this key says.
    ///
    /// # Panics
    /// If the table gives the key a default that is not of its type, which its test would have told.
    pub fn read(&self, value: Value) -> T {
        let read = (self.read)(value).or_else(|| (self.read)(self.setting.default));
        read.unwrap_or_else(|| panic!("the default of {} is of its type", self.setting.key))
    }
}

fn seconds(value: Value) -> Option<Span> {
    match value {
        Value::Number(seconds) => Some(Span::seconds(seconds)),
        Value::Flag(_) | Value::Word(_) => None,
    }
}

fn flag(value: Value) -> Option<bool> {
    match value {
        Value::Flag(flag) => Some(flag),
        Value::Number(_) | Value::Word(_) => None,
    }
}

fn role(value: Value) -> Option<Role> {
    match value {
        Value::Word(word) => Role::parse(word),
        Value::Number(_) | Value::Flag(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_each_default_is_taken_by_its_own_key() {
        assert!(ALL.is_sorted_by(|one, next| one.key < next.key));
        for setting in ALL {
            assert_eq!(setting.take(&setting.default.to_json()), Ok(setting.default), "{}", setting.key);
            assert_eq!(known(setting.key), Some(setting));
            assert!(setting.meaning.ends_with('.') && setting.key.contains('.'), "{setting:?}");
            if let Shape::Number { unit, least, most } = setting.shape {
                assert!(least < most && setting.key.ends_with(unit), "{setting:?}");
            }
        }
    }

    /// That each value that fits the key says something of the type that it is read as.
    fn reads<T>(key: &Key<T>) {
        let values = match key.setting.shape {
            Shape::Number { least, most, .. } => vec![Value::Number(least), Value::Number(most)],
            Shape::Flag => vec![Value::Flag(true), Value::Flag(false)],
            Shape::Word(words) => words.iter().map(|word| Value::Word(word)).collect(),
        };
        for value in values.into_iter().chain([key.setting.default]) {
            assert!((key.read)(value).is_some(), "{}: {value}", key.setting.key);
        }
    }

    #[test]
    fn each_value_that_fits_a_key_is_read_as_the_key_s_type() {
        for key in [
            &INVITES_VALID_FOR_MAX,
            &SESSIONS_ABSOLUTE,
            &SESSIONS_IDLE,
            &TERMINAL_SESSION_MAX_TTL,
            &TOKENS_VALID_FOR_MAX,
        ] {
            reads(key);
        }
        reads(&TOKENS_ROLE_MAX);
        reads(&TOKENS_SCOPES_NEEDED);
        assert_eq!(TERMINAL_SESSION_MAX_TTL.read(Value::Number(90)), Span::seconds(90));
        assert_eq!(SESSIONS_IDLE.read(Value::Flag(true)), Span::minutes(30), "what is of another type counts as unset");
    }

    #[test]
    fn roles_are_listed_so_that_each_includes_the_ones_before_it() {
        let Shape::Word(words) = TOKENS_ROLE_MAX.setting.shape else { panic!("roles are words") };
        let held: Vec<_> = words.iter().map(|word| Role::parse(word).expect("it is a role").permissions()).collect();
        assert_eq!(held.len(), Role::ALL.len());
        assert!(held.windows(2).all(|pair| pair[1].contain_all(pair[0]) && pair[0] != pair[1]));
    }

    #[test]
    fn a_key_that_was_mistyped_is_told_the_nearest() {
        assert_eq!(nearest_known("sessions.idle_second"), Some("sessions.idle_seconds"));
        assert_eq!(nearest_known("terminal_session_max_ttl_seconds"), Some("terminal.session_max_ttl_seconds"));
        assert_eq!(nearest_known("session_max_ttl_seconds"), Some("terminal.session_max_ttl_seconds"));
        assert_eq!(nearest_known("colour"), None);
        assert_eq!(known("colour"), None);
    }
}
