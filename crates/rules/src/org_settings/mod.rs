//! Org settings: what the administrators of an org may choose, each under a key with a default and limits.
//!
//! `setting` says what may stand under a key, and takes nothing else; `known` is the one table of keys;
//! `let_in` decides with some of them what may be let in. Those who read a value name its key from `known` and
//! get the type that the key has.

mod known;
mod let_in;
mod setting;

pub use known::{
    ALL, INVITES_VALID_FOR_MAX, Key, SESSIONS_ABSOLUTE, SESSIONS_IDLE, SESSIONS_ROTATE, TERMINAL_SESSION_MAX_TTL,
    TOKENS_ROLE_MAX, TOKENS_SCOPES_NEEDED, TOKENS_VALID_FOR_MAX, known, nearest_known,
};
pub use let_in::{Asked, LetIn, TooMuch, invite_life};
pub use setting::{NotTaken, OrgSetting, Shape, Value};
