//! Reads back what a file holds as data: what `sortie state pull` takes over of a file that is written from data. The
//! text comes from a node, so nothing in it is believed: it is read without recursion, and what stands for something
//! else (an alias, a reference to a secret) is refused. So is what readers of YAML 1.1 and 1.2 do not read alike: it
//! would be written as one of them reads it, and mean something else to the other from then on.

use serde_json::{Map, Number, Value};
use sortie_rules::desired::{Format, SEALED, SECRET};
use yaml_rust2::parser::{Event, Parser};
use yaml_rust2::scanner::{ScanError, TScalarStyle};

/// Deepest that lists and objects may stand in each other.
const DEPTH_MAX: usize = 100;

// What is wrong with a text without quotes, to stand after its place.
const TRUTH: &str = "is true or false to some readers of YAML and a text to others; in quotes it is a text to all";
const ZERO: &str = "begins with a zero, and to some readers of YAML it is octal; write it otherwise, or in quotes";
const SEPARATED: &str = "is a number with `_` in it to some readers of YAML and a text to others; write it without";
const SIXTY: &str = "is a number to base 60 to some readers of YAML, and a text to others; write it in quotes";
const BASE: &str = "is in a base that not all readers of YAML know; write it as a decimal number, or in quotes";
const DATE: &str = "is a date to some readers of YAML and a text to others; in quotes it is a text to all";
const SIGN: &str = "has a meaning of its own to some readers of YAML; in quotes it is a text to all";
const NULL: &str = "is null to some readers of YAML and a text to others; in quotes it is a text to all";
const REAL: &str = "is a number to some readers of YAML and a text to others; all know the form 1.0e+5, and -0.5";
const TOO_LARGE: &str = "is a whole number that data has no room for";
const INFINITE: &str = "is a number that data has none of (infinite, or none)";

/// The data that a file holds, if a layer can say it.
///
/// # Errors
/// Why not, as a sentence without its full stop. It names keys of the file as they are, so whoever shows it takes out
/// what a terminal would obey.
pub(super) fn parse(text: &str, format: Format) -> Result<Value, String> {
    let data = match format {
        Format::Json => json(text)?,
        Format::Yaml => yaml(text)?,
        Format::Toml => {
            let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
                format!("it is no TOML any more: {}", error.message().lines().next().unwrap_or_default())
            })?;
            from_toml(toml::Value::Table(table))?
        }
    };
    can_be_meant(&data, "")?;
    Ok(data)
}

/// Whether a layer that says this gives just this to a node.
fn can_be_meant(data: &Value, at: &str) -> Result<(), String> {
    match data {
        Value::Null => Err(format!("there is a null at `{at}`, and in a layer that takes the field away")),
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
            is_no_reference(name, at)?;
            can_be_meant(value, &format!("{at}/{name}"))
        }),
        // A list is taken as it is, with what is in it.
        Value::Array(items) => items.iter().try_for_each(|item| has_no_reference(item, at)),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => Ok(()),
    }
}

fn has_no_reference(data: &Value, at: &str) -> Result<(), String> {
    match data {
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
            is_no_reference(name, at)?;
            has_no_reference(value, at)
        }),
        Value::Array(items) => items.iter().try_for_each(|item| has_no_reference(item, at)),
        _ => Ok(()),
    }
}

fn is_no_reference(name: &str, at: &str) -> Result<(), String> {
    if name == SECRET || name == SEALED {
        return Err(format!("there is a field `{name}` at `{at}`, which in a layer refers to a secret"));
    }
    Ok(())
}

fn from_toml(value: toml::Value) -> Result<Value, String> {
    Ok(match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(whole) => Value::from(whole),
        toml::Value::Float(real) => number(real)?,
        toml::Value::Boolean(flag) => Value::Bool(flag),
        toml::Value::Datetime(_) => return Err("there is a date in it, which data has none of".to_owned()),
        toml::Value::Array(items) => Value::Array(items.into_iter().map(from_toml).collect::<Result<_, _>>()?),
        toml::Value::Table(fields) => {
            let one = |(name, inner)| Ok((name, from_toml(inner)?));
            Value::Object(fields.into_iter().map(one).collect::<Result<_, String>>()?)
        }
    })
}

