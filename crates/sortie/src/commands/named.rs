//! What is named, where names are not unique: an id is found if one thing alone has the name.

use crate::exit::{Exit, Failure};

/// The one that has this name.
pub(crate) fn only<I: Copy>(named: &[I], noun: &str, name: &str, list: &str) -> Result<I, Failure> {
    match named {
        [one] => Ok(*one),
        [] => Err(Failure::new(Exit::Refused, format!("there is no {noun} `{name}`"))
            .remedy(format!("`{list}` shows them; an id does as well"))),
        several => Err(Failure::usage(format!("`{name}` is the name of {} of them", several.len()))
            .remedy(format!("name it by its id, as `{list}` shows it"))),
    }
}
