//! What changed in a room since a client last asked (contract section 9.1): everything since a time, or
//! pages by cursor, which is the time of a change in milliseconds; and the ids of deleted messages.

use crate::call::Call;
use crate::error::Failure;
use crate::history::forbidden;
use crate::page;
use crate::routes::Answer;
use crate::wire;
use parlance_core::history::Side;
use parlance_core::{Access, Error, Ms};
use parlance_http::json::{Dates, Object};
use serde_json::json;

/// Access to the room of `roomId`, for the calls that say "Not allowed" of any other.
async fn own_room(call: &Call, method: &str) -> Result<Access, Failure> {
    let missing = || {
        let text = "The required \"roomId\" query param is missing.";
        Failure::coded("error-roomId-param-not-provided", text)
    };
    let room = call.param("roomId").ok_or_else(missing)?;
    call.core().access(call.caller()?, room).await.map_err(|error| match error {
        Error::NoRoom | Error::NoAccess | Error::NotAllowed => {
            Failure::detailed("error-not-allowed", "Not allowed", json!({ "method": method }))
        }
        other => other.into(),
    })
}

/// `GET chat.syncMessages`: all that changed since `lastUpdate`, or a page of it by `next` or `previous`.
pub(crate) async fn sync_messages(call: Call) -> Answer {
    if call.param("roomId").is_none() {
        own_room(&call, "messages/get").await?;
    }
    let cursors = ["next", "previous"].map(|name| call.param(name));
    if call.param("type").is_some() || cursors.iter().any(Option::is_some) {
        return page(&call, cursors).await;
    }
    let since = call.param("lastUpdate").ok_or_else(|| {
        let text = "The required \"lastUpdate\" query param is missing.";
        Failure::coded("error-lastUpdate-param-not-provided", text)
    })?;
    let since = parlance_core::time::parse(since).ok_or_else(|| {
        let text = "The \"lastUpdate\" query parameter must be a valid date.";
        Failure::coded("error-roomId-param-invalid", text)
    })?;
    let access = own_room(&call, "messages/get").await?;
    let (updated, deleted) = call.core().changes(call.caller()?, &access, since).await?;
    Ok(wire::success(|o| {
        o.object("result", |o| {
            o.array("updated", &updated, |out, m| wire::message(out, m, Dates::Iso));
            o.array("deleted", &deleted, |out, (id, at)| wire::removed(out, id, *at));
        });
    }))
}

/// What a page is asked by: its kind, its side and its size.
fn wanted(call: &Call, [next, previous]: [Option<&str>; 2]) -> Result<(bool, Side, i64), Failure> {
    let deleted = match call.param("type") {
        Some("UPDATED") => false,
        Some("DELETED") => true,
        _ => {
            let text = "The \"type\" parameter must be \"UPDATED\" or \"DELETED\"";
            return Err(Failure::coded("error-type-param-required", text));
        }
    };
    if call.param("lastUpdate").is_some() {
        let text =
            "The attributes \"next\", \"previous\" and \"lastUpdate\" cannot be used together";
        return Err(Failure::coded("error-cursor-and-lastUpdate-conflict", text));
    }
    let time = |text: &str| {
        let bad = || Failure::coded("error-invalid-cursor", "A cursor is a time in milliseconds");
        text.parse::<Ms>().map_err(|_| bad())
    };
    let side = match (next, previous) {
        (Some(_), Some(_)) => {
            let text = "You cannot provide both \"next\" and \"previous\" parameters";
            return Err(Failure::coded("error-cursor-conflict", text));
        }
        (None, Some(at)) => Side::Before(time(at)?),
        (Some(at), None) => Side::After(time(at)?),
        (None, None) => Side::After(0),
    };
    let (_, limit) = page::window(call)?;
    Ok((deleted, side, limit.unwrap_or(1000)))
}

/// A page of changes, or of what went, with the cursors of the pages beside it.
async fn page(call: &Call, cursors: [Option<&str>; 2]) -> Answer {
    let (deleted, side, limit) = wanted(call, cursors)?;
    let access = own_room(call, "messages/get").await?;
    let (core, caller) = (call.core(), call.caller()?);
    let (mut updated, mut gone) = (Vec::new(), Vec::new());
    let times: Vec<Ms> = if deleted {
        gone = core.goings_page(&access, side, limit + 1).await?;
        gone.iter().map(|(_, at)| *at).collect()
    } else {
        updated = core.changes_page(caller, &access, side, limit + 1).await?;
        updated.iter().map(|message| message.updated.max(message.ts)).collect()
    };
    let size = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = times.len() > size;
    let shown = times.get(..size.min(times.len())).unwrap_or_default();
    updated.truncate(size);
    gone.truncate(size);
    let (first, last) = (shown.iter().min().copied(), shown.iter().max().copied());
    let (next, previous) = match side {
        Side::After(_) => (last.filter(|_| more), first),
        Side::Before(_) => (last, first.filter(|_| more)),
    };
    let cursor = |o: &mut Object<'_>, key: &str, at: Option<Ms>| match at {
        Some(at) => o.text(key, &at.to_string()),
        None => o.raw(key, "null"),
    };
    Ok(wire::success(|o| {
        o.object("result", |o| {
            o.array("updated", &updated, |out, m| wire::message(out, m, Dates::Iso));
            o.array("deleted", &gone, |out, (id, at)| wire::removed(out, id, *at));
            o.object("cursor", |o| {
                cursor(o, "next", next);
                cursor(o, "previous", previous);
            });
        });
    }))
}

/// `GET chat.getDeletedMessages`: the type of its errors is their sentence.
pub(crate) async fn deleted_messages(call: Call) -> Answer {
    let missing = |name| {
        let text = format!("The required \"{name}\" query param is missing.");
        Failure::Sentence(text)
    };
    let room = call.param("roomId").ok_or_else(|| missing("roomId"))?;
    let since = call.param("since").ok_or_else(|| missing("since"))?;
    let since = parlance_core::time::parse(since).ok_or_else(|| {
        Failure::Sentence("The \"since\" query parameter must be a valid date.".to_owned())
    })?;
    let (offset, limit) = page::window(&call)?;
    let access = call.core().access(call.caller()?, room).await.map_err(forbidden)?;
    let (gone, total) = call.core().deleted(&access, since, (offset, limit)).await?;
    Ok(wire::success(|o| {
        o.array("messages", &gone, |out, (id, _)| {
            let mut o = Object::new(out, Dates::Iso);
            o.text("_id", id);
            o.end();
        });
        wire::count(o, "count", gone.len());
        o.number("offset", offset);
        o.number("total", total);
    }))
}
