//! What operators sign, from the hub that keeps it to the site that does it: with keys and signatures of a
//! real `ssh-keygen`, and once with those of `sortie keys new`.

mod by_two;
mod help;
mod helper;
mod reboots;
mod restarts;
mod site_command;
