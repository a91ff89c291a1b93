//! The table of routes: each is registered with its handler, its place in the documents and the
//! need that it declares. There is no other way in.

use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::Router;
use sortie_rules::access::Need;
use sortie_rules::audit::Action;
use sortie_wire::problem::ProblemCode;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter, UtoipaMethodRouterExt as _};

use super::documents;
use super::frame::{Correlation, frame};
use super::guard::{Guarded, guard};
use crate::app::Shared;
use crate::fault::{Fault, refuse};

/// For whom a route is; each audience has its own document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Agents.
    Agents,
    /// People and programs.
    People,
}

/// Routes under construction.
pub(crate) struct Routes {
    app: Option<Shared>,
    agents: OpenApiRouter<Shared>,
    people: OpenApiRouter<Shared>,
    /// Each route, for the committed list.
    pub(crate) access: Vec<Declared>,
}

/// A route as the committed list has it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Declared {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) need: Need,
    pub(crate) action: Option<Action>,
}

impl Routes {
    /// No routes yet. Without an app the routes can be described but not served.
    fn new(app: Option<Shared>) -> Routes {
        Routes { app, agents: OpenApiRouter::new(), people: OpenApiRouter::new(), access: Vec::new() }
    }

    /// Adds routes (as `routes!` makes them) that change nothing, or nothing that anybody answers for, with the
    /// need that they declare.
    pub(crate) fn add(self, audience: Audience, need: Need, routes: UtoipaMethodRouter<Shared>) -> Routes {
        self.declare(audience, need, None, routes)
    }

    /// Adds routes by which somebody does something: their verb writes an `audit::Act`.
    pub(crate) fn does(
        self,
        audience: Audience,
        need: Need,
        action: Action,
        routes: UtoipaMethodRouter<Shared>,
    ) -> Routes {
        self.declare(audience, need, Some(action), routes)
    }

    fn declare(
        mut self,
        audience: Audience,
        need: Need,
        action: Option<Action>,
        routes: UtoipaMethodRouter<Shared>,
    ) -> Routes {
        for (path, item) in &routes.1.paths {
            for (method, operation) in [
                ("GET", &item.get),
                ("POST", &item.post),
                ("PUT", &item.put),
                ("PATCH", &item.patch),
                ("DELETE", &item.delete),
            ] {
                if operation.is_some() {
                    self.access.push(Declared { method, path: path.clone(), need, action });
                }
            }
        }
        let routes = match &self.app {
            Some(app) => routes.layer(from_fn_with_state(Guarded { app: app.clone(), need, action }, guard)),
            None => routes,
        };
        match audience {
            Audience::Agents => self.agents = self.agents.routes(routes),
            Audience::People => self.people = self.people.routes(routes),
        }
        self
    }

    /// The two documents and the list of routes.
    pub(crate) fn describe() -> documents::Documents {
        let mut routes = all(Routes::new(None));
        routes.access.sort();
        documents::Documents::new(routes.people.into_openapi(), routes.agents.into_openapi(), &routes.access)
    }
}

/// Every route of the hub. A new noun is added here and nowhere else.
fn all(routes: Routes) -> Routes {
    let routes = crate::enrollment::routes::add(routes);
    let routes = crate::keys::routes::add(routes);
    let routes = crate::tasks::agent_routes::add(routes);
    let routes = crate::tasks::routes::add(routes);
    let routes = crate::jobs::routes::add(routes);
    let routes = crate::desired::routes::add(routes);
    let routes = crate::desired::agent_routes::add(routes);
    let routes = crate::secrets::routes::add(routes);
    let routes = crate::reports::routes::add(routes);
    let routes = crate::operations::routes::add(routes);
    let routes = crate::operators::routes::add(routes);
    let routes = crate::nodes::routes::add(routes);
    let routes = crate::people::routes::add(routes);
    let routes = crate::org_settings::routes::add(routes);
    let routes = crate::alarms::routes::add(routes);
    let routes = crate::notifications::routes::add(routes);
    let routes = crate::maintenance::routes::add(routes);
    let routes = crate::history::routes::add(routes);
    let routes = crate::backups::routes::add(routes);
    let routes = crate::people::provider::routes::add(routes);
    let routes = crate::people::provider::code_routes::add(routes);
    let routes = crate::orgs::routes::add(routes);
    let routes = crate::accounts::routes::add(routes);
    let routes = crate::sessions::routes::add(routes);
    let routes = crate::audit::routes::add(routes);
    let routes = crate::events::routes::add(routes);
    let routes = crate::summary::routes::add(routes);
    let routes = crate::logs::routes::add(routes);
    let routes = crate::refusals::routes::add(routes);
    let routes = crate::post_steps::routes::add(routes);
    let routes = crate::trust_api::routes::add(routes);
    documents::add(super::docs::add(routes))
}

/// The whole router, ready to serve.
pub(crate) fn routes_of(app: &Shared) -> Router {
    let Routes { agents, people, .. } = all(Routes::new(Some(app.clone())));
    let (agents, _) = agents.split_for_parts();
    let (people, _) = people.split_for_parts();
    agents
        .merge(people)
        .fallback(unknown_route)
        .method_not_allowed_fallback(unknown_method)
        // Each body has its own limit, enforced by its extractor.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state((Correlation::new(&app.entropy), app.clone()), frame))
        .with_state(app.clone())
}

async fn unknown_route(uri: axum::http::Uri) -> Fault {
    unknown_address(&uri)
}

/// What is answered where there is nothing.
pub(super) fn unknown_address(uri: &axum::http::Uri) -> Fault {
    refuse(
        ProblemCode::UnknownRoute,
        format!("There is nothing at {}; the addresses are listed at /api/openapi.json.", uri.path()),
    )
}

async fn unknown_method(method: axum::http::Method, uri: axum::http::Uri) -> Fault {
    refuse(ProblemCode::MethodNotAllowed, format!("{} does not take {method}.", uri.path()))
}
