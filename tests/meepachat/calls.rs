//! Calls that several of these tests make.

use crate::app::{Answer, TestApp, TestUser};
use axum::body::Body;
use axum::http::{Method, Request};
use parlance_core::send::NewMessage;
use parlance_core::{Access, Message};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// `GET /api/dms` with these pairs; the rows.
pub(crate) async fn dms(app: &TestApp, user: &TestUser, query: &[(&str, &str)]) -> Vec<Value> {
    rows(&app.meepa(user).get("/dms", query).await)
}

/// The rows of a list.
#[track_caller]
pub(crate) fn rows(answer: &Answer) -> Vec<Value> {
    answer.ok()["data"].as_array().unwrap().clone()
}

/// The ids of the channels of a list.
pub(crate) fn channels(rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| row["channel"]["id"].as_str().unwrap().to_owned()).collect()
}

/// The `key`s of a list.
pub(crate) fn each(rows: &[Value], key: &str) -> Vec<String> {
    rows.iter().map(|row| row[key].as_str().unwrap().to_owned()).collect()
}

/// Sends a text; the message.
pub(crate) async fn say(app: &TestApp, user: &TestUser, channel: &str, text: &str) -> Value {
    send(app, user, channel, json!({"content": text})).await.expect(201)["data"].clone()
}

/// Sends a body.
pub(crate) async fn send(app: &TestApp, user: &TestUser, channel: &str, body: Value) -> Answer {
    app.meepa(user).post(&format!("/dms/{channel}/messages"), body).await
}

/// `GET /api/dms/{channel}/messages` with these pairs.
pub(crate) async fn messages(
    app: &TestApp,
    user: &TestUser,
    channel: &str,
    query: &[(&str, &str)],
) -> Vec<Value> {
    rows(&app.meepa(user).get(&format!("/dms/{channel}/messages"), query).await)
}

/// The user's access to a room, through the core.
pub(crate) async fn access(app: &TestApp, user: &TestUser, room: &str) -> Access {
    app.core.access(&app.caller(user).await, room).await.unwrap()
}

/// Sends through the core, as the other face does.
pub(crate) async fn elsewhere(
    app: &TestApp,
    user: &TestUser,
    channel: &str,
    new: NewMessage,
) -> Message {
    let place = access(app, user, channel).await;
    app.core.send(&app.caller(user).await, &place, new).await.unwrap().message
}

/// A request whose body is these bytes.
pub(crate) async fn raw(
    app: &TestApp,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Body>,
) -> Answer {
    let mut request = Request::builder().method(Method::POST).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.send(request.header("content-type", "application/json").body(body.into()).unwrap()).await
}

/// An answer that is an error of this contract, and nothing else.
#[track_caller]
pub(crate) fn refused(answer: &Answer, status: u16, text: &str) {
    assert_eq!(answer.expect(status), json!({ "error": text }));
    assert_eq!(answer.headers["content-type"], "application/json");
}

/// The names of an object's members.
pub(crate) fn keys(object: &Value) -> BTreeSet<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

/// A POST without credentials.
pub(crate) async fn post(app: &TestApp, path: &str, body: Value) -> Answer {
    app.call(Method::POST, path, &[], Some(&body)).await
}

/// `GET /api/auth/me` with these headers.
pub(crate) async fn me(app: &TestApp, headers: &[(&str, &str)]) -> Answer {
    app.call(Method::GET, "/api/auth/me", headers, None).await
}

/// The cookie that an answer sets.
pub(crate) fn set_cookie(answer: &Answer) -> &str {
    answer.headers["set-cookie"].to_str().unwrap()
}
