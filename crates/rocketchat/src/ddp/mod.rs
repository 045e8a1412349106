//! The realtime protocol (contract section 11): DDP over WebSocket, raw or in SockJS clothes. A socket is
//! one task that owns all it knows and bounds all it takes: one message at a time in, at most one running
//! call, a bounded queue of what is told to it, and a writer that gives up on who does not read.

mod events;
mod frame;
mod login;
mod rate;
mod rules;
mod session;
mod socket;
mod stream;
mod tell;
mod write;

pub(crate) use events::since;

use crate::call::agent;
use axum::Router;
use axum::extract::ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection};
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use parlance_http::{Edge, ip};
use serde::Deserialize;
use session::{Follow, Session};
use socket::Clothes;

/// What a socket may say at once, in bytes; frames and messages alike.
const MAX_MESSAGE: usize = 1024 * 1024;
/// Bytes read at once: what decides the memory of an idle socket (ruling A16).
const READ_BUFFER: usize = 1024;
/// Bytes that are gathered before they are written: what is told together goes out together.
const WRITE_BUFFER: usize = 8 * 1024;

/// The socket's paths, and what is said there to who comes without one.
pub(crate) fn router() -> Router<Edge> {
    Router::new()
        .route("/websocket", get(raw))
        .route("/sockjs", get(info))
        .route("/sockjs/{*rest}", get(dressed))
}

/// What the query of a socket may say.
#[derive(Deserialize)]
struct Wanted {
    /// Tell what happened after this position of the log, and with which position everything is told.
    since: Option<String>,
}

type Upgrade = Result<WebSocketUpgrade, WebSocketUpgradeRejection>;

async fn raw(
    State(edge): State<Edge>,
    Query(wanted): Query<Wanted>,
    upgrade: Upgrade,
    request: Request,
) -> Response {
    open(&edge, Clothes::None, &wanted, upgrade, &request)
}

/// `/sockjs/<server>/<session>/websocket`; every other path is asked what there is.
async fn dressed(
    State(edge): State<Edge>,
    Query(wanted): Query<Wanted>,
    Path(rest): Path<String>,
    upgrade: Upgrade,
    request: Request,
) -> Response {
    let socket = rest.strip_suffix("/websocket").is_some_and(|rest| rest.split('/').count() == 2);
    if !socket {
        return about(&edge);
    }
    open(&edge, Clothes::SockJs, &wanted, upgrade, &request)
}

fn open(
    edge: &Edge,
    clothes: Clothes,
    wanted: &Wanted,
    upgrade: Upgrade,
    request: &Request,
) -> Response {
    let Ok(upgrade) = upgrade else {
        return about(edge);
    };
    let follow = match wanted.since.as_deref() {
        None => Follow::No,
        // Nothing at all, or what is no number, is from now on.
        Some(text) => text.parse().map_or(Follow::FromNow, |at: i64| Follow::After(at.max(0))),
    };
    let Some(place) = edge.socket() else {
        return (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "10")]).into_response();
    };
    let ip = ip::client(request.headers(), request.extensions(), &edge.options().trusted_proxies);
    let session = Session::new(edge.clone(), ip, agent(request.headers()), follow);
    upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(MAX_MESSAGE)
        .max_frame_size(MAX_MESSAGE)
        .on_upgrade(move |ws| async move {
            socket::run(ws, session, clothes).await;
            drop(place);
        })
}

async fn info(State(edge): State<Edge>) -> Response {
    about(&edge)
}

/// What SockJS clients ask first.
fn about(edge: &Edge) -> Response {
    // Four bytes of an id are chance enough: they only keep caches from answering.
    let id = edge.core().new_id();
    let entropy = u32::from_str_radix(id.get(16..24).unwrap_or_default(), 16).unwrap_or(0);
    let body = format!(
        r#"{{"websocket":true,"origins":["*:*"],"cookie_needed":false,"entropy":{entropy}}}"#
    );
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8")),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, body).into_response()
}
