//! `rooms.saveRoomSettings` (contract sections 5.13 and 9.2).

use super::talk::Talk;
use super::{coded, each, grant, schema, set};
use crate::app::{Answer, TestUser};
use serde_json::{Value, json};

async fn save(talk: &Talk, user: &TestUser, more: Value) -> Answer {
    let mut body = json!({"rid": talk.pair});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    talk.post(user, "rooms.saveRoomSettings", body).await
}

async fn room(talk: &Talk) -> Value {
    talk.get(&talk.bob, "rooms.info", &[("roomId", &talk.pair)]).await.ok()["room"].clone()
}

/// Kinds and texts of what the room says, newest first.
async fn said(talk: &Talk) -> Vec<(String, String)> {
    let list = talk.get(&talk.bob, "dm.messages", &[("roomId", &talk.pair)]).await.ok();
    each(&list, "messages", "t").into_iter().zip(each(&list, "messages", "msg")).collect()
}

fn pair(kind: &str, text: &str) -> (String, String) {
    (kind.to_owned(), text.to_owned())
}

#[tokio::test]
async fn topic_and_encryption_are_set_and_the_room_says_so() {
    let talk = Talk::new().await;
    let done = save(&talk, &talk.ann, json!({"roomTopic": "plans", "encrypted": true})).await.ok();
    assert_eq!(done, json!({"rid": talk.pair, "success": true}));
    let is = room(&talk).await;
    assert_eq!((&is["topic"], &is["encrypted"]), (&json!("plans"), &json!(true)));
    assert_eq!((&is["sysMes"], &is["msgs"]), (&json!(true), &json!(2)));
    let both = [pair("room_e2e_enabled", "ann"), pair("room_changed_topic", "plans")];
    assert_eq!(said(&talk).await, both);
    // What is so already is not said again.
    for more in
        [json!({}), json!({"roomTopic": "plans", "encrypted": "true"}), json!({"roomTopic": null})]
    {
        save(&talk, &talk.bob, more).await.ok();
    }
    assert_eq!(said(&talk).await.len(), 2);
    save(&talk, &talk.bob, json!({"encrypted": false})).await.ok();
    save(&talk, &talk.bob, json!({"roomTopic": ""})).await.ok();
    let is = room(&talk).await;
    assert_eq!((is.get("topic"), &is["encrypted"]), (None, &json!(false)));
    let newest = [pair("room_changed_topic", ""), pair("room_e2e_disabled", "bob")];
    assert_eq!(said(&talk).await[..2], newest);
    // The same rule as `dm.setTopic`, so either shows what the other did.
    let body = json!({"roomId": talk.pair, "topic": "other"});
    talk.post(&talk.ann, "dm.setTopic", body).await.ok();
    assert_eq!(room(&talk).await["topic"], "other");
}

#[tokio::test]
async fn topics_may_be_left_to_those_who_edit_rooms() {
    let talk = Talk::new().await;
    set(&talk.app, &talk.boss, "Parlance_Members_Set_Topic", json!(false)).await;
    let details = json!({"method": "saveRoomSettings", "action": "Editing_room"});
    // With both in one call, neither happens.
    let answer = save(&talk, &talk.ann, json!({"roomTopic": "x", "encrypted": true})).await;
    coded(&answer, "error-action-not-allowed", "Editing room is not allowed", &details);
    assert!(said(&talk).await.is_empty());
    save(&talk, &talk.ann, json!({"encrypted": true})).await.ok();
    grant(&talk.app, &talk.boss, "edit-room", &["user"]).await;
    save(&talk, &talk.ann, json!({"roomTopic": "x"})).await.ok();
    assert_eq!(said(&talk).await.len(), 2);
}

#[tokio::test]
async fn foreign_and_unknown_rooms_are_refused_alike() {
    let talk = Talk::new().await;
    for (user, rid) in [(&talk.eve, talk.pair.as_str()), (&talk.boss, &talk.pair), (&talk.ann, "x")]
    {
        let body = json!({"rid": rid, "roomTopic": "x", "encrypted": true});
        let answer = talk.post(user, "rooms.saveRoomSettings", body).await;
        coded(&answer, "error-invalid-room", "Invalid room", &Value::Null);
    }
    assert!(said(&talk).await.is_empty());
}

#[tokio::test]
async fn what_a_direct_room_cannot_have_is_named() {
    let talk = Talk::new().await;
    let before = room(&talk).await;
    let details = json!({"method": "saveRoomSettings", "action": "Editing_room"});
    for (name, value) in [
        ("roomAvatar", json!("x")),
        ("featured", json!(true)),
        ("roomName", json!("x")),
        ("roomAnnouncement", json!("x")),
        ("roomDescription", json!("x")),
        ("roomCustomFields", json!({"a": 1})),
        ("roomType", json!("c")),
        ("readOnly", json!(false)),
        ("reactWhenReadOnly", json!(true)),
        ("systemMessages", json!(["uj"])),
        ("default", json!(true)),
        ("joinCode", json!("x")),
        ("favorite", json!({"defaultValue": true, "favorite": true})),
        ("retentionEnabled", json!(true)),
        ("retentionMaxAge", json!(1)),
        ("retentionExcludePinned", json!(true)),
        ("retentionFilesOnly", json!(true)),
        ("retentionIgnoreThreads", json!(true)),
        ("retentionOverrideGlobal", json!(true)),
    ] {
        let answer = save(&talk, &talk.ann, json!({name: value, "roomTopic": "x"})).await;
        let text = format!("A direct message has no setting \"{name}\"");
        coded(&answer, "error-action-not-allowed", &text, &details);
        save(&talk, &talk.ann, json!({name: null})).await.ok();
    }
    assert_eq!(room(&talk).await, before);
}

#[tokio::test]
async fn the_schema_says_what_is_wrong() {
    let talk = Talk::new().await;
    let missing = talk.post(&talk.ann, "rooms.saveRoomSettings", json!({"roomTopic": "x"})).await;
    schema(&missing, "must have required property 'rid'");
    for (more, text) in [
        (json!({"x": 1}), "must NOT have additional properties"),
        (json!({"roomTopic": ["x"]}), "must be string"),
        (json!({"encrypted": "maybe"}), "must be boolean"),
        (json!({"favorite": 1}), "must be object"),
        (json!({"systemMessages": "uj"}), "must be array"),
        (json!({"retentionMaxAge": "x"}), "must be number"),
    ] {
        schema(&save(&talk, &talk.ann, more).await, text);
    }
    let long = save(&talk, &talk.ann, json!({"roomTopic": "x".repeat(2001)})).await;
    coded(&long, "error-invalid-params", "The \"topic\" parameter is not valid.", &Value::Null);
    assert!(said(&talk).await.is_empty());
}

#[tokio::test]
async fn who_may_not_write_changes_nothing() {
    let talk = Talk::new().await;
    let body = json!({"roomId": talk.pair, "block": true});
    talk.post(&talk.bob, "dm.blockUser", body).await.ok();
    for more in [json!({"roomTopic": "x"}), json!({"encrypted": true})] {
        super::plain(&save(&talk, &talk.ann, more).await, 400, "room_is_blocked");
    }
    assert!(said(&talk).await.is_empty());
}
