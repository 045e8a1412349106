//! What a send does to its room and to its members (contract sections 6.1 and 6.5), seen over the wire
//! where it shows, and through the core where no endpoint shows it yet.

use super::view;
use crate::app::{START, TestApp, TestUser, app};
use serde_json::{Value, json};

async fn room(app: &TestApp, user: &TestUser, id: &str) -> Value {
    let body = app.rocket(user).get("dm.list", &[]).await.ok();
    let ims = body["ims"].as_array().unwrap();
    ims.iter().find(|room| room["_id"] == id).unwrap().clone()
}

/// Unread, mentions, mentions of everyone.
async fn unread(app: &TestApp, user: &TestUser, id: &str) -> (i64, i64, i64) {
    let access = view(app, user, id).await;
    let member = access.member();
    (member.unread(access.room()), member.mentions, member.group_mentions)
}

async fn reply(app: &TestApp, user: &TestUser, id: &str, parent: &Value, tshow: bool) -> Value {
    let message = json!({"rid": id, "msg": "reply", "tmid": parent["_id"], "tshow": tshow});
    app.rocket(user).post("chat.sendMessage", json!({"message": message})).await.ok()["message"]
        .clone()
}

#[tokio::test]
async fn a_room_counts_as_messages_come() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let id = app.rocket(&ann).open("bob").await;
    let iso = parlance_core::time::iso;
    let fresh = room(&app, &ann, &id).await;
    assert_eq!((&fresh["msgs"], &fresh["usersCount"]), (&json!(0), &json!(2)));
    assert!(fresh.get("lm").is_none() && fresh.get("lastMessage").is_none());
    for n in 1..=3 {
        app.clock.move_to(START + 1000 * n);
        let sent = app.rocket(&ann).say(&id, &format!("m{n}")).await;
        let room = room(&app, &bob, &id).await;
        assert_eq!((&room["msgs"], &room["lm"]), (&json!(n), &json!(iso(START + 1000 * n))));
        assert_eq!((&room["lastMessage"], &room["_updatedAt"]), (&sent, &room["lm"]));
        assert_eq!((&room["ts"], &room["usersCount"]), (&fresh["ts"], &json!(2)));
        assert_eq!(unread(&app, &bob, &id).await, (n, 0, 0));
        assert_eq!(unread(&app, &ann, &id).await, (0, 0, 0));
    }
    app.rocket(&bob).say(&id, "seen").await;
    assert_eq!(unread(&app, &bob, &id).await, (0, 0, 0));
    assert_eq!(unread(&app, &ann, &id).await, (1, 0, 0));
}

#[tokio::test]
async fn times_rise_although_the_clock_stands_or_goes_back() {
    let app = app().await;
    let ann = app.user("ann").await;
    let id = app.rocket(&ann).open("ann").await;
    let mut times = Vec::new();
    for now in [START, START, START, START - 3_600_000, START + 1000, START] {
        app.clock.move_to(now);
        times.push(app.rocket(&ann).say(&id, "x").await["ts"].as_str().unwrap().to_owned());
    }
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    let body =
        app.rocket(&ann).get("dm.messages", &[("roomId", &id), ("sort", r#"{"ts":1}"#)]).await.ok();
    assert_eq!(super::each(&body, "messages", "ts"), times);
    assert_eq!(room(&app, &ann, &id).await["lm"], times[5].as_str());
}

#[tokio::test]
async fn mentions_count_for_whom_they_name() {
    let app = app().await;
    let (ann, bob, cat) = (app.user("ann").await, app.user("bob").await, app.user("cat").await);
    let body = json!({"usernames": "bob,cat"});
    let id = app.rocket(&ann).post("dm.create", body).await.ok()["room"]["_id"]
        .as_str()
        .unwrap()
        .to_owned();
    app.rocket(&ann).say(&id, "@bob").await;
    assert_eq!(unread(&app, &bob, &id).await, (1, 1, 0));
    assert_eq!(unread(&app, &cat, &id).await, (1, 0, 0));
    app.rocket(&ann).say(&id, "@all").await;
    assert_eq!(unread(&app, &bob, &id).await, (2, 1, 1));
    assert_eq!(unread(&app, &cat, &id).await, (2, 0, 1));
    // With a person named beside it, only the named one's counters move.
    app.rocket(&ann).say(&id, "@here @cat").await;
    assert_eq!(unread(&app, &bob, &id).await, (3, 1, 1));
    assert_eq!(unread(&app, &cat, &id).await, (3, 1, 1));
    app.rocket(&ann).say(&id, "@ann").await;
    assert_eq!(unread(&app, &ann, &id).await, (0, 0, 0));
    app.rocket(&cat).say(&id, "here I am").await;
    assert_eq!(unread(&app, &cat, &id).await, (0, 0, 0));
    assert_eq!(room(&app, &bob, &id).await["msgs"], 5);
}

#[tokio::test]
async fn a_reply_in_a_thread_counts_and_does_not_move_the_room() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let id = app.rocket(&ann).open("bob").await;
    let parent = app.rocket(&ann).say(&id, "root").await;
    app.clock.move_to(START + 9000);
    reply(&app, &ann, &id, &parent, false).await;
    let after = room(&app, &bob, &id).await;
    assert_eq!((&after["msgs"], &after["lm"]), (&json!(2), &parent["ts"]));
    assert_eq!(after["lastMessage"]["_id"], parent["_id"]);
    assert_eq!(unread(&app, &bob, &id).await, (1, 0, 0));
    // A reply without tshow leaves what its author has not read unread.
    reply(&app, &bob, &id, &parent, false).await;
    assert_eq!(unread(&app, &bob, &id).await, (1, 0, 0));
    let shown = reply(&app, &ann, &id, &parent, true).await;
    let after = room(&app, &bob, &id).await;
    assert_eq!((&after["msgs"], &after["lm"]), (&json!(4), &shown["ts"]));
    assert_eq!(after["lastMessage"]["_id"], shown["_id"]);
    assert_eq!(unread(&app, &bob, &id).await, (2, 0, 0));
}

#[tokio::test]
async fn what_is_refused_counts_nowhere() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let id = app.rocket(&ann).open("bob").await;
    app.rocket(&ann).say(&id, "one").await;
    let before = (room(&app, &bob, &id).await, view(&app, &bob, &id).await.member().clone());
    app.clock.move_to(START + 9000);
    for message in [
        json!({"rid": id, "msg": "x".repeat(5001)}),
        json!({"rid": id, "msg": "x", "ts": 1}),
        json!({"rid": id, "msg": "x", "tmid": "nothing"}),
        json!({"rid": id, "msg": {"$ne": null}}),
        json!({"rid": id, "msg": "x", "alias": "boss"}),
    ] {
        app.rocket(&ann).post("chat.sendMessage", json!({"message": message})).await.expect(400);
    }
    assert_eq!((room(&app, &bob, &id).await, view(&app, &bob, &id).await.member().clone()), before);
}
