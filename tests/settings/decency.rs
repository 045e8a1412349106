//! `Message_AllowBadWordsFilter`: no way in gets around it, and what nobody here can read stays as it is.

use super::scene::Scene;
use axum::http::Method;
use serde_json::{Value, json};

async fn strict() -> Scene {
    let scene = Scene::new().await;
    for (id, value) in [
        ("Message_AllowBadWordsFilter", json!(true)),
        ("Message_BadWordsFilterList", json!("darn, heck")),
        ("Message_BadWordsWhitelist", json!("heck")),
    ] {
        crate::rocketchat::set(&scene.app, &scene.boss, id, value).await;
    }
    scene
}

/// The newest text of Ann's room, as Bob sees it on both faces.
async fn newest(s: &Scene) -> String {
    let list = s.get(&s.bob, "dm.messages", &[("roomId", &s.room), ("count", "1")]).await.ok();
    let text = list["messages"][0]["msg"].as_str().unwrap().to_owned();
    let page = s.app.meepa(&s.bob).get("/dms", &[]).await.ok();
    assert_eq!(page["data"][0]["lastMessage"]["content"], text);
    text
}

#[tokio::test]
async fn every_way_in_is_held_to_it() {
    let s = strict().await;
    let said = s.say("Darn it, DARNED heck: darn").await;
    let masked = "**** it, DARNED heck: ****";
    assert_eq!((said["msg"].as_str(), newest(&s).await.as_str()), (Some(masked), masked));
    let tree = said["md"].to_string();
    assert!(!tree.to_lowercase().contains("darn it") && tree.contains("DARNED"), "{tree}");
    let post = json!({"roomId": s.room, "text": "post darn"});
    s.post(&s.ann, "chat.postMessage", post).await.ok();
    assert_eq!(newest(&s).await, "post ****");
    let send = json!([{"rid": s.room, "msg": "method darn"}]);
    assert_eq!(s.method(&s.ann, "sendMessage", send).await["msg"], "method ****");
    let run = json!({"command": "shrug", "params": "darn", "roomId": s.room});
    s.post(&s.ann, "commands.run", run).await.ok();
    assert!(newest(&s).await.starts_with("**** "));
    let path = format!("/dms/{}/messages", s.room);
    let body = json!({"content": "the other darn face"});
    let made = s.app.meepa(&s.ann).call(Method::POST, &path, Some(&body)).await.expect(201);
    assert_eq!(made["data"]["content"], "the other **** face");
    // Changed, too; the same text again is no change.
    let edit = json!({"roomId": s.room, "msgId": said["_id"], "text": "edited darn"});
    let edited = s.post(&s.ann, "chat.update", edit.clone()).await.ok();
    assert_eq!(edited["message"]["msg"], "edited ****");
    s.later(1);
    let again = s.post(&s.ann, "chat.update", edit).await.ok();
    assert_eq!(again["message"]["editedAt"], edited["message"]["editedAt"]);
    let change = json!([{"_id": said["_id"], "rid": s.room, "msg": "by method: darn"}]);
    s.method(&s.ann, "updateMessage", change).await;
    let query = [("msgId", said["_id"].as_str().unwrap())];
    let now = s.get(&s.bob, "chat.getMessage", &query).await.ok();
    assert_eq!(now["message"]["msg"], "by method: ****");
}

#[tokio::test]
async fn a_retry_is_still_a_retry() {
    let s = strict().await;
    let body = json!({"message": {"_id": "mine-and-only", "rid": s.room, "msg": "darn"}});
    let first = s.post(&s.ann, "chat.sendMessage", body.clone()).await.ok();
    assert_eq!(s.post(&s.ann, "chat.sendMessage", body).await.ok()["message"], first["message"]);
    let path = format!("/dms/{}/messages", s.room);
    let body = json!({"content": "darn", "clientId": "one"});
    let first = s.app.meepa(&s.ann).post(&path, body.clone()).await.json();
    let second = s.app.meepa(&s.ann).post(&path, body).await.json();
    assert_eq!(first["data"]["id"], second["data"]["id"]);
}

#[tokio::test]
async fn what_is_encrypted_stays_as_it_is() {
    let s = strict().await;
    let message = json!({"rid": s.room, "msg": "darn", "t": "e2e"});
    let sent = s.post(&s.ann, "chat.sendMessage", json!({"message": message})).await.ok();
    assert_eq!(sent["message"]["msg"], "darn");
}

#[tokio::test]
async fn it_acts_from_then_on() {
    let s = Scene::new().await;
    let before = s.say("darn").await;
    for (id, value) in [
        ("Message_BadWordsFilterList", json!("darn")),
        ("Message_AllowBadWordsFilter", json!(true)),
    ] {
        crate::rocketchat::set(&s.app, &s.boss, id, value).await;
    }
    let query = [("msgId", before["_id"].as_str().unwrap())];
    let seen: Value = s.get(&s.bob, "chat.getMessage", &query).await.ok();
    assert_eq!(
        (&seen["message"]["msg"], &s.say("darn").await["msg"]),
        (&json!("darn"), &json!("****"))
    );
}
