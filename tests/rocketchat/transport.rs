//! What holds for every answer (contract section 1, rulings B7 and B8): headers, unknown paths and
//! methods, other origins, and the form of a body.

use super::session::paths;
use super::{plain, set};
use crate::app::{Answer, TestApp, app};
use axum::body::Body;
use axum::http::{Method, Request};
use parlance_rocketchat::routes::ROUTES;
use serde_json::{Value, json};

async fn call(app: &TestApp, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    app.call(method, path, headers, None).await
}

#[track_caller]
fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

#[track_caller]
fn usual_headers(answer: &Answer, what: &str) {
    assert_eq!(header(answer, "content-type"), "application/json", "{what}");
    assert_eq!(header(answer, "cache-control"), "no-store", "{what}");
    assert_eq!(header(answer, "pragma"), "no-cache", "{what}");
    assert_eq!(header(answer, "access-control-allow-origin"), "*", "{what}");
    let allowed = header(answer, "access-control-allow-headers");
    for name in ["X-User-Id", "X-Auth-Token", "Content-Type", "x-visitor-token", "Authorization"] {
        assert!(allowed.split(", ").any(|one| one == name), "{what}: {name}");
    }
}

#[tokio::test]
async fn every_answer_of_every_route_has_the_headers() {
    let app = app().await;
    let boss = app.admin("root").await;
    let login = [("x-auth-token", boss.token.as_str()), ("x-user-id", boss.id.as_str())];
    for route in ROUTES.iter().filter(|route| !route.name.ends_with("logout")) {
        for path in paths(route) {
            usual_headers(&call(&app, route.method.clone(), &path, &[]).await, &path);
            let answer = call(&app, route.method.clone(), &path, &login).await;
            usual_headers(&answer, &path);
            assert!(answer.json()["success"].is_boolean(), "{path}");
            let slash = call(&app, route.method.clone(), &format!("{path}/"), &login).await;
            assert_eq!(slash.status, answer.status, "{path}/");
        }
    }
    usual_headers(&call(&app, Method::GET, "/api/info", &[]).await, "info");
}

