//! Keeps declared secrets out of a stream of bytes, however it is cut into pieces.

use serde_json::Value;

use crate::limits::SECRET_BYTES_MIN;

/// What stands where a secret stood.
pub const MASK: &[u8] = b"[secret]";

/// The values at these pointers of a payload: what must not be seen, in the forms in which it could
/// be. `*` in a pointer steps through every item of a list. Below `SECRET_BYTES_MIN` bytes a value
/// is no secret that could be told from ordinary text.
pub fn secrets_of(payload: &Value, pointers: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for pointer in pointers {
        let steps: Vec<String> =
            pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
        collect(payload, &steps, &mut found);
    }
    let escaped: Vec<String> = found
        .iter()
        .map(|secret| Value::from(secret.as_str()).to_string())
        .map(|quoted| quoted[1..quoted.len() - 1].to_owned())
        .collect();
    found.extend(escaped);
    found.retain(|secret| secret.len() >= SECRET_BYTES_MIN);
    // The longest first: a secret within another must not uncover the rest of it.
    found.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    found.dedup();
    found
}

fn collect(value: &Value, steps: &[String], found: &mut Vec<String>) {
    match (steps.split_first(), value) {
        (None, Value::String(text)) => found.push(text.clone()),
        (None, Value::Number(number)) => found.push(number.to_string()),
        (None, Value::Array(items)) => items.iter().for_each(|item| collect(item, &[], found)),
        (None, Value::Object(fields)) => fields.values().for_each(|field| collect(field, &[], found)),
        (None, Value::Null | Value::Bool(_)) => {}
        (Some((step, rest)), Value::Array(items)) if step == "*" => {
            items.iter().for_each(|item| collect(item, rest, found));
        }
        (Some((step, rest)), Value::Array(items)) => {
            if let Some(item) = step.parse::<usize>().ok().and_then(|index| items.get(index)) {
                collect(item, rest, found);
            }
        }
        (Some((step, rest)), Value::Object(fields)) => {
            if let Some(field) = fields.get(step) {
                collect(field, rest, found);
            }
        }
        _ => {}
    }
}

/// Masks secrets in a stream. What could be the beginning of one is held back until the next piece
/// says whether it is.
#[derive(Debug, Default)]
pub struct Masker {
    secrets: Vec<Vec<u8>>,
    held: Vec<u8>,
}

impl Masker {
    /// Masks these, as [`secrets_of`] gives them.
    pub fn new(secrets: Vec<String>) -> Masker {
        Masker { secrets: secrets.into_iter().map(String::into_bytes).collect(), held: Vec::new() }
    }

    /// The next piece, masked; it may end earlier than what came in.
    pub fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        if self.secrets.is_empty() {
            return piece.to_vec();
        }
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(piece);
        let (masked, held) = self.mask(&all, true);
        self.held = held.to_vec();
        masked
    }

    /// What was held back, once nothing more comes.
    pub fn finish(&mut self) -> Vec<u8> {
        let held = std::mem::take(&mut self.held);
        self.mask(&held, false).0
    }

    /// The bytes with masks, and the end of them that could become a secret, or a longer one than it
    /// is, if more may come.
    fn mask<'b>(&self, bytes: &'b [u8], more_may_come: bool) -> (Vec<u8>, &'b [u8]) {
        let mut masked = Vec::with_capacity(bytes.len());
        let mut rest = bytes;
        while let Some(first) = rest.first() {
            let could_become = |secret: &Vec<u8>| secret.len() > rest.len() && secret.starts_with(rest);
            if more_may_come && self.secrets.iter().any(could_become) {
                return (masked, rest);
            }
            if let Some(secret) = self.secrets.iter().find(|secret| rest.starts_with(secret)) {
                masked.extend_from_slice(MASK);
                rest = &rest[secret.len()..];
            } else {
                masked.push(*first);
                rest = &rest[1..];
            }
        }
        (masked, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn secrets_are_found_by_their_pointers_in_every_form() {
        let payload = json!({
            "key": "hunter22", "pin": 12345, "short": "ab",
            "users": [{"password": "one\"two"}, {"password": "three3"}], "all": {"a": "inner1", "b": ["inner2"]},
        });
        let pointers = ["/key", "/pin", "/short", "/users/*/password", "/all", "/absent", "/users/0/none"];
        let found = secrets_of(&payload, &pointers.map(str::to_owned));
        for secret in ["hunter22", "12345", "one\"two", "one\\\"two", "three3", "inner1", "inner2"] {
            assert!(found.contains(&secret.to_owned()), "{secret} is not in {found:?}");
        }
        assert!(!found.contains(&"ab".to_owned()));
    }

    proptest! {
        #[test]
        fn no_cut_uncovers_a_secret_and_nothing_else_is_changed(
            before in "[a-z]{0,8}", between in "[ -~]{0,8}", cuts in proptest::collection::vec(1usize..9, 0..30)
        ) {
            let secrets = vec!["hunter22-and-more".to_owned(), "hunter22".to_owned()];
            let text = format!("{before}hunter22{between}hunter22-and-more{between}hunter2");
            let mut masker = Masker::new(secrets);
            let (mut masked, mut rest) = (Vec::new(), text.as_bytes());
            for cut in cuts {
                let (piece, after) = rest.split_at(cut.min(rest.len()));
                masked.extend(masker.push(piece));
                rest = after;
            }
            masked.extend(masker.push(rest));
            masked.extend(masker.finish());
            let whole = text.replace("hunter22-and-more", "\0").replace("hunter22", "\0");
            let whole = whole.replace('\0', "[secret]");
            prop_assert_eq!(String::from_utf8(masked).unwrap(), whole);
        }
    }
}
