//! `sortie-cohort`: how many in a site's database fit a query, without saying so of few.
//!
//! A command handler for `COHORT_QUERY`: the payload comes on standard input, the result goes to standard
//! output, and what it does to standard error. `ask` is what comes and goes; `postgres` and `sqlite` count,
//! read-only and within a time; `suppress` decides what may be said.

mod ask;
mod fault;
mod postgres;
mod sqlite;
mod suppress;

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;

use ask::{Answer, Ask};
use fault::Fault;

/// Counts a cohort in a site's own database: a command handler for COHORT_QUERY
#[derive(Debug, Parser)]
#[command(name = "sortie-cohort", version)]
#[command(after_help = "The payload is read from stdin, the result is written to stdout.\n\
    Example: echo '{\"query\": \"select * from patients\"}' | sortie-cohort --database sqlite:/srv/omop.db")]
struct Arguments {
    /// postgres://USER@HOST/NAME, or sqlite:PATH. Its user should be allowed to read, and nothing else
    #[arg(long, value_name = "URL", required_unless_present = "database_file", conflicts_with = "database_file")]
    database: Option<String>,
    /// A file that holds the same, so that a password is seen by nobody
    #[arg(long, value_name = "FILE")]
    database_file: Option<PathBuf>,
    /// Counts below this are not told
    #[arg(long, value_name = "COUNT", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    threshold: u64,
    /// How long the database may take for all of it
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..))]
    timeout_s: u64,
    /// Columns by which it may be counted; none unless they are named here
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    group_by: Vec<String>,
    /// The column that says who somebody is: then people are counted, and not rows
    #[arg(long, value_name = "COLUMN")]
    person: Option<String>,
    /// How many values of a column are told at most
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    values_max: u32,
}

/// A payload has at most so many bytes.
const PAYLOAD_BYTES_MAX: u64 = 1 << 20;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            let _unheard = writeln!(std::io::stderr(), "{fault}");
            fault.exit()
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Fault> {
    let mut text = String::new();
    std::io::stdin()
        .take(PAYLOAD_BYTES_MAX)
        .read_to_string(&mut text)
        .map_err(|error| Fault::Payload(error.to_string()))?;
    let ask = Ask::read(&text, &arguments.group_by, arguments.person.clone())?;
    let database = match (&arguments.database, &arguments.database_file) {
        (Some(url), _) => url.clone(),
        (None, Some(file)) => {
            std::fs::read_to_string(file).map_err(|error| Fault::Settings(format!("{}: {error}", file.display())))?
        }
        (None, None) => return Err(Fault::Settings("no database is named".to_owned())),
    };
    let (database, begun) = (database.trim(), Instant::now());
    let within = Duration::from_secs(arguments.timeout_s);
    // One more than is told, to know whether there are more.
    let limit = arguments.values_max + 1;
    let counted = match database.strip_prefix("sqlite:") {
        Some(path) => sqlite::count(path.as_ref(), &ask, within, limit)?,
        None => postgres::count(database, &ask, within, limit)?,
    };
    let answer = Answer::of(&ask, counted, arguments.threshold, arguments.values_max, begun.elapsed());
    let json = serde_json::to_string(&answer).map_err(|error| Fault::Database(error.to_string()))?;
    writeln!(std::io::stdout(), "{json}").map_err(|error| Fault::Settings(error.to_string()))
}
