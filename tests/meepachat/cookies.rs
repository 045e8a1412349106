//! What a cookie may do, and what it may not.

use super::calls::{me, post, refused, set_cookie};
use crate::app::{PASSWORD, app};
use axum::body::Body;
use axum::http::Method;
use parlance_http::{Edge, EdgeOptions};
use serde_json::json;
use tower::ServiceExt as _;

#[tokio::test]
async fn the_cookie_alone_is_a_session_until_logout() {
    let app = app().await;
    let ann = app.user("ann").await;
    let login = json!({"username": "ann", "password": PASSWORD});
    let login = post(&app, "/api/auth/login", login).await;
    let cookie = set_cookie(&login).split(';').next().unwrap();
    let with_cookie = [("Cookie", cookie)];
    assert_eq!(me(&app, &with_cookie).await.ok()["data"]["id"], ann.id);
    let body = json!({"userId": ann.id});
    app.call(Method::POST, "/api/dms", &with_cookie, Some(&body)).await.expect(201);

    let out = app.call(Method::POST, "/api/auth/logout", &with_cookie, None).await;
    assert_eq!((out.status.as_u16(), out.body.len()), (204, 0));
    assert_eq!(set_cookie(&out), "meepa_session=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0");
    refused(&me(&app, &with_cookie).await, 401, "unauthorized");
    assert!(app.core.caller(&ann.token, None).await.is_ok(), "other sessions live on");
}

#[tokio::test]
async fn a_write_by_cookie_must_not_come_from_another_site() {
    let app = app().await;
    let ann = app.user("ann").await;
    let cookie = format!("meepa_session={}", ann.token);
    let body = json!({"userId": ann.id});
    let send = async |origin: Option<&str>, auth: (&str, &str)| {
        let mut headers = vec![auth, ("Host", "chat.example.com")];
        headers.extend(origin.map(|origin| ("Origin", origin)));
        app.call(Method::POST, "/api/dms", &headers, Some(&body)).await
    };
    let by_cookie = ("Cookie", cookie.as_str());
    for foreign in [
        "https://evil.example",
        "null",
        "http://chat.example.com.evil.example",
        "https://chat.example.com:8443",
    ] {
        refused(&send(Some(foreign), by_cookie).await, 403, "cross-site request refused");
    }
    send(Some("https://chat.example.com"), by_cookie).await.expect(201);
    for own in [None, Some("https://Chat.Example.com:443"), Some("http://localhost:3000")] {
        send(own, by_cookie).await.ok();
    }
    // A token in a header is never sent by a browser on its own, and reading changes nothing.
    let bearer = format!("Bearer {}", ann.token);
    send(Some("https://evil.example"), ("Authorization", &bearer)).await.ok();
    me(&app, &[by_cookie, ("Origin", "https://evil.example")]).await.ok();
}

#[tokio::test]
async fn a_login_from_another_site_sets_no_cookie() {
    let app = app().await;
    app.user("ann").await;
    let body = json!({"username": "ann", "password": PASSWORD});
    let headers = [("Host", "chat.example.com"), ("Origin", "https://evil.example")];
    let answer = app.call(Method::POST, "/api/auth/login", &headers, Some(&body)).await;
    answer.ok();
    assert!(answer.headers.get("set-cookie").is_none());
}

#[tokio::test]
async fn the_cookie_is_secure_where_the_server_is() {
    let app = app().await;
    app.user("ann").await;
    let root_url = "https://chat.example.com".to_owned();
    let edge = Edge::new(app.core.clone(), EdgeOptions { root_url, ..EdgeOptions::default() });
    let body = json!({"username": "ann", "password": PASSWORD}).to_string();
    let request = axum::http::Request::post("/api/auth/login").body(Body::from(body)).unwrap();
    let answer = parlance::app::app(&edge).oneshot(request).await.unwrap();
    assert!(answer.headers()["set-cookie"].to_str().unwrap().ends_with("; Secure"));
}
