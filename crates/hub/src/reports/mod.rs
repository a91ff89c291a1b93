//! Reports: facts that nodes tell of themselves, mirrored with who said them and when. `receive` takes them, `read`
//! shows them, `forget` removes old ones but for the newest of each kind. Nothing here writes what is meant for a node.

mod forget;
mod read;
mod receive;
pub(crate) mod routes;

pub(crate) use forget::forget;
