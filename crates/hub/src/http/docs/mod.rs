//! `/api/docs`: the OpenAPI document to read and to try, as a small page of our own.

mod page;

pub(crate) use page::add;
