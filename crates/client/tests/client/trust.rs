//! Whom the client believes.

use sortie_client::agent::HubLine;
use sortie_client::{ClientError, Clock, Connect, TlsFault, Trust};
use sortie_rules::time::Millis;

use super::certificates::Authority;
use super::server::{Server, keys};

async fn ask(connect: &Connect) -> Result<u64, ClientError> {
    HubLine::open(connect).unwrap().keys(0).await.map(|keys| keys.newest)
}

async fn fault(connect: &Connect) -> TlsFault {
    match ask(connect).await {
        Err(ClientError::Tls { fault, .. }) => *fault,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_chain_that_ends_in_the_pinned_certificate_is_believed() {
    let authority = Authority::new("the hub's authority");
    let server = Server::start(authority.server("localhost"), &[keys()]).await;
    assert_eq!(ask(&server.connect("localhost", Trust::Fingerprint(authority.fingerprint()))).await.unwrap(), 3);
    assert_eq!(ask(&server.connect("localhost", Trust::Pem(authority.pem()))).await.unwrap(), 3);
}

#[tokio::test]
async fn a_pinned_server_certificate_is_believed_by_itself() {
    let shown = Authority::new("unknown").server("localhost").without_issuer();
    let pin = sortie_client::tls::fingerprint(&shown.chain[0]);
    let server = Server::start(shown, &[keys()]).await;
    let connect = server.connect("localhost", Trust::Fingerprint(pin));
    assert_eq!(ask(&connect).await.unwrap(), 3);
    let later = Connect { clock: Clock::new(|| Millis(4_000_000_000_000)), ..connect.clone() };
    assert!(matches!(fault(&later).await, TlsFault::Expired { .. }));
    let elsewhere = Connect { hub: connect.hub.replace("localhost", "127.0.0.1"), ..connect };
    assert!(matches!(fault(&elsewhere).await, TlsFault::OtherName { .. }));
}

#[tokio::test]
async fn a_stranger_is_refused_and_its_issuer_named() {
    let stranger = Authority::new("Inspecting Proxy CA");
    let server = Server::start(stranger.server("localhost"), &[keys()]).await;
    let expected = Authority::new("the hub's authority");
    let refused = fault(&server.connect("localhost", Trust::Fingerprint(expected.fingerprint()))).await;
    assert!(matches!(refused, TlsFault::OtherFingerprint { .. }));
    assert!(refused.presented().unwrap().issuer.contains("Inspecting Proxy CA"));
    assert!(refused.to_string().contains(&expected.fingerprint()));
    let refused = fault(&server.connect("localhost", Trust::Pem(expected.pem()))).await;
    assert!(matches!(refused, TlsFault::UnknownIssuer { .. }));
    assert!(refused.presented().unwrap().issuer.contains("Inspecting Proxy CA"));
    assert!(matches!(fault(&server.connect("localhost", Trust::System)).await, TlsFault::UnknownIssuer { .. }));
}

#[tokio::test]
async fn a_pinned_certificate_that_did_not_sign_the_server_s_vouches_for_nothing() {
    let (ours, stranger) = (Authority::new("ours"), Authority::new("stranger"));
    let mut shown = stranger.server("localhost");
    shown.chain[1] = ours.server("localhost").chain[1].clone();
    let server = Server::start(shown, &[keys()]).await;
    let refused = fault(&server.connect("localhost", Trust::Fingerprint(ours.fingerprint()))).await;
    assert!(matches!(refused, TlsFault::UnknownIssuer { .. } | TlsFault::Other(_)), "{refused:?}");
}

#[tokio::test]
async fn the_site_s_own_authority_is_believed_beside_the_hub_s_but_never_beside_a_fingerprint() {
    let proxy = Authority::new("the site's proxy");
    let hub = Authority::new("the hub's authority");
    let server = Server::start(proxy.server("localhost"), &[keys()]).await;
    let with = |trust| Connect { also_trust: Some(proxy.pem()), ..server.connect("localhost", trust) };
    assert_eq!(ask(&with(Trust::Pem(hub.pem()))).await.unwrap(), 3);
    assert!(matches!(fault(&with(Trust::Fingerprint(hub.fingerprint()))).await, TlsFault::OtherFingerprint { .. }));
}

#[tokio::test]
async fn names_and_dates_are_checked_whoever_vouches() {
    let authority = Authority::new("the hub's authority");
    let server = Server::start(authority.server("other.example"), &[keys()]).await;
    for trust in [Trust::Fingerprint(authority.fingerprint()), Trust::Pem(authority.pem())] {
        let refused = fault(&server.connect("localhost", trust)).await;
        assert!(matches!(&refused, TlsFault::OtherName { expected, .. } if expected == "localhost"), "{refused:?}");
    }
    let server = Server::start(authority.server("localhost"), &[keys()]).await;
    let at = |millis| {
        let connect = server.connect("localhost", Trust::Fingerprint(authority.fingerprint()));
        Connect { clock: Clock::new(move || Millis(millis)), ..connect }
    };
    let (early, late) = (fault(&at(0)).await, fault(&at(2_000_000_000_000)).await);
    assert!(matches!(early, TlsFault::NotYetValid { .. }) && early.is_about_dates());
    assert!(matches!(late, TlsFault::Expired { .. }) && late.is_about_dates());
    let dateless = Connect { ignore_dates: true, ..at(0) };
    assert_eq!(ask(&dateless).await.unwrap(), 3, "only the dates are overlooked");
    let stranger = Trust::Fingerprint(Authority::new("stranger").fingerprint());
    assert!(matches!(fault(&Connect { trust: stranger, ..dateless }).await, TlsFault::OtherFingerprint { .. }));
}

#[tokio::test]
async fn a_hub_that_wants_a_certificate_gets_ours_and_says_so_if_there_is_none() {
    let authority = Authority::new("the hub's authority");
    let server = Server::with_clients(authority.server("localhost"), Some(&authority), &[keys()]).await;
    let nameless = server.connect("localhost", Trust::Pem(authority.pem()));
    let refused = fault(&nameless).await;
    assert!(matches!(&refused, TlsFault::Refused { alert } if alert.contains("Certificate")), "{refused:?}");
    let known = Connect { identity: Some(authority.client()), ..nameless };
    assert_eq!(ask(&known).await.unwrap(), 3);
}
