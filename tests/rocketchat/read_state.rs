//! The table of section 6.5, line by line: what sending, replying, reading and the rest do to the
//! subscriptions of whoever does it, of those who are named, and of the others.

use super::talk::{Talk, text};
use crate::app::TestUser;
use parlance_core::time;
use serde_json::{Value, json};

/// Open, alert, and the three counters.
fn counts(sub: &Value) -> (bool, bool, [i64; 3]) {
    let number = |key: &str| sub[key].as_i64().unwrap();
    let numbers = ["unread", "userMentions", "groupMentions"].map(number);
    (sub["open"].as_bool().unwrap(), sub["alert"].as_bool().unwrap(), numbers)
}

/// The three lists of unread threads.
fn threads(sub: &Value) -> [Value; 3] {
    ["tunread", "tunreadUser", "tunreadGroup"].map(|key| sub[key].clone())
}

const NONE: [Value; 3] = [Value::Null, Value::Null, Value::Null];

async fn of(talk: &Talk, user: &TestUser, room: &str) -> (bool, bool, [i64; 3]) {
    counts(&talk.sub(user, room).await)
}

#[tokio::test]
async fn a_message() {
    let talk = Talk::new().await;
    assert_eq!(of(&talk, &talk.bob, &talk.pair).await, (false, false, [0, 0, 0]));
    let sent = talk.say(&talk.ann, &talk.pair, "hi").await;
    let own = talk.sub(&talk.ann, &talk.pair).await;
    assert_eq!((counts(&own), &own["ls"]), ((true, false, [0, 0, 0]), &sent["ts"]));
    let his = talk.sub(&talk.bob, &talk.pair).await;
    assert_eq!((counts(&his), his.get("ls")), ((true, true, [1, 0, 0]), None));
    // Writing is reading, and opens what was closed, for both.
    for user in [&talk.ann, &talk.bob] {
        talk.post(user, "dm.close", json!({"roomId": talk.pair})).await.ok();
        assert!(!of(&talk, user, &talk.pair).await.0);
    }
    let sent = talk.say(&talk.bob, &talk.pair, "hi @bob").await;
    let his = talk.sub(&talk.bob, &talk.pair).await;
    assert_eq!((counts(&his), &his["ls"]), ((true, false, [0, 0, 0]), &sent["ts"]));
    assert_eq!(of(&talk, &talk.ann, &talk.pair).await, (true, true, [1, 0, 0]));
}

#[tokio::test]
async fn a_message_that_names_people() {
    let talk = Talk::new().await;
    let all = async || {
        let mut all = Vec::new();
        for user in [&talk.ann, &talk.bob, &talk.cat] {
            let (open, alert, counts) = of(&talk, user, &talk.group).await;
            assert!(open && alert == (counts[0] > 0));
            all.push(counts);
        }
        all
    };
    talk.say(&talk.ann, &talk.group, "for @bob and @bob").await;
    assert_eq!(all().await, [[0, 0, 0], [1, 1, 0], [1, 0, 0]]);
    talk.say(&talk.ann, &talk.group, "for @all").await;
    assert_eq!(all().await, [[0, 0, 0], [2, 1, 1], [2, 0, 1]]);
    talk.say(&talk.ann, &talk.group, "for @here").await;
    assert_eq!(all().await, [[0, 0, 0], [3, 1, 2], [3, 0, 2]]);
    // Somebody who is not in the room, and nobody at all.
    talk.say(&talk.ann, &talk.group, "for @eve and @nobody").await;
    assert_eq!(all().await, [[0, 0, 0], [4, 1, 2], [4, 0, 2]]);
    talk.say(&talk.bob, &talk.group, "for @ann @cat").await;
    assert_eq!(all().await, [[1, 1, 0], [0, 0, 0], [5, 1, 2]]);
    talk.read(&talk.cat, &talk.group, false).await;
    assert_eq!(all().await[2], [0, 0, 0]);
}

