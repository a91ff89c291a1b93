//! Secrets do not stand in logs: the one function through which every log line goes.
//!
//! It knows what Sortie's secrets look like, wherever they stand: invites, API tokens, the values of
//! `Authorization` headers, passwords in addresses, private keys in PEM. It is the last net, not the
//! first: whoever logs a secret on purpose is at fault even if it is caught here.

use std::borrow::Cow;

/// What stands where a secret stood.
pub const MASK: &str = "[redacted]";

/// Words after which a secret follows at once.
const PREFIXES: [&str; 2] = ["sortie-invite-1.", "sortie_tok_"];

/// The text with every secret masked. Borrowed if there was none, which is the usual case.
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut kept = 0;
    let mut at = 0;
    while at < text.len() {
        if let Some((from, until)) = secret_at(text, at) {
            out.push_str(&text[kept..from]);
            out.push_str(MASK);
            kept = until;
            at = until.max(at + 1);
        } else {
            at += 1;
        }
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[kept..]);
    Cow::Owned(out)
}

/// If something that announces a secret begins at this byte: where the secret begins and ends.
fn secret_at(text: &str, at: usize) -> Option<(usize, usize)> {
    let rest = &text.as_bytes()[at..];
    let range = match rest[0] {
        b's' => after_prefix(rest),
        b'A' | b'a' => in_header(rest),
        b'B' | b'b' => after_scheme(rest, text.as_bytes()[..at].last()),
        b':' => in_address(rest),
        b'-' => in_pem(rest),
        _ => None,
    }?;
    // Secrets are cut at ASCII characters, so these are borders of characters too.
    (range.0 < range.1).then_some((at + range.0, at + range.1))
}

type Range = Option<(usize, usize)>;

fn count(bytes: &[u8], is: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| is(**byte)).count()
}

fn starts_with_word(rest: &[u8], word: &str) -> bool {
    rest.len() >= word.len() && rest[..word.len()].eq_ignore_ascii_case(word.as_bytes())
}

/// `sortie_tok_…`, `sortie-invite-1.…`
fn after_prefix(rest: &[u8]) -> Range {
    let prefix = PREFIXES.iter().find(|prefix| rest.starts_with(prefix.as_bytes()))?;
    let is_secret = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'=' | b'+' | b'/' | b'~');
    Some((prefix.len(), prefix.len() + count(&rest[prefix.len()..], is_secret)))
}

/// `authorization: …`, `"authorization":"…"`, `Authorization=…`, `Proxy-Authorization: …`
fn in_header(rest: &[u8]) -> Range {
    const WORD: &str = "authorization";
    if !starts_with_word(rest, WORD) {
        return None;
    }
    let gap = count(&rest[WORD.len()..], |b| matches!(b, b'"' | b'\\' | b'\'' | b' ' | b':' | b'='));
    if !rest[WORD.len()..WORD.len() + gap].iter().any(|b| matches!(b, b':' | b'=')) {
        return None;
    }
    let from = WORD.len() + gap;
    // Some schemes have commas and spaces in their values: all up to a quote or the line's end.
    let length = count(&rest[from..], |b| !matches!(b, b'"' | b'\\' | b'\'' | b'\r' | b'\n'));
    Some((from, from + length))
}

/// `Bearer …`, `Basic …` wherever they stand, if what follows is no word of prose.
fn after_scheme(rest: &[u8], before: Option<&u8>) -> Range {
    let scheme = ["bearer ", "basic "].into_iter().find(|scheme| starts_with_word(rest, scheme))?;
    let value = &rest[scheme.len()..];
    let length = count(value, |b| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\' | b'\'' | b','));
    let is_prose = length < 16 || value[..length].iter().all(u8::is_ascii_lowercase);
    let in_a_word = before.is_some_and(u8::is_ascii_alphanumeric);
    (!is_prose && !in_a_word).then_some((scheme.len(), scheme.len() + length))
}

/// `://user:password@`
fn in_address(rest: &[u8]) -> Range {
    let authority = rest.strip_prefix(b"://")?;
    let length = count(authority, |b| b.is_ascii_graphic() && !matches!(b, b'/' | b'?' | b'#' | b'"' | b'\\' | b'\''));
    let end = authority[..length].iter().rposition(|b| *b == b'@')?;
    let colon = authority[..end].iter().position(|b| *b == b':')?;
    Some((3 + colon + 1, 3 + end))
}

/// From `-----BEGIN … PRIVATE KEY-----` to the line that ends it, or to the end where it was cut.
fn in_pem(rest: &[u8]) -> Range {
    let label = rest.strip_prefix(b"-----BEGIN ")?;
    let dashes = find(label, b"-----")?;
    if !label[..dashes].ends_with(b"PRIVATE KEY") {
        return None;
    }
    let from = "-----BEGIN ".len() + dashes + 5;
    Some((from, find(&rest[from..], b"-----END ").map_or(rest.len(), |end| from + end)))
}

fn find(bytes: &[u8], needle: &[u8]) -> Option<usize> {
    bytes.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_kind_of_secret_is_masked_and_the_rest_stays() {
        for (text, masked) in [
            ("invite sortie-invite-1.eyJodWIi_-x for box", "invite sortie-invite-1.[redacted] for box"),
            ("token=sortie_tok_01ab.CdE-f, role admin", "token=sortie_tok_[redacted], role admin"),
            ("Authorization: Bearer abc\r\nhost: x", "Authorization: [redacted]\r\nhost: x"),
            (r#"{"authorization":"Invite id.secret","n":1}"#, r#"{"authorization":"[redacted]","n":1}"#),
            ("proxy-authorization: Basic dTpw\n", "proxy-authorization: [redacted]\n"),
            ("sent Bearer eyJhbGciOiJFZERTQSJ9.e30 twice", "sent Bearer [redacted] twice"),
            ("to postgres://sortie:p:w@db/sortie", "to postgres://sortie:[redacted]@db/sortie"),
            (
                "key -----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY----- end",
                "key -----BEGIN PRIVATE KEY-----[redacted]-----END PRIVATE KEY----- end",
            ),
            (r"-----BEGIN EC PRIVATE KEY-----\nMC4CAQ", "-----BEGIN EC PRIVATE KEY-----[redacted]"),
        ] {
            assert_eq!(redact(text), masked);
        }
    }

    #[test]
    fn what_is_no_secret_is_left_alone_and_not_copied() {
        for text in [
            "",
            "authorization is missing",
            "the bearer of bad news",
            "a basic misunderstanding here",
            "https://hub.example:8443/api/v1/tasks?x=a@b",
            "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
            "sortie_tokens are listed",
            "ümläut – sortie 🚀 a",
        ] {
            assert!(matches!(redact(text), Cow::Borrowed(_)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_secret_passes_whatever_surrounds_it(
            before in "\\PC{0,40}",
            secret in "[A-Za-z0-9_-]{20,60}",
            after in "[ \",\\n]\\PC{0,40}",
            which in 0..3usize,
        ) {
            let announced = ["sortie-invite-1.", "sortie_tok_", "authorization: Bearer "][which];
            let masked = redact(&format!("{before}{announced}{secret}{after}")).into_owned();
            prop_assert!(!masked.contains(&secret), "{}", masked);
            prop_assert_eq!(redact(&masked).into_owned(), masked.clone());
        }
    }
}
