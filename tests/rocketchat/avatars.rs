//! Pictures (contract sections 8.4 and 8.5): there are only drawn ones, and nobody learns from them who
//! exists.

use super::{coded, grant, plain, set};
use crate::app::{Answer, TestApp, TestUser, app};
use axum::http::Method;
use parlance_core::account::NewUser;
use serde_json::{Value, json};

const MADE: &str = "Thu, 01 Jan 2015 00:00:00 GMT";

async fn get(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Answer {
    app.call(Method::GET, path, headers, None).await
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

fn svg(answer: &Answer) -> String {
    assert_eq!((answer.status.as_u16(), header(answer, "content-type")), (200, "image/svg+xml"));
    String::from_utf8(answer.body.clone()).unwrap()
}

fn letter(answer: &Answer) -> String {
    let svg = svg(answer);
    svg.rsplit_once('>')
        .unwrap()
        .0
        .rsplit_once("</text>")
        .unwrap()
        .0
        .rsplit_once('>')
        .unwrap()
        .1
        .to_owned()
}

#[tokio::test]
async fn a_letter_for_everybody() {
    let app = app().await;
    app.user("ann").await;
    let known = get(&app, "/avatar/ann", &[]).await;
    assert_eq!(letter(&known), "A");
    for (name, want) in [
        ("last-modified", MADE),
        ("cache-control", "public, max-age=3600"),
        ("content-security-policy", "default-src 'none'"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(header(&known, name), want);
    }
    // A name that nobody has looks the same.
    let unknown = get(&app, "/avatar/amy", &[]).await;
    assert_eq!(
        (unknown.status, &unknown.headers, letter(&unknown)),
        (known.status, &known.headers, "A".to_owned())
    );
    assert_eq!(get(&app, "/avatar/ann", &[]).await.body, known.body);
    assert_eq!(get(&app, "/avatar/@ann", &[]).await.body, known.body);
    assert_eq!(letter(&get(&app, "/avatar/%C3%A9ve.jpg?_dc=0", &[]).await), "É");
    for size in ["16", "1024", "64"] {
        let answer = get(&app, &format!("/avatar/ann?size={size}&format=png"), &[]).await;
        assert!(svg(&answer).contains(&format!("width=\"{size}\" height=\"{size}\"")));
    }
    for size in ["15", "1025", "x", "-1", "99999999999"] {
        let answer = get(&app, &format!("/avatar/ann?size={size}&format=jpg"), &[]).await;
        assert!(svg(&answer).contains("width=\"200\""));
    }
    let again = get(&app, "/avatar/ann", &[("if-modified-since", MADE)]).await;
    assert_eq!(
        (again.status.as_u16(), again.body.len(), header(&again, "last-modified")),
        (304, 0, MADE)
    );
    let other =
        get(&app, "/avatar/ann", &[("if-modified-since", "Thu, 01 Jan 2014 00:00:00 GMT")]).await;
    assert_eq!(other.status, 200);
    app.call(Method::POST, "/avatar/ann", &[], None).await.expect(405);
}

#[tokio::test]
async fn no_path_leads_anywhere() {
    let app = app().await;
    for path in [
        "/avatar/..%2f..%2fetc%2fpasswd",
        "/avatar/%252e%252e%252f",
        "/avatar/..%5c..%5cx",
        "/avatar/%00",
        "/avatar//etc/passwd",
        "/avatar/uid/..%2f..",
        "/avatar/room/../x",
        "/avatar/uid/",
        "/avatar/%3Csvg%3E",
        "/avatar/%26amp%3B",
        "/avatar/%E2%80%AE",
        "/avatar/%F0%9F%98%80",
    ] {
        let answer = get(&app, path, &[]).await;
        let text = svg(&answer);
        assert_eq!(text.matches('<').count(), 5, "{path}: {text}");
        assert!(letter(&answer).chars().count() == 1, "{path}: {text}");
    }
    let long = get(&app, &format!("/avatar/{}", "x".repeat(5000)), &[]).await;
    assert_eq!(letter(&long), "X");
}

#[tokio::test]
async fn a_letter_behind_an_id_is_for_who_is_logged_in() {
    let app = app().await;
    let boss = app.admin("root").await;
    let fixed = |id: &str, username: &str| NewUser {
        id: Some(id.to_owned()),
        username: username.to_owned(),
        ..NewUser::default()
    };
    let ann = app.user_with(fixed("id1", "ann")).await;
    let bob = app.user_with(fixed("id2", "bob")).await;
    let zoe = app.user_with(fixed("id3", "zoe")).await;
    let room = app.rocket(&ann).open("bob").await;
    let paths = ["/avatar/uid/id2".to_owned(), format!("/avatar/room/{room}")];
    let with =
        |path: &str, user: &TestUser| format!("{path}?rc_uid={}&rc_token={}", user.id, user.token);
    for path in &paths {
        assert_eq!(letter(&get(&app, path, &[]).await), "I", "{path}");
        assert_eq!(letter(&get(&app, &with(path, &ann), &[]).await), "B", "{path}");
        let cookie = format!("a=b; rc_uid={}; rc_token={}", ann.id, ann.token);
        let answer = get(&app, path, &[("cookie", &cookie)]).await;
        assert_eq!(
            (letter(&answer), header(&answer, "cache-control")),
            ("B".to_owned(), "private, max-age=3600")
        );
        let forged = format!("{path}?rc_uid={}&rc_token={}", bob.id, ann.token);
        assert_eq!(letter(&get(&app, &forged, &[]).await), "I");
    }
    // A room's is for its members.
    assert_eq!(letter(&get(&app, &with(&paths[1], &zoe), &[]).await), "I");
    assert_eq!(letter(&get(&app, &with("/avatar/uid/none", &ann), &[]).await), "N");
    set(&app, &boss, "Accounts_AvatarBlockUnauthenticatedAccess", json!(false)).await;
    assert_eq!(letter(&get(&app, &paths[0], &[]).await), "B");
    assert_eq!(letter(&get(&app, &paths[1], &[]).await), "I");
}

#[tokio::test]
async fn where_a_picture_is() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let url = "http://localhost:3000/avatar/bob";
    for query in [("userId", bob.id.as_str()), ("username", "BOB"), ("user", "bob")] {
        let answer = app.rocket(&ann).get("users.getAvatar", &[query]).await;
        assert_eq!((answer.expect(307), header(&answer, "location")), (json!(url), url));
    }
    let answer = app.rocket(&ann).get("users.getAvatar", &[("username", "none")]).await;
    assert_eq!(answer.expect(400)["errorType"], "error-invalid-user");
    let text = "The required \"userId\" or \"username\" param was not provided";
    let none = app.rocket(&ann).get("users.getAvatar", &[]).await;
    coded(&none, "error-user-param-not-provided", text, &Value::Null);
    let none = get(&app, "/api/v1/users.getAvatar", &[]).await;
    coded(&none, "error-user-param-not-provided", text, &Value::Null);
    // Who is not logged in learns nothing of who exists.
    for (query, path) in [
        ("username=none", "none"),
        ("username=bob", "bob"),
        ("userId=x", "uid/x"),
        ("username=a%2F..%0d%0ab", "a%2F..%0D%0Ab"),
    ] {
        let answer = get(&app, &format!("/api/v1/users.getAvatar?{query}"), &[]).await;
        let url = format!("http://localhost:3000/avatar/{path}");
        assert_eq!((answer.expect(307), header(&answer, "location")), (json!(url), url.as_str()));
    }
    let found = app.rocket(&ann).get("users.getAvatarSuggestion", &[]).await.ok();
    assert_eq!(found, json!({"suggestions": {}, "success": true}));
}

/// Ann, as she came from elsewhere with a picture.
async fn pictured(app: &TestApp) -> TestUser {
    let mut new = NewUser { username: "ann".to_owned(), ..NewUser::default() };
    for key in ["avatarETag", "avatarOrigin"] {
        new.body.insert(key.to_owned(), json!("upload"));
    }
    app.user_with(new).await
}

#[tokio::test]
async fn who_may_change_a_picture() {
    let app = app().await;
    let (boss, bob) = (app.admin("root").await, app.user("bob").await);
    let ann = pictured(&app).await;
    let post =
        async |user: &TestUser, name: &str, body: Value| app.rocket(user).post(name, body).await;
    let none = "Pictures cannot be stored here yet";
    for body in
        [json!({}), json!({"avatarUrl": "http://a.example/x.png"}), json!({"userId": ann.id})]
    {
        coded(
            &post(&ann, "users.setAvatar", body).await,
            "error-avatar-not-stored",
            none,
            &Value::Null,
        );
    }
    super::schema(
        &post(&ann, "users.setAvatar", json!({"avatarUrl": {"$ne": null}})).await,
        "must be string",
    );
    for name in ["users.setAvatar", "users.resetAvatar"] {
        for body in [
            json!({"userId": ann.id}),
            json!({"username": "ann"}),
            json!({"userId": "none"}),
            json!({"userId": {"$ne": 1}}),
        ] {
            plain(&post(&bob, name, body).await, 403, "unauthorized");
        }
        let answer = post(&boss, name, json!({"userId": "none"})).await;
        assert_eq!(answer.expect(400)["errorType"], "error-invalid-user");
    }
}

#[tokio::test]
async fn a_picture_is_taken_off() {
    let app = app().await;
    let (boss, bob) = (app.admin("root").await, app.user("bob").await);
    let ann = pictured(&app).await;
    let post =
        async |user: &TestUser, name: &str, body: Value| app.rocket(user).post(name, body).await;
    let etag = async || {
        app.rocket(&bob).get("users.info", &[("username", "ann")]).await.ok()["user"]
            .get("avatarETag")
            .cloned()
    };
    assert_eq!(etag().await, Some(json!("upload")));
    set(&app, &boss, "Accounts_AllowUserAvatarChange", json!(false)).await;
    let refused = post(&ann, "users.setAvatar", json!({})).await;
    coded(
        &refused,
        "error-not-allowed",
        "Change avatar is not allowed",
        &json!({"method": "setAvatar"}),
    );
    let refused = post(&ann, "users.resetAvatar", json!({})).await;
    coded(
        &refused,
        "error-not-allowed",
        "Reset avatar is not allowed",
        &json!({"method": "resetAvatar"}),
    );
    let mut ears = app.core.listen(100);
    assert_eq!(
        post(&boss, "users.resetAvatar", json!({"username": "ann"})).await.ok(),
        json!({"success": true})
    );
    assert_eq!(etag().await, None);
    let mut kinds = Vec::new();
    while !kinds.contains(&parlance_core::event::Kind::Avatar) {
        kinds.push(crate::store::soon("the event", ears.next()).await.unwrap().kind);
    }
    set(&app, &boss, "Accounts_AllowUserAvatarChange", json!(true)).await;
    grant(&app, &boss, "edit-other-user-avatar", &[]).await;
    plain(&post(&boss, "users.resetAvatar", json!({"username": "ann"})).await, 403, "unauthorized");
    post(&ann, "users.resetAvatar", json!({"username": "ann"})).await.ok();
}
