//! Several hubs on one PostgreSQL database, none of them special: what a new one needs, who does what needs doing once,
//! bells and presence over hubs, and what becomes of it all when one is killed.

mod bells;
mod keys;
mod killed;
mod leader;
mod leases;
mod lines;
mod master_key;
mod presence;
