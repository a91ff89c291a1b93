//! Which word asks for which row.

use crate::cli::Setup;
use crate::figure::Figure;

use super::{
    agent, command, deliveries, desired, drain, growth, handshake, jobs, latency, life, mails, replicas, several,
    sign_in, silence, startup, storm, submit, submit_many,
};

/// Measures one row.
pub(crate) async fn run(row: &str, setup: &Setup) -> anyhow::Result<Vec<Figure>> {
    match row {
        "p1" => submit::measure(setup).await,
        "p2" => submit_many::measure(setup).await,
        "p3" => {
            let mut figures = drain::measure(setup).await?;
            figures.extend(life::measure(setup).await?);
            Ok(figures)
        }
        "p4" => latency::measure(setup).await,
        "p6" => {
            let mut figures = handshake::measure(setup).await?;
            figures.extend(storm::measure(setup).await?);
            Ok(figures)
        }
        "p10" => {
            let mut figures = several::measure(setup).await?;
            figures.extend(growth::measure(setup).await?);
            Ok(figures)
        }
        "replicas" => replicas::measure(setup).await,
        "p9" => agent::measure(setup).await,
        "jobs" => jobs::measure(setup).await,
        "desired" => desired::measure(setup).await,
        "command" => command::measure(setup).await,
        "deliveries" => deliveries::measure(),
        "sign_in" => sign_in::measure(setup).await,
        "alarms" => {
            let mut figures = mails::measure(setup).await?;
            figures.extend(silence::measure(setup).await?);
            Ok(figures)
        }
        "startup" => startup::measure(setup).await,
        other => anyhow::bail!("there is no row `{other}`"),
    }
}
