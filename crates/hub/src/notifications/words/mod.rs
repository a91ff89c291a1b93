//! The words in which somebody is told: an org's own template, or the hub's, which never fail.
//!
//! `choose` finds which, `operator` is for those who run the fleet, `customer` for those whose box it is, in the
//! languages of `english` and `hungarian`.

mod choose;
mod customer;
mod english;
mod hungarian;
mod operator;

pub(super) use choose::{Failed, Words, of};
