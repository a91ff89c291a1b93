//! What the hub's certificates say, and for how long.

use sortie_client::tls::fingerprint;
use stories::{Scene, on_sqlite};
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::pem::Pem;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::help::read;

on_sqlite!(
    a_node_s_certificate_names_it_and_is_good_for_nothing_but_to_be_that_node,
    the_hub_s_certificate_is_good_for_its_names,
    the_authority_vouches_for_others_and_for_no_other_authority,
    the_authority_stays_and_the_hub_s_certificate_is_made_anew_at_each_start,
);

const DAY_S: i64 = 86_400;

/// A certificate, read as far as these stories look.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) subject: String,
    pub(crate) issuer: String,
    /// Its alternative names.
    pub(crate) names: Vec<String>,
    /// What its key may be used for.
    pub(crate) usages: Vec<&'static str>,
    pub(crate) is_authority: bool,
    /// How many authorities may stand below it.
    pub(crate) path_len: Option<u32>,
    pub(crate) from_s: i64,
    pub(crate) until_s: i64,
    pub(crate) serial: String,
}

impl Read {
    /// The first certificate of a chain (PEM).
    pub(crate) fn first(chain: &str) -> Read {
        let pem = Pem::iter_from_buffer(chain.as_bytes()).next().expect("there is one").expect("it is PEM");
        Read::der(&pem.contents)
    }

    pub(crate) fn der(der: &[u8]) -> Read {
        let (_, certificate) = X509Certificate::from_der(der).expect("it is a certificate");
        let (mut names, mut usages, mut is_authority, mut path_len) = (Vec::new(), Vec::new(), false, None);
        for extension in certificate.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::SubjectAlternativeName(san) => names.extend(san.general_names.iter().map(name)),
                ParsedExtension::KeyUsage(usage) => usages.extend(
                    [
                        (usage.digital_signature(), "digital signature"),
                        (usage.key_cert_sign(), "certificates"),
                        (usage.crl_sign(), "revocations"),
                        (usage.key_encipherment() || usage.key_agreement(), "keys"),
                    ]
                    .iter()
                    .filter_map(|(may, what)| may.then_some(*what)),
                ),
                ParsedExtension::ExtendedKeyUsage(usage) => {
                    let all = [(usage.server_auth, "server"), (usage.client_auth, "client"), (usage.any, "any")];
                    usages.extend(all.iter().filter_map(|(may, what)| may.then_some(*what)));
                }
                ParsedExtension::BasicConstraints(limits) => {
                    (is_authority, path_len) = (limits.ca, limits.path_len_constraint);
                }
                _ => {}
            }
        }
        let life = certificate.validity();
        Read {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            names,
            usages,
            is_authority,
            path_len,
            from_s: life.not_before.timestamp(),
            until_s: life.not_after.timestamp(),
            serial: certificate.raw_serial_as_string(),
        }
    }
}

fn name(name: &GeneralName<'_>) -> String {
    match name {
        GeneralName::DNSName(name) => (*name).to_owned(),
        GeneralName::IPAddress(bytes) => bytes.iter().map(u8::to_string).collect::<Vec<_>>().join("."),
        other => format!("{other:?}"),
    }
}

const AUTHORITY: &str = "CN=Sortie hub authority, O=Sortie";

async fn a_node_s_certificate_names_it_and_is_good_for_nothing_but_to_be_that_node(scene: Scene) {
    let hub = scene.hub().start().await;
    let (node, other) = (hub.hand_node("north").await, hub.hand_node("south").await);
    let given = Read::first(&node.identity().chain_pem);
    assert_eq!((given.subject, given.issuer), (format!("CN={}, OU=nodes", node.id), AUTHORITY.to_owned()));
    assert_eq!((given.names, given.usages, given.is_authority), (vec![], vec!["digital signature", "client"], false));
    let shown = hub.people().node("north").await.unwrap();
    let enrolled_s = shown.enrolled_at.0 / 1000;
    assert_eq!(given.until_s, shown.certificate_until.0.div_euclid(1000));
    assert_eq!(given.until_s - enrolled_s, 30 * DAY_S, "thirty days");
    assert_eq!(enrolled_s - given.from_s, 300, "back-dated by five minutes, for clocks that run behind");
    assert_ne!(given.serial, Read::first(&other.identity().chain_pem).serial);
}

async fn the_hub_s_certificate_is_good_for_its_names(scene: Scene) {
    let hub = scene.hub().setting("names", "hub.example,192.0.2.7").start().await;
    let (given, _) = presented(&hub).await;
    assert_eq!((given.subject.as_str(), given.issuer.as_str()), ("CN=Sortie hub, OU=hubs", AUTHORITY));
    for name in ["hub.example", "192.0.2.7", "localhost", "127.0.0.1"] {
        assert!(given.names.iter().any(|given| given == name), "{name}: {given:?}");
    }
    assert_eq!((given.usages, given.is_authority), (vec!["digital signature", "server", "client"], false));
    assert_eq!(given.until_s - given.from_s, 90 * DAY_S + 300);
}

async fn the_authority_vouches_for_others_and_for_no_other_authority(scene: Scene) {
    let hub = scene.hub().start().await;
    let pem = std::fs::read_to_string(hub.ca_file()).unwrap();
    let authority = Read::first(&pem);
    assert_eq!((authority.subject.as_str(), authority.issuer.as_str()), (AUTHORITY, AUTHORITY));
    assert_eq!((authority.is_authority, authority.path_len), (true, Some(0)));
    assert_eq!(authority.usages, ["certificates", "revocations"]);
    let der = Pem::iter_from_buffer(pem.as_bytes()).next().unwrap().unwrap().contents;
    assert_eq!(read(&hub.invite("north").await).ca, fingerprint(&der), "invites carry its fingerprint");
}

async fn the_authority_stays_and_the_hub_s_certificate_is_made_anew_at_each_start(scene: Scene) {
    let hub = scene.hub().start().await;
    let (node, before) = (hub.hand_node("north").await, presented(&hub).await);
    let hub = hub.kill().await.start().await;
    let after = presented(&hub).await;
    assert_eq!(before.1, after.1, "the authority");
    assert_ne!(before.0.serial, after.0.serial, "the hub's own");
    node.wait(1, 0).await;
}

/// The certificate that the hub shows, and the last of its chain.
async fn presented(hub: &stories::RunningHub<'_>) -> (Read, Read) {
    let stream = hub.tls(&[]).await.unwrap().into_stream();
    let chain = stream.get_ref().1.peer_certificates().unwrap();
    (Read::der(&chain[0]), Read::der(chain.last().unwrap()))
}
