//! The best of each, beside each other.

use std::collections::BTreeMap;
use std::io::Write as _;

use super::plan::{Comparison, Target};
use crate::figure::Figure;

/// Prints the table, in Markdown.
pub(super) fn print(plan: &[&Comparison], figures: &[Figure]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "\n| row | who | best of the runs | ours against it | wanted | reached |\n|---|---|---|---|---|---|"
    )?;
    for comparison in plan {
        let all = best_of_each(comparison, figures);
        let Some(ours) = all.get("sortie") else { continue };
        let first = all.iter().filter(|(peer, _)| **peer != "sortie").map(|(_, best)| *best);
        let first = first.reduce(|one, other| if is_better(comparison, other, one) { other } else { one });
        writeln!(
            out,
            "| {} | sortie | {} | | {} |",
            comparison.row,
            shown(comparison, ours),
            reach(comparison, ours, first)
        )?;
        for (peer, best) in all.iter().filter(|(peer, _)| **peer != "sortie") {
            let against = ratio(comparison, ours, best);
            writeln!(out, "| | {peer} | {} | {against:.2} | | |", shown(comparison, best))?;
        }
    }
    Ok(())
}

/// The best figure of everybody that was measured.
fn best_of_each<'f>(comparison: &Comparison, figures: &'f [Figure]) -> BTreeMap<&'f str, &'f Figure> {
    let mut best: BTreeMap<&str, &Figure> = BTreeMap::new();
    for figure in figures {
        let names = if figure.peer == "sortie" { &[comparison.ours] } else { comparison.theirs };
        let fits = |figure: &Figure| names.iter().position(|name| *name == figure.workload);
        let Some(fit) = fits(figure) else { continue };
        let is_best = best.get(figure.peer.as_str()).is_none_or(|known| {
            let known_fit = fits(known).unwrap_or(usize::MAX);
            fit < known_fit || (fit == known_fit && is_better(comparison, figure, known))
        });
        if is_best {
            best.insert(&figure.peer, figure);
        }
    }
    best
}

fn is_better(comparison: &Comparison, one: &Figure, other: &Figure) -> bool {
    ratio(comparison, one, other) > 1.0
}

/// How many times as good `one` is as `other`.
fn ratio(comparison: &Comparison, one: &Figure, other: &Figure) -> f64 {
    match comparison.target {
        Target::BestTimes(_) => one.rate.unwrap_or(0.0) / other.rate.unwrap_or(f64::INFINITY),
        Target::Within(..) => other.p50_ms.unwrap_or(0.0) / one.p50_ms.unwrap_or(f64::INFINITY),
    }
}

fn shown(comparison: &Comparison, figure: &Figure) -> String {
    match comparison.target {
        Target::BestTimes(_) => format!("{:.0}/s", figure.rate.unwrap_or(0.0)),
        Target::Within(..) => {
            format!("p50 {:.2} ms, p99 {:.2} ms", figure.p50_ms.unwrap_or(0.0), figure.p99_ms.unwrap_or(0.0))
        }
    }
}

/// What is wanted, and whether it is there.
fn reach(comparison: &Comparison, ours: &Figure, first: Option<&Figure>) -> String {
    let word = |reached: bool| if reached { "yes" } else { "no" };
    match comparison.target {
        Target::BestTimes(times) => {
            let reached = first.map(|first| ratio(comparison, ours, first) >= times);
            format!("{times} × the best | {}", reached.map_or("", word))
        }
        Target::Within(p50, p99) => {
            let within = |time: Option<f64>, limit| time.is_some_and(|time| time <= limit);
            let reached = within(ours.p50_ms, p50) && within(ours.p99_ms, p99);
            format!("p50 ≤ {p50} ms, p99 ≤ {p99} ms | {}", word(reached))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::plan::PLAN;

    fn figure(peer: &str, workload: &str, rate: f64) -> Figure {
        Figure { peer: peer.into(), workload: workload.into(), rate: Some(rate), ..Figure::default() }
    }

    #[test]
    fn the_best_fitting_run_of_each_counts() {
        let figures = [
            figure("sortie", "drain_result", 30.0),
            figure("a", "drain", 90.0),
            figure("a", "drain_result", 10.0),
            figure("a", "drain_result", 20.0),
            figure("b", "drain", 25.0),
            figure("b", "enqueue_c1", 99.0),
        ];
        let best = best_of_each(&PLAN[2], &figures);
        assert_eq!((best["a"].rate, best["b"].rate), (Some(20.0), Some(25.0)));
        assert!(reach(&PLAN[2], best["sortie"], Some(best["b"])).ends_with("yes"));
        assert!(reach(&PLAN[2], best["sortie"], Some(best["a"])).contains("1.2 ×"));
    }
}
