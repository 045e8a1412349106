//! Looking after rooms (contract sections 9.1 and 9.2): reports, clearing a room's history, the list of
//! all rooms for administrators, who has read a message, and discussions, which direct rooms lack.

use crate::call::Call;
use crate::error::Failure;
use crate::page::{Given, Paging, Reads};
use crate::routes::{Answer, List};
use crate::schema::{self, Kind};
use crate::wire;
use parlance_core::{Access, Error, Perm, setting, time};
use parlance_http::json::{Dates, Object};
use parlance_query::{Filter, Limits};
use serde_json::{Value, json};

/// `POST chat.reportMessage`: a foreign message is one that is not there.
pub(crate) async fn report(call: Call) -> Answer {
    let text = |name: &str| match call.body.get(name) {
        None => Err(Failure::Schema(format!("must have required property '{name}'"))),
        Some(Value::String(text)) => Ok(text.as_str()),
        Some(_) => Err(Failure::Schema("must be string".to_owned())),
    };
    let (id, why) = (text("messageId")?, text("description")?);
    if why.trim().is_empty() || why.chars().count() > 1000 {
        return Err(Failure::coded("error-invalid-description", "Invalid description"));
    }
    let (core, caller) = (call.core(), call.caller()?);
    let found = core.message(caller, id).await?;
    let (message, _) = found.ok_or_else(|| Failure::plain("error-invalid-message_id"))?;
    core.report(caller, &message, why).await?;
    Ok(wire::success(|_| {}))
}

/// What `rooms.cleanHistory` takes away, as a filter.
fn cleaned(call: &Call) -> Result<Filter, Failure> {
    let time = |name: &str| {
        let missing = || Failure::plain(format!("Body parameter \"{name}\" is required."));
        let text = call.text(name).ok_or_else(missing)?;
        time::parse(text)
            .ok_or_else(|| Failure::Schema("must match format \"iso-date-time\"".to_owned()))
    };
    let (latest, oldest) = (time("latest")?, time("oldest")?);
    let switch = |name: &str| -> Result<bool, Failure> {
        match call.body.get(name) {
            None => Ok(false),
            some @ Some(value) => {
                schema::fits(Kind::Flag, value).map_err(Failure::Schema)?;
                Ok(schema::flag(some))
            }
        }
    };
    let (least, most) = if switch("inclusive")? { ("$gte", "$lte") } else { ("$gt", "$lt") };
    let mut parts = vec![json!({"ts": {least: {"$date": oldest}, most: {"$date": latest}}})];
    if switch("excludePinned")? {
        parts.push(json!({"pinned": {"$ne": true}}));
    }
    if switch("ignoreThreads")? {
        parts.push(json!({"tmid": {"$exists": false}, "tcount": {"$exists": false}}));
    }
    if switch("filesOnly")? {
        parts.push(json!({"file._id": {"$exists": true}}));
    }
    match call.body.get("users") {
        None | Some(Value::Null) => {}
        Some(Value::Array(names)) if names.iter().all(Value::is_string) => {
            if !names.is_empty() {
                parts.push(json!({"u.username": {"$in": names}}));
            }
        }
        Some(_) => return Err(Failure::Schema("must be array".to_owned())),
    }
    let text = json!({ "$and": parts }).to_string();
    Ok(Filter::parse(&text, &Limits::default()).map_err(Error::from)?)
}

/// `POST rooms.cleanHistory`.
pub(crate) async fn clean_history(call: Call) -> Answer {
    let (core, caller) = (call.core(), call.caller()?);
    let admin = core.admin(caller, Perm::CleanChannelHistory)?;
    let room = call
        .text("roomId")
        .ok_or_else(|| Failure::plain("Body parameter \"roomId\" is required."))?;
    let filter = cleaned(&call)?;
    let limit = match call.body.get("limit") {
        None | Some(Value::Null) => None,
        Some(value) => {
            schema::fits(Kind::Count, value).map_err(Failure::Schema)?;
            schema::text(value).parse::<i64>().ok().filter(|limit| *limit > 0)
        }
    };
    let access = core.access(caller, room).await.map_err(|error| match error {
        Error::NoRoom | Error::NoAccess => {
            Failure::coded("error-not-allowed", "User does not have access to the room")
        }
        other => other.into(),
    })?;
    let gone = core.clean(admin, &access, filter, limit).await?;
    Ok(wire::success(|o| {
        o.text("_id", room);
        wire::count(o, "count", gone);
    }))
}

