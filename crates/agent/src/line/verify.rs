//! Whether a delivery is the hub's, the answer to what was asked, and in time. Pure: nothing has happened
//! yet when this says no. What is decided here is decided in `rules::verification`.

use sortie_client::ClientError;
use sortie_rules::ids::NodeId;
use sortie_rules::protocols::Lower;
use sortie_rules::time::Millis;
use sortie_rules::verification::{self as rules, Asked, Head, Size, Wait};
use sortie_wire::deliveries::{Delivery, WaitQuery};
use sortie_wire::envelope::{DELIVERY, Distrust, Envelope, Verifier};

use crate::ledger::Refused;

/// The refusal of an answer that is no envelope at all, if the fault is the answer's.
pub(super) fn unreadable(error: &ClientError) -> Option<Refused> {
    let code = match error {
        ClientError::TooLarge { .. } => rules::Refused::TooLarge,
        ClientError::NotSortie { status: 200, .. } => rules::Refused::NotAnEnvelope,
        _ => return None,
    };
    Some(Refused { code, message: error.to_string(), number: None })
}

/// The refusal of a delivery in a lower version of the protocol than was spoken before.
pub(super) fn talked_down(delivery: &Delivery, lower: Lower) -> Refused {
    refused(rules::Refused::ProtocolDowngraded, delivery, || lower.to_string())
}

/// The delivery in an envelope, if a key of the hub's has signed it and it is `me` whom it answers.
pub(super) fn open(envelope: &Envelope, keys: &Verifier, me: NodeId, asked: &WaitQuery) -> Result<Delivery, Refused> {
    let message = keys.open(envelope, DELIVERY).map_err(distrusted)?;
    let delivery: Delivery = serde_json::from_slice(&message).map_err(|error| Refused {
        code: rules::Refused::NotADelivery,
        message: format!("what the hub signed is no delivery that this agent can read: {error}"),
        number: None,
    })?;
    let wait = Wait { boot: asked.boot, seq: asked.seq };
    rules::is_answer(&head(&delivery), &Asked { node: me, wait, ack: asked.ack })
        .map_err(|code| refused(code, &delivery, || not_an_answer(code, &delivery, asked)))?;
    for task in &delivery.tasks {
        let size = Size { run: task.run, attempt: task.attempt, payload: task.payload.get().len() };
        rules::within_limits(size)
            .map_err(|code| refused(code, &delivery, || format!("task {} is beyond all limits", task.id)))?;
    }
    Ok(delivery)
}

/// Whether its time is now, by the hub's clock as well as it is known here.
pub(super) fn in_time(delivery: &Delivery, now: Millis) -> Result<(), Refused> {
    rules::in_time(&head(delivery), now).map_err(|code| {
        let (from, until, now) = (delivery.issued_at.0, delivery.expires_at.0, now.0);
        let why = "by the hub's signed time (milliseconds since 1970)";
        refused(code, delivery, || format!("it is valid from {from} until {until}, and it is {now} {why}"))
    })
}

/// All of it, for a delivery whose time is judged once.
pub(crate) fn verify(
    envelope: &Envelope,
    keys: &Verifier,
    me: NodeId,
    asked: &WaitQuery,
    now: Millis,
) -> Result<usize, Refused> {
    let delivery = open(envelope, keys, me, asked)?;
    in_time(&delivery, now)?;
    Ok(delivery.tasks.len())
}

fn head(delivery: &Delivery) -> Head {
    Head {
        node: delivery.node,
        answers: Wait { boot: delivery.answers.boot, seq: delivery.answers.seq },
        number: delivery.number,
        issued_at: delivery.issued_at,
        expires_at: delivery.expires_at,
    }
}

fn distrusted(distrust: Distrust) -> Refused {
    let code = match distrust {
        Distrust::OtherType => rules::Refused::OtherType,
        Distrust::Damaged => rules::Refused::NotAnEnvelope,
        Distrust::Unsigned => rules::Refused::Unsigned,
        Distrust::UnknownKey => rules::Refused::UnknownKey,
        Distrust::BadSignature => rules::Refused::BadSignature,
    };
    Refused { code, message: distrust.to_string(), number: None }
}

fn refused(code: rules::Refused, delivery: &Delivery, message: impl FnOnce() -> String) -> Refused {
    Refused { code, message: message(), number: Some(delivery.number) }
}

