//! Logins, registration and forgotten passwords as methods (contract sections 11.3 and 11.6): the limits,
//! refusals and silence of the routes of the same meaning.

use super::{app_with_mail, from, letter, lives, login_from, set};
use crate::app::{Answer, DIGEST, PASSWORD, START, TestApp, TestUser, app};
use axum::http::Method;

use serde_json::{Value, json};

pub(super) fn message(name: &str, params: &Value) -> Value {
    let text = json!({"msg": "method", "id": "1", "method": name, "params": params}).to_string();
    json!({ "message": text })
}

/// The result of a method, or the error's code.
#[track_caller]
pub(super) fn outcome(answer: &Answer) -> Result<Value, Value> {
    let outer = answer.json();
    let mut inner: Value = serde_json::from_str(outer["message"].as_str().unwrap()).unwrap();
    assert_eq!((&inner["msg"], &inner["id"]), (&json!("result"), &json!("1")));
    assert_eq!(answer.status.as_u16() == 200, inner.get("error").is_none(), "{inner}");
    if inner.get("error").is_some() {
        Err(inner["error"].take())
    } else {
        Ok(inner["result"].take())
    }
}

/// A method as nobody.
pub(super) async fn open(app: &TestApp, name: &str, params: Value) -> Result<Value, Value> {
    let path = format!("/api/v1/method.callAnon/{name}");
    outcome(&app.call(Method::POST, &path, &[], Some(&message(name, &params))).await)
}

/// A method as a user, with these headers beside the session's.
pub(super) async fn own(
    app: &TestApp,
    user: &TestUser,
    name: &str,
    headers: &[(&str, &str)],
    params: Value,
) -> Result<Value, Value> {
    let path = format!("method.call/{}", name.replace(':', "%3A"));
    outcome(&super::post(app, user, &path, headers, &message(name, &params)).await)
}

/// Code and reason of a refusal.
#[track_caller]
pub(super) fn refused(
    outcome: Result<Value, Value>,
    code: impl Into<Value>,
    reason: &str,
) -> Value {
    let error = outcome.expect_err("a refusal");
    assert_eq!((&error["error"], &error["reason"]), (&code.into(), &json!(reason)), "{error}");
    assert_eq!(error["errorType"], "Meteor.Error");
    error["details"].clone()
}

/// Name and password as a socket's client sends them.
pub(super) fn form(user: &str, password: &Value) -> Value {
    json!({"user": {"username": user}, "password": password})
}

pub(super) fn digest(hex: &str) -> Value {
    json!({"digest": hex, "algorithm": "sha-256"})
}

#[tokio::test]
async fn a_login_begins_a_session_and_a_logout_ends_it() {
    let app = app().await;
    let ann = app.user("ann").await;
    for (form, how) in [
        (form("ann", &digest(DIGEST)), "password"),
        (form("ann", &json!(PASSWORD)), "password"),
        (json!({"user": {"email": "ANN@example.com"}, "password": PASSWORD}), "password"),
        (json!({"user": "ann", "password": PASSWORD}), "password"),
        (json!({"resume": ann.token}), "resume"),
    ] {
        let mut made = open(&app, "login", json!([form])).await.unwrap();
        let token = made["token"].take();
        let expires = START + 90 * 86_400_000;
        let want = json!({"id": ann.id, "token": null, "type": how,
            "tokenExpires": {"$date": expires}});
        assert_eq!(made, want, "{form}");
        let token = token.as_str().unwrap().to_owned();
        assert_eq!(token == ann.token, how == "resume");
        assert!(lives(&app, &token).await);
    }
    // The session is one like any other, and its own method ends it, and no other.
    let made = open(&app, "login", json!([form("ann", &json!(PASSWORD))])).await.unwrap();
    let token = made["token"].as_str().unwrap().to_owned();
    let session = TestUser { token, ..ann.clone() };
    assert_eq!(app.rocket(&session).get("me", &[]).await.ok()["username"], "ann");
    assert_eq!(own(&app, &session, "logout", &[], json!([])).await, Ok(Value::Null));
    assert!(!lives(&app, &session.token).await && lives(&app, &ann.token).await);
    refused(open(&app, "logout", json!([])).await, "error-invalid-user", "Invalid user");
}

