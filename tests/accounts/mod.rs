//! Getting in and staying in (contract sections 8.1, 8.2 and 8.4), on both faces: tokens, second
//! factors, limits on failures, the rules for passwords, forgotten ones, and that no secret is told.

mod admitted;
mod blocked;
mod busy;
mod factor;
mod forgotten;
mod mailed;
mod method_secrets;
mod methods;
mod policy;
mod secrets;
pub(crate) mod smtp;
mod tokens;

use crate::app::{Answer, DIGEST, PASSWORD, TestApp, TestUser, fresh_database, options};
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request};
use parlance_core::mail::{Letter, Mail};
use parlance_core::{Clock, Core, Options};
use serde_json::{Value, json};
use std::net::{IpAddr, SocketAddr};
use tokio::sync::mpsc;

/// A server whose options the test changes first.
async fn app_with(change: impl FnOnce(&mut Options)) -> TestApp {
    let (database, clock) = (fresh_database().await, Clock::set(crate::app::START));
    let mut options = options(database.clone(), clock.clone());
    change(&mut options);
    let core = Core::open(options).await.unwrap();
    TestApp::unlimited(&core).await;
    TestApp::over(core, clock, &database)
}

/// A server that can send mail, and the letters that it sends.
async fn app_with_mail() -> (TestApp, mpsc::Receiver<Letter>) {
    let (hand, letters) = mpsc::channel(64);
    let app = app_with(|options| options.mail = Mail::Hand(hand)).await;
    for (id, value) in [("SMTP_Host", "mail.example.com"), ("From_Email", "chat@example.com")] {
        app.core.overwrite_setting(id, &json!(value)).await.unwrap();
    }
    (app, letters)
}

/// The next letter.
async fn letter(letters: &mut mpsc::Receiver<Letter>) -> Letter {
    crate::store::soon("a letter", letters.recv()).await.expect("a server that sends")
}

/// Sets settings as the operator does.
async fn set(app: &TestApp, settings: &[(&str, Value)]) {
    for (id, value) in settings {
        app.core.overwrite_setting(id, value).await.unwrap();
    }
}

/// A `POST` from an address.
async fn from(app: &TestApp, ip: &str, path: &str, body: &Value) -> Answer {
    let mut request = Request::post(path).header("content-type", "application/json");
    request = request.header("x-forwarded-for", "203.0.113.99");
    let mut request = request.body(Body::from(body.to_string())).unwrap();
    let address = SocketAddr::new(ip.parse::<IpAddr>().unwrap(), 1234);
    request.extensions_mut().insert(ConnectInfo(address));
    app.send(request).await
}

/// A login on the Rocket.Chat face from an address.
pub(crate) async fn login_from(app: &TestApp, ip: &str, user: &str, password: &str) -> Answer {
    from(app, ip, "/api/v1/login", &json!({"user": user, "password": password})).await
}

/// A login on the Rocket.Chat face with these members beside name and password.
pub(crate) async fn login_with(app: &TestApp, user: &str, more: &Value) -> Answer {
    let mut body = json!({"user": user, "password": PASSWORD});
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    app.call(Method::POST, "/api/v1/login", &[], Some(&body)).await
}

/// A login on the MeepaChat face with these members beside name and password.
async fn meepa_login(app: &TestApp, user: &str, more: &Value) -> Answer {
    let mut body = json!({"username": user, "password": PASSWORD});
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    app.call(Method::POST, "/api/auth/login", &[], Some(&body)).await
}

/// A `POST` of a user's with headers beside the session's, and no second factor of its own.
async fn post(
    app: &TestApp,
    user: &TestUser,
    name: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Answer {
    let mut all = vec![("x-auth-token", user.token.as_str()), ("x-user-id", user.id.as_str())];
    all.extend(headers);
    app.call(Method::POST, &format!("/api/v1/{name}"), &all, Some(body)).await
}

/// The password as second factor.
const BY_PASSWORD: [(&str, &str); 2] = [("x-2fa-method", "password"), ("x-2fa-code", DIGEST)];

/// A refused login: its `error`.
#[track_caller]
fn refused(answer: &Answer) -> Value {
    let body = answer.expect(401);
    assert_eq!((&body["success"], &body["status"]), (&json!(false), &json!("error")));
    body["error"].clone()
}

/// Does this session still live?
async fn lives(app: &TestApp, token: &str) -> bool {
    app.core.caller(token, None).await.is_ok()
}

/// The account, logged in once more.
async fn again(app: &TestApp, user: &TestUser) -> TestUser {
    let account = app.core.user_named(&user.username).await.unwrap();
    app.log_in(&account).await
}
