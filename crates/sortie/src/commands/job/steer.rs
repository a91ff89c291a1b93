//! `sortie job pause`, `resume` and `cancel`: says where the job stands now.

use sortie_wire::jobs::Job;

use super::shown::in_words;
use crate::context::Context;
use crate::exit::Done;

/// Says it.
pub(super) fn told(job: &Job, context: &Context) -> Done {
    let output = context.output;
    output.either(job, |job| {
        let counts = job.counts.as_ref().map(in_words).unwrap_or_default();
        output.say(&format!("The job is {}: {counts}.", job.status.as_str()));
        Ok(())
    })
}
