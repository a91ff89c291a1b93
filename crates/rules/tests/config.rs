//! A configuration is a file with variables laid over it, and what cannot be used is named.

use std::collections::BTreeMap;

use serde::Deserialize;
use sortie_rules::config::{ConfigError, Place, known_keys, load};

const DEFAULTS: &str = r#"
# Where to listen.
# listen = "[::]:8443"

# A PostgreSQL database; SQLite in the data folder without it.
# database_url = "postgres://…"

# [limits]
# requests_per_second = 50
# allow = ["10.0.0.0/8"]
# strict = false

# [labels]
# NAME = "text"
"#;

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    listen: Option<String>,
    database_url: Option<String>,
    limits: Limits,
    labels: BTreeMap<String, String>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Limits {
    requests_per_second: u32,
    allow: Vec<String>,
    strict: bool,
}

fn read(text: &str, env: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    let keys = known_keys(DEFAULTS);
    let known: Vec<&str> = keys.iter().map(String::as_str).collect();
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    load(text, "hub.toml", env, "SORTIE_HUB_", &known)
}

fn complaint(text: &str, env: &[(&str, &str)]) -> String {
    read(text, env).unwrap_err().to_string()
}

#[test]
fn nothing_given_means_the_defaults() {
    assert_eq!(read("", &[]), Ok(Settings::default()));
    assert_eq!(read(DEFAULTS, &[]), Ok(Settings::default()));
}

#[test]
fn a_variable_wins_over_the_file() {
    let text = "listen = \"a:1\"\n[limits]\nrequests_per_second = 7\nstrict = true\n[labels]\nring = \"first\"\n";
    let env = [
        ("SORTIE_HUB_LIMITS__REQUESTS_PER_SECOND", "9"),
        ("SORTIE_HUB_LIMITS__ALLOW", "10.0.0.0/8, ::1"),
        ("SORTIE_HUB_DATABASE_URL", "12345"),
        ("SORTIE_HUB_LABELS__RING", "2"),
        ("SORTIE_HUB_LISTEN", ""),
        ("SORTIE_HUB", "https://not.ours"),
        ("PATH", "/bin"),
    ];
    let settings = read(text, &env).unwrap();
    assert_eq!(settings.listen.as_deref(), Some("a:1"), "an empty variable is not set");
    assert_eq!(settings.database_url.as_deref(), Some("12345"), "a text may look like a number");
    let allow = vec!["10.0.0.0/8".to_owned(), "::1".to_owned()];
    assert_eq!(settings.limits, Limits { requests_per_second: 9, allow, strict: true });
    assert_eq!(settings.labels["ring"], "2");
}

#[test]
fn a_list_in_a_variable_may_be_toml() {
    let settings = read("", &[("SORTIE_HUB_LIMITS__ALLOW", r#"["a, b", "c"]"#)]).unwrap();
    assert_eq!(settings.limits.allow, ["a, b", "c"]);
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_one() {
    assert_eq!(
        read("\nlisen = 1\n", &[]),
        Err(ConfigError::UnknownKey {
            place: Place::File { name: "hub.toml".into(), line: Some(2) },
            key: "lisen".into(),
            nearest: Some("listen".into()),
        })
    );
    assert_eq!(
        complaint("[limits]\n\nstrikt = true\n", &[]),
        "hub.toml, line 3: there is no setting `limits.strikt`; did you mean `limits.strict`?"
    );
    assert_eq!(
        complaint("colour = 1", &[]),
        "hub.toml, line 1: there is no setting `colour`; --print-config shows every setting there is"
    );
}

#[test]
fn an_unknown_variable_is_named_with_the_nearest_one() {
    assert_eq!(
        complaint("", &[("SORTIE_HUB_LIMITS__STRICKT", "true")]),
        "variable SORTIE_HUB_LIMITS__STRICKT: there is no setting `SORTIE_HUB_LIMITS__STRICKT`; \
         did you mean `SORTIE_HUB_LIMITS__STRICT`?"
    );
}

#[test]
fn a_value_that_cannot_be_used_is_named_with_its_place() {
    assert_eq!(
        complaint("listen = \"a\"\n[limits]\nrequests_per_second = \"many\"\n", &[]),
        "hub.toml, line 3: `limits.requests_per_second` cannot be used: \
         invalid type: string \"many\", expected u32"
    );
    assert_eq!(
        complaint("", &[("SORTIE_HUB_LIMITS__REQUESTS_PER_SECOND", "many")]),
        "variable SORTIE_HUB_LIMITS__REQUESTS_PER_SECOND: `limits.requests_per_second` cannot be used: \
         `many` is not a whole number from 0"
    );
}

#[test]
fn text_that_is_not_toml_is_shown_its_line() {
    let Err(ConfigError::Syntax { place, .. }) = read("listen = \"a\"\nlimits = [\n", &[]) else { panic!("not TOML") };
    assert!(matches!(place, Place::File { line: Some(line), .. } if line >= 2), "{place}");
}

#[test]
fn what_stands_twice_is_named_with_both_lines() {
    let complaint = |text: &str| read(text, &[]).unwrap_err().to_string();
    let said = complaint("listen = \"a\"\n[limits]\n\n[limits]\n");
    let expected = "line 4: `[limits]` stands there twice, first in line 2; put what both say into one";
    assert!(said.ends_with(expected), "{said}");
    assert!(complaint("listen = 1\nlisten = 2\n").contains("line 2: `listen` stands there twice, first in line 1"));
}

#[test]
fn a_missing_setting_is_told_of_the_file() {
    #[derive(Debug, Deserialize)]
    struct Needy {
        #[serde(rename = "listen")]
        _listen: String,
    }
    let error = load::<Needy>("", "hub.toml", std::iter::empty(), "SORTIE_HUB_", &["listen"]).unwrap_err();
    assert_eq!(error.to_string(), "hub.toml: missing field `listen`");
}
