//! What a console shows first: how an org's nodes, tasks, jobs and operations fare, in numbers. Each part is a read
//! model of its own (`models`), counted by `count`; who asks is shown the parts that they may read (`show`).

mod count;
mod models;
pub(crate) mod routes;
mod show;

pub(crate) use models::Models;
