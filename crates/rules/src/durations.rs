//! Spans as people write them: `90s`, `10m`, `1h30m`, `2 d`.

use std::str::FromStr;

use crate::time::Span;

/// The text is not a span of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a span of time; write 500ms, 90s, 10m, 1h30m or 2d")]
pub struct NotASpan(String);

impl FromStr for Span {
    type Err = NotASpan;

    /// A bare `0` is no time; every other number needs its unit, since `30` could be anything.
    fn from_str(text: &str) -> Result<Span, NotASpan> {
        let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        if compact == "0" {
            return Ok(Span::ZERO);
        }
        parse(&compact).ok_or_else(|| NotASpan(text.chars().take(40).collect()))
    }
}

fn parse(mut rest: &str) -> Option<Span> {
    let mut total: i64 = 0;
    let mut smallest = i64::MAX;
    while !rest.is_empty() || smallest == i64::MAX {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: i64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let unit = unit_ms(&rest[..letters])?;
        rest = &rest[letters..];
        // `30m1h` is more likely a slip than a wish.
        if unit >= smallest {
            return None;
        }
        smallest = unit;
        total = total.checked_add(number.checked_mul(unit)?)?;
    }
    Some(Span(total))
}

fn unit_ms(unit: &str) -> Option<i64> {
    Some(match unit {
        "ms" => 1,
        "s" | "sec" => 1000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 604_800_000,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_people_write_them() {
        for (text, span) in [
            ("500ms", Span(500)),
            ("90s", Span::seconds(90)),
            ("10m", Span::minutes(10)),
            ("10 min", Span::minutes(10)),
            ("1h30m", Span::minutes(90)),
            ("2 d", Span::days(2)),
            ("1w", Span::days(7)),
            ("0", Span::ZERO),
        ] {
            assert_eq!(text.parse(), Ok(span), "{text}");
        }
    }

    #[test]
    fn what_could_mean_anything_is_refused() {
        for text in ["", "30", "-5m", "m", "5x", "1.5h", "30m1h", "1h1h", "99999999999999d", "10m ago", "٣s"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }
}
