//! Counts in a PostgreSQL database, in one transaction that may only read. Each statement goes over the
//! extended protocol, which takes one statement and no more.

use std::time::Duration;

use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, Error, IsolationLevel, NoTls};

use crate::ask::{Ask, Counts};
use crate::fault::Fault;
use crate::suppress::Counted;

/// Counts.
pub(crate) fn count(url: &str, ask: &Ask, within: Duration, limit: u32) -> Result<Counts, Fault> {
    let mut config: Config = url.parse().map_err(|_| {
        Fault::Settings("the database's address is neither sqlite:/PATH nor postgres://USER@HOST/NAME".into())
    })?;
    if config.get_ssl_mode() == SslMode::Require {
        let why = "connections with TLS are not offered; use the database's own machine, or a tunnel";
        return Err(Fault::Settings(why.to_owned()));
    }
    // A second line of defence, for the whole session; the first is what the user may do.
    config.options("-c default_transaction_read_only=on").connect_timeout(within).application_name("sortie-cohort");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Fault::Settings(error.to_string()))?;
    runtime.block_on(counts(&config, ask, within, limit))
}

async fn counts(config: &Config, ask: &Ask, within: Duration, limit: u32) -> Result<Counts, Fault> {
    let over = || Fault::TooLong(within.as_secs());
    let connected = tokio::time::timeout(within, config.connect(NoTls)).await.map_err(|_| over())?;
    let (mut client, connection) = connected.map_err(away)?;
    let (cancel, driver) = (client.cancel_token(), tokio::spawn(connection));
    let counted = tokio::time::timeout(within, count_in(&mut client, ask, within, limit)).await;
    let Ok(counted) = counted else {
        // The database would go on for nobody.
        let _cancelled = tokio::time::timeout(Duration::from_secs(5), cancel.cancel_query(NoTls)).await;
        return Err(over());
    };
    drop(client);
    let _ended = driver.await;
    counted.map_err(|error| error.into_fault(within))
}

/// A fault of ours, or the database's.
enum Trouble {
    Ours(Fault),
    /// Before a row was looked at.
    Before(Error),
    Running(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Trouble {
        Trouble::Running(error)
    }
}

impl Trouble {
    fn into_fault(self, within: Duration) -> Fault {
        let (error, is_before) = match self {
            Trouble::Ours(fault) => return fault,
            Trouble::Before(error) => (error, true),
            Trouble::Running(error) => (error, false),
        };
        match error.as_db_error() {
            Some(known) if *known.code() == SqlState::QUERY_CANCELED => Fault::TooLong(within.as_secs()),
            Some(known) if *known.code() == SqlState::ADMIN_SHUTDOWN => Fault::Away(known.message().to_owned()),
            Some(known) if is_before => Fault::Query(known.message().to_owned()),
            Some(known) => Fault::Failed(known.code().code().to_owned()),
            None => away(error),
        }
    }
}

async fn count_in(client: &mut Client, ask: &Ask, within: Duration, limit: u32) -> Result<Counts, Trouble> {
    let all = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
    let transaction = all.start().await?;
    // Before each statement: a query may have set it to something else.
    let timeout = format!("set local statement_timeout = {}", within.as_millis());
    transaction.batch_execute(&timeout).await?;
    // On its own first: what is no whole statement by itself could be one inside of another.
    let alone = transaction.prepare(&ask.query).await.map_err(Trouble::Before)?;
    ask.check_columns(alone.columns().iter().map(tokio_postgres::Column::name)).map_err(Trouble::Ours)?;
    let number = |count: i64| u64::try_from(count).unwrap_or(0);
    let total = number(transaction.query_one(&ask.count_all(), &[]).await?.try_get(0)?);
    let mut counts = Counts { total, ..Counts::default() };
    for column in &ask.group_by {
        let mut values = Vec::new();
        transaction.batch_execute(&timeout).await?;
        for row in transaction.query(&ask.count_by(column, limit), &[]).await? {
            values.push(Counted { value: row.try_get(0)?, count: number(row.try_get(1)?) });
        }
        counts.by_column.insert(column.clone(), values);
    }
    transaction.rollback().await?;
    Ok(counts)
}

fn away(error: Error) -> Fault {
    let why = std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
    Fault::Away(format!("{error}{why}"))
}
