//! One conversation on both faces: same ids, texts, order and times, and read state that agrees.

mod model;

use crate::app::{TestApp, TestUser, app};
use serde_json::{Value, json};

/// Ids, texts and times of a room's messages, oldest first, as the Rocket.Chat face lists them.
async fn on_rocket(app: &TestApp, user: &TestUser, room: &str) -> Vec<(String, String, String)> {
    let listed = app.rocket(user).get("dm.messages", &[("roomId", room)]).await.ok();
    let row = |message: &Value| {
        let text = |key: &str| message[key].as_str().unwrap().to_owned();
        (text("_id"), text("msg"), text("ts"))
    };
    listed["messages"].as_array().unwrap().iter().rev().map(row).collect()
}

/// The same, as the MeepaChat face lists them.
async fn on_meepa(app: &TestApp, user: &TestUser, room: &str) -> Vec<(String, String, String)> {
    let listed = app.meepa(user).get(&format!("/dms/{room}/messages"), &[]).await.ok();
    let row = |message: &Value| {
        let text = |key: &str| message[key].as_str().unwrap().to_owned();
        (text("id"), text("content"), text("createdAt"))
    };
    listed["data"].as_array().unwrap().iter().rev().map(row).collect()
}

async fn unread(app: &TestApp, user: &TestUser, room: &str) -> i64 {
    let caller = app.caller(user).await;
    let access = app.core.access(&caller, room).await.unwrap();
    access.member().unread(access.room())
}

#[tokio::test]
async fn a_conversation_is_the_same_on_both_faces() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let room = app.rocket(&ann).open("bob").await;
    assert_eq!(app.meepa(&bob).open(&ann.id).await, room);

    app.rocket(&ann).say(&room, "one").await;
    let path = format!("/dms/{room}/messages");
    let sent = app.meepa(&bob).post(&path, json!({"content": "two"})).await.expect(201);
    assert_eq!(sent["data"]["channelId"], room);
    app.rocket(&ann).say(&room, "three").await;

    let rocket = on_rocket(&app, &bob, &room).await;
    assert_eq!(rocket, on_meepa(&app, &ann, &room).await);
    let texts: Vec<&str> = rocket.iter().map(|(_, text, _)| text.as_str()).collect();
    assert_eq!(texts, ["one", "two", "three"]);
    assert!(rocket.is_sorted_by(|a, b| a.2 < b.2), "{rocket:?}");
    assert_eq!(rocket[1].0, sent["data"]["id"].as_str().unwrap());
    // Bob wrote the second message, so only the third is unread for him; Ann wrote the last.
    assert_eq!((unread(&app, &ann, &room).await, unread(&app, &bob, &room).await), (0, 1));
}

#[tokio::test]
async fn the_newest_message_is_the_same_on_both_faces() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let room = app.meepa(&ann).open(&bob.id).await;
    app.meepa(&ann).post(&format!("/dms/{room}/messages"), json!({"content": "hi @bob"})).await;
    let list = app.rocket(&bob).get("dm.list", &[]).await.ok();
    let dms = app.meepa(&bob).get("/dms", &[]).await.ok();
    let (rocket, meepa) = (&list["ims"][0]["lastMessage"], &dms["data"][0]["lastMessage"]);
    assert_eq!(rocket["_id"], meepa["id"]);
    assert_eq!(rocket["msg"], meepa["content"]);
    assert_eq!(rocket["ts"], meepa["createdAt"]);
    assert_eq!(rocket["u"]["_id"], meepa["userId"]);
    assert_eq!(rocket["mentions"][0]["_id"], bob.id);
    assert_eq!(meepa["mentions"][0]["id"], bob.id);
    assert_eq!(rocket["md"][0]["value"][1]["type"], "MENTION_USER");
    assert_eq!(list["ims"][0]["lm"], meepa["createdAt"]);
}

