//! placeholder

/// The routes of this contract.
pub fn router(edge: parlance_http::Edge) -> axum::Router {
    axum::Router::new().with_state(edge)
}
