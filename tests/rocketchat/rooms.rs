//! `rooms.*` and the calls of `dm.*` that change a room (contract sections 5.13-5.15 and 9.2).

use super::{coded, each, grant, plain, set, view};
use crate::app::{Answer, START, TestApp, TestUser, app};
use serde_json::{Value, json};

struct Talk {
    app: TestApp,
    boss: TestUser,
    ann: TestUser,
    bob: TestUser,
    eve: TestUser,
    room: String,
}

impl Talk {
    async fn new() -> Self {
        let app = app().await;
        let boss = app.admin("root").await;
        let (ann, bob, eve) = (app.user("ann").await, app.user("bob").await, app.user("eve").await);
        let room = app.rocket(&ann).open("bob").await;
        Self { app, boss, ann, bob, eve, room }
    }

    async fn post(&self, user: &TestUser, name: &str, body: Value) -> Answer {
        self.app.rocket(user).post(name, body).await
    }

    async fn get(&self, user: &TestUser, name: &str, query: &[(&str, &str)]) -> Answer {
        self.app.rocket(user).get(name, query).await
    }

    async fn subscription(&self, user: &TestUser) -> Value {
        let body = self.get(user, "subscriptions.getOne", &[("roomId", &self.room)]).await.ok();
        body["subscription"].clone()
    }
}

const NOT_FOUND: &str =
    "The required \"roomId\" or \"roomName\" param provided does not match any channel";

#[tokio::test]
async fn a_topic_is_set_and_the_room_says_so() {
    let talk = Talk::new().await;
    let before = view(&talk.app, &talk.bob, &talk.room).await;
    let body = json!({"roomId": talk.room, "topic": "plans"});
    for name in ["dm.setTopic", "im.setTopic"] {
        let answer = talk.post(&talk.ann, name, body.clone()).await.ok();
        assert_eq!(answer, json!({"topic": "plans", "success": true}));
    }
    // Set again, it says nothing more.
    let list = talk.get(&talk.bob, "dm.messages", &[("roomId", &talk.room)]).await.ok();
    assert_eq!(list["total"], 1);
    let notice = &list["messages"][0];
    assert_eq!((&notice["t"], &notice["msg"]), (&json!("room_changed_topic"), &json!("plans")));
    let after = view(&talk.app, &talk.bob, &talk.room).await;
    assert_eq!((after.room().topic.as_deref(), after.room().msgs), (Some("plans"), 1));
    assert_eq!((after.room().lm, after.room().seq), (before.room().lm, before.room().seq));
    let cleared = talk.post(&talk.ann, "dm.setTopic", json!({"roomId": talk.room, "topic": ""}));
    assert_eq!(cleared.await.ok(), json!({"topic": "", "success": true}));
    assert_eq!(view(&talk.app, &talk.bob, &talk.room).await.room().topic, None);
    let absent = talk.post(&talk.ann, "dm.setTopic", json!({"roomId": talk.room})).await.ok();
    assert_eq!(absent, json!({"success": true}));
    plain(&talk.post(&talk.eve, "dm.setTopic", body.clone()).await, 403, "unauthorized");
    let unknown = talk.post(&talk.ann, "dm.setTopic", json!({"roomId": "x", "topic": "y"})).await;
    coded(&unknown, "invalid-channel", "", &Value::Null);
    // The contract's rule, for who wants it.
    set(&talk.app, &talk.boss, "Parlance_Members_Set_Topic", json!(false)).await;
    let details = json!({"method": "saveRoomSettings", "action": "Editing_room"});
    let answer = talk.post(&talk.ann, "dm.setTopic", body.clone()).await;
    coded(&answer, "error-action-not-allowed", "Editing room is not allowed", &details);
    grant(&talk.app, &talk.boss, "edit-room", &["user"]).await;
    talk.post(&talk.ann, "dm.setTopic", body).await.ok();
}

