//! Looking back: what happened at nodes, hour by hour and day by day, in rows whose number is bounded.
//!
//! `step` says how long a stretch is, `book` enters what happened into stretches, and `points` reads them.

mod book;
mod points;
mod step;

pub use book::{Book, Counts, Happening, Level, Row, Sum};
pub use points::{Point, points};
pub use step::Step;
