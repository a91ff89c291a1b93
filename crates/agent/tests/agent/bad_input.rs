//! Every bad answer to a wait that we could think of, each on a running agent: it is refused with its own
//! code, nothing of it is done, the hub is told, and the good delivery behind it is taken.
//!
//! The hub here is the enemy: it has the hub's keys where a case says so, and sends what it likes.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sortie_rules::ids::{BootId, Id};
use sortie_rules::limits::TASK_PAYLOAD_BYTES_MAX;
use sortie_rules::time::Span;
use sortie_rules::verification::Refused as Reason;
use sortie_wire::deliveries::{Answers, Delivery, HandedTask, WaitQuery};
use sortie_wire::envelope::{DELIVERY, Envelope, Signer, TIME};
use sortie_wire::results::OutcomeWord;

use super::agents::Site;
use super::hub::{Desk, NOW, TestHub, signer, task};
use super::program::{Program, ledger, log_of};

/// What must become of a bad answer.
enum Becomes {
    /// The whole delivery is refused with this code.
    Refused(&'static str),
    /// The delivery is in order, and its task is rejected with this code.
    Rejected(&'static str),
}
use Becomes::{Refused, Rejected};

/// Makes the body of the answer to a wait, with whatever the hub has.
type Made = Box<dyn FnOnce(&Desk, &WaitQuery) -> Vec<u8> + Send>;

/// One bad answer.
struct Bad {
    what: &'static str,
    made: Made,
    becomes: Becomes,
}

fn bad(what: &'static str, becomes: Becomes, made: impl FnOnce(&Desk, &WaitQuery) -> Vec<u8> + Send + 'static) -> Bad {
    Bad { what, made: Box::new(made), becomes }
}

/// A delivery that would have an effect, with this change to it.
fn changed(what: &'static str, becomes: Becomes, change: impl FnOnce(&mut Delivery) + Send + 'static) -> Bad {
    bad(what, becomes, |desk, asked| {
        let mut delivery = harmful(desk, asked);
        change(&mut delivery);
        bytes(&desk.sign(DELIVERY, &bytes(&delivery)))
    })
}

/// The envelope around one that would have an effect, with this change to it.
fn wrapped(what: &'static str, code: &'static str, change: impl FnOnce(&mut Envelope) + Send + 'static) -> Bad {
    bad(what, Refused(code), |desk, asked| {
        let mut envelope = desk.sign(DELIVERY, &bytes(&harmful(desk, asked)));
        change(&mut envelope);
        bytes(&envelope)
    })
}

/// The text of a delivery that would have an effect, signed after this change to it.
fn written(what: &'static str, code: &'static str, change: impl FnOnce(String) -> String + Send + 'static) -> Bad {
    bad(what, Refused(code), |desk, asked| {
        let text = change(String::from_utf8(bytes(&harmful(desk, asked))).unwrap());
        bytes(&desk.sign(DELIVERY, text.as_bytes()))
    })
}

/// What no key of the hub has signed as the answer to this wait of this node.
fn not_the_answer(desk: &Desk, retired: Signer, recorded: Vec<u8>) -> Vec<Bad> {
    let stranger = signer();
    let forger = signer();
    let of = |signer: Signer, keyid: Option<String>| {
        move |desk: &Desk, asked: &WaitQuery| {
            let mut envelope = signer.sign(DELIVERY, &bytes(&harmful(desk, asked)));
            envelope.signatures[0].keyid = keyid.unwrap_or_else(|| envelope.signatures[0].keyid.clone());
            bytes(&envelope)
        }
    };
    let own = desk.keys().keys[0].id.clone();
    vec![
        // Keys and signatures.
        bad("signed by a stranger", Refused("unknown_key"), of(stranger, None)),
        bad("signed by a key that was removed", Refused("unknown_key"), of(retired, None)),
        bad("signed by a stranger who says to be the hub", Refused("bad_signature"), of(forger, Some(own))),
        wrapped("unsigned", "unsigned", |envelope| envelope.signatures.clear()),
        wrapped("a signature that was cut", "bad_signature", |envelope| {
            envelope.signatures[0].sig.truncate(40);
        }),
        wrapped("more signatures than anyone needs", "not_an_envelope", |envelope| {
            let mut more = envelope.signatures[0].clone();
            more.keyid = "x".into();
            envelope.signatures.splice(0..0, vec![more; 16]);
        }),
        // Another message.
        wrapped("relabelled as the hub's time", "other_type", |envelope| envelope.payload_type = TIME.into()),
        bad("the hub's time, relabelled as a delivery", Refused("bad_signature"), |desk, asked| {
            let time = desk.sign(TIME, &bytes(&harmful(desk, asked)));
            bytes(&Envelope { payload_type: DELIVERY.into(), ..time })
        }),
        // For whom, and for which wait.
        changed("for another node", Refused("other_node"), |delivery| {
            delivery.node = Id::from_uuid(uuid::Uuid::from_u128(0xb));
        }),
        changed("the answer to an earlier wait", Refused("other_wait"), |delivery| delivery.answers.seq -= 1),
        changed("the answer to a wait of an earlier start", Refused("other_wait"), |delivery| {
            delivery.answers.boot = BootId::from_uuid(uuid::Uuid::from_u128(7));
        }),
        bad("a good delivery, played again", Refused("other_wait"), |_, _| recorded),
    ]
}

/// Wrong times, numbers and sizes.
fn out_of_bounds() -> Vec<Bad> {
    let (a_minute, ten) = (Span::minutes(1), Span::minutes(10));
    vec![
        changed("expired", Refused("expired"), move |delivery| {
            (delivery.issued_at, delivery.expires_at) = (NOW - ten, NOW - a_minute);
        }),
        changed("in a lower version of the protocol", Refused("protocol_downgraded"), |delivery| delivery.protocol = 0),
        changed("not yet valid", Refused("not_yet_valid"), move |delivery| {
            (delivery.issued_at, delivery.expires_at) = (NOW + ten, NOW + ten + a_minute);
        }),
        changed("ends before it begins", Refused("bad_dates"), move |delivery| {
            (delivery.issued_at, delivery.expires_at) = (NOW, NOW - a_minute);
        }),
        changed("valid for years", Refused("bad_dates"), |delivery| delivery.expires_at = NOW + Span::days(3650)),
        // Numbers.
        changed("a number that goes back", Refused("number_back"), |delivery| delivery.number = 0),
        bad("the last number again, with other work", Refused("number_taken"), |desk, asked| {
            let again = Delivery { number: asked.ack, ..harmful(desk, asked) };
            bytes(&desk.sign(DELIVERY, &bytes(&again)))
        }),
        changed("a number beyond all counts", Refused("out_of_limits"), |delivery| delivery.number = u64::MAX),
        changed("run 0", Refused("out_of_limits"), |delivery| delivery.tasks[0].run = 0),
        changed("an attempt beyond all counts", Refused("out_of_limits"), |delivery| {
            delivery.tasks[0].attempt = u32::MAX;
        }),
        // Sizes.
        changed("a payload that is too large", Refused("out_of_limits"), |delivery| {
            delivery.tasks[0].payload = raw(&format!("\"{}\"", "x".repeat(TASK_PAYLOAD_BYTES_MAX)));
        }),
        bad("a delivery that is too large", Refused("too_large"), |desk, asked| {
            let mut text = bytes(&desk.sign(DELIVERY, &bytes(&harmful(desk, asked))));
            text.resize(17 << 20, b' ');
            text
        }),
        written("nested too deeply", "not_a_delivery", |text| {
            text.replacen("\"tasks\":[", &format!("\"tasks\":[{}{},", "[".repeat(1000), "]".repeat(1000)), 1)
        }),
    ]
}

/// Two things wrong at once, which stand side by side in the order of the checks: the first is told. No answer is
/// unsigned and signed by a stranger, or both expired and not yet valid.
fn twice_wrong(desk: &Desk) -> Vec<Bad> {
    let (a_minute, ten) = (Span::minutes(1), Span::minutes(10));
    let (stranger, keys) = (signer(), desk.keys());
    vec![
        bad("too large, and no envelope", Refused("too_large"), |_, _| vec![b'x'; 17 << 20]),
        wrapped("no envelope, and another kind of message", "not_an_envelope", |envelope| {
            (envelope.payload, envelope.payload_type) = ("!".into(), TIME.into());
        }),
        wrapped("another kind of message, and unsigned", "other_type", |envelope| {
            (envelope.payload_type, envelope.signatures) = (TIME.into(), vec![]);
        }),
        bad("by a stranger, and the signature does not fit", Refused("unknown_key"), move |desk, asked| {
            let mut envelope = stranger.sign(DELIVERY, &bytes(&harmful(desk, asked)));
            envelope.signatures[0].sig.truncate(40);
            assert!(keys.keys.iter().all(|key| key.id != envelope.signatures[0].keyid));
            bytes(&envelope)
        }),
        bad("the signature does not fit, and no delivery", Refused("bad_signature"), |desk, _| {
            let signed = desk.sign(DELIVERY, b"{}");
            bytes(&Envelope { signatures: signed.signatures, ..desk.sign(DELIVERY, b"[]") })
        }),
        written("no delivery, and for another node", "not_a_delivery", |text| {
            text.replacen("\"number\"", "\"numbre\"", 1).replacen("\"node\":\"0", "\"node\":\"1", 1)
        }),
        changed("for another node, and the answer to another wait", Refused("other_node"), |delivery| {
            delivery.node = Id::from_uuid(uuid::Uuid::from_u128(0xb));
            delivery.answers.seq -= 1;
        }),
        changed("the answer to another wait, with bad dates", Refused("other_wait"), move |delivery| {
            delivery.answers.seq -= 1;
            delivery.expires_at = delivery.issued_at - a_minute;
        }),
        changed("bad dates, and a number that goes back", Refused("bad_dates"), move |delivery| {
            (delivery.expires_at, delivery.number) = (delivery.issued_at - a_minute, 0);
        }),
        changed("a number that goes back, and run 0", Refused("number_back"), |delivery| {
            (delivery.number, delivery.tasks[0].run) = (0, 0);
        }),
        changed("run 0, and expired", Refused("out_of_limits"), move |delivery| {
            (delivery.issued_at, delivery.expires_at) = (NOW - ten, NOW - a_minute);
            delivery.tasks[0].run = 0;
        }),
        changed("expired, in a lower version of the protocol", Refused("expired"), move |delivery| {
            (delivery.issued_at, delivery.expires_at) = (NOW - ten, NOW - a_minute);
            delivery.protocol = 0;
        }),
        changed("not yet valid, in a lower version of the protocol", Refused("not_yet_valid"), move |delivery| {
            (delivery.issued_at, delivery.expires_at) = (NOW + ten, NOW + ten + a_minute);
            delivery.protocol = 0;
        }),
        bad("in a lower version, with a number that was taken", Refused("protocol_downgraded"), |desk, asked| {
            let again = Delivery { number: asked.ack, protocol: 0, ..harmful(desk, asked) };
            bytes(&desk.sign(DELIVERY, &bytes(&again)))
        }),
    ]
}

/// What cannot be read, and what can be read and is not to be done.
fn out_of_form() -> Vec<Bad> {
    vec![
        bad("no JSON at all", Refused("not_an_envelope"), |_, _| b"<html>Welcome to our guest network".to_vec()),
        bad("an empty object", Refused("not_an_envelope"), |_, _| b"{}".to_vec()),
        bad("a delivery without its envelope", Refused("not_an_envelope"), |desk, asked| bytes(&harmful(desk, asked))),
        bad("bytes behind the envelope", Refused("not_an_envelope"), |desk, asked| {
            let mut text = bytes(&desk.sign(DELIVERY, &bytes(&harmful(desk, asked))));
            text.extend_from_slice(b"{}");
            text
        }),
        bad("a payload that stands twice in the envelope", Refused("not_an_envelope"), |desk, asked| {
            let envelope = String::from_utf8(bytes(&desk.sign(DELIVERY, &bytes(&harmful(desk, asked))))).unwrap();
            envelope.replacen('{', "{\"payload\":\"e30=\",", 1).into_bytes()
        }),
        written("bytes behind the delivery", "not_a_delivery", |text| text + " 1"),
        written("a number that stands twice in the delivery", "not_a_delivery", |text| {
            text.replacen('{', "{\"number\":1,", 1)
        }),
        written("a delivery without a number", "not_a_delivery", |text| text.replacen("\"number\"", "\"numbre\"", 1)),
        written("a run below zero", "not_a_delivery", |text| text.replacen("\"run\":1", "\"run\":-1", 1)),
        // What is signed and in order, and yet not done: the site has the last word.
        changed("a type outside the policy", Rejected("type_not_allowed"), |delivery| {
            delivery.tasks[0].type_name = "file.checksum".into();
        }),
        changed("a payload that breaks its schema", Rejected("bad_payload"), |delivery| {
            delivery.tasks[0].payload = raw(r#"{"path": 7, "line": true}"#);
        }),
        changed("a payload with a key twice", Rejected("bad_payload"), |delivery| {
            let once = delivery.tasks[0].payload.get().to_owned();
            delivery.tasks[0].payload = raw(&once.replacen('{', r#"{"line": "other","#, 1));
        }),
        changed("a payload nested too deeply", Rejected("bad_payload"), |delivery| {
            delivery.tasks[0].payload = raw(&format!("{}{}", "[".repeat(5000), "]".repeat(5000)));
        }),
    ]
}

#[tokio::test]
async fn every_bad_delivery_is_refused_by_its_code_without_effect_and_a_good_one_behind_it_is_taken() {
    let hub = TestHub::start().await;
    let ground = Ground::new(&hub).await;
    let program = Program::start(&ground.site);
    let retired = hub.desk.retire();
    let recorded = ground.record_a_good_one().await;
    // The number of the delivery that was acknowledged last is above 0 by now.
    let all = not_the_answer(&hub.desk, retired, recorded).into_iter().chain(out_of_bounds());
    let all = all.chain(out_of_form()).chain(twice_wrong(&hub.desk));
    let mut expected: BTreeMap<&str, u64> = BTreeMap::new();
    for (round, Bad { what, made, becomes }) in (1..).zip(all) {
        let desk = std::sync::Arc::clone(&hub.desk);
        let handed = ground.harmful();
        let delivery = hub.desk.delivery(vec![handed.clone()]);
        hub.desk.plan(delivery);
        hub.desk.answer(move |asked| made(&desk, asked));
        match becomes {
            Refused(code) => *expected.entry(code).or_default() += 1,
            Rejected(code) => {
                let result = hub.desk.result(handed.id).await;
                let found = (result.outcome, result.code.map(|code| code.0));
                assert_eq!(found, (OutcomeWord::Rejected, Some(code.to_owned())), "{what}");
            }
        }
        let good = ground.good(round);
        hub.desk.hand(vec![good.clone()]);
        assert_eq!(hub.desk.result(good.id).await.outcome, OutcomeWord::Completed, "behind: {what}");
        hub.desk
            .until(
                &format!("after `{what}`, that the hub is told: {expected:?}; see {}", log_of(&ground.site).display()),
                |asked| {
                    let told = asked.refusals.last().map(|report| &report.refused);
                    let told = told.into_iter().flatten().map(|one| (one.code.as_str(), one.times)).collect();
                    (expected == told).then_some(())
                },
            )
            .await;
        assert_eq!(ground.lines(), (0..=round).map(|n| format!("good {n}")).collect::<Vec<_>>(), "{what}");
    }
    let never: Vec<_> = Reason::ALL.into_iter().filter(|reason| !expected.contains_key(reason.as_str())).collect();
    assert_eq!(never, [], "every reason was met");
    program.kill();
    let counted = ledger(&ground.site, "select code || ' ' || times || ' ' || told from refused order by code");
    assert_eq!(counted, expected.iter().map(|(code, times)| format!("{code} {times} {times}")).collect::<Vec<_>>());
    let ran = ledger(&ground.site, "select count(*) from runs where cast(result as text) like '%\"completed\"%'");
    assert_eq!(ran, [ground.lines().len().to_string()], "nothing but the good ones");
}

#[tokio::test]
async fn no_flipped_bit_of_an_envelope_goes_unnoticed() {
    let hub = TestHub::start().await;
    let ground = Ground::new(&hub).await;
    let _program = Program::start(&ground.site);
    ground.record_a_good_one().await;
    // One place in a delivery of ours is enough to reach each part of the envelope within a few dozen.
    let places = 48;
    for place in 0..places {
        let desk = std::sync::Arc::clone(&hub.desk);
        hub.desk.plan(hub.desk.delivery(vec![ground.harmful()]));
        hub.desk.answer(move |asked| {
            let mut text = bytes(&desk.sign(DELIVERY, &bytes(&harmful(&desk, asked))));
            let at = text.len() * place / places;
            text[at] ^= 1 << (place % 7);
            text
        });
        let good = ground.good(place + 1);
        hub.desk.hand(vec![good.clone()]);
        hub.desk.result(good.id).await;
    }
    let total = |told: &[(String, u64)]| told.iter().map(|(_, times)| times).sum::<u64>();
    let told = hub.desk.until("that each of them was refused", |asked| {
        let told: Vec<_> = asked.refusals.last()?.refused.iter().map(|one| (one.code.clone(), one.times)).collect();
        (total(&told) >= places as u64).then_some(told)
    });
    let told = told.await;
    assert_eq!(total(&told), places as u64, "{told:?}");
    let of_the_envelope = ["bad_signature", "not_an_envelope", "other_type", "unknown_key"];
    assert!(told.iter().all(|(code, _)| of_the_envelope.contains(&code.as_str())), "{told:?}");
    assert_eq!(ground.lines().len(), places + 1);
}

/// A site whose policy lets lines be appended to one file, and nothing else.
struct Ground<'h> {
    hub: &'h TestHub,
    site: Site,
    next: std::cell::Cell<u128>,
}

impl Ground<'_> {
    async fn new(hub: &TestHub) -> Ground<'_> {
        let site = Site::enrolled(hub).await;
        let roots = json!([site.folder()]);
        site.set_policy(&format!("allow = [\"file.append\"]\n[file_append]\nroots = {roots}\n"));
        Ground { hub, site, next: std::cell::Cell::new(1) }
    }

    fn append(&self, line: &str) -> HandedTask {
        self.next.set(self.next.get() + 1);
        let payload = json!({ "path": self.site.folder().join("journal"), "line": line });
        HandedTask { idempotent: false, ..task(self.next.get(), "file.append", &payload.to_string()) }
    }

    fn good(&self, round: usize) -> HandedTask {
        self.append(&format!("good {round}"))
    }

    fn harmful(&self) -> HandedTask {
        self.append("harm")
    }

    fn lines(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.site.folder().join("journal")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Has a good delivery taken and keeps its envelope, as somebody on the way might.
    async fn record_a_good_one(&self) -> Vec<u8> {
        let good = self.good(0);
        let delivery = self.hub.desk.delivery(vec![good.clone()]);
        let desk = std::sync::Arc::clone(&self.hub.desk);
        let (tell, told) = tokio::sync::oneshot::channel();
        self.hub.desk.answer(move |asked| {
            let delivery = Delivery { answers: asked.answers(), ..delivery };
            let envelope = bytes(&desk.sign(DELIVERY, &bytes(&delivery)));
            tell.send(envelope.clone()).unwrap();
            envelope
        });
        self.hub.desk.result(good.id).await;
        told.await.unwrap()
    }
}

/// The delivery that was planned, as the right answer to this wait.
fn harmful(desk: &Desk, asked: &WaitQuery) -> Delivery {
    let planned = desk.planned();
    Delivery { answers: Answers { boot: asked.boot, seq: asked.seq }, ..planned }
}

fn bytes(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap()
}

fn raw(text: &str) -> Box<serde_json::value::RawValue> {
    serde_json::value::RawValue::from_string(text.to_owned()).unwrap()
}

/// That a payload is what the story thinks it is.
#[test]
fn a_payload_with_a_key_twice_has_it_twice() {
    let text = raw(r#"{"line": "other","line":"harm"}"#);
    assert_eq!(serde_json::from_str::<Value>(text.get()).unwrap(), json!({ "line": "harm" }));
}
