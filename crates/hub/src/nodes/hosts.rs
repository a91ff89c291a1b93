//! On which node a guest lives. It says where a machine is and opens nothing: each proves who it is with a key of its
//! own.

use sortie_rules::hosts::{Host, may_live_on};
use sortie_rules::ids::{NodeId, OrgId};
use sortie_store::nodes::{self, HostRow};
use sortie_store::{StoreError, Tx};
use sortie_wire::problem::ProblemCode;

use crate::fault::{Fault, refuse_at};

/// Why no node can live there, in a sentence; or trouble underneath.
#[derive(Debug)]
pub(crate) enum NotThere {
    Unfit(String),
    Store(StoreError),
}

impl From<StoreError> for NotThere {
    fn from(error: StoreError) -> NotThere {
        NotThere::Store(error)
    }
}

impl NotThere {
    /// As the fault of a request that names the host in its field `host`.
    pub(crate) fn in_request(self) -> Fault {
        match self {
            NotThere::Unfit(why) => refuse_at(ProblemCode::FieldInvalid, "/host", why),
            NotThere::Store(error) => error.into(),
        }
    }
}

/// The node that `host` names, by name or id, if `guest` may live there; `None` is a guest that comes new. Until the
/// transaction ends nobody else decides where one of the two lives.
pub(crate) async fn find(tx: &mut Tx, org: OrgId, guest: Option<NodeId>, host: &str) -> Result<HostRow, NotThere> {
    let found = match host.parse::<NodeId>() {
        Ok(id) => nodes::get(tx, org, id).await?,
        Err(_) => nodes::get_by_name(tx, org, host).await?,
    };
    let unknown = || {
        let shown: String = host.chars().take(80).collect();
        NotThere::Unfit(format!("There is no node `{shown}` to live on; the command `sortie node list` lists them."))
    };
    let id = found.ok_or_else(unknown)?.id;
    nodes::hold(tx, org, &guest.into_iter().chain([id]).collect::<Vec<_>>()).await?;
    let row = nodes::get(tx, org, id).await?.ok_or_else(unknown)?;
    let has_guests = match guest {
        Some(guest) => !nodes::guests(tx, org, guest, 1).await?.is_empty(),
        None => false,
    };
    let there =
        Host { is_itself: guest == Some(id), is_guest: row.host.is_some(), is_revoked: row.revoked_at.is_some() };
    may_live_on(there, has_guests).map_err(|why| NotThere::Unfit(format!("On `{}`: {why}.", row.name)))?;
    Ok(HostRow { id, name: row.name, is_revoked: false })
}
