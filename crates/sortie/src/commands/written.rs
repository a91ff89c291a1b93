//! Objects that people write into files: TOML or JSON, each with its name in it.

use std::io::Read as _;
use std::path::Path;

use serde_json::Value;

use crate::exit::Failure;

/// Reads one from a file, or from stdin if that is `-`. Returns the name in it as well. `noun` says what it is.
pub(crate) fn read_object(file: &Path, noun: &str) -> Result<(String, Value), Failure> {
    let mut text = String::new();
    let done = if file == Path::new("-") {
        std::io::stdin().read_to_string(&mut text).map(drop)
    } else {
        std::fs::read_to_string(file).map(|found| text = found)
    };
    done.map_err(|error| Failure::usage(format!("{} cannot be read: {error}", file.display())))?;
    let parsed: Result<Value, String> = match text.trim_start().starts_with('{') {
        true => serde_json::from_str(&text).map_err(|error| error.to_string()),
        false => toml::from_str(&text).map_err(|error| in_line(&error, &text)),
    };
    let object = parsed.map_err(|why| Failure::usage(format!("{} holds no {noun}: {why}", file.display())))?;
    match object["name"].as_str() {
        Some(name) if !name.is_empty() => Ok((name.to_owned(), object)),
        _ => {
            let what = format!("{} names no {noun}", file.display());
            Err(Failure::usage(what).remedy("say `name = \"...\"` in it"))
        }
    }
}

/// What is wrong with a file, and where.
fn in_line(error: &toml::de::Error, text: &str) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let place = before.map(|before| format!("line {}: ", before.matches('\n').count() + 1)).unwrap_or_default();
    let what: Vec<&str> = error.message().lines().collect();
    format!("{place}{}", what.join("; "))
}
