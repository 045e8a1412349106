//! `GET /data-export/<id>`: its owner's alone, by each way of saying who one is (contract section 10.4), for
//! as long as it is kept.

use super::export::{fetch, order, path, talk, told};
use super::talk::Talk;
use super::{grant, plain, set};
use crate::app::{Answer, TestApp, fresh_database, with_query};
use crate::store::{number, soon};
use axum::body::Body;
use axum::http::{Method, Request};
use http_body_util::BodyExt as _;
use serde_json::json;

const UNKNOWN: &str = "/data-export/00000000000000000000000000000000";
const DAY: i64 = 86_400_000;

/// An export of Ann's, and its path.
async fn made() -> (Talk, String) {
    let talk = talk().await;
    talk.app.rocket(&talk.bob).say(&talk.pair, "between us").await;
    order(&talk.app, &talk.ann, &talk.pair, json!({})).await.ok();
    let word = told(&talk.app, &talk.ann, 1).await.remove(0);
    (talk, path(&word))
}

/// Asks by each of the three ways: headers, query, cookies.
async fn by_each_way(talk: &Talk, path: &str, token: &str, id: &str) -> [Answer; 3] {
    let get = async |path: &str, headers: &[(&str, &str)]| {
        talk.app.call(Method::GET, path, headers, None).await
    };
    let cookie = format!("x=y; rc_uid={id}; rc_token={token}");
    [
        get(path, &[("x-auth-token", token), ("x-user-id", id)]).await,
        get(&with_query(path, &[("rc_uid", id), ("rc_token", token)]), &[]).await,
        get(path, &[("cookie", &cookie)]).await,
    ]
}

fn guarded(answer: &Answer) {
    for (name, want) in [
        ("content-security-policy", "default-src 'none'"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(answer.headers[name], want, "{name}");
    }
    assert!(answer.headers.get("access-control-allow-origin").is_none());
}

#[tokio::test]
async fn its_owner_gets_it_as_a_file() {
    let (talk, path) = made().await;
    for answer in by_each_way(&talk, &path, &talk.ann.token, &talk.ann.id).await {
        assert_eq!(answer.ok()["messages"][0]["msg"], "between us");
        guarded(&answer);
        assert_eq!(answer.headers["content-length"], answer.body.len().to_string());
        let name = "attachment; filename=\"export-2026-01-02.json\"";
        assert_eq!(answer.headers["content-disposition"], name);
    }
    let headers = [("x-auth-token", &*talk.ann.token), ("x-user-id", &*talk.ann.id)];
    let head = talk.app.call(Method::HEAD, &path, &headers, None).await;
    let whole = fetch(&talk.app, &talk.ann, &path).await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
    assert_eq!(head.headers["content-length"], whole.body.len().to_string());
    assert_eq!(head.headers["content-disposition"], whole.headers["content-disposition"]);
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        let answer = talk.app.call(method.clone(), &path, &headers, None).await;
        assert_eq!(answer.status.as_u16(), 405, "{method}");
    }
}

#[tokio::test]
async fn nobody_else_learns_whether_it_is_there() {
    let (talk, path) = made().await;
    // Somebody: members of the room and administrators too.
    for user in [&talk.bob, &talk.eve, &talk.boss] {
        let theirs = by_each_way(&talk, &path, &user.token, &user.id).await;
        let none = by_each_way(&talk, UNKNOWN, &user.token, &user.id).await;
        for (theirs, none) in theirs.iter().zip(&none) {
            plain(theirs, 404, "Resource not found");
            guarded(theirs);
            assert_eq!((&theirs.headers, &theirs.body), (&none.headers, &none.body));
        }
    }
    for odd in ["/data-export/x", "/data-export/%ff", "/data-export/%00", "/data-export/a%2Fb"] {
        plain(&fetch(&talk.app, &talk.ann, odd).await, 404, "Resource not found");
    }
    // Nobody: no session, half of one, another's id, a dead one.
    let gone = talk.app.user("gone").await;
    talk.post(&gone, "logout", json!({})).await.ok();
    let long = "x".repeat(4000);
    for at in [path.as_str(), UNKNOWN, "/data-export/%ff"] {
        for (token, id) in [
            (talk.ann.token.as_str(), talk.bob.id.as_str()),
            ("wrong", &talk.ann.id),
            ("", &talk.ann.id),
            (&long, &talk.ann.id),
            (&gone.token, &gone.id),
        ] {
            for answer in by_each_way(&talk, at, token, id).await {
                plain(&answer, 403, "unauthorized");
                guarded(&answer);
            }
        }
        for headers in [
            &[][..],
            &[("x-auth-token", talk.ann.token.as_str())],
            &[("cookie", &format!("rc_token={}", talk.ann.token))],
        ] {
            plain(&talk.app.call(Method::GET, at, headers, None).await, 403, "unauthorized");
        }
    }
    // Whoever says two things at once is the one of the headers.
    let cookie = format!("rc_uid={}; rc_token={}", talk.ann.id, talk.ann.token);
    let headers =
        [("x-auth-token", &*talk.eve.token), ("x-user-id", &*talk.eve.id), ("cookie", &cookie)];
    plain(&talk.app.call(Method::GET, &path, &headers, None).await, 404, "Resource not found");
}

