//! The caller's conversations: the list by activity, and opening one. The list's cursor is a time
//! that the client saw, so conversations that share the last one's activity come along; the `Link`
//! header carries an id beside the time, and loses nothing however many share it (ruling C4).

use crate::auth::Session;
use crate::error::Refusal;
use crate::input::{Body, Params};
use crate::people::{People, strangers};
use crate::{answer, page, wire};
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use parlance_core::room::Conversation;
use parlance_core::{Message, UserId};
use parlance_http::Edge;

/// Conversations of a page unless the client says how many.
const PAGE: usize = 30;

/// `GET /api/dms`
pub(crate) async fn list(
    State(edge): State<Edge>,
    Session(caller): Session,
    params: Params,
) -> Result<Response, Refusal> {
    let limit = page::limit(&params, PAGE);
    let before = match params.get("before") {
        None => None,
        Some(text) => {
            let time = page::time_before(text).ok_or(Refusal::invalid("before timestamp"))?;
            Some((time, params.get("beforeId")))
        }
    };
    let core = edge.core();
    let recent = core.dm_recent(&caller, before, limit).await?;
    let all = &recent.conversations;
    let newest = |one| last(one).map(|message| (one, message));
    let others = strangers(core, all.iter().filter_map(newest)).await?;
    let mut response = answer::list(all, |o, one| {
        wire::conversation(o, one, caller.user(), &People::of(one, &others));
    });
    if let Some(edge) = all.last().filter(|_| recent.more) {
        let link = page::next_link(edge.room.activity, edge.room.id.as_str(), limit);
        if let Ok(link) = HeaderValue::from_str(&link) {
            response.headers_mut().insert(header::LINK, link);
        }
    }
    Ok(response)
}

/// `POST /api/dms`
pub(crate) async fn open(
    State(edge): State<Edge>,
    Session(caller): Session,
    body: Body,
) -> Result<Response, Refusal> {
    let core = edge.core();
    let other = UserId::from(body.text("userId")?);
    let opened = core.open_with(&caller, &other).await?;
    let found = core.conversation(&caller, &opened.room.id).await?;
    let others = strangers(core, last(&found).map(|message| (&found, message)).into_iter()).await?;
    let status = if opened.created { StatusCode::CREATED } else { StatusCode::OK };
    Ok(answer::data(status, |o| {
        wire::conversation(o, &found, caller.user(), &People::of(&found, &others));
    }))
}

/// The newest message, where it is one that this contract shows.
fn last(conversation: &Conversation) -> Option<&Message> {
    conversation.room.last.as_deref().filter(|message| message.kind.is_none())
}
