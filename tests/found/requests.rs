//! Requests that were read too kindly: a parameter given twice, an address in two header lines, a
//! list of names as long as a body.

use super::{plain, refused, set};
use crate::app::{TestApp, TestUser, app, encode, with_query};
use crate::store::soon;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request};
use parlance_core::Perm;
use parlance_http::{Edge, EdgeOptions};
use serde_json::json;
use std::net::SocketAddr;
use tower::ServiceExt as _;

/// `GET /api/v1/<path>` with this query string as it is.
async fn raw(app: &TestApp, user: &TestUser, path: &str) -> crate::app::Answer {
    let headers = [("X-Auth-Token", user.token.as_str()), ("X-User-Id", user.id.as_str())];
    app.call(Method::GET, &format!("/api/v1/{path}"), &headers, None).await
}

#[tokio::test]
async fn a_filter_or_a_projection_that_is_given_twice_is_refused() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    set(&app, "API_Enable_Direct_Message_History_EndPoint", json!(true)).await;
    let room = app.rocket(&ann).open("root").await;
    app.rocket(&ann).say(&room, "the canary").await;
    let of_room = format!("roomId={room}&");
    let (nothing, little) = (encode(r#"{"_id":"nothing"}"#), encode(r#"{"_id":1}"#));
    let lists = [
        ("dm.messages", of_room.as_str(), true),
        ("dm.messages.others", of_room.as_str(), true),
        ("dm.list.everyone", "", true),
        ("im.list.everyone", "", true),
        ("users.list", "", true),
        ("dm.list", "", false),
    ];
    for (path, first, filters) in lists {
        // Once, each is taken.
        for (name, value) in [("query", &nothing), ("fields", &little)] {
            raw(&app, &boss, &format!("{path}?{first}{name}={value}")).await.ok();
            if name == "query" && !filters {
                continue;
            }
            for twice in [
                format!("{name}={value}&{name}={value}"),
                format!("{name}={value}&{name}="),
                format!("{name}=&{name}={value}"),
                format!("{name}%5B%5D={value}"),
                format!("{name}[]={value}"),
                format!("{name}[]={value}&{name}={value}"),
            ] {
                let answer = raw(&app, &boss, &format!("{path}?{first}{twice}")).await;
                let body = answer.expect(400);
                assert_eq!(body["errorType"], "invalid-params", "{path} {twice}");
                assert!(!body.to_string().contains("canary"));
            }
        }
        for twice in ["sort={}&sort={}", "sort[]={}"] {
            let twice = twice.replace("{}", &little);
            raw(&app, &boss, &format!("{path}?{first}{twice}")).await.expect(400);
        }
    }
}

#[tokio::test]
async fn the_audit_holds_the_address_that_the_nearest_proxy_saw() {
    let app = app().await;
    let boss = app.admin("root").await;
    let proxies = ["10.0.0.0/8".parse().unwrap()];
    let options = EdgeOptions { trusted_proxies: proxies.to_vec(), ..EdgeOptions::default() };
    let router: Router = parlance::app::app(&Edge::new(app.core.clone(), options));
    // The first line is what the client sent, the last what the proxy saw.
    let cases: [(&str, &[&str], &str); 5] = [
        ("10.0.0.1:80", &["6.6.6.6", "9.9.9.9"], "9.9.9.9"),
        ("10.0.0.1:80", &["6.6.6.6, 10.0.0.3", "9.9.9.9, 10.0.0.2"], "9.9.9.9"),
        ("10.0.0.1:80", &["6.6.6.6", "10.0.0.2"], "6.6.6.6"),
        ("10.0.0.1:80", &[], "10.0.0.1"),
        ("7.7.7.7:80", &["6.6.6.6", "9.9.9.9"], "7.7.7.7"),
    ];
    for (peer, lines, want) in cases {
        let mut request = Request::builder()
            .uri("/api/v1/dm.list.everyone")
            .header("X-Auth-Token", &boss.token)
            .header("X-User-Id", &boss.id)
            .extension(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
        for line in lines {
            request = request.header("X-Forwarded-For", *line);
        }
        app.clock.move_to(app.clock.now() + 1);
        let answer = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 200);
        let caller = app.caller(&boss).await;
        let admin = app.core.admin(&caller, Perm::ViewRoomAdministration).unwrap();
        let newest = app.reads(admin).await.remove(0);
        assert_eq!(newest.ip, want, "{peer} {lines:?}");
    }
}

#[tokio::test]
async fn a_thousand_names_are_too_many_before_any_is_looked_up() {
    let app = app().await;
    let ann = app.user("ann").await;
    let code = "error-direct-message-max-user-exceeded";
    // None of them exists: that would be said if they were looked up first.
    for count in [8, 1000, 100_000] {
        let names: Vec<String> = (0..count).map(|n| format!("name{n}")).collect();
        for body in [
            json!({"usernames": names.join(",")}),
            json!({"usernames": names.join(","), "excludeSelf": true}),
        ] {
            if count == 8 && body["excludeSelf"] == true {
                continue;
            }
            let caller = app.rocket(&ann);
            let answer = soon("a refusal", caller.post("dm.create", body)).await;
            refused(&answer, 400, code);
        }
    }
    // The same name a thousand times is one, and so is one's own.
    app.user("bob").await;
    let names = "bob,ann,@BOB,".repeat(1000);
    app.rocket(&ann).post("dm.create", json!({"usernames": names})).await.ok();
    let list = app.rocket(&ann).get("dm.list", &[]).await.ok();
    assert_eq!((&list["total"], &list["ims"][0]["usersCount"]), (&json!(1), &json!(2)));
}

#[tokio::test]
async fn a_parameter_that_must_be_one_text_is_no_list_elsewhere_either() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    for (path, name, value) in [
        ("users.info", "userId", ann.id.as_str()),
        ("users.info", "username", "ann"),
        ("users.getStatus", "userId", ann.id.as_str()),
        ("dm.messages", "roomId", ann.id.as_str()),
        ("dm.messages", "username", "ann"),
    ] {
        let twice = with_query(path, &[(name, value), (name, value)]);
        let body = raw(&app, &boss, &twice).await.expect(400);
        assert_eq!(body["success"], false, "{twice}");
    }
    plain(&raw(&app, &boss, "users.info?userId=nobody").await, 400, "User not found.");
}

/// The other forms in which a list or an object is written are no filter that was not there either.
#[tokio::test]
async fn a_filter_in_brackets_is_refused() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    app.rocket(&ann).open("root").await;
    for query in ["query[0]=%7B%7D", "query[_id]=nothing", "fields[_id]=1"] {
        raw(&app, &boss, &format!("dm.list.everyone?{query}")).await.expect(400);
    }
}
