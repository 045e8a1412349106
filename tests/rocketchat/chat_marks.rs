//! Reactions, stars and reading one message (contract section 9.1, ruling B4): a foreign message
//! and one that is not there are the same, everywhere.

use super::{coded, plain, schema, set, view};
use crate::app::{START, TestApp, TestUser, app};
use serde_json::{Value, json};

pub(super) struct Talk {
    pub(super) app: TestApp,
    pub(super) ann: TestUser,
    pub(super) bob: TestUser,
    pub(super) room: String,
    pub(super) id: String,
}

impl Talk {
    pub(super) async fn new() -> Self {
        let app = app().await;
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let room = app.rocket(&ann).open("bob").await;
        let id = app.rocket(&ann).say(&room, "hi").await["_id"].as_str().unwrap().to_owned();
        Self { app, ann, bob, room, id }
    }

    pub(super) async fn read(&self, user: &TestUser) -> Value {
        let query = [("msgId", self.id.as_str())];
        self.app.rocket(user).get("chat.getMessage", &query).await.ok()["message"].clone()
    }

    pub(super) async fn post(
        &self,
        user: &TestUser,
        name: &str,
        mut body: Value,
    ) -> crate::app::Answer {
        body["messageId"] = json!(self.id);
        self.app.rocket(user).post(name, body).await
    }
}

#[tokio::test]
async fn reactions_turn_stay_and_go() {
    let talk = Talk::new().await;
    let (ann, bob) = (&talk.ann, &talk.bob);
    let done = json!({"success": true});
    for (user, body, want) in [
        (ann, json!({"emoji": ":smile:"}), json!({":smile:": {"usernames": ["ann"]}})),
        (bob, json!({"emoji": "smile"}), json!({":smile:": {"usernames": ["ann", "bob"]}})),
        (
            bob,
            json!({"emoji": "smile", "shouldReact": true}),
            json!({":smile:": {"usernames": ["ann", "bob"]}}),
        ),
        (
            bob,
            json!({"reaction": "tada"}),
            json!({":smile:": {"usernames": ["ann", "bob"]}, ":tada:": {"usernames": ["bob"]}}),
        ),
        (
            ann,
            json!({"emoji": ":smile:"}),
            json!({":smile:": {"usernames": ["bob"]}, ":tada:": {"usernames": ["bob"]}}),
        ),
        (
            ann,
            json!({"emoji": ":smile:", "shouldReact": false}),
            json!({":smile:": {"usernames": ["bob"]}, ":tada:": {"usernames": ["bob"]}}),
        ),
        (
            bob,
            json!({"emoji": "tada", "shouldReact": "false"}),
            json!({":smile:": {"usernames": ["bob"]}}),
        ),
        (bob, json!({"emoji": "smile"}), Value::Null),
    ] {
        assert_eq!(talk.post(user, "chat.react", body.clone()).await.ok(), done, "{body}");
        let message = talk.read(ann).await;
        assert_eq!(message.get("reactions").cloned().unwrap_or(Value::Null), want, "{body}");
    }
}

#[tokio::test]
async fn a_reaction_changes_the_message_and_a_repeated_one_does_not() {
    let talk = Talk::new().await;
    talk.app.clock.move_to(START + 9000);
    talk.post(&talk.bob, "chat.react", json!({"emoji": "smile"})).await.ok();
    let message = talk.read(&talk.ann).await;
    assert_eq!(message["_updatedAt"], parlance_core::time::iso(START + 9000));
    assert_ne!(message["_updatedAt"], message["ts"]);
    talk.app.clock.move_to(START + 19_000);
    let body = json!({"emoji": "smile", "shouldReact": true});
    talk.post(&talk.bob, "chat.react", body).await.ok();
    assert_eq!(talk.read(&talk.ann).await, message);
    let list = talk.app.rocket(&talk.ann).get("dm.list", &[]).await.ok();
    assert_eq!(list["ims"][0]["lastMessage"], message);
}

#[tokio::test]
async fn a_reaction_that_is_none() {
    let talk = Talk::new().await;
    for emoji in ["no_such_emoji", ":nope:", "$set", "smile.usernames", "<b>"] {
        let answer = talk.post(&talk.ann, "chat.react", json!({"emoji": emoji})).await;
        coded(&answer, "error-not-allowed", "Invalid emoji provided.", &Value::Null);
    }
    for body in
        [json!({}), json!({"emoji": ""}), json!({"emoji": {"$ne": null}}), json!({"emoji": null})]
    {
        let answer = talk.post(&talk.ann, "chat.react", body).await;
        let text = "The required \"emoji\" param is missing.";
        coded(&answer, "error-emoji-param-not-provided", text, &Value::Null);
    }
    let body = json!({"emoji": "smile", "shouldReact": {"$ne": null}});
    schema(&talk.post(&talk.ann, "chat.react", body).await, "must be boolean");
    assert!(talk.read(&talk.ann).await.get("reactions").is_none());
}

