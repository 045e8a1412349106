//! `push.*` (contract section 9.4): devices are kept per account, go with the session that named them, and
//! change hands with who names them last; what a notice would show is for who may read it.

use super::talk::{Talk, text};
use super::{coded, keys, plain, schema};
use crate::app::{Answer, START, TestApp, TestUser, app};
use axum::http::Method;
use parlance_core::account::Authority;
use parlance_core::{UserId, time};
use serde_json::{Value, json};

fn device(value: &str) -> Value {
    json!({"type": "gcm", "value": value, "appName": "some.app"})
}

async fn keep(app: &TestApp, user: &TestUser, body: Value) -> Answer {
    app.rocket(user).post("push.token", body).await
}

async fn forget(app: &TestApp, user: &TestUser, token: &Value) -> Answer {
    let headers = [("x-auth-token", user.token.as_str()), ("x-user-id", user.id.as_str())];
    let body = json!({ "token": token });
    app.call(Method::DELETE, "/api/v1/push.token", &headers, Some(&body)).await
}

/// Was it kept until now? It is not any more.
async fn was_kept(app: &TestApp, user: &TestUser, token: &str) -> bool {
    let answer = forget(app, user, &json!(token)).await;
    if answer.status.as_u16() == 200 {
        assert_eq!(answer.ok(), json!({"success": true}));
        return true;
    }
    plain(&answer, 404, "Resource not found");
    false
}

#[tokio::test]
async fn a_device_is_kept_once() {
    let app = app().await;
    let ann = app.user("ann").await;
    let first = keep(&app, &ann, device("secret")).await.ok()["result"].clone();
    let want = [
        "_id",
        "_updatedAt",
        "appName",
        "authToken",
        "createdAt",
        "enabled",
        "metadata",
        "token",
        "updatedAt",
        "userId",
    ];
    assert_eq!(keys(&first), want);
    for (name, value) in [
        ("appName", json!("some.app")),
        ("token", json!({"gcm": "secret"})),
        ("userId", json!(ann.id)),
        ("enabled", json!(true)),
        ("createdAt", json!(time::iso(START))),
        ("updatedAt", json!(time::iso(START))),
    ] {
        assert_eq!(first[name], value, "{name}");
    }
    assert_ne!(first["authToken"], ann.token);
    app.clock.move_to(START + 1000);
    // Named again it is the same, and younger.
    let again = keep(&app, &ann, device("secret")).await.ok()["result"].clone();
    assert_eq!((&again["_id"], &again["createdAt"]), (&first["_id"], &first["createdAt"]));
    assert_eq!(again["updatedAt"], time::iso(START + 1000));
    // By its id it changes its token.
    let body = json!({"id": first["_id"], "type": "apn", "value": "other", "appName": "some.app"});
    let changed = keep(&app, &ann, body).await.ok()["result"].clone();
    assert_eq!((&changed["_id"], &changed["token"]), (&first["_id"], &json!({"apn": "other"})));
    assert!(!was_kept(&app, &ann, "secret").await && was_kept(&app, &ann, "other").await);
    assert!(!was_kept(&app, &ann, "other").await);
    // A client's own id is kept, also beside somebody else's of the same name.
    let bob = app.user("bob").await;
    for (user, value) in [(&ann, "a"), (&bob, "b")] {
        let body = json!({"id": "phone", "type": "gcm", "value": value, "appName": "x"});
        assert_eq!(keep(&app, user, body).await.ok()["result"]["_id"], "phone");
    }
    assert!(was_kept(&app, &ann, "a").await && was_kept(&app, &bob, "b").await);
    // One token in two apps is two devices.
    for name in ["one", "two"] {
        let body = json!({"type": "gcm", "value": "shared", "appName": name});
        keep(&app, &ann, body).await.ok();
    }
    assert!(was_kept(&app, &ann, "shared").await && !was_kept(&app, &ann, "shared").await);
}

#[tokio::test]
async fn a_device_is_whose_it_was_named_last() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    keep(&app, &ann, device("phone")).await.ok();
    assert!(!was_kept(&app, &bob, "phone").await);
    keep(&app, &bob, device("phone")).await.ok();
    assert!(!was_kept(&app, &ann, "phone").await && was_kept(&app, &bob, "phone").await);
}

#[tokio::test]
async fn sessions_take_their_devices_with_them() {
    let app = app().await;
    let ann = app.user("ann").await;
    let account = app.core.user_named("ann").await.unwrap();
    let other = app.log_in(&account).await;
    keep(&app, &ann, device("here")).await.ok();
    keep(&app, &other, device("there")).await.ok();
    app.rocket(&ann).post("logout", json!({})).await.ok();
    assert!(!was_kept(&app, &other, "here").await && was_kept(&app, &other, "there").await);
    // A device that a later session names again is that session's.
    keep(&app, &other, device("moved")).await.ok();
    let third = app.log_in(&account).await;
    keep(&app, &third, device("moved")).await.ok();
    app.rocket(&other).post("logout", json!({})).await.ok();
    assert!(was_kept(&app, &third, "moved").await);
    // So it is where all sessions end at once.
    keep(&app, &third, device("last")).await.ok();
    let id = UserId::from(ann.id.as_str());
    for active in [false, true] {
        app.core.set_active(Authority::Operator, &id, active).await.unwrap();
    }
    let fresh = app.log_in(&account).await;
    assert!(!was_kept(&app, &fresh, "last").await);
}

