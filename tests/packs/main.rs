//! Packs: how a hub comes by task types, what becomes of broken ones, and what results are held to.

mod command;
mod help;
mod loading;
mod recipe;
mod results;
