//! The end of the demo: what was counted, and how to go on.

use super::fleet::Fleet;
use super::narrator::Narrator;
use super::places::KILLED;
use super::story::Outcome;
use crate::exit::Done;

/// Says what was counted.
pub(super) fn tell(outcome: &Outcome, narrator: Narrator) -> Done {
    let tally = &outcome.tally;
    narrator.line("")?;
    for (count, what) in [
        (tally.tasks, "tasks were acknowledged by the hub"),
        (tally.completed, "completed"),
        (tally.refused, "refused by the site's policy, as it should"),
        (tally.interrupted, "interrupted: cut in mid-run, may not be repeated, so reported and not repeated"),
        (tally.otherwise, "ended otherwise"),
        (tally.lines, "lines stand in the journals"),
    ] {
        if count > 0 {
            narrator.line(&format!("  {count:>4}  {what}"))?;
        }
    }
    narrator.line(&format!("  {:>4}  {}", tally.lost, narrator.strong("lost")))?;
    narrator.line(&format!("  {:>4}  {}", tally.duplicated, narrator.strong("done twice")))?;
    narrator.line("")
}

/// Says how to go on.
pub(super) fn invite_to_stay(fleet: &Fleet, narrator: Narrator) -> Done {
    let (hub, data) = (fleet.hub_url(), fleet.hub_folder());
    let (data, program) = (data.display(), fleet.program().display());
    narrator.say(format!("The fleet stays up until you press Ctrl-C. The hub: {}", narrator.strong(&hub)))?;
    for line in [
        String::new(),
        "In another shell:".to_owned(),
        String::new(),
        format!("  alias sortie={program}"),
        format!("  export SORTIE_HUB={hub} SORTIE_CA={data}/ca.pem SORTIE_TOKEN=$(cat {data}/admin.token)"),
        String::new(),
        "  sortie node list".to_owned(),
        format!("  sortie task submit sys.info --node {KILLED} --wait"),
        "  sortie task list --all".to_owned(),
        format!("  sortie event list --node {KILLED}"),
        "  sortie doctor".to_owned(),
        format!("  curl --cacert {data}/ca.pem {hub}/api/openapi.json"),
        String::new(),
    ] {
        narrator.line(&line)?;
    }
    Ok(())
}
