//! `GET /api/dms` and `POST /api/dms`: the document's shape, whom a row shows, one channel for two.

use super::calls::{access, channels, dms, elsewhere, keys, say};
use crate::app::{START, app};
use parlance_core::account::NewUser;
use parlance_core::import::{Fate, Line};
use parlance_core::send::NewMessage;
use parlance_core::{UserId, time};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The keys that the document shows, by place; those that are left out as ruled stand below it.
const CHANNEL: [&str; 13] = [
    "id",
    "name",
    "displayName",
    "topic",
    "isDm",
    "isPrivate",
    "archived",
    "createdBy",
    "createdAt",
    "position",
    "serverId",
    "memberCount",
    "groupId",
];

const USER: [&str; 7] =
    ["id", "username", "displayName", "status", "bot", "createdAt", "avatarPath"];

const MESSAGE: [&str; 12] = [
    "id",
    "channelId",
    "userId",
    "content",
    "edited",
    "createdAt",
    "updatedAt",
    "threadId",
    "user",
    "replyCount",
    "reactions",
    "attachments",
];

const REACTION: [&str; 3] = ["emoji", "count", "users"];

/// Of a conversation between people, without files: nothing is there to say.
const OMITTED: [&str; 3] = ["serverId", "groupId", "avatarPath"];

/// Added, as the contract allows.
const ADDED: [&str; 1] = ["mentions"];

fn documented<'a>(keys: &[&'a str]) -> BTreeSet<&'a str> {
    keys.iter().copied().filter(|key| !OMITTED.contains(key)).collect()
}

#[tokio::test]
async fn a_row_is_the_document() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let channel = app.meepa(&ann).open(&bob.id).await;
    let root = say(&app, &bob, &channel, "root").await;
    // A reply that the other contract shows in the room too is the last message.
    let mut reply = NewMessage::text("hello @ann");
    reply.thread = Some(root["id"].as_str().unwrap().to_owned());
    reply.tshow = true;
    let reply = elsewhere(&app, &bob, &channel, reply).await;
    app.core.react(&app.caller(&ann).await, reply.id.as_str(), "tada", None).await.unwrap();

    let answer = app.meepa(&ann).get("/dms", &[]).await;
    assert_eq!(answer.headers["content-type"], "application/json");
    assert_eq!(answer.headers["cache-control"], "no-store");
    let body = answer.ok();
    assert_eq!(keys(&body), ["data"].into());
    let row = &body["data"][0];
    assert_eq!(keys(row), ["channel", "otherUser", "lastMessage"].into());
    assert_eq!(keys(&row["channel"]), documented(&CHANNEL));
    assert_eq!(keys(&row["otherUser"]), documented(&USER));
    let last = &row["lastMessage"];
    assert_eq!(keys(last), documented(&[&MESSAGE[..], &ADDED[..]].concat()));
    assert_eq!(keys(&last["user"]), documented(&USER));
    assert_eq!(keys(&last["reactions"][0]), documented(&REACTION));

    assert_eq!(
        row["channel"],
        json!({"id": channel, "name": format!("dm-{channel}"), "displayName": "bob", "topic": "",
            "isDm": true, "isPrivate": true, "archived": false, "createdBy": ann.id,
            "createdAt": time::iso(START), "position": 0, "memberCount": 2})
    );
    let bob_json = json!({"id": bob.id, "username": "bob", "displayName": "bob",
        "status": "offline", "bot": false, "createdAt": time::iso(START)});
    assert_eq!(row["otherUser"], bob_json);
    let updated = app.core.message(&app.caller(&ann).await, reply.id.as_str()).await.unwrap();
    let updated = updated.unwrap().0.updated;
    assert_eq!(
        *last,
        json!({"id": reply.id.as_str(), "channelId": channel, "userId": bob.id,
            "content": "hello @ann", "edited": false, "createdAt": time::iso(reply.ts),
            "updatedAt": time::iso(updated), "threadId": root["id"], "user": bob_json,
            "replyCount": 0, "reactions": [{"emoji": "🎉", "count": 1, "users": [ann.id]}],
            "attachments": [],
            "mentions": [{"id": ann.id, "username": "ann", "displayName": "ann"}]})
    );
}

#[tokio::test]
async fn without_a_message_there_is_no_last_one_and_both_see_the_channel() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let channel = app.meepa(&ann).open(&bob.id).await;
    for (me, other) in [(&ann, &bob), (&bob, &ann)] {
        let rows = dms(&app, me, &[]).await;
        assert_eq!(channels(&rows), [channel.as_str()]);
        assert_eq!(keys(&rows[0]), ["channel", "otherUser"].into());
        assert_eq!(rows[0]["otherUser"]["id"], other.id);
        assert_eq!(rows[0]["channel"]["displayName"], other.username);
        assert_eq!(rows[0]["channel"]["createdBy"], ann.id);
    }
    let eve = app.user("eve").await;
    assert!(dms(&app, &eve, &[]).await.is_empty());
}

