//! What may be told of counts: nothing of few, and nothing from which few could be worked out.

use serde::Serialize;

/// A value of a column and how many have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Counted {
    /// The value as text; nothing for those that have none.
    pub(crate) value: Option<String>,
    /// How many.
    pub(crate) count: u64,
}

/// What is told of a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Told {
    /// Values and how many have each, the most first.
    pub(crate) values: Vec<Counted>,
    /// Whether values were left out because too few have them.
    pub(crate) suppressed: bool,
    /// Whether values were left out because there are too many of them.
    pub(crate) cut: bool,
}

/// Longest value that is told.
const VALUE_BYTES_MAX: usize = 64;

/// Tells what may be told. Values that fewer than `threshold` have are left out with their names. Whoever
/// knows the total could work out how many were left out together; so as long as those are some, but fewer
/// than `threshold`, the smallest of the others is left out, too.
pub(crate) fn tell(total: u64, mut values: Vec<Counted>, threshold: u64, values_max: usize) -> Told {
    values.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    // A value of a column that is counted by is short; what is long holds something else.
    let all = values.len();
    values.retain(|value| value.value.as_ref().is_none_or(|text| text.len() <= VALUE_BYTES_MAX));
    let had_long = values.len() < all;
    let cut = values.len() > values_max;
    let known = values.len();
    values.truncate(values_max);
    values.retain(|value| value.count >= threshold);
    let left_out = |values: &[Counted]| total.saturating_sub(values.iter().map(|value| value.count).sum());
    while !values.is_empty() && (1..threshold).contains(&left_out(&values)) {
        values.pop();
    }
    let suppressed = had_long || values.len() < known.min(values_max);
    Told { values, suppressed, cut }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn counted(counts: &[u64]) -> Vec<Counted> {
        let named = counts.iter().enumerate();
        named.map(|(at, count)| Counted { value: Some(format!("v{at}")), count: *count }).collect()
    }

    fn told(counts: &[u64]) -> (Vec<u64>, bool) {
        let told = tell(counts.iter().sum(), counted(counts), 10, 100);
        (told.values.iter().map(|value| value.count).collect(), told.suppressed)
    }

    #[test]
    fn few_are_left_out_and_cannot_be_worked_out() {
        assert_eq!(told(&[30, 20]), (vec![30, 20], false));
        assert_eq!(told(&[30, 20, 6, 5]), (vec![30, 20], true), "the two are eleven together");
        assert_eq!(told(&[30, 20, 3]), (vec![30], true), "else the three could be worked out");
        assert_eq!(told(&[12, 3]), (vec![], true));
        assert_eq!(told(&[]), (vec![], false));
    }

    #[test]
    fn a_value_that_is_no_value_is_not_told() {
        let long = Counted { value: Some("Ann,1940;".repeat(9)), count: 50 };
        assert_eq!(tell(50, vec![long], 10, 9), Told { values: vec![], suppressed: true, cut: false });
    }

    #[test]
    fn many_values_are_cut() {
        let told = tell(60, counted(&[20, 20, 20]), 10, 2);
        assert_eq!((told.values.len(), told.suppressed, told.cut), (2, false, true));
    }

    proptest! {
        #[test]
        fn whatever_is_told_leaves_none_or_many_untold(
            counts in proptest::collection::vec(0..40_u64, 0..20), threshold in 1..20_u64, most in 1..20_usize,
        ) {
            let total = counts.iter().sum::<u64>();
            let told = tell(total, counted(&counts), threshold, most);
            prop_assert!(told.values.len() <= most);
            prop_assert!(told.values.iter().all(|value| value.count >= threshold));
            let untold = total - told.values.iter().map(|value| value.count).sum::<u64>();
            prop_assert!(untold == 0 || untold >= threshold || told.values.is_empty());
        }
    }
}
