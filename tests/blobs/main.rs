//! Blobs: logs of ended tasks beside the database, in a folder or an S3 store, with one hub and with several, while
//! their place is there and while it is away.

mod help;

mod away;
mod backups;
mod belonging;
mod buckets;
mod folders;
mod hubs;
mod killed;
mod over_tls;
