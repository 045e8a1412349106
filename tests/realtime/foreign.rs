//! What a client says in somebody else's name, or where it may not (CVE-2024-46936 and its like): answered
//! as if it had been done, and told to nobody.

use super::client::{Client, app, listen};
use crate::rocketchat::{grant, set};
use parlance_core::account::NewUser;
use serde_json::json;

#[tokio::test]
async fn nobody_types_as_somebody_else_or_elsewhere() {
    let app = app().await;
    let at = listen(&app).await;
    let boss = app.admin("root").await;
    let (ann, bob, zoe) = (app.user("ann").await, app.user("bob").await, app.user("zoe").await);
    let room = app.rocket(&ann).open("bob").await;
    let foreign = app.rocket(&bob).open("zoe").await;
    let mut there = Client::log_in(&at, &bob).await;
    for room in [&room, &foreign] {
        for event in ["user-activity", "typing", "deleteMessage", "messagesRead", "videoconf", "x"]
        {
            there.hear("notify-room", &format!("{room}/{event}")).await;
        }
        there.hear("notify-room-users", &format!("{room}/otr")).await;
        there.hear("room-messages", room).await;
    }
    for event in
        ["message", "otr", "notification", "force_logout", "subscriptions-changed", "userData"]
    {
        there.hear("notify-user", &format!("{}/{event}", bob.id)).await;
    }
    there.hear("notify-logged", "Users:Deleted").await;
    let mut here = Client::log_in(&at, &ann).await;
    let mut nobody = Client::connect(&at).await;
    there.told(&app.core).await;
    let activity = format!("{room}/user-activity");
    let typing = format!("{room}/typing");
    let bobs = |event: &str| format!("{}/{event}", bob.id);
    for (method, params) in [
        ("stream-notify-room", json!([activity, "bob", ["user-typing"], {}])),
        ("stream-notify-room", json!([activity, "zoe", ["user-typing"], {}])),
        ("stream-notify-room", json!([activity, "", ["user-typing"]])),
        ("stream-notify-room", json!([activity, {"$ne": ""}, ["user-typing"]])),
        ("stream-notify-room", json!([activity, "ann", "user-typing"])),
        ("stream-notify-room", json!([activity, "ann"])),
        ("stream-notify-room", json!([activity])),
        ("stream-notify-room", json!([])),
        ("stream-notify-room", json!([null, null, null])),
        ("stream-notify-room", json!([typing, "bob", true])),
        ("stream-notify-room", json!([typing, "ann", "true"])),
        ("stream-notify-room", json!([typing, ["ann"], true])),
        ("stream-notify-room", json!([room, "ann", true])),
        ("stream-notify-room", json!([format!("{foreign}/typing"), "ann", true])),
        ("stream-notify-room", json!([format!("{foreign}/user-activity"), "bob", ["user-typing"]])),
        ("stream-notify-room", json!(["no such room/typing", "ann", true])),
        ("stream-notify-room", json!([format!("{room}/deleteMessage"), {"_id": "x"}])),
        ("stream-notify-room", json!([format!("{room}/messagesRead"), {"until": 1}])),
        ("stream-notify-room", json!([format!("{room}/x"), "ann", true])),
        (
            "stream-notify-room-users",
            json!([format!("{room}/otr"), "handshake", {"userId": bob.id}]),
        ),
        (
            "stream-notify-user",
            json!([bobs("message"), {"msg": "forged", "u": {"username": "root"}}]),
        ),
        ("stream-notify-user", json!([bobs("force_logout")])),
        ("stream-notify-user", json!([bobs("notification"), {"title": "root", "text": "forged"}])),
        ("stream-notify-user", json!([bobs("otr"), "handshake", {}])),
    ] {
        for client in [&mut here, &mut nobody] {
            let answer = client.call(method, params.clone()).await;
            assert!(answer.get("error").is_none(), "{method} {params}: {answer}");
        }
    }
    for method in [
        "stream-notify-logged",
        "stream-notify-all",
        "stream-room-messages",
        "stream-none",
        "stream-",
    ] {
        let error = here.refused(method, json!(["Users:Deleted", {"userId": bob.id}])).await;
        assert_eq!(error["error"], 404, "{method}");
    }
    assert_eq!(there.told(&app.core).await, []);

    // A block silences both ways.
    for (blocks, other) in [(&bob, "bob"), (&ann, "ann")] {
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
    grant(&app, &boss, "view-d-room", &["admin"]).await;
    here.ok("stream-notify-room", json!([typing, "ann", true])).await;
    grant(&app, &boss, "view-d-room", &["admin", "user"]).await;
    assert_eq!(there.told(&app.core).await, []);
    // Whoever was switched off cannot type in a group either, even before its socket is closed.
    let made = app.rocket(&bob).post("dm.create", json!({"usernames": "ann,zoe"})).await.ok();
    let group = made["room"]["_id"].as_str().unwrap();
    there.hear("notify-room", &format!("{group}/typing")).await;
    there.told(&app.core).await;
    let off = json!({"userId": ann.id, "activeStatus": false});
    app.rocket(&boss).post("users.setActiveStatus", off).await.ok();
    let typing = json!([format!("{group}/typing"), "ann", true]);
    here.say(
        &json!({"msg": "method", "method": "stream-notify-room", "id": "t", "params": typing}),
    )
    .await;
    assert_eq!(here.end().await, Some(1008));
    let told = there.told(&app.core).await;
    assert!(told.iter().all(|one| one.0 != "notify-room"), "{told:?}");
    drop(zoe);
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
