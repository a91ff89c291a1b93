//! The one outbound line and what it bears: waits, signs of life, outages, proxies.

mod deliveries;
mod held_waits;
mod hub_away;
mod net_trouble;
mod orderly_stop;
mod own_authority;
mod presence;
mod proxies;
mod refusals;
mod slim_program;
mod two_agents;
