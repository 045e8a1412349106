//! Methods on rooms and on the caller's own view of them.

use super::ask::{Ask, text};
use super::{Outcome, array};
use crate::error::Failure;
use crate::{dm, rooms, subscriptions, told, wire};
use parlance_core::list::ListQuery;
use parlance_core::{Access, Error, Ms, Room};
use parlance_http::json::{Dates, Object};
use parlance_http::limit::Window;
use parlance_query::{Filter, Limits};
use serde_json::{Value, json};

/// One text as a result.
fn quoted(value: &str) -> String {
    let mut out = String::new();
    parlance_http::json::text(&mut out, value);
    out
}

/// A list as it is where nobody asked for changes, else with what went (contract section 11.6).
fn changes(since: Option<Ms>, update: &str, removed: &[(&str, Ms)]) -> String {
    if since.is_none() {
        return update.to_owned();
    }
    let mut out = String::new();
    let mut o = Object::new(&mut out, Dates::Ejson);
    o.raw("update", update);
    o.array("remove", removed, |out, (id, at)| {
        let mut o = Object::new(out, Dates::Ejson);
        o.text("_id", id);
        o.date("_deletedAt", *at);
        o.end();
    });
    o.end();
    out
}

/// `rooms/get [updatedSince?]`
pub(super) async fn get(ask: Ask) -> Outcome {
    let since = ask.time(0)?;
    let (core, caller) = (ask.core(), ask.caller()?);
    let mut query = ListQuery { limit: None, ..ListQuery::first(0) };
    if let Some(since) = since {
        let changed = json!({"_updatedAt": {"$gt": {"$date": since}}}).to_string();
        query.filter = Filter::parse(&changed, &Limits::default()).map_err(Error::from)?;
    }
    let all = core.dm_list(caller, &query, wire::document(wire::room)).await?.all().await?;
    let ended = match since {
        Some(since) => core.ended(caller, since).await?,
        None => Vec::new(),
    };
    let removed: Vec<_> = ended.iter().map(|ended| (ended.room.as_str(), ended.at)).collect();
    let update = array(&all, |out, room: &Room| rooms::listed(out, room, Dates::Ejson));
    Ok(changes(since, &update, &removed))
}

/// `subscriptions/get [updatedSince?]`
pub(super) async fn subscriptions(ask: Ask) -> Outcome {
    let since = ask.time(0)?;
    let caller = ask.caller()?;
    let (all, ended) = ask.core().memberships(caller, since).await?;
    let removed: Vec<_> = ended.iter().map(|ended| (ended.id.as_str(), ended.at)).collect();
    let me = caller.user();
    let update = array(&all, |out, it| subscriptions::subscription(out, me, it, Dates::Ejson));
    Ok(changes(since, &update, &removed))
}

/// `readMessages [rid, readThreads?]`
pub(super) async fn read(ask: Ask) -> Outcome {
    let access = own(&ask, ask.text(0)?).await?;
    ask.core().mark_read(ask.caller()?, &access, ask.flag(1, false)?).await?;
    Ok(String::new())
}

/// A room of the caller's, for calls that say of any other that it does not exist.
async fn own(ask: &Ask, id: &str) -> Result<Access, Failure> {
    ask.core().access(ask.caller()?, id).await.map_err(|error| match error {
        Error::NoRoom | Error::NoAccess | Error::NotAllowed => Failure::detailed(
            "error-room-does-not-exist",
            "This room does not exist",
            json!({"method": ask.method}),
        ),
        other => other.into(),
    })
}

/// `readThreads [tmid]`
pub(super) async fn read_thread(ask: Ask) -> Outcome {
    let (core, caller) = (ask.core(), ask.caller()?);
    let thread = core.thread(caller, ask.text(0)?).await.map_err(|error| match error {
        Error::NoThread | Error::SwitchedOff(_) => ask.refused(),
        other => other.into(),
    })?;
    core.read_thread(caller, &thread).await?;
    Ok(String::new())
}

/// `unreadMessages [firstUnreadMessage?, rid?]`
pub(super) async fn unread(mut ask: Ask) -> Outcome {
    if let Some(first) = ask.take(0) {
        ask.put("firstUnreadMessage", first);
    } else {
        let room = ask.text(1)?.to_owned();
        ask.put("roomId", room.into());
    }
    subscriptions::mark_unread(&ask.call).await?;
    Ok(String::new())
}

/// `createDirectMessage [username, …]`
pub(super) async fn create(ask: Ask) -> Outcome {
    ask.seldom(Window { calls: 10, time: 60_000 })?;
    let usernames = ask.texts()?;
    let opened = ask.core().open_direct(ask.caller()?, &usernames, false).await;
    let room = opened.map_err(dm::create_error)?.room;
    let mut out = String::new();
    let mut o = Object::new(&mut out, Dates::Ejson);
    o.text("t", &room.kind);
    o.text("rid", room.id.as_str());
    o.raw("usernames", &room.usernames);
    o.end();
    Ok(out)
}

/// `openRoom [rid]`: how many subscriptions that changed.
pub(super) async fn open(ask: Ask) -> Outcome {
    let access = ask.room(ask.text(0)?).await?;
    ask.core().open_room(ask.caller()?, &access).await?;
    Ok("1".to_owned())
}

