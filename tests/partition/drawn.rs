//! Faults that the seed draws, one upon the other, while people go on submitting. `cargo xtask partition --minutes N`
//! goes on drawing for so long.

use std::time::{Duration, Instant};

use stories::Seed;

use crate::apart::apart;
use crate::clients::Clients;
use crate::country::{Country, begin};
use crate::faults::Fault;
use crate::truths::check;

/// For how many minutes it goes on; one chapter if it is not set.
const MINUTES: &str = "PARTITION_MINUTES";
/// Faults in a chapter in the short form, and in the long one.
const FAULTS_SHORT: u32 = 3;
const FAULTS_LONG: u32 = 12;
/// Most faults that stand at once, and most steps that a fault is looked at alone.
const TOGETHER_MAX: u64 = 3;
const STEPS_MAX: u64 = 8;

#[test]
fn whatever_faults_are_drawn_nothing_is_lost_and_nothing_done_twice() {
    apart("drawn::whatever_faults_are_drawn_nothing_is_lost_and_nothing_done_twice", drawn());
}

async fn drawn() {
    let minutes = std::env::var(MINUTES).ok().map(|text| text.parse::<f64>().expect("PARTITION_MINUTES is a number"));
    let (roads, scene) = begin();
    let mut country = Country::settle(roads, &scene).await;
    let mut clients = Clients::of(&country, scene.seed());
    clients.step().await;
    let Some(minutes) = minutes else {
        chapter(&country, &mut clients, scene.seed(), FAULTS_SHORT, STEPS_MAX / 2).await;
        return check(&mut country, &mut clients).await;
    };
    let (began, long) = (Instant::now(), Duration::from_secs_f64(60.0 * minutes));
    while began.elapsed() < long {
        chapter(&country, &mut clients, scene.seed(), FAULTS_LONG, STEPS_MAX).await;
        check(&mut country, &mut clients).await;
        say(&format!("{} s: {} tasks, all in order", began.elapsed().as_secs(), clients.acknowledged().count()));
    }
}

/// So many faults. Each comes to those that stand already, until there are as many as may be; then all are mended.
async fn chapter(country: &Country<'_>, clients: &mut Clients, seed: &Seed, faults: u32, steps_max: u64) {
    let mut leader = country.leader().await;
    let mut together = 0;
    for _ in 0..faults {
        let fault = Fault::draw(seed, leader);
        let steps = 1 + seed.below(steps_max);
        say(&format!("for {steps} steps: {fault}"));
        fault.strike(&country.roads);
        for _ in 0..steps {
            clients.step().await;
        }
        together += 1;
        if together == 1 + seed.below(TOGETHER_MAX) || together == TOGETHER_MAX {
            say("all roads are open");
            country.roads.heal();
            for _ in 0..seed.below(3) {
                clients.step().await;
            }
            together = 0;
            leader = *country.leaders().await.first().unwrap_or(&leader);
        }
    }
}

#[expect(clippy::print_stdout, reason = "it is for the person who runs it, or looks why it failed")]
fn say(text: &str) {
    println!("{text}");
}
