//! What comes before what: each resource after those that it names, otherwise by key.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::key::ResourceKey;
use super::resources::Resources;

/// How many resources of a circle are named.
const SHOWN_MAX: usize = 20;

/// Why resources have no order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Disorder {
    /// One comes after another that is not there.
    #[error("{of} comes after {missing}, which is not there")]
    Missing {
        /// The one.
        of: ResourceKey,
        /// The other.
        missing: ResourceKey,
    },
    /// One comes, perhaps by way of others, after itself.
    #[error("these come after each other in a circle: {}", around(.circle))]
    Circle {
        /// All that lie in it, each after the next, and the last after the first.
        circle: Vec<ResourceKey>,
    },
}

impl Disorder {
    /// The resource whose `after` is at fault, or one of them.
    pub fn of(&self) -> Option<&ResourceKey> {
        match self {
            Disorder::Missing { of, .. } => Some(of),
            Disorder::Circle { circle } => circle.first(),
        }
    }
}

/// A circle as people read it: `a -> b -> a`. Of a long one the middle is left out.
fn around(circle: &[ResourceKey]) -> String {
    let mut words: Vec<String> = circle.iter().take(SHOWN_MAX).map(ToString::to_string).collect();
    if circle.len() > SHOWN_MAX {
        words.push(format!("{} more", circle.len() - SHOWN_MAX));
    }
    words.extend(circle.first().map(ToString::to_string));
    words.join(" -> ")
}

/// All resources, each after those that it names. Equal states have equal orders.
pub fn in_order(resources: &Resources) -> Result<Vec<&ResourceKey>, Disorder> {
    let mut missing: BTreeMap<&ResourceKey, usize> = BTreeMap::new();
    let mut followers: BTreeMap<&ResourceKey, Vec<&ResourceKey>> = BTreeMap::new();
    for (key, resource) in resources {
        let before: BTreeSet<&ResourceKey> = resource.after.iter().collect();
        for other in &before {
            if !resources.contains_key(*other) {
                return Err(Disorder::Missing { of: key.clone(), missing: (*other).clone() });
            }
            followers.entry(other).or_default().push(key);
        }
        missing.insert(key, before.len());
    }
    let mut ready: BTreeSet<&ResourceKey> =
        missing.iter().filter(|(_, many)| **many == 0).map(|(key, _)| *key).collect();
    let mut order = Vec::with_capacity(resources.len());
    while let Some(key) = ready.pop_first() {
        order.push(key);
        missing.remove(key);
        for follower in followers.get(key).into_iter().flatten() {
            if let Some(many) = missing.get_mut(follower) {
                *many -= 1;
                if *many == 0 {
                    ready.insert(follower);
                }
            }
        }
    }
    match missing.keys().find_map(|key| circle_of(key, resources)) {
        Some(circle) => Err(Disorder::Circle { circle }),
        None => Ok(order),
    }
}

/// The shortest way from a resource back to itself, if it lies in a circle and not only behind one.
fn circle_of(key: &ResourceKey, resources: &Resources) -> Option<Vec<ResourceKey>> {
    let before = |key: &ResourceKey| resources.get(key).into_iter().flat_map(|one| &one.after);
    let mut reached_from: BTreeMap<&ResourceKey, &ResourceKey> = BTreeMap::new();
    let mut to_see = VecDeque::from([key]);
    while let Some(here) = to_see.pop_front() {
        for next in before(here) {
            if next == key {
                let mut way = vec![here.clone()];
                let mut at = here;
                while let Some(from) = reached_from.get(at) {
                    way.push((*from).clone());
                    at = from;
                }
                way.reverse();
                return Some(way);
            }
            if !reached_from.contains_key(next) {
                reached_from.insert(next, here);
                to_see.push_back(next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::resources::{Drift, Resource};
    use super::*;
    use proptest::prelude::*;
    use serde_json::Map;

    fn key(name: &str) -> ResourceKey {
        format!("file/{name}").parse().unwrap()
    }
    fn resources(all: &[(&str, &[&str])]) -> Resources {
        let one = |after: &[&str]| Resource {
            spec: Map::new(),
            after: after.iter().map(|name| key(name)).collect(),
            drift: Drift::Correct,
            signed: None,
        };
        all.iter().map(|(name, after)| (key(name), one(after))).collect()
    }

    #[test]
    fn what_is_named_comes_first_and_the_rest_by_key() {
        let all = resources(&[("a", &["d", "c"]), ("b", &[]), ("c", &["d"]), ("d", &[])]);
        let order: Vec<String> = in_order(&all).unwrap().into_iter().map(|key| key.name.clone()).collect();
        assert_eq!(order, ["b", "d", "c", "a"]);
    }

    #[test]
    fn what_is_not_there_and_circles_are_told() {
        let missing = in_order(&resources(&[("a", &["x"])])).unwrap_err();
        assert_eq!(missing.to_string(), "file/a comes after file/x, which is not there");
        let circle = |all: &[(&str, &[&str])]| in_order(&resources(all)).unwrap_err().to_string();
        let said = "these come after each other in a circle: ";
        let behind = circle(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"]), ("d", &[])]);
        assert_eq!(behind, format!("{said}file/b -> file/c -> file/b"), "a is only behind it");
        assert_eq!(circle(&[("a", &["a"])]), format!("{said}file/a -> file/a"));
        let wide = circle(&[("a", &["d", "b"]), ("b", &["c"]), ("c", &["a"]), ("d", &[])]);
        assert_eq!(wide, format!("{said}file/a -> file/b -> file/c -> file/a"));
        let names: Vec<String> = (100..150).map(|number| format!("n{number}")).collect();
        let before = |at: usize| vec![names[(at + 1) % names.len()].as_str()];
        let after: Vec<Vec<&str>> = (0..names.len()).map(before).collect();
        let long: Vec<(&str, &[&str])> =
            names.iter().map(String::as_str).zip(after.iter().map(Vec::as_slice)).collect();
        assert!(circle(&long).ends_with("file/n119 -> 30 more -> file/n100"), "{}", circle(&long));
    }

    proptest! {
        #[test]
        fn an_order_has_each_resource_once_and_after_those_it_names(
            edges in proptest::collection::vec((0usize..8, 0usize..8), 0..20)
        ) {
            let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
            let mut all = resources(&names.map(|name| (name, &[] as &[&str])));
            for (from, to) in edges {
                if let Some(one) = all.get_mut(&key(names[from])) {
                    one.after.push(key(names[to]));
                }
            }
            if let Ok(order) = in_order(&all) {
                let place = |key: &ResourceKey| order.iter().position(|one| *one == key).unwrap();
                prop_assert_eq!(order.len(), all.len());
                for (key, one) in &all {
                    prop_assert!(one.after.iter().all(|before| place(before) < place(key)));
                }
            }
        }
    }
}