#[tokio::test]
async fn a_deleted_room_is_gone_for_all_and_its_members_are_told() {
    let talk = Talk::new().await;
    talk.app.rocket(&talk.ann).say(&talk.room, "hello @bob").await;
    let id = talk.subscription(&talk.bob).await["_id"].clone();
    let body = json!({"roomId": talk.room});
    let erase = json!({"method": "eraseRoom"});
    let refused = talk.post(&talk.ann, "dm.delete", body.clone()).await;
    coded(&refused, "error-not-allowed", "Not allowed", &erase);
    for name in ["dm.delete", "rooms.delete"] {
        let refused = talk.post(&talk.eve, name, body.clone()).await;
        coded(&refused, "error-not-allowed", "Not allowed", &Value::Null);
        let unknown = talk.post(&talk.boss, name, json!({"roomId": "nothing"})).await;
        coded(&unknown, "error-not-allowed", "Not allowed", &Value::Null);
    }
    talk.app.clock.move_to(START + 10_000);
    let since = parlance_core::time::iso(START + 9000);
    assert_eq!(
        talk.post(&talk.boss, "rooms.delete", body.clone()).await.ok(),
        json!({"success": true})
    );
    let gone = talk.get(&talk.bob, "rooms.get", &[("updatedSince", &since)]).await.ok();
    let at = parlance_core::time::iso(START + 10_000);
    assert_eq!(gone["remove"], json!([{"_id": talk.room, "_deletedAt": at}]));
    let gone = talk.get(&talk.bob, "subscriptions.get", &[("updatedSince", &since)]).await.ok();
    assert_eq!(gone["remove"], json!([{"_id": id, "_deletedAt": at}]));
    let other = talk.get(&talk.eve, "rooms.get", &[("updatedSince", &since)]).await.ok();
    assert_eq!(other["remove"], json!([]), "whose room it was not hears nothing");
    plain(&talk.post(&talk.bob, "dm.open", body).await, 403, "unauthorized");
    assert_eq!(talk.get(&talk.ann, "dm.list", &[]).await.ok()["total"], 0);
    // Made again, it is a new one without what was in it.
    assert_eq!(talk.app.rocket(&talk.ann).open("bob").await, talk.room);
    let list = talk.get(&talk.ann, "dm.messages", &[("roomId", &talk.room)]).await.ok();
    assert_eq!(list["total"], 0);
}

#[tokio::test]
async fn blocking_is_from_one_side_and_taken_back() {
    let talk = Talk::new().await;
    let block = async |user: &TestUser, on: bool| {
        talk.post(user, "dm.blockUser", json!({"roomId": talk.room, "block": on})).await
    };
    assert_eq!(block(&talk.bob, true).await.ok(), json!({"success": true}));
    assert_eq!(talk.subscription(&talk.bob).await["blocker"], true);
    assert_eq!(talk.subscription(&talk.ann).await["blocked"], true);
    let send = json!({"message": {"rid": talk.room, "msg": "x"}});
    plain(&talk.post(&talk.ann, "chat.sendMessage", send.clone()).await, 400, "room_is_blocked");
    block(&talk.bob, false).await.ok();
    assert_eq!(talk.subscription(&talk.ann).await.get("blocked"), None);
    talk.post(&talk.ann, "chat.sendMessage", send).await.ok();
    coded(&block(&talk.eve, true).await, "error-invalid-room", "Invalid room", &Value::Null);
    let group = talk.post(&talk.ann, "dm.create", json!({"usernames": "bob,eve"})).await.ok();
    let body = json!({"roomId": group["room"]["_id"], "block": true});
    let answer = talk.post(&talk.ann, "dm.blockUser", body).await;
    coded(&answer, "error-invalid-room", "Invalid room", &Value::Null);
    let body = json!({"roomId": talk.room, "block": "maybe"});
    super::schema(&talk.post(&talk.ann, "dm.blockUser", body).await, "must be boolean");
}