/// The rooms that somebody is in, or that have this id.
pub(crate) fn called(name: &str) -> Result<Filter, Failure> {
    let filter = json!({"$or": [{"usernames": name}, {"_id": name}]}).to_string();
    Ok(Filter::parse(&filter, &Limits::default()).map_err(Error::from)?)
}

/// `GET rooms.adminRooms`: every room, for who administers rooms; audited as `dm.list.everyone` is.
pub(crate) async fn admin_rooms(call: Call) -> List {
    let core = call.core();
    let admin = core.admin(call.caller()?, Perm::ViewRoomAdministration);
    let admin = admin.map_err(|_| Failure::plain("error-not-authorized"))?;
    let mut paging = Paging::read(&call, Reads::NEITHER, &[])?;
    if let Some(name) = call.param("filter") {
        paging.narrow(called(name)?);
    }
    let document = wire::document(wire::room);
    let page = core.dm_list_everyone(admin, &call.ip, &paging.query, document).await?;
    paging.list("rooms", page, wire::room, Given::tell)
}

/// Access to the room that a parameter names.
async fn readable(call: &Call) -> Result<Access, Failure> {
    let room = call.param("roomId").ok_or_else(|| {
        let text = "The required \"roomId\" query param is missing.";
        Failure::coded("error-invalid-params", text)
    })?;
    call.core().access(call.caller()?, room).await.map_err(|error| match error {
        Error::NoRoom | Error::NoAccess => Failure::plain("error-not-allowed"),
        other => other.into(),
    })
}

/// `GET chat.getDiscussions` and `rooms.getDiscussions`: a direct room has none.
pub(crate) async fn discussions(call: Call) -> Answer {
    readable(&call).await?;
    let paging = Paging::read(&call, Reads::NEITHER, &[])?;
    let name = if call.path.contains("rooms.") { "discussions" } else { "messages" };
    Ok(wire::success(|o| {
        o.raw(name, "[]");
        wire::count(o, "count", 0);
        o.number("offset", paging.offset());
        o.number("total", 0);
    }))
}

/// `GET chat.getMessageReadReceipts`, where the setting has them: whoever has looked at the room since.
pub(crate) async fn receipts(call: Call) -> Answer {
    if !call.settings.on(&setting::READ_RECEIPTS) {
        let text = "This is an enterprise feature";
        return Err(Failure::coded("error-action-not-allowed", text));
    }
    let missing = || Failure::plain("The required 'messageId' param is missing.");
    let id = call.param("messageId").ok_or_else(missing)?;
    let (core, caller) = (call.core(), call.caller()?);
    let found = core.message(caller, id).await?;
    let (message, access) =
        found.ok_or_else(|| Failure::coded("error-invalid-message", "Invalid message"))?;
    let readers = core.readers(&access, message.ts).await?;
    Ok(wire::success(|o| {
        o.array("receipts", &readers, |out, (member, user)| {
            let mut o = Object::new(out, Dates::Iso);
            o.text("_id", &format!("{}{}", member.id, message.id));
            o.text("roomId", message.room.as_str());
            o.text("userId", member.user.as_str());
            o.text("messageId", message.id.as_str());
            o.date("ts", member.last_seen.unwrap_or(message.ts));
            o.object("user", |u| {
                u.text("_id", member.user.as_str());
                u.text_if("name", user.as_ref().and_then(|user| user.name.as_deref()));
                u.text_if("username", user.as_ref().and_then(|user| user.username.as_deref()));
            });
            o.end();
        });
    }))
}
