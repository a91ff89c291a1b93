//! How each statement of the store finds its rows when there are many: by an index, and by which.
//!
//! `recorder` listens to the statements of every story of the suite, so that none is forgotten; `filled`
//! makes a database that has grown; `reading` takes an engine's plan apart; `judging` holds the plans to the
//! rule and to the lists in `postgres.txt` and `sqlite.txt`, which are reviewed like code. A statement that
//! changes, or comes anew, changes its line there: `UPDATE=1 cargo nextest run -p sortie-store plans`.

mod filled;
mod judging;
mod reading;
mod recorder;
