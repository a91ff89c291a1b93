//! Just enough of Rust's grammar to tell code from comments and strings, so that a rule that looks
//! for a word finds it where it means something and nowhere else.

/// A Rust file's lines with comments and the insides of strings blanked out, and which of them are
/// inside `#[cfg(test)]`.
pub(super) struct Source {
    /// The code, line by line, as long as the lines of the file.
    pub(super) code: Vec<String>,
    /// Whether a line belongs to an item under `#[cfg(test)]`.
    pub(super) in_tests: Vec<bool>,
}

impl Source {
    /// Reads the text of one file.
    pub(super) fn read(text: &str) -> Source {
        let code: Vec<String> = blank(text).lines().map(str::to_owned).collect();
        let in_tests = mark_tests(&code);
        Source { code, in_tests }
    }

    /// Lines with their numbers, from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code.iter().enumerate().map(|(index, line)| (index + 1, line.as_str()))
    }

    /// Lines that are not under `#[cfg(test)]`.
    pub(super) fn product_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().filter(|(number, _)| !self.in_tests[number - 1])
    }
}

/// Whether `phrase` stands in the code as whole words: `rand::` is not in `operand::`.
pub(super) fn has_phrase(code: &str, phrase: &str) -> bool {
    let is_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    code.match_indices(phrase).any(|(at, _)| {
        let goes_on_before = is_word(phrase.chars().next()) && is_word(code[..at].chars().next_back());
        let goes_on_after = is_word(phrase.chars().next_back()) && is_word(code[at + phrase.len()..].chars().next());
        !goes_on_before && !goes_on_after
    })
}

/// Where the reader of a file is.
enum Place {
    Code,
    LineComment,
    BlockComment { depth: usize },
    Text,
    RawText { hashes: usize },
}

/// The text with comments and the insides of strings and characters made blank, line for line.
fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut place = Place::Code;
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        // How many characters belong together here, and whether they are code.
        let (taken, is_code) = match &mut place {
            Place::Code => enter(rest, out.chars().next_back(), &mut place),
            Place::LineComment => {
                if rest[0] == '\n' {
                    place = Place::Code;
                }
                (1, false)
            }
            Place::BlockComment { depth } => match (rest[0], rest.get(1)) {
                ('/', Some('*')) => {
                    *depth += 1;
                    (2, false)
                }
                ('*', Some('/')) => {
                    *depth -= 1;
                    if *depth == 0 {
                        place = Place::Code;
                    }
                    (2, false)
                }
                _ => (1, false),
            },
            Place::Text if rest[0] == '\\' => (2, false),
            Place::Text if rest[0] == '"' => {
                place = Place::Code;
                (1, true)
            }
            Place::Text => (1, false),
            Place::RawText { hashes } if rest[0] == '"' && starts_with_hashes(&rest[1..], *hashes) => {
                let taken = 1 + *hashes;
                place = Place::Code;
                (taken, true)
            }
            Place::RawText { .. } => (1, false),
        };
        let end = (at + taken).min(chars.len());
        for c in &chars[at..end] {
            out.push(if is_code || *c == '\n' { *c } else { ' ' });
        }
        at = end;
    }
    out
}

/// In code: where do the next characters lead?
fn enter(rest: &[char], before: Option<char>, place: &mut Place) -> (usize, bool) {
    let continues_a_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    match (rest[0], rest.get(1).copied()) {
        ('/', Some('/')) => {
            *place = Place::LineComment;
            (2, false)
        }
        ('/', Some('*')) => {
            *place = Place::BlockComment { depth: 1 };
            (2, false)
        }
        ('"', _) => {
            *place = Place::Text;
            (1, true)
        }
        ('r', Some('"' | '#')) if !continues_a_word || before == Some('b') || before == Some('c') => {
            let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
            if rest.get(1 + hashes) == Some(&'"') {
                *place = Place::RawText { hashes };
                return (2 + hashes, true);
            }
            (1, true)
        }
        // A character such as '"' or '\n'; anything else after a tick is a lifetime.
        ('\'', Some('\\')) => (2 + rest[2..].iter().skip(1).take_while(|c| **c != '\'').count() + 2, false),
        ('\'', Some(_)) if rest.get(2) == Some(&'\'') => (3, false),
        _ => (1, true),
    }
}

fn starts_with_hashes(rest: &[char], hashes: usize) -> bool {
    rest.iter().take(hashes).filter(|c| **c == '#').count() == hashes
}

/// Marks the lines of every item under `#[cfg(test)]`: from the attribute to the end of its braces,
/// or to its semicolon. A file that says `#![cfg(test)]` is a test from end to end.
fn mark_tests(code: &[String]) -> Vec<bool> {
    if code.iter().any(|line| line.contains("#![cfg(test)]")) {
        return vec![true; code.len()];
    }
    let mut marks = vec![false; code.len()];
    let mut index = 0;
    while index < code.len() {
        let attribute = ["#[cfg(test)]", "#[cfg(all(test"].iter().find_map(|start| code[index].find(start));
        if let Some(column) = attribute {
            let end = end_of_item(code, index, column);
            marks[index..=end].fill(true);
            index = end;
        }
        index += 1;
    }
    marks
}

/// The line on which the item ends that begins on line `from` at byte `column` (all from 0).
pub(super) fn end_of_item(code: &[String], from: usize, column: usize) -> usize {
    let (mut braces, mut others) = (0_i32, 0_i32);
    for (index, line) in code.iter().enumerate().skip(from) {
        let line = if index == from { &line[column..] } else { line };
        for c in line.chars() {
            match c {
                '{' => braces += 1,
                '}' => {
                    braces -= 1;
                    if braces == 0 && others == 0 {
                        return index;
                    }
                }
                '(' | '[' => others += 1,
                ')' | ']' => others -= 1,
                ';' if braces == 0 && others == 0 => return index,
                _ => {}
            }
        }
    }
    code.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_is_left() {
        let text = "let a = \"todo!\"; // todo!\nlet b = r#\"dbg!(\"x\")\"#; /* a /* b */ todo! */ \n\
                    f('\"', '\\'', 'x');\n\
                    fn g<'a>(x: &'a str) -> &'a str { x } // end\n\
                    let c = b\"unsafe\"; let d = br\"unsafe\"; r#type();";
        let code = blank(text);
        assert!(!code.contains("todo!") && !code.contains("dbg!") && !code.contains("unsafe"), "{code}");
        assert!(code.contains("fn g<'a>(x: &'a str) -> &'a str { x }"), "{code}");
        assert!(code.contains("r#type();"), "{code}");
        let lengths = |t: &str| t.lines().map(|line| line.chars().count()).collect::<Vec<_>>();
        assert_eq!(lengths(&code), lengths(text));
    }

    #[test]
    fn tests_are_told_from_the_product() {
        let text =
            "fn a() {}\n#[cfg(test)]\nuse x::{y, z};\nfn b() {}\n#[cfg(test)]\nmod tests {\n fn c() {}\n}\nfn d() {}";
        let source = Source::read(text);
        let product: Vec<usize> = source.product_lines().map(|(number, _)| number).collect();
        assert_eq!(product, [1, 4, 9]);
        assert_eq!(Source::read("#![cfg(test)]\nfn a() {}").product_lines().count(), 0);
    }

    #[test]
    fn phrases_are_whole_words() {
        assert!(has_phrase("let x = rand::random();", "rand::"));
        assert!(!has_phrase("operand::new()", "rand::"));
        assert!(!has_phrase("unsafe_code", "unsafe"));
        assert!(has_phrase("std::time::Instant::now()", "Instant::now"));
    }
}
