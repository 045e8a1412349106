//! Methods on single messages: sending, changing, removing, marking. Each ends where the route of the
//! same meaning ends, so that what one refuses the other does too.

use super::Outcome;
use super::ask::{Ask, text};
use crate::error::Failure;
use crate::{change, chat, post, told, wire};
use parlance_core::list::ListQuery;
use parlance_core::{Error, Message, setting};
use parlance_http::json::{Dates, Object};
use parlance_http::limit::Window;
use serde_json::{Map, Value, json};

/// Members of a message that an edit may name with another value.
const EDITABLE: &[&str] = &[
    "tshow",
    "alias",
    "attachments",
    "avatar",
    "emoji",
    "msg",
    "customFields",
    "content",
    "e2eMentions",
];

/// One message as a result.
async fn one(ask: &Ask, message: Message) -> Outcome {
    let message = ask.core().shown(message).await?;
    let mut out = String::new();
    wire::message(&mut out, &message, Dates::Ejson);
    Ok(out)
}

/// `sendMessage [message, previewUrls?]`
pub(super) async fn send(mut ask: Ask) -> Outcome {
    ask.seldom(Window { calls: 5, time: 1000 })?;
    let message = ask.take(0).unwrap_or_default();
    ask.put("message", message);
    if let Some(urls) = ask.take(1) {
        ask.put("previewUrls", urls);
    }
    let sent = post::send(&ask.call, "sendMessage").await?;
    one(&ask, sent).await
}

/// `updateMessage [message, previewUrls?]`
pub(super) async fn update(mut ask: Ask) -> Outcome {
    let wanted = ask.object(0)?.clone();
    let not_editable = || {
        let details = json!({"method": "updateMessage", "action": "Message_editing"});
        Failure::detailed("error-action-not-allowed", "Message editing not allowed", details)
    };
    let id = text(&wanted, "_id")?.ok_or_else(not_editable)?;
    let found = ask.core().message(ask.caller()?, id).await?;
    let (message, access) = found.ok_or_else(not_editable)?;
    only_editable(&wanted, &message)?;
    let new = text(&wanted, "msg")?.unwrap_or(&message.msg).to_owned();
    let custom = wanted.get("customFields").cloned();
    if let Some(fields) = custom {
        ask.put("customFields", fields);
    }
    if let Some(urls) = ask.take(1) {
        ask.put("previewUrls", urls);
    }
    change::edit(&ask.call, ask.method, (message, access), new).await?;
    Ok(String::new())
}

/// Refuses a message whose other members are not what is stored.
fn only_editable(wanted: &Map<String, Value>, stored: &Message) -> Result<(), Failure> {
    let stored = wire::document(wire::message)(stored);
    for (key, value) in wanted {
        let same = value.is_null() || stored.get(key) == Some(value);
        if !same && !EDITABLE.contains(&key.as_str()) {
            let text = format!("Cannot update the message {key}");
            return Err(Failure::coded("error-invalid-update-key", text));
        }
    }
    Ok(())
}

/// `deleteMessage [{_id}]`
pub(super) async fn delete(ask: Ask) -> Outcome {
    let (core, caller) = (ask.core(), ask.caller()?);
    let found = core.message(caller, ask.id(0)?).await?;
    let found = found.ok_or_else(|| {
        let details = json!({"method": "deleteMessage", "action": "Delete_message"});
        Failure::detailed("error-action-not-allowed", "Not allowed", details)
    })?;
    let message = found.0.clone();
    let work = core.delete(caller, found, false);
    told::of_message(&ask.call, caller, (ask.method, &message), work).await?;
    Ok(String::new())
}

/// What marks say of a message that the caller may not see.
fn not_there(ask: &Ask) -> impl FnOnce(Error) -> Failure + use<> {
    let method = ask.method;
    move |error| match error {
        Error::NoMessage => {
            Failure::detailed("error-not-allowed", "Not allowed", json!({"method": method}))
        }
        other => crate::error::not_authorized(method)(other),
    }
}

/// `setReaction [emoji, id, shouldReact?]`
pub(super) async fn react(ask: Ask) -> Outcome {
    let (emoji, id) = (ask.text(0)?, ask.text(1)?);
    let on = ask.param(2).map(|_| ask.flag(2, true)).transpose()?;
    ask.core().react(ask.caller()?, id, emoji, on).await.map_err(not_there(&ask))?;
    Ok("true".to_owned())
}

/// `starMessage [{_id, starred}]`
pub(super) async fn star(ask: Ask) -> Outcome {
    let on = ask.object(0)?.get("starred").and_then(Value::as_bool).unwrap_or(false);
    ask.core().star(ask.caller()?, ask.id(0)?, on).await.map_err(not_there(&ask))?;
    Ok("true".to_owned())
}

/// `pinMessage [{_id}]`: the system message that says so.
pub(super) async fn pin(ask: Ask) -> Outcome {
    let pinned = chat::set_pin(&ask.call, ask.caller()?, (ask.method, ask.id(0)?)).await;
    one(&ask, pinned.map_err(not_there(&ask))?).await
}

/// `unpinMessage [{_id}]`
pub(super) async fn unpin(ask: Ask) -> Outcome {
    let unpinned = chat::take_pin(&ask.call, ask.caller()?, (ask.method, ask.id(0)?)).await;
    unpinned.map_err(not_there(&ask))?;
    Ok("true".to_owned())
}

/// `getSingleMessage [id]`: null for one that the caller may not see.
pub(super) async fn single(ask: Ask) -> Outcome {
    let found = ask.core().message(ask.caller()?, ask.text(0)?).await?;
    match found {
        Some((message, _)) => one(&ask, message).await,
        None => Ok("null".to_owned()),
    }
}

async fn set_follow(ask: Ask, on: bool) -> Outcome {
    let id = text(ask.object(0)?, "mid")?.unwrap_or("").to_owned();
    let core = ask.core();
    let thread = core.thread(ask.caller()?, &id).await.map_err(|error| match error {
        Error::NoThread => {
            let details = json!({"method": ask.method});
            Failure::detailed("error-invalid-message", "Invalid message", details)
        }
        other => other.into(),
    })?;
    core.follow(ask.caller()?, &thread, on).await?;
    Ok("true".to_owned())
}

/// `followMessage [{mid}]`
pub(super) async fn follow(ask: Ask) -> Outcome {
    set_follow(ask, true).await
}

/// `unfollowMessage [{mid}]`
pub(super) async fn unfollow(ask: Ask) -> Outcome {
    set_follow(ask, false).await
}

/// `messageSearch [text, rid?, limit?, offset?]`
pub(super) async fn search(ask: Ask) -> Outcome {
    let text = ask.text(0)?;
    let access = match ask.text_if(1)? {
        Some(room) => Some(ask.room(room).await?),
        None => None,
    };
    let settings = &ask.call.settings;
    let query = ListQuery {
        offset: super::ask::offset(ask.param(3))?,
        scan: settings.number(&setting::QUERY_ROWS).clamp(100, 10_000_000),
        time: settings.number(&setting::QUERY_TIME).clamp(1, 60_000),
        by: Some(ask.caller()?.id().clone()),
        ..ListQuery::first(ask.count(2, 20)?)
    };
    let document = wire::document(wire::message);
    let found = ask.core().search(ask.caller()?, access.as_ref(), text, query, document).await?;
    let mut out = String::new();
    let mut o = Object::new(&mut out, Dates::Ejson);
    o.object("message", |o| {
        o.array("docs", &found.items, |out, m| wire::message(out, m, Dates::Ejson));
    });
    o.end();
    Ok(out)
}
