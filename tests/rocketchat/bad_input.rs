//! The sweep over bodies: every parameter that the contract names, on every `POST`, given what no
//! client should send. Each is refused or does nothing, and nothing is stored.

use super::session::paths;
use crate::app::{TestApp, TestUser, app};
use axum::body::Body;
use axum::http::{Method, Request};
use parlance_rocketchat::routes::ROUTES;
use serde_json::{Map, Value, json};

/// A body that the route takes, and the parameters of the contract for it.
pub(crate) fn good(name: &str, room: &str, message: &str) -> (Value, &'static [&'static str]) {
    match name {
        "login" => (
            json!({"user": "ann", "password": "wrong"}),
            &["user", "username", "email", "password", "resume"],
        ),
        "dm.create" => (json!({"username": "nobody"}), &["username", "usernames", "excludeSelf"]),
        "dm.open" | "dm.close" => (json!({"roomId": "none"}), &["roomId"]),
        "chat.sendMessage" => (json!({"message": {"rid": room}}), &["message"]),
        "chat.postMessage" => (
            json!({"roomId": room}),
            &[
                "roomId",
                "channel",
                "text",
                "msg",
                "alias",
                "username",
                "emoji",
                "icon_emoji",
                "avatar",
                "icon_url",
                "tmid",
                "customFields",
            ],
        ),
        "chat.react" => (
            json!({"messageId": message, "emoji": "none"}),
            &["messageId", "emoji", "reaction", "shouldReact"],
        ),
        "users.create" | "users.register" => (
            json!({"username": "a b", "name": "x", "email": "x@example.com",
            "password": "p", "pass": "p"}),
            &[
                "username",
                "name",
                "email",
                "password",
                "pass",
                "roles",
                "active",
                "verified",
                "bio",
                "nickname",
                "statusText",
                "setRandomPassword",
            ],
        ),
        "users.setStatus" => {
            (json!({"status": "none"}), &["status", "message", "userId", "username"])
        }
        "permissions.update" => (json!({"permissions": [{}]}), &["permissions"]),
        "settings/" => (json!({}), &["value"]),
        "method.call/" | "method.callAnon/" => (json!({"message": "{}"}), &["message"]),
        _ if name.starts_with("roles.") => good_for_roles(name),
        _ if name.starts_with("users.") => good_for_tokens(name),
        _ => good_for_messages(name, room),
    }
}

/// The same, of roles.
fn good_for_roles(name: &str) -> (Value, &'static [&'static str]) {
    let of_nobody = || json!({"username": "nobody", "roleId": "guest"});
    match name {
        "roles.create" => {
            (json!({"name": "editor"}), &["name", "scope", "description", "mandatory2fa"])
        }
        "roles.update" => (
            json!({"roleId": "none", "name": "editor"}),
            &["roleId", "name", "scope", "description", "mandatory2fa"],
        ),
        "roles.delete" => (json!({"roleId": "none"}), &["roleId"]),
        "roles.addUserToRole" => (of_nobody(), &["username", "roleId", "roleName", "roomId"]),
        _ => (of_nobody(), &["username", "roleId", "roleName", "roomId", "scope"]),
    }
}

/// The same, of tokens and second factors.
fn good_for_tokens(name: &str) -> (Value, &'static [&'static str]) {
    match name {
        "users.logout" => (json!({"userId": "none"}), &["userId"]),
        "users.createToken" => {
            (json!({"username": "nobody"}), &["userId", "username", "user", "secret"])
        }
        "users.generatePersonalAccessToken"
        | "users.regeneratePersonalAccessToken"
        | "users.removePersonalAccessToken" => {
            (json!({"tokenName": ""}), &["tokenName", "bypassTwoFactor"])
        }
        "users.2fa.sendEmailCode" => (json!({}), &["emailOrUsername"]),
        "users.forgotPassword" => (json!({}), &["email"]),
        _ => good_for_users(name),
    }
}

/// The same, of what is done to accounts.
fn good_for_users(name: &str) -> (Value, &'static [&'static str]) {
    match name {
        "users.update" => (
            json!({"userId": "none", "data": {"bio": "x"}}),
            &["userId", "data", "confirmRelinquish"],
        ),
        "users.updateOwnBasicInfo" => {
            (json!({"data": {"bio": 1, "x": 1}}), &["data", "customFields"])
        }
        "users.setPreferences" => (json!({"data": {"x": 1}}), &["data", "userId"]),
        "users.setActiveStatus" => (
            json!({"userId": "none", "activeStatus": true}),
            &["userId", "activeStatus", "confirmRelinquish"],
        ),
        "users.deactivateIdle" => (json!({"daysIdle": 0}), &["daysIdle", "role"]),
        "users.deleteOwnAccount" => (json!({"password": "x"}), &["password", "confirmRelinquish"]),
        "users.setAvatar" => (json!({}), &["avatarUrl", "userId", "username"]),
        "users.delete" | "users.resetAvatar" => {
            (json!({"userId": "none"}), &["userId", "username", "confirmRelinquish"])
        }
        // They take nothing.
        _ => (json!({}), &[]),
    }
}

