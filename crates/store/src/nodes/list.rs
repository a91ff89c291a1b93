//! Lists of nodes by name, narrowed. Those who are not in order are found without looking at the others.

use sortie_rules::desired::{Standing, Standings};
use sortie_rules::ids::{NodeId, OrgId};
use sortie_rules::liveness::Presence;

use super::row::{NodeRow, node_columns, node_joins, read, select_nodes};
use crate::dialect;
use crate::errors::StoreError;
use crate::tx::Tx;
use crate::value::Value;

/// Which nodes a list should have; what is left out does not narrow it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NodeFilter {
    /// Only nodes at the site with this key.
    pub site: Option<String>,
    /// Only nodes that live on this one.
    pub host: Option<NodeId>,
    /// Only nodes of this kind.
    pub kind: Option<String>,
    /// Only nodes of which this is said.
    pub presence: Option<Presence>,
    /// Only nodes that have all these labels with these values.
    pub label: Vec<(String, String)>,
    /// Only nodes whose name begins so.
    pub name_prefix: Option<String>,
    /// Only nodes that stand so to what is meant for them.
    pub standing: Option<Standings>,
}

/// What narrows a list, wherever it begins; the name is said so that an index on it serves, or none does.
macro_rules! narrowed {
    ($name:literal) => {
        concat!(
            "n.org = $1 and ",
            $name,
            " > $2 and ",
            $name,
            " >= $3 and ",
            $name,
            " < $4
            and (cast($5 as text) is null or n.site = $5)
            and (cast($6 as text) is null or n.kind = $6)
            and (cast($7 as text) is null or s.presence = $7)
            and (cast($8 as text) is null or n.labels like $8 escape '!')
            and (cast($9 as text) is null or n.host = $9) "
        )
    };
}

/// The nodes of an org that have said of themselves that they stand in one of up to three ways.
macro_rules! told_of {
    () => {
        "select node from node_observed
            where org = $1 and standing in ($11, $12, $13) and standing <> 'converged' "
    };
}

/// The nodes of an org that were in order, or have said nothing, and for which something newer is meant. What is held
/// against each other stands in indexes.
macro_rules! behind {
    ($what:literal) => {
        concat!(
            "select ",
            $what,
            " from node_desired d left join node_observed o on o.org = d.org and o.node = d.node
            where d.org = $1 and d.generation > 0
                and (o.node is null or (o.standing = 'converged' and o.generation < d.generation)) "
        )
    };
}
pub(super) use behind;

/// Up to `limit` nodes in the order of their names, after the name `after`.
pub async fn list(
    tx: &mut Tx,
    org: OrgId,
    filter: &NodeFilter,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<NodeRow>, StoreError> {
    // The two bounds on the name are what the index on (org, name) serves; the rest is looked at
    // row by row. At the 100,000 nodes of the largest fleet that is a fraction of a second. The standing is the set
    // form of `sortie_rules::desired::stands_now`; a client of the trust API knows of no desired state.
    const BY_NAME: &str = concat!(
        select_nodes!(),
        "where ",
        narrowed!("n.name"),
        "and (cast($11 as text) is null or $11 like '%,' || case
                when n.revoked_at is not null or n.key_fingerprint like 'key:%' then 'none'
                when o.standing is not null and o.standing <> 'converged' then o.standing
                when coalesce(d.generation, 0) = 0 then 'none'
                when o.generation is null or o.generation < d.generation then 'converging'
                else 'converged' end || ',%')
        order by n.name limit $10"
    );
    // Begun with those that are asked for, whatever an engine knows of the tables: `cross join` has SQLite do so, and
    // a name that no index serves PostgreSQL.
    macro_rules! of_those {
        ($found:expr) => {
            concat!(
                node_columns!(),
                "(",
                $found,
                ") found cross join nodes n ",
                node_joins!(),
                "where n.id = found.node and n.revoked_at is null and n.key_fingerprint not like 'key:%' and ",
                narrowed!("n.name || ''"),
                "order by n.name || '' limit $10"
            )
        };
    }
    const TOLD_OF: &str = of_those!(told_of!());
    const BEHIND: &str = of_those!(behind!("d.node"));
    let prefix = filter.name_prefix.as_deref().unwrap_or("");
    let prefix_end = dialect::prefix_end(prefix).unwrap_or_else(|| dialect::ABOVE_ALL_NAMES.to_owned());
    let labels = dialect::labels_pattern(&filter.label);
    let mut values: Vec<Value<'_>> = vec![
        org.into(),
        after.unwrap_or("").into(),
        prefix.into(),
        (&prefix_end).into(),
        filter.site.as_deref().into(),
        filter.kind.as_deref().into(),
        filter.presence.map(Presence::as_str).into(),
        labels.as_deref().into(),
        filter.host.into(),
        limit.into(),
    ];
    let is_for_few = |asked: &&Standings| !asked.contain(None) && !asked.contain(Some(Standing::Converged));
    let Some(asked) = filter.standing.as_ref().filter(is_for_few) else {
        let words = filter.standing.as_ref().map(|asked| format!(",{},", asked.words().join(",")));
        values.push(words.as_deref().into());
        return tx.query(BY_NAME, &values).await?.into_iter().map(read).collect();
    };
    // Nobody is in both: who is behind was in order, or has said nothing.
    let mut rows = Vec::new();
    if asked.contain(Some(Standing::Converging)) {
        rows = tx.query(BEHIND, &values).await?;
    }
    let word = |standing: Standing| if asked.contain(Some(standing)) { standing.as_str() } else { "" };
    values.extend([Standing::Converging, Standing::Drifted, Standing::Failing].map(word).map(Value::from));
    rows.extend(tx.query(TOLD_OF, &values).await?);
    let mut nodes: Vec<NodeRow> = rows.into_iter().map(read).collect::<Result<_, _>>()?;
    nodes.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    nodes.truncate(limit as usize);
    Ok(nodes)
}
