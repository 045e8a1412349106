//! `login` (contract section 8.1): every form of a body that is one, and that nothing can be learnt
//! from a refusal.

use super::coded;
use crate::app::{Answer, PASSWORD, START, TestApp, app};
use axum::body::Body;
use axum::http::{Method, Request};
use parlance_core::UserId;
use parlance_core::account::{Authority, NewUser};
use serde_json::{Value, json};

/// The SHA-256 of the test password.
const DIGEST: &str = "4104d36f8da2c254349f85836793ebe029e0c957063a34c91c2e9203187b5631";

async fn login(app: &TestApp, body: &Value) -> Answer {
    app.call(Method::POST, "/api/v1/login", &[], Some(body)).await
}

#[track_caller]
fn unauthorized(answer: &Answer) {
    let want = json!({"success": false, "status": "error", "error": "Unauthorized",
        "message": "Unauthorized"});
    assert_eq!(answer.expect(401), want);
}

#[tokio::test]
async fn every_form_logs_in() {
    let app = app().await;
    let ann = app.user("ann").await;
    let email = "ann@example.com";
    let digest = json!({"digest": DIGEST, "algorithm": "sha-256"});
    let forms = [
        json!({"user": "ann", "password": PASSWORD}),
        json!({"user": "ANN", "password": PASSWORD}),
        json!({"user": email, "password": PASSWORD}),
        json!({"user": "Ann@Example.com", "password": PASSWORD}),
        json!({"user": {"username": "ann"}, "password": PASSWORD}),
        json!({"user": {"email": email}, "password": PASSWORD}),
        json!({"user": {"id": ann.id}, "password": PASSWORD}),
        json!({"username": "ann", "password": PASSWORD}),
        json!({"email": email, "password": PASSWORD}),
        json!({"user": "ann", "password": digest}),
        json!({"user": "ann", "password": {"digest": DIGEST.to_uppercase(), "algorithm": "sha-256"}}),
        json!({"username": "ann", "password": {"hashed": DIGEST}}),
        json!({"resume": ann.token}),
    ];
    for form in &forms {
        let body = login(&app, form).await.ok();
        assert_eq!((&body["status"], &body["success"]), (&json!("success"), &json!(true)));
        let data = &body["data"];
        assert_eq!(data["userId"], ann.id.as_str(), "{form}");
        assert_eq!(data["me"]["username"], "ann");
        let token = data["authToken"].as_str().unwrap();
        assert_eq!(token.len(), 43);
        assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        let headers = [("x-auth-token", token), ("x-user-id", ann.id.as_str())];
        let me = app.call(Method::GET, "/api/v1/me", &headers, None).await.ok();
        assert_eq!(me["_id"], ann.id.as_str());
    }
    let resumed = login(&app, &json!({"resume": ann.token})).await.ok();
    assert_eq!(resumed["data"]["authToken"], ann.token.as_str());
}

#[tokio::test]
async fn a_form_encoded_body_logs_in() {
    let app = app().await;
    let ann = app.user("ann").await;
    let form = |text: &str| {
        let kind = "application/x-www-form-urlencoded; charset=UTF-8";
        let request = Request::post("/api/v1/login").header("content-type", kind);
        request.body(Body::from(text.to_owned())).unwrap()
    };
    let body = app.send(form("user=ann%40example.com&password=correct+horse")).await.ok();
    assert_eq!(body["data"]["userId"], ann.id.as_str());
    unauthorized(&app.send(form("user=ann&password=correct%2Bhorse")).await);
    unauthorized(&app.send(form("user[username]=ann&password=correct+horse")).await);
}

#[tokio::test]
async fn an_unknown_user_and_a_wrong_password_are_the_same() {
    let app = app().await;
    app.user("ann").await;
    let wrong = login(&app, &json!({"user": "ann", "password": "wrong"})).await;
    let unknown = login(&app, &json!({"user": "nobody", "password": PASSWORD})).await;
    unauthorized(&wrong);
    assert_eq!((wrong.status, &wrong.body), (unknown.status, &unknown.body));
    let zeros = "0".repeat(64);
    for body in [
        json!({}),
        json!({"user": "ann"}),
        json!({"password": PASSWORD}),
        json!({"user": "ann", "password": ""}),
        json!({"user": "ann", "password": null}),
        json!({"user": "", "username": "", "password": PASSWORD}),
        json!({"user": "ann", "password": "x".repeat(100_000)}),
        json!({"user": "nobody@example.com", "password": PASSWORD}),
        json!({"email": "ann", "password": PASSWORD}),
        json!({"user": {"id": "ann"}, "password": PASSWORD}),
        json!({"user": "ann", "password": {"digest": zeros, "algorithm": "sha-256"}}),
        json!({"user": "ann", "password": {"digest": DIGEST, "algorithm": "md5"}}),
        json!({"user": "ann", "password": DIGEST}),
        json!({"user": "rocket.cat", "password": PASSWORD}),
    ] {
        unauthorized(&login(&app, &body).await);
    }
}

