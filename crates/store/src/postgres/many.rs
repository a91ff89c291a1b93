//! Many rows of values in one statement.

use std::borrow::Cow;

use deadpool_postgres::Object;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Error, Statement};

use crate::dialect::keepable;
use crate::errors::StoreError;
use crate::set_form::ColumnType;
use crate::value::Value;

/// A statement in its set form, prepared.
pub(super) struct Many {
    pub(super) statement: Statement,
    types: Vec<ColumnType>,
}

/// One parameter of all rows.
pub(super) type Column<'a> = Box<dyn ToSql + Sync + Send + 'a>;

impl Many {
    /// The set form of a statement; nothing if it has none.
    pub(super) async fn prepare(
        connection: &Object,
        sql: &'static str,
        form: fn(&str, &[ColumnType]) -> Option<String>,
    ) -> Result<Option<Many>, Error> {
        let one = connection.prepare_cached(sql).await?;
        let types: Option<Vec<ColumnType>> = one.params().iter().map(column_type).collect();
        let Some((types, text)) = types.and_then(|types| form(sql, &types).map(|text| (types, text))) else {
            return Ok(None);
        };
        tracing::trace!(target: "sortie_store::sql", engine = "postgres", sql = text.as_str());
        let statement = connection.prepare_cached(&text).await?;
        Ok(Some(Many { statement, types }))
    }

    /// The values of the rows, column by column.
    pub(super) fn columns<'a, 'v: 'a, R: AsRef<[Value<'v>]>>(
        &self,
        rows: &'a [R],
    ) -> Result<Vec<Column<'a>>, StoreError> {
        self.types.iter().enumerate().map(|(at, kind)| column(*kind, rows, at)).collect()
    }
}

/// As the driver takes them.
pub(super) fn borrowed<'c>(columns: &'c [Column<'_>]) -> Vec<&'c (dyn ToSql + Sync)> {
    columns.iter().map(|column| &**column as &(dyn ToSql + Sync)).collect()
}

fn column_type(kind: &Type) -> Option<ColumnType> {
    match *kind {
        Type::INT8 => Some(ColumnType::Int),
        Type::TEXT => Some(ColumnType::Text),
        Type::BYTEA => Some(ColumnType::Bytes),
        _ => None,
    }
}

fn column<'a, 'v: 'a, R: AsRef<[Value<'v>]>>(
    kind: ColumnType,
    rows: &'a [R],
    at: usize,
) -> Result<Column<'a>, StoreError> {
    let values = rows.iter().map(|row| row.as_ref().get(at).copied().unwrap_or(Value::Null));
    let unfit = |value: Value<'_>| StoreError::Bug { why: format!("{value:?} does not fit a column of {kind:?}") };
    Ok(match kind {
        ColumnType::Int => Box::new(
            values
                .map(|value| match value {
                    Value::Null => Ok(None),
                    Value::Int(number) => Ok(Some(number)),
                    other => Err(unfit(other)),
                })
                .collect::<Result<Vec<Option<i64>>, _>>()?,
        ),
        ColumnType::Text => Box::new(
            values
                .map(|value| match value {
                    Value::Null => Ok(None),
                    Value::Text(text) => Ok(Some(keepable(text))),
                    Value::Id(id) => Ok(Some(id.to_string().into())),
                    other => Err(unfit(other)),
                })
                .collect::<Result<Vec<Option<Cow<'a, str>>>, _>>()?,
        ),
        ColumnType::Bytes => Box::new(
            values
                .map(|value| match value {
                    Value::Null => Ok(None),
                    Value::Bytes(bytes) => Ok(Some(bytes)),
                    other => Err(unfit(other)),
                })
                .collect::<Result<Vec<Option<&'a [u8]>>, _>>()?,
        ),
    })
}
