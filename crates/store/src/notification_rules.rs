//! `notification_rules`: what an org itself says of who is told, by the name of a rule.

use sortie_rules::ids::OrgId;
use sortie_rules::time::Millis;

use crate::errors::StoreError;
use crate::row::Row;
use crate::tx::Tx;

/// What an org says of one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationRuleRow {
    /// Whose it is.
    pub org: OrgId,
    /// The rule's name.
    pub name: String,
    /// The rule, as JSON; nothing: the one of this name that the hub has is switched off.
    pub rule: Option<String>,
    /// Who said so.
    pub changed_by: String,
    /// When.
    pub changed_at: Millis,
}

/// What an org says of this rule.
pub async fn get(tx: &mut Tx, org: OrgId, name: &str) -> Result<Option<NotificationRuleRow>, StoreError> {
    const SQL: &str =
        "select org, name, rule, changed_by, changed_at from notification_rules where org = $1 and name = $2";
    tx.query_one_or_none(SQL, &[org.into(), name.into()]).await?.map(read).transpose()
}

/// All that an org says, by name. Their number is limited where they are put.
pub async fn list(tx: &mut Tx, org: OrgId) -> Result<Vec<NotificationRuleRow>, StoreError> {
    const SQL: &str =
        "select org, name, rule, changed_by, changed_at from notification_rules where org = $1 order by name";
    tx.query(SQL, &[org.into()]).await?.into_iter().map(read).collect()
}

/// Says this, in place of what was said.
pub async fn put(tx: &mut Tx, row: &NotificationRuleRow) -> Result<(), StoreError> {
    const SQL: &str =
        "insert into notification_rules (org, name, rule, changed_by, changed_at) values ($1, $2, $3, $4, $5)
        on conflict (org, name) do update set rule = excluded.rule, changed_by = excluded.changed_by,
            changed_at = excluded.changed_at";
    let (rule, by) = (row.rule.as_deref().into(), (&row.changed_by).into());
    tx.execute(SQL, &[row.org.into(), (&row.name).into(), rule, by, row.changed_at.into()]).await.map(drop)
}

/// Says nothing of this rule any more. `false` if nothing was said.
pub async fn delete(tx: &mut Tx, org: OrgId, name: &str) -> Result<bool, StoreError> {
    const SQL: &str = "delete from notification_rules where org = $1 and name = $2";
    Ok(tx.execute(SQL, &[org.into(), name.into()]).await? > 0)
}

fn read(row: Row) -> Result<NotificationRuleRow, StoreError> {
    let mut row = row.columns("notification_rules");
    Ok(NotificationRuleRow {
        org: row.id("org")?,
        name: row.text("name")?,
        rule: row.text_or_none("rule")?,
        changed_by: row.text("changed_by")?,
        changed_at: row.millis("changed_at")?,
    })
}
