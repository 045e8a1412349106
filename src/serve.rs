//! `parlance serve`: opens the store, makes the first administrator, listens, and stops in order:
//! on SIGTERM or Ctrl-C no new connection is taken, and requests that run have ten seconds.

use crate::config::source::Sources;
use crate::config::{METRICS_ADDR, ServeConfig, StoreConfig};
use crate::control::Control;
use crate::{Failure, admin, ops, overrides};
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use parlance_core::Core;
use parlance_core::time::Stopwatch;
use parlance_http::Edge;
use parlance_http::metrics::Metrics;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinHandle;
use tower::ServiceExt as _;
use tracing::Instrument as _;

/// How long a client may take for the head of a request, and be silent between two.
const HEAD_TIME: Duration = Duration::from_mins(1);
/// How long a client may leave what was sent to it unread. An answer that is read slowly is made
/// slowly, and a client that reads nothing would keep its place for ever.
const UNREAD_TIME: Duration = Duration::from_mins(2);
/// Connections at the same time; more wait to be taken.
const MOST_CONNECTIONS: usize = 16_384;
/// The same for those who read metrics.
const MOST_WATCHERS: usize = 16;
/// How long requests may go on after the signal to stop, in milliseconds.
const GRACE: i64 = 10_000;
/// The longest request id taken from a proxy, in bytes.
const MAX_REQUEST_ID: usize = 64;

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Runs the command.
pub(crate) async fn run(
    store: &StoreConfig,
    config: &ServeConfig,
    sources: &Sources,
) -> Result<ExitCode, Failure> {
    let stop = signals()?;
    for why in &sources.warnings {
        if config.strict {
            return Err(why.clone());
        }
        tracing::warn!("{why}");
    }
    let core = store.open().await?;
    let served = prepared(&core, store, config, sources, stop).await;
    core.close().await;
    served?;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Makes what the operator wants to be there, and serves until it is time to stop.
async fn prepared(
    core: &Core,
    store: &StoreConfig,
    config: &ServeConfig,
    sources: &Sources,
    stop: watch::Receiver<bool>,
) -> Result<(), Failure> {
    if let Some(url) = config.public_url()? {
        overrides::site_url(core, &url).await?;
    }
    overrides::apply(core, sources, config.strict).await?;
    admin::ensure(core, &config.admin, sources, &store.data_dir).await?;
    let metrics = Arc::new(Metrics::new(core.clock().now() / 1000));
    let watched = watch_here(&config.metrics_addr, core, &metrics).await?;
    let (listener, local) = bind(&config.address.http_addr).await?;
    let options = config.edge(local.port())?;
    allow_files(options.most_sockets);
    let edge = Edge::new(core.clone(), options);
    let app = layered(&edge, &metrics);
    let commands = commanded(store, core)?;
    tracing::info!(target: "parlance::told", "listening on http://{local}");
    let served = serve(listener, app, &edge, &metrics, stop).await;
    for task in watched.into_iter().chain(commands) {
        // What they do is whole or not at all, and a socket that waits would wait for ever.
        task.abort();
        let _ = task.await;
    }
    served
}

/// Has the system allow as many open files as there may be sockets and connections, as far as it does.
fn allow_files(sockets: usize) {
    /// What else is open: the store, its readers, the log.
    const OTHERS: usize = 256;
    let wanted = (sockets + MOST_CONNECTIONS + OTHERS) as u64;
    match rlimit::increase_nofile_limit(wanted) {
        Ok(allowed) if allowed < wanted => {
            tracing::info!(
                allowed,
                wanted,
                "open files are limited by the system, and sockets by that"
            );
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the limit of open files stays as it is"),
    }
}

async fn bind(address: &str) -> Result<(TcpListener, SocketAddr), Failure> {
    let fault = |error: std::io::Error| format!("cannot listen on {address}: {error}");
    let listener = TcpListener::bind(address).await.map_err(fault)?;
    let local = listener.local_addr().map_err(fault)?;
    Ok((listener, local))
}

/// Listens for Prometheus. That the default is taken, by another server of this machine perhaps, is no
/// reason not to start.
async fn watch_here(
    address: &str,
    core: &Core,
    metrics: &Arc<Metrics>,
) -> Result<Option<JoinHandle<()>>, Failure> {
    if address.is_empty() {
        return Ok(None);
    }
    let (listener, local) = match bind(address).await {
        Ok(bound) => bound,
        Err(why) if address == METRICS_ADDR => {
            tracing::warn!("there are no metrics: {why}; --metrics-addr names another place");
            return Ok(None);
        }
        Err(why) => return Err(why),
    };
    tracing::info!(target: "parlance::told", "metrics on http://{local}/metrics");
    let (app, core) = (ops::metrics(core.clone(), metrics.clone()), core.clone());
    Ok(Some(tokio::spawn(async move {
        let places = Arc::new(Semaphore::new(MOST_WATCHERS));
        // Whoever watches is not waited for.
        let (_never, stop) = watch::channel(false);
        loop {
            match accept(&listener, &places).await {
                Ok((stream, peer, place)) => {
                    let connection = converse(stream, peer, app.clone(), stop.clone());
                    tokio::spawn(async move {
                        connection.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    core.clock().sleep(100).await;
                }
            }
        }
    })))
}

/// Listens to the operator's commands, where the store is only this process's.
fn commanded(store: &StoreConfig, core: &Core) -> Result<Option<JoinHandle<()>>, Failure> {
    let Some(path) = store.database()?.socket() else {
        return Ok(None);
    };
    match Control::listen(path) {
        Ok(control) => Ok(Some(tokio::spawn(control.serve(core.clone())))),
        // The path of a socket may not be long.
        Err(error) => {
            tracing::warn!(%error, "commands of the shell need the server to be stopped");
            Ok(None)
        }
    }
}

/// The app with what only a listening server needs.
fn layered(edge: &Edge, metrics: &Arc<Metrics>) -> Router {
    let core = edge.core().clone();
    let watched = (core.clone(), metrics.clone());
    parlance::app::app(edge).merge(ops::router(core)).layer(from_fn_with_state(watched, with_id))
}

/// Takes connections until it is time to stop, then lets those that are open finish.
async fn serve(
    listener: TcpListener,
    app: Router,
    edge: &Edge,
    metrics: &Metrics,
    mut stop: watch::Receiver<bool>,
) -> Result<(), Failure> {
    let core = edge.core();
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            // An error means that nobody can say stop any more, which is as good as having said it.
            _ = stop.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, peer, place)) => {
                let connection = converse(stream, peer, app.clone(), edge.stopping());
                let connected = metrics.connected();
                tokio::spawn(async move {
                    connection.await;
                    drop((place, connected));
                });
            }
            // Out of file handles, for instance: it may get better.
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                core.clock().sleep(100).await;
            }
        }
    }
    tracing::info!("stopping: requests that run may finish");
    drop(listener);
    let all = u32::try_from(MOST_CONNECTIONS).unwrap_or(u32::MAX);
    tokio::select! {
        _ = futures_util::future::join(edge.stop(), places.acquire_many(all)) => {}
        () = core.clock().sleep(GRACE) => {
            tracing::warn!("some requests did not finish in time");
        }
    }
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.map_err(std::io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    stream.set_nodelay(true)?;
    #[cfg(target_os = "linux")]
    socket2::SockRef::from(&stream).set_tcp_user_timeout(Some(UNREAD_TIME))?;
    Ok((stream, peer, place))
}

