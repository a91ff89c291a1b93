//! What the database can do to a hub: be away, come back, be killed, take no writes or no connections, be
//! slow, say nothing. In none of it is something lost that was acknowledged, or done twice.
//!
//! `at_start`, `away`, `commit`, `crowded`, `failover`, `read_only` and `slow` have a kind of trouble each; `leases` is
//! about what lapses meanwhile, `together` about those who share a transaction; `place` is where they play.

mod at_start;
mod away;
mod commit;
mod crowded;
mod failover;
mod leases;
mod place;
mod read_only;
mod slow;
mod together;