#[tokio::test]
async fn a_reply() {
    let talk = Talk::new().await;
    let root = talk.say(&talk.ann, &talk.group, "root").await;
    let before = talk.sub(&talk.cat, &talk.group).await;
    let reply = talk.reply(&talk.bob, &root, "reply for @cat", false).await;
    let id = root["_id"].clone();
    // Its author: lr, and what was unread stays so.
    let his = talk.sub(&talk.bob, &talk.group).await;
    assert_eq!((&his["lr"], his.get("ls")), (&reply["ts"], None));
    assert_eq!((counts(&his), threads(&his)), ((true, true, [1, 0, 0]), NONE));
    // The first reply made all of them followers.
    let own = talk.sub(&talk.ann, &talk.group).await;
    assert_eq!((counts(&own), &own["lr"]), ((true, true, [0, 0, 0]), &reply["ts"]));
    assert_eq!(threads(&own), [json!([id]), Value::Null, Value::Null]);
    let hers = talk.sub(&talk.cat, &talk.group).await;
    assert_eq!((counts(&hers), &hers["lr"]), ((true, true, [1, 0, 0]), &reply["ts"]));
    assert_eq!(threads(&hers), [json!([id]), json!([id]), Value::Null]);
    assert_eq!((&hers["unread"], hers.get("ls")), (&before["unread"], None));
    talk.reply(&talk.cat, &root, "for @all", false).await;
    let own = talk.sub(&talk.ann, &talk.group).await;
    assert_eq!(threads(&own), [json!([id]), Value::Null, json!([id])]);
    assert_eq!(own["groupMentions"], 0, "it is the thread's");
    assert_eq!(threads(&talk.sub(&talk.bob, &talk.group).await)[2], json!([id]));
    let rooms = talk.get(&talk.ann, "dm.list", &[]).await.ok();
    let room = rooms["ims"].as_array().unwrap().iter().find(|r| r["_id"] == talk.group).unwrap();
    assert_eq!((&room["msgs"], &room["lm"]), (&json!(3), &root["ts"]));
    assert_eq!(room["lastMessage"]["_id"], id);
}

#[tokio::test]
async fn a_reply_that_the_room_shows_is_a_message() {
    let talk = Talk::new().await;
    let root = talk.say(&talk.ann, &talk.group, "root").await;
    let reply = talk.reply(&talk.bob, &root, "for @ann", true).await;
    let his = talk.sub(&talk.bob, &talk.group).await;
    assert_eq!((counts(&his), &his["ls"]), ((true, false, [0, 0, 0]), &reply["ts"]));
    assert_eq!(of(&talk, &talk.ann, &talk.group).await, (true, true, [1, 1, 0]));
    assert_eq!(of(&talk, &talk.cat, &talk.group).await, (true, true, [2, 0, 0]));
}

#[tokio::test]
async fn who_does_not_follow_hears_nothing_of_replies() {
    let talk = Talk::new().await;
    let root = talk.say(&talk.ann, &talk.group, "root").await;
    talk.reply(&talk.ann, &root, "first", false).await;
    talk.post(&talk.bob, "chat.unfollowMessage", json!({"mid": root["_id"]})).await.ok();
    talk.read(&talk.bob, &talk.group, true).await;
    talk.post(&talk.bob, "dm.close", json!({"roomId": talk.group})).await.ok();
    let before = talk.sub(&talk.bob, &talk.group).await;
    talk.reply(&talk.ann, &root, "second for @bob", false).await;
    let mut after = talk.sub(&talk.bob, &talk.group).await;
    after["_updatedAt"] = before["_updatedAt"].clone();
    assert_eq!(after, before);
    assert_eq!(threads(&talk.sub(&talk.cat, &talk.group).await)[0], json!([root["_id"]]));
    // Who replies follows again.
    talk.reply(&talk.bob, &root, "third", false).await;
    talk.reply(&talk.ann, &root, "fourth", false).await;
    assert_eq!(threads(&talk.sub(&talk.bob, &talk.group).await)[0], json!([root["_id"]]));
}