#[tokio::test]
async fn nobody_leaves_a_direct_room() {
    let talk = Talk::new().await;
    for name in ["dm.leave", "im.leave", "rooms.leave"] {
        let answer = talk.post(&talk.ann, name, json!({"roomId": talk.room})).await;
        coded(&answer, "error-not-allowed", "Not allowed", &json!({"method": "leaveRoom"}));
        let answer = talk.post(&talk.ann, name, json!({"roomId": "nothing"})).await;
        coded(&answer, "error-room-not-found", NOT_FOUND, &Value::Null);
        plain(&talk.post(&talk.eve, name, json!({"roomId": talk.room})).await, 403, "unauthorized");
    }
}

#[tokio::test]
async fn rooms_get_gives_what_changed() {
    let talk = Talk::new().await;
    let all = talk.get(&talk.ann, "rooms.get", &[]).await.ok();
    assert_eq!(
        (each(&all, "update", "_id"), &all["remove"]),
        (vec![talk.room.clone()], &json!([]))
    );
    assert!(all["update"][0].get("_USERNAMES").is_none() && all["update"][0]["sysMes"] == true);
    let updated = all["update"][0]["_updatedAt"].as_str().unwrap();
    let none = talk.get(&talk.ann, "rooms.get", &[("updatedSince", updated)]).await.ok();
    assert_eq!(none["update"], json!([]));
    let sent = talk.app.rocket(&talk.bob).say(&talk.room, "news").await;
    let some = talk.get(&talk.ann, "rooms.get", &[("updatedSince", updated)]).await.ok();
    assert_eq!(some["update"][0]["lastMessage"]["_id"], sent["_id"]);
    // A reaction to the newest message is a change of the room that shows it.
    let updated = some["update"][0]["_updatedAt"].as_str().unwrap();
    let body = json!({"messageId": sent["_id"], "emoji": "smile"});
    talk.post(&talk.ann, "chat.react", body).await.ok();
    let some = talk.get(&talk.ann, "rooms.get", &[("updatedSince", updated)]).await.ok();
    assert!(some["update"][0]["lastMessage"]["reactions"][":smile:"].is_object());
    let bad = talk.get(&talk.ann, "rooms.get", &[("updatedSince", "yesterday")]).await;
    let text = "The \"updatedSince\" query parameter must be a valid date.";
    coded(&bad, "error-updatedSince-param-invalid", text, &Value::Null);
}

