//! `method.call` (contract sections 9.5 and 11.6): the envelope, every method of the table by what it
//! gives and refuses, and that none of them shows or changes what is not the caller's.

use super::talk::Talk;
use super::{plain, schema};
use crate::app::{Answer, TestApp, TestUser, app};
use axum::http::Method as Verb;
use parlance_rocketchat::methods::METHODS;
use serde_json::{Value, json};

pub(super) fn body(name: &str, params: &Value) -> Value {
    let text = json!({"msg": "method", "id": "17", "method": name, "params": params}).to_string();
    json!({ "message": text })
}

pub(super) async fn ask(app: &TestApp, user: &TestUser, name: &str, params: Value) -> Answer {
    let path = format!("method.call/{}", name.replace(':', "%3A").replace('/', "%2F"));
    app.rocket(user).post(&path, body(name, &params)).await
}

/// The inner message of an answer of this status.
#[track_caller]
pub(super) fn inner(answer: &Answer, status: u16) -> Value {
    let outer = answer.expect(status);
    assert_eq!(outer["success"], status == 200, "{outer}");
    let inner: Value = serde_json::from_str(outer["message"].as_str().unwrap()).unwrap();
    assert_eq!((&inner["msg"], &inner["id"]), (&json!("result"), &json!("17")), "{inner}");
    inner
}

/// A result; null where the method has none.
pub(super) async fn result(app: &TestApp, user: &TestUser, name: &str, params: Value) -> Value {
    let answer = ask(app, user, name, params).await;
    let mut inner = inner(&answer, 200);
    assert!(inner.get("error").is_none());
    inner["result"].take()
}

/// The error's code, where its message is reason and code.
pub(super) async fn refusal(app: &TestApp, user: &TestUser, name: &str, params: Value) -> Value {
    let answer = ask(app, user, name, params).await;
    let inner = inner(&answer, 400);
    assert!(inner.get("result").is_none());
    let error = &inner["error"];
    let code = error["error"].as_str().map_or_else(|| error["error"].to_string(), str::to_owned);
    let reason = error["reason"].as_str().unwrap();
    let whole = format!("{reason} [{code}]");
    let short = format!("[{code}]");
    let message = error["message"].as_str().unwrap();
    assert!(
        message == whole || (message == short && (reason.is_empty() || reason == code)),
        "{error}"
    );
    assert_eq!(
        (&error["isClientSafe"], &error["errorType"]),
        (&json!(true), &json!("Meteor.Error"))
    );
    error["error"].clone()
}

pub(super) fn date(ms: i64) -> Value {
    json!({ "$date": ms })
}