#[tokio::test]
async fn an_operator_is_never_a_name_or_a_password() {
    let app = app().await;
    let ann = app.user("ann").await;
    let bad = [
        json!({"$ne": null}),
        json!({"$gt": ""}),
        json!({"$regex": "^a"}),
        json!({"$exists": true}),
        json!(["ann"]),
        json!(1),
        json!(true),
    ];
    for value in &bad {
        unauthorized(&login(&app, &json!({"user": value, "password": PASSWORD})).await);
        unauthorized(&login(&app, &json!({"username": value, "password": PASSWORD})).await);
        unauthorized(&login(&app, &json!({"email": value, "password": PASSWORD})).await);
        unauthorized(
            &login(&app, &json!({"user": {"username": value}, "password": PASSWORD})).await,
        );
        unauthorized(&login(&app, &json!({"user": {"id": value}, "password": PASSWORD})).await);
        unauthorized(&login(&app, &json!({"user": "ann", "password": value})).await);
        let digest = json!({"digest": value, "algorithm": "sha-256"});
        unauthorized(&login(&app, &json!({"user": "ann", "password": digest})).await);
        let resumed = login(&app, &json!({"resume": value, "user": "ann"})).await.expect(401);
        assert_eq!(resumed["error"], 403);
    }
    // The session of before is none the worse for it.
    app.rocket(&ann).get("me", &[]).await.ok();
}

#[tokio::test]
async fn a_dead_resume_token_says_so() {
    let app = app().await;
    let ann = app.user("ann").await;
    app.rocket(&ann).post("logout", json!({})).await.ok();
    let want = json!({"success": false, "status": "error", "error": 403,
        "message": "You've been logged out by the server. Please log in again."});
    for token in [ann.token.as_str(), "nonsense", "", &"x".repeat(100_000)] {
        assert_eq!(login(&app, &json!({"resume": token})).await.expect(401), want, "{token}");
    }
}

#[tokio::test]
async fn a_deactivated_account_hears_it_only_with_its_password() {
    let app = app().await;
    let ann = app.user("ann").await;
    let id = UserId::from(ann.id.as_str());
    app.core.set_active(Authority::Operator, &id, false).await.unwrap();
    let body = login(&app, &json!({"user": "ann", "password": PASSWORD})).await.expect(401);
    assert_eq!(body["error"], "error-user-is-not-activated");
    unauthorized(&login(&app, &json!({"user": "ann", "password": "wrong"})).await);
    super::logged_out(&app.rocket(&ann).get("me", &[]).await);
    assert_eq!(login(&app, &json!({"resume": ann.token})).await.expect(401)["error"], 403);
    app.core.set_active(Authority::Operator, &id, true).await.unwrap();
    login(&app, &json!({"user": "ann", "password": PASSWORD})).await.ok();
    // What died stays dead.
    super::logged_out(&app.rocket(&ann).get("me", &[]).await);
}

#[tokio::test]
async fn a_token_lives_as_long_as_the_setting_says() {
    let app = app().await;
    let ann = app.user("ann").await;
    app.clock.move_to(START + 90 * 86_400_000 - 1);
    app.rocket(&ann).get("me", &[]).await.ok();
    app.clock.move_to(START + 90 * 86_400_000);
    super::logged_out(&app.rocket(&ann).get("me", &[]).await);
    assert_eq!(login(&app, &json!({"resume": ann.token})).await.expect(401)["error"], 403);
}

#[tokio::test]
async fn an_account_without_a_password_cannot_log_in() {
    let app = app().await;
    let new = NewUser { username: "ghost".to_owned(), ..NewUser::default() };
    app.core.create_user(Authority::Operator, new).await.unwrap();
    unauthorized(&login(&app, &json!({"user": "ghost", "password": PASSWORD})).await);
}

#[tokio::test]
async fn no_answer_of_a_login_holds_a_secret() {
    let app = app().await;
    let boss = app.admin("root").await;
    let body = login(&app, &json!({"user": "root", "password": PASSWORD})).await;
    let text = String::from_utf8(body.body.clone()).unwrap();
    assert!(!text.contains("argon2") && !text.contains("hashedToken") && !text.contains(DIGEST));
    assert!(!text.contains(&boss.token), "the answer has its own token only");
    // A refused change shows nothing of it either.
    let taken =
        json!({"username": "root", "name": "r", "email": "r@example.com", "password": "s3cret"});
    let answer = app.rocket(&boss).post("users.create", taken).await;
    let details = json!({"method": "insertOrUpdateUser", "field": "root"});
    coded(&answer, "error-field-unavailable", "root is already in use :(", &details);
    assert!(!String::from_utf8(answer.body).unwrap().contains("s3cret"));
}
