//! Being logged in: the two headers, `me`, `logout`, and the 401 of every route that needs a login
//! (contract sections 1, 3.1, 8.2 and 8.3).

use super::{keys, logged_out, plain};
use crate::app::{TestApp, app};
use axum::body::Body;
use axum::http::{Method, Request};
use parlance_rocketchat::routes::{ROUTES, Route};
use serde_json::{Value, json};

/// The paths of a route, alias too.
pub(crate) fn paths(route: &Route) -> Vec<String> {
    let name = match route.name {
        "settings/" => "settings/Site_Name",
        "method.call/" => "method.call/name",
        "method.callAnon/" => "method.callAnon/name",
        name => name,
    };
    let alias = name.strip_prefix("dm.").map(|rest| format!("/api/v1/im.{rest}"));
    [Some(format!("/api/v1/{name}")), alias].into_iter().flatten().collect()
}

async fn call(
    app: &TestApp,
    route: &Route,
    path: &str,
    headers: &[(&str, &str)],
) -> crate::app::Answer {
    app.call(route.method.clone(), path, headers, None).await
}

#[tokio::test]
async fn every_route_that_needs_a_login_says_so() {
    let app = app().await;
    let (ann, bob, gone) = (app.user("ann").await, app.user("bob").await, app.user("gone").await);
    app.rocket(&gone).post("logout", json!({})).await.ok();
    let mut needing = 0;
    for route in ROUTES.iter().filter(|route| route.login) {
        for path in paths(route) {
            needing += 1;
            let long = "x".repeat(4000);
            let cases: [&[(&str, &str)]; 7] = [
                &[],
                &[("x-auth-token", &ann.token)],
                &[("x-user-id", &ann.id)],
                &[("x-auth-token", &ann.token), ("x-user-id", &bob.id)],
                &[("x-auth-token", &gone.token), ("x-user-id", &gone.id)],
                &[("x-auth-token", ""), ("x-user-id", &ann.id)],
                &[("x-auth-token", &long), ("x-user-id", &ann.id)],
            ];
            for headers in cases {
                logged_out(&call(&app, route, &path, headers).await);
            }
        }
    }
    assert!(needing > 30, "{needing}");
    assert!(ROUTES.iter().any(|route| !route.login));
}

#[tokio::test]
async fn the_login_comes_before_the_body_and_the_parameters() {
    let app = app().await;
    let broken = |path: &str| {
        Request::post(path)
            .header("content-type", "application/json")
            .body(Body::from("{"))
            .unwrap()
    };
    logged_out(&app.send(broken("/api/v1/dm.create")).await);
    logged_out(&app.call(Method::GET, "/api/v1/dm.messages?count=abc", &[], None).await);
    let text = "The request body is not valid JSON.";
    plain(&app.send(broken("/api/v1/login")).await, 400, text);
}

#[tokio::test]
async fn logout_kills_the_token_by_either_method_and_no_other() {
    let app = app().await;
    for method in [Method::GET, Method::POST] {
        let name = format!("ann-{}", method.as_str().to_lowercase());
        let ann = app.user(&name).await;
        let account = app.core.user_named(&name).await.unwrap();
        let second = app.log_in(&account).await;
        let headers = [("X-Auth-Token", ann.token.as_str()), ("X-User-Id", ann.id.as_str())];
        app.rocket(&ann).get("me", &[]).await.ok();
        let body = app.call(method, "/api/v1/logout", &headers, None).await.ok();
        let want = json!({"status": "success", "success": true,
            "data": {"message": "You've been logged out!"}});
        assert_eq!(body, want);
        logged_out(&app.rocket(&ann).get("me", &[]).await);
        logged_out(&app.rocket(&ann).post("logout", json!({})).await);
        let resume = json!({"resume": ann.token});
        let answer = app.call(Method::POST, "/api/v1/login", &[], Some(&resume)).await;
        assert_eq!(answer.expect(401)["error"], 403);
        app.rocket(&second).get("me", &[]).await.ok();
    }
}

#[tokio::test]
async fn an_open_route_does_not_mind_a_dead_token() {
    let app = app().await;
    let ann = app.user("ann").await;
    app.rocket(&ann).get("logout", &[]).await.ok();
    app.rocket(&ann).get("settings.public", &[]).await.ok();
    app.rocket(&ann).get("info", &[]).await.ok();
}

#[tokio::test]
async fn me_has_everything_a_client_reads_and_no_secret() {
    let app = app().await;
    let ann = app.user("ann").await;
    let me = app.rocket(&ann).get("me", &[]).await;
    let text = String::from_utf8(me.body.clone()).unwrap();
    assert!(!text.contains("argon2") && !text.contains(&ann.token));
    let me = me.ok();
    for (key, want) in [
        ("_id", json!(ann.id)),
        ("username", json!("ann")),
        ("name", json!("ann")),
        ("type", json!("user")),
        ("emails", json!([{"address": "ann@example.com", "verified": true}])),
        ("email", json!("ann@example.com")),
        ("status", json!("offline")),
        ("statusDefault", json!("online")),
        ("statusConnection", json!("offline")),
        ("utcOffset", json!(0)),
        ("roles", json!(["user"])),
        ("active", json!(true)),
        ("services", json!({"password": {"exists": true}})),
        ("isOAuthUser", json!(false)),
        ("avatarUrl", json!("http://localhost:3000/avatar/ann")),
        ("success", json!(true)),
    ] {
        assert_eq!(me[key], want, "{key}");
    }
    assert!(me["_updatedAt"].is_string() && me["createdAt"].is_string());
    assert_eq!(keys(&me["settings"]), ["preferences", "profile"]);
    let preferences = &me["settings"]["preferences"];
    assert_eq!(preferences["desktopNotifications"], "all");
    assert_eq!(preferences["idleTimeLimit"], 300);
    assert_eq!(preferences["sidebarShowUnread"], Value::Bool(false));
}

#[tokio::test]
async fn me_has_no_email_until_one_is_proved() {
    let app = app().await;
    let body =
        json!({"username": "eve", "name": "Eve", "email": "eve@example.com", "pass": "p4ss"});
    let made = app.call(Method::POST, "/api/v1/users.register", &[], Some(&body)).await.ok();
    let login = json!({"user": "eve", "password": "p4ss"});
    let data =
        app.call(Method::POST, "/api/v1/login", &[], Some(&login)).await.ok()["data"].clone();
    let (token, id) = (data["authToken"].as_str().unwrap(), made["user"]["_id"].as_str().unwrap());
    let headers = [("X-Auth-Token", token), ("X-User-Id", id)];
    let me = app.call(Method::GET, "/api/v1/me", &headers, None).await.ok();
    assert_eq!(me["emails"], json!([{"address": "eve@example.com", "verified": false}]));
    assert!(me.get("email").is_none());
}
