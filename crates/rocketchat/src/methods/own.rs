//! Methods about one's own account, and others that are a route in other clothes: the arguments are put
//! where the route of the same meaning has them, and what that refuses the method does too.

use super::Outcome;
use super::ask::{Ask, mismatch, text};
use crate::{commands, directory, preferences, profile, room_settings};
use serde_json::{Map, Value, json};

/// What a route's answer holds, without the word that it is a success.
fn bare(answer: &str) -> String {
    let rest = answer.strip_suffix(",\"success\":true}");
    rest.map_or_else(|| answer.to_owned(), |rest| format!("{rest}}}"))
}

/// `spotlight [text, usernames?, {users, rooms}?, rid?]`
pub(super) async fn spotlight(mut ask: Ask) -> Outcome {
    let mut query = Map::new();
    query.insert("query".to_owned(), ask.text(0)?.into());
    if let Some(room) = ask.text_if(3)? {
        query.insert("rid".to_owned(), room.into());
    }
    match ask.take(1) {
        None => {}
        Some(Value::Array(names)) => {
            let names: Option<Vec<&str>> = names.iter().map(Value::as_str).collect();
            query.insert("usernames".to_owned(), names.ok_or_else(mismatch)?.join(",").into());
        }
        Some(_) => return Err(mismatch()),
    }
    match ask.take(2) {
        None => {}
        Some(kind @ Value::Object(_)) => {
            query.insert("type".to_owned(), kind.to_string().into());
        }
        Some(_) => return Err(mismatch()),
    }
    directory::spotlight(ask.into_call(query, Map::new())).await.map(|answer| bare(&answer))
}

/// `slashCommand [{cmd, params, msg: {_id, rid, msg, tmid?}, triggerId?}]`
pub(super) async fn slash(ask: Ask) -> Outcome {
    let wanted = ask.object(0)?;
    let message = wanted.get("msg").and_then(Value::as_object).ok_or_else(mismatch)?;
    let mut body = Map::new();
    let given = [
        ("command", text(wanted, "cmd")?),
        ("params", text(wanted, "params")?),
        ("roomId", text(message, "rid")?),
        ("tmid", text(message, "tmid")?),
    ];
    for (name, value) in given {
        if let Some(value) = value {
            body.insert(name.to_owned(), value.into());
        }
    }
    commands::run(ask.into_call(Map::new(), body)).await?;
    Ok(String::new())
}

/// `saveUserPreferences [preferences]`
pub(super) async fn preferences(mut ask: Ask) -> Outcome {
    let data = ask.take(0).ok_or_else(mismatch)?;
    let body = Map::from_iter([("data".to_owned(), data)]);
    preferences::set(ask.into_call(Map::new(), body)).await?;
    Ok("true".to_owned())
}

/// `saveUserProfile [{realname, username, email, …, newPassword, typedPassword}, customFields?]`
pub(super) async fn profile(mut ask: Ask) -> Outcome {
    const NAMES: &[(&str, &str)] = &[
        ("realname", "name"),
        ("username", "username"),
        ("email", "email"),
        ("nickname", "nickname"),
        ("bio", "bio"),
        ("statusText", "statusText"),
        ("statusType", "statusType"),
        ("newPassword", "newPassword"),
        ("typedPassword", "currentPassword"),
    ];
    let wanted = ask.object(0)?;
    let mut data = Map::new();
    for (theirs, ours) in NAMES {
        if let Some(value) = text(wanted, theirs)? {
            data.insert((*ours).to_owned(), value.into());
        }
    }
    let mut body = Map::from_iter([("data".to_owned(), data.into())]);
    if let Some(fields) = ask.take(1) {
        body.insert("customFields".to_owned(), fields);
    }
    profile::update_own(ask.into_call(Map::new(), body)).await?;
    Ok("true".to_owned())
}

/// `saveRoomSettings [rid, settings]`, or `[rid, name, value]`.
pub(super) async fn room_settings(mut ask: Ask) -> Outcome {
    let room = ask.text(0)?.to_owned();
    let mut body = match ask.take(1) {
        Some(Value::Object(settings)) => settings,
        Some(Value::String(name)) => Map::from_iter([(name, ask.take(2).unwrap_or_default())]),
        _ => return Err(mismatch()),
    };
    body.insert("rid".to_owned(), room.as_str().into());
    room_settings::save(ask.into_call(Map::new(), body)).await?;
    Ok(json!({"result": true, "rid": room}).to_string())
}
