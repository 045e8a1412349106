//! The whole server as one service: both faces over one core, and the page of a forgotten password.
//! Tests call this without a socket.

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse as _;
use parlance_http::{Edge, reset};

/// Both faces, and a JSON answer for paths under `/api` that neither has (ruling B8).
pub fn app(edge: &Edge) -> Router {
    Router::new()
        .merge(parlance_rocketchat::router(edge.clone()))
        .merge(parlance_meepachat::router(edge.clone()))
        .merge(reset::router(edge.clone()))
        .fallback(nothing_here)
}

async fn nothing_here() -> axum::response::Response {
    let body = r#"{"success":false,"error":"Not found","status":"error","message":"API endpoint does not exist"}"#;
    (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
