//! What becomes, after a restart, of what was under way.

use rusqlite::Connection;
use sortie_rules::ledger::{Recover, recover as decide};
use sortie_rules::time::Millis;
use sortie_wire::deliveries::HandedTask;

use super::reboot::Rebooting;
use super::row::{RunKey, StageColumn, TaskColumn};

/// What the ledger holds at the start.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    /// To be run, in order.
    pub(crate) run: Vec<HandedTask>,
    /// To be looked at: they have asked for a reboot of the machine.
    pub(crate) rebooting: Vec<Rebooting>,
    /// To be reported as interrupted.
    pub(crate) interrupted: Vec<Interrupted>,
    /// How many results wait for a receipt.
    pub(crate) unreported: u32,
}

/// A run that was cut and may not be repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interrupted {
    /// Which run.
    pub(crate) run: RunKey,
    /// Its newest attempt.
    pub(crate) attempt: u32,
}

/// Looks at every run that is held or unreported.
pub(super) fn recover(connection: &Connection) -> rusqlite::Result<Recovered> {
    let mut recovered = Recovered::default();
    let mut statement = connection.prepare(
        "select task, run, attempt, stage, idempotent, handed, boot, asked_at from runs
         left join reboots using (task, run)
         where stage <> 'reported' order by delivery, position",
    )?;
    let mut cursor = statement.query([])?;
    while let Some(row) = cursor.next()? {
        let run = RunKey { task: row.get::<_, TaskColumn>(0)?.0, run: row.get(1)? };
        let attempt = row.get(2)?;
        // Nothing that may have rebooted the machine is ever begun again.
        if let Some(boot) = row.get::<_, Option<String>>(6)?
            && let Some(json) = row.get::<_, Option<Vec<u8>>>(5)?
            && let Ok(handed) = serde_json::from_slice::<HandedTask>(&json)
        {
            let asked_at = Millis(row.get(7)?);
            recovered.rebooting.push(Rebooting { handed: HandedTask { attempt, ..handed }, boot, asked_at });
            continue;
        }
        match decide(row.get::<_, StageColumn>(3)?.0, row.get(4)?) {
            Recover::Run => {
                let json: Vec<u8> = row.get(5)?;
                match serde_json::from_slice::<HandedTask>(&json) {
                    Ok(handed) => recovered.run.push(HandedTask { attempt, ..handed }),
                    Err(error) => {
                        tracing::error!(task = %run.task, %error, "a run in the ledger cannot be read; it is given up");
                        recovered.interrupted.push(Interrupted { run, attempt });
                    }
                }
            }
            Recover::Interrupted => recovered.interrupted.push(Interrupted { run, attempt }),
            Recover::Report => recovered.unreported += 1,
            Recover::Nothing => {}
        }
    }
    Ok(recovered)
}
