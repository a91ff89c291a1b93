//! Who a node is, and how it stays that: two proofs of one key, through proxies that open connections, with
//! clocks that are wrong, after months away, and when a disk was copied.

mod assertions;
mod by_hand;
mod clocks;
mod coming_back;
mod forged_answers;
mod inspector;
mod through_nginx;
mod versions;
