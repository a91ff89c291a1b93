//! `node_events`: how far the events are taken that nodes tell by themselves. Agents number them and send them until
//! they are taken, so one that comes twice is known by its number.

use sortie_rules::ids::{NodeId, OutboxId};

use crate::errors::StoreError;
use crate::tx::Tx;

/// The agent's outbox, and the number of the newest event that was taken from it; none if none was.
pub async fn taken(tx: &mut Tx, node: NodeId) -> Result<Option<(OutboxId, u64)>, StoreError> {
    const SQL: &str = "select outbox, number from node_events where node = $1";
    let row = tx.query_one_or_none(SQL, &[node.into()]).await?;
    row.map(|row| {
        let mut row = row.columns("node_events");
        Ok((row.id("outbox")?, row.number("number")?))
    })
    .transpose()
}

/// Events were taken from this outbox, up to this number, after `former` was what stood there. `false` if something
/// else stands there: somebody else has taken some at the same moment.
pub async fn take(
    tx: &mut Tx,
    node: NodeId,
    former: Option<(OutboxId, u64)>,
    outbox: OutboxId,
    number: u64,
) -> Result<bool, StoreError> {
    const FIRST: &str =
        "insert into node_events (node, outbox, number) values ($1, $2, $3) on conflict (node) do nothing";
    const NEXT: &str =
        "update node_events set outbox = $2, number = $3 where node = $1 and outbox = $4 and number = $5";
    let values = [node.into(), outbox.into(), number.into()];
    let changed = match former {
        None => tx.execute(FIRST, &values).await?,
        Some((outbox, number)) => {
            let [node, new, to] = values;
            tx.execute(NEXT, &[node, new, to, outbox.into(), number.into()]).await?
        }
    };
    Ok(changed == 1)
}
