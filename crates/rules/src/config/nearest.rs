//! The key that someone probably meant.

/// The known key nearest to a mistyped one, if any is near: a few letters apart, or the same word
/// in another table.
pub fn nearest<'a>(key: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    nearest_few(key, known, 1).pop()
}

/// The known keys that are near to a mistyped one, the nearest first: at most `most`.
pub fn nearest_few<'a>(key: &str, known: impl IntoIterator<Item = &'a str>, most: usize) -> Vec<&'a str> {
    let far = key.chars().count() / 3 + 1;
    let near = known.into_iter().filter_map(|candidate| Some((apart(key, candidate, far)?, candidate)));
    let mut near: Vec<(usize, &str)> = near.collect();
    near.sort_by_key(|(distance, _)| *distance);
    near.into_iter().take(most).map(|(_, candidate)| candidate).collect()
}

/// How far apart two keys are, unless that is further than `far`. Words whose lengths are further apart than that are
/// not compared: that would take long for a long key.
fn apart(key: &str, candidate: &str, far: usize) -> Option<usize> {
    let last = |dotted: &str| dotted.rsplit('.').next().unwrap_or_default().to_owned();
    if last(key) == last(candidate) {
        return Some(1);
    }
    let is_near = key.chars().count().abs_diff(candidate.chars().count()) <= far;
    is_near.then(|| edits(key, candidate)).filter(|distance| *distance <= far)
}

/// How many letters must be added, dropped or changed to make one word the other (Levenshtein).
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, b) in to.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (from, to, count) in [("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("listen", "lisen", 1)] {
            assert_eq!(edits(from, to), count, "{from} {to}");
            assert_eq!(edits(to, from), count, "{to} {from}");
        }
    }

    #[test]
    fn the_nearest_key_is_found_and_a_far_one_is_not_offered() {
        let known = ["listen", "data", "limits.requests_per_second"];
        assert_eq!(nearest("lisen", known), Some("listen"));
        assert_eq!(nearest("listn_addr", known), None);
        assert_eq!(nearest("requests_per_second", known), Some("limits.requests_per_second"));
        assert_eq!(nearest("limits.request_per_second", known), Some("limits.requests_per_second"));
        assert_eq!(nearest("colour", known), None);
    }

    #[test]
    fn of_several_that_are_near_the_nearest_comes_first() {
        let known = ["berlin-10", "berlin-1", "bern", "berlin-2", "budapest"];
        assert_eq!(nearest_few("berlin-3", known, 2), ["berlin-1", "berlin-2"]);
        assert_eq!(nearest_few("budapset", known, 3), ["budapest"]);
        assert_eq!(nearest_few("oslo", known, 3), [""; 0]);
    }
}