#[tokio::test]
async fn a_refused_login_tells_what_the_route_tells() {
    let app = app().await;
    let (ann, boss) = (app.user("ann").await, app.admin("root").await);
    let login = |form: Value| open(&app, "login", json!([form]));
    for form in [
        form("ann", &json!("wrong")),
        form("ann", &digest(&"0".repeat(64))),
        form("ann", &digest("x")),
        form("nobody", &json!(PASSWORD)),
        form("", &json!(PASSWORD)),
        json!({"user": {"username": {"$ne": ""}}, "password": PASSWORD}),
        json!({"user": "ann", "password": {"$ne": ""}}),
        json!({"user": "ann"}),
        json!({}),
        json!({"totp": {"code": "1"}}),
    ] {
        refused(login(form).await, 403, "Incorrect password");
    }
    let over = "You've been logged out by the server. Please log in again.";
    for resume in [json!("x"), json!(""), json!(1), json!({"$ne": ""})] {
        refused(login(json!({ "resume": resume })).await, 403, over);
    }
    refused(login(json!({"oauth": {}})).await, 400, "This server has no such login provider");
    for params in [json!([]), json!([null]), json!(["ann"]), json!([[]])] {
        refused(open(&app, "login", params).await, 400, "Match failed");
    }
    let body = json!({"userId": ann.id, "activeStatus": false});
    app.rocket(&boss).post("users.setActiveStatus", body).await.ok();
    let off = "error-user-is-not-activated";
    refused(login(form("ann", &json!(PASSWORD))).await, off, "User is not activated");
    refused(login(json!({"resume": ann.token})).await, 403, over);
}

#[tokio::test]
async fn failures_count_on_every_way_in() {
    let app = app().await;
    app.user("ann").await;
    let ip = "198.51.100.7";
    let login = |password: &'static str| {
        let app = &app;
        async move {
            let body = message("login", &json!([form("ann", &json!(password))]));
            outcome(&from(app, ip, "/api/v1/method.callAnon/login", &body).await)
        }
    };
    for _ in 0..5 {
        refused(login("wrong").await, 403, "Incorrect password");
        login_from(&app, ip, "ann", "wrong").await.expect(401);
    }
    let blocked = "Login has been temporarily blocked for this user";
    refused(login(PASSWORD).await, "error-login-blocked-for-user", blocked);
    let route = login_from(&app, ip, "ann", PASSWORD).await.expect(401);
    assert_eq!(route["error"], "error-login-blocked-for-user");
    // From elsewhere it is not.
    open(&app, "login", json!([form("ann", &json!(PASSWORD))])).await.unwrap();
}

