//! Whether a task type may run here.

use std::collections::BTreeSet;

use super::file::Policy;
use super::handlers::Kind;
use super::privileged::is_privileged;
use sortie_rules::tasks::Class;

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
        self.unusable.is_none()
    }

    /// Why its file cannot be used, if it cannot, in words for the hub.
    pub(crate) fn unusable(&self) -> Option<&str> {
        self.unusable.as_deref()
    }

    /// How many operators must have signed a task of this type; none for routine work.
    pub fn signatures(&self, type_name: &str) -> Option<u32> {
        match self.handlers.get(type_name) {
            Some(handling) => (handling.class == Class::Privileged).then_some(handling.signatures),
            None => is_privileged(type_name).then_some(1),
        }
    }

    /// Whether a type may be work for the helper.
    pub(crate) fn is_for_helper(&self, type_name: &str) -> bool {
        match self.handlers.get(type_name).map(|handling| &handling.kind) {
            Some(Kind::Command(command)) => command.user.is_some(),
            Some(Kind::Builtin(name)) => is_privileged(name),
            Some(Kind::Http(_)) => false,
            None => is_privileged(type_name) && self.allows(type_name),
        }
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
    fn privileged_builtins_need_an_operator_unless_the_site_says_that_they_are_routine() {
        let text = "allow = [\"host.reboot\", \"sleep\"]\n\
                    [handlers.\"service.restart\"]\nkind = \"builtin\"\nbuiltin = \"service.restart\"\n\
                    class = \"routine\"\n\
                    [handlers.\"again\"]\nkind = \"builtin\"\nbuiltin = \"host.reboot\"\nsignatures = 2\n";
        let policy = Policy::parse(text, std::path::Path::new("p")).unwrap();
        let asked = ["host.reboot", "sleep", "service.restart", "again"].map(|name| policy.signatures(name));
        assert_eq!(asked, [Some(1), None, None, Some(2)]);
        let helped = ["host.reboot", "sleep", "service.restart", "again"].map(|name| policy.is_for_helper(name));
        assert_eq!(helped, [true, false, true, true]);
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
