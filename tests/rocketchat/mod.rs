//! The Rocket.Chat contract, endpoint by endpoint: one file per area, the refusals by their exact
//! status and text, because clients compare them.

mod accounts_custom;
mod audit;
mod audit_changes;
mod autocomplete;
mod avatars;
pub(crate) mod bad_input;
pub(crate) mod bad_params;
mod chat_carried;
mod chat_delete;
mod chat_marks;
mod chat_pins;
mod chat_post;
mod chat_refused;
mod chat_search;
mod chat_send;
mod chat_update;
mod commands;
mod counters;
mod directory;
mod dm_counters;
mod dm_create;
mod dm_files;
mod dm_history;
mod dm_list;
mod dm_list_everyone;
mod dm_members;
mod dm_messages;
mod dm_messages_others;
mod dm_open_close;
mod dm_query;
mod dm_resolve;
pub(crate) mod export;
mod export_download;
mod export_file;
mod lifecycle;
mod login;
mod marked;
mod methods;
mod methods_messages;
mod methods_own;
mod methods_rooms;
mod moderation;
mod permissions;
mod preferences;
mod presence;
mod push;
mod quotes;
mod rate;
mod read_state;
mod real_names;
mod removal;
pub(crate) mod rename;
mod retries;
mod roles;
mod roles_held;
mod room_settings;
mod rooms;
pub(crate) mod session;
mod settings;
mod sidebar;
mod start;
mod statistics;
mod subscriptions;
mod sync;
mod sync_pages;
mod talk;
mod threads;
mod transport;
mod users;
mod users_list;
mod users_status;
mod users_update;

use crate::app::{Answer, TestApp, TestUser};
use parlance_core::Access;
use serde_json::{Value, json};

/// A refusal with this status and exactly this `error`, and without an `errorType`.
#[track_caller]
fn plain(answer: &Answer, status: u16, error: &str) {
    assert_eq!(answer.expect(status), json!({"success": false, "error": error}));
}

/// A 400 with a code, its text in front of it, and these details (null for none).
#[track_caller]
fn coded(answer: &Answer, code: &str, reason: &str, details: &Value) {
    let text = if reason.is_empty() { format!("[{code}]") } else { format!("{reason} [{code}]") };
    let mut want = json!({"success": false, "error": text, "errorType": code});
    if !details.is_null() {
        want["details"] = details.clone();
    }
    assert_eq!(answer.expect(400), want);
}

/// A refusal by the route's schema.
#[track_caller]
fn schema(answer: &Answer, text: &str) {
    coded(answer, "invalid-params", text, &Value::Null);
}

/// The 401 that old and new clients read.
#[track_caller]
fn logged_out(answer: &Answer) {
    let text = "You must be logged in to do this.";
    let want = json!({"success": false, "error": text, "status": "error", "message": text});
    assert_eq!(answer.expect(401), want);
}

/// The 403 of a missing permission that the route declares.
pub(crate) const LACKS: &str =
    "User does not have the permissions required for this action [error-unauthorized]";

/// One text of each document in a list.
fn each(body: &Value, list: &str, key: &str) -> Vec<String> {
    let items = body[list].as_array().unwrap();
    items.iter().map(|item| item[key].as_str().unwrap_or("-").to_owned()).collect()
}

/// The keys of an object, sorted.
fn keys(object: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// The room and the user's membership, as the core has them.
async fn view(app: &TestApp, user: &TestUser, room: &str) -> Access {
    app.core.access(&app.caller(user).await, room).await.unwrap()
}

/// Sets a setting over the wire.
pub(crate) async fn set(app: &TestApp, admin: &TestUser, id: &str, value: Value) {
    let path = format!("settings/{id}");
    let answer = app.rocket(admin).post(&path, json!({ "value": value })).await.ok();
    assert_eq!(answer, json!({"success": true}));
}

/// Gives a permission to exactly these roles, over the wire.
pub(crate) async fn grant(app: &TestApp, admin: &TestUser, permission: &str, roles: &[&str]) {
    let body = json!({"permissions": [{"_id": permission, "roles": roles}]});
    app.rocket(admin).post("permissions.update", body).await.ok();
}
