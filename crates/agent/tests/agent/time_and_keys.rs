//! Wrong clocks, new keys, new certificates.

use sortie_client::Clock;
use sortie_rules::time::{Millis, Span};

use super::agents::Site;
use super::hub::{NOW, TestHub, task};

#[tokio::test]
async fn a_clock_that_is_decades_off_does_no_harm() {
    for wrong in [Millis(0), Millis(4_000_000_000_000)] {
        let hub = TestHub::start().await;
        let mut site = Site::enrolled(&hub).await;
        site.set_clock(Clock::new(move || wrong));
        let running = site.start();
        let work = task(1, "sleep", r#"{"ms":0}"#);
        hub.desk.hand(vec![work.clone()]);
        hub.desk.result(work.id).await;
        // The line, and the renewal that first holds the certificate for ended.
        hub.desk.look(|asked| assert!((1..=2).contains(&asked.times), "it asked {} times for the time", asked.times));
        running.stop().await;
    }
}

#[tokio::test]
async fn a_new_signing_key_is_fetched_once_and_remembered() {
    let hub = TestHub::start().await;
    let site = Site::enrolled(&hub).await;
    let running = site.start();
    hub.desk.rotate();
    for n in 1..=2 {
        let work = task(n, "sleep", r#"{"ms":0}"#);
        hub.desk.hand(vec![work.clone()]);
        hub.desk.result(work.id).await;
    }
    running.kill().await;
    let running = site.start();
    let work = task(3, "sleep", r#"{"ms":0}"#);
    hub.desk.hand(vec![work.clone()]);
    hub.desk.result(work.id).await;
    hub.desk.look(|asked| assert_eq!(asked.keys, 1));
    running.stop().await;
}

#[tokio::test]
async fn a_certificate_is_renewed_and_used_without_dropping_work() {
    let hub = TestHub::start().await;
    *hub.desk.certificate_life.lock().unwrap() = Span::minutes(3);
    let mut site = Site::enrolled(&hub).await;
    let old = std::fs::read(site.data().join("identity/certificate.pem")).unwrap();
    *hub.desk.certificate_life.lock().unwrap() = Span::days(30);
    site.set_clock(Clock::new(|| NOW + Span::minutes(2)));
    let running = site.start();
    let work = task(1, "sleep", r#"{"ms":100}"#);
    hub.desk.hand(vec![work.clone()]);
    hub.desk.until("a renewal", |asked| (!asked.renewals.is_empty()).then_some(())).await;
    hub.desk.result(work.id).await;
    let more = task(2, "sleep", r#"{"ms":0}"#);
    hub.desk.hand(vec![more.clone()]);
    hub.desk.result(more.id).await;
    running.stop().await;
    hub.desk.look(|asked| assert_eq!(asked.renewals.len(), 1));
    assert_ne!(std::fs::read(site.data().join("identity/certificate.pem")).unwrap(), old);
}

#[tokio::test]
async fn a_certificate_that_cannot_be_shown_takes_no_other_one_s_place() {
    let hub = TestHub::start().await;
    *hub.desk.certificate_life.lock().unwrap() = Span::minutes(3);
    let mut site = Site::enrolled(&hub).await;
    let file = site.data().join("identity/certificate.pem");
    let old = std::fs::read(&file).unwrap();
    hub.desk.mistake_names("somebody-else");
    site.set_clock(Clock::new(|| NOW + Span::minutes(2)));
    let running = site.start();
    hub.desk.until("a renewal", |asked| (!asked.renewals.is_empty()).then_some(())).await;
    let work = task(1, "sleep", r#"{"ms":0}"#);
    hub.desk.hand(vec![work.clone()]);
    hub.desk.result(work.id).await;
    running.stop().await;
    assert_eq!(std::fs::read(&file).unwrap(), old);
    // And a start with the one that was kept goes well.
    let running = site.start();
    let more = task(2, "sleep", r#"{"ms":0}"#);
    hub.desk.hand(vec![more.clone()]);
    hub.desk.result(more.id).await;
    running.stop().await;
}
