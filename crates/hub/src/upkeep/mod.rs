//! What is done to a store as a whole, by commands and beside hubs that run: `back_up` takes a backup and `restore`
//! makes a hub of one, `copy` moves a store to the other engine, `schema` looks what an upgrade would do, and
//! `reseal` seals the hub's keys with another master key.
//!
//! A backup is one `archive` with a `manifest`; `key_files` and `staging` are its dealings with a data folder, `leap`
//! is what a restored hub does so that nobody takes its new numbers for old ones. `blobs` is what becomes of those that
//! lie beside the database.

mod archive;
mod back_up;
mod blobs;
mod copy;
mod fault;
mod key_files;
mod leap;
mod manifest;
mod progress;
mod reseal;
mod restore;
mod schema;
mod staging;

pub use back_up::back_up;
pub use copy::{Copied, CopiedTable, Place, copy_store};
pub use fault::UpkeepError;
pub use manifest::{BlobsRecord, Manifest, Member, TableRecord};
pub use progress::Progress;
pub use reseal::{Sealed, seal_anew};
pub use restore::{Restored, restore};
pub use schema::{Pending, SchemaReport, migrate, schema_of};
