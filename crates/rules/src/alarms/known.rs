//! The rules that every hub has from the start.

use std::sync::LazyLock;

use serde::Deserialize;

use super::rule::AlarmRule;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    rules: Vec<AlarmRule>,
}

static KNOWN: LazyLock<Vec<AlarmRule>> = LazyLock::new(|| {
    let known: Known = toml::from_str(include_str!("known.toml")).expect("a test has read it");
    known.rules
});

/// The rules that every hub has from the start.
pub fn known_rules() -> &'static [AlarmRule] {
    &KNOWN
}

#[cfg(test)]
mod tests {
    use super::super::pattern::Happened;
    use super::super::rule::Verdict;
    use super::*;
    use serde_json::json;

    #[test]
    fn each_has_a_name_of_its_own() {
        let mut names: Vec<_> = known_rules().iter().map(|rule| rule.name.as_str()).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
        assert!(names.len() > 8);
    }

    #[test]
    fn a_node_that_goes_from_stale_to_down_is_one_alarm_after_the_other() {
        let judge = |name: &str, kind: &str| {
            let rule = known_rules().iter().find(|rule| rule.name == name).expect("it is known");
            rule.judge_event(Happened { kind, data: &json!({}) })
        };
        let (begins, ends) = (Some(Verdict::Begins(String::new())), Some(Verdict::Ends(String::new())));
        assert_eq!((judge("node.stale", "node.stale"), judge("node.down", "node.stale")), (begins.clone(), None));
        assert_eq!((judge("node.stale", "node.down"), judge("node.down", "node.down")), (ends.clone(), begins));
        assert_eq!((judge("node.stale", "node.recovered"), judge("node.down", "node.recovered")), (ends.clone(), ends));
    }
}
