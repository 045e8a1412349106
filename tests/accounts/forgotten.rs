//! `users.forgotPassword`, the link that is sent, and the page behind it.

use super::{app_with_mail, letter, lives, login_from, refused, set};
use crate::app::{Answer, PASSWORD, START, TestApp, app};
use axum::body::Body;
use axum::http::{Method, Request};
use parlance_core::UserId;
use parlance_core::account::Authority;
use parlance_core::login::Password;
use parlance_core::mail::Letter;
use serde_json::{Value, json};

async fn forgot(app: &TestApp, body: &Value) -> Answer {
    app.call(Method::POST, "/api/v1/users.forgotPassword", &[], Some(body)).await
}

/// The path of the link in a letter.
fn link(letter: &Letter) -> String {
    let (_, rest) = letter.text.split_once("http://localhost:3000").expect("a link");
    rest.split_whitespace().next().unwrap().to_owned()
}

async fn page(app: &TestApp, path: &str) -> Answer {
    app.call(Method::GET, path, &[], None).await
}

async fn choose(app: &TestApp, path: &str, password: &str) -> Answer {
    let form = format!("password={}", crate::app::encode(password));
    let kind = "application/x-www-form-urlencoded";
    let request = Request::post(path).header("content-type", kind);
    app.send(request.body(Body::from(form)).unwrap()).await
}

#[tokio::test]
async fn a_link_sets_another_password_once() {
    let (app, mut letters) = app_with_mail().await;
    let ann = app.user("ann").await;
    let body = json!({"email": "Ann@Example.com"});
    assert_eq!(forgot(&app, &body).await.ok(), json!({"success": true}));
    let sent = letter(&mut letters).await;
    assert_eq!(
        (sent.to.as_str(), sent.subject.as_str()),
        ("ann@example.com", "Your password for Parlance")
    );
    let path = link(&sent);
    assert_eq!(path.len(), "/reset-password/".len() + 43);
    // Looking changes nothing, and the page tells nobody where it is.
    for _ in 0..3 {
        let looked = page(&app, &path).await;
        assert_eq!(looked.status.as_u16(), 200);
        let text = String::from_utf8(looked.body.clone()).unwrap();
        assert!(text.contains("<form method=\"post\">") && !text.contains(&path[16..]));
        for (name, value) in [
            ("referrer-policy", "no-referrer"),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("content-type", "text/html; charset=utf-8"),
        ] {
            assert_eq!(looked.headers[name], value);
        }
        let policy = looked.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
    }
    assert_eq!(choose(&app, &path, "").await.status.as_u16(), 400);
    assert_eq!(choose(&app, &path, &"x".repeat(2000)).await.status.as_u16(), 400);
    assert!(lives(&app, &ann.token).await);
    let done = choose(&app, &path, "another word").await;
    assert_eq!(done.status.as_u16(), 200);
    assert!(!lives(&app, &ann.token).await, "its sessions end");
    refused(&login_from(&app, "203.0.113.7", "ann", PASSWORD).await);
    login_from(&app, "203.0.113.7", "ann", "another word").await.ok();
    assert_eq!(choose(&app, &path, "a third word").await.status.as_u16(), 410);
    login_from(&app, "203.0.113.7", "ann", "another word").await.ok();
}

#[tokio::test]
async fn links_end_with_time_with_a_newer_one_and_with_the_password() {
    let (app, mut letters) = app_with_mail().await;
    let ann = app.user("ann").await;
    let body = json!({"email": "ann@example.com"});
    forgot(&app, &body).await.ok();
    let old = link(&letter(&mut letters).await);
    app.clock.move_to(START + 3_600_000);
    assert_eq!(choose(&app, &old, "another").await.status.as_u16(), 410);
    forgot(&app, &body).await.ok();
    let first = link(&letter(&mut letters).await);
    app.clock.move_to(START + 3_660_000);
    forgot(&app, &body).await.ok();
    let second = link(&letter(&mut letters).await);
    assert_eq!(choose(&app, &first, "another").await.status.as_u16(), 410);
    let id = UserId::from(ann.id.as_str());
    let password = Password::plain("set by hand").unwrap();
    app.core.set_password(Authority::Operator, &id, &password).await.unwrap();
    assert_eq!(choose(&app, &second, "another").await.status.as_u16(), 410);
    login_from(&app, "203.0.113.7", "ann", "set by hand").await.ok();
    for path in ["/reset-password/x", "/reset-password/%00", "/reset-password/'--"] {
        assert_eq!(choose(&app, path, "another").await.status.as_u16(), 410, "{path}");
    }
    assert_eq!(page(&app, "/reset-password/").await.status.as_u16(), 404);
}

#[tokio::test]
async fn nothing_is_learnt_by_asking() {
    let (app, mut letters) = app_with_mail().await;
    let (ann, gone) = (app.user("ann").await, app.user("gone").await);
    let id = UserId::from(gone.id.as_str());
    app.core.set_active(Authority::Operator, &id, false).await.unwrap();
    let first = forgot(&app, &json!({"email": "nobody@example.com"})).await;
    for email in ["gone@example.com", "not an address", "ann", "a@b\r\nBcc: c@d", "ann@example.com"]
    {
        let answer = forgot(&app, &json!({ "email": email })).await;
        assert_eq!((answer.status, &answer.body), (first.status, &first.body), "{email}");
    }
    // The first letter is Ann's: nobody else got one. Asked again at once, none is sent.
    assert_eq!(letter(&mut letters).await.to, "ann@example.com");
    forgot(&app, &json!({"email": "ann@example.com"})).await.ok();
    app.clock.move_to(START + 60_000);
    forgot(&app, &json!({"email": "ann@example.com"})).await.ok();
    letter(&mut letters).await;
    assert!(letters.try_recv().is_err());
    for body in [json!({}), json!({"email": null}), json!({"email": " "})] {
        let want = json!({"success": false, "error": "The 'email' param is required"});
        assert_eq!(forgot(&app, &body).await.expect(400), want);
    }
    for bad in [json!(7), json!({"$ne": ""}), json!(["ann@example.com"])] {
        let answer = forgot(&app, &json!({ "email": bad })).await.expect(400);
        assert_eq!(answer["error"], "must be string [invalid-params]");
    }
    assert!(lives(&app, &ann.token).await);
}

#[tokio::test]
async fn it_can_be_switched_off_and_needs_a_mail_server() {
    let (app, mut letters) = app_with_mail().await;
    app.user("ann").await;
    let body = json!({"email": "ann@example.com"});
    forgot(&app, &body).await.ok();
    let path = link(&letter(&mut letters).await);
    set(&app, &[("Accounts_PasswordReset", json!(false))]).await;
    let want = json!({"success": false, "error": "Password reset is not enabled"});
    assert_eq!(forgot(&app, &body).await.expect(400), want);
    assert_eq!(choose(&app, &path, "another").await.status.as_u16(), 403);
    let app = self::app().await;
    app.user("ann").await;
    assert_eq!(forgot(&app, &body).await.ok(), json!({"success": true}));
}
