//! Shows whom a site believes as its operators, or sets it.

use super::commands::OperatorsCommand;
use super::complaint::Complaint;
use super::exit::AgentExit;
use super::perform::{print, settings};
use crate::clock::{Clock, Entropy};
use crate::operations::{Given, NotSet, OperatorsOutcome, SetOperators, set_operators};

/// Does what was typed.
pub(super) async fn perform_operators(command: OperatorsCommand, clock: Clock, entropy: Entropy) -> AgentExit {
    let OperatorsCommand { operators, data, replace, config, json } = command;
    let settings = match settings(&data, config.as_deref()) {
        Ok(settings) => settings,
        Err(error) => return Complaint::new(&error, AgentExit::Usage).tell(json),
    };
    let given = match operators.map(|text| text.parse::<Given>()).transpose() {
        Ok(given) => given,
        Err(error) => return Complaint::new(&error, AgentExit::Usage).tell(json),
    };
    match set_operators(SetOperators { settings, given, replace }, clock, &entropy).await {
        Ok(operators) if json => print(&(serde_json::to_string(&operators).unwrap_or_default() + "\n")),
        Ok(operators) => print(&in_words(&operators)),
        Err(error) => {
            let complaint = Complaint::new(&error, AgentExit::of_operators(&error));
            match &error {
                NotSet::Hub(crate::hub::HubError::Call(call)) => complaint.about(call).tell(json),
                _ => complaint.tell(json),
            }
        }
    }
}

/// The operators as lines for people.
pub(super) fn in_words(operators: &OperatorsOutcome) -> String {
    let OperatorsOutcome { fingerprint, version, needed, members } = operators;
    let (Some(fingerprint), Some(version), Some(needed)) = (fingerprint, version, needed) else {
        return match fingerprint {
            Some(fingerprint) => format!(
                "this site waits for the operators with the fingerprint {fingerprint}; until the hub hands them on, it \
                 refuses every privileged task\n"
            ),
            None => "this site knows no operators, so it refuses every privileged task\n".to_owned(),
        };
    };
    let rows = members.iter().map(|member| format!("  {}  {}\n", member.fingerprint, member.name));
    format!(
        "operators, version {version}; {needed} of {} must sign a change\nfingerprint {fingerprint}\n{}",
        members.len(),
        rows.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::Member;

    #[test]
    fn whom_a_site_believes_is_said_in_words() {
        let nobody = OperatorsOutcome { fingerprint: None, version: None, needed: None, members: vec![] };
        assert!(in_words(&nobody).contains("knows no operators"));
        let awaited = OperatorsOutcome { fingerprint: Some("ab".into()), ..nobody };
        assert!(in_words(&awaited).contains("waits for the operators with the fingerprint ab"));
        let member = Member { name: "ada".into(), fingerprint: "SHA256:x".into(), key: "ssh-ed25519 A".into() };
        let known = OperatorsOutcome { version: Some(2), needed: Some(1), members: vec![member], ..awaited };
        let text = "operators, version 2; 1 of 1 must sign a change\nfingerprint ab\n  SHA256:x  ada\n";
        assert_eq!(in_words(&known), text);
    }
}
