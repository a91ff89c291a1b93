//! `publication_nodes`: the nodes of a publication, and how each fares.

use sortie_rules::desired::{NodeStage, Standing};
use sortie_rules::ids::{NodeId, PublicationId};
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;
use crate::value::Value;

/// A node of a publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicationNodeRow {
    /// Its place, from 1.
    pub position: u32,
    /// The node.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub stage: NodeStage,
    /// The generation by which it was given.
    pub generation: Option<u64>,
    /// When it was given.
    pub released_at: Option<Millis>,
    /// When it was in order, or had its time.
    pub ended_at: Option<Millis>,
}

/// What a node got, or has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// Its place in the publication.
    pub position: u32,
    /// The node.
    pub node: NodeId,
    /// The revision of the layer that it had before; 0 if none.
    pub before: u64,
    /// The generation by which it was given.
    pub generation: u64,
}

/// A node that was given the state and is waited for, and what it has said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Released {
    /// Its place in the publication.
    pub position: u32,
    /// The node.
    pub node: NodeId,
    /// The generation by which it was given.
    pub generation: u64,
    /// When.
    pub released_at: Millis,
    /// The generation that it has accepted, and how it stands to it: the one fact that goes into the course of a
    /// publication.
    pub observed: Option<(u64, Standing)>,
}

