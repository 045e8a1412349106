//! The messages of a conversation: a page before a message, newest first, and sending one. Here
//! `before` is a message id. An answer to a send is always a message, because clients read its id.

use crate::auth::Session;
use crate::error::Refusal;
use crate::input::{Body, Id, Params};
use crate::people::{People, strangers};
use crate::{answer, page, wire};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use parlance_core::access::Access;
use parlance_core::send::{NewMessage, TextLimit};
use parlance_core::{Caller, Core, Error, Message};
use parlance_http::Edge;

/// Messages of a page unless the client says how many.
const PAGE: usize = 50;

/// `GET /api/dms/{channelID}/messages`
pub(crate) async fn list(
    State(edge): State<Edge>,
    Session(caller): Session,
    Id(channel): Id,
    params: Params,
) -> Result<Response, Refusal> {
    let core = edge.core();
    let access = direct(core, &caller, &channel).await?;
    let limit = i64::try_from(page::limit(&params, PAGE)).unwrap_or(i64::MAX);
    let found = core.messages_before(&caller, &access, params.get("before"), limit).await;
    let found = found.map_err(|error| match error {
        // A foreign message and one that is not there alike.
        Error::NoMessage => Refusal::invalid("before message id"),
        other => other.into(),
    })?;
    let room = core.conversation(&caller, &access.room().id).await?;
    let others = strangers(core, found.iter().map(|message| (&room, message))).await?;
    let people = People::of(&room, &others);
    Ok(answer::list(&found, |o, message| {
        wire::message(o, message, &people);
    }))
}

/// `POST /api/dms/{channelID}/messages`
pub(crate) async fn send(
    State(edge): State<Edge>,
    Session(caller): Session,
    Id(channel): Id,
    body: Body,
) -> Result<Response, Refusal> {
    let core = edge.core();
    let new = draft(&body)?;
    let access = direct(core, &caller, &channel).await?;
    let sent = core.send(&caller, &access, new).await?;
    if !sent.replayed {
        // Nobody has reacted yet, so the author is all it takes to show it.
        let people = People::one(caller.user(), access.room().ts);
        return Ok(shown(StatusCode::CREATED, &sent.message, &people));
    }
    let room = core.conversation(&caller, &access.room().id).await?;
    let others = strangers(core, std::iter::once((&room, &sent.message))).await?;
    Ok(shown(StatusCode::OK, &sent.message, &People::of(&room, &others)))
}

fn shown(status: StatusCode, message: &Message, people: &People<'_>) -> Response {
    answer::data(status, |o| wire::message(o, message, people))
}

/// Access to a conversation of the caller's; any other room is not there.
async fn direct(core: &Core, caller: &Caller, id: &str) -> Result<Access, Refusal> {
    let access = core.access(caller, id).await?;
    if access.room().kind == "d" { Ok(access) } else { Err(Error::NoRoom.into()) }
}

fn draft(body: &Body) -> Result<NewMessage, Refusal> {
    // Files cannot be uploaded yet, so that no id of one is known.
    if !body.texts("attachmentIds")?.is_empty() {
        return Err(Refusal::invalid("attachmentIds"));
    }
    let mut new = NewMessage::text(body.text("content")?);
    new.thread = body.text_if("threadId")?.map(str::to_owned);
    new.key = body.text_if("clientId")?.map(str::to_owned);
    new.limit = TextLimit::Scalars;
    Ok(new)
}