/// The same, of what is done to messages and to what was read of them.
fn good_for_messages(name: &str, room: &str) -> (Value, &'static [&'static str]) {
    match name {
        "chat.update" => (
            json!({"roomId": room, "msgId": "none", "text": "x"}),
            &["roomId", "msgId", "text", "customFields", "previewUrls"],
        ),
        "chat.delete" => (json!({"roomId": room, "msgId": "none"}), &["roomId", "msgId", "asUser"]),
        "chat.followMessage" | "chat.unfollowMessage" => (json!({"mid": "none"}), &["mid"]),
        "chat.readThread" => (json!({"tmid": "none"}), &["tmid"]),
        "subscriptions.read" => (json!({"rid": "none"}), &["rid", "roomId", "readThreads"]),
        "subscriptions.unread" => {
            (json!({"firstUnreadMessage": {"_id": "none"}}), &["firstUnreadMessage", "roomId"])
        }
        "rooms.export" => (
            json!({"rid": room, "type": "file", "format": "json"}),
            &["rid", "type", "format", "dateFrom", "dateTo"],
        ),
        "rooms.saveRoomSettings" => {
            (json!({"rid": room}), &["rid", "roomTopic", "encrypted", "roomName", "favorite"])
        }
        _ => good_for_the_rest(name),
    }
}

/// The same, of commands, devices, and whatever names one message.
fn good_for_the_rest(name: &str) -> (Value, &'static [&'static str]) {
    match name {
        "push.token" => (
            json!({"type": "none", "value": "x", "appName": "x"}),
            &["id", "type", "value", "appName"],
        ),
        "commands.run" | "commands.preview" => (
            json!({"command": "me", "roomId": "none"}),
            &["command", "params", "roomId", "tmid", "previewItem"],
        ),
        _ => (json!({"messageId": "none"}), &["messageId"]),
    }
}

async fn counts(app: &TestApp, boss: &TestUser, ann: &TestUser, room: &str) -> Value {
    let get = async |user, name: &str, query: &[(&str, &str)]| {
        app.rocket(user).get(name, query).await.ok()
    };
    json!({
        "messages": get(ann, "dm.messages", &[("roomId", room)]).await,
        "rooms": get(boss, "dm.list.everyone", &[]).await["ims"],
        "users": get(boss, "users.list", &[]).await["users"],
        "settings": get(boss, "settings", &[("count", "0")]).await["settings"],
        "permissions": get(boss, "permissions.listAll", &[]).await["update"],
        "status": get(ann, "me", &[]).await["statusDefault"],
    })
}

#[tokio::test]
async fn every_parameter_of_every_post() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let room = app.rocket(&ann).open("rocket.cat").await;
    let message = app.rocket(&ann).say(&room, "hello").await["_id"].as_str().unwrap().to_owned();
    let before = counts(&app, &boss, &ann, &room).await;
    let operators = [
        json!({"$ne": null}),
        json!({"$regex": "^a"}),
        json!({"$gt": ""}),
        json!({"$exists": true}),
        json!([{"$ne": null}]),
        json!([[]]),
        json!({"__proto__": {"x": 1}}),
        json!({"toString": 1}),
    ];
    let posts = ROUTES.iter().filter(|r| r.method == Method::POST && r.name != "logout");
    for route in posts {
        let (body, names) = good(route.name, &room, &message);
        for path in paths(route) {
            for (name, value) in
                names.iter().flat_map(|name| operators.iter().map(move |v| (name, v)))
            {
                let mut body = body.clone();
                body[*name] = value.clone();
                for user in [&ann, &boss] {
                    let headers =
                        [("x-auth-token", user.token.as_str()), ("x-user-id", user.id.as_str())];
                    let answer = app.call(Method::POST, &path, &headers, Some(&body)).await;
                    let text = String::from_utf8(answer.body.clone()).unwrap();
                    let ask = format!("{path} {body}: {} {text}", answer.status);
                    assert!(matches!(answer.status.as_u16(), 400 | 401 | 403), "{ask}");
                    assert_eq!(answer.json()["success"], false, "{ask}");
                    assert!(!text.contains("argon2") && !text.contains("SELECT "), "{ask}");
                }
            }
        }
    }
    assert_eq!(counts(&app, &boss, &ann, &room).await, before);
}

