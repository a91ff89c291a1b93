//! `sortie state`: what nodes should be. One file per verb; `editor` lets somebody change a text, `going_out` reads how
//! a publication shall go, `parsing` what a file holds as data, `differences` and `shown` say how things look.

mod diff;
mod differences;
mod edit;
mod editor;
mod going_out;
mod history;
mod kinds;
mod node;
mod noun;
mod parsing;
mod publish;
mod pull;
mod show;
mod shown;
mod sign;
mod watch;

pub(crate) use noun::{StateCommand, run};
