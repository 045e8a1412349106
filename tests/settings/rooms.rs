//! Rooms, what is written beside the messages in them, and what their members see of them.

use super::scene::status;
use super::{Row, Scene, row, switched};
use serde_json::{Value, json};

/// Opens a room of somebody new with these.
async fn opens(s: &Scene, usernames: &str) -> Value {
    let user = s.person().await;
    let names = usernames.replace("me", &user.username);
    let body = json!({ "usernames": names });
    status(&s.post(&user, "dm.create", body).await)
}

/// What Ann replies to a message of hers.
async fn replies(s: &Scene) -> Value {
    let root = s.say("root").await;
    s.sends(json!({"tmid": root["_id"]})).await
}

/// Ann marks a message of hers by this route.
async fn marks(s: &Scene, route: &str) -> Value {
    let said = s.say("mark me").await;
    status(&s.post(&s.ann, route, json!({"messageId": said["_id"]})).await)
}

#[expect(clippy::too_many_lines, reason = "a table, a row per setting")]
pub(super) fn rows() -> Vec<Row> {
    let refused = || [json!(200), json!(400)];
    vec![
        row(
            "Message_AllowDirectMessagesToYourself",
            |_| json!(false),
            refused(),
            |s| Box::pin(opens(s, "me")),
        ),
        row("DirectMesssage_maxUsers", |_| json!(2), refused(), |s| Box::pin(opens(s, "ann,bob"))),
        row("Threads_enabled", |_| json!(false), refused(), |s| Box::pin(replies(s))),
        row(
            "Message_AllowPinning",
            |_| json!(false),
            refused(),
            |s| {
                Box::pin(async move {
                    s.grant("pin-message", &["user"]).await;
                    marks(s, "chat.pinMessage").await
                })
            },
        ),
        row(
            "Message_AllowStarring",
            |_| json!(false),
            refused(),
            |s| Box::pin(marks(s, "chat.starMessage")),
        ),
        row(
            "Parlance_Members_Set_Topic",
            |_| json!(false),
            refused(),
            |s| {
                Box::pin(async move {
                    let body = json!({"roomId": s.room, "topic": s.name()});
                    status(&s.post(&s.ann, "dm.setTopic", body).await)
                })
            },
        ),
        row(
            "Message_Read_Receipt_Enabled",
            |_| json!(true),
            [json!(400), json!(200)],
            |s| {
                Box::pin(async move {
                    let said = s.say("read me").await;
                    let query = [("messageId", said["_id"].as_str().unwrap())];
                    status(&s.get(&s.ann, "chat.getMessageReadReceipts", &query).await)
                })
            },
        ),
        row(
            "Hide_System_Messages",
            |_| json!(["room_changed_topic"]),
            [json!(true), json!(false)],
            |s| {
                Box::pin(async move {
                    let body = json!({"roomId": s.room, "topic": s.name()});
                    s.post(&s.ann, "dm.setTopic", body).await.ok();
                    let query = [("roomId", s.room.as_str())];
                    let list = s.get(&s.ann, "dm.history", &query).await.ok();
                    let mut all = list["messages"].as_array().unwrap().iter();
                    json!(all.any(|message| message["t"] == "room_changed_topic"))
                })
            },
        ),
        row(
            "Store_Last_Message",
            |_| json!(false),
            [json!("newest"), Value::Null],
            |s| {
                Box::pin(async move {
                    s.say("newest").await;
                    let list = s.get(&s.ann, "dm.list", &[]).await.ok();
                    list["ims"][0]["lastMessage"]["msg"].clone()
                })
            },
        ),
        row(
            "Unread_Count_DM",
            |_| json!("mentions_only"),
            [json!(3), json!(1)],
            |s| {
                Box::pin(async move {
                    s.post(&s.ann, "subscriptions.read", json!({"rid": s.room})).await.ok();
                    for text in ["one", "@ann two", "three"] {
                        s.app.rocket(&s.bob).say(&s.room, text).await;
                    }
                    let query = [("roomId", s.room.as_str())];
                    let sub = s.get(&s.ann, "subscriptions.getOne", &query).await.ok();
                    assert_eq!(sub["subscription"]["alert"], true);
                    sub["subscription"]["unread"].clone()
                })
            },
        ),
        row(
            "UI_Use_Real_Name",
            |_| json!(true),
            [Value::Null, json!(["bob"])],
            |s| {
                Box::pin(async move {
                    let said = s.say("react to me").await;
                    let react = json!({"messageId": said["_id"], "emoji": "smile"});
                    s.post(&s.bob, "chat.react", react).await.ok();
                    let query = [("msgId", said["_id"].as_str().unwrap())];
                    let seen = s.get(&s.ann, "chat.getMessage", &query).await.ok();
                    seen["message"]["reactions"][":smile:"]["names"].clone()
                })
            },
        ),
    ]
}

#[tokio::test]
async fn they_do_what_they_say() {
    switched(rows()).await;
}