#[tokio::test]
async fn success_comes_last_and_nothing_is_pretty() {
    let app = app().await;
    let ann = app.user("ann").await;
    app.rocket(&ann).open("ann").await;
    for name in ["dm.list", "me", "users.list", "permissions.listAll", "settings"] {
        let answer = app.rocket(&ann).get(name, &[]).await;
        answer.ok();
        let text = String::from_utf8(answer.body).unwrap();
        assert!(text.ends_with(r#","success":true}"#), "{name}");
        assert!(!text.contains('\n'), "{name}");
    }
}

#[tokio::test]
async fn unknown_paths_and_wrong_methods_are_not_found() {
    let app = app().await;
    let boss = app.admin("root").await;
    let login = [("x-auth-token", boss.token.as_str()), ("x-user-id", boss.id.as_str())];
    let want = json!({"success": false, "error": "Not found", "status": "error",
        "message": "API endpoint does not exist"});
    for path in [
        "/api/v1/nothing",
        "/api/v1/dm.Messages",
        "/api/v1/dm.list/x",
        "/api/v1/",
        "/api/v1/dm",
        "/api/v1/../v1/me",
        "/api/v1/%6de",
        "/api/v1/settings/a/b",
        "/api/v2/me",
        "/api/v1/im.",
        "/api/nothing",
    ] {
        for method in [Method::GET, Method::POST] {
            let answer = call(&app, method.clone(), path, &login).await;
            assert_eq!(answer.expect(404), want, "{method} {path}");
            assert_eq!(header(&answer, "content-type"), "application/json", "{method} {path}");
        }
    }
    for route in ROUTES {
        let routed = |method: &Method| {
            ROUTES.iter().any(|one| one.name == route.name && one.method == *method)
        };
        for path in paths(route) {
            for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
                if routed(&method) {
                    continue;
                }
                let answer = call(&app, method.clone(), &path, &login).await;
                assert_eq!(answer.expect(404), want, "{method} {path}");
                usual_headers(&answer, &path);
            }
        }
    }
}

#[tokio::test]
async fn head_is_get() {
    let app = app().await;
    let answer = call(&app, Method::HEAD, "/api/info", &[]).await;
    assert_eq!(
        (answer.status.as_u16(), header(&answer, "content-type")),
        (200, "application/json")
    );
    assert_eq!(call(&app, Method::HEAD, "/api/v1/dm.list", &[]).await.status, 401);
    assert_eq!(call(&app, Method::HEAD, "/api/v1/nothing", &[]).await.status, 404);
}

#[tokio::test]
async fn a_browser_of_another_origin_may_ask() {
    let app = app().await;
    let boss = app.admin("root").await;
    let asks = [("origin", "https://chat.example"), ("access-control-request-method", "POST")];
    for path in ["/api/v1/login", "/api/v1/dm.list", "/api/v1/nothing", "/api/info"] {
        let answer = call(&app, Method::OPTIONS, path, &asks).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(header(&answer, "access-control-allow-origin"), "*");
        assert_eq!(
            header(&answer, "access-control-allow-methods"),
            "GET, POST, PUT, DELETE, HEAD, PATCH"
        );
        assert!(header(&answer, "access-control-allow-headers").contains("X-Auth-Token"));
        assert!(answer.body.is_empty());
        let bare = call(&app, Method::OPTIONS, path, &[]).await;
        assert_eq!((bare.status.as_u16(), bare.body.len()), (200, 0));
    }
    set(&app, &boss, "API_CORS_Origin", json!("https://a.example, https://b.example")).await;
    let from = [("origin", "https://b.example")];
    let answer = call(&app, Method::GET, "/api/v1/info", &from).await;
    assert_eq!(header(&answer, "access-control-allow-origin"), "https://b.example");
    assert_eq!(header(&answer, "vary"), "Origin");
    let answer = call(&app, Method::GET, "/api/v1/info", &asks).await;
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
    set(&app, &boss, "API_Enable_CORS", json!(false)).await;
    let answer = call(&app, Method::OPTIONS, "/api/v1/login", &asks).await;
    assert_eq!(answer.status, 405);
    let text = "CORS not enabled. Go to \"Admin > General > REST Api\" to enable it.";
    assert_eq!(String::from_utf8(answer.body).unwrap(), text);
    let answer = call(&app, Method::GET, "/api/v1/info", &from).await;
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn a_body_is_one_json_object() {
    let app = app().await;
    let boss = app.admin("root").await;
    let send = async |path: &str, kind: &str, body: Vec<u8>| {
        let request = Request::post(path)
            .header("x-auth-token", &boss.token)
            .header("x-user-id", &boss.id)
            .header("content-type", kind);
        app.send(request.body(Body::from(body)).unwrap()).await
    };
    let not_json = "The request body is not valid JSON.";
    let not_object = "The request body must be a JSON object.";
    let nul = "The request body must not contain NUL characters.";
    let deep = format!(r#"{{"a":{}}}"#, "[".repeat(100_000));
    let posts =
        ROUTES.iter().filter(|route| route.method == Method::POST && route.name != "logout");
    for path in posts.flat_map(paths) {
        for (body, text) in [
            (&b"{"[..], not_json),
            (b"{'a':1}", not_json),
            (b"undefined", not_json),
            (b"{}{}", not_json),
            (b"\xff\xfe", not_json),
            (b"{\"a\":NaN}", not_json),
            (deep.as_bytes(), not_json),
            (b"{\"a\":\"\xc3\x28\"}", not_json),
            (b"[]", not_object),
            (b"null", not_object),
            (b"1", not_object),
            (b"\"x\"", not_object),
            (br#"{"a":"\u0000"}"#, nul),
            (br#"{"\u0000":1}"#, nul),
            (br#"{"a":[{"b":"x\u0000y"}]}"#, nul),
        ] {
            let answer = send(&path, "application/json", body.to_vec()).await;
            plain(&answer, 400, text);
        }
        let answer = send(&path, "application/x-www-form-urlencoded", b"a=%00".to_vec()).await;
        plain(&answer, 400, nul);
        let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(1024 * 1024 + 64 * 1024));
        let answer = send(&path, "application/json", large.into_bytes()).await.expect(413);
        assert_eq!(
            (&answer["success"], &answer["errorType"]),
            (&json!(false), &json!("error-too-large"))
        );
    }
    // Nothing at all is an object without members, whatever it says it is.
    for kind in ["application/json", "text/plain", "application/x-www-form-urlencoded"] {
        let body = send("/api/v1/dm.open", kind, Vec::new()).await.expect(400);
        assert_eq!(body["errorType"], "error-room-param-not-provided");
    }
    let list = app.rocket(&boss).get("users.list", &[]).await.ok();
    assert_eq!(list["total"], 2, "root and rocket.cat");
}

#[tokio::test]
async fn a_query_string_has_an_end() {
    let app = app().await;
    let ann = app.user("ann").await;
    let login = [("x-auth-token", ann.token.as_str()), ("x-user-id", ann.id.as_str())];
    let many: Vec<String> = (0..501).map(|n| format!("p{n}=1")).collect();
    let text = "Invalid query parameters";
    let path = format!("/api/v1/dm.list?{}", many.join("&"));
    plain(&call(&app, Method::GET, &path, &login).await, 400, text);
    for nul in ["sort=%00", "x%00=1", "count=1%00"] {
        plain(&call(&app, Method::GET, &format!("/api/v1/dm.list?{nul}"), &login).await, 400, text);
    }
    for odd in ["%", "%zz=%f0%28", "&&&", "=", "a=b=c", "count[]", "sort=%ED%A0%80x"] {
        let answer = call(&app, Method::GET, &format!("/api/v1/dm.list?{odd}"), &login).await;
        assert!(matches!(answer.status.as_u16(), 200 | 400), "{odd}");
        assert!(answer.json()["success"] != Value::Null);
    }
}
