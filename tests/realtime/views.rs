//! What a user is told of its rooms and of its own view of them (contract sections 11.4 and 12), exactly as
//! REST shows them; and of what it is alerted.

use super::client::{Client, Listening, app, ejson, listen};
use crate::app::{TestApp, TestUser};
use crate::rocketchat::{grant, set};
use parlance_core::account::NewUser;
use serde_json::{Value, json};

struct Talk {
    app: TestApp,
    at: Listening,
    boss: TestUser,
    ann: TestUser,
    bob: TestUser,
    zoe: TestUser,
}

/// What was told of rooms and views: the stream's event without the user, and its arguments.
type Told = Vec<(String, Value)>;

async fn talk() -> Talk {
    let app = app().await;
    let at = listen(&app).await;
    let boss = app.admin("root").await;
    let mut people = Vec::new();
    for (username, name) in [("ann", "Ann Lee"), ("bob", "Bob Ray"), ("zoe", "")] {
        let (username, name) = (username.to_owned(), name.to_owned());
        people.push(app.user_with(NewUser { username, name, ..NewUser::default() }).await);
    }
    let [ann, bob, zoe] = people.try_into().ok().unwrap();
    Talk { app, at, boss, ann, bob, zoe }
}

impl Talk {
    async fn socket(&self, user: &TestUser, events: &[&str]) -> Client {
        let mut client = Client::log_in(&self.at, user).await;
        for event in events {
            client.hear("notify-user", &format!("{}/{event}", user.id)).await;
        }
        // What was done before may still be on its way.
        client.told(&self.app.core).await;
        client
    }

    async fn post(&self, user: &TestUser, name: &str, body: Value) -> Value {
        self.app.rocket(user).post(name, body).await.ok()
    }

    /// A user's view of a room, as REST shows it.
    async fn view(&self, user: &TestUser, room: &str) -> Value {
        let query = [("roomId", room)];
        let answer = self.app.rocket(user).get("subscriptions.getOne", &query).await.ok();
        ejson(&answer["subscription"])
    }

    async fn room(&self, user: &TestUser, room: &str) -> Value {
        let all = self.app.rocket(user).get("rooms.get", &[]).await.ok();
        let all = all["update"].as_array().unwrap();
        ejson(all.iter().find(|one| one["_id"] == room).unwrap())
    }

    /// Everything told of an event, of what came until now.
    async fn told(&self, client: &mut Client) -> Told {
        let told = client.told(&self.app.core).await;
        let short = |event: String| event.split_once('/').unwrap().1.to_owned();
        told.into_iter().map(|(_, event, args)| (short(event), args)).collect()
    }
}

/// The newest of an event.
fn last<'a>(told: &'a Told, event: &str) -> &'a Value {
    &told.iter().rev().find(|one| one.0 == event).unwrap_or_else(|| panic!("{event}: {told:?}")).1
}

const BOTH: [&str; 2] = ["rooms-changed", "subscriptions-changed"];

#[tokio::test]
async fn a_new_room_is_told_to_both_and_a_message_to_both() {
    let talk = talk().await;
    let mut here = talk.socket(&talk.ann, &BOTH).await;
    let mut there = talk.socket(&talk.bob, &BOTH).await;
    let mut other = talk.socket(&talk.zoe, &BOTH).await;
    let room = talk.app.rocket(&talk.ann).open("bob").await;
    for (client, user) in [(&mut here, &talk.ann), (&mut there, &talk.bob)] {
        let told = talk.told(client).await;
        assert_eq!(told[0].1[0], "inserted", "{told:?}");
        assert_eq!(last(&told, "rooms-changed")[1], talk.room(user, &room).await);
        assert_eq!(last(&told, "subscriptions-changed")[1], talk.view(user, &room).await);
        assert_eq!(told.iter().filter(|one| one.1[0] == "inserted").count(), 2, "{told:?}");
    }
    for n in 1..=3 {
        talk.app.rocket(&talk.ann).say(&room, "hello").await;
        for (client, user, unread) in [(&mut here, &talk.ann, 0), (&mut there, &talk.bob, n)] {
            let told = talk.told(client).await;
            let seen = talk.room(user, &room).await;
            assert_eq!(last(&told, "rooms-changed"), &json!(["updated", seen]));
            let view = talk.view(user, &room).await;
            assert_eq!(view["unread"], unread);
            assert_eq!(last(&told, "subscriptions-changed"), &json!(["updated", view]));
        }
    }
    assert_eq!(talk.told(&mut other).await, []);
}

