//! What whoever runs the server asks it: is it alive, can it take work? Neither needs a token, and
//! neither tells more than yes or no.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use parlance_core::{Core, Ms};
use std::sync::Arc;
use tokio::sync::Mutex;

/// How long one look at the store answers for, in milliseconds: anybody may ask, and each look is a
/// write.
const FRESH: Ms = 1000;

#[derive(Clone)]
struct Probe {
    core: Core,
    last: Arc<Mutex<Option<(Ms, bool)>>>,
}

/// `/livez`: the process answers. `/readyz`: the store has just taken a write.
pub(crate) fn router(core: Core) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(Probe { core, last: Arc::default() })
}

async fn ready(State(probe): State<Probe>) -> (StatusCode, &'static str) {
    // Whoever asks while a look is taken waits for it, and shares it.
    let mut last = probe.last.lock().await;
    let now = probe.core.clock().now();
    let fresh = last.filter(|(at, _)| (0..FRESH).contains(&(now - at)));
    let ready = match fresh {
        Some((_, ready)) => ready,
        None => match probe.core.ready().await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, "not ready");
                false
            }
        },
    };
    if fresh.is_none() {
        *last = Some((now, ready));
    }
    if ready {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the store does not take writes\n")
    }
}
