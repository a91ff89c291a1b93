//! What operators sign, from the hub that keeps it to the site that does it: with keys and signatures of a
//! real `ssh-keygen`.

mod help;
mod helper;
mod reboots;
mod restarts;
mod site_command;