#[tokio::test]
async fn the_first_reply_makes_all_follow_whoever_followed_before() {
    let talk = Talk::new().await;
    for name in ["chat.followMessage", "chat.unfollowMessage"] {
        let root = talk.say(&talk.ann, &talk.group, "root").await;
        talk.post(&talk.ann, name, json!({"mid": root["_id"]})).await.ok();
        talk.reply(&talk.ann, &root, "reply", false).await;
        for user in [&talk.bob, &talk.cat] {
            let unread = talk.sub(user, &talk.group).await["tunread"].clone();
            assert!(unread.as_array().unwrap().contains(&root["_id"]), "{name}");
        }
    }
}

#[tokio::test]
async fn what_the_server_says_changes_nothing() {
    let talk = Talk::new().await;
    let sent = talk.say(&talk.ann, &talk.group, "pin me").await;
    talk.post(&talk.bob, "dm.close", json!({"roomId": talk.group})).await.ok();
    let users = [&talk.ann, &talk.bob, &talk.cat];
    let mut before = Vec::new();
    for user in users {
        before.push(talk.sub(user, &talk.group).await);
    }
    talk.pin(&talk.bob, &sent).await;
    for (user, mut before) in users.into_iter().zip(before) {
        let after = talk.sub(user, &talk.group).await;
        before["_updatedAt"] = after["_updatedAt"].clone();
        assert_eq!(after, before);
    }
}

#[tokio::test]
async fn editing_and_deleting_change_nothing() {
    let talk = Talk::new().await;
    let one = talk.say(&talk.ann, &talk.group, "for @bob").await;
    let two = talk.say(&talk.ann, &talk.group, "for @all").await;
    let reply = talk.reply(&talk.ann, &two, "a reply", false).await;
    let state = async || {
        let mut all = Vec::new();
        for user in [&talk.ann, &talk.bob, &talk.cat] {
            let mut sub = talk.sub(user, &talk.group).await;
            sub.as_object_mut().unwrap().remove("_updatedAt");
            all.push(sub);
        }
        all
    };
    let before = state().await;
    talk.edit(&talk.ann, &one, "for @cat").await;
    talk.edit(&talk.ann, &two, "for @bob").await;
    talk.edit(&talk.ann, &reply, "for @all").await;
    assert_eq!(state().await, before);
    talk.delete(&talk.ann, &one).await;
    talk.delete(&talk.ann, &reply).await;
    assert_eq!(state().await, before);
}

#[tokio::test]
async fn reading() {
    let talk = Talk::new().await;
    let root = talk.say(&talk.ann, &talk.group, "for @bob").await;
    talk.say(&talk.ann, &talk.group, "for @all").await;
    talk.reply(&talk.ann, &root, "reply for @bob", false).await;
    talk.post(&talk.bob, "dm.close", json!({"roomId": talk.group})).await.ok();
    talk.read(&talk.bob, &talk.group, false).await;
    let his = talk.sub(&talk.bob, &talk.group).await;
    let now = time::iso(talk.app.clock.now());
    // An unread thread keeps the mark on.
    assert_eq!((counts(&his), text(&his, "ls")), ((true, true, [0, 0, 0]), now.as_str()));
    let id = json!([root["_id"]]);
    assert_eq!(threads(&his), [id.clone(), id, Value::Null]);
    talk.read(&talk.bob, &talk.group, true).await;
    let his = talk.sub(&talk.bob, &talk.group).await;
    assert_eq!((counts(&his), threads(&his)), ((true, false, [0, 0, 0]), NONE));
    assert_eq!(of(&talk, &talk.cat, &talk.group).await.2, [2, 0, 1], "everyone reads alone");
    // An empty room can be read too.
    talk.read(&talk.bob, &talk.pair, false).await;
    assert_eq!(of(&talk, &talk.bob, &talk.pair).await, (true, false, [0, 0, 0]));
}