#[tokio::test]
async fn calls_count_among_those_of_the_route() {
    let app = app().await;
    set(&app, &[("API_Enable_Rate_Limiter", json!(true))]).await;
    let one = |name: &str| {
        json!([{"username": name, "name": name, "pass": PASSWORD,
        "email": format!("{name}@example.com")}])
    };
    open(&app, "registerUser", one("ann")).await.unwrap();
    let details = refused(
        open(&app, "registerUser", one("bob")).await,
        "too-many-requests",
        "Error, too many requests. Please slow down. You must wait 60 seconds before trying again.",
    );
    assert_eq!(details, json!({"timeToReset": 60_000}));
    let route = app.call(Method::POST, "/api/v1/users.register", &[], Some(&one("bob")[0])).await;
    route.expect(429);
    app.clock.move_to(START + 60_000);
    app.call(Method::POST, "/api/v1/users.register", &[], Some(&one("bob")[0])).await.ok();
    open(&app, "registerUser", one("cat")).await.unwrap_err();
    // As many as the route takes, and the envelope is one call more of its own.
    set(&app, &[("API_Enable_Rate_Limiter_Limit_Calls_Default", json!(2))]).await;
    let login = json!({"user": "ann", "password": PASSWORD});
    let forgotten = json!({"email": "ann@example.com"});
    for (n, route, body, name, params) in [
        (1, "login", login.clone(), "login", json!([login])),
        (2, "users.forgotPassword", forgotten, "sendForgotPasswordEmail", json!(["a@example.com"])),
    ] {
        let ip = format!("192.0.2.{n}");
        let anonymous = format!("/api/v1/method.callAnon/{name}");
        from(&app, &ip, &format!("/api/v1/{route}"), &body).await.ok();
        let body = message(name, &params);
        outcome(&from(&app, &ip, &anonymous, &body).await).unwrap();
        let third = from(&app, &ip, &anonymous, &body).await;
        assert_eq!(outcome(&third).unwrap_err()["error"], "too-many-requests");
    }
}

#[tokio::test]
async fn registration_is_that_of_the_route() {
    let app = app().await;
    let ann = app.user("ann").await;
    let form = |change: Value| {
        let mut form = json!({"username": "bob", "name": "Bob B.", "pass": PASSWORD,
            "email": "bob@example.com"});
        for (key, value) in change.as_object().unwrap() {
            form[key] = value.clone();
        }
        json!([form])
    };
    let register = |change: Value| open(&app, "registerUser", form(change));
    for (change, code) in [
        (json!({"username": "ann"}), "Username is already in use"),
        (json!({"username": "a b"}), "The username provided is not valid"),
        (json!({"email": "ann@example.com"}), "Email already exists. [403]"),
        (json!({"email": "x"}), "error-invalid-email"),
        (json!({"username": null}), "invalid-params"),
        (json!({"pass": {"$ne": ""}}), "invalid-params"),
        (json!({"name": "<b>"}), "Name contains invalid characters"),
    ] {
        assert_eq!(register(change).await.unwrap_err()["error"], code);
    }
    refused(open(&app, "registerUser", json!([])).await, 400, "Match failed");
    let logged_in = own(&app, &ann, "registerUser", &[], form(json!({}))).await;
    let text = "Logged in users can not register again.";
    refused(logged_in, text, text);
    set(&app, &[("Accounts_RegistrationForm", json!("Disabled"))]).await;
    let closed = register(json!({})).await;
    refused(closed, "error-user-registration-disabled", "User registration is disabled");
    set(&app, &[("Accounts_RegistrationForm", json!("Public"))]).await;
    let id = register(json!({"roles": ["admin"], "_id": "mine"})).await.unwrap();
    let bob = app.core.user_named("bob").await.unwrap();
    assert_eq!(
        (bob.id.as_str(), bob.roles.as_slice()),
        (id.as_str().unwrap(), &["user".to_owned()][..])
    );
    assert_eq!(bob.name.as_deref(), Some("Bob B."));
}

#[tokio::test]
async fn a_forgotten_password_is_the_same_answer_for_everybody() {
    let (app, mut letters) = app_with_mail().await;
    app.user("ann").await;
    let forgot = |params: Value| open(&app, "sendForgotPasswordEmail", params);
    for address in ["nobody@example.com", "ann@example.com"] {
        assert_eq!(forgot(json!([address])).await, Ok(json!(true)));
    }
    assert_eq!(letter(&mut letters).await.to, "ann@example.com");
    for params in [json!([]), json!([1]), json!([{"$ne": ""}])] {
        refused(forgot(params).await, 400, "Match failed");
    }
    set(&app, &[("Accounts_PasswordReset", json!(false))]).await;
    let off = "Password reset is not enabled";
    refused(forgot(json!(["ann@example.com"])).await, off, off);
    assert!(letters.try_recv().is_err());
}
