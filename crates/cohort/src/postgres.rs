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
    let mut config: Config =
        url.parse().map_err(|_| Fault::Settings("the database's address cannot be read".into()))?;
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
    runtime.block_on(async {
        let counted = tokio::time::timeout(within + Duration::from_secs(1), counts(&config, ask, within, limit));
        counted.await.unwrap_or(Err(Fault::TooLong(within.as_secs())))
    })
}

async fn counts(config: &Config, ask: &Ask, within: Duration, limit: u32) -> Result<Counts, Fault> {
    let (mut client, connection) = config.connect(NoTls).await.map_err(away)?;
    let driver = tokio::spawn(connection);
    let counted = count_in(&mut client, ask, within, limit).await;
    drop(client);
    let _ended = driver.await;
    counted.map_err(|error| error.into_fault(within))
}

/// A fault of ours, or the database's.
enum Trouble {
    Ours(Fault),
    Theirs(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Trouble {
        Trouble::Theirs(error)
    }
}

impl Trouble {
    fn into_fault(self, within: Duration) -> Fault {
        let error = match self {
            Trouble::Ours(fault) => return fault,
            Trouble::Theirs(error) => error,
        };
        match error.as_db_error() {
            Some(known) if *known.code() == SqlState::QUERY_CANCELED => Fault::TooLong(within.as_secs()),
            Some(known) if *known.code() == SqlState::ADMIN_SHUTDOWN => Fault::Away(known.message().to_owned()),
            Some(known) => Fault::Query(known.message().to_owned()),
            None => away(error),
        }
    }
}

async fn count_in(client: &mut Client, ask: &Ask, within: Duration, limit: u32) -> Result<Counts, Trouble> {
    let all = client.build_transaction().isolation_level(IsolationLevel::RepeatableRead).read_only(true);
    let transaction = all.start().await?;
    let timeout = format!("set local statement_timeout = {}", within.as_millis());
    transaction.batch_execute(&timeout).await?;
    // On its own first: what is no whole statement by itself could be one inside of another.
    let alone = transaction.prepare(&ask.query).await?;
    ask.check_columns(alone.columns().iter().map(tokio_postgres::Column::name)).map_err(Trouble::Ours)?;
    let number = |count: i64| u64::try_from(count).unwrap_or(0);
    let total = number(transaction.query_one(&ask.count_all(), &[]).await?.try_get(0)?);
    let mut counts = Counts { total, ..Counts::default() };
    for column in &ask.group_by {
        let mut values = Vec::new();
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
