//! A small network that breaks: a PostgreSQL server, two hubs, the balancer of our sample and three agents, each in a
//! network namespace of its own, with roads between them that are closed, closed in one direction, lossy, late, jumbled
//! or narrow.
//!
//! `apart` tells a story in namespaces of its own, so that nothing of it is left behind; `places` names who is where;
//! `roads` are the network and its faults, for some of which `bad_roads.py` carries the packets; `country` is everybody
//! at their place; `clients` submit work and remember what was acknowledged; `faults` says what can be broken and draws
//! it; `truths` is what holds in the end. `by_name` tells each fault once, `drawn` as many as one likes.

mod apart;
mod by_name;
mod clients;
mod country;
mod drawn;
mod faults;
mod places;
mod roads;
mod truths;
