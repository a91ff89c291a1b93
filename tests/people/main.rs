//! People: accounts with passwords, sessions of the console, and orgs that see nothing of one another.

mod accounts;
mod foreign_org;
mod help;
mod last_admin;
mod orgs;
mod sessions;