pub(super) fn ids(messages: &Value) -> Vec<&str> {
    messages.as_array().unwrap().iter().map(|m| m["_id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_envelope() {
    let app = app().await;
    let ann = app.user("ann").await;
    let call = |message: Value| {
        let (app, ann) = (&app, &ann);
        async move { app.rocket(ann).post("method.call/x", json!({"message": message})).await }
    };
    // The path's name does not count, and may hold a slash; ids of any kind come back as they are.
    let text = r#"{"msg":"method","id":{"a":[1,null]},"method":"rooms/get"}"#;
    for path in ["method.call/rooms/get", "method.call/rooms%2Fget", "method.call/whatever"] {
        let answer = app.rocket(&ann).post(path, json!({"message": text})).await.ok();
        let want = r#"{"msg":"result","id":{"a":[1,null]},"result":[]}"#;
        assert_eq!(answer, json!({"message": want, "success": true}));
    }
    for bad in [
        "",
        "[]",
        "{",
        "1",
        r#"{"msg":"method"}"#,
        r#"{"method":"rooms/get"}"#,
        r#"{"msg":"sub","method":"rooms/get"}"#,
        r#"{"msg":"method","method":7}"#,
        r#"{"msg":"method","method":"rooms/get","params":{}}"#,
        r#"{"msg":"method","method":"rooms/get","params":["\u0000"]}"#,
    ] {
        plain(&call(json!(bad)).await, 400, "Invalid method call");
    }
    let deep = format!(
        r#"{{"msg":"method","method":"rooms/get","params":{}{}}}"#,
        "[".repeat(60),
        "]".repeat(60)
    );
    plain(&call(json!(deep)).await, 400, "Invalid method call");
    schema(&call(json!({"a": 1})).await, "must be string");
    schema(
        &app.rocket(&ann).post("method.call/x", json!({})).await,
        "must have required property 'message'",
    );
    let unknown = inner(&ask(&app, &ann, "no:such", json!([])).await, 400);
    assert_eq!(
        unknown["error"],
        json!({"isClientSafe": true, "error": 404, "reason": "Method 'no:such' not found",
        "message": "Method 'no:such' not found [404]", "errorType": "Meteor.Error"})
    );
    let nobody = app
        .call(
            Verb::POST,
            "/api/v1/method.call/rooms%2Fget",
            &[],
            Some(&body("rooms/get", &json!([]))),
        )
        .await;
    nobody.expect(401);
}

#[tokio::test]
async fn without_a_login_only_what_is_open() {
    let talk = Talk::new().await;
    let said = talk.say(&talk.ann, &talk.pair, "between us").await;
    let headers = [("x-auth-token", talk.ann.token.as_str()), ("x-user-id", talk.ann.id.as_str())];
    for method in METHODS {
        let params = json!([talk.pair, said["_id"], {"rid": talk.pair, "_id": said["_id"]}]);
        // A login beside it makes no difference.
        for headers in [&[][..], &headers] {
            let answer = talk
                .app
                .call(
                    Verb::POST,
                    "/api/v1/method.callAnon/x",
                    headers,
                    Some(&body(method.name, &params)),
                )
                .await;
            assert!(!String::from_utf8_lossy(&answer.body).contains("between us"));
            if method.login {
                let error = &inner(&answer, 400)["error"];
                assert_eq!(error["error"], "error-invalid-user", "{}", method.name);
            }
        }
    }
    let answer = talk
        .app
        .call(
            Verb::POST,
            "/api/v1/method.callAnon/x",
            &[],
            Some(&body("public-settings/get", &json!([]))),
        )
        .await;
    let settings = inner(&answer, 200)["result"].clone();
    assert!(settings.as_array().unwrap().iter().all(|one| one["public"] == true));
    assert!(settings.as_array().unwrap().iter().any(|one| one["_id"] == "Site_Url"));
}

#[tokio::test]
async fn no_method_shows_or_changes_what_is_foreign() {
    let talk = Talk::new().await;
    let said = talk.say(&talk.ann, &talk.pair, "a secret between us").await;
    let root = talk.say(&talk.ann, &talk.pair, "a secret root").await;
    talk.reply(&talk.bob, &root, "a secret reply", false).await;
    let before = talk.get(&talk.ann, "dm.messages", &[("roomId", &talk.pair)]).await.ok();
    let subs = [talk.sub(&talk.ann, &talk.pair).await, talk.sub(&talk.bob, &talk.pair).await];
    let (room, id) = (json!(talk.pair), said["_id"].clone());
    let objects = json!({"rid": room, "_id": id, "mid": root["_id"], "tmid": root["_id"], "msg": "forged",
        "starred": true, "blocked": talk.ann.id});
    let arguments = [
        json!([room, room, room, room]),
        json!([id, room, 10, 0]),
        json!([objects, room]),
        json!([":smile:", id, true]),
        json!([root["_id"]]),
        json!(["d", room]),
        json!(["secret", room]),
        json!(["secret"]),
        json!([room, true, {"limit": 5}, ""]),
        json!([room, "desktopNotifications", "nothing"]),
        json!([null, room]),
        json!([{"$regex": ".*"}, {"$ne": null}, {"$gt": ""}]),
        json!([[], [], []]),
        json!([-1, 1e300, "x".repeat(10_000)]),
        json!([]),
    ];
    for user in [&talk.eve, &talk.boss] {
        // Who may erase any room, whose session ends and who is given a secret is told elsewhere.
        let elsewhere = |name: &str| {
            ["logout", "2fa:enable"].contains(&name)
                || (name == "eraseRoom" && user.id == talk.boss.id)
        };
        for method in METHODS.iter().filter(|method| !elsewhere(method.name)) {
            for params in &arguments {
                let answer = ask(&talk.app, user, method.name, params.clone()).await;
                let text = String::from_utf8_lossy(&answer.body).into_owned();
                let status = answer.status.as_u16();
                assert!(
                    status == 200 || status == 400,
                    "{} {params}: {status} {text}",
                    method.name
                );
                assert!(
                    !text.contains("secret\\\"")
                        && !text.contains("secret between")
                        && !text.contains("secret r"),
                    "{} {params}: {text}",
                    method.name
                );
            }
        }
    }
    assert_eq!(talk.get(&talk.ann, "dm.messages", &[("roomId", &talk.pair)]).await.ok(), before);
    let now = [talk.sub(&talk.ann, &talk.pair).await, talk.sub(&talk.bob, &talk.pair).await];
    assert_eq!(now, subs);
}