/// `hideRoom [rid]`: how many subscriptions that changed.
pub(super) async fn hide(ask: Ask) -> Outcome {
    let access = ask.room(ask.text(0)?).await?;
    match ask.core().close_room(ask.caller()?, &access).await {
        Ok(()) | Err(Error::AlreadyClosed) => Ok("1".to_owned()),
        Err(other) => Err(other.into()),
    }
}

/// `toggleFavorite [rid, on]`: how many subscriptions that changed.
pub(super) async fn favorite(ask: Ask) -> Outcome {
    let (room, on) = (ask.text(0)?, ask.flag(1, true)?);
    rooms::keep_favorite(&ask.call, room, on).await?;
    Ok("1".to_owned())
}

/// `eraseRoom [rid]`
pub(super) async fn erase(ask: Ask) -> Outcome {
    let (core, caller, room) = (ask.core(), ask.caller()?, ask.text(0)?);
    let work = core.delete_room(caller, room);
    let done = Box::pin(core.told(caller, ask.ip(), told::erased(room), work)).await;
    done.map_err(rooms::not_erased)?;
    Ok("true".to_owned())
}

async fn set_block(ask: Ask, on: bool) -> Outcome {
    let wanted = ask.object(0)?;
    let invalid =
        || Failure::detailed("error-invalid-room", "Invalid room", json!({"method": ask.method}));
    let (core, caller) = (ask.core(), ask.caller()?);
    let room = text(wanted, "rid")?.ok_or_else(invalid)?;
    let access = core.access(caller, room).await.map_err(|error| match error {
        Error::NoRoom | Error::NoAccess | Error::NotAllowed => invalid(),
        other => other.into(),
    })?;
    // Whom the client names must be the other one of the two.
    if let Some(named) = text(wanted, "blocked")? {
        let found = core.conversation(caller, &access.room().id).await?;
        let other = found.members.iter().any(|(id, _)| id.as_str() == named && id != caller.id());
        if !other {
            return Err(invalid());
        }
    }
    core.set_block(caller, &access, on).await.map_err(|error| match error {
        Error::NoRoom => invalid(),
        other => other.into(),
    })?;
    Ok("true".to_owned())
}

/// `blockUser [{rid, blocked}]`
pub(super) async fn block(ask: Ask) -> Outcome {
    set_block(ask, true).await
}

/// `unblockUser [{rid, blocked}]`
pub(super) async fn unblock(ask: Ask) -> Outcome {
    set_block(ask, false).await
}

/// `saveNotificationSettings [rid, field, value]`
pub(super) async fn notification(ask: Ask) -> Outcome {
    let (room, field, value) = (ask.text(0)?, ask.text(1)?, ask.text(2)?);
    let wanted = [(field.to_owned(), Value::from(value))].into_iter().collect();
    rooms::keep_notifications(&ask.call, room, &wanted).await?;
    Ok("true".to_owned())
}

/// A room of the caller's by its id, or by the other's username; `None` if there is none.
async fn found(ask: &Ask, name: &str) -> Result<Option<Access>, Failure> {
    let (core, caller) = (ask.core(), ask.caller()?);
    match core.access(caller, name).await {
        Ok(access) => return Ok(Some(access)),
        Err(Error::NoRoom | Error::NoAccess | Error::NotAllowed) => {}
        Err(other) => return Err(other.into()),
    }
    Ok(core.existing_direct(caller, name).await?)
}

/// `getRoomByTypeAndName ["d", username or rid]`
pub(super) async fn by_type(ask: Ask) -> Outcome {
    let (kind, name) = (ask.text(0)?, ask.text(1)?);
    let invalid = || {
        let details = json!({"method": "getRoomByTypeAndName"});
        Failure::detailed("error-invalid-room", "Invalid room", details)
    };
    let access = if kind == "d" { found(&ask, name).await? } else { None };
    let access = access.ok_or_else(invalid)?;
    let room = ask.core().conversation(ask.caller()?, &access.room().id).await?.room;
    let mut out = String::new();
    rooms::listed(&mut out, &room, Dates::Ejson);
    Ok(out)
}

/// `getRoomIdByNameOrId [name or id]`
pub(super) async fn id_of(ask: Ask) -> Outcome {
    let access = found(&ask, ask.text(0)?).await?.ok_or_else(|| ask.refused())?;
    Ok(quoted(access.room().id.as_str()))
}

/// `getRoomNameById [rid]`: what the room is called for the caller.
pub(super) async fn name_of(ask: Ask) -> Outcome {
    let access = ask.room(ask.text(0)?).await?;
    Ok(quoted(&access.member().name))
}

/// `canAccessRoom [rid]`: the room, or an error.
pub(super) async fn can_access(ask: Ask) -> Outcome {
    let access = ask.room(ask.text(0)?).await?;
    let room = ask.core().conversation(ask.caller()?, &access.room().id).await?.room;
    let mut out = String::new();
    rooms::listed(&mut out, &room, Dates::Ejson);
    Ok(out)
}
