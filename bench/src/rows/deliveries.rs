//! What a delivery costs before anything is done with it: encoding and signing at the hub, verifying at the
//! agent. Without the line between them, which P3 has.

use std::time::Instant;

use anyhow::Context as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;
use serde_json::value::RawValue;
use sortie_rules::ids::Id;
use sortie_rules::limits::TASK_PAYLOAD_BYTES_MAX;
use sortie_rules::time::{Millis, Span};
use sortie_wire::deliveries::{Answers, Delivery, HandedTask, WaitQuery};
use sortie_wire::envelope::{DELIVERY, Signer, Verifier};
use sortie_wire::keys::KeySet;

use crate::figure::Figure;

const NOW: Millis = Millis(1_800_000_000_000);

/// Measures the row.
pub(super) fn measure() -> anyhow::Result<Vec<Figure>> {
    let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).ok().context("a key cannot be made")?;
    let signer = Signer::from_pkcs8(der.as_ref())?;
    let keys = Verifier::new(&KeySet { version: 1, keys: vec![signer.public_key()], ..KeySet::default() })?;
    let mut figures = Vec::new();
    for (name, tasks, payload, rounds) in
        [("1", 1, 200, 20_000), ("100", 100, 200, 2_000), ("largest", 8, TASK_PAYLOAD_BYTES_MAX, 50)]
    {
        let delivery = delivery(tasks, payload)?;
        let asked = asked();
        let (mut signing, mut verifying) = (Vec::with_capacity(rounds), Vec::with_capacity(rounds));
        for _ in 0..rounds {
            let begun = Instant::now();
            let envelope = signer.sign(DELIVERY, &serde_json::to_vec(&delivery)?);
            signing.push(begun.elapsed());
            let begun = Instant::now();
            let found = sortie_agent::doors::verify(&envelope, &keys, delivery.node, &asked, NOW);
            verifying.push(begun.elapsed());
            anyhow::ensure!(found == Ok(tasks), "{found:?}");
        }
        let notes = format!("{tasks} tasks with payloads of {payload} bytes");
        for (verb, times) in [("sign", signing), ("verify", verifying)] {
            let total = times.iter().sum();
            let figure = Figure::ours(&format!("delivery_{verb}_{name}"), &notes);
            figures.push(figure.counted(rounds as u64, total).times(times));
        }
    }
    Ok(figures)
}

fn asked() -> WaitQuery {
    WaitQuery {
        room: 100,
        ack: 6,
        wait_s: 50,
        boot: Id::from_uuid(uuid::Uuid::from_u128(2)),
        seq: 9,
        keys: None,
        certified: None,
        clock: None,
    }
}

fn delivery(tasks: usize, payload: usize) -> anyhow::Result<Delivery> {
    let text = format!("{{\"x\":\"{}\"}}", "y".repeat(payload - 8));
    let task = |number: usize| -> anyhow::Result<HandedTask> {
        Ok(HandedTask {
            id: Id::from_uuid(uuid::Uuid::from_u128(number as u128)),
            run: 1,
            attempt: 1,
            type_name: "sleep".to_owned(),
            idempotent: true,
            lease: Span::seconds(60),
            not_after: None,
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
            secrets: Vec::new(),
            operation: None,
            payload: RawValue::from_string(text.clone())?,
        })
    };
    let asked = asked();
    Ok(Delivery {
        node: Id::from_uuid(uuid::Uuid::from_u128(1)),
        answers: Answers { boot: asked.boot, seq: asked.seq },
        number: 7,
        issued_at: NOW,
        expires_at: NOW + Span::minutes(10),
        tasks: (0..tasks).map(task).collect::<anyhow::Result<_>>()?,
        cancel: Vec::new(),
        results_wanted: false,
        protocol: 1,
        keys_version: 1,
        operators_version: 0,
        desired_generation: 0,
    })
}
