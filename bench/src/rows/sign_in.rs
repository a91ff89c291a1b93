//! What it takes to check a token of an identity provider: one that the hub has never seen, and one that it
//! has. The spans are those of the hub's own histogram, since a request takes many times longer.

use std::time::Duration;

use anyhow::ensure;
use counterparts::{Forgery, OidcPlan, OidcProvider};
use sortie_client::people::{Hub as Line, Token};
use sortie_client::retry::Patience;
use sortie_rules::time::Span;

use crate::cli::Setup;
use crate::figure::Figure;
use crate::hub::Hub;
use crate::machine::entropy;

/// Tokens of each sort.
const TOKENS: u64 = 2_000;

/// Measures it.
pub(super) async fn measure(setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for algorithm in ["RS256", "ES256"] {
        figures.extend(with(setup, algorithm).await?);
    }
    // A token that is known costs the same whoever signed it.
    figures.remove(1);
    Ok(figures)
}

async fn with(setup: &Setup, algorithm: &'static str) -> anyhow::Result<[Figure; 2]> {
    let folder = setup.scratch()?;
    let provider = OidcProvider::start(&OidcPlan { algorithm, ..OidcPlan::default() });
    provider.person("ada", &serde_json::json!({ "realm_access": { "roles": ["admin"] } }));
    let settings = [
        ("SORTIE_HUB_OIDC__ISSUER", provider.issuer()),
        ("SORTIE_HUB_OIDC__CLIENT_ID", OidcProvider::CLIENT.to_owned()),
        ("SORTIE_HUB_OIDC__AUDIENCE", OidcPlan::default().audience.to_owned()),
        ("SORTIE_HUB_OIDC__ORG_WHEN_ABSENT", "default".to_owned()),
    ];
    let hub = Hub::start_with(setup, &folder.path().join("hub"), &settings).await?;
    let connect = hub.connect()?;
    let tokens: Vec<String> = (0..TOKENS).map(|_| provider.forge(&Forgery::of("ada"))).collect();
    for _turn in 0..2 {
        for token in &tokens {
            let patience = Patience { total: Span::seconds(5), entropy: entropy() };
            let who = Line::open(&connect, Token(token.clone()), patience)?.whoami().await?;
            ensure!(who.name == "ada", "the token is of somebody else");
        }
    }
    let fresh = figure(&hub, "fresh", &format!("token_fresh_{algorithm}")).await?;
    let known = figure(&hub, "known", "token_known").await?;
    hub.stop().await?;
    Ok([fresh, known])
}

/// What the hub counted of one sort.
async fn figure(hub: &Hub, sort: &str, name: &str) -> anyhow::Result<Figure> {
    let name_of = |part: &str, more: &str| format!("sortie_token_check_seconds{part}{{token=\"{sort}\"{more}");
    let sum = hub.metric(&name_of("_sum", "")).await?;
    let count = hub.metric(&name_of("_count", "")).await?;
    let p99 = hub.metric(&name_of("", ",quantile=\"0.99\"")).await?;
    ensure!(count >= TOKENS as f64, "only {count} tokens were checked");
    let mean = sum / count * 1e6;
    let notes = format!("{mean:.1} µs on average, p99 {:.1} µs, as the hub counts it", p99 * 1e6);
    Ok(Figure::ours(name, notes).counted(TOKENS, Duration::from_secs_f64(sum * TOKENS as f64 / count)))
}
