//! Summaries: how an org fares in numbers, counted at most every two seconds, fresh after each event at whichever hub,
//! served as they were while the database is away, and shown to nobody who may not see them.

mod away;
mod command;
mod fresh;
mod help;
mod numbers;
mod seen;
