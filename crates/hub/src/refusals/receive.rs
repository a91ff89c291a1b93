//! Takes in what an agent says of its refusals. Said again it changes nothing, and however many there are,
//! few events are made of them.

use sortie_rules::limits::{MESSAGE_BYTES_MAX, NAME_BYTES_MAX, REFUSAL_CODES_MAX};
use sortie_rules::redaction::redact;
use sortie_rules::time::Millis;
use sortie_rules::verification::{Told, is_worth_telling};
use sortie_store::{Tx, refusals};
use sortie_wire::problem::ProblemCode;
use sortie_wire::refusals::RefusedDeliveries;

use super::read::{Kept, kept};
use crate::app::App;
use crate::events::{self, Record};
use crate::fault::{Fault, refuse_at};
use crate::http::NodeCaller;

/// Keeps what an agent says of its refusals, and tells what is new of it.
pub(super) async fn receive(app: &App, caller: NodeCaller, said: Vec<RefusedDeliveries>) -> Result<(), Fault> {
    check(&said)?;
    let now = app.clock.now();
    app.store.write(move |tx| Box::pin(async move { write(tx, &caller, said, now).await })).await
}

fn check(said: &[RefusedDeliveries]) -> Result<(), Fault> {
    let refused = |pointer: String, detail: &str| Err(refuse_at(ProblemCode::FieldInvalid, &pointer, detail));
    if said.len() > REFUSAL_CODES_MAX {
        return refused("/refused".to_owned(), &format!("At most {REFUSAL_CODES_MAX} reasons are told."));
    }
    for (place, one) in said.iter().enumerate() {
        let is_word = one.code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if !is_word || one.code.is_empty() || one.code.len() > NAME_BYTES_MAX {
            let detail = format!("A code is a word of small letters and `_`, at most {NAME_BYTES_MAX} bytes long.");
            return refused(format!("/refused/{place}/code"), &detail);
        }
        if said[..place].iter().any(|earlier| earlier.code == one.code) {
            return refused(format!("/refused/{place}/code"), "This code stands there already.");
        }
        if one.message.len() > MESSAGE_BYTES_MAX {
            let detail = format!("A message has at most {MESSAGE_BYTES_MAX} bytes.");
            return refused(format!("/refused/{place}/message"), &detail);
        }
    }
    Ok(())
}

async fn write(tx: &mut Tx, caller: &NodeCaller, said: Vec<RefusedDeliveries>, now: Millis) -> Result<(), Fault> {
    let mut all = kept(tx, caller.node).await?;
    let before = all.clone();
    for mut one in said {
        one.message = redact(&one.message).into_owned();
        let place = match all.iter().position(|known| known.said.code == one.code) {
            // An agent that says less than before has an older disk: what was known stays.
            Some(place) if one.times <= all[place].said.times => continue,
            Some(place) => {
                all[place].said = one;
                place
            }
            None if all.len() < REFUSAL_CODES_MAX => {
                all.push(Kept { said: one, told_times: 0, told_at: Millis(0) });
                all.len() - 1
            }
            None => continue,
        };
        let known = &mut all[place];
        let told = (known.told_times > 0).then_some(Told { times: known.told_times, at: known.told_at });
        if is_worth_telling(told, known.said.times, now) {
            (known.told_times, known.told_at) = (known.said.times, now);
            let RefusedDeliveries { code, times, number, message, .. } = &known.said;
            let data = serde_json::json!({ "code": code, "times": times, "number": number, "message": message });
            let record = Record::new(caller.org, now, "delivery.refused", caller.name());
            events::record(tx, record.node(caller.node).data(&data)).await?;
        }
    }
    if all != before {
        let text = serde_json::to_string(&all).map_err(|error| Fault::Broken(error.to_string()))?;
        refusals::set(tx, caller.node, &text).await?;
    }
    Ok(())
}
