//! What may stand under a key: a whole number within its limits, a flag, or one word of a list. Anything else is
//! refused with a sentence that says what would be taken.

use std::fmt;

use serde_json::Value as Json;

/// A key, and what may stand under it.
#[derive(Debug, PartialEq, Eq)]
pub struct OrgSetting {
    /// Its name: the noun that it is about, a dot, and what it says; a number's ends with its unit.
    pub key: &'static str,
    /// What may stand under it.
    pub shape: Shape,
    /// What holds where nobody chose.
    pub default: Value,
    /// What it is for, in one sentence.
    pub meaning: &'static str,
}

/// What may stand under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A whole number.
    Number {
        /// What is counted, such as `seconds`.
        unit: &'static str,
        /// The least that is taken.
        least: i64,
        /// The most that is taken.
        most: i64,
    },
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// A value that fits its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// A whole number.
    Number(i64),
    /// A flag.
    Flag(bool),
    /// A word.
    Word(&'static str),
}

/// A value that does not fit its key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` is {shape}; the default is {default}")]
pub struct NotTaken {
    key: &'static str,
    shape: Shape,
    default: Value,
}

impl OrgSetting {
    /// The value that was given for this key, if it is of its type and within its limits.
    pub fn take(&self, given: &Json) -> Result<Value, NotTaken> {
        let taken = match (self.shape, given) {
            (Shape::Number { least, most, .. }, Json::Number(number)) => {
                number.as_i64().filter(|number| (least..=most).contains(number)).map(Value::Number)
            }
            (Shape::Flag, Json::Bool(flag)) => Some(Value::Flag(*flag)),
            (Shape::Word(words), Json::String(given)) => {
                words.iter().find(|word| *word == given).map(|word| Value::Word(word))
            }
            (Shape::Number { .. } | Shape::Flag | Shape::Word(_), _) => None,
        };
        taken.ok_or(NotTaken { key: self.key, shape: self.shape, default: self.default })
    }

    /// The value that was written down as JSON. Nothing, if it fits no more: the default holds then.
    pub fn read(&self, written: &str) -> Option<Value> {
        self.take(&serde_json::from_str(written).ok()?).ok()
    }
}

impl Value {
    /// As it stands in answers, events and the store.
    pub fn to_json(self) -> Json {
        match self {
            Value::Number(number) => number.into(),
            Value::Flag(flag) => flag.into(),
            Value::Word(word) => word.into(),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Number(number) => write!(f, "{number}"),
            Value::Flag(flag) => write!(f, "{flag}"),
            Value::Word(word) => f.write_str(word),
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Number { unit, least, most } => write!(f, "a whole number of {unit} from {least} to {most}"),
            Shape::Flag => f.write_str("true or false"),
            Shape::Word(words) => write!(f, "one of the words {}", words.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::ALL;
    use super::*;

    /// Of each type, what fits no key of that type.
    fn misfits(shape: Shape) -> Vec<Json> {
        let mut misfits = vec![json!(null), json!([]), json!({}), json!(""), json!(1.5), json!("1800"), json!([60])];
        match shape {
            Shape::Number { least, most, .. } => {
                misfits.extend([json!(least - 1), json!(most + 1), json!(u64::MAX), json!(i64::MIN), json!(60.0)]);
                misfits.extend([json!(true), json!("30m")]);
            }
            Shape::Flag => misfits.extend([json!(0), json!(1), json!("true"), json!("yes")]),
            Shape::Word(words) => {
                misfits.extend([json!(0), json!(false), json!("no such word")]);
                misfits.extend(words.iter().map(|word| json!(word.to_uppercase())));
            }
        }
        misfits
    }

    fn fitting(shape: Shape) -> Vec<Json> {
        match shape {
            Shape::Number { least, most, .. } => vec![json!(least), json!(most), json!(least + (most - least) / 2)],
            Shape::Flag => vec![json!(true), json!(false)],
            Shape::Word(words) => words.iter().map(|word| json!(word)).collect(),
        }
    }

    #[test]
    fn each_key_takes_what_is_of_its_type_and_within_its_limits_and_nothing_else() {
        for setting in ALL {
            for given in fitting(setting.shape) {
                let taken = setting.take(&given).unwrap_or_else(|error| panic!("{given}: {error}"));
                assert_eq!(taken.to_json(), given, "{}", setting.key);
                assert_eq!(setting.read(&given.to_string()), Some(taken), "it is read back");
            }
            for given in misfits(setting.shape) {
                let refused = setting.take(&given).expect_err(setting.key).to_string();
                assert!(refused.contains(setting.key) && refused.contains(&setting.default.to_string()), "{refused}");
                if let Shape::Number { unit, least, most } = setting.shape {
                    let limits = format!("{unit} from {least} to {most}");
                    assert!(refused.contains(&limits), "{refused}");
                }
                assert_eq!(setting.read(&given.to_string()), None);
            }
            assert_eq!(setting.read("no JSON"), None);
        }
    }
}
