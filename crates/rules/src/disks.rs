//! How full a disk is, and when that is news.

/// From which percentages on it is news that a disk has become fuller.
const STEPS: [u64; 4] = [80, 85, 90, 95];

/// How much of a disk is used, in whole percent, rounded up; what is not there for us counts as used.
pub fn used_percent(total_bytes: u64, available_bytes: u64) -> u64 {
    if total_bytes == 0 {
        return 0;
    }
    let used = u128::from(total_bytes.saturating_sub(available_bytes)) * 100;
    u64::try_from(used.div_ceil(u128::from(total_bytes))).unwrap_or(100)
}

/// How many of the percentages it is above, from which on it is news: 80, 85, 90 and 95. Within a step it fills and
/// empties without anybody being told.
pub fn fullness_step(used_percent: u64) -> usize {
    STEPS.iter().filter(|step| used_percent > **step).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_as_full_as_what_cannot_be_written_any_more() {
        assert_eq!(used_percent(1000, 1000), 0);
        assert_eq!(used_percent(1000, 999), 1);
        assert_eq!(used_percent(1000, 100), 90);
        assert_eq!(used_percent(1000, 99), 91);
        assert_eq!(used_percent(1000, 0), 100);
        assert_eq!(used_percent(1000, 2000), 0, "a clever file system");
        assert_eq!(used_percent(0, 0), 0, "none");
        assert_eq!(used_percent(u64::MAX, 0), 100);
    }

    #[test]
    fn it_is_news_when_a_step_is_crossed() {
        let steps: Vec<usize> = [0, 80, 81, 85, 86, 90, 91, 95, 96, 100].map(fullness_step).to_vec();
        assert_eq!(steps, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
    }
}
