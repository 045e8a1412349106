//! `chat.update` and `chat.delete` (contract section 9.1). The room that the caller names is only ever
//! compared with the message's own; rights are asked of what is stored.

use crate::call::Call;
use crate::carried::{custom_fields, mismatch, texts};
use crate::chat::one_message;
use crate::error::Failure;
use crate::routes::Answer;
use crate::{schema, told, wire};
use parlance_core::edit::NewText;
use parlance_core::send::TextLimit;
use parlance_core::{Access, Error, Message, Perm};
use parlance_http::json::{Dates, Object};
use serde_json::{Map, Value};

/// A text that the body must have, and may be empty.
fn required<'a>(call: &'a Call, name: &'static str) -> Result<&'a str, Failure> {
    match call.body.get(name) {
        None => Err(mismatch(format!("Missing key '{name}'"))),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(mismatch(format!("Expected string in field {name}"))),
    }
}

/// The message that the body names, if it is in the room that it names as well.
async fn named(call: &Call) -> Result<(Message, Access), Failure> {
    let (room, id) = (required(call, "roomId")?, required(call, "msgId")?);
    let found = call.core().message(call.caller()?, id).await?;
    let found = found
        .ok_or_else(|| Failure::plain(format!("No message found with the id of \"{id}\".")))?;
    if found.0.room.as_str() != room {
        let text = "The room id provided does not match where the message is from.";
        return Err(Failure::plain(text));
    }
    Ok(found)
}

/// `POST chat.update`.
pub(crate) async fn update(call: Call) -> Answer {
    required(&call, "roomId")?;
    required(&call, "msgId")?;
    let text = required(&call, "text")?.to_owned();
    let found = named(&call).await?;
    one_message(&call, edit(&call, "chat.update", found, text).await?).await
}

/// Gives a message another text, by the call of this name; what else may change is in the body.
pub(crate) async fn edit(
    call: &Call,
    action: &str,
    found: (Message, Access),
    text: String,
) -> Result<Message, Failure> {
    let preview_urls = match call.body.get("previewUrls") {
        None | Some(Value::Null) => None,
        Some(list) => Some(texts(list).ok_or_else(|| mismatch("Expected array of strings"))?),
    };
    let mut body = Map::new();
    custom_fields(call, &call.body, &mut body)?;
    let new = NewText { text, limit: TextLimit::Utf16, body, preview_urls };
    let (caller, message) = (call.caller()?, found.0.clone());
    let work = call.core().edit(caller, found, new);
    let edited = told::of_message(call, caller, (action, &message), work).await;
    edited.map_err(|error| match error {
        Error::NoMessage => Error::SwitchedOff(parlance_core::error::Feature::Editing).into(),
        other => Failure::from(other),
    })
}

/// `POST chat.delete`.
pub(crate) async fn delete(call: Call) -> Answer {
    let as_author = match call.body.get("asUser") {
        None | Some(Value::Null) => false,
        some => {
            let fits = schema::fits(schema::Kind::Flag, some.unwrap_or(&Value::Null));
            fits.map_err(Failure::Schema)?;
            schema::flag(some)
        }
    };
    let (message, access) = named(&call).await?;
    let (id, room, author) = (message.id.clone(), message.room.clone(), message.author.clone());
    let (caller, what) = (call.caller()?, message.clone());
    let work = call.core().delete(caller, (message, access), as_author);
    let deleted = told::of_message(&call, caller, ("chat.delete", &what), work).await;
    deleted.map_err(|error| match error {
        Error::Lacks(Perm::ForceDeleteMessage) => Failure::plain(
            "Unauthorized. You must have the permission \"force-delete-message\" to delete \
             other's message as them.",
        ),
        Error::ReadOnly => {
            Failure::plain("You can't delete messages because the room is readonly.")
        }
        Error::NoMessage => Failure::plain(format!("No message found with the id of \"{id}\".")),
        other => other.into(),
    })?;
    let now = call.core().clock().now();
    Ok(wire::success(|o| {
        o.text("_id", id.as_str());
        o.text("ts", &now.to_string());
        o.object("message", |o| {
            o.text("_id", id.as_str());
            o.text("rid", room.as_str());
            o.object("u", |u| {
                u.text("_id", author.id.as_str());
                u.text("username", &author.username);
                u.text_if("name", author.name.as_deref());
            });
        });
    }))
}

/// `GET chat.getEditHistory` (ours): what a message said before, for members, where the settings keep
/// that and show it.
pub(crate) async fn edit_history(call: Call) -> Answer {
    let id = call
        .param("msgId")
        .ok_or_else(|| Failure::plain("The \"msgId\" query parameter must be provided."))?;
    let found = call.core().message(call.caller()?, id).await?;
    let (message, access) = found.ok_or(Failure::Bare)?;
    let versions = call.core().versions(&access, &message).await?;
    Ok(wire::success(|o| {
        o.array("versions", &versions, |out, version| {
            let mut o = Object::new(out, Dates::Iso);
            o.text("msg", &version.text);
            o.date("until", version.until);
            o.object("editedBy", |u| {
                u.text("_id", version.by.as_str());
                u.text_if("username", version.username.as_deref());
            });
            o.end();
        });
    }))
}