fn number(real: f64) -> Result<Value, String> {
    let number = Number::from_f64(real).map(Value::Number);
    number.ok_or_else(|| "there is a number in it that data has none of (infinite, or none)".to_owned())
}

fn json(text: &str) -> Result<Value, String> {
    let data = serde_json::from_str(text).map_err(|error| format!("it is no JSON any more: {error}"))?;
    match rounded_in(text) {
        Some(line) => Err(format!("what stands in line {line} {TOO_LARGE}")),
        None => Ok(data),
    }
}

/// The line of the first whole number in this JSON that the reader has no room for: it rounds it and does not tell.
fn rounded_in(text: &str) -> Option<usize> {
    let (mut in_text, mut is_escaped) = (false, false);
    let blank_texts = |character: char| match character {
        _ if is_escaped => {
            is_escaped = false;
            ' '
        }
        '\\' => {
            is_escaped = true;
            ' '
        }
        '"' => {
            in_text = !in_text;
            ' '
        }
        _ if in_text => ' ',
        other => other,
    };
    let without_texts: String = text.chars().map(blank_texts).collect();
    let is_rounded = |word: &str| {
        let is_whole =
            word.starts_with(|first: char| first == '-' || first.is_ascii_digit()) && !word.contains(['.', 'e', 'E']);
        is_whole && whole(word).is_none()
    };
    let ends_word = |character: char| !character.is_ascii_alphanumeric() && !matches!(character, '-' | '+' | '.');
    without_texts.lines().position(|line| line.split(ends_word).any(is_rounded)).map(|index| index + 1)
}

/// A whole number, if data has room for it.
fn whole(text: &str) -> Option<Value> {
    text.parse::<i64>().map(Value::from).or_else(|_| text.parse::<u64>().map(Value::from)).ok()
}

/// A list or an object that has begun.
enum Open {
    List(Vec<Value>),
    Fields(Map<String, Value>, Option<String>),
}

fn yaml(text: &str) -> Result<Value, String> {
    let mut parser = Parser::new_from_str(text);
    let mut open: Vec<Open> = Vec::new();
    let mut whole = None;
    loop {
        let (event, _) = parser.next_token().map_err(|error: ScanError| {
            format!("it is no YAML any more: {} in line {}", error.info(), error.marker().line())
        })?;
        let done = match event {
            Event::StreamEnd => return whole.ok_or_else(|| "it is empty".to_owned()),
            Event::DocumentStart if whole.is_some() => return Err("it holds several documents".to_owned()),
            Event::Nothing | Event::StreamStart | Event::DocumentStart | Event::DocumentEnd => continue,
            Event::Alias(_) => return Err("there is an alias in it, which data has none of".to_owned()),
            Event::SequenceStart(..) | Event::MappingStart(..) if open.len() == DEPTH_MAX => {
                return Err(format!("it is more than {DEPTH_MAX} lists and objects deep"));
            }
            Event::SequenceStart(_, Some(_)) | Event::MappingStart(_, Some(_)) | Event::Scalar(_, _, _, Some(_)) => {
                return Err("there is a tag in it, which data has none of".to_owned());
            }
            Event::SequenceStart(..) => {
                open.push(Open::List(Vec::new()));
                continue;
            }
            Event::MappingStart(..) => {
                open.push(Open::Fields(Map::new(), None));
                continue;
            }
            Event::Scalar(text, style, _, None) if matches!(open.last(), Some(Open::Fields(_, None))) => {
                is_key(&text, style).map_err(|why| format!("the key at `{}/{text}` {why}", place(&open)))?;
                if let Some(Open::Fields(fields, name)) = open.last_mut() {
                    if fields.contains_key(&text) {
                        return Err(format!("the field `{text}` stands in it twice"));
                    }
                    *name = Some(text);
                }
                continue;
            }
            Event::Scalar(text, style, _, None) => {
                scalar(text, style).map_err(|why| format!("what stands at `{}` {why}", place(&open)))?
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(items)) => Value::Array(items),
                Some(Open::Fields(fields, _)) => Value::Object(fields),
                None => return Err("it is no YAML any more".to_owned()),
            },
        };
        match open.last_mut() {
            None => whole = Some(done),
            Some(Open::List(items)) => items.push(done),
            Some(Open::Fields(fields, name)) => {
                let name = name.take().ok_or_else(|| "there is a key in it that is no text".to_owned())?;
                fields.insert(name, done);
            }
        }
    }
}

