//! What a message carries beside its text, checked by type before it is stored (contract sections 7.3
//! and 7.7). Only what stands here is carried: author, time and marks are never a client's to set.

use crate::call::Call;
use crate::error::Failure;
use parlance_core::{Perm, setting};
use serde_json::{Map, Value};

/// Is a carried member of the type it should have?
type Fits = fn(&Value) -> bool;

pub(crate) fn mismatch(text: impl std::fmt::Display) -> Failure {
    Failure::plain(format!("Match error: {text}"))
}

/// `customFields`, where they are switched on.
pub(crate) fn custom_fields(
    call: &Call,
    message: &Map<String, Value>,
    body: &mut Map<String, Value>,
) -> Result<(), Failure> {
    match message.get("customFields") {
        None | Some(Value::Null) => Ok(()),
        Some(fields @ Value::Object(_)) if call.settings.on(&setting::CUSTOM_FIELDS) => {
            body.insert("customFields".to_owned(), fields.clone());
            Ok(())
        }
        Some(_) => Err(Failure::plain("Custom fields not enabled")),
    }
}

/// The members of a message that are carried as they are, checked (sections 7.3 and 7.7).
pub(crate) fn carried(
    call: &Call,
    message: &Map<String, Value>,
) -> Result<Map<String, Value>, Failure> {
    let mut body = Map::new();
    for name in ["alias", "avatar", "emoji"] {
        let Some(value) = text(message, name)?.filter(|value| !value.is_empty()) else {
            continue;
        };
        if name != "emoji" && !call.core().may(call.caller()?, Perm::MessageImpersonate) {
            return Err(Failure::plain("Not enough permission"));
        }
        let path = value.starts_with('/') && !value.starts_with("//");
        if name == "avatar" && !(is_link(value) || path) {
            return Err(mismatch("Expected an URL in field avatar"));
        }
        body.insert(name.to_owned(), value.into());
    }
    match message.get("attachments") {
        None | Some(Value::Null) => {}
        Some(Value::Array(list)) => {
            list.iter().try_for_each(check_attachment)?;
            body.insert("attachments".to_owned(), list.clone().into());
        }
        Some(_) => return Err(mismatch("Expected array in field attachments")),
    }
    custom_fields(call, message, &mut body)?;
    let typed: [(&str, Fits); 5] = [
        ("groupable", Value::is_boolean),
        ("bot", |bot| bot.is_object() || bot.is_boolean()),
        ("content", Value::is_object),
        ("e2eMentions", Value::is_object),
        ("location", Value::is_object),
    ];
    for (name, fits) in typed {
        let Some(value) = message.get(name).filter(|value| !value.is_null()) else {
            continue;
        };
        if !fits(value) {
            return Err(mismatch(format!("Unexpected value in field {name}")));
        }
        body.insert(name.to_owned(), value.clone());
    }
    Ok(body)
}

/// An absolute URL or a path of uploads, and nothing that runs.
fn is_link(text: &str) -> bool {
    let absolute = |(scheme, rest): (&str, &str)| {
        matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https" | "ftp") && !rest.is_empty()
    };
    text.starts_with("/file-upload/") || text.split_once("://").is_some_and(absolute)
}

fn check_attachment(attachment: &Value) -> Result<(), Failure> {
    const TEXTS: &[&str] = &[
        "color",
        "text",
        "button_alignment",
        "author_name",
        "title",
        "image_preview",
        "image_type",
        "audio_type",
        "video_type",
    ];
    const FLAGS: &[&str] = &["collapsed", "title_link_download"];
    const NUMBERS: &[&str] = &["image_size", "audio_size", "video_size"];
    const LINKS: &[&str] = &[
        "thumb_url",
        "message_link",
        "author_link",
        "author_icon",
        "title_link",
        "image_url",
        "audio_url",
        "video_url",
    ];
    let Value::Object(map) = attachment else {
        return Err(mismatch("Expected object in field attachments"));
    };
    for (name, value) in map.iter().filter(|(_, value)| !value.is_null()) {
        let name = name.as_str();
        let fits = match name {
            _ if TEXTS.contains(&name) => value.is_string(),
            _ if FLAGS.contains(&name) => value.is_boolean(),
            _ if NUMBERS.contains(&name) => value.is_number(),
            _ if LINKS.contains(&name) => value.as_str().is_some_and(is_link),
            "ts" => value.is_string() || value.is_number() || value.is_object(),
            "image_dimensions" => value.is_object(),
            "actions" => value.as_array().is_some_and(|all| all.iter().all(action_fits)),
            "fields" => value.as_array().is_some_and(|all| all.iter().all(field_fits)),
            "attachments" => value
                .as_array()
                .is_some_and(|all| all.iter().all(|inner| check_attachment(inner).is_ok())),
            _ => true,
        };
        if !fits {
            return Err(mismatch(format!("Unexpected value in field attachments.{name}")));
        }
    }
    Ok(())
}

fn action_fits(action: &Value) -> bool {
    let link = |name: &str| {
        action.get(name).is_none_or(|value| value.is_null() || value.as_str().is_some_and(is_link))
    };
    action.is_object() && link("url") && link("image_url")
}

fn field_fits(field: &Value) -> bool {
    let is = |name: &str, test: fn(&Value) -> bool| field.get(name).is_none_or(test);
    field.is_object()
        && is("short", Value::is_boolean)
        && is("title", Value::is_string)
        && is("value", |value| value.is_string() || value.is_number() || value.is_boolean())
}

/// A text member; absent and null are none, anything else is a mismatch.
pub(crate) fn text<'a>(
    map: &'a Map<String, Value>,
    name: &str,
) -> Result<Option<&'a str>, Failure> {
    match map.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(mismatch(format!("Expected string in field {name}"))),
    }
}

pub(crate) fn flag(map: &Map<String, Value>, name: &str) -> Result<bool, Failure> {
    match map.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(mismatch(format!("Expected boolean in field {name}"))),
    }
}

pub(crate) fn texts(list: &Value) -> Option<Vec<String>> {
    list.as_array()?.iter().map(|one| one.as_str().map(str::to_owned)).collect()
}
