//! Readers that stand behind doors of hub and agent.

use super::target::{Target, Verdict, of_bytes, of_text};

/// The readers.
pub(super) const TARGETS: &[Target] = &[
    of_bytes("cookie", 4096, &["a=b; sortie_session=x.y; c", "sortie_session="], |input| {
        told(sortie_hub::doors::cookie(input))
    }),
    of_text(
        "wait_query",
        4096,
        &["room=3&ack=7&wait_s=50&boot=01980c5e-7d1a-7c3e-9b7e-0123456789ab&seq=1&keys=2&certified=true&clock=5"],
        |text| told(sortie_hub::doors::wait_query(text)),
    ),
    of_text("labels", 4096, &["ring=first", "a=b,c=d", "a"], |text| told(sortie_hub::doors::labels(text))),
    of_bytes("last_event_id", 256, &["17", " 5 "], |input| told(sortie_hub::doors::last_event_id(input))),
    of_bytes(
        "helper_line",
        16 << 10,
        &[
            "{\"take\":{\"payloadType\":\"x\",\"payload\":\"e30=\",\"signatures\":[]}}\n",
            "{\"run\":{\"task\":\"01980c5e-7d1a-7c3e-9b7e-0123456789ab\",\"run\":1,\"attempt\":1}}\n\"stop\"\n",
            "{\"ended\":{\"code\":0,\"signal\":null}}\n{\"taken\":1}\n",
        ],
        |input| told(sortie_agent::doors::helper_lines(input)),
    ),
    of_bytes(
        "desired_state",
        16 << 10,
        &["{\"node\":\"01980c5e-7d1a-7c3e-9b7e-0123456789ab\",\"generation\":3,\"issued_at\":1,\"resources\":{\
             \"file/a\":{\"spec\":{\"path\":\"/srv/a\",\"content\":\"x\",\"mode\":\"0644\"},\
             \"after\":[\"directory/b\"]},\
             \"directory/b\":{\"spec\":{\"path\":\"/srv\",\"ensure\":\"absent\"},\"drift\":\"report\"},\
             \"service/c\":{\"spec\":{\"service\":\"web\",\"state\":\"running\",\"enabled\":true}}}}"],
        |input| told(sortie_agent::doors::desired_state(input)),
    ),
    of_bytes("site_reports", 4096, &["{\"a\":1}", "[{\"subject\":\"a\",\"facts\":{\"b\":[]}}]"], |input| {
        told(sortie_rules::reports::read_reports(input).map(|_| ()).map_err(|error| error.to_string()))
    }),
    of_bytes(
        "refused_list",
        4096,
        &["{\"at\":1,\"delivery\":7,\"times\":4,\"code\":\"x\",\"message\":\"y\"}\n{"],
        |input| told(sortie_agent::doors::refused_list(input)),
    ),
];

pub(super) fn told(read: Result<(), String>) -> Verdict {
    match read {
        Ok(()) => Verdict::Read,
        Err(why) => Verdict::Refused(why),
    }
}
