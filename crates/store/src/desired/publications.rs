//! `publications`: each is a revision of its layer, and its way to nodes. Each step takes its turn first, so that of
//! two hubs one takes it. `publication_secrets` says which secrets a revision refers to.

use sortie_rules::desired::{Layer, Publication, PublicationStatus};
use sortie_rules::ids::{OrgId, PublicationId};
use sortie_rules::time::Millis;

use crate::dialect;
use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;
use crate::value::Value;

/// Somebody has published this revision of the layer.
pub const REVISION_TAKEN: &str = "publications_revision";
/// Another publication of the layer goes out.
pub const ONE_GOES_OUT: &str = "publications_going_out";

/// Which layer: of the org, of a site, of a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LayerKey {
    /// Whose it is.
    pub org: OrgId,
    /// Which of the three.
    pub layer: Layer,
    /// Empty for the org, the site's key, or the node's id.
    pub of: String,
}

impl LayerKey {
    pub(super) fn values(&self) -> [Value<'_>; 3] {
        [self.org.into(), self.layer.as_str().into(), (&self.of).into()]
    }
}

/// A publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicationRow {
    /// Its id.
    pub id: PublicationId,
    /// Of which layer it is a revision.
    pub key: LayerKey,
    /// Which revision, from 1.
    pub revision: u64,
    /// Why it was published.
    pub message: String,
    /// Who published it.
    pub published_by: String,
    /// When.
    pub published_at: Millis,
    /// When it was over.
    pub finished_at: Option<Millis>,
    /// The revision whose state it repeats.
    pub repeats: Option<u64>,
    /// Which nodes of the layer were asked for, as JSON; all if absent.
    pub selector: Option<String>,
    /// How many nodes it is for.
    pub nodes: u32,
    /// Where it stands, and its limits.
    pub life: Publication,
    /// Whether it was completed for all nodes of its layer.
    pub stands: bool,
    /// Rises with each step.
    pub turn: u32,
}

macro_rules! columns {
    () => {
        "id, org, layer, layer_of, revision, message, published_by, published_at, finished_at, repeats, selector, \
         nodes, at_a_time, stop_failures, within_ms, rolls_back, status, stands, turn"
    };
}

