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
use parlance_core::{Caller, Core, Error, Message, RoomId, UserId};
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
    let mut recent = core.dm_recent(&caller, before, limit).await?;
    for conversation in &mut recent.conversations {
        complete(core, conversation).await?;
    }
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
    let found = conversation(core, &caller, &opened.room.id).await?;
    let others = strangers(
        core,
        last(&found).map(|message| (&found, message)).into_iter(),
    )
    .await?;
    let status = if opened.created {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok(answer::data(status, |o| {
        wire::conversation(o, &found, caller.user(), &People::of(&found, &others));
    }))
}

/// One conversation of the caller's, with everybody who is in it.
pub(crate) async fn conversation(
    core: &Core,
    caller: &Caller,
    room: &RoomId,
) -> parlance_core::Result<Conversation> {
    let mut found = core.conversation(caller, room).await?;
    complete(core, &mut found).await?;
    Ok(found)
}

/// The newest message, where it is one that this contract shows.
fn last(conversation: &Conversation) -> Option<&Message> {
    conversation
        .room
        .last
        .as_deref()
        .filter(|message| message.kind.is_none())
}

/// Adds those whom the room names and who have no membership: an imported room may have one only
/// for whoever used it, and is between two all the same.
async fn complete(core: &Core, conversation: &mut Conversation) -> parlance_core::Result<()> {
    let Conversation { room, members } = conversation;
    if i64::try_from(members.len()).is_ok_and(|n| n >= room.users_count) {
        return Ok(());
    }
    let ids: Vec<String> = serde_json::from_str(&room.uids).unwrap_or_default();
    for id in ids {
        if members.iter().any(|(known, _)| known.as_str() == id) {
            continue;
        }
        let id = UserId::from(id);
        let account = match core.user(&id).await {
            Ok(account) => Some(account),
            Err(Error::NoUser) => None,
            Err(other) => return Err(other),
        };
        members.push((id, account));
    }
    Ok(())
}
