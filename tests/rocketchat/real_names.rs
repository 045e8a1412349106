//! `UI_Use_Real_Name` (contract section 7.9): messages show the names that people have now, of their
//! authors, of whom they mention and of who reacted; off, they show what stood there when they were written.

use super::set;
use super::talk::Talk;
use parlance_core::account::NewUser;
use serde_json::{Value, json};

/// A message that Robert wrote, mentioning Ann, with a reaction of Ann's; his name then was Bob.
struct Named {
    talk: Talk,
    message: Value,
}

impl Named {
    async fn new() -> Self {
        let talk = Talk::new().await;
        let message = talk.say(&talk.bob, &talk.pair, "hello @ann and @all").await;
        let body = json!({"messageId": message["_id"], "emoji": ":smile:"});
        talk.post(&talk.ann, "chat.react", body).await.ok();
        let body = json!({"messageId": message["_id"]});
        talk.post(&talk.ann, "chat.starMessage", body).await.ok();
        for (user, name) in [(&talk.bob, "Robert"), (&talk.ann, "Ann Lee")] {
            let changed = NewUser {
                id: Some(user.id.clone()),
                username: user.username.clone(),
                name: name.to_owned(),
                ..NewUser::default()
            };
            talk.app.core.upsert_user(changed).await.unwrap();
        }
        Self { talk, message }
    }

    /// The message, in every answer of a route that shows names.
    async fn everywhere(&self) -> Vec<(&'static str, Value)> {
        let (talk, id) = (&self.talk, self.message["_id"].as_str().unwrap());
        let (pair, bob) = (talk.pair.as_str(), &talk.bob);
        let room = ("roomId", pair);
        let since = ("lastUpdate", "2020-01-01T00:00:00.000Z");
        let mut found = Vec::new();
        for (user, name, query, list) in [
            (bob, "dm.messages", &[room][..], "messages"),
            (bob, "dm.messages", &[room, ("count", "0")], "messages"),
            (&talk.boss, "dm.messages.others", &[room], "messages"),
            (bob, "dm.history", &[room], "messages"),
            (bob, "dm.history", &[room, ("count", "0")], "messages"),
            (bob, "chat.search", &[room, ("searchText", "hello")], "messages"),
            (&talk.ann, "chat.getStarredMessages", &[room], "messages"),
        ] {
            let body = talk.get(user, name, query).await.ok();
            found.push((name, body[list][0].clone()));
        }
        for (user, name) in [(bob, "dm.list"), (&talk.boss, "dm.list.everyone"), (bob, "rooms.get")]
        {
            let body = talk.get(user, name, &[]).await.ok();
            let list = if name == "rooms.get" { &body["update"] } else { &body["ims"] };
            let room = list.as_array().unwrap().iter().find(|one| one["_id"] == pair).unwrap();
            found.push((name, room["lastMessage"].clone()));
        }
        let body = talk.get(bob, "chat.getMessage", &[("msgId", id)]).await.ok();
        found.push(("chat.getMessage", body["message"].clone()));
        let body = talk.get(bob, "chat.syncMessages", &[room, since]).await.ok();
        found.push(("chat.syncMessages", body["result"]["updated"][0].clone()));
        found
    }
}

#[tokio::test]
async fn names_are_those_of_now_where_they_are_switched_on() {
    let named = Named::new().await;
    let talk = &named.talk;
    set(&talk.app, &talk.boss, "API_Enable_Direct_Message_History_EndPoint", json!(true)).await;
    for (name, message) in named.everywhere().await {
        assert_eq!(
            message["u"],
            json!({"_id": talk.bob.id, "username": "bob", "name": "bob"}),
            "{name}"
        );
        assert_eq!(message["reactions"], json!({":smile:": {"usernames": ["ann"]}}), "{name}");
    }
    set(&talk.app, &talk.boss, "UI_Use_Real_Name", json!(true)).await;
    for (name, message) in named.everywhere().await {
        assert_eq!(
            message["u"],
            json!({"_id": talk.bob.id, "username": "bob", "name": "Robert"}),
            "{name}"
        );
        let reactions = json!({":smile:": {"usernames": ["ann"], "names": ["Ann Lee"]}});
        assert_eq!(message["reactions"], reactions, "{name}");
        let mentions = message["mentions"].as_array().unwrap();
        assert_eq!(mentions[0], json!({"_id": "all", "username": "all"}), "{name}");
        assert_eq!(
            (&mentions[1]["username"], &mentions[1]["name"]),
            (&json!("ann"), &json!("Ann Lee"))
        );
    }
    // What is written now, too; and reacting goes on from what is stored.
    let sent = talk.say(&talk.bob, &talk.pair, "again").await;
    assert_eq!(sent["u"]["name"], "Robert");
    let body = json!({"messageId": named.message["_id"], "emoji": ":smile:"});
    talk.post(&talk.bob, "chat.react", body).await.ok();
    let now = talk.message(&talk.bob, &named.message).await;
    let reactions =
        json!({":smile:": {"usernames": ["ann", "bob"], "names": ["Ann Lee", "Robert"]}});
    assert_eq!(now["reactions"], reactions);
    set(&talk.app, &talk.boss, "UI_Use_Real_Name", json!(false)).await;
    let now = talk.message(&talk.bob, &named.message).await;
    assert_eq!(now["reactions"], json!({":smile:": {"usernames": ["ann", "bob"]}}));
}
