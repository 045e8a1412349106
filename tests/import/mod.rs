//! Documents from outside come back as they were, a file can be imported again, and what cannot be
//! taken is refused by line. Through the core: what the faces make of it is tested there.

mod documents;
mod examples;
mod refusals;

use crate::app::{TestApp, TestUser};
use parlance_core::access::Access;
use parlance_core::import::{Collection, Fate, Line, Outcome};
use parlance_core::list::{ListQuery, Marks};
use parlance_core::{Message, Room, time};
use serde_json::{Map, Value, json};

/// The token of an imported account, and what its document holds of it.
const TOKEN: &str = "imported-token-of-ann";
const TOKEN_HASH: &str = "Kx6Tdg+lTd9yHWuM+gfiAsGBskt3K/D2x6kF4l+H9Fc=";
/// What an imported account has of the test password.
const BCRYPT: &str = "$2b$04$luUAPezQFMo1yAtevlnypOnDMjKCpfJjuHJv9qTI9FCDnDEQ3WIKu";

fn line(collection: &str, document: &Value) -> String {
    json!({"collection": collection, "document": document}).to_string()
}

async fn import(app: &TestApp, lines: &[String]) -> Vec<Outcome> {
    let lines: Vec<Line<'_>> =
        (1..).zip(lines).map(|(number, line)| Line { number, bytes: line.as_bytes() }).collect();
    app.core.import_batch(&lines).await.unwrap()
}

#[track_caller]
fn all_are(fate: &Fate, outcomes: &[Outcome]) {
    for outcome in outcomes {
        assert_eq!(&outcome.fate, fate, "line {}", outcome.number);
    }
}

fn refusal(outcome: &Outcome) -> &str {
    match &outcome.fate {
        Fate::Refused(reason) => reason,
        other => unreachable!("{other:?}"),
    }
}

/// An account that can be called with [`TOKEN`].
fn account(id: &str, username: &str) -> Value {
    json!({"_id": id, "username": username, "name": username.to_uppercase(), "type": "user",
        "active": true, "roles": ["user"], "createdAt": "2020-01-01T00:00:00.000Z",
        "_updatedAt": "2021-01-01T00:00:00.000Z"})
}

fn with_token(mut account: Value) -> Value {
    account["services"] = json!({"password": {"bcrypt": BCRYPT}, "email2fa": {"enabled": true},
        "resume": {"loginTokens": [
            {"hashedToken": TOKEN_HASH, "when": {"$date": "2025-12-24T00:00:00.000Z"}},
            {"hashedToken": "b2xk", "when": {"$date": "2020-12-24T00:00:00.000Z"}}]}});
    account
}

fn imported(id: &str, username: &str) -> TestUser {
    TestUser { id: id.to_owned(), username: username.to_owned(), token: TOKEN.to_owned() }
}

/// A room's document again.
fn room_document(room: &Room) -> Value {
    let mut all: Map<String, Value> = serde_json::from_str(&room.body).unwrap();
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    all.insert("_id".into(), room.id.as_str().into());
    all.insert("t".into(), room.kind.as_str().into());
    all.insert("usernames".into(), json(&room.usernames));
    all.insert("uids".into(), json(&room.uids));
    all.insert("usersCount".into(), room.users_count.into());
    all.insert("msgs".into(), room.msgs.into());
    all.insert("ts".into(), time::iso(room.ts).into());
    all.insert("_updatedAt".into(), time::iso(room.updated).into());
    put(&mut all, "topic", room.topic.clone());
    put(&mut all, "ro", room.read_only);
    put(&mut all, "lm", room.lm.map(time::iso));
    put(&mut all, "lastMessage", room.last.as_deref().map(message_document));
    Value::Object(all)
}

/// A message's document again, as the reader sees it.
fn message_document(message: &Message) -> Value {
    let mut all: Map<String, Value> = serde_json::from_str(&message.body).unwrap();
    let json = |text: &String| serde_json::from_str::<Value>(text).unwrap();
    let mut u = Map::new();
    u.insert("_id".into(), message.author.id.as_str().into());
    u.insert("username".into(), message.author.username.as_str().into());
    put(&mut u, "name", message.author.name.clone());
    all.insert("u".into(), Value::Object(u));
    all.insert("_id".into(), message.id.as_str().into());
    all.insert("rid".into(), message.room.as_str().into());
    all.insert("msg".into(), message.msg.as_str().into());
    all.insert("ts".into(), time::iso(message.ts).into());
    all.insert("_updatedAt".into(), time::iso(message.updated).into());
    put(&mut all, "t", message.kind.clone());
    put(&mut all, "tmid", message.thread.as_ref().map(|id| id.as_str().to_owned()));
    put(&mut all, "tshow", message.tshow);
    put(&mut all, "tcount", message.tcount);
    put(&mut all, "tlm", message.tlm.map(time::iso));
    put(&mut all, "pinned", message.pinned);
    put(&mut all, "pinnedAt", message.pinned_at.map(time::iso));
    put(&mut all, "editedAt", message.edited_at.map(time::iso));
    let star = message.starred_by.as_ref().map(|user| json!([{"_id": user.as_str()}]));
    put(&mut all, "starred", star);
    for (key, text) in [
        ("mentions", &message.mentions),
        ("reactions", &message.reactions),
        ("replies", &message.replies),
        ("pinnedBy", &message.pinned_by),
        ("editedBy", &message.edited_by),
    ] {
        put(&mut all, key, text.as_ref().map(json));
    }
    Value::Object(all)
}

fn put(all: &mut Map<String, Value>, key: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        all.insert(key.to_owned(), value.into());
    }
}

async fn access(app: &TestApp, user: &TestUser, room: &str) -> Access {
    let caller = app.caller(user).await;
    app.core.access(&caller, room).await.unwrap()
}

/// The documents of a user's rooms.
async fn rooms(app: &TestApp, user: &TestUser) -> Vec<Value> {
    let caller = app.caller(user).await;
    let page = app
        .core
        .dm_list(&caller, &ListQuery::first(100), std::sync::Arc::new(|_| Value::Null))
        .await
        .unwrap();
    assert_eq!(page.total, i64::try_from(page.items.len()).unwrap());
    page.items.iter().map(room_document).collect()
}

/// The documents of a room's messages, newest first.
async fn messages(app: &TestApp, user: &TestUser, room: &str) -> Vec<Value> {
    let caller = app.caller(user).await;
    let access = app.core.access(&caller, room).await.unwrap();
    let (query, marks) = (ListQuery::first(100), Marks::default());
    let page = app
        .core
        .messages(&caller, &access, &query, &marks, std::sync::Arc::new(|_| Value::Null))
        .await
        .unwrap();
    assert_eq!(page.total, i64::try_from(page.items.len()).unwrap());
    page.items.iter().map(message_document).collect()
}

#[test]
fn collections_are_named() {
    let names: Vec<&str> = Collection::ALL.iter().map(|one| one.name()).collect();
    assert_eq!(names, ["users", "rooms", "subscriptions", "messages"]);
}
