//! An archived log as it lies in its blob: gzip, which everybody can read who finds it there. The same log always makes
//! the same bytes.

use std::io::{self, Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use sortie_rules::limits::TASK_LOG_BYTES_MAX;

/// Packs a log.
pub(super) fn pack(log: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::with_capacity(log.len() / 8 + 64), Compression::default());
    packed.write_all(log)?;
    packed.finish()
}

/// Unpacks a log, which is so long.
pub(super) fn unpack(packed: &[u8], length: u64) -> io::Result<Vec<u8>> {
    let mut log = Vec::with_capacity(usize::try_from(length.min(TASK_LOG_BYTES_MAX)).unwrap_or(0));
    GzDecoder::new(packed).take(TASK_LOG_BYTES_MAX + 1).read_to_end(&mut log)?;
    match log.len() as u64 == length {
        true => Ok(log),
        false => Err(io::Error::other("it is not as long as it was")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_unpacked_as_it_was_packed_and_packed_the_same_each_time() {
        let log = b"one line\n".repeat(1000);
        let packed = pack(&log).unwrap();
        assert!(packed.len() < log.len() / 10);
        assert_eq!(packed, pack(&log).unwrap());
        assert_eq!(unpack(&packed, log.len() as u64).unwrap(), log);
        assert!(unpack(&packed, 9).is_err());
        assert!(unpack(&packed[..packed.len() / 2], log.len() as u64).is_err());
    }
}
