//! The OpenAPI documents, made from the handlers themselves, and the list of who may call what.
//! All three are committed under `openapi/`; drift fails a test.

use std::sync::OnceLock;

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use sortie_rules::access::{Need, Role};
use sortie_rules::audit::Action;
use sortie_wire::problem::Problem;
use utoipa::openapi::{Components, ContentBuilder, InfoBuilder, OpenApi, RefOr, ResponseBuilder};
use utoipa::{PartialSchema as _, ToSchema};
use utoipa_axum::routes;

use super::router::{Audience, Declared, Routes};

/// What the hub says of itself.
#[derive(Debug, Clone)]
pub struct Documents {
    /// `openapi/people.json`: for people and programs.
    pub people: String,
    /// `openapi/agent.json`: for agents.
    pub agents: String,
    /// `openapi/access.txt`: each route, what it needs, who has that, and what it does as the audit log calls it.
    pub access: String,
}

impl Documents {
    /// Describes this build of the hub.
    pub fn describe() -> Documents {
        Routes::describe()
    }

    pub(crate) fn new(people: OpenApi, agents: OpenApi, access: &[Declared]) -> Documents {
        let lines = access.iter().map(|Declared { method, path, need, action }| {
            let roles: Vec<&str> = Role::ALL
                .into_iter()
                .filter(|role| matches!(need, Need::May(_)) && need.met_by(role.permissions()))
                .map(Role::as_str)
                .collect();
            let roles = if roles.is_empty() { "-".to_owned() } else { roles.join(",") };
            let action = action.map_or("-", Action::as_str);
            format!("{:<15} {method:<6} {path:<50} {roles:<35} {action}\n", need.as_str())
        });
        Documents {
            people: finish(people, "Sortie: people and programs", "What people and programs may ask of the hub."),
            agents: finish(
                agents,
                "Sortie: agents",
                "What agents ask of the hub. Proof: the node's certificate (mTLS).",
            ),
            access: lines.collect(),
        }
    }
}

fn finish(mut document: OpenApi, title: &str, description: &str) -> String {
    document.info =
        InfoBuilder::new().title(title).version(env!("CARGO_PKG_VERSION")).description(Some(description)).build();
    let components = document.components.get_or_insert_with(Components::new);
    let mut schemas = vec![(Problem::name().into_owned(), Problem::schema())];
    Problem::schemas(&mut schemas);
    components.schemas.extend(schemas);
    let problem = ResponseBuilder::new()
        .description("Refused or failed: a problem (RFC 9457) with a stable `code`.")
        .content(
            sortie_wire::problem::MEDIA_TYPE,
            ContentBuilder::new().schema(Some(utoipa::openapi::Ref::from_schema_name(Problem::name()))).build(),
        )
        .build();
    for item in document.paths.paths.values_mut() {
        let methods = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in methods.into_iter().flatten() {
            operation.responses.responses.insert("default".to_owned(), RefOr::T(problem.clone()));
        }
    }
    document.to_pretty_json().unwrap_or_default() + "\n"
}

/// Adds the document's own address.
pub(crate) fn add(routes: Routes) -> Routes {
    routes.add(Audience::People, Need::Nobody, routes!(openapi))
}

/// This document.
#[utoipa::path(
    get, path = "/api/openapi.json",
    responses((status = 200, description = "The OpenAPI document", body = Object)),
)]
async fn openapi() -> impl IntoResponse {
    static TEXT: OnceLock<String> = OnceLock::new();
    let text = TEXT.get_or_init(|| Documents::describe().people);
    ([(CONTENT_TYPE, "application/json")], text.as_str())
}
