//! Takes the next set of operators.

use sortie_rules::limits::OPERATOR_SETS_MAX;
use sortie_store::operator_sets::{self, OperatorSetRow, VERSION_TAKEN};
use sortie_wire::envelope::Envelope;
use sortie_wire::operators::{Operators, PublishedOperators};
use sortie_wire::problem::ProblemCode;

use super::read::{operators_of, shown};
use crate::app::App;
use crate::audit::{self, Act};
use crate::events::{self, Record};
use crate::fault::{Fault, refuse};
use crate::people::Principal;

/// Publishes a set, which follows the newest one of the org or is its first. The set that stands already is
/// answered as it stands.
pub(super) async fn publish(app: &App, who: &Principal, link: Envelope) -> Result<PublishedOperators, Fault> {
    let (org, actor, now) = (who.org, who.name.to_string(), app.clock.now());
    let act = Act::by(who, now)?;
    let written = app
        .store
        .write(move |tx| {
            Box::pin(async move {
                let newest = operator_sets::newest(tx, org).await?;
                let text = serde_json::to_string(&link).map_err(|error| Fault::Broken(error.to_string()))?;
                let operators = match &newest {
                    Some(row) if row.link == text => return Ok(row.clone()),
                    Some(row) => operators_of(row)?.follow(&link),
                    None => Operators::begin(&link),
                };
                let operators =
                    operators.map_err(|error| refuse(ProblemCode::OperatorsInvalid, format!("{error}.")))?;
                let set = operators.set();
                if set.version > OPERATOR_SETS_MAX {
                    let detail = format!("An org has at most {OPERATOR_SETS_MAX} sets of operators.");
                    return Err(refuse(ProblemCode::OperatorsInvalid, detail));
                }
                let row =
                    OperatorSetRow { org, version: set.version, link: text, published_by: actor, published_at: now };
                operator_sets::insert(tx, &row).await?;
                let data = serde_json::json!({
                    "version": set.version, "fingerprint": operators.fingerprint(), "needed": set.needed,
                    "members": set.members.iter().map(|member| &member.name).collect::<Vec<_>>(),
                });
                audit::record(tx, act.on("operators", set.version).changes(data.clone())).await?;
                let record = Record::new(org, now, "operators.published", &row.published_by).data(&data);
                events::record(tx, record).await?;
                Ok(row)
            })
        })
        .await;
    let row = written.map_err(|fault| match fault {
        Fault::Store(error) if error.is_taken(VERSION_TAKEN) => {
            refuse(ProblemCode::Conflict, "Somebody has published a set of operators meanwhile; look again.")
        }
        fault => fault,
    })?;
    app.operators.forget(org);
    shown(&row)
}
