//! What a client says in somebody else's name, or where it may not (CVE-2024-46936 and its like): answered
//! as if it had been done, and told to nobody.

use super::client::{Client, Listening, app, listen};
use crate::app::{TestApp, TestUser};
use crate::rocketchat::{grant, set};
use parlance_core::account::NewUser;
use serde_json::{Value, json};

const ROOM_EVENTS: [&str; 6] =
    ["user-activity", "typing", "deleteMessage", "messagesRead", "videoconf", "x"];
const OWN_EVENTS: [&str; 6] =
    ["message", "otr", "notification", "force_logout", "subscriptions-changed", "userData"];

struct Talk {
    app: TestApp,
    boss: TestUser,
    ann: TestUser,
    bob: TestUser,
    room: String,
    foreign: String,
    _at: Listening,
    /// Ann's, bob's, and a socket that nobody is logged in on.
    here: Client,
    there: Client,
    nobody: Client,
}

/// Bob hears all that anybody could be told of the room with ann and of the one with zoe.
async fn talk() -> Talk {
    let app = app().await;
    let at = listen(&app).await;
    let boss = app.admin("root").await;
    let (ann, bob, _) = (app.user("ann").await, app.user("bob").await, app.user("zoe").await);
    let room = app.rocket(&ann).open("bob").await;
    let foreign = app.rocket(&bob).open("zoe").await;
    let mut there = Client::online(&at, &app, &bob).await;
    for room in [&room, &foreign] {
        for event in ROOM_EVENTS {
            there.hear("notify-room", &format!("{room}/{event}")).await;
        }
        there.hear("notify-room-users", &format!("{room}/otr")).await;
        there.hear("room-messages", room).await;
    }
    for event in OWN_EVENTS {
        there.hear("notify-user", &format!("{}/{event}", bob.id)).await;
    }
    there.hear("notify-logged", "Users:Deleted").await;
    let here = Client::log_in(&at, &ann).await;
    let nobody = Client::connect(&at).await;
    there.told(&app.core).await;
    Talk { app, boss, ann, bob, room, foreign, here, there, nobody, _at: at }
}

/// Every write that is answered as if it had been done.
fn forged(talk: &Talk) -> Vec<(&'static str, Value)> {
    let (room, foreign) = (&talk.room, &talk.foreign);
    let activity = format!("{room}/user-activity");
    let typing = format!("{room}/typing");
    let bobs = |event: &str| format!("{}/{event}", talk.bob.id);
    let mut all: Vec<(&str, Value)> = [
        json!([activity, "bob", ["user-typing"], {}]),
        json!([activity, "zoe", ["user-typing"], {}]),
        json!([activity, "", ["user-typing"]]),
        json!([activity, {"$ne": ""}, ["user-typing"]]),
        json!([activity, "ann", "user-typing"]),
        json!([activity, "ann"]),
        json!([activity]),
        json!([]),
        json!([null, null, null]),
        json!([typing, "bob", true]),
        json!([typing, "ann", "true"]),
        json!([typing, ["ann"], true]),
        json!([room, "ann", true]),
        json!([format!("{foreign}/typing"), "ann", true]),
        json!([format!("{foreign}/user-activity"), "bob", ["user-typing"]]),
        json!(["no such room/typing", "ann", true]),
        json!([format!("{room}/deleteMessage"), {"_id": "x"}]),
        json!([format!("{room}/messagesRead"), {"until": 1}]),
        json!([format!("{room}/x"), "ann", true]),
    ]
    .into_iter()
    .map(|params| ("stream-notify-room", params))
    .collect();
    all.extend([
        (
            "stream-notify-room-users",
            json!([format!("{room}/otr"), "handshake", {"userId": talk.bob.id}]),
        ),
        (
            "stream-notify-user",
            json!([bobs("message"), {"msg": "forged", "u": {"username": "root"}}]),
        ),
        ("stream-notify-user", json!([bobs("force_logout")])),
        ("stream-notify-user", json!([bobs("notification"), {"title": "root", "text": "forged"}])),
        ("stream-notify-user", json!([bobs("otr"), "handshake", {}])),
    ]);
    all
}

