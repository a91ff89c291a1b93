//! The pack for boxes at customers' homes: backups by a real restic, and a box from an empty machine to converged, and
//! back after its disk was wiped. Disks have their story in `desired`.

mod backups;
mod help;
mod whole;
