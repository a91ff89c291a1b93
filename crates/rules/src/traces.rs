//! Which text says that a request belongs to a trace (W3C Trace Context).

use crate::limits::TRACEPARENT_BYTES_MAX;

/// Whether this is a `traceparent`: version, trace, parent and flags in lower-case hex, none of them
/// one of the values that mean "none". Whatever else comes under that name is to be ignored.
pub fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [version, trace, parent, flags] = parts[..] else { return false };
    let is_hex =
        |part: &str, digits| part.len() == digits && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let is_something = |part: &str| part.bytes().any(|b| b != b'0');
    text.len() <= TRACEPARENT_BYTES_MAX
        && is_hex(version, 2)
        && version != "ff"
        && is_hex(trace, 32)
        && is_something(trace)
        && is_hex(parent, 16)
        && is_something(parent)
        && is_hex(flags, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_names_a_trace_is_a_traceparent() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert!(is_traceparent(good));
        let none = ["00000000000000000000000000000000", "0000000000000000"];
        for bad in [
            "",
            "hello",
            &good[1..],
            &good.to_uppercase(),
            &good.replace("00-", "ff-"),
            &good.replace("4bf92f3577b34da6a3ce929d0e0e4736", none[0]),
            &good.replace("00f067aa0ba902b7", none[1]),
            &format!("{good}-x"),
            &good.replace('4', "ü"),
        ] {
            assert!(!is_traceparent(bad), "{bad}");
        }
    }
}
