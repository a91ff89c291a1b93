//! Which keys a commented default file has.

/// The dotted keys of a commented default file, those that are commented out included: `# key = 1`
/// under `# [table]` is `table.key`. Prose is told from keys by the equals sign after one bare word.
///
/// A table for names that the site chooses is written with a placeholder in capitals: `# [command.NAME]`
/// makes `command.*` known, whatever stands for the star.
pub fn known_keys(default_toml: &str) -> Vec<String> {
    let mut table = String::new();
    let mut keys = Vec::new();
    for line in default_toml.lines() {
        let line = line.trim_start();
        let line = line.strip_prefix('#').map_or(line, str::trim_start);
        if let Some(name) = header(line) {
            table = if name.is_empty() { String::new() } else { starred(name) + "." };
        } else if let Some((key, _)) = line.split_once('=')
            && is_dotted_key(key.trim_end())
        {
            let key = table.clone() + &starred(key.trim_end());
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    keys
}

fn header(line: &str) -> Option<&str> {
    let inside = line.strip_prefix('[')?.split_once(']')?.0;
    let name = inside.strip_prefix('[').unwrap_or(inside);
    is_dotted_key(name).then_some(name)
}

fn is_dotted_key(text: &str) -> bool {
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    text.split('.').all(is_word)
}

fn starred(dotted: &str) -> String {
    let is_placeholder = |word: &str| word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    dotted.split('.').map(|word| if is_placeholder(word) { "*" } else { word }).collect::<Vec<_>>().join(".")
}

/// Whether a dotted key is known, is a table of known keys, or lies in a table that is known as a whole.
pub(super) fn is_known(key: &[String], known: &[&str]) -> bool {
    known.iter().any(|candidate| {
        // Whichever ends first: `limits` is a table of `limits.rate`, `labels.ring` is in `labels`.
        candidate.split('.').zip(key).all(|(known, given)| known == "*" || known == given)
    })
}

/// A known key with what stands in `key` in place of its stars, so that it can be compared with it.
pub(super) fn filled(known: &str, key: &[String]) -> String {
    let words = known.split('.').enumerate();
    let filled = words.map(|(at, word)| match key.get(at) {
        Some(given) if word == "*" => given.as_str(),
        _ => word,
    });
    filled.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULTS: &str = "\
        # The hub's settings. Every line that is commented out shows a default.\n\
        # Prose may say that a = b, as long as more than one word stands before it.\n\
        listen = \"[::]:8443\"\n\
        #database_url = \"postgres://…\"\n\
        \n\
        # [limits]\n\
        # requests_per_second = 50\n\
        # addresses = [\n\
        #   \"a = b\",\n\
        # ]\n\
        # [command.NAME]\n\
        # argv = []\n";

    #[test]
    fn commented_keys_are_keys_and_prose_is_not() {
        assert_eq!(
            known_keys(DEFAULTS),
            ["listen", "database_url", "limits.requests_per_second", "limits.addresses", "command.*.argv"]
        );
    }

    #[test]
    fn a_key_is_known_by_itself_as_a_table_and_under_a_star() {
        let known = ["listen", "limits.rate", "command.*.argv", "labels"];
        let known = |key: &str| is_known(&key.split('.').map(str::to_owned).collect::<Vec<_>>(), &known);
        for key in ["listen", "limits", "limits.rate", "command", "command.mri", "command.mri.argv", "labels.ring"] {
            assert!(known(key), "{key}");
        }
        for key in ["lisen", "limits.rte", "command.mri.argw", "rate"] {
            assert!(!known(key), "{key}");
        }
    }
}
