//! Whether a run may begin: its time, the site's policy, and whether there is a handler at all.

use std::sync::Arc;

use sortie_rules::tasks::Code;
use sortie_rules::time::Millis;
use sortie_wire::deliveries::HandedTask;

use crate::handlers::{Failure, Handler, Handlers};
use crate::policy::Policy;

/// The handler of a run that may begin, or the refusal that is reported.
pub(super) fn judge(
    handed: &HandedTask,
    policy: &Policy,
    handlers: &Handlers,
    hub_now: Millis,
) -> Result<Arc<dyn Handler>, Failure> {
    let reject = |code: &str, message: String| Err(Failure::Rejected { code: Code::new(code), message });
    let name = &handed.type_name;
    if handed.not_after.is_some_and(|end| hub_now >= end) {
        return reject(Code::EXPIRED, "its time had passed before it could begin".to_owned());
    }
    let Some(handler) = handlers.get(name) else {
        return reject(Code::TYPE_NOT_ALLOWED, format!("this agent has no handler for {name}"));
    };
    if !policy.allows(name) {
        return reject(Code::TYPE_NOT_ALLOWED, format!("the policy of this site does not let {name} run"));
    }
    Ok(Arc::clone(handler))
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
}
