//! The Rocket.Chat wire contract over the core: REST under `/api/v1`, `dm.*` and `im.*` alike.
//! Every endpoint is a row of one table (`routes.rs`): method, name, whether it needs a login, and a
//! function from a `Call` to an answer. One place authenticates, reads bodies, renders errors
//! and adds the headers of the contract, so no endpoint can forget to.

mod audit;
mod autocomplete;
mod avatar;
mod call;
mod carried;
mod change;
mod chat;
mod commands;
mod ddp;
mod directory;
mod dm;
mod download;
mod empty;
mod error;
mod export;
mod factor;
mod history;
mod html;
mod lifecycle;
mod marked;
pub mod methods;
mod moderation;
mod page;
mod password;
mod post;
mod preferences;
mod presence;
mod profile;
mod push;
mod reply;
mod roles;
mod room_settings;
mod rooms;
pub mod routes;
mod schema;
mod search;
mod server;
mod session;
mod settings;
mod statistics;
mod subscriptions;
mod sync;
mod threads;
mod tokens;
mod told;
mod users;
mod wire;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::routing::{any, get};
use call::Call;
use error::Failure;
use futures_util::TryStreamExt;
use parlance_http::limit::Standing;
use parlance_http::metrics::RouteName;
use parlance_http::{Edge, cors};
use reply::Reply;
use routes::{Answer, Route, Run, Running};

/// The routes of this contract. From now on the exports that are ordered by them are made, too, by a
/// task of its own.
pub fn router(edge: Edge) -> Router {
    edge.core().begin_exports(export::WRITER);
    Router::new()
        .route("/data-export/{id}", get(download::download))
        .route("/api/v1/{*name}", any(dispatch))
        .route("/api/info", any(dispatch))
        .route("/avatar/{*name}", get(avatar::serve))
        .merge(ddp::router())
        .with_state(edge)
}

async fn dispatch(State(edge): State<Edge>, request: Request) -> Response {
    let origin = cors::allowed(&edge.core().settings(), request.headers());
    let mut response = match request.method() {
        &Method::OPTIONS => preflight(request.headers(), origin.is_some()),
        _ => answer(&edge, request).await,
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    cors::allow(headers, origin);
    response
}

/// The answer to a browser that asks whether it may ask (contract section 1, ruling B7).
fn preflight(request: &axum::http::HeaderMap, allowed: bool) -> Response {
    let asks = request.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = Response::new(Body::empty());
    if asks && !allowed {
        *response.body_mut() =
            Body::from("CORS not enabled. Go to \"Admin > General > REST Api\" to enable it.");
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    } else if asks {
        let methods = HeaderValue::from_static(cors::METHODS);
        response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    }
    response
}

/// Status and body of a request.
async fn run(
    edge: &Edge,
    route: Option<&'static Route>,
    request: Request,
    standing: &mut Option<Standing>,
) -> Result<(StatusCode, Reply), Failure> {
    let route = route.ok_or(Failure::NoRoute)?;
    let mut call = Call::read(edge, route, request, standing).await?;
    factor::require(&call, (route.factor, route.perm)).await?;
    // An answer with a secret is not kept (ruling B9).
    let secret = |call: &Call| route.secret || methods::is_secret(route, &call.body);
    let retry = call.retry.take().filter(|_| !secret(&call));
    let (run, (key, hash)) = match (route.run, retry) {
        (Run::List(run), _) => return Ok((StatusCode::OK, run(call).await?)),
        (Run::Whole(run), None) => {
            return Ok((StatusCode::OK, told(run, route, call).await?.into()));
        }
        (Run::Whole(run), Some(retry)) => (run, retry),
    };
    let caller = call.caller()?.clone();
    let work = async {
        let (status, body) =
            rendered(told(run, route, call).await.map(|body| (StatusCode::OK, body)));
        (i64::from(status.as_u16()), body)
    };
    // An answer is as large as it is: on the heap, not in every request's frame.
    let once = edge.core().once(&caller, (route.name, &key, &hash), Box::pin(work));
    let (status, body) = once.await?;
    let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    Ok((status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), body.into()))
}

/// Runs a call, which the audit tells of if it is one of an administrator's.
async fn told(run: fn(Call) -> Running<Answer>, route: &Route, call: Call) -> Answer {
    let Some(told) = told::of(&call, route.name) else {
        return run(call).await;
    };
    let (core, caller, ip) = (call.core().clone(), call.caller()?.clone(), call.ip.clone());
    Box::pin(core.told(&caller, &ip, told, run(call))).await
}

fn rendered<T: From<String>>(result: Result<(StatusCode, T), Failure>) -> (StatusCode, T) {
    result.unwrap_or_else(|failure| {
        let (status, body) = failure.render();
        (status, body.into())
    })
}

async fn answer(edge: &Edge, request: Request) -> Response {
    let mut standing = None;
    let route = routes::find(request.method(), request.uri().path());
    let (status, body) = rendered(run(edge, route, request, &mut standing).await);
    // The body of a redirect is its address, as JSON.
    let elsewhere = match &body {
        Reply::Whole(text) if status == StatusCode::TEMPORARY_REDIRECT => {
            serde_json::from_str::<String>(text)
                .ok()
                .and_then(|url| HeaderValue::from_str(&url).ok())
        }
        _ => None,
    };
    let body = match body {
        Reply::Whole(text) => Body::from(text),
        Reply::Pieces(pieces) => Body::from_stream(pieces.map_err(reply::broken_off)),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    if let Some(route) = route {
        let name = RouteName { face: "rocketchat", route: route.name.into() };
        response.extensions_mut().insert(name);
    }
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    if let Some(url) = elsewhere {
        response.headers_mut().insert(header::LOCATION, url);
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    if let Some(standing) = standing {
        tell(response.headers_mut(), standing);
    }
    response
}

/// Where the caller stands, in the headers of every limited answer (contract section 3.3).
fn tell(headers: &mut HeaderMap, standing: Standing) {
    headers.insert("x-ratelimit-limit", standing.limit.into());
    headers.insert("x-ratelimit-remaining", standing.remaining.into());
    headers.insert("x-ratelimit-reset", standing.reset.into());
    if let Some(wait) = standing.wait {
        headers.insert(header::RETRY_AFTER, error::seconds(wait).into());
    }
}
