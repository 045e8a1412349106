//! `parlance serve`: opens the store, makes the first administrator, listens, and stops in order:
//! on SIGTERM or Ctrl-C no new connection is taken, and requests that run have ten seconds.

use crate::config::{ServeConfig, StoreConfig};
use crate::{Failure, admin, ops, overrides};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use parlance_core::Core;
use parlance_http::Edge;
use std::net::SocketAddr;
use std::process::ExitCode;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing::Instrument as _;

/// How long requests may go on after the signal to stop, in milliseconds.
const GRACE: i64 = 10_000;
/// The longest request id taken from a proxy, in bytes.
const MAX_REQUEST_ID: usize = 64;

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Runs the command.
pub(crate) async fn run(store: &StoreConfig, config: &ServeConfig) -> Result<ExitCode, Failure> {
    let stop = signals()?;
    let core = store.open().await?;
    overrides::apply(&core, config.strict).await?;
    admin::ensure(&core, &store.data_dir).await?;
    let address = config.address();
    let fault = |error: std::io::Error| format!("cannot listen on {address}: {error}");
    let listener = TcpListener::bind(&address).await.map_err(fault)?;
    let local = listener.local_addr().map_err(fault)?;
    let edge = Edge::new(core.clone(), config.edge(local.port())?);
    let app = layered(&edge);
    tracing::info!(target: "parlance::told", "listening on http://{local}");
    let served = serve(listener, app, &core, stop).await;
    core.close().await;
    served?;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// The app with what only a listening server needs.
fn layered(edge: &Edge) -> Router {
    let core = edge.core().clone();
    parlance::app::app(edge)
        .merge(ops::router(core.clone()))
        .layer(from_fn_with_state(core, with_id))
}

async fn serve(
    listener: TcpListener,
    app: Router,
    core: &Core,
    mut stop: watch::Receiver<bool>,
) -> Result<(), Failure> {
    let mut late = stop.clone();
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let stopping = async move {
        // An error means that nobody can say stop any more, which is as good as having said it.
        let _ = stop.wait_for(|stop| *stop).await;
        tracing::info!("stopping: requests that run may finish");
    };
    let too_late = async move {
        let _ = late.wait_for(|stop| *stop).await;
        core.clock().sleep(GRACE).await;
    };
    tokio::select! {
        served = axum::serve(listener, app).with_graceful_shutdown(stopping) => {
            served.map_err(|error| error.to_string())
        }
        () = too_late => {
            tracing::warn!("some requests did not finish in time");
            Ok(())
        }
    }
}

/// Turns to true at the first signal to stop. Listens from the start, so that a signal that comes
/// while the store opens is not lost.
#[cfg(unix)]
fn signals() -> Result<watch::Receiver<bool>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let fault = |error: std::io::Error| format!("cannot wait for signals: {error}");
    let mut terminate = signal(SignalKind::terminate()).map_err(fault)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(fault)?;
    let (say, stop) = watch::channel(false);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        let _ = say.send(true);
    });
    Ok(stop)
}

#[cfg(not(unix))]
fn signals() -> Result<watch::Receiver<bool>, Failure> {
    let (say, stop) = watch::channel(false);
    tokio::spawn(async move {
        let _ = tokio::signal::ctrl_c().await;
        let _ = say.send(true);
    });
    Ok(stop)
}

/// Gives every request an id (a proxy's, if it sent a decent one), for the log and the answer. The
/// query is never logged: it may hold a token.
async fn with_id(State(core): State<Core>, mut request: Request, next: Next) -> Response {
    let sent = request.headers().get(&REQUEST_ID).filter(|id| is_decent(id)).cloned();
    let id = match sent {
        Some(id) => id,
        None => HeaderValue::try_from(core.new_id()).unwrap_or(HeaderValue::from_static("none")),
    };
    let text = id.to_str().unwrap_or("none").to_owned();
    request.headers_mut().insert(REQUEST_ID.clone(), id.clone());
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let span = tracing::info_span!("request", id = text);
    async move {
        let mut response = next.run(request).await;
        let status = response.status().as_u16();
        if status >= 500 {
            tracing::warn!(%method, path, status, "answered");
        } else {
            tracing::debug!(%method, path, status, "answered");
        }
        response.headers_mut().insert(REQUEST_ID.clone(), id);
        response
    }
    .instrument(span)
    .await
}

fn is_decent(id: &HeaderValue) -> bool {
    let bytes = id.as_bytes();
    let letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    (1..=MAX_REQUEST_ID).contains(&bytes.len()) && bytes.iter().all(letter)
}