#[tokio::test]
async fn every_change_of_ones_own_view_is_told_to_oneself_alone() {
    let talk = talk().await;
    let room = talk.app.rocket(&talk.ann).open("bob").await;
    let message = talk.app.rocket(&talk.ann).say(&room, "hello").await;
    let mut here = talk.socket(&talk.ann, &BOTH).await;
    let mut there = talk.socket(&talk.bob, &BOTH).await;
    talk.told(&mut there).await;
    let notification =
        json!({"roomId": room, "notifications": {"desktopNotifications": "nothing"}});
    let unread = json!({"firstUnreadMessage": {"_id": message["_id"]}});
    for (name, body, field, want) in [
        ("subscriptions.read", json!({"rid": room}), "unread", json!(0)),
        ("subscriptions.unread", unread, "unread", json!(1)),
        ("dm.close", json!({"roomId": room}), "open", json!(false)),
        ("dm.open", json!({"roomId": room}), "open", json!(true)),
        ("rooms.favorite", json!({"roomId": room, "favorite": true}), "f", json!(true)),
        ("rooms.saveNotification", notification, "desktopNotifications", json!("nothing")),
    ] {
        talk.post(&talk.bob, name, body).await;
        let told = talk.told(&mut there).await;
        let view = talk.view(&talk.bob, &room).await;
        assert_eq!(view[field], want, "{name}");
        assert_eq!(
            told,
            [("subscriptions-changed".to_owned(), json!(["updated", view]))],
            "{name}"
        );
        assert_eq!(talk.told(&mut here).await, [], "{name}");
    }
    // A block is seen from both sides.
    for on in [true, false] {
        talk.post(&talk.bob, "dm.blockUser", json!({"roomId": room, "block": on})).await;
        for (client, user, field) in
            [(&mut there, &talk.bob, "blocker"), (&mut here, &talk.ann, "blocked")]
        {
            let told = talk.told(client).await;
            let view = talk.view(user, &room).await;
            assert_eq!(view.get(field).is_some_and(|is| is == true), on, "{field} {view}");
            assert_eq!(last(&told, "subscriptions-changed"), &json!(["updated", view]), "{field}");
        }
    }
}

#[tokio::test]
async fn a_room_that_is_gone_is_told_as_removed() {
    let talk = talk().await;
    let room = talk.app.rocket(&talk.ann).open("bob").await;
    let other = talk.app.rocket(&talk.bob).open("zoe").await;
    talk.app.rocket(&talk.zoe).say(&other, "hello").await;
    let mut there = talk.socket(&talk.bob, &BOTH).await;
    talk.told(&mut there).await;
    let mut gone = Vec::new();
    for id in [&room, &other] {
        let view = talk.view(&talk.bob, id).await;
        gone.push(json!(["removed", {"_id": view["_id"], "rid": id, "t": "d",
            "u": {"_id": talk.bob.id, "username": "bob"}}]));
    }
    grant(&talk.app, &talk.boss, "delete-d", &["admin", "user"]).await;
    talk.post(&talk.ann, "dm.delete", json!({"roomId": room})).await;
    let told = talk.told(&mut there).await;
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(last(&told, "subscriptions-changed"), &gone[0]);
    assert_eq!(last(&told, "rooms-changed"), &json!(["removed", {"_id": room}]));
    talk.post(&talk.boss, "users.delete", json!({"userId": talk.zoe.id})).await;
    let told = talk.told(&mut there).await;
    assert_eq!(last(&told, "subscriptions-changed"), &gone[1]);
    assert_eq!(last(&told, "rooms-changed"), &json!(["removed", {"_id": other}]));
}