#[tokio::test]
async fn a_star_is_ones_own() {
    let talk = Talk::new().await;
    let done = json!({"success": true});
    assert_eq!(talk.post(&talk.bob, "chat.starMessage", json!({})).await.ok(), done);
    assert_eq!(talk.post(&talk.bob, "chat.starMessage", json!({})).await.ok(), done);
    assert_eq!(talk.read(&talk.bob).await["starred"], json!([{"_id": talk.bob.id}]));
    assert!(talk.read(&talk.ann).await.get("starred").is_none());
    let room = view(&talk.app, &talk.ann, &talk.room).await;
    assert_eq!((room.room().msgs, room.room().lm), (1, Some(START + 1)));
    // Taking off a star that one has not leaves the other's.
    assert_eq!(talk.post(&talk.ann, "chat.unStarMessage", json!({})).await.ok(), done);
    assert!(talk.read(&talk.bob).await.get("starred").is_some());
    assert_eq!(talk.post(&talk.bob, "chat.unStarMessage", json!({})).await.ok(), done);
    assert!(talk.read(&talk.bob).await.get("starred").is_none());
    let boss = talk.app.admin("root").await;
    set(&talk.app, &boss, "Message_AllowStarring", json!(false)).await;
    let details = json!({"method": "starMessage", "action": "Message_starring"});
    for name in ["chat.starMessage", "chat.unStarMessage"] {
        let answer = talk.post(&talk.bob, name, json!({})).await;
        coded(&answer, "error-action-not-allowed", "Message starring not allowed", &details);
    }
}

#[tokio::test]
async fn a_star_that_is_there_changes_nothing() {
    let talk = Talk::new().await;
    talk.post(&talk.bob, "chat.starMessage", json!({})).await.ok();
    let once = talk.read(&talk.bob).await;
    talk.app.clock.move_to(START + 9000);
    talk.post(&talk.bob, "chat.starMessage", json!({})).await.ok();
    assert_eq!(talk.read(&talk.bob).await, once);
    talk.post(&talk.ann, "chat.unStarMessage", json!({})).await.ok();
    assert_eq!(talk.read(&talk.bob).await, once);
}

#[tokio::test]
async fn a_foreign_message_is_a_missing_one() {
    let talk = Talk::new().await;
    let eve = talk.app.admin("eve").await;
    let text = "The provided \"messageId\" does not match any existing message.";
    for name in [
        "chat.react",
        "chat.starMessage",
        "chat.unStarMessage",
        "chat.pinMessage",
        "chat.unPinMessage",
    ] {
        let foreign = json!({"messageId": talk.id, "emoji": "smile"});
        let foreign = talk.app.rocket(&eve).post(name, foreign).await;
        coded(&foreign, "error-message-not-found", text, &Value::Null);
        let missing = json!({"messageId": "0".repeat(24), "emoji": "smile"});
        let missing = talk.app.rocket(&eve).post(name, missing).await;
        assert_eq!((foreign.status, foreign.body), (missing.status, missing.body), "{name}");
    }
    for id in [talk.id.as_str(), "nothing", "{\"$regex\":\"\"}"] {
        let answer = talk.app.rocket(&eve).get("chat.getMessage", &[("msgId", id)]).await;
        assert_eq!(answer.expect(400), json!({"success": false}));
    }
    let message = talk.read(&talk.ann).await;
    assert!(message.get("reactions").is_none() && message.get("pinned").is_none());
}

#[tokio::test]
async fn the_message_must_be_named() {
    let talk = Talk::new().await;
    for (name, word) in [
        ("chat.react", "missing"),
        ("chat.pinMessage", "missing"),
        ("chat.starMessage", "required"),
        ("chat.unStarMessage", "required"),
        ("chat.unPinMessage", "required"),
    ] {
        let text = format!("The required \"messageId\" param is {word}.");
        for body in [
            json!({}),
            json!({"messageId": ""}),
            json!({"messageId": " "}),
            json!({"messageId": null}),
        ] {
            let answer = talk.app.rocket(&talk.ann).post(name, body).await;
            coded(&answer, "error-messageid-param-not-provided", &text, &Value::Null);
        }
        for value in [json!({"$ne": null}), json!({"$regex": "^"}), json!([talk.id]), json!(1)] {
            let answer = talk.app.rocket(&talk.ann).post(name, json!({"messageId": value})).await;
            schema(&answer, "must be string");
        }
    }
    for query in [&[][..], &[("msgId", "")], &[("msgId[$ne]", "")], &[("msgId[]", "x")]] {
        let answer = talk.app.rocket(&talk.ann).get("chat.getMessage", query).await;
        plain(&answer, 400, "The \"msgId\" query parameter must be provided.");
    }
}

#[tokio::test]
async fn nobody_reacts_in_a_blocked_room() {
    let talk = Talk::new().await;
    let caller = talk.app.caller(&talk.bob).await;
    let access = talk.app.core.access(&caller, &talk.room).await.unwrap();
    talk.app.core.set_block(&caller, &access, true).await.unwrap();
    let answer = talk.post(&talk.ann, "chat.react", json!({"emoji": "smile"})).await;
    plain(&answer, 400, "room_is_blocked");
    assert!(talk.read(&talk.bob).await.get("reactions").is_none());
}
