//! What a hub still knows whose master key does not open the keys in its database any more. Changes of them are
//! numbered, and to seal all of them with another master key is a change that leaves the keys as they are.

/// Whether the keys that such a hub has in memory, as of change `own`, are sure to be those of the database, where the
/// newest change is `newest`.
///
/// The next change after its own was sealed with another key, or it could read it: that one was the sealing itself.
/// What comes after that it cannot tell.
pub const fn knows_the_keys(own: u64, newest: u64) -> bool {
    newest <= own.saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hub_knows_the_keys_after_they_were_sealed_anew_and_not_after_the_next_change() {
        assert!(knows_the_keys(4, 4) && knows_the_keys(4, 5));
        assert!(!knows_the_keys(4, 6));
        assert!(knows_the_keys(u64::MAX, u64::MAX));
    }
}
