//! Texts from templates that people write, within bounds of steps and size.
//!
//! The engine counts its steps and not the bytes that a step makes, and a text that doubles is gigabytes after thirty
//! steps. So `grammar` refuses what could make one value of two before the engine sees it, `filters` are few and share
//! a bound, and `render` writes no further than a mail may be long.

mod filters;
mod grammar;
mod render;

pub(crate) use render::{engine, render};