/// Adds nodes that wait, from the place `from` on.
pub async fn insert_all(
    tx: &mut Tx,
    publication: PublicationId,
    from: u32,
    nodes: &[NodeId],
) -> Result<(), StoreError> {
    const SQL: &str = "insert into publication_nodes (publication, position, node, stage)
        values ($1, $2, $3, 'waiting')";
    let rows: Vec<[Value<'_>; 3]> =
        (from..).zip(nodes).map(|(position, node)| [publication.into(), position.into(), (*node).into()]).collect();
    tx.execute_each(SQL, &rows).await.map(drop)
}

/// How many of its nodes stand where.
pub async fn counts(tx: &mut Tx, publication: PublicationId) -> Result<Vec<(NodeStage, u32)>, StoreError> {
    const SQL: &str = "select stage, count(*) from publication_nodes where publication = $1 group by stage";
    let read = |row: Row| {
        let mut row = row.columns("publication_nodes");
        Ok((row.word("stage", NodeStage::parse)?, row.number("count")?))
    };
    tx.query(SQL, &[publication.into()]).await?.into_iter().map(read).collect()
}

/// Up to `limit` nodes that stand so, after the place `after`, each with its place.
pub async fn at_stage(
    tx: &mut Tx,
    publication: PublicationId,
    stage: NodeStage,
    after: u32,
    limit: u32,
) -> Result<Vec<(u32, NodeId)>, StoreError> {
    const SQL: &str = "select position, node from publication_nodes
        where publication = $1 and stage = $2 and position > $3 order by position limit $4";
    let values = [publication.into(), stage.as_str().into(), after.into(), limit.into()];
    let read = |row: Row| {
        let mut row = row.columns("publication_nodes");
        Ok((row.number("position")?, row.id("node")?))
    };
    tx.query(SQL, &values).await?.into_iter().map(read).collect()
}

/// Up to `limit` nodes that are waited for, after the place `after`, with what they have said.
pub async fn released(
    tx: &mut Tx,
    publication: PublicationId,
    after: u32,
    limit: u32,
) -> Result<Vec<Released>, StoreError> {
    const SQL: &str = "select p.position, p.node, p.generation, p.released_at, o.generation, o.standing
        from publication_nodes p left join node_observed o on o.node = p.node
        where p.publication = $1 and p.stage = 'released' and p.position > $2 order by p.position limit $3";
    let read = |row: Row| {
        let mut row = row.columns("publication_nodes");
        let (position, node) = (row.number("position")?, row.id("node")?);
        let (generation, released_at) = (row.number("generation")?, row.millis("released_at")?);
        let observed: Option<u64> = row.number_or_none("observed")?;
        let standing = row.word_or_none("standing", Standing::parse)?;
        Ok(Released { position, node, generation, released_at, observed: observed.zip(standing) })
    };
    tx.query(SQL, &[publication.into(), after.into(), limit.into()]).await?.into_iter().map(read).collect()
}

/// Up to `limit` nodes that have the state, whatever became of it there, each with what it had before.
pub async fn having(tx: &mut Tx, publication: PublicationId, limit: u32) -> Result<Vec<Given>, StoreError> {
    const SQL: &str = "select position, node, before, generation from publication_nodes
        where publication = $1 and stage = $2 order by position limit $3";
    let mut found = Vec::new();
    for stage in NodeStage::ALL.into_iter().filter(|stage| stage.has_it()) {
        let room = limit.saturating_sub(u32::try_from(found.len()).unwrap_or(u32::MAX));
        let rows = tx.query(SQL, &[publication.into(), stage.as_str().into(), room.into()]).await?;
        found.extend(rows.into_iter().map(read_given).collect::<Result<Vec<_>, _>>()?);
    }
    Ok(found)
}

/// The nodes of these places, with what they were given. Those that were not given anything are left out.
pub async fn given_between(
    tx: &mut Tx,
    publication: PublicationId,
    first: u32,
    last: u32,
) -> Result<Vec<Given>, StoreError> {
    const SQL: &str = "select position, node, before, generation from publication_nodes
        where publication = $1 and position >= $2 and position <= $3 and generation is not null order by position";
    let rows = tx.query(SQL, &[publication.into(), first.into(), last.into()]).await?;
    rows.into_iter().map(read_given).collect()
}

fn read_given(row: Row) -> Result<Given, StoreError> {
    let mut row = row.columns("publication_nodes");
    let (position, node) = (row.number("position")?, row.id("node")?);
    Ok(Given { position, node, before: row.number("before")?, generation: row.number("generation")? })
}

/// Notes that nodes which waited were given the state, and stand so from now on.
pub async fn give(
    tx: &mut Tx,
    publication: PublicationId,
    stage: NodeStage,
    given: &[Given],
    now: Millis,
) -> Result<(), StoreError> {
    // Said so that no engine takes the index of stages, and holds each row of one against each of the other.
    const SQL: &str = "update publication_nodes set stage = $3, before = $4, generation = $5, released_at = $6
        where publication = $1 and position = $2 and generation is null and stage <> 'skipped'";
    let rows: Vec<[Value<'_>; 6]> = given
        .iter()
        .map(|one| {
            let (position, before, generation) = (one.position.into(), one.before.into(), one.generation.into());
            [publication.into(), position, stage.as_str().into(), before, generation, now.into()]
        })
        .collect();
    tx.execute_each(SQL, &rows).await.map(drop)
}

/// Notes that nodes which were waited for are in order, or had their time.
pub async fn end(
    tx: &mut Tx,
    publication: PublicationId,
    stage: NodeStage,
    positions: &[u32],
    now: Millis,
) -> Result<(), StoreError> {
    const SQL: &str = "update publication_nodes set stage = $3, ended_at = $4
        where publication = $1 and position = $2 and generation is not null and ended_at is null
            and stage <> 'given' and stage <> 'taken_back'";
    let rows: Vec<[Value<'_>; 4]> = positions
        .iter()
        .map(|position| [publication.into(), (*position).into(), stage.as_str().into(), now.into()])
        .collect();
    tx.execute_each(SQL, &rows).await.map(drop)
}

/// Notes that nodes have not what they were given any more.
pub async fn take_back(tx: &mut Tx, publication: PublicationId, positions: &[u32]) -> Result<(), StoreError> {
    const SQL: &str = "update publication_nodes set stage = 'taken_back'
        where publication = $1 and position = $2 and generation is not null";
    let rows: Vec<[Value<'_>; 2]> = positions.iter().map(|position| [publication.into(), (*position).into()]).collect();
    tx.execute_each(SQL, &rows).await.map(drop)
}

/// Leaves out every node that still waits, and waits for none that was given it.
pub async fn let_go(tx: &mut Tx, publication: PublicationId) -> Result<(), StoreError> {
    const WAITING: &str = "update publication_nodes set stage = 'skipped' where publication = $1 and stage = 'waiting'";
    const RELEASED: &str = "update publication_nodes set stage = 'given'
        where publication = $1 and stage = 'released'";
    tx.execute(WAITING, &[publication.into()]).await?;
    tx.execute(RELEASED, &[publication.into()]).await.map(drop)
}

/// A node has left the layer: it is not waited for, and not given anything.
pub async fn leave(tx: &mut Tx, publication: PublicationId, node: NodeId) -> Result<(), StoreError> {
    const SQL: &str = "update publication_nodes
        set stage = case when stage = 'waiting' then 'skipped' else 'given' end
        where publication = $1 and node = $2 and (stage = 'waiting' or stage = 'released')";
    tx.execute(SQL, &[publication.into(), node.into()]).await.map(drop)
}

/// A node has come back to the layer that it left before it was given anything. `false` if it did not.
pub async fn come_back(tx: &mut Tx, publication: PublicationId, node: NodeId) -> Result<bool, StoreError> {
    const SQL: &str = "update publication_nodes
        set stage = 'waiting', before = null, generation = null, released_at = null, ended_at = null
        where publication = $1 and node = $2";
    Ok(tx.execute(SQL, &[publication.into(), node.into()]).await? > 0)
}

/// A page of a publication's nodes, in the order of places after `after`.
pub async fn list(
    tx: &mut Tx,
    publication: PublicationId,
    after: u32,
    limit: u32,
) -> Result<Vec<PublicationNodeRow>, StoreError> {
    const SQL: &str = "select p.position, p.node, n.name, p.stage, p.generation, p.released_at, p.ended_at
        from publication_nodes p join nodes n on n.id = p.node
        where p.publication = $1 and p.position > $2 order by p.position limit $3";
    let read = |row: Row| {
        let mut row = row.columns("publication_nodes");
        Ok(PublicationNodeRow {
            position: row.number("position")?,
            node: row.id("node")?,
            name: row.text("name")?,
            stage: row.word("stage", NodeStage::parse)?,
            generation: row.number_or_none("generation")?,
            released_at: row.millis_or_none("released_at")?,
            ended_at: row.millis_or_none("ended_at")?,
        })
    };
    tx.query(SQL, &[publication.into(), after.into(), limit.into()]).await?.into_iter().map(read).collect()
}
