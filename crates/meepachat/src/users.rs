//! Looking people up, which opening a conversation needs: by the beginning of a name, and by id.

use crate::auth::Session;
use crate::error::Refusal;
use crate::input::{Id, Params};
use crate::wire::Person;
use crate::{answer, page, wire};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use parlance_core::UserId;
use parlance_http::Edge;

/// Users of an answer unless the client says how many.
const PAGE: usize = 20;

/// `GET /api/users`
pub(crate) async fn search(
    State(edge): State<Edge>,
    Session(caller): Session,
    params: Params,
) -> Result<Response, Refusal> {
    let limit = i64::try_from(page::limit(&params, PAGE)).unwrap_or(i64::MAX);
    let found = edge.core().spotlight(&caller, params.get("q").unwrap_or(""), limit).await?;
    Ok(answer::list(&found, |o, user| {
        wire::user(o, &Person::of(user));
    }))
}

/// `GET /api/users/{id}`
pub(crate) async fn one(
    State(edge): State<Edge>,
    Session(_): Session,
    Id(id): Id,
) -> Result<Response, Refusal> {
    let user = edge.core().user(&UserId::from(id)).await?;
    Ok(answer::data(StatusCode::OK, |o| {
        wire::user(o, &Person::of(&user));
    }))
}