#[tokio::test]
async fn nobody_types_as_somebody_else_or_elsewhere() {
    let mut talk = talk().await;
    for (method, params) in forged(&talk) {
        for client in [&mut talk.here, &mut talk.nobody] {
            let answer = client.call(method, params.clone()).await;
            assert!(answer.get("error").is_none(), "{method} {params}: {answer}");
        }
    }
    for stream in ["notify-logged", "notify-all", "room-messages", "none", ""] {
        let params = json!(["Users:Deleted", {"userId": talk.bob.id}]);
        let error = talk.here.refused(&format!("stream-{stream}"), params).await;
        assert_eq!(error["error"], 404, "{stream}");
    }
    assert_eq!(talk.there.told(&talk.app.core).await, []);
}

#[tokio::test]
async fn nobody_types_without_the_right_to_write() {
    let mut talk = talk().await;
    let (app, room) = (&talk.app, &talk.room);
    let typing = format!("{room}/typing");
    let (here, there) = (&mut talk.here, &mut talk.there);
    // A block silences both ways.
    for (blocks, other) in [(&talk.bob, "bob"), (&talk.ann, "ann")] {
        let body = json!({"roomId": room, "block": true});
        app.rocket(blocks).post("dm.blockUser", body).await.ok();
        there.told(&app.core).await;
        here.ok("stream-notify-room", json!([typing, "ann", true])).await;
        assert_eq!(there.told(&app.core).await, [], "{other} blocked");
        let body = json!({"roomId": room, "block": false});
        app.rocket(blocks).post("dm.blockUser", body).await.ok();
    }
    there.told(&app.core).await;
    here.ok("stream-notify-room", json!([typing, "ann", true])).await;
    assert_eq!(there.told(&app.core).await.len(), 2);
    // Without the right to read rooms there is none to type in them.
    grant(app, &talk.boss, "view-d-room", &["admin"]).await;
    here.ok("stream-notify-room", json!([typing, "ann", true])).await;
    grant(app, &talk.boss, "view-d-room", &["admin", "user"]).await;
    assert_eq!(there.told(&app.core).await, []);
    // Whoever was switched off cannot type in a group either, even before its socket is closed.
    let made = app.rocket(&talk.bob).post("dm.create", json!({"usernames": "ann,zoe"})).await.ok();
    let group = made["room"]["_id"].as_str().unwrap();
    there.hear("notify-room", &format!("{group}/typing")).await;
    there.told(&app.core).await;
    let off = json!({"userId": talk.ann.id, "activeStatus": false});
    app.rocket(&talk.boss).post("users.setActiveStatus", off).await.ok();
    let typing = json!([format!("{group}/typing"), "ann", true]);
    here.say(
        &json!({"msg": "method", "method": "stream-notify-room", "id": "t", "params": typing}),
    )
    .await;
    assert_eq!(here.end().await, Some(1008));
    let told = there.told(&app.core).await;
    assert!(told.iter().all(|one| one.0 != "notify-room"), "{told:?}");
}

#[tokio::test]
async fn the_real_name_stands_for_the_user_where_names_are_shown() {
    let app = app().await;
    let at = listen(&app).await;
    let boss = app.admin("root").await;
    let named = |username: &str, name: &str| NewUser {
        username: username.to_owned(),
        name: name.to_owned(),
        ..NewUser::default()
    };
    let ann = app.user_with(named("ann", "Ann Lee")).await;
    let bob = app.user_with(named("bob", "Bob Ray")).await;
    let room = app.rocket(&ann).open("bob").await;
    let mut here = Client::log_in(&at, &ann).await;
    let mut there = Client::log_in(&at, &bob).await;
    let typing = format!("{room}/typing");
    there.hear("notify-room", &typing).await;
    for real in [false, true] {
        set(&app, &boss, "UI_Use_Real_Name", json!(real)).await;
        let shown = if real { "Ann Lee" } else { "ann" };
        for (name, told) in
            [("ann", true), ("Ann Lee", real), ("Bob Ray", false), ("ann lee", false)]
        {
            here.ok("stream-notify-room", json!([typing, name, true])).await;
            let want =
                told.then(|| ("notify-room".to_owned(), typing.clone(), json!([shown, true])));
            let want: Vec<_> = want.into_iter().collect();
            assert_eq!(there.told(&app.core).await, want, "{real} {name}");
        }
    }
}
