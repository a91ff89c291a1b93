//! The filters and tests that templates have. Whatever they look at and make is counted against one bound, so that a
//! template can neither fill the memory with it nor take long.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use minijinja::value::{Kwargs, Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State, Value, filters, tests};
use sortie_rules::limits::MAIL_BYTES_MAX;

/// The filters that there are.
pub(super) const FILTERS: [&str; 15] = [
    "upper",
    "lower",
    "capitalize",
    "trim",
    "replace",
    "join",
    "map",
    "items",
    "first",
    "last",
    "length",
    "count",
    "default",
    "d",
    "round",
];
/// The tests that there are.
pub(super) const TESTS: [&str; 12] = [
    "defined",
    "undefined",
    "none",
    "true",
    "false",
    "string",
    "number",
    "boolean",
    "sequence",
    "mapping",
    "odd",
    "even",
];
/// So much may the filters of one text look at and make, in bytes.
const WORK_MAX: usize = 64 * MAIL_BYTES_MAX;
/// What one item of a list counts.
const ITEM_BYTES: usize = 24;

/// What is left to the filters of one text.
#[derive(Debug, Clone)]
struct Work(Arc<AtomicUsize>);

impl Work {
    fn take(&self, bytes: usize) -> Result<(), Error> {
        let less = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes));
        less.map(drop).map_err(|_| wrong("its filters have too much to do".to_owned()))
    }

    /// A text, or what is as short as one line.
    fn text(&self, value: &Value) -> Result<String, Error> {
        let text = match (value.as_str(), value.kind()) {
            (Some(text), _) => {
                self.take(text.len())?;
                text.to_owned()
            }
            (None, ValueKind::Number | ValueKind::Bool | ValueKind::None) => value.to_string(),
            (None, ValueKind::Undefined) => return Err(Error::from(ErrorKind::UndefinedError)),
            (None, kind) => return Err(wrong(format!("this filter takes a text, and it got a {kind}"))),
        };
        Ok(text)
    }

    /// The items of a list.
    fn list(&self, value: &Value) -> Result<Vec<Value>, Error> {
        self.take(value.len().unwrap_or(0).saturating_mul(ITEM_BYTES))?;
        if value.as_str().is_some() {
            return Err(wrong("this filter takes a list, and it got a text".to_owned()));
        }
        Ok(value.try_iter()?.collect())
    }
}

fn wrong(why: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, why)
}

/// Gives them to an engine that makes one text.
pub(super) fn add(engine: &mut Environment<'_>) {
    let work = Work(Arc::new(AtomicUsize::new(WORK_MAX)));
    add_for_texts(engine, &work);
    add_for_lists(engine, &work);
    for name in ["default", "d"] {
        engine.add_filter(name, |state: &State<'_, '_>, value: &Value, given: Rest<Value>| {
            filters::default(state, value, given)
        });
    }
    engine.add_filter("round", filters::round);
    add_tests(engine);
}

fn add_for_texts(engine: &mut Environment<'_>, work: &Work) {
    let (upper, lower, capitalize, trim, replace) =
        (work.clone(), work.clone(), work.clone(), work.clone(), work.clone());
    engine.add_filter("upper", move |value: &Value| Ok::<_, Error>(upper.text(value)?.to_uppercase()));
    engine.add_filter("lower", move |value: &Value| Ok::<_, Error>(lower.text(value)?.to_lowercase()));
    engine.add_filter("capitalize", move |value: &Value| {
        let text = capitalize.text(value)?;
        let mut rest = text.chars();
        let first: String = rest.by_ref().take(1).flat_map(char::to_uppercase).collect();
        Ok::<_, Error>(first + &rest.as_str().to_lowercase())
    });
    engine.add_filter("trim", move |value: &Value| Ok::<_, Error>(trim.text(value)?.trim().to_owned()));
    engine.add_filter("replace", move |value: &Value, from: &str, to: &str| {
        let text = replace.text(value)?;
        replace.take(text.matches(from).count().saturating_mul(to.len()))?;
        Ok::<_, Error>(text.replace(from, to))
    });
}

fn add_for_lists(engine: &mut Environment<'_>, work: &Work) {
    let (join, map, items, last) = (work.clone(), work.clone(), work.clone(), work.clone());
    engine.add_filter("join", move |list: &Value, between: Option<&str>| {
        let (mut text, between) = (String::new(), between.unwrap_or_default());
        for (number, item) in join.list(list)?.iter().enumerate() {
            join.take(between.len())?;
            text.push_str(if number == 0 { "" } else { between });
            text.push_str(&join.text(item)?);
        }
        Ok::<_, Error>(text)
    });
    engine.add_filter("map", move |list: &Value, given: Kwargs| {
        let attribute: &str = given.get("attribute")?;
        given.assert_all_used()?;
        map.list(list)?.iter().map(|item| item.get_attr(attribute)).collect::<Result<Vec<Value>, Error>>()
    });
    engine.add_filter("items", move |value: &Value| {
        if value.kind() != ValueKind::Map {
            return Err(wrong(format!("`items` takes a map, and it got a {}", value.kind())));
        }
        let pair = |key: Value| Ok::<_, Error>(Value::from(vec![key.clone(), value.get_item(&key)?]));
        // Each pair is a list of its own.
        items.take(value.len().unwrap_or(0).saturating_mul(4 * ITEM_BYTES))?;
        items.list(value)?.into_iter().map(pair).collect::<Result<Vec<Value>, Error>>()
    });
    engine.add_filter("first", filters::first);
    engine.add_filter("last", move |value: Value| {
        last.take(value.as_str().map_or(value.len().unwrap_or(0).saturating_mul(ITEM_BYTES), |_| 1))?;
        filters::last(value)
    });
    for name in ["length", "count"] {
        let work = work.clone();
        engine.add_filter(name, move |value: &Value| {
            work.take(value.as_str().map_or(1, str::len))?;
            filters::length(value)
        });
    }
}

fn add_tests(engine: &mut Environment<'_>) {
    engine.add_test("defined", tests::is_defined);
    engine.add_test("undefined", tests::is_undefined);
    engine.add_test("none", tests::is_none);
    engine.add_test("true", tests::is_true);
    engine.add_test("false", tests::is_false);
    engine.add_test("string", tests::is_string);
    engine.add_test("number", tests::is_number);
    engine.add_test("boolean", tests::is_boolean);
    engine.add_test("sequence", tests::is_sequence);
    engine.add_test("mapping", tests::is_mapping);
    engine.add_test("odd", tests::is_odd);
    engine.add_test("even", tests::is_even);
}
