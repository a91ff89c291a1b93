//! Settings of a provider that cannot be meant: the hub does not start, and says which one.

use stories::{Ended, Scene, on_sqlite};

on_sqlite!(settings_that_cannot_be_meant_stop_the_start);

async fn settings_that_cannot_be_meant_stop_the_start(scene: Scene) {
    let good = || scene.hub().setting("oidc.issuer", "https://id.example").setting("oidc.client_id", "sortie");
    for (key, value, word) in [
        ("oidc.algorithms", "HS256", "RS256"),
        ("oidc.algorithms", "RS256,none", "RS256"),
        ("oidc.issuer", "http://id.example", "oidc.issuer"),
        ("oidc.issuer", "id.example", "oidc.issuer"),
        ("oidc.leeway_s", "301", "oidc.leeway_s"),
        ("oidc.refresh_s", "0", "oidc.refresh_s"),
        ("oidc.ca_file", "/nonexistent/ca.pem", "oidc.ca_file"),
        ("oidc.client_secret_file", "/nonexistent/secret", "oidc.client_secret_file"),
        ("oidc.org_when_absent", "acme", "org_when_absent"),
        ("oidc.roles.staff", "root", "oidc.roles.staff"),
        ("oidc.isuer", "https://id.example", "SORTIE_HUB_OIDC__ISSUER"),
    ] {
        let ended = Ended::of(&mut good().setting(key, value).command());
        ended.failed(2, &[word]);
    }
    let ended = Ended::of(&mut scene.hub().setting("oidc.issuer", "https://id.example").command());
    ended.failed(2, &["oidc.client_id"]);
}