/// Adds a publication that says `state`, as JSON, and refers to these secrets. [`REVISION_TAKEN`] if there is one of
/// this revision.
pub async fn insert(tx: &mut Tx, row: &PublicationRow, state: &str, secrets: &[String]) -> Result<(), StoreError> {
    const SQL: &str = concat!(
        "insert into publications (",
        columns!(),
        ", state) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)"
    );
    const SECRET: &str = "insert into publication_secrets (publication, org, secret) values ($1, $2, $3)";
    let [org, layer, of] = row.key.values();
    let values = [
        row.id.into(),
        org,
        layer,
        of,
        row.revision.into(),
        (&row.message).into(),
        (&row.published_by).into(),
        row.published_at.into(),
        row.finished_at.into(),
        row.repeats.into(),
        row.selector.as_deref().into(),
        row.nodes.into(),
        row.life.at_a_time.into(),
        row.life.stop_failures.into(),
        row.life.within.into(),
        row.life.rolls_back.into(),
        row.life.status.as_str().into(),
        row.stands.into(),
        row.turn.into(),
        state.into(),
    ];
    tx.execute(SQL, &values).await?;
    let rows: Vec<[Value<'_>; 3]> = secrets.iter().map(|name| [row.id.into(), org, name.into()]).collect();
    tx.execute_each(SECRET, &rows).await.map(drop)
}

/// The publication of this id, in whichever org.
pub async fn get_any_org(tx: &mut Tx, id: PublicationId) -> Result<Option<PublicationRow>, StoreError> {
    const SQL: &str = concat!("select ", columns!(), " from publications where id = $1");
    tx.query_one_or_none(SQL, &[id.into()]).await?.map(read).transpose()
}

/// What it says, as JSON.
pub async fn state(tx: &mut Tx, id: PublicationId) -> Result<Option<String>, StoreError> {
    const SQL: &str = "select state from publications where id = $1";
    let row = tx.query_one_or_none(SQL, &[id.into()]).await?;
    row.map(|row| row.columns("publications").text("state")).transpose()
}

/// A revision of a layer.
pub async fn revision(tx: &mut Tx, key: &LayerKey, revision: u64) -> Result<Option<PublicationRow>, StoreError> {
    const SQL: &str = concat!(
        "select ",
        columns!(),
        " from publications where org = $1 and layer = $2 and layer_of = $3 and revision = $4"
    );
    let [org, layer, of] = key.values();
    tx.query_one_or_none(SQL, &[org, layer, of, revision.into()]).await?.map(read).transpose()
}

/// What a revision of a layer says, as JSON.
pub async fn state_of_revision(tx: &mut Tx, key: &LayerKey, revision: u64) -> Result<Option<String>, StoreError> {
    const SQL: &str = "select state from publications
        where org = $1 and layer = $2 and layer_of = $3 and revision = $4";
    let [org, layer, of] = key.values();
    let row = tx.query_one_or_none(SQL, &[org, layer, of, revision.into()]).await?;
    row.map(|row| row.columns("publications").text("state")).transpose()
}

/// The newest revision of a layer, whatever became of it; 0 if there is none.
pub async fn newest(tx: &mut Tx, key: &LayerKey) -> Result<u64, StoreError> {
    const SQL: &str = "select revision from publications where org = $1 and layer = $2 and layer_of = $3
        order by revision desc limit 1";
    let row = tx.query_one_or_none(SQL, &key.values()).await?;
    row.map_or(Ok(0), |row| row.columns("publications").number("revision"))
}

/// The revision of a layer that stands: the newest that was completed for all its nodes; 0 if there is none.
pub async fn standing(tx: &mut Tx, key: &LayerKey) -> Result<u64, StoreError> {
    const SQL: &str = "select revision from publications
        where org = $1 and layer = $2 and layer_of = $3 and stands = 1 order by revision desc limit 1";
    let row = tx.query_one_or_none(SQL, &key.values()).await?;
    row.map_or(Ok(0), |row| row.columns("publications").number("revision"))
}

/// The publication of a layer that is not over. There is at most one.
pub async fn going_out(tx: &mut Tx, key: &LayerKey) -> Result<Option<PublicationRow>, StoreError> {
    const SQL: &str = concat!(
        "select ",
        columns!(),
        " from publications where org = $1 and layer = $2 and layer_of = $3 and finished_at is null"
    );
    tx.query_one_or_none(SQL, &key.values()).await?.map(read).transpose()
}

/// Up to `limit` publications of a layer, newest first, below the revision `before`.
pub async fn history(
    tx: &mut Tx,
    key: &LayerKey,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<PublicationRow>, StoreError> {
    const SQL: &str = concat!(
        "select ",
        columns!(),
        " from publications where org = $1 and layer = $2 and layer_of = $3 and revision < $4
        order by revision desc limit $5"
    );
    let [org, layer, of] = key.values();
    let before = before.map_or(Value::Int(i64::MAX), Into::into);
    tx.query(SQL, &[org, layer, of, before, limit.into()]).await?.into_iter().map(read).collect()
}

/// Up to `limit` publications of all orgs that are not over, after the one `after`, the oldest first.
pub async fn open(tx: &mut Tx, after: Option<PublicationId>, limit: u32) -> Result<Vec<PublicationId>, StoreError> {
    const SQL: &str = "select id from publications where finished_at is null and id > $1 order by id limit $2";
    let rows = tx.query(SQL, &[after.map_or("".into(), Into::into), limit.into()]).await?;
    rows.into_iter().map(|row| row.columns("publications").id("id")).collect()
}

/// Up to `limit` publications of all orgs that were published and over before `before`, after the one `after`, the
/// oldest first: each with the layer and revision that it made.
pub async fn over_before(
    tx: &mut Tx,
    after: Option<PublicationId>,
    before: Millis,
    limit: u32,
) -> Result<Vec<(PublicationId, LayerKey, u64)>, StoreError> {
    const SQL: &str = "select id, org, layer, layer_of, revision from publications
        where id > $1 and id < $2 and finished_at <= $3 order by id limit $4";
    // An id begins with its time, so that newer ones are not looked at.
    let until = PublicationId::from_uuid(uuid::Uuid::from_u128(u128::from(before.0.unsigned_abs()) << 80));
    let values = [after.map_or("".into(), Into::into), until.into(), before.into(), limit.into()];
    let read = |row: Row| {
        let mut row = row.columns("publications");
        let id = row.id("id")?;
        let key = LayerKey { org: row.id("org")?, layer: row.word("layer", Layer::parse)?, of: row.text("layer_of")? };
        Ok((id, key, row.number("revision")?))
    };
    tx.query(SQL, &values).await?.into_iter().map(read).collect()
}

/// Forgets a publication that is over, with the revision that it made. Whoever calls this has seen that nobody needs
/// it.
pub async fn forget(tx: &mut Tx, id: PublicationId) -> Result<(), StoreError> {
    const SQL: &str = "delete from publications where id = $1 and finished_at is not null";
    tx.execute(SQL, &[id.into()]).await.map(drop)
}

/// Takes the next step's turn. `false` if another hub, or somebody who steers, was quicker.
pub async fn take_turn(tx: &mut Tx, id: PublicationId, turn: u32) -> Result<bool, StoreError> {
    const SQL: &str = "update publications set turn = turn + 1 where id = $1 and turn = $2";
    Ok(tx.execute(SQL, &[id.into(), turn.into()]).await? > 0)
}

/// Writes down where it stands now, and with its end when that was.
pub async fn set_status(
    tx: &mut Tx,
    id: PublicationId,
    status: PublicationStatus,
    finished_at: Option<Millis>,
) -> Result<(), StoreError> {
    const SQL: &str = "update publications set status = $2, finished_at = $3,
            stands = case when $2 = 'completed' and selector is null then 1 else 0 end
        where id = $1";
    tx.execute(SQL, &[id.into(), status.as_str().into(), finished_at.into()]).await.map(drop)
}

/// Makes it for one node more. Returns that node's place, or nothing if it is over.
pub async fn grow(tx: &mut Tx, id: PublicationId) -> Result<Option<u32>, StoreError> {
    const SQL: &str = "update publications set nodes = nodes + 1 where id = $1 and status = 'running' returning nodes";
    let row = tx.query_one_or_none(SQL, &[id.into()]).await?;
    row.map(|row| row.columns("publications").number("nodes")).transpose()
}

/// Up to `limit` revisions of an org that refer to a secret, newest first, older than `before`.
pub async fn referring(
    tx: &mut Tx,
    org: OrgId,
    secret: &str,
    before: Option<PublicationId>,
    limit: u32,
) -> Result<Vec<PublicationRow>, StoreError> {
    const SQL: &str = concat!(
        "select ",
        columns!(),
        " from publications where id in (select publication from publication_secrets
            where org = $1 and secret = $2 and publication < $3 order by publication desc limit $4)
        order by id desc"
    );
    let before = before.map_or(dialect::ABOVE_ALL_IDS.into(), Into::into);
    let values = [org.into(), secret.into(), before, limit.into()];
    tx.query(SQL, &values).await?.into_iter().map(read).collect()
}

fn read(row: Row) -> Result<PublicationRow, StoreError> {
    let mut row = row.columns("publications");
    let (id, org) = (row.id("id")?, row.id("org")?);
    let (layer, of) = (row.word("layer", Layer::parse)?, row.text("layer_of")?);
    let (revision, message) = (row.number("revision")?, row.text("message")?);
    let (published_by, published_at) = (row.text("published_by")?, row.millis("published_at")?);
    let (finished_at, repeats) = (row.millis_or_none("finished_at")?, row.number_or_none("repeats")?);
    let (selector, nodes) = (row.text_or_none("selector")?, row.number("nodes")?);
    let (at_a_time, stop_failures) = (row.number_or_none("at_a_time")?, row.number_or_none("stop_failures")?);
    let (within, rolls_back) = (row.span("within_ms")?, row.flag("rolls_back")?);
    let status = row.word("status", PublicationStatus::parse)?;
    Ok(PublicationRow {
        id,
        key: LayerKey { org, layer, of },
        revision,
        message,
        published_by,
        published_at,
        finished_at,
        repeats,
        selector,
        nodes,
        life: Publication { status, at_a_time, stop_failures, within, rolls_back },
        stands: row.flag("stands")?,
        turn: row.number("turn")?,
    })
}
