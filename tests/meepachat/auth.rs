//! Accounts and sessions on this face: registering, logging in and out, who one is.

use super::calls::{keys, me, post, raw, refused, set_cookie};
use crate::app::{PASSWORD, START, app};
use axum::http::Method;
use parlance_core::account::{Authority, NewUser};
use parlance_core::login::{Login, Password};
use parlance_core::{Perm, UserId, time};
use serde_json::{Value, json};

#[tokio::test]
async fn the_configuration_says_how_to_get_in() {
    let app = app().await;
    let config = app.call(Method::GET, "/api/auth/config", &[], None).await;
    let open = json!({"data": {"directLoginEnabled": true, "openRegistration": true,
        "requireEmailVerification": false, "socialProviders": []}});
    assert_eq!(config.ok(), open);
    assert_eq!(config.headers["content-type"], "application/json");
    assert_eq!(config.headers["cache-control"], "no-store");
    app.core.overwrite_setting("Accounts_RegistrationForm", &json!("Disabled")).await.unwrap();
    let config = app.call(Method::GET, "/api/auth/config", &[], None).await;
    assert_eq!(config.ok()["data"]["openRegistration"], false);
}

#[tokio::test]
async fn whoever_registers_is_a_user_and_never_administrator() {
    let app = app().await;
    let body = json!({"username": "AnnA", "email": "anna@example.com", "password": "secret word"});
    let made = post(&app, "/api/auth/register", body).await;
    let made = made.expect(201);
    assert_eq!(keys(&made["data"]), ["token"].into());
    let bearer = format!("Bearer {}", made["data"]["token"].as_str().unwrap());
    let user = me(&app, &[("Authorization", &bearer)]).await.ok();
    let user = &user["data"];
    assert_eq!((&user["username"], &user["displayName"]), (&json!("anna"), &json!("anna")));
    assert_eq!((&user["email"], &user["bot"]), (&json!("anna@example.com"), &json!(false)));
    let stored = app.core.user(&UserId::from(user["id"].as_str().unwrap())).await.unwrap();
    assert_eq!(stored.roles, ["user"]);
    assert!(!app.core.has_admin().await.unwrap());
}

#[tokio::test]
async fn a_display_name_is_taken_as_given() {
    let app = app().await;
    let body = json!({"username": "ann", "email": "a@example.com", "password": "x y z",
        "displayName": "Ann Án"});
    post(&app, "/api/auth/register", body).await.expect(201);
    assert_eq!(app.core.user_named("ann").await.unwrap().name.as_deref(), Some("Ann Án"));
}

#[tokio::test]
async fn registering_says_what_is_wrong() {
    let app = app().await;
    app.user("ann").await;
    let with = |key: &str, value: Value| {
        let mut body = json!({"username": "new", "email": "new@example.com", "password": "secret"});
        body[key] = value;
        body
    };
    for (body, status, text) in [
        (with("username", Value::Null), 400, "username is required"),
        (with("email", json!("")), 400, "email is required"),
        (with("password", Value::Null), 400, "password is required"),
        (with("username", json!({"$ne": null})), 400, "invalid username"),
        (with("username", json!("no spaces")), 400, "invalid username"),
        (with("username", json!("0123456789abcdef01234567")), 400, "invalid username"),
        (with("email", json!("nowhere")), 400, "invalid email"),
        (with("password", json!(7)), 400, "invalid password"),
        (with("displayName", json!("<b>")), 400, "invalid displayName"),
        (with("username", json!("ANN")), 409, "username is taken"),
        (with("email", json!("Ann@Example.com")), 409, "email is taken"),
    ] {
        refused(&post(&app, "/api/auth/register", body).await, status, text);
    }
    assert!(app.core.user_named("new").await.is_err(), "nothing is stored");
    app.core.overwrite_setting("Accounts_RegistrationForm", &json!("Disabled")).await.unwrap();
    let closed = post(&app, "/api/auth/register", with("username", json!("late"))).await;
    refused(&closed, 403, "registration is closed");
}

#[tokio::test]
async fn every_way_to_name_oneself_logs_in() {
    let app = app().await;
    let ann = app.user("ann").await; // made through the core, as the other face does
    for (key, name) in [
        ("username", "ann"),
        ("username", "ANN"),
        ("email", "ann@example.com"),
        ("email", "ann"),
        ("identifier", "ann"),
        ("identifier", "Ann@example.com"),
    ] {
        let answer = post(&app, "/api/auth/login", json!({key: name, "password": PASSWORD})).await;
        let data = answer.ok()["data"].clone();
        assert_eq!(keys(&data), ["token"].into());
        let token = data["token"].as_str().unwrap();
        let want =
            format!("meepa_session={token}; HttpOnly; SameSite=Lax; Path=/; Max-Age=2592000");
        assert_eq!(set_cookie(&answer), want);
        let caller = app.core.caller(token, Some(&ann.id)).await.unwrap();
        assert_eq!(caller.user().handle(), "ann", "{key} {name}");
    }
}

