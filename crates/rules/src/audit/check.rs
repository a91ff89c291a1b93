//! Finds the first link of an exported chain that does not hold, and says what is wrong with it. Takes the file
//! line by line, so that its length does not matter; SHA-256 comes in from outside.

use serde::Deserialize;
use serde_json::Value;

use super::canonical::canonical;
use super::chain::{Hash, Head, Link, NO_HASH, from_hex, hex, link_bytes};

/// What is wrong with the first link that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is no line of an export.
    #[error("this is no line of an audit export: it was changed, or cut in the middle")]
    Unreadable,
    /// It reads well, but the hub writes it otherwise.
    #[error("it was changed: the hub does not write a line like this")]
    Rewritten,
    /// What it says does not fit its hash.
    #[error("it was changed: what it says does not fit its hash")]
    Changed,
    /// The link before it is another one than the link that it followed.
    #[error("it does not follow the link that stands before it: that one was exchanged for another")]
    Exchanged,
    /// Links are missing before it.
    #[error("{} missing before it", missing(*.first, *.last))]
    Missing {
        /// The first that is missing.
        first: u64,
        /// The last that is missing.
        last: u64,
    },
    /// It stands before a link that belongs before it.
    #[error("it is out of order: link {belongs} belongs here and stands in line {line}")]
    OutOfOrder {
        /// The link that belongs here.
        belongs: u64,
        /// Where that one stands.
        line: u64,
    },
    /// It has stood in the file before.
    #[error("it is out of order: link {belongs} belongs here")]
    Repeated {
        /// The link that belongs here.
        belongs: u64,
    },
    /// It is a link of another org's chain.
    #[error("it belongs to another org's chain")]
    OtherOrg,
    /// The chain does not stand where the export says that it stands.
    #[error("the export says here that the chain stands at link {said}, with another hash than link {stands} has")]
    OtherHead {
        /// What the export says.
        said: u64,
        /// Where the chain stands.
        stands: u64,
    },
    /// The file begins in the middle of the chain.
    #[error("the beginning was cut off: the file begins with link {first}, and not with link {wanted}")]
    CutAtBeginning {
        /// The first that is there.
        first: u64,
        /// The first that should be there.
        wanted: u64,
    },
    /// The file has an end that no export has.
    #[error("the end was cut off: after link {last} the file does not say where the chain stood")]
    CutAtEnd {
        /// The last that is there.
        last: u64,
    },
    /// The file ends before a link that is known to be in the chain.
    #[error("the end was cut off: link {known} is known to be in the chain, and the file ends with link {last}")]
    BehindKnown {
        /// The link that is known.
        known: u64,
        /// The last that is there.
        last: u64,
    },
    /// A link that is known has another hash here.
    #[error("the chain was made anew: this link is known to have the hash {known}")]
    OtherThanKnown {
        /// The hash that is known.
        known: String,
    },
    /// The signature over the chain's head does not hold.
    #[error("the hub has not signed this head: {why}")]
    NotSigned {
        /// Why the signature is not believed.
        why: String,
    },
}

fn missing(first: u64, last: u64) -> String {
    if first == last { format!("link {first} is") } else { format!("links {first} to {last} are") }
}

/// The first link that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The line in which it stands, from 1; the last line, if something is missing after it.
    pub line: u64,
    /// Its number, where the line tells one.
    pub number: Option<u64>,
    /// What is wrong.
    pub fault: Fault,
}

/// What a line turned out to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A link that holds.
    Link,
    /// The chain's head at that place, which fits, and the envelope that the hub signed over it.
    Head(Head, Value),
}

/// A line that says where the chain stands.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadLine {
    head: Head,
    signed: Value,
}

/// Goes through an export.
#[derive(Debug)]
pub struct Checker {
    sha256: fn(&[u8]) -> Hash,
    /// The number and the hash of the last link that held. Before the first: of the one that it must follow.
    number: u64,
    hash: Option<Hash>,
    org: Option<String>,
    known: Vec<(u64, Hash)>,
    lines: u64,
    links: u64,
    ends_well: bool,
    broken: Option<Broken>,
}

impl Checker {
    /// A checker of a whole chain.
    pub fn new(sha256: fn(&[u8]) -> Hash) -> Checker {
        Checker {
            sha256,
            number: 0,
            hash: Some(NO_HASH),
            org: None,
            known: Vec::new(),
            lines: 0,
            links: 0,
            ends_well: false,
            broken: None,
        }
    }

    /// A checker of a chain's part that follows the link of this number. Without its hash, the first link that
    /// is there is believed to follow it.
    #[must_use]
    pub fn after(self, number: u64, hash: Option<Hash>) -> Checker {
        let hash = if number == 0 { Some(NO_HASH) } else { hash };
        Checker { number, hash, ..self }
    }