#[tokio::test]
async fn an_alert_says_who_where_and_what() {
    let talk = talk().await;
    let pair = talk.app.rocket(&talk.ann).open("bob").await;
    let made = talk.post(&talk.ann, "dm.create", json!({"usernames": "bob,zoe"})).await;
    let group = made["room"]["_id"].as_str().unwrap().to_owned();
    let mut here = talk.socket(&talk.ann, &["notification"]).await;
    let mut there = talk.socket(&talk.bob, &["notification"]).await;
    let alert = |room: &str, message: &Value, title: &str, text: &str| {
        let payload = json!({"_id": message["_id"], "rid": room, "type": "d", "name": title,
            "sender": {"_id": talk.ann.id, "username": "ann", "name": "Ann Lee"},
            "message": {"msg": message["msg"]}});
        vec![(
            "notification".to_owned(),
            json!([{"title": title, "text": text, "payload": payload}]),
        )]
    };
    for real in [false, true] {
        set(&talk.app, &talk.boss, "UI_Use_Real_Name", json!(real)).await;
        let name = if real { "Ann Lee" } else { "ann" };
        let sent = talk.app.rocket(&talk.ann).say(&pair, "hello").await;
        assert_eq!(talk.told(&mut there).await, alert(&pair, &sent, name, "hello"), "{real}");
        let sent = talk.app.rocket(&talk.ann).say(&group, "all").await;
        let view = talk.view(&talk.bob, &group).await;
        let title = view["fname"].as_str().unwrap();
        let want = alert(&group, &sent, title, &format!("{name}: all"));
        assert_eq!(talk.told(&mut there).await, want, "{real}");
    }
    assert_eq!(talk.told(&mut here).await, [], "not to the author");
    // Who does not want it is not alerted.
    let wants = async |there: &mut Client| {
        talk.app.rocket(&talk.ann).say(&pair, "again").await;
        talk.told(there).await.len()
    };
    let room = async |key: &str, value: &str| {
        let body = json!({"roomId": pair, "notifications": {key: value}});
        talk.post(&talk.bob, "rooms.saveNotification", body).await;
    };
    assert_eq!(wants(&mut there).await, 1);
    room("desktopNotifications", "nothing").await;
    assert_eq!(wants(&mut there).await, 0);
    room("desktopNotifications", "mentions").await;
    assert_eq!(wants(&mut there).await, 1, "of what is between two");
    room("disableNotifications", "1").await;
    assert_eq!(wants(&mut there).await, 0);
    room("disableNotifications", "0").await;
    room("desktopNotifications", "default").await;
    let chosen = async |level: &str| {
        let body = json!({"data": {"desktopNotifications": level}});
        talk.post(&talk.bob, "users.setPreferences", body).await;
    };
    chosen("nothing").await;
    assert_eq!(wants(&mut there).await, 0);
    chosen("all").await;
    assert_eq!(wants(&mut there).await, 1);
    for (status, count) in [("busy", 0), ("away", 1), ("online", 1)] {
        talk.post(&talk.bob, "users.setStatus", json!({"status": status})).await;
        assert_eq!(wants(&mut there).await, count, "{status}");
    }
}

#[tokio::test]
async fn of_a_reply_those_are_alerted_who_follow_the_thread() {
    let talk = talk().await;
    let made = talk.post(&talk.ann, "dm.create", json!({"usernames": "bob,zoe"})).await;
    let room = made["room"]["_id"].as_str().unwrap().to_owned();
    let root = talk.app.rocket(&talk.bob).say(&room, "root").await["_id"].clone();
    let mut follows = talk.socket(&talk.bob, &["notification", "subscriptions-changed"]).await;
    let mut other = talk.socket(&talk.zoe, &["notification"]).await;
    let reply = json!({"message": {"rid": room, "msg": "reply", "tmid": root}});
    let sent = talk.post(&talk.ann, "chat.sendMessage", reply).await["message"].clone();
    let told = talk.told(&mut follows).await;
    let alert = &last(&told, "notification")[0];
    assert_eq!((&alert["payload"]["_id"], &alert["payload"]["tmid"]), (&sent["_id"], &root));
    assert_eq!(last(&told, "subscriptions-changed")[1]["tunread"], json!([root]));
    // The first reply has everybody follow; whoever does not want to is left alone.
    assert_eq!(talk.told(&mut other).await.len(), 1);
    talk.post(&talk.zoe, "chat.unfollowMessage", json!({"mid": root})).await;
    let more = json!({"message": {"rid": room, "msg": "more", "tmid": root}});
    talk.post(&talk.ann, "chat.sendMessage", more).await;
    assert_eq!(talk.told(&mut other).await, []);
    let shown = json!({"message": {"rid": room, "msg": "for all", "tmid": root, "tshow": true}});
    talk.post(&talk.ann, "chat.sendMessage", shown).await;
    assert_eq!(talk.told(&mut other).await.len(), 1);
}

#[tokio::test]
async fn a_refused_send_is_whispered_to_its_sender_alone() {
    let app = app().await;
    let at = listen(&app).await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let room = app.rocket(&ann).open("bob").await;
    let mut own = Client::log_in(&at, &ann).await;
    let mut other = Client::log_in(&at, &bob).await;
    for (client, user) in [(&mut own, &ann), (&mut other, &bob)] {
        client.hear("notify-user", &format!("{}/message", user.id)).await;
    }
    other.ok("blockUser", json!([{"rid": room, "blocked": ann.id}])).await;
    own.refused("sendMessage", json!([{"rid": room, "msg": "over the socket"}])).await;
    let body = json!({"message": {"rid": room, "msg": "over REST"}});
    app.rocket(&ann).post("chat.sendMessage", body).await.expect(400);
    for _ in 0..2 {
        let told = own.event("notify-user", &format!("{}/message", ann.id)).await;
        let cat = json!({"_id": "rocket.cat", "username": "rocket.cat"});
        assert_eq!((&told[0]["msg"], &told[0]["u"]), (&json!("room_is_blocked"), &cat));
        assert_eq!((&told[0]["private"], &told[0]["rid"]), (&json!(true), &json!(room)));
        assert!(told[0]["ts"]["$date"].is_i64());
    }
    other.settle().await;
    assert!(
        !other.kept().any(|frame| frame["fields"]["eventName"] == format!("{}/message", bob.id))
    );
}
