//! What a soak comes to.

use serde::Serialize;

use super::notes::Ends;
use super::sample::Sample;

/// How fast the hub's memory may grow, in MB an hour, over the last two thirds.
const SLOPE_MAX: f64 = 4.0;
/// How long these last two thirds must be to say anything about memory: before, caches fill.
const SLOPE_SECONDS_MIN: u64 = 1200;
/// By how many more files than in the middle third may be open in the last: agents and people come and go.
const FILES_MORE_MAX: u64 = 16;

/// One point of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Point {
    /// What was looked at.
    pub(super) what: &'static str,
    /// What was seen.
    pub(super) seen: String,
    /// Whether that is as it should be; absent if the soak was too short to say.
    pub(super) good: Option<bool>,
}

/// All points.
pub(super) fn judge(samples: &[Sample], ends: &Ends) -> Vec<Point> {
    vec![every_task_ended(ends), order(ends), memory(samples), files(samples), errors(ends)]
}

fn every_task_ended(ends: &Ends) -> Point {
    let missing = ends.acknowledged.iter().filter(|task| !ends.ended.contains_key(*task)).count();
    let twice = ends.ended.values().filter(|times| **times != 1).count();
    let (submitted, ended, badly) = (ends.submitted(), ends.ended.len() as u64, ends.badly.len());
    Point {
        what: "every task came to one end",
        seen: format!(
            "{submitted} tasks, {ended} ended, {missing} without an end, {twice} with several, {badly} badly"
        ),
        good: Some(missing == 0 && twice == 0 && badly == 0 && ended == submitted),
    }
}

fn order(ends: &Ends) -> Point {
    let seen = format!("{} out of order", ends.out_of_order);
    Point { what: "events came in order, each once", seen, good: Some(ends.out_of_order == 0) }
}

fn memory(samples: &[Sample]) -> Point {
    let last = &samples[samples.len() / 3..];
    let seconds = last.last().map_or(0, |sample| sample.at_s) - last.first().map_or(0, |sample| sample.at_s);
    let slope = slope(last.iter().map(|sample| (sample.at_s as f64 / 3600.0, sample.own_kb as f64 / 1024.0)));
    Point {
        what: "the hub's own memory does not grow",
        seen: slope
            .map_or("too few looks".to_owned(), |slope| format!("{slope:+.1} MB an hour over the last two thirds")),
        good: slope.filter(|_| seconds >= SLOPE_SECONDS_MIN).map(|slope| slope <= SLOPE_MAX),
    }
}

fn files(samples: &[Sample]) -> Point {
    let third = samples.len() / 3;
    let most = |part: &[Sample]| part.iter().map(|sample| sample.open_files).max().unwrap_or(0);
    let (middle, last) = (most(&samples[third..samples.len() - third]), most(&samples[samples.len() - third..]));
    Point {
        what: "open files stay as many",
        seen: format!("at most {middle} in the middle third, {last} in the last"),
        good: Some(last <= middle + FILES_MORE_MAX),
    }
}

fn errors(ends: &Ends) -> Point {
    let unexplained: Vec<String> = ends.unexplained.iter().map(|(code, many)| format!("{code} {many}")).collect();
    let listed = if unexplained.is_empty() { "none otherwise".to_owned() } else { unexplained.join(", ") };
    let explained = ends.errors - ends.unexplained.values().sum::<u64>();
    Point {
        what: "no errors but those of a restart",
        seen: format!("{explained} around restarts, {listed}"),
        good: Some(unexplained.is_empty()),
    }
}

/// The slope of the line that fits best (least squares); none for fewer than two points.
fn slope(points: impl Iterator<Item = (f64, f64)>) -> Option<f64> {
    let points: Vec<(f64, f64)> = points.collect();
    let many = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0 / many, y + point.1 / many));
    let spread: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    let together: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    (spread > 0.0).then(|| together / spread)
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::ids::Id;

    /// An hour with a look a minute, in which memory grows so fast after the first third.
    fn hour(mb_per_hour: f64) -> Vec<Sample> {
        let at = |minute: u64| Sample {
            at_s: minute * 60,
            own_kb: ((50.0 + mb_per_hour * minute as f64 / 60.0) * 1024.0) as u64,
            open_files: 40,
            ..Sample::default()
        };
        (0..60).map(at).collect()
    }

    #[test]
    fn memory_that_grows_is_seen_and_a_short_soak_says_nothing_of_it() {
        assert_eq!(memory(&hour(0.5)).good, Some(true));
        assert_eq!(memory(&hour(9.0)).good, Some(false));
        assert!(memory(&hour(9.0)).seen.starts_with("+9.0 MB"));
        assert_eq!(memory(&hour(9.0)[..10]).good, None);
        assert_eq!(memory(&[]).good, None);
    }

    #[test]
    fn files_that_are_never_closed_are_seen() {
        let mut samples = hour(0.0);
        assert_eq!(files(&samples).good, Some(true));
        samples[59].open_files = 80;
        assert_eq!(files(&samples).good, Some(false));
    }

    #[test]
    fn a_task_without_an_end_or_with_two_and_an_error_that_nothing_explains_are_seen() {
        let task = Id::from_uuid(uuid::Uuid::now_v7());
        let mut ends = Ends { acknowledged: [task].into(), ..Ends::default() };
        assert_eq!(every_task_ended(&ends).good, Some(false));
        ends.ended.insert(task, 1);
        assert_eq!(every_task_ended(&ends).good, Some(true));
        ends.ended.insert(task, 2);
        assert_eq!(every_task_ended(&ends).good, Some(false));
        ends.errors = 3;
        assert_eq!(errors(&ends).good, Some(true));
        ends.unexplained.insert("internal".to_owned(), 1);
        assert_eq!((errors(&ends).good, errors(&ends).seen.as_str()), (Some(false), "2 around restarts, internal 1"));
    }
}
