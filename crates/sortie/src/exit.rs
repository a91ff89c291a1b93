//! How a command ends: the documented exit codes, and failures in two sentences, what happened and
//! what to do.

use std::fmt;
use std::process::ExitCode;

use serde_json::json;
use sortie_client::{ClientError, SetupError, TlsFault};
use sortie_rules::desired::place_in_words;
use sortie_wire::problem::{Problem, ProblemCode};

use crate::find_hub::Source;
use crate::output::Output;

/// What `sortie help exit-codes` says. `docs/command.md` holds the same table.
pub(crate) const EXIT_CODES: &str = "\
Every command ends with one of these codes:

  0  It is done.
  1  It failed for another reason than those below.
  2  It was called wrongly, or the configuration cannot be used. Nothing was done.
  3  The hub refused. The message shows the problem's code and correlation id.
  4  The hub cannot be reached, or what answers there is not believed to be the hub.
  5  The awaited task has ended but did not complete.
  6  The time to wait is over. What was waited for goes on.
  7  What was to be verified does not hold. The message names the first place.
  8  Something is pending: the store needs migrations.

A wait that is ended with Ctrl-C gives 130, as shells have it; what was waited for goes on too.";

/// An exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Another failure.
    Failed = 1,
    /// Usage or configuration.
    Usage = 2,
    /// Refused by the hub.
    Refused = 3,
    /// The hub cannot be reached.
    Unreachable = 4,
    /// The awaited task has ended but did not complete.
    NotCompleted = 5,
    /// The time to wait is over.
    TimedOut = 6,
    /// What was to be verified does not hold.
    DoesNotHold = 7,
    /// Migrations are pending.
    Pending = 8,
    /// Someone pressed Ctrl-C.
    Interrupted = 130,
}

/// A command that did not do what it was asked to.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something to tell.
    Told(Box<Told>),
    /// What there was to say has been said; only the code is left.
    Silent(Exit),
    /// Whoever read our output has seen enough (`sortie task list | head`). No failure at all.
    ReaderLeft,
}

/// A failure that is told.
#[derive(Debug)]
pub(crate) struct Told {
    exit: Exit,
    what: String,
    remedy: Option<String>,
    problem: Option<Box<Problem>>,
    /// Whoever answers has a certificate from an authority that is not believed.
    other_issuer: bool,
}

/// What a command returns.
pub(crate) type Done = Result<(), Failure>;

impl Failure {
    /// A failure with its code and a sentence that says what happened.
    pub(crate) fn new(exit: Exit, what: impl Into<String>) -> Failure {
        Failure::Told(Box::new(Told { exit, what: what.into(), remedy: None, problem: None, other_issuer: false }))
    }

    /// The caller has to change what was asked.
    pub(crate) fn usage(what: impl Into<String>) -> Failure {
        Failure::new(Exit::Usage, what)
    }

    /// Something else went wrong.
    pub(crate) fn other(what: impl Into<String>) -> Failure {
        Failure::new(Exit::Failed, what)
    }

    /// The same, with a sentence that says what to do.
    #[must_use]
    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Failure {
        if let Failure::Told(told) = &mut self {
            told.remedy = Some(remedy.into());
        }
        self
    }

    /// The same, with what to do if the hub did not take the token that came from there, or was not believed by
    /// the authority that did.
    #[must_use]
    pub(crate) fn of(self, source: Option<&Source>) -> Failure {
        let (Failure::Told(told), Some(source)) = (&self, source) else { return self };
        let is_unknown = told.problem.as_ref().is_some_and(|problem| problem.code == ProblemCode::Unauthenticated);
        match (is_unknown, told.other_issuer) {
            (true, _) => self.remedy(source.remedy()),
            (false, true) => {
                let remedy = source.remedy_for_another_issuer();
                self.remedy(format!("{remedy}. `sortie doctor` shows who answers"))
            }
            (false, false) => self,
        }
    }

    /// With which code it ends; none if it is no failure.
    pub(crate) fn exit(&self) -> Option<Exit> {
        match self {
            Failure::Told(told) => Some(told.exit),
            Failure::Silent(exit) => Some(*exit),
            Failure::ReaderLeft => None,
        }
    }

    /// The sentence that says what to do.
    pub(crate) fn remedy_text(&self) -> Option<&str> {
        match self {
            Failure::Told(told) => told.remedy.as_deref(),
            Failure::Silent(_) | Failure::ReaderLeft => None,
        }
    }

