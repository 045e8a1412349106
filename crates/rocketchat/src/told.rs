//! What the audit tells of an administrator's call: a row that is part of the change. Only members that
//! are named here are told, so that no secret of a body can get into it; of what else an account is
//! given, the name alone.

use crate::call::Call;
use parlance_core::audit::Told;
use parlance_core::{Caller, Message, setting};
use serde_json::{Map, Value, json};
use std::future::Future;

/// Texts, numbers and switches of a body that are told as they are.
const PLAIN: &[&str] = &[
    "userId",
    "username",
    "user",
    "name",
    "email",
    "roles",
    "active",
    "verified",
    "activeStatus",
    "daysIdle",
    "role",
    "roomId",
    "latest",
    "oldest",
    "inclusive",
    "limit",
    "excludePinned",
    "filesOnly",
    "users",
    "permissions",
    "roleId",
    "roleName",
    "scope",
    "description",
    "mandatory2fa",
];

/// A row's detail is not longer than this, in bytes of JSON.
const LONGEST: usize = 16 * 1024;

/// What stands for a value that is not told.
const HIDDEN: &str = "(hidden)";

/// What is to be told of a call. What changes oneself alone is not, except by `users.update`, which can change
/// what an account may do.
pub(crate) fn of<'a>(call: &Call, route: &'a str) -> Option<Told<'a>> {
    let detail = match route {
        "settings/" => setting(call)?,
        "permissions.update"
        | "roles.create"
        | "roles.update"
        | "roles.delete"
        | "roles.addUserToRole"
        | "roles.removeUserFromRole"
        | "users.create"
        | "users.update"
        | "users.setActiveStatus"
        | "users.deactivateIdle"
        | "users.delete"
        | "dm.delete"
        | "rooms.delete"
        | "rooms.cleanHistory" => members(&call.body),
        "users.setPreferences"
        | "users.setStatus"
        | "users.setAvatar"
        | "users.resetAvatar"
        | "users.logout"
        | "users.createToken"
            if is_about_another(call) =>
        {
            members(&call.body)
        }
        _ => return None,
    };
    let room = call.text("roomId").map(str::to_owned);
    Some(told(route, room, detail))
}

/// The same of what is removed by a method (`eraseRoom`).
pub(crate) fn erased(room: &str) -> Told<'static> {
    told("eraseRoom", Some(room.to_owned()), json!({ "roomId": room }))
}

/// Does what changes a message, by a right where another wrote it: then the row says which and whose, and
/// nothing of what it says.
pub(crate) async fn of_message<T>(
    call: &Call,
    caller: &Caller,
    (action, message): (&str, &Message),
    work: impl Future<Output = T>,
) -> T {
    if message.author.id == *caller.id() {
        return work.await;
    }
    let author = json!({"_id": message.author.id.as_str(), "username": message.author.username});
    let detail = json!({"messageId": message.id.as_str(), "author": author});
    let told = told(action, Some(message.room.to_string()), detail);
    Box::pin(call.core().told(caller, &call.ip, told, work)).await
}

fn told(action: &str, room: Option<String>, mut detail: Value) -> Told<'_> {
    let bytes = detail.to_string().len();
    if bytes > LONGEST {
        detail = json!({ "bytes": bytes });
    }
    // Longer than an id: there is no such room.
    let room = room.filter(|room| room.len() <= 256);
    Told { action: action.trim_end_matches('/'), room, detail }
}

fn setting(call: &Call) -> Option<Value> {
    let known = setting::known(call.segment())?;
    let shown = |value: &Value| if known.is_secret() { HIDDEN.into() } else { value.clone() };
    let from = shown(&call.settings.get(known).value);
    let to = shown(call.body.get("value").unwrap_or(&Value::Null));
    Some(json!({"setting": known.id, "from": from, "to": to}))
}

fn members(body: &Map<String, Value>) -> Value {
    let mut detail = Map::new();
    for (name, value) in body {
        match value {
            Value::Object(data) if name == "data" => {
                detail.insert(name.clone(), members(data));
            }
            _ if PLAIN.contains(&name.as_str()) => {
                detail.insert(name.clone(), value.clone());
            }
            _ => {
                detail.insert(name.clone(), HIDDEN.into());
            }
        }
    }
    detail.into()
}

fn is_about_another(call: &Call) -> bool {
    let Ok(caller) = call.caller() else {
        return false;
    };
    let user = caller.user();
    ["userId", "username", "user"].iter().filter_map(|name| call.text(name)).any(|who| {
        who != user.id.as_str() && !who.trim_start_matches('@').eq_ignore_ascii_case(user.handle())
    })
}
