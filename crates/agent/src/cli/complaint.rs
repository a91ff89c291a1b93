//! Tells on standard error what went wrong and what to do: in words, or as one JSON object of the
//! shape that every command of `sortie` uses.

use std::error::Error;
use std::io::{self, Write as _};

use serde_json::json;
use sortie_client::ClientError;
use sortie_rules::redaction::redact;
use sortie_wire::problem::Problem;

use super::exit::AgentExit;

/// What went wrong.
pub(super) struct Complaint<'e> {
    error: &'e dyn Error,
    exit: AgentExit,
    remedy: Option<&'static str>,
    problem: Option<&'e Problem>,
}

impl<'e> Complaint<'e> {
    /// About an error that ends the command so.
    pub(super) fn new(error: &'e dyn Error, exit: AgentExit) -> Complaint<'e> {
        Complaint { error, exit, remedy: None, problem: None }
    }

    /// The same, with what is known of the call that failed.
    pub(super) fn about(mut self, call: &'e ClientError) -> Complaint<'e> {
        self.problem = call.problem();
        if let ClientError::Unreachable { stage, .. } = call {
            self.remedy = Some(stage.remedy());
        }
        self
    }

    /// The same of an enrolment, with what else may help where another authority vouches for whoever answers.
    pub(super) fn or_a_new_invite(mut self, call: &ClientError) -> Complaint<'e> {
        if matches!(call, ClientError::Tls { fault, .. } if fault.is_about_the_issuer()) {
            self.remedy = Some(
                "an invite that is older than a rotation of the hub's authority is void: ask for a new one \
                 (`sortie invite create`)",
            );
        }
        self
    }

    /// Says it, with everything that caused it, and how the command ends.
    pub(super) fn tell(&self, as_json: bool) -> AgentExit {
        let text = if as_json { self.as_json() } else { self.as_text() };
        // There is nobody left to tell if this fails too.
        let _nobody = writeln!(io::stderr().lock(), "{}", redact(&text));
        self.exit
    }

    /// What caused it, from the nearest on; a cause that was said already is left out.
    fn causes(&self) -> Vec<String> {
        let (mut said, mut causes) = (self.error.to_string(), Vec::new());
        let mut next = self.error.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            if !said.contains(&text) {
                said = format!("{said}: {text}");
                causes.push(text);
            }
            next = cause.source();
        }
        causes
    }

    fn as_text(&self) -> String {
        let mut text = format!("error: {}", self.error);
        for cause in self.causes() {
            text += &format!("\n  caused by: {cause}");
        }
        if let Some(remedy) = self.remedy {
            text += &format!("\n  try    {remedy}");
        }
        text
    }

    fn as_json(&self) -> String {
        let error = self.causes().iter().fold(self.error.to_string(), |text, cause| format!("{text}: {cause}"));
        json!({ "error": error, "remedy": self.remedy, "exit": self.exit as u8, "problem": self.problem }).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_client::Stage;

    #[test]
    fn a_complaint_says_what_happened_why_and_what_to_do() {
        let away = ClientError::Unreachable { hub: "h".into(), stage: Stage::Connect, source: "refused".into() };
        let complaint = Complaint::new(&away, AgentExit::Unreachable).about(&away);
        let text = complaint.as_text();
        assert!(text.starts_with("error: the hub at h cannot be reached") && text.contains("caused by: refused"));
        assert!(text.contains("try    is the hub running"), "{text}");
        let json: serde_json::Value = serde_json::from_str(&complaint.as_json()).unwrap();
        assert_eq!((&json["exit"], &json["problem"]), (&json!(4), &json!(null)));
        assert!(json["error"].as_str().unwrap().ends_with(": refused"), "{json}");
    }
}
