//! Fields that never leave the hub: what a kind's schema calls `hub_only` is taken out before anything goes to a node.

use serde_json::{Map, Value};

use super::pointers::steps_of;

/// The spec without what lies at these pointers; `*` steps through every item of a list or field of an object.
pub fn without_hidden(mut spec: Map<String, Value>, pointers: &[String]) -> Map<String, Value> {
    for pointer in pointers {
        take_out_field(&mut spec, &steps_of(pointer));
    }
    spec
}

/// Whether a place in a spec is one of these, lies in one, or holds one.
pub fn touches_hidden(place: &str, pointers: &[String]) -> bool {
    let place = steps_of(place);
    pointers.iter().any(|pointer| steps_of(pointer).iter().zip(&place).all(|(step, here)| step == "*" || step == here))
}

fn take_out(value: &mut Value, steps: &[String]) {
    match value {
        Value::Object(fields) => take_out_field(fields, steps),
        Value::Array(items) => {
            let Some((step, rest)) = steps.split_first() else { return };
            if step == "*" {
                if rest.is_empty() {
                    items.clear();
                } else {
                    items.iter_mut().for_each(|item| take_out(item, rest));
                }
            } else if let Some(item) = step.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
                // An item keeps its place: what is left of it is nothing.
                if rest.is_empty() {
                    *item = Value::Null;
                } else {
                    take_out(item, rest);
                }
            }
        }
        _ => {}
    }
}

fn take_out_field(fields: &mut Map<String, Value>, steps: &[String]) {
    let Some((step, rest)) = steps.split_first() else { return };
    match (step.as_str(), rest.is_empty()) {
        ("*", true) => fields.clear(),
        ("*", false) => fields.values_mut().for_each(|field| take_out(field, rest)),
        (name, true) => drop(fields.remove(name)),
        (name, false) => {
            if let Some(field) = fields.get_mut(name) {
                take_out(field, rest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn hide(spec: Value, pointers: &[&str]) -> Value {
        let Value::Object(spec) = spec else { panic!("an object") };
        Value::Object(without_hidden(spec, &pointers.iter().map(|&pointer| pointer.to_owned()).collect::<Vec<_>>()))
    }

    #[test]
    fn a_place_touches_what_is_hidden_from_above_and_from_below() {
        let hidden = ["/token".to_owned(), "/zones/*/key".to_owned()];
        for place in ["", "/token", "/token/x", "/zones", "/zones/0", "/zones/0/key", "/zones/0/key/x"] {
            assert!(touches_hidden(place, &hidden), "{place}");
        }
        for place in ["/tokens", "/zones/0/name", "/x/0/key"] {
            assert!(!touches_hidden(place, &hidden), "{place}");
        }
        assert!(!touches_hidden("", &[]) && !touches_hidden("/token", &[]));
    }

    #[test]
    fn what_is_hidden_is_gone_wherever_it_stands() {
        let spec =
            json!({"token": "t", "zones": [{"name": "a", "key": 1}, {"name": "b", "key": 2}], "by": {"x": {"k": 1}}});
        let shown = hide(spec.clone(), &["/token", "/zones/*/key", "/by/*/k", "/absent/here"]);
        assert_eq!(shown, json!({"zones": [{"name": "a"}, {"name": "b"}], "by": {"x": {}}}));
        assert_eq!(hide(spec.clone(), &["/zones/0/key"])["zones"][0], json!({"name": "a"}));
        assert_eq!(hide(spec.clone(), &["/zones/1"])["zones"][1], Value::Null);
        assert_eq!(hide(spec, &["/*"]), json!({}));
    }
}
