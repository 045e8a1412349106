//! The `MeepaChat` contract: `/api/auth`, `/api/dms` and `/api/users`, as JSON over HTTP.
//! A face translates and decides nothing: a handler reads its arguments, asks the core, and writes
//! what it got. Every answer is `{"data": …}` or `{"error": "text"}`, wrong methods included; paths
//! that no face has are the application's. Same-origin only: the cookie makes that necessary (B7).

mod account;
mod answer;
mod auth;
mod dms;
mod error;
mod input;
mod messages;
mod page;
mod people;
mod rate;
mod users;
mod wire;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post};
use parlance_http::Edge;
use parlance_http::metrics::RouteName;
use std::borrow::Cow;

/// The routes of this contract.
pub fn router(edge: Edge) -> Router {
    Router::new()
        .route("/api/auth/config", get(account::config))
        .route("/api/auth/register", post(account::register))
        .route("/api/auth/login", post(account::login))
        .route("/api/auth/logout", post(account::logout))
        .route("/api/auth/me", get(account::me))
        .route("/api/auth/get-session", get(account::session))
        .route("/api/dms", get(dms::list).post(dms::open))
        .route("/api/dms/{channel}/messages", get(messages::list).post(messages::send))
        .route("/api/users", get(users::search))
        .route("/api/users/{user}", get(users::one))
        .method_not_allowed_fallback(error::wrong_method)
        .layer(from_fn_with_state(edge.clone(), rate::limited))
        .layer(from_fn(named))
        .with_state(edge)
}

/// Leaves the name of the route with its answer, for those who count.
async fn named(request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>();
    let route = path.map(|path| Cow::Owned(path.as_str().to_owned()));
    let mut response = next.run(request).await;
    if let Some(route) = route {
        response.extensions_mut().insert(RouteName { face: "meepachat", route });
    }
    response
}
