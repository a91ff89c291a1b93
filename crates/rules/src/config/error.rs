//! What can be wrong with a configuration, said so that the reader can go and mend it.

use std::fmt;

/// Where a setting was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// In a file, on a line if one can be named.
    File {
        /// The file's name as it was handed in.
        name: String,
        /// The line, from 1.
        line: Option<usize>,
    },
    /// In a variable of the environment.
    Variable(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File { name, line: Some(line) } => write!(f, "{name}, line {line}"),
            Place::File { name, line: None } => f.write_str(name),
            Place::Variable(name) => write!(f, "variable {name}"),
        }
    }
}

/// A configuration that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file is not TOML.
    #[error("{place}: this is not TOML: {message}")]
    Syntax {
        /// Where.
        place: Place,
        /// What the parser says.
        message: String,
    },
    /// A key or a table stands in the file twice.
    #[error("{place}: `{what}` stands there twice, first in line {first}; put what both say into one")]
    Twice {
        /// Where it stands a second time.
        place: Place,
        /// What, as it is written: a dotted key, or a table in brackets.
        what: String,
        /// The line of the first, from 1.
        first: usize,
    },
    /// There is no such key.
    #[error("{place}: there is no setting `{key}`{}", suggestion(.nearest.as_deref()))]
    UnknownKey {
        /// Where.
        place: Place,
        /// The key as it was written: dotted in a file, the whole name for a variable.
        key: String,
        /// The key that was probably meant, written the same way.
        nearest: Option<String>,
    },
    /// The key exists, its value cannot be used.
    #[error("{place}: `{key}` cannot be used: {message}")]
    BadValue {
        /// Where.
        place: Place,
        /// The dotted key.
        key: String,
        /// What was expected.
        message: String,
    },
    /// Something is wrong that no key can be named for: a setting without a default is missing, say.
    #[error("{place}: {message}")]
    Incomplete {
        /// The file that lacks it.
        place: Place,
        /// What is missing.
        message: String,
    },
}

fn suggestion(nearest: Option<&str>) -> String {
    match nearest {
        Some(key) => format!("; did you mean `{key}`?"),
        None => "; --print-config shows every setting there is".to_owned(),
    }
}
