//! Changes inputs: bits, bytes, numbers, words of the formats at hand, and pieces of other inputs.

/// A source of chance that gives the same for the same seed.
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Chance {
        // Zero would stay zero.
        Chance(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    pub(crate) fn draw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`, which is above 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.draw() % end.max(1) as u64) as usize
    }
}

/// What the formats at hand are made of, and what readers have stumbled over before.
const WORDS: [&str; 48] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    ":",
    ",",
    "null",
    "true",
    "false",
    "{}",
    "[]",
    "\"\"",
    "-0",
    "1e999",
    "1e-999",
    "18446744073709551616",
    "-9223372036854775809",
    "9223372036854775807",
    "4294967296",
    "0.1",
    "\\u0000",
    "\\ud800",
    "\\udc00\\ud800",
    "\u{0}",
    "\u{feff}",
    "\u{202e}",
    "ß",
    "=",
    "\n",
    "\r\n",
    "\t",
    " ",
    "#",
    "'''",
    "\"\"\"",
    ".",
    "..",
    "/",
    "%",
    ";",
    "A==",
    "=\n",
    "[[a]]",
    "a.b.c",
    "*",
    "!",
    "~",
];

/// Changes an input in place, a few times. `other` is another input of the same kind.
pub(crate) fn mutate(input: &mut Vec<u8>, other: &[u8], most: usize, chance: &mut Chance) {
    for _ in 0..=chance.below(6) {
        change(input, other, chance);
        input.truncate(most);
    }
}

fn change(input: &mut Vec<u8>, other: &[u8], chance: &mut Chance) {
    if input.is_empty() {
        input.extend_from_slice(WORDS[chance.below(WORDS.len())].as_bytes());
        return;
    }
    let at = chance.below(input.len());
    let end = at + 1 + chance.below((input.len() - at).min(32));
    match chance.below(12) {
        0 => input[at] ^= 1 << chance.below(8),
        1 => input[at] = chance.draw().to_le_bytes()[0],
        2 => input.insert(at, chance.draw().to_le_bytes()[0]),
        3 => drop(input.drain(at..end)),
        4 => insert(input, at, WORDS[chance.below(WORDS.len())].as_bytes()),
        5 => {
            let word = WORDS[chance.below(WORDS.len())].as_bytes().to_vec();
            input.splice(at..end, word);
        }
        // A piece stands twice: keys, signatures, items.
        6 => {
            let piece = input[at..end].to_vec();
            insert(input, at, &piece);
        }
        // Something nests, or goes on.
        7 => {
            let piece = input[at..end.min(at + 4)].to_vec();
            let many = piece.repeat(1 + chance.below(300));
            insert(input, at, &many);
        }
        8 if !other.is_empty() => {
            let from = chance.below(other.len());
            let until = from + 1 + chance.below((other.len() - from).min(200));
            input.splice(at..end, other[from..until].iter().copied());
        }
        9 => input.truncate(at),
        10 => number(input, at, chance),
        _ => input.swap(at, end - 1),
    }
}

fn insert(input: &mut Vec<u8>, at: usize, piece: &[u8]) {
    input.splice(at..at, piece.iter().copied());
}

/// Another number where there is one.
fn number(input: &mut Vec<u8>, at: usize, chance: &mut Chance) {
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    let Some(start) = input[at..].iter().position(is_digit).map(|found| at + found) else { return };
    let end = start + input[start..].iter().take_while(|byte| is_digit(byte)).count();
    let numbers = ["0", "1", "-1", "255", "65536", "2147483648", "4294967295", "9223372036854775807", "1.5", "1e9"];
    input.splice(start..end, numbers[chance.below(numbers.len())].bytes());
}