    /// This link is known to be in the chain with this hash.
    pub fn know(&mut self, number: u64, hash: Hash) {
        self.known.push((number, hash));
    }

    /// How many links have held.
    pub fn links(&self) -> u64 {
        self.links
    }

    /// Where the chain stands: number and hash of the last link that held.
    pub fn stands(&self) -> (u64, Hash) {
        (self.number, self.hash.unwrap_or(NO_HASH))
    }

    /// Whether it has found a link that does not hold. What follows is then only looked through for where the
    /// link stands that belongs there.
    pub fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// The next line, without its end. `None` once a link did not hold.
    pub fn line(&mut self, line: &[u8]) -> Option<Step> {
        self.lines += 1;
        if let Some(broken) = &mut self.broken {
            look_for(broken, line, self.lines);
            return None;
        }
        match self.read(line) {
            Ok(step) => {
                self.ends_well = matches!(step, Step::Head(..));
                Some(step)
            }
            Err((number, fault)) => {
                self.broken = Some(Broken { line: self.lines, number, fault });
                None
            }
        }
    }

    /// The head that was just read is signed by nobody who is believed.
    pub fn not_signed(&mut self, why: String) {
        let (line, number) = (self.lines, Some(self.number));
        self.broken.get_or_insert(Broken { line, number, fault: Fault::NotSigned { why } });
    }

    /// The first link that does not hold, now that the file is at its end. `is_whole` says that its last line
    /// has an end.
    pub fn finish(self, is_whole: bool) -> Result<(), Broken> {
        if let Some(broken) = self.broken {
            return Err(broken);
        }
        let at_end = |fault| Err(Broken { line: self.lines, number: Some(self.number), fault });
        if !self.ends_well || !is_whole {
            return at_end(Fault::CutAtEnd { last: self.number });
        }
        match self.known.iter().find(|(number, _)| *number > self.number) {
            Some((known, _)) => at_end(Fault::BehindKnown { known: *known, last: self.number }),
            None => Ok(()),
        }
    }

    fn read(&mut self, line: &[u8]) -> Result<Step, (Option<u64>, Fault)> {
        let text = std::str::from_utf8(line).map_err(|_| (None, Fault::Unreadable))?;
        let value: Value = serde_json::from_str(text).map_err(|_| (None, Fault::Unreadable))?;
        let is_canonical = canonical(&value) == text;
        if value.get("head").is_some() {
            let head: HeadLine = serde_json::from_value(value).map_err(|_| (None, Fault::Unreadable))?;
            let number = Some(head.head.number);
            if !is_canonical {
                return Err((number, Fault::Rewritten));
            }
            self.head(&head.head).map_err(|fault| (number, fault))?;
            return Ok(Step::Head(head.head, head.signed));
        }
        let link: Link = serde_json::from_value(value).map_err(|_| (None, Fault::Unreadable))?;
        let number = Some(link.number);
        if !is_canonical {
            return Err((number, Fault::Rewritten));
        }
        self.link(&link).map_err(|fault| (number, fault))?;
        Ok(Step::Link)
    }

    fn link(&mut self, link: &Link) -> Result<(), Fault> {
        let (Some(stated), Some(previous)) = (from_hex(&link.hash), from_hex(&link.previous)) else {
            return Err(Fault::Unreadable);
        };
        let entry = (self.sha256)(canonical(&link.entry).as_bytes());
        let hash = |previous: &Hash, number| (self.sha256)(&link_bytes(previous, number, &entry));
        let wanted = self.number + 1;
        if link.number != wanted {
            // If it fits as the one that belongs here, then only its number was changed.
            let fits = self.hash.is_some_and(|before| hash(&before, wanted) == stated);
            return Err(match link.number {
                _ if fits => Fault::Changed,
                first if self.links == 0 => Fault::CutAtBeginning { first, wanted },
                number if number > wanted => Fault::Missing { first: wanted, last: number - 1 },
                _ => Fault::Repeated { belongs: wanted },
            });
        }
        if hash(&previous, wanted) != stated {
            return Err(Fault::Changed);
        }
        if self.hash.is_some_and(|before| before != previous) {
            return Err(Fault::Exchanged);
        }
        self.is_of(link.entry.get("org").and_then(Value::as_str).unwrap_or_default())?;
        if let Some((_, known)) = self.known.iter().find(|(number, hash)| *number == wanted && *hash != stated) {
            return Err(Fault::OtherThanKnown { known: hex(known) });
        }
        (self.number, self.hash) = (wanted, Some(stated));
        self.links += 1;
        Ok(())
    }

