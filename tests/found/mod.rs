//! Faults that were found by attacking the server, each with the test that would have caught it.
//! They run on both engines like the rest; a test that is ignored names a fault that is still there.

mod accounts;
mod carried;
mod imports;
mod log;
mod requests;
mod rooms;
mod sessions;

use crate::app::{Answer, TestApp, TestUser};
use parlance_core::import::{Fate, Line, Outcome};
use serde_json::{Value, json};

/// Arrays inside each other, this many.
fn nested(levels: usize) -> Value {
    (1..levels).fold(json!([]), |inner, _| json!([inner]))
}

/// A refusal with this status and this `errorType`.
#[track_caller]
fn refused(answer: &Answer, status: u16, code: &str) {
    let body = answer.expect(status);
    assert_eq!((&body["success"], &body["errorType"]), (&json!(false), &json!(code)), "{body}");
}

/// A refusal with this status and exactly this `error`.
#[track_caller]
fn plain(answer: &Answer, status: u16, error: &str) {
    assert_eq!(answer.expect(status)["error"], error);
}

/// The text of a send into a room that is read-only.
const READ_ONLY: &str = "You can't send messages because the room is readonly.";

/// Messages in the room, as its member reads them, newest first.
async fn messages(app: &TestApp, user: &TestUser, room: &str) -> Vec<Value> {
    let body = app.rocket(user).get("dm.messages", &[("roomId", room)]).await.ok();
    let all = body["messages"].as_array().unwrap().clone();
    assert_eq!(body["total"], all.len());
    all
}

/// Sets a setting as the operator.
async fn set(app: &TestApp, id: &str, value: Value) {
    app.core.overwrite_setting(id, &value).await.unwrap();
}

/// A line of an import.
fn line(collection: &str, document: &Value) -> String {
    json!({"collection": collection, "document": document}).to_string()
}

async fn import(app: &TestApp, lines: &[String]) -> Vec<Outcome> {
    let lines: Vec<Line<'_>> =
        (1..).zip(lines).map(|(number, line)| Line { number, bytes: line.as_bytes() }).collect();
    app.core.import_batch(&lines).await.unwrap()
}

/// Imports one line that must be refused, and gives the reason.
async fn import_refused(app: &TestApp, collection: &str, document: &Value) -> String {
    let outcome = import(app, &[line(collection, document)]).await.remove(0);
    match outcome.fate {
        Fate::Refused(reason) => reason,
        other => panic!("{other:?}: {document:.200}"),
    }
}

/// Imports one line that must be taken.
async fn import_taken(app: &TestApp, collection: &str, document: &Value) {
    let outcome = import(app, &[line(collection, document)]).await.remove(0);
    assert_eq!(outcome.fate, Fate::Taken, "{document:.200}");
}

/// A room's document with these two members.
fn room_of(id: &str, one: &TestUser, two: &TestUser) -> Value {
    json!({"_id": id, "t": "d", "uids": [one.id, two.id], "usernames": [one.username, two.username],
        "usersCount": 2, "msgs": 0, "ts": "2022-01-01T00:00:00.000Z"})
}

/// A message's document.
fn message_of(id: &str, room: &str, author: &TestUser) -> Value {
    json!({"_id": id, "rid": room, "msg": "hi", "ts": "2022-01-02T00:00:00.000Z",
        "u": {"_id": author.id, "username": author.username}})
}

/// The document with some members replaced or added.
fn with(document: &Value, changes: &Value) -> Value {
    let mut document = document.clone();
    for (key, value) in changes.as_object().unwrap() {
        document[key] = value.clone();
    }
    document
}
