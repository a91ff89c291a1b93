//! One try: reads again what is meant, calls the edge, and writes down what came of it. A hub that dies between the
//! call and the commit does it once more, and finds it done.

use serde_json::json;
use sortie_rules::desired::Drift;
use sortie_rules::enforcement::{Enforcement, Failure, News, Step, Tried, after, begin, changes, noted, step};
use sortie_rules::time::Millis;
use sortie_store::desired::pins;
use sortie_store::enforcements::{self, EnforcementRow};
use sortie_store::secrets::SecretRow;
use sortie_store::{StoreError, Tx, nodes, secrets};

use super::note;
use super::wanted::{Wanted, of_node};
use crate::app::Shared;
use crate::edge::{self, Owner};
use crate::events::{self, Record};
use crate::fault::Fault;
use crate::secrets::open;

/// What is needed for a try.
struct Matter {
    row: EnforcementRow,
    node_name: String,
    /// What is wanted; an error if that cannot be enforced as things are.
    wanted: Result<Option<Wanted>, Failure>,
    /// The token for the edge; an error if there is none.
    token: Result<String, Failure>,
}

/// One try, from its beginning to what is written down of it. A hub that stops leaves it to be begun anew.
pub(super) async fn carry(app: &Shared, row: EnforcementRow) {
    let carried = tokio::select! {
        carried = attempt(app, &row) => carried,
        () = app.stop.cancelled() => return,
    };
    if let Err(error) = carried {
        let (node, resource) = (row.node, &row.resource);
        tracing::warn!(%node, %resource, %error, "What the hub enforces could not be looked after; it is tried again");
        // The row says nothing of it, so that it stays due; whatever is wrong with the store has a moment to pass.
        tokio::select! {
            () = tokio::time::sleep(std::time::Duration::from_secs(1)) => {}
            () = app.stop.cancelled() => {}
        }
    }
}

async fn attempt(app: &Shared, row: &EnforcementRow) -> Result<(), Fault> {
    let kinds = app.kinds.load_full();
    let Some(matter) = read(app, row).await? else { return Ok(()) };
    let hash = |wanted: &Option<Wanted>| wanted.as_ref().map(|wanted| wanted.hash.clone());
    if matter.wanted.as_ref().is_ok_and(|wanted| hash(wanted) != matter.row.life.wanted) {
        // Something else is meant since it was noted; with that it is due at once.
        note::one(app, &kinds, row.node).await?;
        app.enforcements.ring();
        return Ok(());
    }
    let Matter { mut row, node_name, wanted, token } = matter;
    let drift = wanted.as_ref().ok().and_then(Option::as_ref).map_or(Drift::Correct, |wanted| wanted.drift);
    let tried = match step(&row.life, drift, app.clock.now()) {
        Step::Rest => return Ok(()),
        Step::Forget => Tried::Removed,
        step => match (wanted, token) {
            (Err(failure), _) | (_, Err(failure)) => Tried::Failed(failure),
            (Ok(wanted), Ok(token)) => match at_edge(app, &mut row, step, wanted, &node_name, &token).await {
                Ok(Some(tried)) => tried,
                Ok(None) => return Ok(()),
                Err(Trouble::Edge(failure)) => Tried::Failed(failure),
                Err(Trouble::Hub(fault)) => return Err(fault),
            },
        },
    };
    settle(app, row, &node_name, tried).await
}