#[tokio::test]
async fn an_account_has_so_many_devices_and_no_more() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    keep(&app, &bob, device("of bob")).await.ok();
    for n in 0..23 {
        app.clock.move_to(app.clock.now() + 1000);
        keep(&app, &ann, device(&format!("d{n}"))).await.ok();
    }
    let mut left = Vec::new();
    for n in 0..23 {
        if was_kept(&app, &ann, &format!("d{n}")).await {
            left.push(n);
        }
    }
    assert_eq!(left, (3..23).collect::<Vec<_>>());
    assert!(was_kept(&app, &bob, "of bob").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_who_name_one_device_at_once_leave_it_with_one() {
    let app = app().await;
    let mut users = Vec::new();
    for n in 0..6 {
        users.push(app.user(&format!("user{n}")).await);
    }
    for _ in 0..5 {
        let all = users.iter().map(|user| keep(&app, user, device("phone")));
        for answer in futures_util::future::join_all(all).await {
            assert!([200, 503].contains(&answer.status.as_u16()), "{:?}", answer.json());
        }
        let mut have = 0;
        for user in &users {
            have += usize::from(was_kept(&app, user, "phone").await);
        }
        assert_eq!(have, 1);
    }
}

#[tokio::test]
async fn what_is_no_device() {
    let app = app().await;
    let ann = app.user("ann").await;
    let long = "x".repeat(1025);
    for (name, code, values) in [
        ("id", "id", &[json!(7), json!(""), json!(["x"]), json!("x".repeat(129))][..]),
        ("type", "type", &[json!(null), json!("web"), json!({"$ne": ""}), json!("")]),
        ("value", "token", &[json!(null), json!(7), json!(" "), json!([]), json!(long)]),
        ("appName", "appName", &[json!(null), json!(""), json!(true), json!("x".repeat(257))]),
    ] {
        for value in values {
            let mut body = device("secret");
            body[name] = value.clone();
            let answer = keep(&app, &ann, body).await;
            let text = format!("The required \"{name}\" body param is missing or invalid.");
            coded(&answer, &format!("error-{code}-param-not-valid"), &text, &Value::Null);
        }
    }
    keep(&app, &ann, device(&long[..1024])).await.ok();
    assert!(!was_kept(&app, &ann, "secret").await);
    let text = "The required \"token\" body param is missing or invalid.";
    for token in [json!(null), json!(""), json!({"$ne": null}), json!(["x"])] {
        let answer = forget(&app, &ann, &token).await;
        coded(&answer, "error-token-param-not-valid", text, &Value::Null);
    }
    assert!(was_kept(&app, &ann, &long[..1024]).await);
}

/// No answer that holds the token is kept for a client's key, and `Debug` does not show it.
#[tokio::test]
async fn the_token_stands_in_no_other_place() {
    let app = app().await;
    let ann = app.user("ann").await;
    let headers = [
        ("x-auth-token", ann.token.as_str()),
        ("x-user-id", ann.id.as_str()),
        ("idempotency-key", "key"),
    ];
    let path = "/api/v1/push.token";
    for value in ["first", "second"] {
        let body = device(value);
        let kept = app.call(Method::POST, path, &headers, Some(&body)).await.ok();
        assert_eq!(kept["result"]["token"]["gcm"], value);
    }
    let new = parlance_core::push::NewDevice {
        id: None,
        kind: parlance_core::push::Network::Apn,
        value: "SECRET",
        app: "x",
    };
    let kept = app.core.keep_device(&app.caller(&ann).await, new).await.unwrap();
    assert!(kept.value == "SECRET" && !format!("{kept:?} {new:?}").contains("SECRET"));
}

#[tokio::test]
async fn what_a_notice_shows() {
    let talk = Talk::new().await;
    let sent = talk.say(&talk.ann, &talk.pair, "hello").await;
    let get = async |user, id: &str| talk.get(user, "push.get", &[("id", id)]).await;
    let body = get(&talk.bob, text(&sent, "_id")).await.ok();
    assert_eq!(keys(&body["data"]), ["message", "notification"]);
    assert_eq!(body["data"]["message"], sent);
    let author = json!({"_id": talk.ann.id, "username": "ann", "name": "ann"});
    let want = json!({"title": "ann", "text": "hello", "userId": talk.bob.id, "payload": {
        "host": "http://localhost:3000", "messageId": sent["_id"], "rid": talk.pair,
        "notificationType": "message", "sender": author, "senderName": "ann", "type": "d"}});
    assert_eq!(body["data"]["notification"], want);
    let sent = talk.say(&talk.ann, &talk.group, "all of you").await;
    let reply = talk.reply(&talk.ann, &sent, "still", false).await;
    let notice = get(&talk.bob, text(&reply, "_id")).await.ok()["data"]["notification"].clone();
    assert_eq!((&notice["title"], &notice["text"]), (&json!("ann, cat"), &json!("ann: still")));
    assert_eq!(notice["payload"]["tmid"], sent["_id"]);
    // Not yours and not there are the same.
    for user in [&talk.eve, &talk.boss] {
        for id in [text(&sent, "_id"), "nothing", ""] {
            plain(&get(user, id).await, 400, "error-message-not-found");
        }
    }
    let missing = talk.get(&talk.bob, "push.get", &[]).await;
    schema(&missing, "must have required property 'id'");
    let extra = talk.get(&talk.bob, "push.get", &[("id", "x"), ("x", "y")]).await;
    schema(&extra, "must NOT have additional properties");
}

#[tokio::test]
async fn nothing_is_sent() {
    let app = app().await;
    let ann = app.user("ann").await;
    let want = json!({"pushGatewayEnabled": false, "defaultPushGateway": false, "success": true});
    assert_eq!(app.rocket(&ann).get("push.info", &[]).await.ok(), want);
}
