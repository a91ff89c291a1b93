//! What an engine says about how it would find the rows of a statement.

use sortie_store::{Store, StoreError};

use super::filled::{leaked, tables};

/// One way into one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Access {
    pub(super) table: String,
    pub(super) way: Way,
}

/// How rows of a table are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// By an index, from where its condition says.
    Index { name: String, condition: String },
    /// Along an index from its beginning, or from its end.
    WholeIndex { name: String },
    /// By its place, which is known.
    Place,
    /// Every row.
    Scan,
    /// Each row of one table is held against each row of another.
    Pairs,
}

/// How the engine would run a statement.
pub(super) async fn plan(store: &Store, sql: &str) -> Vec<Access> {
    if store.engine() == "postgres" { on_postgres(store, sql).await } else { on_sqlite(store, sql).await }
}

/// The lines of a plan. `columns` come before the text in each row, `before` is run first.
async fn lines(
    store: &Store,
    before: Option<String>,
    sql: String,
    columns: usize,
    after: Option<&'static str>,
) -> Vec<String> {
    let (before, sql): (Option<&'static str>, &'static str) = (before.map(leaked), leaked(sql));
    let asked = store.write(move |tx| {
        Box::pin(async move {
            if let Some(before) = before {
                tx.execute(before, &[]).await?;
            }
            let mut lines = Vec::new();
            for row in tx.query(sql, &[]).await? {
                let mut row = row.columns("plan");
                for _ in 0..columns {
                    row.int("place")?;
                }
                lines.push(row.text("line")?);
            }
            if let Some(after) = after {
                tx.execute(after, &[]).await?;
            }
            Ok::<_, StoreError>(lines)
        })
    });
    asked.await.unwrap_or_else(|why| panic!("{sql}: {why}"))
}

/// How lines of a plan begin that read a table, and not what another line gave.
const READS_A_TABLE: [&str; 5] = ["Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan", "Tid"];

/// The plan that PostgreSQL keeps for a prepared statement whatever its values.
async fn on_postgres(store: &Store, sql: &str) -> Vec<Access> {
    let values = vec!["null"; parameters(sql)].join(", ");
    let values = if values.is_empty() { values } else { format!("({values})") };
    let prepare = format!("prepare looked_at as {sql}");
    let explain = format!("explain (costs off) execute looked_at{values}");
    let lines = lines(store, Some(prepare), explain, 0, Some("deallocate looked_at")).await;
    let mut found: Vec<Access> = Vec::new();
    // A bitmap of an index comes after the table that it is for, and a condition after its index.
    for line in &lines {
        let line = line.trim().trim_start_matches("->").trim();
        if let Some(rest) = line.strip_prefix("Bitmap Index Scan on ") {
            if let Some(access) = found.last_mut() {
                access.way = Way::WholeIndex { name: word(rest) };
            }
        } else if let Some(condition) = line.strip_prefix("Index Cond: ") {
            if let Some(Access { way, .. }) = found.last_mut()
                && let Way::WholeIndex { name } = way
            {
                *way = Way::Index { name: name.clone(), condition: condition.to_owned() };
            }
        } else if line.starts_with("TID Cond: ") {
            if let Some(access) = found.last_mut() {
                access.way = Way::Place;
            }
        } else if let Some(condition) = line.strip_prefix("Join Filter: ")
            && condition.contains("given.p")
        {
            found.push(Access { table: condition.to_owned(), way: Way::Pairs });
        } else if let Some((how, rest)) = line.split_once(" on ")
            && READS_A_TABLE.iter().any(|begin| how.starts_with(begin))
        {
            let way = match how.split_once(" using ") {
                Some((_, index)) => Way::WholeIndex { name: word(index) },
                None => Way::Scan,
            };
            found.push(Access { table: word(rest), way });
        }
    }
    found
}

/// SQLite says `SEARCH tasks USING INDEX tasks_queue (node=?)`, or `SCAN tasks`.
async fn on_sqlite(store: &Store, sql: &str) -> Vec<Access> {
    let lines = lines(store, None, format!("explain query plan {sql}"), 3, None).await;
    let mut found = Vec::new();
    for line in &lines {
        let (searches, rest) = match (line.strip_prefix("SEARCH "), line.strip_prefix("SCAN ")) {
            (Some(rest), _) => (true, rest),
            (_, Some(rest)) => (false, rest),
            _ => continue,
        };
        // What a statement has put together itself is as small as it has made it.
        if ["counted", "found"].contains(&word(rest).as_str()) {
            continue;
        }
        if rest.starts_with(['(', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']) || rest.starts_with("CONSTANT") {
            continue;
        }
        let condition = rest.split_once('(').map_or(String::new(), |(_, inside)| format!("({inside}"));
        let index = rest.split_once(" INDEX ").map(|(_, name)| word(name));
        let primary = rest.contains("USING PRIMARY KEY") || rest.contains("USING INTEGER PRIMARY KEY");
        let name = index.or_else(|| primary.then(|| "primary key".to_owned()));
        let way = match (searches, name) {
            (true, Some(name)) => Way::Index { name, condition },
            (false, Some(name)) => Way::WholeIndex { name },
            // A first or a last row, looked for at the end of the table itself.
            (true, None) => Way::Index { name: "rowid".to_owned(), condition },
            (false, None) => Way::Scan,
        };
        found.push(Access { table: table_of(sql, &word(rest)), way });
    }
    found
}

/// The table for which a name stands in a statement: the word before it, if that is one.
fn table_of(sql: &str, name: &str) -> String {
    let words: Vec<&str> = sql.split_whitespace().map(|word| word.trim_matches(['(', ')', ','])).collect();
    let named = words.windows(2).find(|pair| pair[1] == name && tables().any(|table| table == pair[0]));
    named.map_or(name, |pair| pair[0]).to_owned()
}

fn word(text: &str) -> String {
    text.split_whitespace().next().unwrap_or_default().to_owned()
}

/// How many parameters a statement has.
fn parameters(sql: &str) -> usize {
    let numbers = sql.split('$').skip(1).filter_map(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<usize>().ok()
    });
    numbers.max().unwrap_or(0)
}