/// Where the next value or key stands.
fn place(open: &[Open]) -> String {
    let step = |one: &Open| match one {
        Open::List(items) => format!("/{}", items.len()),
        Open::Fields(_, Some(name)) => format!("/{name}"),
        Open::Fields(_, None) => String::new(),
    };
    open.iter().map(step).collect()
}

/// Whether this is the same key to all readers.
fn is_key(text: &str, style: TScalarStyle) -> Result<(), &'static str> {
    // Ruby's reader merges what stands under it even if it is quoted.
    if text == "<<" {
        return Err("is merged by some readers of YAML and a text to others");
    }
    if style == TScalarStyle::Plain && !plain(text)?.is_string() {
        return Err("is no text; in quotes it is one");
    }
    Ok(())
}

fn scalar(text: String, style: TScalarStyle) -> Result<Value, &'static str> {
    if style == TScalarStyle::Plain { plain(&text) } else { Ok(Value::String(text)) }
}

/// What a text without quotes is to all readers of YAML, of 1.1 and of 1.2.
///
/// # Errors
/// They do not read it alike, or data cannot hold it: what is wrong with it, to stand after its place.
fn plain(text: &str) -> Result<Value, &'static str> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Value::Null),
        "true" | "True" | "TRUE" => return Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Value::Bool(false)),
        "=" | "<<" => return Err(SIGN),
        _ => {}
    }
    // Some readers do not mind how such words are written.
    match text.to_ascii_lowercase().as_str() {
        "yes" | "no" | "on" | "off" | "y" | "n" | "true" | "false" => return Err(TRUTH),
        "null" => return Err(NULL),
        ".inf" | "-.inf" | "+.inf" | ".nan" => return Err(INFINITE),
        _ => {}
    }
    if is_date(text) {
        return Err(DATE);
    }
    plain_number(text).unwrap_or_else(|| Ok(Value::String(text.to_owned())))
}

/// A date, or a date with a time of day.
fn is_date(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = text.strip_prefix('-').unwrap_or(text).splitn(3, '-');
    let (Some(year), Some(month), Some(rest)) = (parts.next(), parts.next(), parts.next()) else { return false };
    let (day, time) = rest.split_at(rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len()));
    let is_day = year.len() == 4 && month.len() <= 2 && day.len() <= 2 && [year, month, day].into_iter().all(is_number);
    is_day && (time.is_empty() || (time.starts_with(['T', 't', ' ', '\t']) && time.contains(':')))
}

/// The number that this is; nothing if it is a number to nobody.
fn plain_number(text: &str) -> Option<Result<Value, &'static str>> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if names_its_base(unsigned) {
        let digits = text.strip_prefix("0x").filter(|digits| !digits.contains('_'));
        let Some(digits) = digits else { return Some(Err(BASE)) };
        return Some(u64::from_str_radix(digits, 16).map(Value::from).map_err(|_| TOO_LARGE));
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (before, after) = match mantissa.split_once('.') {
        Some((before, after)) => (before, Some(after)),
        None => (mantissa, None),
    };
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let begins = |part: &str| part.starts_with(|first: char| first.is_ascii_digit()) && is_digits(part);
    let begins_as_number = match before.split_once(':') {
        Some((first, others)) => begins(first) && others.split(':').all(begins),
        None => begins(before) || (before.is_empty() && after.is_some_and(begins)),
    };
    let is_exponent = |part: &str| begins(part.strip_prefix(['-', '+']).unwrap_or(part));
    let is_number = begins_as_number && after.is_none_or(is_digits) && exponent.is_none_or(is_exponent);
    if !is_number {
        return None;
    }
    let is_signed = unsigned.len() < text.len();
    Some(match (after, exponent) {
        _ if before.contains(':') => Err(SIXTY),
        _ if text.contains('_') => Err(SEPARATED),
        _ if before.len() > 1 && before.starts_with('0') => Err(ZERO),
        (None, None) => whole(text).ok_or(TOO_LARGE),
        (None, Some(_)) => Err(REAL),
        (Some(_), Some(exponent)) if !exponent.starts_with(['-', '+']) => Err(REAL),
        (Some(_), _) if is_signed && before.is_empty() => Err(REAL),
        (Some(_), _) => number(text.parse().unwrap_or(f64::NAN)).map_err(|_| INFINITE),
    })
}

