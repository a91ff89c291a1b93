//! Whether a task type may run here.

use std::collections::BTreeSet;

use super::file::Policy;
use super::handlers::Kind;

impl Policy {
    /// Whether the site lets this type run: it stands in `allow` or has a table of its own. A refusal by
    /// name is stronger than either.
    pub fn allows(&self, type_name: &str) -> bool {
        let named = |list: &[String]| list.iter().any(|name| name == type_name);
        let has_handler = self.handlers.contains_key(type_name);
        !named(&self.refuse) && (self.allow_unnamed || has_handler || named(&self.allow))
    }

    /// Whether its file can be used. If it cannot, nothing runs, and what comes is told to come again.
    pub fn is_usable(&self) -> bool {
        !self.is_unusable
    }

    /// Whether any program is another user's.
    pub(crate) fn has_other_users(&self) -> bool {
        self.handlers
            .values()
            .any(|handling| matches!(&handling.kind, Kind::Command(command) if command.user.is_some()))
    }

    /// The types that may run: those of `builtin`, and those with a table of their own.
    pub fn types<'t>(&'t self, builtin: impl Iterator<Item = &'t str>) -> Vec<String> {
        let all: BTreeSet<&str> = builtin.chain(self.handlers.keys().map(String::as_str)).collect();
        all.into_iter().filter(|name| self.allows(name)).map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(allow_unnamed: bool, allow: &[&str], refuse: &[&str]) -> Policy {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Policy { allow_unnamed, allow: owned(allow), refuse: owned(refuse), ..Policy::nothing() }
    }

    #[test]
    fn a_type_runs_only_if_the_site_says_so() {
        assert!(policy(false, &["sleep"], &[]).allows("sleep"));
        assert!(!policy(false, &["sleep"], &[]).allows("Sleep"));
        assert!(!policy(false, &["sleep"], &["sleep"]).allows("sleep"));
        assert!(policy(true, &[], &[]).allows("anything"));
        assert!(!policy(true, &[], &["anything"]).allows("anything"));
        assert_eq!(policy(false, &["b"], &[]).types(["a", "b"].into_iter()), ["b"]);
    }
}
