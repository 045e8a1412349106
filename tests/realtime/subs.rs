//! Subscriptions (contract section 11.4, contract/clients 27, 28 and 35): every form that clients use, who is
//! refused, and how many one socket may have.

use super::client::{Client, app, listen};
use crate::rocketchat::grant;
use serde_json::{Value, json};

const OWN: &[&str] = &[
    "otr",
    "webrtc",
    "video-conference",
    "e2ekeyRequest",
    "userData",
    "uiInteraction",
    "message",
    "banners",
    "calendar",
    "webdav",
    "force_logout",
    "notification",
];
const LOGGED: &[&str] = &[
    "roles-change",
    "updateEmojiCustom",
    "deleteEmojiCustom",
    "Users:NameChanged",
    "Users:Deleted",
    "updateAvatar",
    "permissions-changed",
    "banner-changed",
    "updateCustomUserStatus",
    "deleteCustomUserStatus",
    "user-status",
];
const ROOM: &[&str] = &[
    "deleteMessage",
    "deleteMessageBulk",
    "typing",
    "user-activity",
    "messagesRead",
    "videoconf",
    "messagesImported",
    "e2e.keyRequest",
];

fn code(answer: &Value) -> &Value {
    assert_eq!(answer["msg"], "nosub", "{answer}");
    assert_eq!(answer["error"]["errorType"], "Meteor.Error", "{answer}");
    &answer["error"]["error"]
}

#[tokio::test]
async fn every_form_of_a_subscription_is_ready_and_hears() {
    let app = app().await;
    let at = listen(&app).await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let room = app.rocket(&ann).open("bob").await;
    for (second, added) in [
        (None, false),
        (Some(json!(false)), false),
        (Some(json!(null)), false),
        (Some(json!({"useCollection": false, "args": []})), false),
        (Some(json!({"useCollection": false, "args": [false]})), false),
        (Some(json!({"useCollection": false, "args": [null]})), false),
        (Some(json!({"useCollection": false, "args": [room]})), false),
        (Some(json!("x")), false),
        (Some(json!(true)), true),
        (Some(json!({"useCollection": true, "args": []})), true),
    ] {
        let mut client = Client::online(&at, &app, &bob).await;
        let params: Vec<Value> = [json!(room)].into_iter().chain(second.clone()).collect();
        let id = "an id \"of\" its own";
        let frame =
            json!({"msg": "sub", "id": id, "name": "stream-room-messages", "params": params});
        client.say(&frame).await;
        let mut first = client.next().await;
        if added {
            let want = json!({"msg": "added", "collection": "stream-room-messages", "id": "id",
                "fields": {"eventName": room}});
            assert_eq!(first, want);
            first = client.next().await;
        }
        assert_eq!(first, json!({"msg": "ready", "subs": [id]}), "{second:?}");
        let sent = app.rocket(&ann).say(&room, "hello").await;
        let told = client.event("room-messages", &room).await;
        assert_eq!(told[0]["_id"], sent["_id"]);
        client.say(&json!({"msg": "unsub", "id": id})).await;
        let over = client.until(|frame| frame["msg"] == "nosub").await;
        assert_eq!(over, json!({"msg": "nosub", "id": id}));
        app.rocket(&ann).say(&room, "unheard").await;
        assert_eq!(client.told(&app.core).await, []);
    }
}

#[tokio::test]
async fn what_is_never_told_is_ready_all_the_same() {
    let app = app().await;
    let at = listen(&app).await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let room = app.rocket(&ann).open("bob").await;
    let mut client = Client::log_in(&at, &bob).await;
    for event in OWN {
        client.hear("notify-user", &format!("{}/{event}", bob.id)).await;
    }
    for event in LOGGED {
        client.hear("notify-logged", event).await;
    }
    for event in ["public-settings-changed", "public-info", "license", "updateCustomSound"] {
        client.hear("notify-all", event).await;
    }
    for event in ROOM {
        client.hear("notify-room", &format!("{room}/{event}")).await;
    }
    client.hear("roles", "roles").await;
    client.hear("room-data", &room).await;
    client.hear("notify-room-users", &format!("{room}/otr")).await;
    for name in [
        "activeUsers",
        "meteor.loginServiceConfiguration",
        "fullUserData",
        "userData",
        "meteor_autoupdate_clientVersions",
    ] {
        let (id, answer) = client.sub(name, json!([])).await;
        assert_eq!(answer, json!({"msg": "ready", "subs": [id]}), "{name}");
    }
    let (id, answer) = client.sub("stream-user-presence", json!(["", false])).await;
    assert_eq!(answer, json!({"msg": "ready", "subs": [id]}));
}

