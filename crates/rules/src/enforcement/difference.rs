//! What is to be changed at the edge, so that one owner's rules are exactly these. Rules with another mark, and those
//! without one, are never named in it.

/// A rule as it should be at the edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeRule {
    /// Whose it is, and which one of theirs; no two rules share it.
    pub mark: String,
    /// To whom it applies, in the edge's own words.
    pub expression: String,
    /// What people read at the edge.
    pub description: String,
}

/// A rule that was found at the edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundRule {
    /// What the edge calls it.
    pub id: String,
    /// The rule; its mark is empty if nobody gave it one.
    pub rule: EdgeRule,
    /// Whether it does what rules of ours do: it is switched on, and blocks.
    pub is_at_work: bool,
}

/// One change at the edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EdgeChange {
    /// Make this rule.
    Make(EdgeRule),
    /// Put this rule in place of the one with this id.
    Put(String, EdgeRule),
    /// Remove the rule with this id.
    Remove(String),
}

/// What is to be changed so that, of all rules with the mark of this owner, exactly `wanted` is there; nothing is there
/// if nothing is wanted. A second rule with the mark is left of a call that was made twice, and goes.
pub fn changes(owner: &str, found: &[FoundRule], wanted: Option<&EdgeRule>) -> Vec<EdgeChange> {
    let mut own = found.iter().filter(|found| found.rule.mark == owner);
    let first = own.next();
    let mut changes: Vec<EdgeChange> = own.map(|found| EdgeChange::Remove(found.id.clone())).collect();
    match (first, wanted) {
        (None, None) => {}
        (None, Some(rule)) => changes.push(EdgeChange::Make(rule.clone())),
        (Some(found), None) => changes.push(EdgeChange::Remove(found.id.clone())),
        (Some(found), Some(rule)) if found.rule == *rule && found.is_at_work => {}
        (Some(found), Some(rule)) => changes.push(EdgeChange::Put(found.id.clone(), rule.clone())),
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(mark: &str, expression: &str) -> EdgeRule {
        EdgeRule { mark: mark.into(), expression: expression.into(), description: "why".into() }
    }

    fn found(id: &str, mark: &str, expression: &str) -> FoundRule {
        FoundRule { id: id.into(), rule: rule(mark, expression), is_at_work: true }
    }

    #[test]
    fn only_what_differs_is_changed_and_only_what_is_ours() {
        let others = [found("1", "", "x"), found("2", "theirs", "x")];
        let ours = rule("ours", "x");
        assert_eq!(changes("ours", &others, None), []);
        assert_eq!(changes("ours", &others, Some(&ours)), [EdgeChange::Make(ours.clone())]);
        let with = |one: FoundRule| [others[0].clone(), one, others[1].clone()];
        let as_it_should_be = with(found("3", "ours", "x"));
        assert_eq!(changes("ours", &as_it_should_be, Some(&ours)), []);
        assert_eq!(changes("ours", &as_it_should_be, None), [EdgeChange::Remove("3".into())]);
        let put = [EdgeChange::Put("3".into(), ours.clone())];
        assert_eq!(changes("ours", &with(found("3", "ours", "y")), Some(&ours)), put);
        let switched_off = FoundRule { is_at_work: false, ..found("3", "ours", "x") };
        assert_eq!(changes("ours", &with(switched_off), Some(&ours)), put);
    }

    #[test]
    fn a_second_one_goes() {
        let twice = [found("1", "ours", "x"), found("2", "theirs", "x"), found("3", "ours", "x")];
        assert_eq!(changes("ours", &twice, Some(&rule("ours", "x"))), [EdgeChange::Remove("3".into())]);
        let both = [EdgeChange::Remove("3".into()), EdgeChange::Remove("1".into())];
        assert_eq!(changes("ours", &twice, None), both);
    }
}
