//! Payloads as they are typed: JSON itself, `@FILE`, or `-` for stdin.

use std::io::Read as _;

use serde_json::value::RawValue;
use sortie_rules::limits::TASK_PAYLOAD_BYTES_MAX;

use crate::exit::Failure;

/// Reads a payload and makes sure that it is JSON, so that a slip is told with its line before
/// anything is sent.
pub(crate) fn read_payload(given: &str) -> Result<Box<RawValue>, Failure> {
    let (text, whence) = match given.strip_prefix('@') {
        Some("-") => (read_stdin()?, "the payload on stdin".to_owned()),
        Some(file) => (read_file(file)?, format!("the payload in {file}")),
        None if given == "-" => (read_stdin()?, "the payload on stdin".to_owned()),
        None => (given.to_owned(), "the payload".to_owned()),
    };
    let text = text.trim();
    if text.len() > TASK_PAYLOAD_BYTES_MAX {
        let (size, most) = (text.len(), TASK_PAYLOAD_BYTES_MAX);
        return Err(Failure::usage(format!("{whence} has {size} bytes; {most} are the most"))
            .remedy("put the data into a file at the site and name it in the payload"));
    }
    serde_json::from_str::<Box<RawValue>>(text).map_err(|error| {
        Failure::usage(format!("{whence} is not JSON: {error}"))
            .remedy("in a shell, put it in single quotes: --payload '{\"path\": \"/srv/data\"}'")
    })
}

fn read_file(path: &str) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::usage(format!("{path} cannot be read: {error}")))
}

fn read_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    // One byte more than allowed tells that it is too long.
    let most = TASK_PAYLOAD_BYTES_MAX as u64 + 1;
    std::io::stdin()
        .take(most)
        .read_to_string(&mut text)
        .map_err(|error| Failure::usage(format!("stdin cannot be read: {error}")))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_is_given_in_place_or_by_file() {
        assert_eq!(read_payload("{\"a\":1}").unwrap().get(), "{\"a\":1}");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), " [1,\n2]\n").unwrap();
        assert_eq!(read_payload(&format!("@{}", file.path().display())).unwrap().get(), "[1,\n2]");
    }

    #[test]
    fn what_is_not_json_is_told_with_its_place() {
        for given in ["{path: 1}", "", "{} {}"] {
            assert!(read_payload(given).is_err(), "{given}");
        }
        let failure = format!("{:?}", read_payload("{\n path").unwrap_err());
        assert!(failure.contains("line 2"), "{failure}");
        assert!(read_payload("@/no/such/file").is_err());
        assert!(read_payload(&format!("\"{}\"", "x".repeat(TASK_PAYLOAD_BYTES_MAX))).is_err());
    }
}
