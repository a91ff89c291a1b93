//! Reads stretches: one point for each, those without a row as well.

use super::book::{Counts, Level, Row};
use super::step::Step;
use crate::time::Millis;

/// What one stretch comes to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When it begins.
    pub at: Millis,
    /// How many nodes were online in it on average, as far as it is over: of one node from 0 to 1. Nothing: that is not
    /// known.
    pub online: Option<f64>,
    /// What is counted in it.
    pub counts: Counts,
}

/// The points of the stretches that begin in `from..until`. `rows` are those of the holder from `from` on, in their
/// order, up to the first of a later stretch in which something changed; `level` is how many are online of it now.
pub fn points(
    step: Step,
    (from, until): (Millis, Millis),
    rows: &[Row],
    level: Option<Level>,
    now: Millis,
) -> Vec<Point> {
    let first = step.start_of(from);
    let count =
        until.since(first).0.div_euclid(step.length().0) + i64::from(until.since(first).0 % step.length().0 > 0);
    let stretches = (0..count).map(|number| Millis(first.0 + number * step.length().0));
    stretches.map(|at| point(step, at, rows, level, now)).collect()
}

fn point(step: Step, at: Millis, rows: &[Row], level: Option<Level>, now: Millis) -> Point {
    let row = rows.iter().find(|row| row.at == at);
    let counts = row.map_or_else(Counts::default, |row| row.sum.counts);
    Point { at, online: online(step, at, rows, level, now), counts }
}

fn online(step: Step, at: Millis, rows: &[Row], level: Option<Level>, now: Millis) -> Option<f64> {
    let level = level?;
    let end = (at + step.length()).min(now);
    let began = at.max(level.known_since);
    let measured = u64::try_from(end.0 - began.0).ok().filter(|measured| *measured > 0)?;
    // What is later than now was written by a clock that was ahead.
    let change = |row: &Row| row.sum.change.filter(|(.., changed_at)| *changed_at <= now);
    let own = rows.iter().find(|row| row.at == at).and_then(|row| Some((row.sum.online_ms, change(row)?)));
    let total = match own {
        Some((before, (_, online, changed_at))) => before + online * end.since(changed_at).0.unsigned_abs(),
        None => {
            // What held before the next change held here, too.
            let next = rows.iter().filter(|row| row.at > at).find_map(change);
            next.map_or(level.online, |(before, ..)| before) * measured
        }
    };
    Some(total as f64 / measured as f64)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::super::book::{Book, Happening, Sum};
    use super::*;
    use crate::time::Span;

    fn at(minutes: i64) -> Millis {
        Millis(0) + Span::minutes(minutes)
    }

    fn rows_of(book: &Book<&str>, holder: &str, step: Step) -> Vec<Row> {
        let of = book.sums.iter().filter(|((of, its, _), _)| *of == holder && *its == step);
        of.map(|((.., at), sum)| Row { at: *at, sum: *sum }).collect()
    }

    #[test]
    fn a_node_that_was_online_for_half_an_hour_was_there_by_half() {
        let mut book = Book::new(BTreeMap::new());
        for (minutes, is) in [(0, true), (90, false), (300, true)] {
            book.enter(&"node", &"org", Happening::Online(is), at(minutes));
        }
        let online = |step, from, until, now| -> Vec<Option<f64>> {
            let rows = rows_of(&book, "node", step);
            let all = points(step, (at(from), at(until)), &rows, book.levels.get("node").copied(), at(now));
            all.into_iter().map(|point| point.online).collect()
        };
        let (whole, half, none) = (Some(1.0), Some(0.5), Some(0.0));
        assert_eq!(online(Step::Hour, 0, 360, 360), [whole, half, none, none, none, whole]);
        assert_eq!(online(Step::Hour, 120, 180, 360), [none], "from the rows after it");
        assert_eq!(online(Step::Hour, 360, 480, 390), [whole, None], "what is to come is not known");
        assert_eq!(online(Step::Hour, -60, 0, 360), [None], "nor is what was before");
        assert_eq!(online(Step::Day, 0, 1440, 360), [Some(150.0 / 360.0)]);
    }

    #[test]
    fn what_a_clock_that_was_ahead_has_written_is_skipped() {
        let mut book = Book::new(BTreeMap::new());
        for (minutes, is) in [(0, true), (60 * 24 * 400, false), (30, true)] {
            book.enter(&"node", &"org", Happening::Online(is), at(minutes));
        }
        book.enter(&"node", &"org", Happening::Online(false), at(60));
        let rows = rows_of(&book, "node", Step::Hour);
        let level = book.levels.get("node").copied();
        let shown = points(Step::Hour, (at(0), at(240)), &rows, level, at(180));
        let online: Vec<_> = shown.into_iter().map(|point| point.online).collect();
        assert_eq!(online[1..], [Some(0.0), Some(0.0), None], "the later change says nothing of these hours");
    }

    proptest! {
        /// However a node comes and goes, and however its events are cut into pages: the stretches sum up to the time
        /// in which it was online, and hours and days say the same.
        #[test]
        fn buckets_sum_up_to_the_time_online(
            steps in proptest::collection::vec((1i64..2000, any::<bool>(), any::<bool>()), 1..40), cut in 1usize..9,
        ) {
            let (mut levels, mut all) = (BTreeMap::new(), BTreeMap::<(&str, Step, Millis), Sum>::new());
            let (mut now, mut spans, mut last) = (0, [0i64; 2], [None::<(i64, bool)>; 2]);
            for page in steps.chunks(cut) {
                let mut book = Book::new(levels);
                for (later, is_first, is) in page {
                    now += later;
                    let which = usize::from(!is_first);
                    if let Some((since, true)) = last[which] { spans[which] += now - since; }
                    last[which] = Some((now, *is));
                    book.enter(&["a", "b"][which], &"org", Happening::Online(*is), at(now));
                }
                levels = book.levels;
                for (key, sum) in book.sums {
                    let before = all.remove(&key).unwrap_or_default();
                    all.insert(key, before.and(sum));
                }
            }
            now += 777;
            for which in 0..2 {
                if let Some((since, true)) = last[which] { spans[which] += now - since; }
            }
            for (holder, expected) in [("a", spans[0]), ("b", spans[1]), ("org", spans[0] + spans[1])] {
                let Some(level) = levels.get(holder).copied() else { continue };
                for step in Step::ALL {
                    let of = all.iter().filter(|((of, its, _), _)| *of == holder && *its == step);
                    let rows: Vec<Row> = of.map(|((.., at), sum)| Row { at: *at, sum: *sum }).collect();
                    let shown = points(step, (Millis(0), at(now)), &rows, Some(level), at(now));
                    let total: f64 = shown.iter().filter_map(|point| {
                        let end = (point.at + step.length()).min(at(now));
                        let measured = end.0 - point.at.max(level.known_since).0;
                        point.online.map(|online| online * measured as f64)
                    }).sum();
                    let total = total / 60_000.0;
                    let apart = (total - expected as f64).abs();
                    prop_assert!(apart < 0.001, "{} {:?}: {} {}", holder, step, total, expected);
                    prop_assert!(rows.len() <= shown.len());
                }
            }
        }
    }
}