fn not_an_answer(code: rules::Refused, delivery: &Delivery, asked: &WaitQuery) -> String {
    let Delivery { node, answers, number, issued_at, expires_at, .. } = delivery;
    match code {
        rules::Refused::OtherNode => format!("it is for another node ({node})"),
        rules::Refused::OtherWait => format!(
            "it answers wait {} of start {}, and wait {} of start {} was asked: an old answer was played again",
            answers.seq, answers.boot, asked.seq, asked.boot
        ),
        rules::Refused::NumberBack => {
            format!("its number is {number}, and {} was acknowledged before it was asked for", asked.ack)
        }
        rules::Refused::OutOfLimits => format!("no count of deliveries comes to {number}"),
        _ => format!("it says that it is valid from {} until {}", issued_at.0, expires_at.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sortie_rules::ids::{BootId, Id};
    use sortie_wire::deliveries::Answers;
    use sortie_wire::envelope::{Signer, TIME};
    use sortie_wire::keys::KeySet;

    fn node(n: u128) -> NodeId {
        Id::from_uuid(uuid::Uuid::from_u128(n))
    }
    fn boot(n: u128) -> BootId {
        Id::from_uuid(uuid::Uuid::from_u128(n))
    }
    fn signer() -> Signer {
        Signer::from_pkcs8(&rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap().serialize_der()).unwrap()
    }
    fn trusting(signer: &Signer) -> Verifier {
        Verifier::new(&KeySet { version: 1, keys: vec![signer.public_key()], ..KeySet::default() }).unwrap()
    }
    fn asked() -> WaitQuery {
        WaitQuery { room: 1, ack: 0, wait_s: 50, boot: boot(1), seq: 1, keys: None, certified: None, clock: None }
    }
    fn delivery() -> Delivery {
        Delivery {
            node: node(1),
            answers: Answers { boot: boot(1), seq: 1 },
            number: 1,
            issued_at: Millis(10),
            expires_at: Millis(20),
            tasks: vec![],
            cancel: vec![],
            results_wanted: false,
            protocol: 1,
            keys_version: 1,
            operators_version: 0,
            desired_generation: 0,
        }
    }

    #[test]
    fn only_what_the_hub_signed_for_this_node_and_this_wait_is_a_delivery() {
        let (hub, stranger) = (signer(), signer());
        let json = serde_json::to_vec(&delivery()).unwrap();
        let opened = |envelope: &Envelope, me| match open(envelope, &trusting(&hub), me, &asked()) {
            Ok(_) => "taken",
            Err(refused) => refused.code.as_str(),
        };
        assert_eq!(opened(&hub.sign(DELIVERY, &json), node(1)), "taken");
        assert_eq!(opened(&hub.sign(DELIVERY, &json), node(2)), "other_node");
        assert_eq!(opened(&stranger.sign(DELIVERY, &json), node(1)), "unknown_key");
        assert_eq!(opened(&hub.sign(TIME, &json), node(1)), "other_type");
        assert_eq!(opened(&hub.sign(DELIVERY, b"{}"), node(1)), "not_a_delivery");
        let mut forged = stranger.sign(DELIVERY, &json);
        forged.signatures[0].keyid = hub.public_key().id;
        assert_eq!(opened(&forged, node(1)), "bad_signature");
        let old = Delivery { answers: Answers { boot: boot(1), seq: 9 }, ..delivery() };
        assert_eq!(opened(&hub.sign(DELIVERY, &serde_json::to_vec(&old).unwrap()), node(1)), "other_wait");
    }

    #[test]
    fn a_refusal_says_what_was_expected() {
        let hub = signer();
        let late = in_time(&delivery(), Millis(21)).unwrap_err();
        assert_eq!((late.code, late.number), (rules::Refused::Expired, Some(1)));
        assert!(late.message.contains("until 20, and it is 21"), "{late}");
        let back = WaitQuery { ack: 3, ..asked() };
        let envelope = hub.sign(DELIVERY, &serde_json::to_vec(&delivery()).unwrap());
        let refused = open(&envelope, &trusting(&hub), node(1), &back).unwrap_err();
        assert_eq!(refused.to_string(), "number_back: its number is 1, and 3 was acknowledged before it was asked for");
    }
}
