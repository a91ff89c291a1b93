//! Reads how rules by country should be, strictly: what stands here becomes part of an expression and of an address
//! at the edge, whatever the schema of the pack lets through.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::desired::SECRET;
use crate::limits::GEO_HOSTNAMES_MAX;
use crate::names::check_name;

/// Longest id of a zone, in bytes.
const ZONE_BYTES_MAX: usize = 64;
/// Longest name of a host, in bytes (RFC 1035).
const HOSTNAME_BYTES_MAX: usize = 253;
/// Longest label of one, in bytes.
const LABEL_BYTES_MAX: usize = 63;
/// More two-letter codes of countries than there are.
const COUNTRIES_MAX: usize = 260;

/// From which countries names are reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GeoRules {
    /// The zone of the names, by its id at the edge.
    pub zone: String,
    /// The names, in small letters, sorted.
    pub hostnames: Vec<String>,
    /// What the countries are.
    pub mode: GeoMode,
    /// Two-letter codes (ISO 3166-1), sorted.
    pub countries: Vec<String>,
    /// The secret with which the edge is called, by name.
    pub token: String,
}

/// What the countries of a rule are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GeoMode {
    /// The only ones from which the names are reached.
    Allow,
    /// Those from which they are not.
    Block,
}

/// Why a spec cannot be enforced: where, as a JSON pointer into it, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why} (at {pointer})")]
pub struct BadSpec {
    /// The place.
    pub pointer: &'static str,
    /// What is wrong there, as a sentence without its full stop.
    pub why: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    zone: String,
    hostnames: Vec<String>,
    mode: GeoMode,
    countries: Vec<String>,
    token: Value,
}

/// Reads the spec of a resource that the enforcer of geo rules enforces.
///
/// # Errors The first thing that is wrong. The token must be a reference to a secret: one that stands in the spec
/// itself is shown to everybody who may read the layer.
pub fn read_geo(spec: &Map<String, Value>) -> Result<GeoRules, BadSpec> {
    let bad = |pointer: &'static str, why: String| BadSpec { pointer, why };
    // The words of a reader of JSON would repeat what stands there.
    let text: Text = serde_json::from_value(Value::Object(spec.clone())).map_err(|_| {
        let why = "geo rules have `zone`, `hostnames`, `mode` (`allow` or `block`), `countries` and `token`";
        bad("", why.to_owned())
    })?;
    let token = match &text.token {
        Value::Object(fields) if fields.len() == 1 => fields.get(SECRET).and_then(Value::as_str),
        _ => None,
    };
    let token = token
        .filter(|name| check_name("secret", name).is_ok())
        .ok_or_else(|| bad("/token", format!("the token is a reference to a secret: {{\"{SECRET}\": NAME}}")))?;
    let is_id = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if text.zone.is_empty() || text.zone.len() > ZONE_BYTES_MAX || !text.zone.bytes().all(is_id) {
        let why = format!("a zone is named by its id at the edge: letters and digits, at most {ZONE_BYTES_MAX}");
        return Err(bad("/zone", why));
    }
    let mut hostnames: Vec<String> = text.hostnames.iter().map(|name| name.to_ascii_lowercase()).collect();
    if hostnames.is_empty() || hostnames.len() > GEO_HOSTNAMES_MAX || !hostnames.iter().all(|name| is_hostname(name)) {
        let why = format!("from 1 to {GEO_HOSTNAMES_MAX} names of hosts, each whole: `box-7.example.org`");
        return Err(bad("/hostnames", why));
    }
    let is_country = |code: &String| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    let mut countries = text.countries;
    if countries.is_empty() || countries.len() > COUNTRIES_MAX || !countries.iter().all(is_country) {
        return Err(bad("/countries", "countries are two capital letters each (ISO 3166-1): `HU`".to_owned()));
    }
    for list in [&mut hostnames, &mut countries] {
        list.sort_unstable();
        list.dedup();
    }
    Ok(GeoRules { zone: text.zone, hostnames, mode: text.mode, countries, token: token.to_owned() })
}

fn is_hostname(name: &str) -> bool {
    let is_label = |label: &str| {
        let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        (1..=LABEL_BYTES_MAX).contains(&label.len())
            && label.bytes().all(is_letter)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= HOSTNAME_BYTES_MAX && name.contains('.') && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(change: &Value) -> Result<GeoRules, BadSpec> {
        let spec = json!({
            "zone": "023e105f4ecef8ad9ca31a8372d0c353", "hostnames": ["Box-7.example.org", "a.example.org"],
            "mode": "allow", "countries": ["HU", "AT", "HU"], "token": {"$secret": "edge"},
        });
        let Value::Object(spec) = crate::desired::merge([&spec, change]) else { panic!("an object") };
        read_geo(&spec)
    }

    #[test]
    fn rules_are_read_in_one_form() {
        let rules = read(&json!({})).unwrap();
        assert_eq!(rules.hostnames, ["a.example.org", "box-7.example.org"]);
        assert_eq!(rules.countries, ["AT", "HU"]);
        assert_eq!((rules.mode, rules.token.as_str()), (GeoMode::Allow, "edge"));
    }

    #[test]
    fn nothing_that_could_mean_something_else_at_the_edge_gets_through() {
        for (change, at) in [
            (json!({"zone": "../../user"}), "/zone"),
            (json!({"zone": "a?b"}), "/zone"),
            (json!({"zone": ""}), "/zone"),
            (json!({"hostnames": []}), "/hostnames"),
            (json!({"hostnames": ["a.example\" or true"]}), "/hostnames"),
            (json!({"hostnames": ["*.example.org"]}), "/hostnames"),
            (json!({"hostnames": ["localhost"]}), "/hostnames"),
            (json!({"hostnames": ["a..b"]}), "/hostnames"),
            (json!({"hostnames": vec!["a.b"; GEO_HOSTNAMES_MAX + 1]}), "/hostnames"),
            (json!({"countries": ["hu"]}), "/countries"),
            (json!({"countries": ["HU\"}"]}), "/countries"),
            (json!({"countries": []}), "/countries"),
            (json!({"token": "in-the-clear"}), "/token"),
            (json!({"token": {"$secret": "no such name!"}}), "/token"),
            (json!({"mode": "challenge"}), ""),
            (json!({"zone": null}), ""),
            (json!({"more": 1}), ""),
        ] {
            assert_eq!(read(&change).unwrap_err().pointer, at, "{change}");
        }
        let told = read(&json!({"token": "in-the-clear"})).unwrap_err().to_string();
        assert!(!told.contains("in-the-clear"), "{told}");
    }
}
