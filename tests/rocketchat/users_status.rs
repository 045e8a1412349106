//! `users.setStatus` and `users.getStatus` (contract section 8.4): one's own is set, everybody's is seen.

use super::{coded, plain, schema, set};
use crate::app::{TestApp, TestUser, app};
use parlance_core::UserId;
use serde_json::{Value, json};

#[tokio::test]
async fn a_status_is_set_and_seen() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let status = async |user, query: &[(&str, &str)]| {
        app.rocket(user).get("users.getStatus", query).await.ok()
    };
    let own = status(&ann, &[]).await;
    assert_eq!(
        own,
        json!({"_id": ann.id, "connectionStatus": "offline", "status": "offline", "success": true})
    );
    let body = json!({"status": "away", "message": "lunch"});
    assert_eq!(app.rocket(&ann).post("users.setStatus", body).await.ok(), json!({"success": true}));
    let own = status(&ann, &[("userId", &ann.id)]).await;
    assert_eq!((&own["message"], own["connectionStatus"].is_string()), (&json!("lunch"), true));
    let seen = status(&bob, &[("username", "ann")]).await;
    assert_eq!((&seen["_id"], &seen["message"]), (&json!(ann.id), &json!("lunch")));
    assert!(seen.get("connectionStatus").is_none());
    assert_eq!(app.rocket(&ann).get("me", &[]).await.ok()["statusDefault"], "away");
    app.rocket(&ann).post("users.setStatus", json!({"message": ""})).await.ok();
    assert!(status(&bob, &[("userId", &ann.id)]).await.get("message").is_none());
    assert_eq!(app.rocket(&ann).get("me", &[]).await.ok()["statusDefault"], "away");
    let body = json!({"message": "x".repeat(500), "username": "ann", "userId": ann.id});
    app.rocket(&ann).post("users.setStatus", body).await.ok();
    let text = status(&ann, &[]).await["message"].as_str().unwrap().len();
    assert_eq!(text, 120);
}

#[tokio::test]
async fn a_status_that_is_none() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let post = async |body: Value| app.rocket(&ann).post("users.setStatus", body).await;
    let method = json!({"method": "users.setStatus"});
    for status in ["ONLINE", "gone", ""] {
        let text = "Valid status types include online, away, offline, and busy.";
        coded(&post(json!({"status": status})).await, "error-invalid-status", text, &method);
    }
    let text = "must have required property 'status'\n must have required property 'message'\n \
                must match a schema in anyOf";
    schema(&post(json!({})).await, text);
    for value in [json!({"$ne": null}), json!(["away"]), json!(1)] {
        schema(&post(json!({"status": value})).await, "must be string");
        schema(&post(json!({"message": value})).await, "must be string");
        plain(&post(json!({"status": "away", "userId": value})).await, 403, "unauthorized");
    }
    plain(&post(json!({"status": "away", "userId": bob.id})).await, 403, "unauthorized");
    plain(&post(json!({"status": "away", "username": "bob"})).await, 403, "unauthorized");
    unchanged(&app, &[&ann, &bob]).await;
}

/// Everybody is as they were made.
async fn unchanged(app: &TestApp, users: &[&TestUser]) {
    for user in users {
        let id = UserId::from(user.id.as_str());
        let user = app.core.user(&id).await.unwrap();
        assert_eq!((user.status_default.as_str(), user.status_text.as_str()), ("online", ""));
    }
}

#[tokio::test]
async fn a_status_that_the_settings_forbid() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let post = async |body: Value| app.rocket(&ann).post("users.setStatus", body).await;
    set(&app, &boss, "Accounts_AllowInvisibleStatusOption", json!(false)).await;
    let method = json!({"method": "setUserStatus"});
    let answer = post(json!({"status": "offline"})).await;
    coded(&answer, "error-status-not-allowed", "Invisible status is disabled", &method);
    set(&app, &boss, "Accounts_AllowUserStatusMessageChange", json!(false)).await;
    let answer = post(json!({"status": "away"})).await;
    coded(&answer, "error-not-allowed", "Change status is not allowed", &method);
    unchanged(&app, &[&ann]).await;
}