/// Whether this is a number, without its sign, that says to which base it is.
fn names_its_base(unsigned: &str) -> bool {
    let Some((prefix, digits)) = unsigned.split_at_checked(2) else { return false };
    let base = match prefix {
        "0x" | "0X" => 16,
        "0o" | "0O" => 8,
        "0b" | "0B" => 2,
        _ => return false,
    };
    !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(base) || digit == '_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_written_is_read_back() {
        let data = json!({
            "name": "box \"7\"\n\u{1}\u{2028}é", "on": "no", "port": 8080, "share": 0.5, "huge": 1e100, "true": true,
            "deep": {"x y": [1, -2, [], {}, [["a"], {"b": ["c"]}]], "empty": {}, "": "", "1": "~", "n": "0x1F"},
            "users": [{"name": "a", "tags": ["#", ": ", "- x"]}, {"name": "b"}],
        });
        for format in [Format::Json, Format::Yaml, Format::Toml] {
            let text = format.write(&data).unwrap();
            assert_eq!(parse(&text, format).as_ref(), Ok(&data), "{text}");
            assert!(text.ends_with('\n'));
        }
        let large = json!({"most": u64::MAX, "list": [null, {"x": null}]});
        for format in [Format::Json, Format::Yaml] {
            assert_eq!(parse(&format.write(&large).unwrap(), format).as_ref(), Ok(&large));
        }
    }

    #[test]
    fn what_people_write_by_hand_is_read_and_what_stands_for_something_else_is_refused() {
        let by_hand = "# ours\nname: box-7\npeers: [a, 'b', 3]\nmore:\n  \"on\": 'yes'\n  text: |\n    two\n    \
                       lines\n";
        let expected = json!({"name": "box-7", "peers": ["a", "b", 3], "more": {"on": "yes", "text": "two\nlines\n"}});
        assert_eq!(parse(by_hand, Format::Yaml), Ok(expected));
        for (text, format, why) in [
            ("a: &x 1\nb: *x", Format::Yaml, "alias"),
            ("a: !!binary x", Format::Yaml, "tag"),
            ("a: !!set {}", Format::Yaml, "tag"),
            ("a: !!omap []", Format::Yaml, "tag"),
            ("a: 1\na: 2", Format::Yaml, "twice"),
            ("[a]: 1", Format::Yaml, "no text"),
            ("a: 1\n---\nb: 1", Format::Yaml, "several documents"),
            ("a: [", Format::Yaml, "no YAML any more"),
            ("", Format::Yaml, "empty"),
            ("a: .inf", Format::Yaml, "infinite"),
            ("a: 1.0e+400", Format::Yaml, "infinite"),
            ("a:\n  b: null", Format::Yaml, "a null at `/a/b`"),
            ("a: {$secret: other}", Format::Yaml, "refers to a secret"),
            ("{\"a\": [{\"$secret\": \"other\"}]}", Format::Json, "refers to a secret"),
            ("{\"a\": ", Format::Json, "no JSON any more"),
            ("a = 2026-01-01", Format::Toml, "a date"),
            ("a = ", Format::Toml, "no TOML any more"),
        ] {
            let refusal = parse(text, format).unwrap_err();
            assert!(refusal.contains(why), "{text}: {refusal}");
        }
        for (begin, end) in [("[", "]"), ("- ", "1")] {
            let deep = format!("{}{}", begin.repeat(150), end.repeat(150));
            assert!(parse(&deep, Format::Yaml).unwrap_err().contains("deep"), "{deep}");
            // The reader has a limit of its own, beyond ours.
            assert!(parse(&begin.repeat(30_000), Format::Yaml).is_err());
        }
    }

    #[test]
    fn what_readers_of_yaml_do_not_read_alike_is_refused_with_its_place() {
        for (why, texts) in [
            (TRUTH, "yes Yes YES no No NO on On ON off Off OFF y Y n N tRue"),
            (NULL, "nUll"),
            (ZERO, "0644 00 08 -007 +012 00.5"),
            (SEPARATED, "1_000 -1_0 1_000.5 .1_0 1_0e+3"),
            (SIXTY, "12:30 12:30:00 -1:30 190:20:30.15 1_0:30 22:22"),
            (BASE, "0o17 -0o17 0O17 0b101 +0b1_0 0B1 0X1F -0x1F 0x1_F"),
            (DATE, "2026-01-02 2026-1-2 2026-01-02T03:04:05Z 2026-01-02t3:04:05.5+01:00"),
            (SIGN, "= <<"),
            (REAL, "1e5 1E+5 12e4567 1.0e5 -.5 +.5"),
            (TOO_LARGE, "18446744073709551616 -9223372036854775809 0x10000000000000000"),
            (INFINITE, ".inf -.INF +.Inf .NaN"),
        ] {
            for text in texts.split(' ') {
                let refusal = parse(&format!("a:\n  - b: [1, {text}]\n"), Format::Yaml);
                assert_eq!(refusal, Err(format!("what stands at `/a/0/b/1` {why}")), "{text}");
                let refusal = parse(&format!("a:\n  {text}: 1\n"), Format::Yaml).unwrap_err();
                assert!(refusal.starts_with(&format!("the key at `/a/{text}` ")), "{refusal}");
                for quoted in [format!("a: '{text}'"), format!("a: \"{text}\""), format!("a: |-\n  {text}\n")] {
                    assert_eq!(parse(&quoted, Format::Yaml), Ok(json!({ "a": text })));
                }
            }
        }
        let with_time = parse("a: 2026-01-02 03:04:05\n", Format::Yaml);
        assert_eq!(with_time, Err(format!("what stands at `/a` {DATE}")));
    }

    #[test]
    fn what_all_readers_of_yaml_read_alike_is_read() {
        let by_hand = "{flags: [True, FALSE], whole: [1, +5, -0, 0x1F, 18446744073709551615, -9223372036854775808], \
                       real: [0.5, 1., .5, -1.5, +1.5e-7, 1.0e+100], nothing: [Null, ~, NULL]}";
        let expected = json!({
            "flags": [true, false], "whole": [1, 5, 0, 31, u64::MAX, i64::MIN],
            "real": [0.5, 1.0, 0.5, -1.5, 1.5e-7, 1e100], "nothing": [null, null, null],
        });
        assert_eq!(parse(by_hand, Format::Yaml), Ok(expected));
        let texts = [
            "10.0.0.1|10.0.0.1:80|1.2.3|01.02.2026|2026-01|2026-01-02-copy|2026-01-02 as it was",
            "00:11:aa:33|fe80::1|1::2|12:30h|0x|0xyz|0o8|0b2|+-5|0x-5|--1",
            "1e|e5|1e5a|_1|1.5.2e3|+|.|yes!|none|inf|nan|é0|0é|5 %",
        ];
        for text in texts.into_iter().flat_map(|texts| texts.split('|')) {
            assert_eq!(parse(&format!("a: {text}"), Format::Yaml), Ok(json!({ "a": text })), "{text}");
        }
    }

    #[test]
    fn a_key_that_is_merged_or_is_no_text_is_refused() {
        for (text, refusal) in [
            ("a:\n  <<: {b: 1}", "the key at `/a/<<` is merged by some readers of YAML and a text to others"),
            ("\"<<\": {b: 1}", "the key at `/<<` is merged by some readers of YAML and a text to others"),
            ("8080: web", "the key at `/8080` is no text; in quotes it is one"),
            ("{true: 1}", "the key at `/true` is no text; in quotes it is one"),
            ("- ~: 1", "the key at `/0/~` is no text; in quotes it is one"),
        ] {
            assert_eq!(parse(text, Format::Yaml).unwrap_err(), refusal, "{text}");
        }
        assert_eq!(parse("'8080': web", Format::Yaml), Ok(json!({"8080": "web"})));
    }

    #[test]
    fn a_whole_number_that_json_has_and_data_has_not_is_refused_and_not_rounded() {
        for number in ["18446744073709551616", "-9223372036854775809"] {
            let text = format!("{{\n  \"a\": [1, {number}]\n}}");
            assert_eq!(parse(&text, Format::Json), Err(format!("what stands in line 2 {TOO_LARGE}")));
        }
        let text = "{\"a \\\" 99999999999999999999\": [18446744073709551615, -9223372036854775808, 1e20, true, null]}";
        let expected = json!({"a \" 99999999999999999999": [u64::MAX, i64::MIN, 1e20, true, null]});
        assert_eq!(parse(text, Format::Json), Ok(expected));
    }
}
