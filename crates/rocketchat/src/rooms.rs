//! `rooms.*` (contract section 9.2), and the calls of `dm.*` that change a room (sections 5.13-5.15): one
//! set of checks under all their names.

use crate::call::Call;
use crate::error::Failure;
use crate::page::{Paging, Reads};
use crate::reply;
use crate::routes::{Answer, List};
use crate::schema::{self, Form, Kind};
use crate::{subscriptions, wire};
use parlance_core::list::ListQuery;
use parlance_core::{Error, Perm, Room, UserId};
use parlance_http::json::{Dates, Object};
use parlance_query::{Filter, Limits};
use serde_json::{Map, Value, json};

/// A room without what only the room itself knows of its making (section 6.1).
pub(crate) fn listed(out: &mut String, room: &Room, dates: Dates) {
    let mut shown = room.clone();
    if let Ok(Value::Object(mut body)) = serde_json::from_str(&room.body) {
        body.remove("_USERNAMES");
        shown.body = Value::Object(body).to_string();
    }
    wire::room(out, &shown, dates);
}

/// `GET rooms.get`: the caller's rooms that changed since, and those that are gone since.
pub(crate) async fn get(call: Call) -> List {
    let since = subscriptions::since(&call, || {
        let text = "The \"updatedSince\" query parameter must be a valid date.";
        Failure::coded("error-updatedSince-param-invalid", text)
    })?;
    let (core, caller) = (call.core(), call.caller()?);
    let mut query = ListQuery { limit: None, ..ListQuery::first(0) };
    if let Some(since) = since {
        let changed = json!({"_updatedAt": {"$gt": {"$date": since}}}).to_string();
        query.filter = Filter::parse(&changed, &Limits::default()).map_err(Error::from)?;
    }
    let rooms = core.dm_list(caller, &query, wire::document(wire::room)).await?;
    let ended = match since {
        Some(since) => core.ended(caller, since).await?,
        None => Vec::new(),
    };
    let write = |out: &mut String, room: &Room| {
        listed(out, room, Dates::Iso);
        Ok(())
    };
    let tail = move |o: &mut Object<'_>, _| {
        o.array("remove", &ended, |out, ended| wire::removed(out, &ended.room, ended.at));
    };
    Ok(reply::list("update", &rooms.items, rooms.more, write, tail)?)
}

/// The room that a call names; a direct room has no name to be found by.
fn named(params: &Map<String, Value>) -> Result<&str, Failure> {
    let text = |name: &str| match params.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(_) => Err(Failure::Schema("must be string".to_owned())),
    };
    match (text("roomId")?, text("roomName")?) {
        (Some(id), _) => Ok(id),
        (None, Some(_)) => Err(not_found()),
        (None, None) => {
            let text = "The parameter \"roomId\" or \"roomName\" is required";
            Err(Failure::coded("error-roomid-param-not-provided", text))
        }
    }
}

fn not_found() -> Failure {
    let text = "The required \"roomId\" or \"roomName\" param provided does not match any channel";
    Failure::coded("error-room-not-found", text)
}

/// `GET rooms.info`.
pub(crate) async fn info(call: Call) -> Answer {
    let room = named(&call.query)?;
    let paging = Paging::read(&call, Reads::FIELDS, &[])?;
    let (core, caller) = (call.core(), call.caller()?);
    let access = core.access(caller, room).await.map_err(|error| match error {
        Error::NoRoom => not_found(),
        Error::NoAccess => Failure::Typed("Not Allowed", "not-allowed"),
        other => other.into(),
    })?;
    let found = core.conversation(caller, &access.room().id).await?.room;
    wire::try_success(|o| paging.item(o, "room", &found, listed))
}

/// `POST rooms.favorite`.
pub(crate) async fn favorite(call: Call) -> Answer {
    let Some(on) = call.body.get("favorite") else {
        return Err(Failure::plain("The 'favorite' param is required"));
    };
    schema::fits(Kind::Flag, on).map_err(Failure::Schema)?;
    let (on, room) = (schema::flag(Some(on)), named(&call.body)?);
    keep_favorite(&call, room, on).await?;
    Ok(wire::success(|_| {}))
}

/// Makes a room a favourite of the caller's, or not any more.
pub(crate) async fn keep_favorite(call: &Call, room: &str, on: bool) -> Result<(), Failure> {
    let set = |body: &mut Map<String, Value>| {
        body.insert("f".to_owned(), on.into());
    };
    changed(call, room, set).await
}

/// Changes what the caller keeps with its membership in a room.
async fn changed(
    call: &Call,
    room: &str,
    change: impl Fn(&mut Map<String, Value>) + Send,
) -> Result<(), Failure> {
    let done = call.core().change_membership(call.caller()?, room, change).await;
    done.map_err(|error| match error {
        Error::NotSubscribed => {
            Failure::coded("error-invalid-subscription", "Invalid subscription")
        }
        other => other.into(),
    })
}

