//! What somebody may give to others: never more than they have themselves, and only if people are theirs to
//! let in.

use super::permission::{Permission, Permissions};

/// What somebody holds before and after a change. A token that is made, or an account that is removed, holds
/// nothing before or after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// Before.
    pub before: Permissions,
    /// After.
    pub after: Permissions,
}

/// Whether somebody with these permissions may change what another of the same org holds. Whoever has less
/// neither raises anybody above themselves nor touches those who stand above them.
pub fn may_give(giver: Permissions, given: Given) -> bool {
    giver.contain(Permission::PeopleWrite) && giver.contain_all(given.before.and(given.after))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::role::{Role, permissions_of};
    use super::*;

    fn any_permissions() -> impl Strategy<Value = Permissions> {
        proptest::sample::subsequence(Permission::ALL.to_vec(), 0..=Permission::ALL.len())
            .prop_map(|permissions| permissions.into_iter().collect())
    }

    fn any_role() -> impl Strategy<Value = Role> {
        proptest::sample::select(Role::ALL.to_vec())
    }

    #[test]
    fn only_whoever_lets_people_in_gives_and_only_what_they_have() {
        let admin = Permissions::ALL;
        let scoped = Permissions::of(&[Permission::PeopleWrite, Permission::TasksRead]);
        let given = |before, after| Given { before, after };
        assert!(may_give(admin, given(Permissions::NONE, admin)));
        assert!(may_give(scoped, given(Permissions::NONE, Permissions::of(&[Permission::TasksRead]))));
        assert!(!may_give(scoped, given(Permissions::NONE, Permissions::of(&[Permission::TasksWrite]))));
        assert!(!may_give(scoped, given(admin, Permissions::NONE)), "an administrator is not theirs to remove");
        assert!(!may_give(Role::Operator.permissions(), given(Permissions::NONE, Permissions::NONE)));
    }

    /// People of one org, each with a role and scopes; any of them tries to change any.
    #[derive(Debug, Clone)]
    struct Attempt {
        by: usize,
        whom: usize,
        role: Role,
        scopes: Option<Permissions>,
    }

    fn any_attempt() -> impl Strategy<Value = Attempt> {
        (0..6usize, 0..6usize, any_role(), proptest::option::of(any_permissions()))
            .prop_map(|(by, whom, role, scopes)| Attempt { by, whom, role, scopes })
    }

    proptest! {
        /// Whatever those without `people:write` try, in whichever order, nobody comes to hold more: so no
        /// sequence of role changes lets a viewer write.
        #[test]
        fn no_sequence_of_role_changes_lets_a_viewer_write(
            attempts in proptest::collection::vec(any_attempt(), 0..60),
            roles in proptest::collection::vec(any_role(), 6),
        ) {
            let start: Vec<Permissions> = roles.iter().map(|role| permissions_of(*role, None, true)).collect();
            let mut people = start.clone();
            for Attempt { by, whom, role, scopes } in &attempts {
                let after = permissions_of(*role, *scopes, true);
                // Whoever was an administrator from the start is trusted to give; they sit this out.
                if start[*by].contain(Permission::PeopleWrite) {
                    continue;
                }
                if may_give(people[*by], Given { before: people[*whom], after }) {
                    people[*whom] = after;
                }
            }
            prop_assert_eq!(people, start);
        }

        /// Even with administrators of narrow scopes at work, nobody ever holds what none of the givers held.
        #[test]
        fn what_nobody_has_nobody_can_be_given(
            attempts in proptest::collection::vec(any_attempt(), 0..60),
            held in proptest::collection::vec(any_permissions(), 6),
        ) {
            let most = held.iter().fold(Permissions::NONE, |all, one| all.and(*one));
            let mut people = held;
            for Attempt { by, whom, role, scopes } in &attempts {
                let after = permissions_of(*role, *scopes, true);
                if may_give(people[*by], Given { before: people[*whom], after }) {
                    people[*whom] = after;
                }
            }
            prop_assert!(people.into_iter().all(|one| most.contain_all(one)));
        }
    }
}
