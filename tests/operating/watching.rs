//! What watches a hub names what the hub shows: the alert rules, the dashboard and the page that tells of all metrics
//! against the metrics in the hub's own source.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;
use yaml_rust2::YamlLoader;

use crate::samples::sample;

/// What stands at every metric, from whoever reads them.
const READERS: [&str; 2] = ["instance", "job"];
/// What stands at the parts of a histogram.
const QUANTILE: &str = "quantile";

type Labels = BTreeSet<String>;

/// Every metric of the hub's with its labels.
fn metrics() -> BTreeMap<String, Labels> {
    let mut known = BTreeMap::new();
    collect(&repository().join("crates/hub/src"), &mut known);
    assert!(known.len() > 30, "{known:?}");
    assert_eq!(known["sortie_loop_failing"], set(&["work"]));
    known
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the repository").to_owned()
}

fn set(words: &[&str]) -> Labels {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn collect(folder: &Path, known: &mut BTreeMap<String, Labels>) {
    for entry in std::fs::read_dir(folder).expect("the source is there").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, known);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("source is text");
            for call in text.split("metrics::").skip(1) {
                let Some((_, call)) = ["counter!(", "gauge!(", "histogram!("]
                    .iter()
                    .find_map(|kind| Some((kind, call.strip_prefix(kind)?)))
                else {
                    continue;
                };
                // As `"name", "label" => value, …` up to the bracket that closes the call.
                let call = within(call, '(', ')');
                let name = quoted(call).next().expect("a metric has a name");
                let labels = call.split("=>").filter_map(|before| quoted(before).last()).map(str::to_owned);
                let labels: Labels = labels.filter(|label| call.contains(&format!("\"{label}\" =>"))).collect();
                known.entry(name.to_owned()).or_default().extend(labels);
            }
        }
    }
}

/// What stands before the bracket that closes one which was opened before.
fn within(text: &str, opens: char, closes: char) -> &str {
    let mut depth = 1;
    for (at, letter) in text.char_indices() {
        depth += i32::from(letter == opens) - i32::from(letter == closes);
        if depth == 0 {
            return &text[..at];
        }
    }
    text
}

/// The words between quotation marks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').skip(1).step_by(2)
}

/// An expression's metrics, and what it says of their labels.
#[derive(Debug)]
struct Expression {
    /// The labels of all its metrics, with those that a reader adds.
    there: Labels,
    /// The labels that it names, be it to choose or to group.
    named: Labels,
    /// The labels that its result has.
    left: Labels,
}

/// Reads one as far as is needed here; a metric that the hub has not is a failure.
fn expression(text: &str, known: &BTreeMap<String, Labels>) -> Expression {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let (mut there, mut named, mut count) = (set(&READERS), Labels::new(), 0);
    for (at, _) in text.match_indices("sortie_").filter(|(at, _)| !text[..*at].ends_with(is_part)) {
        let name = text[at..].split(|letter| !is_part(letter)).next().expect("it begins with one");
        let plain = name.trim_end_matches("_count").trim_end_matches("_sum");
        let labels = known.get(plain).unwrap_or_else(|| panic!("the hub has no metric {name}: {text}"));
        there.extend(labels.iter().cloned());
        if plain.ends_with("_seconds") {
            there.insert(QUANTILE.to_owned());
        }
        if let Some(chosen) = text[at + name.len()..].strip_prefix('{') {
            let chosen = within(chosen, '{', '}').split(',');
            named.extend(chosen.map(|pair| pair.split(['=', '!']).next().unwrap_or_default().trim().to_owned()));
        }
        count += 1;
    }
    let groups = text.split(" by (").skip(1).map(|rest| within(rest, '(', ')'));
    let groups: Labels = groups.flat_map(|group| group.split(", ")).map(str::to_owned).collect();
    named.extend(groups.iter().cloned());
    let sums_up = ["sum(", "sum by", "max by", "min by"].iter().any(|word| text.contains(word));
    assert!(count > 0 || text.starts_with("up{"), "it names no metric of the hub's: {text}");
    Expression { left: if sums_up { groups } else { there.clone() }, there, named }
}

/// That an expression names labels that its metrics have, and its words labels that its result has.
fn fits(text: &str, words: &str, opens: &str, known: &BTreeMap<String, Labels>) {
    let Expression { there, named, left } = expression(text, known);
    assert!(named.is_subset(&there), "{text} names {named:?}; there are {there:?}");
    for word in words.split(opens).skip(1) {
        let word = word.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').next().unwrap_or("");
        assert!(left.contains(word), "{text} leaves {left:?}; {words:?} names {word}");
    }
}

#[test]
fn every_label_and_metric_of_the_alert_rules_is_one_that_the_hub_has() {
    let known = metrics();
    let rules = YamlLoader::load_from_str(&sample("monitoring/alerts.yml")).expect("the rules are YAML").remove(0);
    let rules = rules["groups"][0]["rules"].as_vec().expect("rules").clone();
    assert!(rules.len() > 15);
    let mut names = BTreeSet::new();
    for rule in &rules {
        assert!(names.insert(rule["alert"].as_str().expect("a name")), "{rule:?}");
        let told = ["summary", "remedy"].map(|key| rule["annotations"][key].as_str().expect("it says what to do"));
        // Of Prometheus itself: whether it could read a hub's metrics.
        let of_prometheus = rule["expr"].as_str().is_some_and(|text| text.starts_with("up{"));
        let known = if of_prometheus { &BTreeMap::new() } else { &known };
        fits(rule["expr"].as_str().expect("an expression"), &told.join(" "), "$labels.", known);
    }
    let watched = [
        "outbox_lag_seconds",
        "outbox_lost",
        "leader",
        "bells_lost",
        "read_model_failures",
        "blobs_up",
        "loop_failing",
    ];
    for metric in watched {
        assert!(rules.iter().any(|rule| rule["expr"].as_str().expect("text").contains(metric)), "{metric}");
    }
}

#[test]
fn every_label_and_metric_of_the_dashboard_is_one_that_the_hub_has() {
    let known = metrics();
    let dashboard: Value = serde_json::from_str(&sample("monitoring/grafana-dashboard.json")).expect("it is JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let (mut ids, mut places) = (BTreeSet::new(), BTreeSet::new());
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().expect("a number")), "{panel}");
        assert!(places.insert((panel["gridPos"]["x"].as_u64(), panel["gridPos"]["y"].as_u64())), "{panel}");
        for target in panel["targets"].as_array().expect("targets") {
            let legend = target["legendFormat"].as_str().expect("text");
            fits(target["expr"].as_str().expect("text"), legend, "{{", &known);
        }
    }
}

#[test]
fn the_page_tells_of_every_metric_with_its_labels_and_of_no_other() {
    let known = metrics();
    let page = std::fs::read_to_string(repository().join("docs/deploying.md")).expect("the page is there");
    let rows = page.lines().filter(|line| line.starts_with("| `sortie_"));
    let mut told = BTreeSet::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let words = |cell: &str| -> Labels { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
        let (names, labels) = (words(cells[1]), words(cells[2]));
        let of_name = |name: &String| known.get(name).unwrap_or_else(|| panic!("the hub has no metric {name}"));
        let there: Labels = names.iter().flat_map(of_name).cloned().collect();
        assert_eq!(labels, there, "{row}");
        told.extend(names);
    }
    let untold: Vec<&String> = known.keys().filter(|name| !told.contains(*name)).collect();
    assert!(untold.is_empty(), "docs/deploying.md does not tell of {untold:?}");
}
