//! Places in a state as people name them: `file/a: spec.path` for `/resources/file~1a/spec/path`.

/// How much of one step is shown, in characters.
const STEP_CHARS_MAX: usize = 80;

/// The steps of a JSON pointer, as they are called.
pub fn steps_of(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect()
}

/// What a JSON pointer into a state, or into a request with one, names: the resource, and the way to the field with
/// dots. Nothing if it leads to no resource. What a terminal would obey is left out.
pub fn place_in_words(pointer: &str) -> Option<String> {
    let steps = steps_of(pointer.strip_prefix("/state").unwrap_or(pointer));
    let [first, resource, way @ ..] = steps.as_slice() else { return None };
    if first != "resources" {
        return None;
    }
    let resource = shown(resource);
    if way.is_empty() {
        return Some(resource);
    }
    let way: Vec<String> = way.iter().map(|step| if is_plain(step) { shown(step) } else { quoted(step) }).collect();
    Some(format!("{resource}: {}", way.join(".")))
}

fn is_plain(step: &str) -> bool {
    !step.is_empty() && step.chars().all(|letter| letter.is_alphanumeric() || letter == '_' || letter == '-')
}

fn quoted(step: &str) -> String {
    format!("\"{}\"", shown(step).replace('"', "\\\""))
}

fn shown(step: &str) -> String {
    let mut letters = step.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    let mut shown: String = letters.by_ref().take(STEP_CHARS_MAX).collect();
    if letters.next().is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_named_by_its_resource_and_the_way_to_the_field() {
        for (pointer, place) in [
            ("/state/resources/file~1a/spec/path", "file/a: spec.path"),
            ("/resources/file~1a/spec/data/users/0/name", "file/a: spec.data.users.0.name"),
            ("/state/resources/file~1a", "file/a"),
            ("/state/resources/file~1a/after", "file/a: after"),
            ("/state/resources/file~1a/spec/data/a.b/c~1\u{1b}\u{9b}\"d", "file/a: spec.data.\"a.b\".\"c/  \\\"d\""),
            ("/state/resources/file~1a/spec/", "file/a: spec.\"\""),
        ] {
            assert_eq!(place_in_words(pointer).as_deref(), Some(place));
        }
        for pointer in ["", "/state", "/state/resources", "/message", "/selector/site", "/payload/path"] {
            assert_eq!(place_in_words(pointer), None, "{pointer}");
        }
        let long = place_in_words(&format!("/resources/file~1a/spec/{}", "x".repeat(10_000))).unwrap();
        assert!(long.chars().count() < 120, "{long}");
    }
}