/// Serves a connection of this peer's until it ends, or until it is time to stop and its request is
/// answered. Whoever does not send the head of a request in time is let go, so that silent clients cannot
/// keep the places of others.
async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    app: Router,
    mut stop: watch::Receiver<bool>,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        app.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    // A connection that breaks concerns nobody but its client.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stop.wait_for(|stop| *stop) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
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

/// Gives every request an id (a proxy's, if it sent a decent one), for the log and the answer, and
/// counts it. The query is never logged: it may hold a token.
async fn with_id(
    State((core, metrics)): State<(Core, Arc<Metrics>)>,
    mut request: Request<Body>,
    next: Next,
) -> Response {
    let watch = Stopwatch::start();
    let sent = request.headers().get(&REQUEST_ID).filter(|id| is_decent(id)).cloned();
    let id = match sent {
        Some(id) => id,
        None => HeaderValue::try_from(core.new_id()).unwrap_or(HeaderValue::from_static("none")),
    };
    let text = id.to_str().unwrap_or("none").to_owned();
    request.headers_mut().insert(REQUEST_ID.clone(), id.clone());
    let (method, path) = (request.method().clone(), shown(request.uri().path()).to_owned());
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
        metrics.answered(&response, watch.seconds());
        response
    }
    .instrument(span)
    .await
}

/// A path as it may stand in the log: without the token of a link that was sent by mail.
fn shown(path: &str) -> &str {
    const LINK: &str = "/reset-password/";
    if path.starts_with(LINK) { LINK } else { path }
}

fn is_decent(id: &HeaderValue) -> bool {
    let bytes = id.as_bytes();
    let letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    (1..=MAX_REQUEST_ID).contains(&bytes.len()) && bytes.iter().all(letter)
}
