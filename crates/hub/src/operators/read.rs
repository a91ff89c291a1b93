//! Shows the sets of operators to people, and hands them on to agents.

use sortie_rules::ids::OrgId;
use sortie_rules::limits::PAGE_MAX;
use sortie_store::operator_sets::{self, OperatorSetRow};
use sortie_store::{StoreError, Tx};
use sortie_wire::envelope::Envelope;
use sortie_wire::operators::{OperatorChain, OperatorSet, Operators, PublishedOperators};

use crate::app::App;
use crate::fault::Fault;

/// The sets after a version, each in its envelope.
pub(super) async fn chain(app: &App, org: OrgId, after: Option<u64>) -> Result<OperatorChain, Fault> {
    let after = after.unwrap_or_default();
    let rows =
        app.store.read(move |tx| Box::pin(async move { operator_sets::after(tx, org, after, PAGE_MAX).await })).await?;
    Ok(OperatorChain { links: rows.iter().map(link).collect::<Result<_, _>>()? })
}

/// The newest set of an org.
pub(crate) async fn newest(tx: &mut Tx, org: OrgId) -> Result<Option<OperatorSet>, Fault> {
    let row = operator_sets::newest(tx, org).await?;
    row.map(|row| Ok(set_of(&row)?.0)).transpose()
}

/// A set as people see it.
pub(super) fn shown(row: &OperatorSetRow) -> Result<PublishedOperators, Fault> {
    let (set, fingerprint) = set_of(row)?;
    let (published_by, published_at) = (row.published_by.clone(), row.published_at);
    Ok(PublishedOperators { set, fingerprint, published_by, published_at })
}

/// What a set that was published says. Its signatures were checked then.
fn set_of(row: &OperatorSetRow) -> Result<(OperatorSet, String), Fault> {
    let operators = operators_of(row)?;
    Ok((operators.set().clone(), operators.fingerprint().to_owned()))
}

pub(super) fn operators_of(row: &OperatorSetRow) -> Result<Operators, Fault> {
    Operators::kept(&link(row)?).map_err(|error| broken(row, &error.to_string()))
}

fn link(row: &OperatorSetRow) -> Result<Envelope, Fault> {
    serde_json::from_str(&row.link).map_err(|error| broken(row, &error.to_string()))
}

fn broken(row: &OperatorSetRow, why: &str) -> Fault {
    Fault::Broken(format!("the set {} of operators cannot be read: {why}", row.version))
}

/// Every set of an org, oldest first.
pub(super) async fn list(app: &App, org: OrgId) -> Result<Vec<PublishedOperators>, Fault> {
    let rows = app
        .store
        .read(move |tx| Box::pin(async move { operator_sets::after(tx, org, 0, PAGE_MAX).await }))
        .await
        .map_err(|error: StoreError| Fault::from(error))?;
    rows.iter().map(shown).collect()
}