#[tokio::test]
async fn who_registers_here_logs_in_elsewhere() {
    let app = app().await;
    let body = json!({"username": "ann", "email": "a@example.com", "password": "secret word"});
    let token = post(&app, "/api/auth/register", body).await.expect(201)["data"]["token"].clone();
    let password = Password::plain("secret word").unwrap();
    for who in [Login::Username("ann"), Login::Email("a@example.com")] {
        let session = app.core.login(who, &password).await.unwrap();
        let bearer = format!("Bearer {}", session.token);
        let user = me(&app, &[("Authorization", &bearer)]).await.ok();
        assert_eq!(user["data"]["username"], "ann");
    }
    assert!(app.core.caller(token.as_str().unwrap(), None).await.is_ok());
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_user_are_one_answer() {
    let app = app().await;
    app.user("ann").await;
    for (name, password) in [("ann", "wrong"), ("nobody", PASSWORD), ("ann", ""), ("x@y.z", "a")] {
        let answer =
            post(&app, "/api/auth/login", json!({"email": name, "password": password})).await;
        refused(&answer, 401, "invalid credentials");
        assert!(answer.headers.get("set-cookie").is_none());
    }
    refused(
        &post(&app, "/api/auth/login", json!({"username": "ann"})).await,
        400,
        "password is required",
    );
    refused(
        &post(&app, "/api/auth/login", json!({"password": "x"})).await,
        400,
        "username is required",
    );
    let operator = json!({"username": {"$ne": null}, "password": {"$ne": null}});
    refused(&post(&app, "/api/auth/login", operator).await, 400, "invalid username");
}

#[tokio::test]
async fn logout_kills_the_bearer_token() {
    let app = app().await;
    let ann = app.user("ann").await;
    assert_eq!(app.meepa(&ann).post("/auth/logout", json!({})).await.status.as_u16(), 204);
    refused(&app.meepa(&ann).get("/auth/me", &[]).await, 401, "unauthorized");
    assert!(app.core.caller(&ann.token, None).await.is_err(), "dead on the other face too");
}

#[tokio::test]
async fn without_a_live_token_everything_is_401() {
    let app = app().await;
    let ann = app.user("ann").await;
    let bot = format!("Bot {}", ann.token);
    let good_cookie = format!("meepa_session={}", ann.token);
    let attempts: [&[(&str, &str)]; 6] = [
        &[],
        &[("Authorization", "Bearer wrong")],
        &[("Authorization", "Bearer")],
        &[("Authorization", &bot)],
        &[("Cookie", "meepa_session=wrong")],
        // The header decides where there is one.
        &[("Authorization", "Bearer wrong"), ("Cookie", &good_cookie)],
    ];
    for headers in attempts {
        for (method, path) in [
            (Method::GET, "/api/auth/me"),
            (Method::GET, "/api/auth/get-session"),
            (Method::POST, "/api/auth/logout"),
            (Method::GET, "/api/dms"),
            (Method::POST, "/api/dms"),
            (Method::GET, "/api/dms/x/messages"),
            (Method::POST, "/api/dms/x/messages"),
            (Method::GET, "/api/users"),
            (Method::GET, "/api/users/x"),
        ] {
            refused(&app.call(method, path, headers, None).await, 401, "unauthorized");
        }
    }
}

#[tokio::test]
async fn a_deactivated_user_is_out_at_once() {
    let app = app().await;
    let ann = app.user("ann").await;
    app.meepa(&ann).get("/dms", &[]).await.ok();
    let id = UserId::from(ann.id.as_str());
    app.core.set_active(Authority::Operator, &id, false).await.unwrap();
    refused(&app.meepa(&ann).get("/dms", &[]).await, 401, "unauthorized");
    let login = json!({"username": "ann", "password": PASSWORD});
    refused(&post(&app, "/api/auth/login", login).await, 403, "the account is not active");
}

#[tokio::test]
async fn who_one_is_and_until_when() {
    let app = app().await;
    let ann = app.user("ann").await;
    let user = app.meepa(&ann).get("/auth/me", &[]).await.ok()["data"].clone();
    let want = json!({"id": ann.id, "username": "ann", "displayName": "ann", "status": "offline",
        "bot": false, "createdAt": time::iso(START), "email": "ann@example.com"});
    assert_eq!(user, want);
    let session = app.meepa(&ann).get("/auth/get-session", &[]).await.ok();
    let expires = time::iso(app.caller(&ann).await.expires().unwrap());
    assert_eq!(session, json!({"data": {"user": want, "session": {"expiresAt": expires}}}));
}

#[tokio::test]
async fn a_session_ends_when_it_said() {
    let app = app().await;
    let ann = app.user("ann").await;
    let ends = app.caller(&ann).await.expires().unwrap();
    app.clock.move_to(ends - 1);
    app.meepa(&ann).get("/auth/me", &[]).await.ok();
    app.clock.move_to(ends);
    refused(&app.meepa(&ann).get("/auth/me", &[]).await, 401, "unauthorized");
}

#[tokio::test]
async fn a_user_without_the_right_to_open_may_not() {
    let app = app().await;
    let new = NewUser {
        username: "ann".to_owned(),
        roles: vec!["guest".to_owned()],
        ..NewUser::default()
    };
    let (guest, bob) = (app.user_with(new).await, app.user("bob").await);
    assert!(!app.core.may(&app.caller(&guest).await, Perm::CreateD));
    refused(&app.meepa(&guest).post("/dms", json!({"userId": bob.id})).await, 403, "forbidden");
}

#[tokio::test]
async fn wrong_methods_are_refused_in_json_and_no_other_origin_may_read() {
    let app = app().await;
    for (method, path) in [
        (Method::DELETE, "/api/dms"),
        (Method::GET, "/api/auth/login"),
        (Method::PUT, "/api/dms/x/messages"),
        (Method::POST, "/api/users/x"),
        (Method::OPTIONS, "/api/dms"),
    ] {
        let answer = app.call(method, path, &[("Origin", "https://evil.example")], None).await;
        refused(&answer, 405, "method not allowed");
        assert!(answer.headers.contains_key("allow"));
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    }
    let login = raw(&app, "/api/auth/login", &[("Origin", "https://evil.example")], "{}").await;
    assert!(!login.headers.contains_key("access-control-allow-origin"));
}