#[tokio::test]
async fn marks_and_threads_cross_over() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let room = app.rocket(&ann).open("bob").await;
    let root = app.rocket(&ann).say(&room, "root").await;
    let root = root["_id"].as_str().unwrap();
    app.rocket(&bob).post("chat.react", json!({"messageId": root, "emoji": ":tada:"})).await.ok();
    let reply = json!({"content": "reply", "threadId": root});
    let reply = app.meepa(&bob).post(&format!("/dms/{room}/messages"), reply).await.expect(201);
    let stored = app.rocket(&ann).get("chat.getMessage", &[("msgId", root)]).await.ok();
    assert_eq!(stored["message"]["tcount"], 1);
    let stored = reply["data"]["id"].as_str().unwrap();
    let stored = app.rocket(&ann).get("chat.getMessage", &[("msgId", stored)]).await.ok();
    assert_eq!(stored["message"]["tmid"], root);

    let listed = app.meepa(&ann).get(&format!("/dms/{room}/messages"), &[]).await.ok();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1, "replies are not top-level");
    assert_eq!(listed["data"][0]["replyCount"], 1);
    let reactions = json!([{"emoji": "🎉", "count": 1, "users": [bob.id]}]);
    assert_eq!(listed["data"][0]["reactions"], reactions);
    // A reply without tshow leaves the newest message and everybody's unread alone.
    let list = app.rocket(&ann).get("dm.list", &[]).await.ok();
    assert_eq!(list["ims"][0]["lastMessage"]["_id"], root);
    assert_eq!(unread(&app, &ann, &room).await, 0);
}

#[tokio::test]
async fn a_closed_conversation_is_closed_on_both_faces_until_the_next_message() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let room = app.rocket(&ann).open("bob").await;
    let listed = |user: TestUser| {
        let app = &app;
        async move {
            let dms = app.meepa(&user).get("/dms", &[]).await.ok();
            dms["data"].as_array().unwrap().len()
        }
    };
    // Listed for both at once, although the partner's is not open on the other face yet.
    assert_eq!((listed(ann.clone()).await, listed(bob.clone()).await), (1, 1));
    app.rocket(&ann).say(&room, "hi").await;
    app.rocket(&bob).post("dm.close", json!({"roomId": room})).await.ok();
    assert_eq!((listed(ann.clone()).await, listed(bob.clone()).await), (1, 0));
    app.rocket(&ann).say(&room, "still there?").await;
    assert_eq!(listed(bob.clone()).await, 1);
    app.rocket(&bob).post("dm.close", json!({"roomId": room})).await.ok();
    app.meepa(&bob).open(&ann.id).await;
    assert_eq!(listed(bob.clone()).await, 1);
    assert_eq!(app.rocket(&bob).get("dm.list", &[]).await.ok()["total"], 1);
}

#[tokio::test]
async fn an_account_of_one_face_logs_in_on_the_other() {
    let app = app().await;
    let body =
        json!({"username": "Carla", "email": "carla@example.com", "password": "s3cret pass"});
    let made = app.call(axum::http::Method::POST, "/api/auth/register", &[], Some(&body)).await;
    assert!(made.expect(201)["data"]["token"].is_string());
    let body = json!({"user": "carla", "password": "s3cret pass"});
    let session = app.call(axum::http::Method::POST, "/api/v1/login", &[], Some(&body)).await.ok();
    assert_eq!(session["data"]["me"]["roles"], json!(["user"]), "the first visitor is nobody");

    let body =
        json!({"username": "dan", "email": "dan@example.com", "pass": "other pass", "name": "Dan"});
    app.call(axum::http::Method::POST, "/api/v1/users.register", &[], Some(&body)).await.ok();
    let body = json!({"email": "dan@example.com", "password": "other pass"});
    let session =
        app.call(axum::http::Method::POST, "/api/auth/login", &[], Some(&body)).await.ok();
    let token = session["data"]["token"].as_str().unwrap();
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str())];
    let me = app.call(axum::http::Method::GET, "/api/auth/me", &headers, None).await.ok();
    assert_eq!(me["data"]["username"], "dan");
    // A token of one face is a token of the other.
    let headers = [("X-Auth-Token", token), ("X-User-Id", me["data"]["id"].as_str().unwrap())];
    let own = app.call(axum::http::Method::GET, "/api/v1/me", &headers, None).await.ok();
    assert_eq!(own["username"], "dan");
    app.call(axum::http::Method::POST, "/api/auth/logout", &[("Authorization", &bearer)], None)
        .await;
    let dead = app.call(axum::http::Method::GET, "/api/v1/me", &headers, None).await;
    assert_eq!(dead.status.as_u16(), 401);
}
