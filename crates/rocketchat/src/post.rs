//! Sending (contract sections 7.2 and 7.3): `chat.sendMessage` with the client's own id, and
//! `chat.postMessage` with targets by name. Both check types here, and send through one core function.

use crate::call::Call;
use crate::carried::{carried, flag, mismatch, text, texts};
use crate::chat::one_message;
use crate::error::Failure;
use crate::routes::Answer;
use crate::{dm, schema, wire};
use parlance_core::send::{NewMessage, TextLimit};
use parlance_core::{Access, Error, Message, UserId};
use parlance_http::json::Dates;
use serde_json::{Map, Value, json};

/// Targets of one `chat.postMessage` at most.
const MOST_TARGETS: usize = 50;

/// Message types that only the server writes (section 7.8).
const SYSTEM: &[&str] = &[
    "room_changed_topic",
    "room_changed_name",
    "room_changed_description",
    "room_changed_announcement",
    "room_changed_avatar",
    "room_changed_privacy",
    "message_pinned",
    "message_pinned_e2e",
    "rm",
    "r",
    "uj",
    "ul",
    "ut",
    "au",
    "ru",
    "wm",
    "user-muted",
    "user-unmuted",
    "user_joined_otr",
    "otr",
    "otr-ack",
    "user_requested_otr_key_refresh",
    "user_key_refreshed_successfully",
    "subscription-role-added",
    "subscription-role-removed",
    "room-archived",
    "room-unarchived",
    "room-set-read-only",
    "room-removed-read-only",
    "room-allowed-reacting",
    "room-disallowed-reacting",
    "discussion-created",
    "videoconf",
    "room_e2e_enabled",
    "room_e2e_disabled",
    "command",
    "jitsi_call_started",
    "message_snippeted",
    "thread-created",
    "ujt",
    "ult",
    "added-user-to-team",
    "removed-user-from-team",
];

/// `POST chat.sendMessage`.
pub(crate) async fn send_message(call: Call) -> Answer {
    one_message(&call, send(&call, "chat.sendMessage").await?).await
}

/// Sends the body's `message`; `name` is what the caller called. A refusal is told to the sender's sockets,
/// too, where the message would have come (contract section 7.3).
pub(crate) async fn send(call: &Call, name: &str) -> Result<Message, Failure> {
    let sent = try_send(call, name).await;
    if let Err(failure) = &sent
        && let Some(why) = failure.words()
        && let Some(Value::String(room)) = call.body.get("message").and_then(|one| one.get("rid"))
    {
        call.core().whisper(call.caller()?, room, &why);
    }
    sent
}

async fn try_send(call: &Call, name: &str) -> Result<Message, Failure> {
    let message = match call.body.get("message") {
        Some(Value::Object(message)) => message,
        None | Some(Value::Null) => {
            let reason = "The \"message\" parameter must be provided.";
            return Err(Failure::coded("error-invalid-params", reason));
        }
        Some(_) => return Err(mismatch("Expected object in field message")),
    };
    let new = draft(call, message, name)?;
    let rid = text(message, "rid")?.filter(|rid| !rid.is_empty());
    let missing = || Failure::plain("The 'rid' property on the message object is missing.");
    let (core, caller) = (call.core(), call.caller()?);
    let access = core.access(caller, rid.ok_or_else(missing)?).await.map_err(send_error)?;
    Ok(core.send(caller, &access, new).await.map_err(send_error)?.message)
}

/// The message of a send, checked in the contract's order.
fn draft(call: &Call, message: &Map<String, Value>, name: &str) -> Result<NewMessage, Failure> {
    let kind = text(message, "t")?;
    if kind.is_some_and(|kind| SYSTEM.contains(&kind)) {
        return Err(Failure::plain(format!("Cannot send system messages using '{name}'")));
    }
    let thread = text(message, "tmid")?.filter(|id| !id.is_empty());
    let tshow = flag(message, "tshow")?;
    if tshow && thread.is_none() {
        return Err(Failure::detailed(
            "invalid-params",
            "tshow provided but missing tmid",
            json!({"method": "sendMessage"}),
        ));
    }
    let client_ts = match message.get("ts") {
        None | Some(Value::Null) => None,
        Some(ts) => Some(Call::time(ts).ok_or_else(|| mismatch("Expected date in field ts"))?),
    };
    let body = carried(call, message)?;
    let preview_urls = match call.body.get("previewUrls") {
        None | Some(Value::Null) => None,
        Some(list) => Some(texts(list).ok_or_else(|| mismatch("Expected array of strings"))?),
    };
    Ok(NewMessage {
        id: text(message, "_id")?.filter(|id| !id.is_empty()).map(str::to_owned),
        kind: kind.filter(|kind| *kind == "e2e").map(str::to_owned),
        thread: thread.map(str::to_owned),
        tshow,
        client_ts,
        body,
        preview_urls,
        ..NewMessage::text(text(message, "msg")?.unwrap_or(""))
    })
}

/// On a send, a foreign room and one that is not there are the same (ruling B4).
pub(crate) fn send_error(error: Error) -> Failure {
    match error {
        Error::NoAccess | Error::NoRoom => Error::NotAllowed.into(),
        Error::BadId => mismatch("Expected a usable id in field _id"),
        other => other.into(),
    }
}

