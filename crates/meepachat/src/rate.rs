//! Rate limits of this contract (its section 3): a bucket of tokens per account, per address where there
//! is none, and a narrower one for logins. A bot's calls are its own: many share one machine.

use crate::auth::{Found, Origin};
use crate::error::Refusal;
use axum::extract::{Request, State};
use axum::http::{Extensions, HeaderMap};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use parlance_core::setting;
use parlance_http::limit::{Bucket, Who};
use parlance_http::{Edge, ip};

/// Finds out who calls, for the limit and for whoever answers; refuses one call too many.
pub(crate) async fn limited(
    State(edge): State<Edge>,
    mut request: Request,
    next: Next,
) -> Response {
    let found = Found::of(request.headers(), &edge).await;
    let who = match &found.caller {
        Ok(caller) => Who::User(caller.id().clone()),
        Err(_) => Who::address(&address(request.headers(), request.extensions(), &edge)),
    };
    let numbers = (&setting::MEEPA_RATE, &setting::MEEPA_BURST);
    if let Err(refusal) = take(&edge, who, "meepachat", numbers) {
        return refusal.into_response();
    }
    request.extensions_mut().insert(found);
    next.run(request).await
}

/// Counts a login to this account, or a registration under this name, from where the request came.
pub(crate) fn login(edge: &Edge, origin: &Origin, account: &str) -> Result<(), Refusal> {
    let who = edge.limits().login(&origin.ip, &account.to_lowercase());
    take(edge, who, "meepachat login", (&setting::MEEPA_AUTH_RATE, &setting::MEEPA_AUTH_BURST))
}

fn address(headers: &HeaderMap, extensions: &Extensions, edge: &Edge) -> String {
    ip::client(headers, extensions, &edge.options().trusted_proxies)
}

fn take(
    edge: &Edge,
    who: Who,
    what: &'static str,
    (rate, burst): (&setting::Known, &setting::Known),
) -> Result<(), Refusal> {
    let settings = edge.core().settings();
    let bucket = Bucket { per_minute: settings.number(rate), burst: settings.number(burst) };
    let taken = !settings.on(&setting::RATE_LIMIT)
        || edge.limits().take(who, what, bucket, edge.core().clock().now());
    if taken { Ok(()) } else { Err(Refusal::TooMany) }
}