#[tokio::test]
async fn reading_one_thread() {
    let talk = Talk::new().await;
    let one = talk.say(&talk.ann, &talk.group, "one").await;
    let two = talk.say(&talk.ann, &talk.group, "two").await;
    for root in [&one, &two] {
        talk.reply(&talk.ann, root, "reply", false).await;
    }
    talk.read(&talk.bob, &talk.group, false).await;
    let read = async |root: &Value| {
        let body = json!({"tmid": root["_id"]});
        let answer = talk.post(&talk.bob, "chat.readThread", body).await.ok();
        assert_eq!(answer, json!({"success": true}));
        talk.sub(&talk.bob, &talk.group).await
    };
    let his = read(&one).await;
    assert_eq!((&his["tunread"], &his["alert"]), (&json!([two["_id"]]), &json!(true)));
    let his = read(&two).await;
    assert_eq!((his.get("tunread"), &his["alert"]), (None, &json!(false)));
    // What is unread in the room itself stays marked.
    talk.say(&talk.ann, &talk.group, "three").await;
    talk.reply(&talk.ann, &one, "reply", false).await;
    let his = read(&one).await;
    assert_eq!((his.get("tunread"), counts(&his)), (None, (true, true, [1, 0, 0])));
}

#[tokio::test]
async fn marking_unread() {
    let talk = Talk::new().await;
    let one = talk.say(&talk.ann, &talk.pair, "one @bob").await;
    let two = talk.say(&talk.ann, &talk.pair, "two").await;
    let unread = async |user: &TestUser, body: Value| {
        talk.tick();
        let answer = talk.post(user, "subscriptions.unread", body).await.ok();
        assert_eq!(answer, json!({"success": true}));
        talk.sub(user, &talk.pair).await
    };
    let before = |message: &Value| time::iso(time::parse(text(message, "ts")).unwrap() - 1);
    talk.read(&talk.bob, &talk.pair, false).await;
    talk.post(&talk.bob, "dm.close", json!({"roomId": talk.pair})).await.ok();
    let his = unread(&talk.bob, json!({"roomId": talk.pair})).await;
    assert_eq!((counts(&his), text(&his, "ls")), ((true, true, [1, 0, 0]), before(&two).as_str()));
    talk.read(&talk.bob, &talk.pair, false).await;
    let first = json!({"firstUnreadMessage": {"_id": one["_id"], "ts": one["ts"]}});
    let his = unread(&talk.bob, first).await;
    assert_eq!((counts(&his), text(&his, "ls")), ((true, true, [1, 0, 0]), before(&one).as_str()));
    // One more comes on top.
    talk.say(&talk.ann, &talk.pair, "three").await;
    assert_eq!(of(&talk, &talk.bob, &talk.pair).await.2, [2, 0, 0]);
    // The newest of the room may be one's own.
    let own = unread(&talk.ann, json!({"roomId": talk.pair})).await;
    assert_eq!(counts(&own), (true, true, [1, 0, 0]));
}

#[tokio::test]
async fn a_room_that_holds_nothing_countable_can_be_unread_too() {
    let talk = Talk::new().await;
    let one = talk.say(&talk.ann, &talk.pair, "one").await;
    let notice = talk.pin(&talk.ann, &one).await;
    talk.delete(&talk.ann, &one).await;
    talk.tick();
    talk.read(&talk.bob, &talk.pair, false).await;
    talk.post(&talk.bob, "subscriptions.unread", json!({"roomId": talk.pair})).await.ok();
    let his = talk.sub(&talk.bob, &talk.pair).await;
    assert_eq!(counts(&his), (true, true, [1, 0, 0]));
    let before = time::iso(time::parse(text(&notice, "ts")).unwrap() - 1);
    assert_eq!(text(&his, "ls"), before);
}
