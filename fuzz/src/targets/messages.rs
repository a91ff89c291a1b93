//! Messages in JSON, with examples in `fuzz/corpus`. What is read is written and read again, and then it must be the
//! same.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::target::{Target, Verdict, of_bytes};

/// The readers.
pub(super) const TARGETS: &[Target] = &[
    message::<sortie_wire::envelope::Envelope>("envelope"),
    message::<sortie_wire::deliveries::Delivery>("delivery"),
    message::<sortie_wire::deliveries::SignedTime>("signed_time"),
    message::<sortie_wire::keys::KeySet>("key_set"),
    message::<sortie_wire::enrollment::Enroll>("enroll"),
    message::<sortie_wire::enrollment::Enrolled>("enrolled"),
    message::<sortie_wire::enrollment::Renew>("renew"),
    message::<sortie_wire::results::ResultBatch>("results"),
    message::<sortie_wire::heartbeat::Heartbeat>("heartbeat"),
    message::<sortie_wire::heartbeat::Pulse>("pulse"),
    message::<sortie_wire::refusals::RefusalReport>("refusals"),
    message::<sortie_wire::logs::LogBatch>("log_pieces"),
    message::<sortie_wire::problem::Problem>("problem"),
    message::<sortie_wire::tasks::SubmitTask>("submit"),
    message::<sortie_wire::operations::ProposeOperation>("propose_operation"),
    message::<sortie_wire::jobs::RunJob>("job"),
    message::<sortie_wire::trusts::TrustResult>("trust_result"),
    message::<sortie_wire::cloud_events::CloudEvent>("cloud_event"),
];

const fn message<T: Serialize + DeserializeOwned>(name: &'static str) -> Target {
    of_bytes(name, 16 << 10, &[], round::<T>)
}

fn round<T: Serialize + DeserializeOwned>(input: &[u8]) -> Verdict {
    let read: T = match serde_json::from_slice(input) {
        Ok(read) => read,
        Err(error) => return Verdict::Refused(error.to_string()),
    };
    let written = match serde_json::to_string(&read) {
        Ok(written) => written,
        Err(error) => return Verdict::Broken(format!("what was read cannot be written: {error}")),
    };
    let again: T = match serde_json::from_str(&written) {
        Ok(again) => again,
        Err(error) => return Verdict::Broken(format!("what was written cannot be read: {error} in {written}")),
    };
    match serde_json::to_string(&again) {
        Ok(twice) if twice == written => Verdict::Read,
        Ok(twice) => Verdict::Broken(format!("it changes each time: {written} and then {twice}")),
        Err(error) => Verdict::Broken(format!("what was read cannot be written: {error}")),
    }
}

/// JSON that is passed on as it came: what is unambiguous is read by any reader, and as the same.
pub(super) fn passed_on(input: &[u8]) -> Verdict {
    use sortie_wire::readable::{is_readable, is_unambiguous};
    let json: &RawValue = match serde_json::from_slice(input) {
        Ok(json) => json,
        Err(error) => return Verdict::Refused(error.to_string()),
    };
    let value = serde_json::from_str::<serde_json::Value>(json.get());
    match (is_unambiguous(json), is_readable(json), value) {
        (true, false, _) => Verdict::Broken("it is unambiguous and cannot be read".to_owned()),
        (_, true, Err(error)) => Verdict::Broken(format!("it is readable, and a reader says: {error}")),
        (_, false, Ok(_)) => Verdict::Broken("a reader reads it, and it is said to be unreadable".to_owned()),
        (false, true, Ok(_)) => Verdict::Refused("ambiguous".to_owned()),
        (false, false, Err(error)) => Verdict::Refused(error.to_string()),
        (true, true, Ok(_)) => Verdict::Read,
    }
}
