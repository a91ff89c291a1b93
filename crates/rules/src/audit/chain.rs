//! How entries become a chain: the bytes of which a link's hash is taken, and the line as which a link is kept
//! and exported. SHA-256 itself comes in from outside.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::OrgId;
use crate::time::Millis;

/// A SHA-256.
pub type Hash = [u8; 32];

/// What stands as the hash before the first link.
pub const NO_HASH: Hash = [0; 32];

/// The bytes whose SHA-256 is a link's hash: the hash of the link before, the link's number in eight bytes
/// with the highest first, and the SHA-256 of the entry's canonical text.
pub fn link_bytes(previous: &Hash, number: u64, entry: &Hash) -> [u8; 72] {
    let mut bytes = [0; 72];
    bytes[..32].copy_from_slice(previous);
    bytes[32..40].copy_from_slice(&number.to_be_bytes());
    bytes[40..].copy_from_slice(entry);
    bytes
}

/// A link as it is read from its line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// What was done.
    pub entry: Value,
    /// The hash of this link, in hex.
    pub hash: String,
    /// Its place in the chain, from 1.
    pub number: u64,
    /// The hash of the link before it, in hex.
    pub previous: String,
}

/// Where a chain stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// When this was said.
    pub at: Millis,
    /// The hash of the newest link, in hex; zeros if there is none.
    pub hash: String,
    /// The number of the newest link; 0 if there is none.
    pub number: u64,
    /// Whose chain it is.
    pub org: OrgId,
}

/// Writes the line of a link, with its end. `entry` is canonical, and so is the line.
pub fn write_link(out: &mut String, number: u64, previous: &Hash, hash: &Hash, entry: &str) {
    out.push_str("{\"entry\":");
    out.push_str(entry);
    out.push_str(",\"hash\":\"");
    push_hex(out, hash);
    // Writing to a String never fails.
    let _ = write!(out, "\",\"number\":{number},\"previous\":\"");
    push_hex(out, previous);
    out.push_str("\"}\n");
}

/// Writes the line that says where the chain stands, with its end. `signed` is the hub's envelope over the
/// head, as JSON.
pub fn write_head(head: &Head, signed: &Value) -> String {
    super::canonical(&serde_json::json!({ "head": head, "signed": signed })) + "\n"
}

/// A hash in hex, in small letters.
pub fn hex(hash: &Hash) -> String {
    let mut text = String::with_capacity(64);
    push_hex(&mut text, hash);
    text
}

/// A hash from hex, in small letters only: one hash has one text.
pub fn from_hex(text: &str) -> Option<Hash> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != 32 || !rest.is_empty() {
        return None;
    }
    let mut hash = NO_HASH;
    for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
        *byte = (digit(*high)? << 4) | digit(*low)?;
    }
    Some(hash)
}

fn push_hex(out: &mut String, hash: &Hash) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in hash {
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_the_canonical_text_of_its_link() {
        let (previous, hash) = ([0xab; 32], [0x01; 32]);
        let mut line = String::new();
        write_link(&mut line, 17, &previous, &hash, r#"{"a":1}"#);
        let link: Link = serde_json::from_str(&line).unwrap();
        assert_eq!((link.number, from_hex(&link.previous), from_hex(&link.hash)), (17, Some(previous), Some(hash)));
        assert_eq!(super::super::canonical(&serde_json::to_value(&link).unwrap()) + "\n", line);
    }

    #[test]
    fn a_hash_has_one_text() {
        let text = hex(&[0xf0; 32]);
        assert_eq!(from_hex(&text), Some([0xf0; 32]));
        for bad in ["", &text[1..], &text[2..], &text.to_uppercase(), &format!("{text}00"), &text.replace('f', "g")] {
            assert_eq!(from_hex(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_hashed_tells_each_part() {
        let bytes = link_bytes(&[1; 32], 0x0102, &[2; 32]);
        assert_eq!(bytes[..32], [1; 32]);
        assert_eq!(bytes[32..40], [0, 0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(bytes[40..], [2; 32]);
    }
}