/// The message of a `chat.postMessage`, whose keys have older names too.
fn post(call: &Call) -> Result<NewMessage, Failure> {
    let parse_urls = match call.body.get("parseUrls") {
        None | Some(Value::Null) => !call.body.contains_key("attachments"),
        some => schema::flag(some),
    };
    let text_of = |names: [&str; 2]| -> Result<Option<&str>, Failure> {
        let first = text(&call.body, names[0])?;
        Ok(first.or(text(&call.body, names[1])?))
    };
    let mut message = Map::new();
    let pairs = [
        ("alias", ["alias", "username"]),
        ("emoji", ["emoji", "icon_emoji"]),
        ("avatar", ["avatar", "icon_url"]),
    ];
    for (name, keys) in pairs {
        if let Some(value) = text_of(keys)?.filter(|value| !value.is_empty()) {
            message.insert(name.to_owned(), value.into());
        }
    }
    for name in ["customFields", "bot"] {
        let kept = |value: &&Value| name != "bot" || value.is_object() || value.is_boolean();
        if let Some(value) = call.body.get(name).filter(kept) {
            message.insert(name.to_owned(), value.clone());
        }
    }
    let attachments = call.body.get("attachments").filter(|list| list.is_array());
    let attachments = attachments.cloned().unwrap_or_else(|| json!([]));
    message.insert("attachments".to_owned(), attachments);
    let mut body = carried(call, &message)?;
    let groupable = schema::flag(call.body.get("groupable"));
    body.insert("groupable".to_owned(), groupable.into());
    body.insert("parseUrls".to_owned(), parse_urls.into());
    Ok(NewMessage {
        thread: text(&call.body, "tmid")?.filter(|id| !id.is_empty()).map(str::to_owned),
        body,
        parse_urls,
        limit: TextLimit::Utf16,
        ..NewMessage::text(text_of(["text", "msg"])?.unwrap_or("").trim())
    })
}

/// `POST chat.postMessage`.
pub(crate) async fn post_message(call: Call) -> Answer {
    let targets = targets(&call)?;
    let new = post(&call)?;
    // Every target is found before a conversation is made or a message written, so that a misspelt
    // one leaves nothing behind.
    for target in &targets {
        check_target(&call, target).await?;
    }
    let mut rooms: Vec<(&str, Access)> = Vec::new();
    for target in &targets {
        let access = target_room(&call, target).await?;
        if !rooms.iter().any(|(_, known)| known.room().id == access.room().id) {
            rooms.push((target, access));
        }
    }
    let all: Vec<&Access> = rooms.iter().map(|(_, access)| access).collect();
    let sent = call.core().send_to_all(call.caller()?, &all, &new).await.map_err(send_error)?;
    let first = rooms.iter().map(|(target, _)| *target).zip(sent).next();
    let (target, sent) = first.ok_or_else(|| Failure::plain("unknown-error"))?;
    let message = call.core().shown(sent.message).await?;
    Ok(wire::success(|o| {
        o.number("ts", call.core().clock().now());
        o.text("channel", target);
        wire::message(o.key("message"), &message, Dates::Iso);
    }))
}

/// `roomId` or `channel`, each a text or a list of them.
fn targets(call: &Call) -> Result<Vec<String>, Failure> {
    let mut list = Vec::new();
    for name in ["channel", "roomId"] {
        let not_text = || Failure::Schema("must be string".to_owned());
        match call.body.get(name) {
            Some(Value::String(one)) if !one.trim().is_empty() => {
                list = vec![one.trim().to_owned()];
            }
            Some(all @ Value::Array(_)) => list = texts(all).ok_or_else(not_text)?,
            Some(Value::Object(_)) => return Err(not_text()),
            _ => {}
        }
    }
    if list.is_empty() || list.len() > MOST_TARGETS {
        return Err(Error::NoRoom.into());
    }
    Ok(list)
}

/// Is there somebody or something under this target?
async fn check_target(call: &Call, target: &str) -> Result<(), Failure> {
    let (core, caller) = (call.core(), call.caller()?);
    let nobody = |error| match error {
        Error::NoUser => Failure::Core(Error::NoRoom),
        other => other.into(),
    };
    if target.starts_with('#') {
        return Err(Error::NoRoom.into());
    }
    if let Some(name) = target.strip_prefix('@') {
        return core.user_named(name).await.map(drop).map_err(nobody);
    }
    match core.access(caller, target).await {
        Err(Error::NoRoom) => {
            let found = core.user(&UserId::from(target)).await;
            found.map(drop).map_err(|error| match error {
                Error::NoUser => send_error(Error::NoRoom),
                other => other.into(),
            })
        }
        other => other.map(drop).map_err(send_error),
    }
}

/// The room of one target: `@user` opens the conversation; anything else is a room's id or a user's.
async fn target_room(call: &Call, target: &str) -> Result<Access, Failure> {
    let (core, caller) = (call.core(), call.caller()?);
    if let Some(name) = target.strip_prefix('@') {
        let opened = core.open_direct(caller, &[name], false).await.map_err(|e| match e {
            Error::NoUser => Error::NoRoom.into(),
            other => dm::create_error(other),
        })?;
        return Ok(core.access(caller, opened.room.id.as_str()).await?);
    }
    core.resolve_room(caller, target).await.map_err(send_error)
}