#[tokio::test]
async fn opening_makes_once_and_finds_after() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let made = app.meepa(&ann).post("/dms", json!({"userId": bob.id})).await.expect(201);
    let found = app.meepa(&bob).post("/dms", json!({"userId": ann.id})).await.ok();
    assert_eq!(made["data"]["channel"]["id"], found["data"]["channel"]["id"]);
    assert_eq!(made["data"], dms(&app, &ann, &[]).await[0]);
    assert_eq!(found["data"], dms(&app, &bob, &[]).await[0]);
    let channel = made["data"]["channel"]["id"].as_str().unwrap();
    let last = say(&app, &ann, channel, "hi").await;
    let again = app.meepa(&bob).post("/dms", json!({"userId": ann.id})).await.ok();
    assert_eq!(again["data"]["lastMessage"], last);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn opening_at_once_from_both_sides_makes_one_channel() {
    let app = std::sync::Arc::new(app().await);
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let mut calls = Vec::new();
    for n in 0..64 {
        let (app, ann, bob) = (app.clone(), ann.clone(), bob.clone());
        calls.push(tokio::spawn(async move {
            let (me, other) = if n % 2 == 0 { (ann, bob) } else { (bob, ann) };
            app.meepa(&me).post("/dms", json!({"userId": other.id})).await
        }));
    }
    let (mut ids, mut created) = (BTreeSet::new(), 0);
    for call in calls {
        let answer = call.await.unwrap();
        created += i32::from(answer.status.as_u16() == 201);
        assert!(answer.status.is_success(), "{answer:?}");
        ids.insert(answer.json()["data"]["channel"]["id"].as_str().unwrap().to_owned());
    }
    assert_eq!((ids.len(), created), (1, 1));
    for user in [&ann, &bob] {
        assert_eq!(channels(&dms(&app, user, &[]).await), ids.iter().cloned().collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_note_to_oneself_shows_oneself() {
    let app = app().await;
    let ann = app.user("ann").await;
    let made = app.meepa(&ann).post("/dms", json!({"userId": ann.id})).await.expect(201);
    let row = &made["data"];
    assert_eq!(
        (&row["otherUser"]["id"], &row["channel"]["memberCount"]),
        (&json!(ann.id), &json!(1))
    );
    assert_eq!(row["channel"]["displayName"], "ann");
    assert!(!keys(row).contains("otherUsers"));
    assert_eq!(dms(&app, &ann, &[]).await, std::slice::from_ref(row));
    app.meepa(&ann).post("/dms", json!({"userId": ann.id})).await.ok();
}

#[tokio::test]
async fn a_group_is_listed_with_all_others_in_the_order_of_joining() {
    let app = app().await;
    let ann = app.user("ann").await;
    let zoe = NewUser { username: "zoe".into(), name: "Zoe Day".into(), ..NewUser::default() };
    let (zoe, bob) = (app.user_with(zoe).await, app.user("bob").await);
    let opened =
        app.core.open_direct(&app.caller(&ann).await, &["zoe", "bob"], false).await.unwrap();
    let rows = dms(&app, &bob, &[]).await;
    let row = &rows[0];
    assert_eq!(row["channel"]["id"], opened.room.id.as_str());
    let ids: Vec<&Value> = row["otherUsers"].as_array().unwrap().iter().map(|u| &u["id"]).collect();
    let first = ids[0];
    assert_eq!(row["otherUser"]["id"], *first);
    assert_eq!(*first, ann.id, "whoever made it joined first");
    assert!(ids.contains(&&json!(zoe.id)) && ids.len() == 2);
    assert_eq!(row["channel"]["displayName"], "ann, Zoe Day");
    assert_eq!(row["channel"]["memberCount"], 3);
    assert_eq!(row["channel"]["createdBy"], ann.id);
    assert_eq!(keys(&row["otherUsers"][0]), documented(&USER));
}

#[tokio::test]
async fn what_was_closed_elsewhere_stays_out_until_the_next_message() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let channel = app.meepa(&ann).open(&bob.id).await;
    say(&app, &ann, &channel, "one").await;
    let close = async || {
        let room = access(&app, &bob, &channel).await;
        app.core.close_room(&app.caller(&bob).await, &room).await.unwrap();
        assert!(dms(&app, &bob, &[]).await.is_empty());
    };
    close().await;
    assert_eq!(dms(&app, &ann, &[]).await.len(), 1, "only for who closed it");
    say(&app, &ann, &channel, "two").await;
    assert_eq!(dms(&app, &bob, &[]).await[0]["lastMessage"]["content"], "two");
    close().await;
    app.meepa(&bob).post("/dms", json!({"userId": ann.id})).await.ok();
    assert_eq!(channels(&dms(&app, &bob, &[]).await), [channel.as_str()], "opened again");
}

#[tokio::test]
async fn system_and_encrypted_messages_are_not_the_last() {
    let app = app().await;
    let (ann, bob) = (app.admin("ann").await, app.user("bob").await);
    let channel = app.meepa(&ann).open(&bob.id).await;
    let hi = say(&app, &bob, &channel, "hi").await;
    app.core.pin(&app.caller(&ann).await, hi["id"].as_str().unwrap()).await.unwrap();
    assert_eq!(dms(&app, &bob, &[]).await[0]["lastMessage"]["id"], hi["id"]);
    let mut secret = NewMessage::text("c2VjcmV0");
    secret.kind = Some("e2e".to_owned());
    elsewhere(&app, &ann, &channel, secret).await;
    assert!(!keys(&dms(&app, &bob, &[]).await[0]).contains("lastMessage"));
}

#[tokio::test]
async fn a_bot_can_be_written_to_and_a_renamed_user_has_the_new_name() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let made = app.meepa(&ann).post("/dms", json!({"userId": "rocket.cat"})).await.expect(201);
    assert_eq!(made["data"]["otherUser"]["bot"], true);
    let channel = app.meepa(&ann).open(&bob.id).await;
    say(&app, &bob, &channel, "hi").await;
    let new = NewUser {
        id: Some(bob.id.clone()),
        username: "robert".into(),
        name: "Robert".into(),
        ..NewUser::default()
    };
    app.core.upsert_user(new).await.unwrap();
    let row = &dms(&app, &ann, &[]).await[0];
    for place in ["/otherUser/username", "/lastMessage/user/username"] {
        assert_eq!(row.pointer(place), Some(&json!("robert")));
    }
    assert_eq!(row["channel"]["displayName"], "Robert");
    assert!(app.core.user(&UserId::from(bob.id.as_str())).await.is_ok());
}

#[tokio::test]
async fn who_is_gone_or_left_is_shown_as_far_as_known() {
    let app = app().await;
    let (ann, bob, eve) = (app.user("ann").await, app.user("bob").await, app.user("eve").await);
    let at = "2020-01-01T00:00:00.000Z";
    let room = json!({"collection": "rooms", "_id": "oldgroup", "t": "d", "ts": at, "_updatedAt": at,
        "uids": ["lostone", bob.id, ann.id], "usernames": ["ann", "bob", "lost"], "usersCount": 3,
        "msgs": 1, "topic": "Old times"});
    // Written by one who is no member, and liked by another.
    let message = json!({"collection": "messages", "_id": "oldmessage", "rid": "oldgroup",
        "msg": "bye", "ts": at, "_updatedAt": at,
        "u": {"_id": "leftone", "username": "left", "name": "Left One"},
        "reactions": {":tada:": {"usernames": ["eve", "nobody"]}}});
    let (room, message) = (room.to_string(), message.to_string());
    let lines = [(1, &room), (2, &message)];
    let lines = lines.map(|(number, line)| Line { number, bytes: line.as_bytes() });
    let fates = app.core.import_batch(&lines).await.unwrap();
    assert!(fates.iter().all(|one| one.fate == Fate::Taken), "{fates:?}");

    let row = dms(&app, &ann, &[]).await.remove(0);
    let gone = json!({"id": "lostone", "username": "lost", "displayName": "Deleted user",
        "status": "offline", "bot": false, "createdAt": at});
    assert_eq!((&row["otherUser"], &row["otherUsers"][0]), (&gone, &gone));
    assert_eq!(row["otherUsers"][1]["id"], bob.id);
    let channel = &row["channel"];
    assert_eq!(
        (&channel["topic"], &channel["createdBy"]),
        (&json!("Old times"), &json!("lostone"))
    );
    assert_eq!(channel["displayName"], "Deleted user, bob");
    let last = &row["lastMessage"];
    assert_eq!(last["user"]["username"], "left");
    assert_eq!(last["user"]["displayName"], "Left One");
    assert_eq!(last["reactions"], json!([{"emoji": "🎉", "count": 2, "users": [eve.id]}]));
    let answer = app.meepa(&bob).get("/dms/oldgroup/messages", &[]).await.ok();
    assert_eq!(answer["data"], json!([last]));
}
