//! The encoding of SSH (RFC 4251): strings with their length before them, in 32 bits, big-endian.

/// Takes an encoding apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Reader<'b> {
        Reader(bytes)
    }

    /// So many bytes as they are.
    pub(super) fn bytes(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn number(&mut self) -> Option<u32> {
        let bytes = self.bytes(4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    }

    pub(super) fn string(&mut self) -> Option<&'b [u8]> {
        let length = self.number()?;
        self.bytes(usize::try_from(length).ok()?)
    }

    /// A string that is text.
    pub(super) fn word(&mut self) -> Option<&'b str> {
        std::str::from_utf8(self.string()?).ok()
    }

    /// A number without a sign, of at most `N` bytes, filled up with zeros at the front.
    pub(super) fn whole_number<const N: usize>(&mut self) -> Option<[u8; N]> {
        let bytes = self.string()?;
        let digits = match bytes {
            // A zero keeps the highest bit from being a sign; without need it is no encoding.
            [0, rest @ ..] if rest.first().is_some_and(|first| first & 0x80 != 0) => rest,
            [first, ..] if first & 0x80 == 0 && *first != 0 => bytes,
            _ => return None,
        };
        let mut filled = [0; N];
        filled[N.checked_sub(digits.len())?..].copy_from_slice(digits);
        Some(filled)
    }

    /// Nothing may be left over.
    pub(super) fn end(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// Adds a string to an encoding.
///
/// # Panics
/// If the string has four gigabytes or more.
pub fn put(text: &mut Vec<u8>, string: &[u8]) {
    let length = u32::try_from(string.len()).expect("no text here comes near four gigabytes");
    text.extend_from_slice(&length.to_be_bytes());
    text.extend_from_slice(string);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_read_back_and_nothing_beyond_the_end() {
        let mut text = Vec::new();
        put(&mut text, b"one");
        put(&mut text, b"");
        let mut reader = Reader::new(&text);
        assert_eq!((reader.word(), reader.string()), (Some("one"), Some(&b""[..])));
        assert_eq!(reader.number(), None);
        assert_eq!(reader.end(), Some(()));
        assert_eq!(Reader::new(&[0, 0, 0, 9, 1]).string(), None);
        assert_eq!(Reader::new(&[255, 255, 255, 255]).string(), None);
    }

    #[test]
    fn whole_numbers_have_one_encoding() {
        let read = |bytes: &[u8]| {
            let mut text = Vec::new();
            put(&mut text, bytes);
            Reader::new(&text).whole_number::<2>()
        };
        assert_eq!(read(&[7]), Some([0, 7]));
        assert_eq!(read(&[0, 0x80]), Some([0, 0x80]));
        assert_eq!(read(&[0, 0x80, 1]), Some([0x80, 1]));
        assert_eq!((read(&[0x80]), read(&[0, 7]), read(&[1, 2, 3]), read(&[])), (None, None, None, None));
    }
}