/// What went wrong: at the edge, which is tried again later, or at the hub.
enum Trouble {
    Edge(Failure),
    Hub(Fault),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Trouble {
        Trouble::Edge(failure)
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Trouble {
        Trouble::Hub(fault)
    }
}

/// Looks at the edge, and changes there what is otherwise, unless it is only to be told. Nothing if somebody else has
/// written the row meanwhile.
async fn at_edge(
    app: &Shared,
    row: &mut EnforcementRow,
    step: Step,
    wanted: Option<Wanted>,
    node_name: &str,
    token: &str,
) -> Result<Option<Tried>, Trouble> {
    let owner = Owner { node: row.node, node_name, resource: &row.resource };
    let ruleset = edge::look(&app.edge, token, &row.zone).await?;
    let rule = wanted.as_ref().map(|wanted| edge::rule(owner, &wanted.rules));
    let changes = changes(&edge::mark(row.node, &row.resource), &ruleset.rules, rule.as_ref());
    if step == Step::Look {
        return Ok(Some(Tried::Looked { is_so: changes.is_empty() }));
    }
    if !changes.is_empty() {
        // Kept before each change: whatever dies from here on, it is known that rules may stand there, and a hub that
        // leads no more, or read the row before somebody else changed it, changes nothing.
        if !app.leader.leads(app) || !keep_begun(app, row).await? {
            return Ok(None);
        }
        edge::change(&app.edge, token, &row.zone, &ruleset, &changes).await?;
    }
    Ok(Some(match wanted {
        Some(_) => Tried::Made { is_changed: !changes.is_empty() },
        None => Tried::Removed,
    }))
}

/// Writes down that something may be at the edge from now on. `false` if the row has changed since it was read.
async fn keep_begun(app: &Shared, row: &mut EnforcementRow) -> Result<bool, Fault> {
    let begun = EnforcementRow { life: begin(row.life.clone()), ..row.clone() };
    let to_keep = begun.clone();
    let is_kept = app.store.write(move |tx| Box::pin(async move { enforcements::update(tx, &to_keep).await })).await?;
    *row = EnforcementRow { turn: begun.turn + 1, ..begun };
    Ok(is_kept)
}

/// Reads what is needed for a try; nothing if the row has changed since it was found due.
async fn read(app: &Shared, found: &EnforcementRow) -> Result<Option<Matter>, Fault> {
    let (shared, found) = (app.clone(), found.clone());
    app.store
        .read(move |tx| {
            Box::pin(async move {
                let row = enforcements::get(tx, found.node, &found.resource, &found.zone).await?;
                let Some(row) = row.filter(|row| row.turn == found.turn) else { return Ok(None) };
                let node_name = nodes::get(tx, row.org, row.node).await?.map(|node| node.name).unwrap_or_default();
                let wanted = wanted(tx, &shared, &row).await?;
                let secret = match &wanted {
                    Ok(Some(wanted)) => wanted.rules.token.clone(),
                    _ => row.secret.clone(),
                };
                let sealed = secrets::get(tx, row.org, &secret).await?;
                let token = token_of(&shared, &secret, sealed.as_ref());
                Ok::<_, Fault>(Some(Matter { row, node_name, wanted, token }))
            })
        })
        .await
}

/// The token in a secret.
fn token_of(app: &Shared, secret: &str, sealed: Option<&SecretRow>) -> Result<String, Failure> {
    let Some(sealed) = sealed else {
        let why = format!(
            "there is no secret `{secret}` any more, with which the edge is called; set it once more \
             (`sortie secret set {secret}`)"
        );
        return Err(failure("secret_missing", why));
    };
    let opened = open(app, sealed).map_err(|fault| failure("token_unusable", fault.to_string()))?;
    String::from_utf8(opened).map_err(|_| failure("token_unusable", format!("the secret `{secret}` holds no text")))
}

async fn wanted(tx: &mut Tx, app: &Shared, row: &EnforcementRow) -> Result<Result<Option<Wanted>, Failure>, Fault> {
    let kinds = app.kinds.load_full();
    let Some((pins, is_shut_out)) = pins::with_end(tx, row.node).await? else { return Ok(Ok(None)) };
    let Some(mut meant) = of_node(tx, app, &kinds, &pins, is_shut_out).await? else {
        return Ok(Err(failure("state_unusable", "what is meant for the node cannot be read".to_owned())));
    };
    if let Some(bad) = meant.unusable.get(&row.resource) {
        return Ok(Err(failure("spec_unusable", bad.to_string())));
    }
    if meant.others.contains(&row.resource) {
        let why = format!("no pack of this hub says any more that it enforces the kind `{}`", row.resource.kind);
        return Ok(Err(failure("kind_unknown", why)));
    }
    Ok(Ok(meant.wanted.remove(&row.resource).filter(|wanted| wanted.rules.zone == row.zone)))
}

fn failure(reason: &'static str, message: String) -> Failure {
    Failure { reason, message, retry_after: None }
}

/// Writes down what came of a try, and tells of it where it is news.
async fn settle(app: &Shared, row: EnforcementRow, node_name: &str, tried: Tried) -> Result<(), Fault> {
    let (now, draw, every) = (app.clock.now(), app.entropy.draw(), app.settings.edge.look_every());
    let next = after(&row.life, &tried, every, now, draw);
    let news = next.news;
    tell(&row, node_name, &tried, news);
    app.store
        .write(move |tx| {
            Box::pin(async move {
                let is_kept = match next.enforcement {
                    Some(life) => enforcements::update(tx, &EnforcementRow { life, ..row.clone() }).await?,
                    None => enforcements::forget(tx, &row).await?,
                };
                // Whoever has written it meanwhile knows better; what was changed there since is looked at once more.
                if !is_kept && matches!(tried, Tried::Made { is_changed: true }) {
                    look_again(tx, row, now).await?;
                    return Ok(());
                }
                if let (true, Some(news)) = (is_kept, news) {
                    let data = json!({
                        "resource": row.resource, "zone": row.zone, "reason": reason_of(&tried, &row.life),
                    });
                    let record = Record::new(row.org, now, kind_of(news), "hub").node(row.node).data(&data);
                    events::record(tx, record).await?;
                }
                Ok::<_, Fault>(())
            })
        })
        .await
}

/// Something was changed at the edge for a row that somebody else has written, or forgotten: it is due at once.
async fn look_again(tx: &mut Tx, row: EnforcementRow, now: Millis) -> Result<(), StoreError> {
    match enforcements::get(tx, row.node, &row.resource, &row.zone).await? {
        Some(mut there) => {
            there.life = begin(Enforcement { next_try: now, ..there.life });
            enforcements::update(tx, &there).await?;
        }
        None => {
            let life = noted(Some(&row.life), None, now).unwrap_or(row.life);
            let leaving = EnforcementRow { life: begin(Enforcement { next_try: now, ..life }), turn: 0, ..row };
            enforcements::insert(tx, &leaving).await?;
        }
    }
    Ok(())
}

fn kind_of(news: News) -> &'static str {
    match news {
        News::Enforced => "desired.enforced",
        News::Drifted => "desired.enforcement_drifted",
        News::Failed => "desired.enforcement_failed",
        News::Ended => "desired.enforcement_ended",
    }
}

fn reason_of(tried: &Tried, before: &Enforcement) -> Option<String> {
    match tried {
        Tried::Failed(failure) => Some(failure.reason.to_owned()),
        Tried::Looked { is_so: false } => Some("otherwise".to_owned()),
        // Why it came to be tried: it is new, or changed.
        Tried::Made { .. } | Tried::Looked { is_so: true } | Tried::Removed => before.reason.clone(),
    }
}

fn tell(row: &EnforcementRow, node_name: &str, tried: &Tried, news: Option<News>) {
    let EnforcementRow { resource, zone, .. } = row;
    match (tried, news) {
        (Tried::Failed(Failure { reason, message, .. }), Some(_)) => {
            tracing::warn!(node = node_name, %resource, zone, reason, why = message,
                "The hub cannot enforce a resource at the edge; it goes on trying");
        }
        (Tried::Made { is_changed: true }, None) => {
            tracing::info!(node = node_name, %resource, zone, "A rule at the edge was otherwise, and was corrected");
        }
        _ => {}
    }
}
