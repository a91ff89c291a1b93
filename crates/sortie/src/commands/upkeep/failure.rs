//! How an error of these commands ends.

use sortie_hub::upkeep::UpkeepError;

use crate::exit::{Exit, Failure, chain};

/// As a failure with its code.
pub(crate) fn failed(error: &UpkeepError) -> Failure {
    let what = chain(error);
    match error {
        error if error.is_the_caller_s() => Failure::usage(what),
        error if error.does_not_hold() => Failure::new(Exit::DoesNotHold, what),
        _ => Failure::other(what),
    }
}
