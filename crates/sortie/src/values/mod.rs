//! Values as they are typed: instants, labels, payloads. Each reads one kind and says what it looks
//! like when it cannot.

mod labels;
mod operation_id;
mod password;
mod payload;
mod when;

pub(crate) use labels::{Label, labels};
pub(crate) use operation_id::operation_id;
pub(crate) use password::{confirm, read_password};
pub(crate) use payload::read_payload;
pub(crate) use when::When;
