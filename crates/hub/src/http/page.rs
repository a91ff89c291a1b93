//! Pages: how many rows, and where the next ones begin.

use serde::Deserialize;
use sortie_rules::limits::{PAGE_DEFAULT, PAGE_MAX};
use sortie_wire::pages::Page;
use sortie_wire::problem::ProblemCode;
use utoipa::ToSchema;

use crate::fault::{Fault, refuse};

/// The query of a list that is not narrowed.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageQuery<C: ToSchema> {
    /// The `next` of the page before.
    pub(crate) after: Option<C>,
    /// Rows in the page, at most 1,000; 100 if absent.
    pub(crate) limit: Option<u32>,
}

/// How many rows a page shall have. One more is read than is shown, to know whether more follow.
pub(crate) fn page_size(asked: Option<u32>) -> Result<u32, Fault> {
    match asked.unwrap_or(PAGE_DEFAULT) {
        size @ 1..=PAGE_MAX => Ok(size),
        _ => Err(refuse(ProblemCode::MalformedParameter, format!("limit must be from 1 to {PAGE_MAX}."))),
    }
}

/// Makes a page of rows of which one more than `size` was asked for.
pub(crate) fn page<R, T>(mut rows: Vec<R>, size: u32, cursor: impl Fn(&R) -> String, show: impl Fn(R) -> T) -> Page<T> {
    let size = size as usize;
    let more = rows.len() > size;
    rows.truncate(size);
    let next = more.then(|| rows.last().map(cursor)).flatten();
    Page { items: rows.into_iter().map(show).collect(), next }
}
