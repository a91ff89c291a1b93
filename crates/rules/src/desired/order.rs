//! What comes before what: each resource after those that it names, otherwise by key.

use std::collections::{BTreeMap, BTreeSet};

use super::key::ResourceKey;
use super::resources::Resources;

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
    #[error("{of} comes after itself")]
    Circle {
        /// Which.
        of: ResourceKey,
    },
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
    match one_of_the_circle(&missing, resources) {
        Some(of) => Err(Disorder::Circle { of: of.clone() }),
        None => Ok(order),
    }
}

/// Of what is left, one that lies in a circle and not only behind one.
fn one_of_the_circle<'r>(left: &BTreeMap<&'r ResourceKey, usize>, resources: &'r Resources) -> Option<&'r ResourceKey> {
    left.keys().copied().find(|key| {
        let before = |key: &ResourceKey| resources.get(key).into_iter().flat_map(|one| &one.after);
        let (mut seen, mut to_see) = (BTreeSet::new(), before(key).collect::<Vec<_>>());
        while let Some(next) = to_see.pop() {
            if seen.insert(next) {
                to_see.extend(before(next));
            }
        }
        seen.contains(*key)
    })
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
        let circle = in_order(&resources(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"]), ("d", &[])])).unwrap_err();
        assert!(matches!(&circle, Disorder::Circle { of } if *of == key("b") || *of == key("c")), "{circle}");
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
