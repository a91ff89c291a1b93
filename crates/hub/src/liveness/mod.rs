//! Whether nodes are there. Signs of life are kept in memory and written together; silence is
//! looked at once a minute over what is in memory, so an idle fleet costs no query.

mod board;
mod check;
mod flush;
mod jump;

pub(crate) use board::PresenceBoard;
pub(crate) use check::check;
pub(crate) use flush::{flush, load, skip_absence};
pub(crate) use jump::{Minded, mind_clock};
