//! What bad input gets: an answer of this contract, nothing stored, and a server that goes on.

use super::calls::{dms, messages, raw, refused, send};
use crate::app::{TestApp, TestUser, app};
use serde_json::{Value, json};

/// Two users, their conversation, and the path of its messages.
async fn pair() -> (TestApp, TestUser, TestUser, String) {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let channel = app.meepa(&ann).open(&bob.id).await;
    (app, ann, bob, channel)
}

async fn send_raw(
    app: &TestApp,
    user: &TestUser,
    channel: &str,
    body: impl Into<axum::body::Body>,
) -> crate::app::Answer {
    let bearer = format!("Bearer {}", user.token);
    let path = format!("/api/dms/{channel}/messages");
    raw(app, &path, &[("Authorization", &bearer)], body).await
}

#[tokio::test]
async fn bodies_that_are_no_object_are_refused() {
    let (app, ann, _, channel) = pair().await;
    for (body, text) in [
        ("{", "invalid JSON"),
        ("{'content':'x'}", "invalid JSON"),
        ("\u{1}", "invalid JSON"),
        ("[]", "a JSON object is required"),
        ("\"content\"", "a JSON object is required"),
        ("null", "a JSON object is required"),
        ("", "content is required"),
        ("{\"content\":\"a\\u0000b\"}", "NUL characters are not allowed"),
        ("{\"content\":\"x\",\"other\":[\"\\u0000\"]}", "NUL characters are not allowed"),
    ] {
        refused(&send_raw(&app, &ann, &channel, body).await, 400, text);
    }
    let deep = format!("{{\"content\":{}}}", "[".repeat(100_000));
    refused(&send_raw(&app, &ann, &channel, deep).await, 400, "invalid JSON");
    assert_eq!(messages(&app, &ann, &channel, &[]).await, Vec::<Value>::new());
}

#[tokio::test]
async fn values_of_other_types_are_refused() {
    let (app, ann, bob, channel) = pair().await;
    for (body, text) in [
        (json!({}), "content is required"),
        (json!({"content": null}), "content is required"),
        (json!({"content": ""}), "content is required"),
        (json!({"content": 7}), "invalid content"),
        (json!({"content": ["x"]}), "invalid content"),
        (json!({"content": {"$ne": null}}), "invalid content"),
        (json!({"content": "x", "threadId": 7}), "invalid threadId"),
        (json!({"content": "x", "threadId": {"$gt": ""}}), "invalid threadId"),
        (json!({"content": "x", "threadId": "nowhere"}), "unknown threadId"),
        (json!({"content": "x", "clientId": 7}), "invalid clientId"),
        (json!({"content": "x", "clientId": ""}), "invalid clientId"),
        (json!({"content": "x", "clientId": "x".repeat(65)}), "invalid clientId"),
        (json!({"content": "x", "attachmentIds": "a"}), "invalid attachmentIds"),
        (json!({"content": "x", "attachmentIds": [7]}), "invalid attachmentIds"),
        (json!({"content": "x", "attachmentIds": ["a"]}), "invalid attachmentIds"),
        (json!({"content": "", "attachmentIds": ["a"]}), "invalid attachmentIds"),
    ] {
        refused(&send(&app, &ann, &channel, body).await, 400, text);
    }
    assert_eq!(messages(&app, &ann, &channel, &[]).await, Vec::<Value>::new());
    for (body, status, text) in [
        (json!({}), 400, "userId is required"),
        (json!({"userId": ""}), 400, "userId is required"),
        (json!({"userId": 7}), 400, "invalid userId"),
        (json!({"userId": [bob.id]}), 400, "invalid userId"),
        (json!({"userId": {"$ne": null}}), 400, "invalid userId"),
        (json!({"userId": "bob"}), 404, "user not found"),
        (json!({"userId": "0".repeat(24)}), 404, "user not found"),
    ] {
        refused(&app.meepa(&ann).post("/dms", body).await, status, text);
    }
    assert_eq!(dms(&app, &ann, &[]).await.len(), 1, "nothing was opened");
}

#[tokio::test]
async fn optional_keys_may_be_null_and_unknown_ones_are_passed_over() {
    let (app, ann, _, channel) = pair().await;
    let body = json!({"content": "x", "threadId": null, "clientId": null, "attachmentIds": null,
        "nonce": {"$where": "1"}});
    send(&app, &ann, &channel, body).await.expect(201);
    let body = json!({"content": "y", "attachmentIds": []});
    send(&app, &ann, &channel, body).await.expect(201);
}

#[tokio::test]
async fn lone_surrogates_are_repaired() {
    let (app, ann, _, channel) = pair().await;
    let sent = send_raw(&app, &ann, &channel, r#"{"content":"cut \ud83d"}"#).await.expect(201);
    assert_eq!(sent["data"]["content"], "cut \u{fffd}");
    assert_eq!(messages(&app, &ann, &channel, &[]).await[0]["content"], "cut \u{fffd}");
}

#[tokio::test]
async fn long_texts_and_larger_bodies_are_refused() {
    let (app, ann, _, channel) = pair().await;
    let long = json!({"content": "x".repeat(1024 * 1024)});
    refused(&send(&app, &ann, &channel, long).await, 400, "content exceeds 4000 characters");
    let body = json!({"content": "x".repeat(2 * 1024 * 1024)});
    refused(&send(&app, &ann, &channel, body).await, 413, "request body too large");
    let path = "/api/auth/login";
    refused(
        &raw(&app, path, &[], vec![b' '; 2 * 1024 * 1024]).await,
        413,
        "request body too large",
    );
    assert_eq!(messages(&app, &ann, &channel, &[]).await, Vec::<Value>::new());
}

#[tokio::test]
async fn nul_in_the_address_is_refused() {
    let (app, ann, _, channel) = pair().await;
    let nul = "NUL characters are not allowed";
    let me = app.meepa(&ann);
    for path in [
        "/users?q=%00".to_owned(),
        "/users/a%00b".to_owned(),
        "/dms?before=%00".to_owned(),
        "/dms?before=2026-01-02T03:04:05Z&beforeId=%00".to_owned(),
        "/dms/a%00b/messages".to_owned(),
        format!("/dms/{channel}/messages?before=%00"),
    ] {
        refused(&me.get(&path, &[]).await, 400, nul);
    }
    refused(&send(&app, &ann, "a%00b", json!({"content": "x"})).await, 400, nul);
    refused(&me.get("/users/%ff", &[]).await, 400, "invalid id");
    me.get("/users?q=%ff%ed%a0%bd", &[]).await.ok();
}

#[tokio::test]
async fn limits_never_fail() {
    let (app, ann, bob, channel) = pair().await;
    for n in 0..3 {
        send(&app, &bob, &channel, json!({"content": n.to_string()})).await.expect(201);
    }
    for (limit, rows) in [
        ("", 3),
        ("0", 3),
        ("-1", 3),
        ("abc", 3),
        ("1.5", 3),
        ("1000000000000", 3),
        ("99999999999999999999999", 3),
        ("2", 2),
        ("1", 1),
    ] {
        let page = messages(&app, &ann, &channel, &[("limit", limit)]).await;
        assert_eq!(page.len(), rows, "{limit}");
    }
}