#[tokio::test]
async fn info_and_membership() {
    let talk = Talk::new().await;
    let body = talk.get(&talk.ann, "rooms.info", &[("roomId", &talk.room)]).await.ok();
    assert_eq!((&body["room"]["_id"], &body["room"]["t"]), (&json!(talk.room), &json!("d")));
    let query = [("roomId", talk.room.as_str()), ("fields", r#"{"usersCount":1}"#)];
    let body = talk.get(&talk.ann, "rooms.info", &query).await.ok();
    assert_eq!(body["room"], json!({"_id": talk.room, "usersCount": 2}));
    let text = "The parameter \"roomId\" or \"roomName\" is required";
    let missing = talk.get(&talk.ann, "rooms.info", &[]).await;
    coded(&missing, "error-roomid-param-not-provided", text, &Value::Null);
    for query in [("roomId", "nothing"), ("roomName", "ann")] {
        let answer = talk.get(&talk.ann, "rooms.info", &[query]).await;
        coded(&answer, "error-room-not-found", NOT_FOUND, &Value::Null);
    }
    let foreign = talk.get(&talk.eve, "rooms.info", &[("roomId", &talk.room)]).await.expect(400);
    let want = json!({"success": false, "error": "not-allowed", "errorType": "Not Allowed"});
    assert_eq!(foreign, want);
    for (who, is) in [(("userId", talk.bob.id.as_str()), true), (("username", "eve"), false)] {
        let query = [("roomId", talk.room.as_str()), who];
        let body = talk.get(&talk.ann, "rooms.isMember", &query).await.ok();
        assert_eq!(body, json!({"isMember": is, "success": true}));
    }
    let query = [("roomId", talk.room.as_str()), ("username", "bob")];
    plain(&talk.get(&talk.eve, "rooms.isMember", &query).await, 403, "unauthorized");
}

#[tokio::test]
async fn what_a_member_keeps_with_the_room() {
    let talk = Talk::new().await;
    let body = json!({"roomId": talk.room, "favorite": true});
    talk.post(&talk.ann, "rooms.favorite", body).await.ok();
    assert_eq!(talk.subscription(&talk.ann).await["f"], true);
    assert_eq!(talk.subscription(&talk.bob).await.get("f"), None);
    let body = json!({"roomId": talk.room, "favorite": false});
    talk.post(&talk.ann, "rooms.favorite", body).await.ok();
    assert_eq!(talk.subscription(&talk.ann).await["f"], false);
    let missing = talk.post(&talk.ann, "rooms.favorite", json!({"roomId": talk.room})).await;
    plain(&missing, 400, "The 'favorite' param is required");
    let body = json!({"roomId": talk.room, "favorite": true});
    let invalid = ("error-invalid-subscription", "Invalid subscription");
    let foreign = talk.post(&talk.eve, "rooms.favorite", body).await;
    coded(&foreign, invalid.0, invalid.1, &Value::Null);
    let save = async |notifications: Value| {
        let body = json!({"roomId": talk.room, "notifications": notifications});
        talk.post(&talk.ann, "rooms.saveNotification", body).await
    };
    let wanted = json!({"desktopNotifications": "mentions", "disableNotifications": "1",
        "muteGroupMentions": "0", "audioNotificationValue": "beep"});
    save(wanted).await.ok();
    let kept = talk.subscription(&talk.ann).await;
    for (name, want) in [
        ("desktopNotifications", json!("mentions")),
        ("desktopPrefOrigin", json!("subscription")),
        ("disableNotifications", json!(true)),
        ("muteGroupMentions", json!(false)),
        ("audioNotificationValue", json!("beep")),
    ] {
        assert_eq!(kept[name], want, "{name}");
    }
    save(json!({"desktopNotifications": "default"})).await.ok();
    let kept = talk.subscription(&talk.ann).await;
    assert_eq!((kept.get("desktopNotifications"), kept.get("desktopPrefOrigin")), (None, None));
    let details = json!({"method": "saveNotificationSettings"});
    for (bad, text) in [
        (json!({"unread": "1"}), "Invalid settings field"),
        (json!({"_id": "x"}), "Invalid settings field"),
        (json!({"desktopNotifications": "loud"}), "Invalid settings value"),
        (json!({"disableNotifications": true}), "Invalid settings value"),
    ] {
        coded(&save(bad).await, "error-invalid-settings", text, &details);
    }
    let query = [("rid", talk.room.as_str()), ("userId", talk.bob.id.as_str())];
    talk.get(&talk.ann, "chat.ignoreUser", &query).await.ok();
    assert_eq!(talk.subscription(&talk.ann).await["ignored"], json!([talk.bob.id]));
    let query =
        [("rid", talk.room.as_str()), ("userId", talk.bob.id.as_str()), ("ignore", "false")];
    talk.get(&talk.ann, "chat.ignoreUser", &query).await.ok();
    assert_eq!(talk.subscription(&talk.ann).await["ignored"], json!([]));
    // Only members are ignored: nobody else is kept, whatever is sent.
    for stranger in [talk.eve.id.as_str(), &"x".repeat(10_000)] {
        let query = [("rid", talk.room.as_str()), ("userId", stranger)];
        let answer = talk.get(&talk.ann, "chat.ignoreUser", &query).await;
        coded(&answer, invalid.0, invalid.1, &Value::Null);
    }
    assert_eq!(talk.subscription(&talk.ann).await["ignored"], json!([]));
}