#[tokio::test]
async fn what_is_not_ones_own_is_refused_and_never_heard() {
    let app = app().await;
    let at = listen(&app).await;
    let boss = app.admin("root").await;
    let (ann, bob, zoe) = (app.user("ann").await, app.user("bob").await, app.user("zoe").await);
    let room = app.rocket(&ann).open("bob").await;
    let mut client = Client::log_in(&at, &zoe).await;
    let mut stranger = Client::connect(&at).await;
    let own = format!("{}/subscriptions-changed", bob.id);
    let cases = [
        ("stream-room-messages", room.clone()),
        ("stream-room-messages", format!("{}{}", ann.id, bob.id)),
        ("stream-room-messages", "no such room".to_owned()),
        ("stream-room-messages", format!("{room}/x")),
        ("stream-notify-room", format!("{room}/typing")),
        ("stream-notify-room", format!("{room}/deleteMessage")),
        ("stream-notify-room-users", format!("{room}/otr")),
        ("stream-room-data", room.clone()),
        ("stream-notify-user", own),
        ("stream-notify-user", bob.id.clone()),
        ("stream-notify-user", "subscriptions-changed".to_owned()),
        ("stream-notify-user", format!("/{}", zoe.id)),
    ];
    for (name, event) in &cases {
        for client in [&mut client, &mut stranger] {
            let (_, answer) = client.sub(name, json!([event, false])).await;
            assert_eq!(code(&answer), "not-allowed", "{name} {event}");
        }
    }
    // Not even an administrator.
    let mut admin = Client::log_in(&at, &boss).await;
    let (_, answer) = admin.sub("stream-room-messages", json!([room, false])).await;
    assert_eq!(code(&answer), "not-allowed");
    for (name, event) in [
        ("stream-room-messages", "__my_messages__"),
        ("stream-notify-logged", "user-status"),
        ("stream-roles", "roles"),
        ("stream-user-presence", ""),
    ] {
        let (_, answer) = stranger.sub(name, json!([event, {"added": [ann.id]}])).await;
        assert_eq!(code(&answer), "not-allowed", "{name}");
    }
    client.hear("room-messages", "__my_messages__").await;
    app.rocket(&ann).say(&room, "between us").await;
    assert_eq!(client.told(&app.core).await, []);
    // Nor without the permission to read rooms.
    let mut there = Client::log_in(&at, &bob).await;
    grant(&app, &boss, "view-d-room", &["admin"]).await;
    let (_, answer) = there.sub("stream-room-messages", json!([room, false])).await;
    assert_eq!(code(&answer), "not-allowed");
}

#[tokio::test]
async fn what_is_no_stream_or_no_event_is_refused() {
    let app = app().await;
    let at = listen(&app).await;
    let ann = app.user("ann").await;
    let mut client = Client::log_in(&at, &ann).await;
    for event in [json!(""), json!(null), json!(7), json!({"$gt": ""}), json!("x".repeat(2000))] {
        let (_, answer) = client.sub("stream-room-messages", json!([event, false])).await;
        assert_eq!(code(&answer), "invalid-event-name", "{event}");
    }
    for name in ["stream-", "stream-none", "notify-user", "none", "__proto__"] {
        let (_, answer) = client.sub(name, json!(["x", false])).await;
        assert_eq!(code(&answer), &json!(404), "{name}");
        assert_eq!(answer["error"]["reason"], format!("Subscription '{name}' not found"));
    }
    client.settle().await;
}

#[tokio::test]
async fn subscriptions_and_people_of_one_socket_are_bounded() {
    let app = app().await;
    let at = listen(&app).await;
    let bob = app.user("bob").await;
    let room = app.rocket(&bob).open("bob").await;
    let mut client = Client::log_in(&at, &bob).await;
    let sub = |id: usize, name: &str, params: Value| json!({"msg": "sub", "id": id, "name": name, "params": params});
    for id in 0..2000 {
        client.say(&sub(id, "stream-notify-logged", json!([format!("event{id}"), false]))).await;
        client.until(|frame| frame["msg"] == "ready" && frame["subs"] == json!([id])).await;
    }
    let (_, answer) = client.sub("stream-room-messages", json!([room, false])).await;
    assert_eq!(code(&answer), "error-too-many-subscriptions");
    let (_, answer) = client.sub("activeUsers", json!([])).await;
    assert_eq!(code(&answer), "error-too-many-subscriptions");
    // An id in use makes room for itself.
    client.say(&sub(7, "stream-room-messages", json!([room, false]))).await;
    client.until(|frame| frame["msg"] == "ready" && frame["subs"] == json!([7])).await;
    client.say(&json!({"msg": "unsub", "id": 8})).await;
    client.until(|frame| frame["msg"] == "nosub" && frame["id"] == 8).await;
    client.hear("notify-user", &format!("{}/userData", bob.id)).await;

    let mut client = Client::log_in(&at, &bob).await;
    let people =
        |from: usize, to: usize| -> Vec<String> { (from..to).map(|n| format!("p{n}")).collect() };
    let (_, answer) =
        client.sub("stream-user-presence", json!(["", {"added": people(0, 5001)}])).await;
    assert_eq!(code(&answer), "error-too-many-subscriptions");
    let (_, answer) =
        client.sub("stream-user-presence", json!(["", {"added": people(0, 5000)}])).await;
    assert_eq!(answer["msg"], "ready");
    let (_, answer) =
        client.sub("stream-user-presence", json!(["", {"added": ["one more"]}])).await;
    assert_eq!(code(&answer), "error-too-many-subscriptions");
    // That is about people alone, and people can be taken out again.
    client.hear("room-messages", &room).await;
    let (_, answer) = client
        .sub("stream-user-presence", json!(["", {"removed": ["p7"], "added": [bob.id]}]))
        .await;
    assert_eq!(answer["msg"], "ready");
    app.rocket(&bob).post("users.setStatus", json!({"status": "busy"})).await.ok();
    let told = client.event_if("user-presence", &bob.id, |args| args[0][1] == 3).await;
    assert_eq!(told, json!([["bob", 3, ""]]));
}