#[tokio::test]
async fn it_goes_when_its_time_is_over() {
    let (talk, path) = made().await;
    let made = talk.app.clock.now();
    // Sessions live longer than exports.
    talk.app.clock.move_to(made + 7 * DAY - 1);
    fetch(&talk.app, &talk.ann, &path).await.ok();
    talk.app.clock.move_to(made + 7 * DAY);
    let gone = fetch(&talk.app, &talk.ann, &path).await;
    plain(&gone, 404, "Resource not found");
    // The setting counts for what is made after it.
    set(&talk.app, &talk.boss, "Parlance_Export_Days", json!(1)).await;
    order(&talk.app, &talk.ann, &talk.pair, json!({})).await.ok();
    let path = super::export::path(&told(&talk.app, &talk.ann, 2).await[0]);
    fetch(&talk.app, &talk.ann, &path).await.ok();
    talk.app.clock.move_to(made + 8 * DAY);
    plain(&fetch(&talk.app, &talk.ann, &path).await, 404, "Resource not found");
}

#[tokio::test]
async fn a_slow_reader_holds_no_reader_of_the_store() {
    let talk = talk().await;
    for _ in 0..60 {
        talk.app.rocket(&talk.bob).say(&talk.pair, &"x".repeat(5000)).await;
    }
    order(&talk.app, &talk.ann, &talk.pair, json!({})).await.ok();
    let path = path(&told(&talk.app, &talk.ann, 1).await[0]);
    // Far more than there are readers, each stopped after its first part.
    let mut slow = Vec::new();
    for _ in 0..50 {
        let request = Request::get(&path)
            .header("x-auth-token", &talk.ann.token)
            .header("x-user-id", &talk.ann.id);
        let mut answer = talk.app.begin(request.body(Body::empty()).unwrap()).await;
        let first = answer.body_mut().frame().await.unwrap().unwrap().into_data().unwrap();
        assert!(first.len() <= 256 * 1024 && first.len() > 200 * 1024);
        slow.push((answer, first));
    }
    let whole = soon("another's read", fetch(&talk.app, &talk.ann, &path)).await;
    talk.app.rocket(&talk.bob).say(&talk.pair, "still here").await;
    for (answer, first) in slow {
        let rest = answer.into_body().collect().await.unwrap().to_bytes();
        assert_eq!([&first[..], &rest[..]].concat(), whole.body);
    }
}

#[tokio::test]
async fn what_goes_while_it_is_read_breaks_off() {
    let database = fresh_database().await;
    let app = TestApp::start(database.clone()).await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    grant(&app, &boss, "mail-messages", &["user"]).await;
    let room = app.rocket(&ann).open("root").await;
    for _ in 0..60 {
        app.rocket(&ann).say(&room, &"x".repeat(5000)).await;
    }
    order(&app, &ann, &room, json!({})).await.ok();
    let path = path(&told(&app, &ann, 1).await[0]);
    let request =
        Request::get(&path).header("x-auth-token", &ann.token).header("x-user-id", &ann.id);
    let mut answer = app.begin(request.body(Body::empty()).unwrap()).await;
    answer.body_mut().frame().await.unwrap().unwrap();
    app.clock.move_to(app.clock.now() + 8 * DAY);
    let swept = async {
        while number(&database, "SELECT count(*) FROM exports").await > 0 {
            tokio::task::yield_now().await;
        }
    };
    soon("the export to go", swept).await;
    assert_eq!(number(&database, "SELECT count(*) FROM export_parts").await, 0);
    // It does not end as if it were whole.
    assert!(answer.into_body().collect().await.is_err());
}