/// What a notification setting may be, and how it is kept.
#[derive(Clone, Copy)]
enum Notify {
    /// `all`, `mentions`, `nothing`, `default`; with where it comes from.
    Level(&'static str),
    /// `"1"` or `"0"`.
    Switch,
    /// Any text.
    Text,
}

const NOTIFY: [(&str, Notify); 9] = [
    ("desktopNotifications", Notify::Level("desktopPrefOrigin")),
    ("mobilePushNotifications", Notify::Level("mobilePrefOrigin")),
    ("emailNotifications", Notify::Level("emailPrefOrigin")),
    ("disableNotifications", Notify::Switch),
    ("hideUnreadStatus", Notify::Switch),
    ("hideMentionStatus", Notify::Switch),
    ("muteGroupMentions", Notify::Switch),
    ("unreadAlert", Notify::Text),
    ("audioNotificationValue", Notify::Text),
];

/// `POST rooms.saveNotification`.
pub(crate) async fn save_notification(call: Call) -> Answer {
    let room = call.text("roomId").ok_or_else(|| {
        Failure::coded("error-room-id-param-not-provided", "The 'roomId' param is required")
    })?;
    let Some(Value::Object(wanted)) = call.body.get("notifications") else {
        let text = "The 'notifications' param is required";
        return Err(Failure::coded("error-notifications-param-not-provided", text));
    };
    keep_notifications(&call, room, wanted).await?;
    Ok(wire::success(|_| {}))
}

/// Keeps what the caller wants to be told of a room.
pub(crate) async fn keep_notifications(
    call: &Call,
    room: &str,
    wanted: &Map<String, Value>,
) -> Result<(), Failure> {
    let invalid = |text| {
        Failure::detailed(
            "error-invalid-settings",
            text,
            json!({"method": "saveNotificationSettings"}),
        )
    };
    let mut fields: Vec<(&'static str, Notify, String)> = Vec::new();
    for (name, value) in wanted {
        let known = NOTIFY.iter().find(|(known, _)| known == name);
        let (name, notify) = known.ok_or_else(|| invalid("Invalid settings field"))?;
        let Value::String(value) = value else {
            return Err(invalid("Invalid settings value"));
        };
        let fits = match notify {
            Notify::Level(_) => ["all", "mentions", "nothing", "default"].contains(&value.as_str()),
            Notify::Switch => ["0", "1"].contains(&value.as_str()),
            Notify::Text => value.len() <= 100,
        };
        if !fits {
            return Err(invalid("Invalid settings value"));
        }
        fields.push((name, *notify, value.clone()));
    }
    changed(call, room, |body| fields.iter().for_each(|field| keep(body, field))).await
}

/// Keeps one notification setting in a membership.
fn keep(body: &mut Map<String, Value>, (name, notify, value): &(&'static str, Notify, String)) {
    match notify {
        Notify::Level(origin) if value == "default" => {
            body.remove(*name);
            body.remove(*origin);
        }
        Notify::Level(origin) => {
            body.insert((*name).to_owned(), value.as_str().into());
            body.insert((*origin).to_owned(), "subscription".into());
        }
        Notify::Switch => {
            body.insert((*name).to_owned(), (value == "1").into());
        }
        Notify::Text => {
            body.insert((*name).to_owned(), value.as_str().into());
        }
    }
}

/// `GET rooms.isMember`: asked of rooms that the caller may see.
pub(crate) async fn is_member(call: Call) -> Answer {
    let room = named(&call.query)?;
    let (core, caller) = (call.core(), call.caller()?);
    let access = core.access(caller, room).await.map_err(|error| match error {
        Error::NoRoom => not_found(),
        other => other.into(),
    })?;
    let user = match (call.param("userId"), call.param("username")) {
        (Some(id), _) => UserId::from(id),
        (None, Some(name)) => core.user_named(name).await?.id,
        (None, None) => {
            let text = "must have required property 'userId'\n must have required property \
                        'username'\n must match a schema in anyOf";
            return Err(Failure::Schema(text.to_owned()));
        }
    };
    let found = core.conversation(caller, &access.room().id).await?;
    let member = found.members.iter().any(|(id, _)| *id == user);
    Ok(wire::success(|o| o.flag("isMember", member)))
}

/// `POST dm.leave` and `rooms.leave`: nobody leaves a direct room.
pub(crate) async fn leave(call: Call) -> Answer {
    let room = named(&call.body)?;
    call.core().access(call.caller()?, room).await.map_err(|error| match error {
        Error::NoRoom => not_found(),
        other => other.into(),
    })?;
    let details = json!({"method": "leaveRoom"});
    Err(Failure::detailed("error-not-allowed", "Not allowed", details))
}

pub(crate) fn not_erased(error: Error) -> Failure {
    match error {
        Error::NotAllowed => Failure::coded("error-not-allowed", "Not allowed"),
        Error::Lacks(Perm::DeleteD) => {
            Failure::detailed("error-not-allowed", "Not allowed", json!({"method": "eraseRoom"}))
        }
        other => other.into(),
    }
}

/// `POST dm.delete` (section 5.14).
pub(crate) async fn dm_delete(call: Call) -> Answer {
    const FORMS: &[Form] = &[
        Form { required: &["roomId"], allowed: &[("roomId", Kind::Text)] },
        Form { required: &["username"], allowed: &[("username", Kind::Text)] },
    ];
    schema::one_of(FORMS, &call.body).map_err(Failure::Schema)?;
    let (core, caller) = (call.core(), call.caller()?);
    let room = match (call.text("roomId"), call.text("username")) {
        (Some(room), _) => room.to_owned(),
        (None, Some(name)) => core.resolve_username(caller, name).await?.room().id.to_string(),
        (None, None) => return Err(Error::NoRoom.into()),
    };
    core.delete_room(caller, &room).await.map_err(not_erased)?;
    Ok(wire::success(|_| {}))
}

/// `POST rooms.delete`.
pub(crate) async fn delete(call: Call) -> Answer {
    let room = call.text("roomId").ok_or_else(|| {
        Failure::coded("error-room-id-param-not-provided", "The 'roomId' param is required")
    })?;
    call.core().delete_room(call.caller()?, room).await.map_err(not_erased)?;
    Ok(wire::success(|_| {}))
}

/// `POST dm.blockUser` (section 5.15).
pub(crate) async fn block(call: Call) -> Answer {
    const FORM: Form = Form {
        required: &["roomId", "block"],
        allowed: &[("roomId", Kind::Text), ("block", Kind::Flag)],
    };
    schema::check(&FORM, &call.body).map_err(Failure::Schema)?;
    let (core, caller) = (call.core(), call.caller()?);
    let invalid = || Failure::coded("error-invalid-room", "Invalid room");
    let access = core.access(caller, call.text("roomId").ok_or_else(invalid)?).await;
    let access = access.map_err(|error| match error {
        Error::NoRoom | Error::NoAccess => invalid(),
        other => other.into(),
    })?;
    let on = schema::flag(call.body.get("block"));
    core.set_block(caller, &access, on).await.map_err(|error| match error {
        Error::NoRoom => invalid(),
        other => other.into(),
    })?;
    Ok(wire::success(|_| {}))
}

/// `GET chat.ignoreUser`: keeps whom the caller does not want to see.
pub(crate) async fn ignore(call: Call) -> Answer {
    let param = |name: &'static str, code| {
        let text = format!("The required \"{name}\" param is missing.");
        call.param(name).ok_or_else(|| Failure::coded(code, text))
    };
    let room = param("rid", "error-room-id-param-not-provided")?;
    let user = param("userId", "error-user-id-param-not-provided")?;
    let on = call.param("ignore").is_none_or(|text| text == "true" || text == "1");
    let (core, caller) = (call.core(), call.caller()?);
    let invalid = || Failure::coded("error-invalid-subscription", "Invalid subscription");
    let access = core.access(caller, room).await.map_err(|error| match error {
        Error::NoRoom | Error::NoAccess => invalid(),
        other => other.into(),
    })?;
    // The list is kept with the membership: only members can be on it, so it stays short.
    let found = core.conversation(caller, &access.room().id).await?;
    if !found.members.iter().any(|(id, _)| id.as_str() == user) {
        return Err(invalid());
    }
    changed(&call, room, |body| {
        let all = body.get("ignored").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut all: Vec<Value> = all.into_iter().filter(|id| id != user).collect();
        if on {
            all.push(user.into());
        }
        body.insert("ignored".to_owned(), all.into());
    })
    .await?;
    Ok(wire::success(|_| {}))
}

/// `GET rooms.images`: no message holds a file yet, so every member reads an empty list.
pub(crate) async fn images(call: Call) -> Answer {
    const FORM: Form = Form {
        required: &["roomId"],
        allowed: &[
            ("roomId", Kind::Text),
            ("startingFromId", Kind::Text),
            ("count", Kind::Count),
            ("offset", Kind::Count),
        ],
    };
    schema::check(&FORM, &call.query).map_err(Failure::Schema)?;
    let paging = Paging::read(&call, Reads::NEITHER, &[])?;
    let room = call.query.get("roomId").map(schema::text).unwrap_or_default();
    call.core().access(call.caller()?, &room).await.map_err(|error| match error {
        Error::NoRoom => Failure::Forbidden,
        other => other.into(),
    })?;
    Ok(wire::success(|o| {
        o.raw("files", "[]");
        wire::count(o, "count", 0);
        o.number("offset", paging.offset());
        o.number("total", 0);
    }))
}
