//! What whoever runs the server asks it: is it alive, can it take work? Neither needs a token, and
//! neither tells more than yes or no.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use parlance_core::Core;

/// `/livez`: the process answers. `/readyz`: the store has just taken a write.
pub(crate) fn router(core: Core) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(core)
}

async fn ready(State(core): State<Core>) -> (StatusCode, &'static str) {
    match core.ready().await {
        Ok(()) => (StatusCode::OK, "ok\n"),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            (
                StatusCode::SERVICE_UNAVAILABLE,
                "the store does not take writes\n",
            )
        }
    }
}
