//! What whoever runs the server asks it: is it alive, can it take work, how is it doing? None of it needs
//! a token, and none tells more than it must: yes or no where everybody may ask, and the numbers on a
//! listener of their own.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use parlance_core::{Core, Ms};
use parlance_http::metrics::Metrics;
use std::sync::Arc;
use tokio::sync::Mutex;

/// How long one look at the store answers for, in milliseconds: anybody may ask, and each look is a
/// write.
const FRESH: Ms = 1000;
/// What Prometheus wants to be told of the text.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Clone)]
struct Probe {
    core: Core,
    last: Arc<Mutex<Option<(Ms, bool)>>>,
}

/// `/livez`, `/healthz`: the process answers. `/readyz`: the schema is up to date and the store has
/// just taken a write. `/api/health`: the same as JSON.
pub(crate) fn router(core: Core) -> Router {
    Router::new()
        .route("/livez", get(|| async { "ok\n" }))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/api/health", get(health))
        .with_state(Probe { core, last: Arc::default() })
}

impl Probe {
    /// Does the store take writes? It is listened on only once its schema is up to date.
    async fn ready(&self) -> bool {
        // Whoever asks while a look is taken waits for it, and shares it.
        let mut last = self.last.lock().await;
        let now = self.core.clock().now();
        if let Some((_, ready)) = last.filter(|(at, _)| (0..FRESH).contains(&(now - at))) {
            return ready;
        }
        let looked = self.core.ready().await;
        if let Err(error) = &looked {
            tracing::warn!(%error, "not ready");
        }
        // From now: a look at a store that is stuck takes a while.
        *last = Some((self.core.clock().now(), looked.is_ok()));
        looked.is_ok()
    }
}

async fn ready(State(probe): State<Probe>) -> (StatusCode, &'static str) {
    if probe.ready().await {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the store does not take writes\n")
    }
}

async fn health(State(probe): State<Probe>) -> Response {
    let (status, body) = if probe.ready().await {
        (StatusCode::OK, r#"{"status":"ok"}"#)
    } else {
        let body = r#"{"status":"unavailable","reason":"the store does not take writes"}"#;
        (StatusCode::SERVICE_UNAVAILABLE, body)
    };
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, body).into_response()
}

/// `/metrics`, for a listener that strangers do not reach.
pub(crate) fn metrics(core: Core, metrics: Arc<Metrics>) -> Router {
    Router::new().route("/metrics", get(numbers)).with_state((core, metrics))
}

async fn numbers(State((core, metrics)): State<(Core, Arc<Metrics>)>) -> Response {
    let vitals = core.vitals().await.inspect_err(|error| {
        tracing::warn!(%error, "the store's numbers are missing");
    });
    // A store that is away is no reason not to tell of the requests that it fails.
    match metrics.text(&vitals.unwrap_or_default(), memory()) {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be written");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// Resident memory of this process in bytes, where the system says it.
fn memory() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}