#[tokio::test]
async fn numbers_null_and_long_texts_where_texts_belong() {
    let app = app().await;
    let ann = app.user("ann").await;
    let room = app.rocket(&ann).open("rocket.cat").await;
    let message = app.rocket(&ann).say(&room, "hello").await["_id"].as_str().unwrap().to_owned();
    let long = "x".repeat(1024 * 1024);
    let values = [
        json!(0),
        json!(-1),
        json!(1e300),
        json!(u64::MAX),
        json!(null),
        json!(""),
        json!("\u{fffd}"),
        json!("\u{202e}\u{200b}"),
        json!(long),
        json!(vec![0; 10_000]),
    ];
    let posts = ROUTES.iter().filter(|r| r.method == Method::POST && r.name != "logout");
    for route in posts {
        let (body, names) = good(route.name, &room, &message);
        for (name, value) in names.iter().flat_map(|name| values.iter().map(move |v| (name, v))) {
            let mut body = body.clone();
            body[*name] = value.clone();
            // The administrator would really set a setting; the user is refused whatever it is.
            let headers = [("x-auth-token", ann.token.as_str()), ("x-user-id", ann.id.as_str())];
            let answer = app.call(Method::POST, &paths(route)[0], &headers, Some(&body)).await;
            assert!(answer.status.as_u16() < 500, "{} {name}: {}", route.name, answer.status);
            assert!(answer.json()["success"].is_boolean());
        }
    }
    app.rocket(&ann).get("me", &[]).await.ok();
}

#[tokio::test]
async fn a_mebibyte_of_text_is_refused_and_a_lone_surrogate_repaired() {
    let app = app().await;
    let ann = app.user("ann").await;
    let room = app.rocket(&ann).open("ann").await;
    for text in ["x", "*", "[", "😀", "@ann ", "> "] {
        let message = json!({"rid": room, "msg": text.repeat(1024 * 1024 / text.len())});
        let answer = app.rocket(&ann).post("chat.sendMessage", json!({"message": message})).await;
        assert_eq!(answer.expect(400)["errorType"], "error-message-size-exceeded");
    }
    let raw = format!(r#"{{"message":{{"rid":"{room}","msg":"a\ud83d b\udc00"}}}}"#);
    let request = Request::post("/api/v1/chat.sendMessage")
        .header("x-auth-token", &ann.token)
        .header("x-user-id", &ann.id)
        .header("content-type", "application/json");
    let sent = app.send(request.body(Body::from(raw)).unwrap()).await.ok();
    assert_eq!(sent["message"]["msg"], "a\u{fffd} b\u{fffd}");
    let list = app.rocket(&ann).get("dm.messages", &[("roomId", &room)]).await.ok();
    assert_eq!(
        (&list["total"], &list["messages"][0]["msg"]),
        (&json!(1), &json!("a\u{fffd} b\u{fffd}"))
    );
}

#[tokio::test]
async fn many_keys_and_deep_values() {
    let app = app().await;
    let ann = app.user("ann").await;
    let room = app.rocket(&ann).open("ann").await;
    let mut many = Map::new();
    for n in 0..50_000 {
        many.insert(format!("k{n}"), json!(1));
    }
    many.insert("rid".to_owned(), json!(room));
    many.insert("msg".to_owned(), json!("many"));
    let sent = app.rocket(&ann).post("chat.sendMessage", json!({"message": many})).await.ok();
    assert_eq!(sent["message"]["msg"], "many");
    assert!(sent["message"].get("k1").is_none());
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    let message = json!({"rid": room, "msg": "deep", "attachments": [{"ts": {"a": deep}}]});
    let answer = app.rocket(&ann).post("chat.sendMessage", json!({"message": message})).await;
    assert!(answer.status.as_u16() < 500);
    let list = app.rocket(&ann).get("dm.messages", &[("roomId", &room)]).await.ok();
    assert_eq!(list["total"], list["messages"].as_array().unwrap().len());
}

#[tokio::test]
async fn a_lone_surrogate_in_every_text() {
    let app = app().await;
    let ann = app.user("ann").await;
    let room = app.rocket(&ann).open("rocket.cat").await;
    let posts = ROUTES.iter().filter(|r| r.method == Method::POST && r.name != "logout");
    for route in posts {
        let (body, names) = good(route.name, &room, "none");
        for name in names {
            let mut body = body.clone();
            body[*name] = json!("BROKEN");
            let raw = body.to_string().replace("BROKEN", "\\ud83d");
            let request = Request::post(&paths(route)[0])
                .header("x-auth-token", &ann.token)
                .header("x-user-id", &ann.id)
                .header("content-type", "application/json");
            let answer = app.send(request.body(Body::from(raw)).unwrap()).await;
            let ask = format!("{} {name}: {}", route.name, answer.status);
            assert!(answer.status.as_u16() < 500, "{ask}");
            // Taken, or refused for what it says: never for being no JSON.
            let error = answer.json()["error"].clone();
            assert_ne!(error, "The request body is not valid JSON.", "{ask}");
        }
    }
    let list = app.rocket(&ann).get("dm.messages", &[("roomId", &room)]).await.ok();
    let texts = super::each(&list, "messages", "msg");
    assert!(texts.iter().any(|text| text == "\u{fffd}"), "{texts:?}");
}