    fn head(&mut self, head: &Head) -> Result<(), Fault> {
        self.is_of(&head.org.to_string())?;
        if head.number > self.number {
            return Err(Fault::Missing { first: self.number + 1, last: head.number });
        }
        let fits = self.hash.is_none_or(|hash| hex(&hash) == head.hash);
        if head.number < self.number || !fits {
            return Err(Fault::OtherHead { said: head.number, stands: self.number });
        }
        Ok(())
    }

    fn is_of(&mut self, org: &str) -> Result<(), Fault> {
        if self.org.get_or_insert_with(|| org.to_owned()) == org { Ok(()) } else { Err(Fault::OtherOrg) }
    }
}

/// Whether a later line is the link that was missed: then nothing is missing, but the order is another.
fn look_for(broken: &mut Broken, line: &[u8], at: u64) {
    let Fault::Missing { first, .. } = broken.fault else { return };
    let found = serde_json::from_slice::<Link>(line).is_ok_and(|link| link.number == first);
    if found {
        broken.fault = Fault::OutOfOrder { belongs: first, line: at };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;
    use serde_json::json;

    use super::super::chain::{write_head, write_link};
    use super::*;
    use crate::ids::DEFAULT_ORG;
    use crate::time::Millis;

    /// Not SHA-256, but as good for a test: every byte of what goes in tells in all that comes out.
    fn digest(bytes: &[u8]) -> Hash {
        let mut hash = NO_HASH;
        let mut state = 0xcbf2_9ce4_8422_2325_u64;
        for round in 0..4_u64 {
            for byte in bytes {
                state = (state ^ u64::from(*byte) ^ round).wrapping_mul(0x0100_0000_01b3);
            }
            state ^= state >> 29;
            hash[8 * round as usize..][..8].copy_from_slice(&state.to_be_bytes());
        }
        hash
    }

    /// The lines of a chain of so many links, and its head.
    fn export(links: u64) -> Vec<String> {
        let (mut lines, mut previous) = (Vec::new(), NO_HASH);
        for number in 1..=links {
            let entry = canonical(&json!({ "org": DEFAULT_ORG, "action": "node.revoke", "at": number }));
            let hash = digest(&link_bytes(&previous, number, &digest(entry.as_bytes())));
            let mut line = String::new();
            write_link(&mut line, number, &previous, &hash, &entry);
            lines.push(line);
            previous = hash;
        }
        let head = Head { at: Millis(9), hash: hex(&previous), number: links, org: DEFAULT_ORG };
        lines.push(write_head(&head, &json!({})));
        lines
    }

    fn check_with(mut checker: Checker, text: &[u8]) -> Result<u64, Broken> {
        let is_whole = text.ends_with(b"\n");
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        for line in text.split(|byte| *byte == b'\n') {
            checker.line(line);
        }
        let links = checker.links();
        checker.finish(is_whole).map(|()| links)
    }

    fn check(lines: &[String]) -> Result<u64, Broken> {
        check_with(Checker::new(digest), lines.concat().as_bytes())
    }

    fn broken(lines: &[String]) -> (u64, Option<u64>, Fault) {
        let broken = check(lines).expect_err("it does not hold");
        (broken.line, broken.number, broken.fault)
    }

    #[test]
    fn a_whole_chain_holds_and_so_does_one_that_was_continued() {
        assert_eq!(check(&export(5)), Ok(5));
        assert_eq!(check(&export(0)), Ok(0));
        let mut continued = export(3);
        continued.extend_from_slice(&export(5)[3..]);
        assert_eq!(check(&continued), Ok(5));
    }

    #[test]
    fn what_was_done_to_a_chain_is_named() {
        let whole = export(6);
        let mut removed = whole.clone();
        removed.drain(2..4);
        assert_eq!(broken(&removed), (3, Some(5), Fault::Missing { first: 3, last: 4 }));
        let mut swapped = whole.clone();
        swapped.swap(2, 3);
        assert_eq!(broken(&swapped), (3, Some(4), Fault::OutOfOrder { belongs: 3, line: 4 }));
        let mut repeated = whole.clone();
        repeated.insert(3, whole[2].clone());
        assert_eq!(broken(&repeated), (4, Some(3), Fault::Repeated { belongs: 4 }));
        let mut changed = whole.clone();
        changed[1] = changed[1].replace("revoke", "change");
        assert_eq!(broken(&changed), (2, Some(2), Fault::Changed));
        let mut blank = whole.clone();
        blank[1] = blank[1].replace("\"number\":", "\"number\": ");
        assert_eq!(broken(&blank), (2, Some(2), Fault::Rewritten));
        let mut renumbered = whole.clone();
        renumbered[1] = renumbered[1].replace("\"number\":2", "\"number\":7");
        assert_eq!(broken(&renumbered), (2, Some(7), Fault::Changed));
        assert_eq!(broken(&whole[2..]), (1, Some(3), Fault::CutAtBeginning { first: 3, wanted: 1 }));
        assert_eq!(broken(&whole[..4]), (4, Some(4), Fault::CutAtEnd { last: 4 }));
        let mut cut = whole.clone();
        cut.drain(4..6);
        assert_eq!(broken(&cut), (5, Some(6), Fault::Missing { first: 5, last: 6 }));
        let mut behind = whole;
        behind[6] = export(4)[4].clone();
        assert_eq!(broken(&behind), (7, Some(4), Fault::OtherHead { said: 4, stands: 6 }));
    }

    #[test]
    fn an_exchanged_link_is_noticed_by_the_one_that_follows() {
        let mut lines = export(4);
        let mut other = String::new();
        let entry = canonical(&json!({ "org": DEFAULT_ORG, "action": "node.add", "at": 2 }));
        let previous = from_hex(&serde_json::from_str::<Link>(&lines[0]).unwrap().hash).unwrap();
        let hash = digest(&link_bytes(&previous, 2, &digest(entry.as_bytes())));
        write_link(&mut other, 2, &previous, &hash, &entry);
        lines[1] = other;
        assert_eq!(broken(&lines), (3, Some(3), Fault::Exchanged));
    }

    #[test]
    fn what_is_known_from_elsewhere_is_held_against_the_file() {
        let lines = export(4);
        let text = lines.concat();
        let knowing = |number, hash| {
            let mut checker = Checker::new(digest);
            checker.know(number, hash);
            check_with(checker, text.as_bytes())
        };
        let third = from_hex(&serde_json::from_str::<Link>(&lines[2]).unwrap().hash).unwrap();
        assert_eq!(knowing(3, third), Ok(4));
        let refused = knowing(3, [7; 32]).unwrap_err();
        assert_eq!((refused.line, refused.fault), (3, Fault::OtherThanKnown { known: hex(&[7; 32]) }));
        assert_eq!(knowing(9, third).unwrap_err().fault, Fault::BehindKnown { known: 9, last: 4 });
        let rest = lines[3..].concat();
        let after = |hash| check_with(Checker::new(digest).after(3, hash), rest.as_bytes());
        assert_eq!((after(Some(third)), after(None)), (Ok(1), Ok(1)));
        assert_eq!(after(Some([7; 32])).unwrap_err().fault, Fault::Exchanged);
    }

    #[test]
    fn the_chains_of_two_orgs_do_not_mix() {
        let mut lines = export(2);
        lines[2] = lines[2].replace(&DEFAULT_ORG.to_string(), "01980c5e-7d1a-7c3e-9b7e-0123456789ab");
        assert_eq!(broken(&lines), (3, Some(2), Fault::OtherOrg));
    }

    #[test]
    fn a_head_that_nobody_signed_does_not_hold() {
        let mut checker = Checker::new(digest);
        for line in export(1) {
            if let Some(Step::Head(head, _)) = checker.line(line.trim_end().as_bytes()) {
                assert_eq!(head.number, 1);
                checker.not_signed("no key".to_owned());
            }
        }
        let broken = checker.finish(true).unwrap_err();
        assert_eq!((broken.line, broken.fault), (2, Fault::NotSigned { why: "no key".to_owned() }));
    }

    proptest! {
        /// Whichever bit of the links is flipped, the chain does not hold, and the line is named: the one with
        /// the flipped bit, or, if it cut that in two or joined it with the next, that one all the same.
        #[test]
        fn a_flipped_bit_anywhere_is_found_in_its_line(links in 1..6_u64, at in any::<Index>(), bit in 0..8) {
            let lines = export(links);
            let mut bytes = lines.concat().into_bytes();
            let at = at.index(bytes.len() - lines[links as usize].len());
            bytes[at] ^= 1_u8 << bit;
            let ends = lines.iter().scan(0, |sum, line| {
                *sum += line.len();
                Some(*sum)
            });
            let line = ends.take_while(|end| *end <= at).count();
            let found = check_with(Checker::new(digest), &bytes).expect_err("a flipped bit");
            prop_assert_eq!(found.line, line as u64 + 1);
        }

        /// Nor does any file that lacks a part from somewhere to somewhere, unless it lacks all after a head.
        #[test]
        fn no_part_can_be_cut_out(links in 1..6_u64, from in any::<Index>(), to in any::<Index>()) {
            let bytes = export(links).concat().into_bytes();
            let (from, to) = (from.index(bytes.len()), to.index(bytes.len()) + 1);
            prop_assume!(from < to);
            let rest = [&bytes[..from], &bytes[to..]].concat();
            prop_assert!(check_with(Checker::new(digest), &rest).is_err());
        }
    }
}
