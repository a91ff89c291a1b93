//! What can go wrong, as far as a caller may decide on it.

/// Why a read or a write did not happen. Nothing of a write that failed is kept, unless it failed with
/// [`StoreError::Unknown`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database is away, busy beyond its time limit, or its disk fails. Worth another try.
    #[error("the database cannot be reached: {why}")]
    Unavailable {
        /// What the engine said.
        why: String,
    },
    /// The database was asked to keep the write and never said whether it did. Look before it is tried again,
    /// or try again only what cannot be done twice.
    #[error("it is not known whether the database has kept this: {why}")]
    Unknown {
        /// How the line was lost.
        why: String,
    },
    /// The disk that the database lies on is full.
    #[error("the database's disk is full: {why}")]
    Full {
        /// What the engine said.
        why: String,
    },
    /// A row with this key stands already.
    #[error("such a row exists already ({constraint})")]
    Unique {
        /// Which key: one of the names that the table modules give, such as
        /// [`nodes::NAME_TAKEN`](crate::nodes::NAME_TAKEN).
        constraint: &'static str,
    },
    /// The schema refuses the row: a wrong state, or a reference to something that is not there.
    #[error("the schema refuses the row: {constraint}")]
    Constraint {
        /// The check's name; `foreign key` where the engine does not say which.
        constraint: String,
    },
    /// A stored row cannot be read back as what it should be.
    #[error("a row of `{table}` cannot be read: its `{column}` {why}")]
    Corrupt {
        /// The table it is in.
        table: &'static str,
        /// The column that does not fit.
        column: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// The program is at fault: SQL that the engine cannot take, or a verb that panicked.
    #[error("a bug in the program: {why}")]
    Bug {
        /// What was seen.
        why: String,
    },
}

impl StoreError {
    /// Whether the error says that the key named `constraint` is taken.
    pub fn is_taken(&self, constraint: &str) -> bool {
        matches!(self, StoreError::Unique { constraint: taken } if *taken == constraint)
    }
}

/// Why the store could not be opened, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The location cannot be understood.
    #[error("the database's address cannot be used: {why}. It looks like postgres://user:password@host:5432/name")]
    Location {
        /// What is wrong with it.
        why: String,
    },
    /// The database cannot be reached or opened.
    #[error("{what} cannot be opened: {why}. Check that it exists and that this user may read and write it")]
    Unreachable {
        /// The file, or the server's address without its password.
        what: String,
        /// What the engine said.
        why: String,
    },
    /// A newer program has changed the schema beyond what this one understands.
    #[error(
        "the database has schema {database_schema}, which needs a program that knows at least schema \
         {oldest_program}; this one knows {program_schema}. Start the newer version of sortie, or restore the backup \
         that was made before the upgrade"
    )]
    DatabaseNewer {
        /// The newest migration in the database.
        database_schema: i64,
        /// The newest migration that this program knows.
        program_schema: i64,
        /// The oldest schema that a program must know to use this database.
        oldest_program: i64,
    },
    /// A migration failed. The database stands as it was before it.
    #[error("migration {version} ({name}) failed and was undone: {why}. Keep the database as it is and report this")]
    Migration {
        /// Its number.
        version: i64,
        /// Its name.
        name: &'static str,
        /// What the engine said.
        why: StoreError,
    },
    /// There is a database, and nothing of a hub in it.
    #[error("there is no store of a hub there. Name the data folder of a hub, or the database that its settings name")]
    NoStore,
    /// What should be empty is not.
    #[error("{what} is not empty: {found}. Name an empty one; nothing was changed")]
    NotEmpty {
        /// The file, or the server's address without its password.
        what: String,
        /// What is there.
        found: String,
    },
    /// A hub uses it.
    #[error("{what} is in use: {others} more connections of sortie are open to it. Stop every hub on it first")]
    InUse {
        /// The server's address without its password.
        what: String,
        /// How many.
        others: i64,
    },
    /// The certificates to check a PostgreSQL server with cannot be read.
    #[error("the certificates for the database's TLS cannot be used: {why}. Name a PEM file with sslrootcert=FILE")]
    Certificates {
        /// What is wrong with them.
        why: String,
    },
}

/// The error for a verb that panicked, with the words it left.
pub(crate) fn panicked(panic: &(dyn std::any::Any + Send)) -> StoreError {
    let words = panic.downcast_ref::<&str>().copied();
    let words = words.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without words");
    StoreError::Bug { why: format!("a verb panicked: {words}") }
}