    /// Tells it on stderr and says with which code to end.
    pub(crate) fn end(self, output: Output) -> ExitCode {
        let exit = match self {
            Failure::ReaderLeft => return ExitCode::SUCCESS,
            Failure::Silent(exit) => exit,
            Failure::Told(told) => {
                if output.json() {
                    output.say(&told.as_json().to_string())
                } else {
                    told.tell(output)
                }
                told.exit
            }
        };
        ExitCode::from(exit as u8)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Told(told) => f.write_str(&told.what),
            Failure::Silent(exit) => write!(f, "it ended with the code {}", *exit as u8),
            Failure::ReaderLeft => f.write_str("whoever read the output has left"),
        }
    }
}

impl Told {
    fn tell(&self, output: Output) {
        let colours = output.talk_colours();
        output.say(&format!("{} {}", colours.bad("error:"), self.what));
        if let Some(place) = self.place().filter(|place| !self.what.starts_with(place)) {
            output.say(&format!("  at     {place}"));
        }
        if let Some(remedy) = &self.remedy {
            output.say(&format!("  try    {remedy}"));
        }
        if let Some(problem) = &self.problem {
            output.say(&format!("  code   {} ({})", problem.code.as_str(), problem.status));
            if let Some(id) = &problem.instance {
                output.say(&format!("  id     {id}  (this request in the hub's log)"));
            }
        }
    }

    /// Where in the request the fault lies: in a state as people name it, elsewhere as a JSON pointer.
    fn place(&self) -> Option<String> {
        let pointer = self.problem.as_ref()?.pointer.as_deref()?;
        let place = || if pointer.is_empty() { "the whole body" } else { pointer }.to_owned();
        Some(place_in_words(pointer).unwrap_or_else(place))
    }

    fn as_json(&self) -> serde_json::Value {
        json!({
            "error": self.what, "remedy": self.remedy, "exit": self.exit as u8, "problem": self.problem,
        })
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        let what = chain(&error);
        match error {
            ClientError::Problem { problem, .. } => refused(problem),
            ClientError::Unreachable { stage, .. } => Failure::new(Exit::Unreachable, what).remedy(stage.remedy()),
            ClientError::Tls { hub, fault } => {
                let what = format!("no secure connection to the hub at {hub}: {}", fault.fact());
                let mut failure = Failure::new(Exit::Unreachable, what).remedy(remedy_for_tls(&fault));
                if let Failure::Told(told) = &mut failure {
                    // Authorities of two hubs may have one name: then it is the signature that does not fit.
                    told.other_issuer = fault.is_about_the_issuer() || matches!(*fault, TlsFault::Other(_));
                }
                failure
            }
            ClientError::NotSortie { .. } => Failure::new(Exit::Unreachable, what)
                .remedy("check the address; a proxy or another program may be answering. `sortie doctor` looks closer"),
            ClientError::Unproven { .. } => {
                Failure::new(Exit::Unreachable, what).remedy("`sortie doctor` looks closer")
            }
            ClientError::TooLarge { .. } | ClientError::Unwritable(_) => Failure::other(what),
        }
    }
}

impl From<SetupError> for Failure {
    fn from(error: SetupError) -> Failure {
        Failure::usage(chain(&error))
    }
}

/// An error with its causes, unless they only repeat it.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}

fn refused(problem: Box<Problem>) -> Failure {
    // The hub's sentence says what to do in most cases; these are about this program.
    let remedy = match problem.code {
        ProblemCode::PayloadInvalid => Some("`sortie task types TYPE` shows the payload's schema"),
        ProblemCode::Unauthenticated => {
            Some("check SORTIE_TOKEN; on the hub's own machine, --data DIR finds admin.token")
        }
        ProblemCode::Forbidden => Some("`sortie whoami` shows your role"),
        ProblemCode::UnknownOrgSetting => Some("`sortie settings list` shows every key"),
        ProblemCode::UnknownRoute => Some("is the hub older than this program? `sortie doctor` compares them"),
        _ => None,
    };
    let what = uncapitalised(&problem.detail);
    Failure::Told(Box::new(Told {
        exit: Exit::Refused,
        what,
        remedy: remedy.map(str::to_owned),
        problem: Some(problem),
        other_issuer: false,
    }))
}

/// For the middle of a line: `There is no node` becomes `there is no node`, SORTIE_HUB stays.
fn uncapitalised(sentence: &str) -> String {
    let mut chars = sentence.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), Some(second)) if !second.is_uppercase() => first.to_lowercase().chain(chars).collect(),
        _ => sentence.to_owned(),
    }
}

fn remedy_for_tls(fault: &TlsFault) -> &'static str {
    match fault {
        TlsFault::Expired { .. } | TlsFault::NotYetValid { .. } => "check this machine's clock",
        TlsFault::OtherName { .. } => "use the name that the certificate has, or add this one to `names` of the hub",
        _ => "believe the hub's ca.pem, or its fingerprint. `sortie doctor` shows who answers",
    }
}
