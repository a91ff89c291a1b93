//! Who keeps an org: nobody takes away the last who can administer it without saying that they mean it.

use sortie_rules::access::{Keeper, Keepers, Last, is_last};
use sortie_rules::ids::OrgId;
use sortie_rules::time::Millis;
use sortie_store::{Tx, accounts, orgs, tokens};
use sortie_wire::problem::ProblemCode;

use crate::fault::{Fault, refuse};

/// Refuses to take the last of those away who can administer an org. `provider` says that there is an identity
/// provider, which may name others.
pub(crate) async fn not_the_last(
    tx: &mut Tx,
    org: OrgId,
    lost: Keeper,
    provider: bool,
    now: Millis,
) -> Result<(), Fault> {
    // Of two that take away one of the last two, the second sees what the first has done.
    orgs::hold(tx, org).await?;
    let (accounts, tokens) = (accounts::count_admins(tx, org).await?, tokens::count_admins(tx, org, now).await?);
    let detail = match is_last(Keepers { accounts, tokens, provider }, lost) {
        None => return Ok(()),
        Some(Last::Account) => {
            "This is the org's last account of an administrator with which somebody can sign in. Make another first, \
             or say that it is meant: `force`, with the command --force."
        }
        Some(Last::Way) => {
            "Nobody could administer the org after that: no account of an administrator, and no token of one that \
             holds and is not limited. Make another first, or say that it is meant: `force`, with the command --force. \
             Then only administrators of the hub's own org can make a new one: `sortie org admin NAME`."
        }
    };
    Err(refuse(ProblemCode::LastAdministrator, detail))
}
