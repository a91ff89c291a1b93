//! What a target is, and what must hold of it.

/// What a reader made of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It was read, and everything that must hold of it does.
    Read,
    /// It was refused, for this reason.
    Refused(String),
    /// Something that must hold does not.
    Broken(String),
}

/// A reader, and what must hold of it.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name on the command line, and its folder in the corpus.
    pub name: &'static str,
    /// The largest input that it is ever given, in bytes: what hands it over has a limit, too.
    pub bytes_max: usize,
    pub(super) examples: Examples,
    pub(super) reader: Reader,
}

/// Inputs to begin with.
#[derive(Debug, Clone, Copy)]
pub(super) enum Examples {
    Texts(&'static [&'static str]),
    Made(fn() -> Vec<Vec<u8>>),
}

/// What an input is given to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reader {
    Bytes(fn(&[u8]) -> Verdict),
    Text(fn(&str) -> Verdict),
}

impl Target {
    /// Inputs to begin with.
    pub fn examples(&self) -> Vec<Vec<u8>> {
        match self.examples {
            Examples::Texts(texts) => texts.iter().map(|text| text.as_bytes().to_vec()).collect(),
            Examples::Made(make) => make(),
        }
    }

    /// Gives it an input.
    pub fn try_one(&self, input: &[u8]) -> Verdict {
        match self.reader {
            Reader::Bytes(read) => read(input),
            // What is no UTF-8 reaches no reader of text.
            Reader::Text(read) => match std::str::from_utf8(input) {
                Ok(text) => read(text),
                Err(_) => Verdict::Refused("no UTF-8".to_owned()),
            },
        }
    }
}

pub(super) const fn of_text(
    name: &'static str,
    bytes_max: usize,
    texts: &'static [&'static str],
    read: fn(&str) -> Verdict,
) -> Target {
    Target { name, bytes_max, examples: Examples::Texts(texts), reader: Reader::Text(read) }
}

pub(super) const fn of_bytes(
    name: &'static str,
    bytes_max: usize,
    texts: &'static [&'static str],
    read: fn(&[u8]) -> Verdict,
) -> Target {
    Target { name, bytes_max, examples: Examples::Texts(texts), reader: Reader::Bytes(read) }
}
