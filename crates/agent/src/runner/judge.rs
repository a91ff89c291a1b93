//! Whether a run may begin: its time, the site's policy, and whether there is a handler at all. What an
//! operator must have signed is judged after this.

use std::sync::Arc;

use sortie_rules::tasks::Code;
use sortie_rules::time::Millis;
use sortie_wire::deliveries::HandedTask;
use sortie_wire::readable::is_unambiguous;

use crate::handlers::{Failure, Handler, Handlers};
use crate::policy::{Command, HOST_REBOOT, Kind, Policy, SERVICE_RESTART, Service};

/// What does the work of a run.
pub(super) enum Doer {
    /// A handler of the agent's own.
    Handler(Arc<dyn Handler>),
    /// A program that the policy names.
    Command(Command),
    /// A local service that the policy names.
    Service(Service),
    /// `service.restart`.
    Restart,
    /// `host.reboot`.
    Reboot,
}

/// What does the work of a run that may begin, or the refusal that is reported.
pub(super) fn judge(
    handed: &HandedTask,
    policy: &Policy,
    handlers: &Handlers,
    hub_now: Millis,
) -> Result<Doer, Failure> {
    let reject = |code: &str, message: String| Err(Failure::Rejected { code: Code::new(code), message });
    let name = &handed.type_name;
    if handed.not_after.is_some_and(|end| hub_now >= end) {
        return reject(Code::EXPIRED, "its time had passed before it could begin".to_owned());
    }
    if !policy.is_usable() {
        let why = "the policy file of this site cannot be used at the moment; `sortie doctor --data DIR` at the site \
                   says why";
        return Err(Failure::failed(Code::POLICY_UNUSABLE, why, true));
    }
    let handling = policy.handlers.get(name);
    let own = |name: &str| match (handlers.get(name), name) {
        (Some(handler), _) => Some(Doer::Handler(Arc::clone(handler))),
        (None, SERVICE_RESTART) => Some(Doer::Restart),
        (None, HOST_REBOOT) => Some(Doer::Reboot),
        (None, _) => None,
    };
    let doer = match handling.map(|handling| &handling.kind) {
        Some(Kind::Command(command)) => Some(Doer::Command(command.clone())),
        Some(Kind::Http(service)) => Some(Doer::Service(service.clone())),
        Some(Kind::Builtin(other)) => own(other),
        None => own(name),
    };
    if !is_unambiguous(&handed.payload) {
        let message = "the payload is nested too deeply, has a key twice in one object, or something that is no value";
        return reject(Code::BAD_PAYLOAD, message.to_owned());
    }
    let Some(doer) = doer else {
        return reject(Code::TYPE_NOT_ALLOWED, format!("this agent has no handler for {name}"));
    };
    if !policy.allows(name) {
        return reject(Code::TYPE_NOT_ALLOWED, format!("the policy of this site does not let {name} run"));
    }
    Ok(doer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handlers::{Closure, Work};
    use serde_json::value::RawValue;
    use sortie_rules::ids::Id;
    use sortie_rules::time::Span;
    use std::path::Path;

    fn handed(type_name: &str, not_after: Option<i64>) -> HandedTask {
        HandedTask {
            id: Id::from_uuid(uuid::Uuid::from_u128(1)),
            run: 1,
            attempt: 1,
            type_name: type_name.into(),
            idempotent: true,
            lease: Span::seconds(60),
            not_after: not_after.map(Millis),
            traceparent: None,
            secrets: Vec::new(),
            operation: None,
            payload: RawValue::from_string("{}".into()).unwrap(),
        }
    }

    #[test]
    fn a_run_begins_in_time_with_a_handler_and_the_site_s_leave() {
        let policy = Policy::parse("allow = [\"known\", \"unknown\"]", Path::new("p")).unwrap();
        let handler: Arc<dyn Handler> = Arc::new(Closure(|_: Work| async { Err(Failure::Cancelled) }));
        let handlers = Handlers::from([("known".into(), Arc::clone(&handler)), ("forbidden".into(), handler)]);
        let code = |task| match judge(&task, &policy, &handlers, Millis(10)) {
            Ok(_) => "runs".to_owned(),
            Err(Failure::Rejected { code, .. }) => code.0,
            Err(other) => format!("{other:?}"),
        };
        assert_eq!(code(handed("known", None)), "runs");
        assert_eq!(code(handed("known", Some(11))), "runs");
        assert_eq!(code(handed("known", Some(10))), "expired");
        assert_eq!(code(handed("unknown", None)), "type_not_allowed");
        assert_eq!(code(handed("forbidden", None)), "type_not_allowed");
    }

    #[test]
    fn a_table_of_the_policy_says_who_does_the_work() {
        let text = "[handlers.\"prog\"]\nkind = \"command\"\nprogram = \"/x\"\n\
                    [handlers.\"again\"]\nkind = \"builtin\"\nbuiltin = \"known\"\n\
                    [handlers.\"none\"]\nkind = \"builtin\"\nbuiltin = \"unknown\"\n\
                    [handlers.\"signed\"]\nkind = \"command\"\nprogram = \"/x\"\nclass = \"privileged\"\n";
        let policy = Policy::parse(text, Path::new("p")).unwrap();
        let handler: Arc<dyn Handler> = Arc::new(Closure(|_: Work| async { Err(Failure::Cancelled) }));
        let handlers = Handlers::from([("known".into(), handler)]);
        let word = |name| match judge(&handed(name, None), &policy, &handlers, Millis(10)) {
            Ok(Doer::Command(_)) => "command".to_owned(),
            Ok(Doer::Handler(_)) => "handler".to_owned(),
            Ok(Doer::Service(_)) => "service".to_owned(),
            Ok(Doer::Restart | Doer::Reboot) => "machine".to_owned(),
            Err(Failure::Rejected { code, .. }) => code.0,
            Err(other) => format!("{other:?}"),
        };
        assert_eq!(
            ["prog", "again", "none", "signed", "known"].map(word),
            ["command", "handler", "type_not_allowed", "command", "type_not_allowed"]
        );
    }
}
