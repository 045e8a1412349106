//! A block between two: from then on neither puts anything into the other's view of the conversation,
//! whatever the route (no message, reaction, pin or receipt), and both still read what was there.

use super::calls::{At, Row, rows};
use super::scene::{Scene, paths};
use crate::app::TestUser;
use crate::rocketchat::grant;
use axum::http::Method;
use serde_json::json;
use std::collections::BTreeSet;

/// What each still does to what is their own: one's own message, star, report and thread.
const OWN: &[&str] = &[
    "chat.delete",
    "chat.starMessage",
    "chat.unStarMessage",
    "chat.followMessage",
    "chat.unfollowMessage",
    "chat.reportMessage",
];

/// What a user reads of the conversation: its messages, the room, one's membership, who has read.
async fn seen(scene: &Scene, user: &TestUser, message: &str) -> Vec<String> {
    let room = ("roomId", scene.pair.as_str());
    let mut all = Vec::new();
    for (name, query) in [
        ("dm.messages", room),
        ("rooms.info", room),
        ("subscriptions.getOne", room),
        ("chat.getMessageReadReceipts", ("messageId", message)),
    ] {
        let answer = scene.app.rocket(user).get(name, &[query]).await.ok();
        all.push(format!("{name}: {answer}"));
    }
    all
}

async fn ask(scene: &Scene, row: &Row, user: &TestUser, message: &str) -> u16 {
    let at = At {
        room: &scene.pair,
        message,
        member: "pal",
        member_id: &scene.ann.id,
        fresh: "blocked",
    };
    let call = (row.call)(&at);
    scene.call(row.route, &paths(row.route)[0], Some(user), &call).await.status.as_u16()
}

#[tokio::test]
async fn neither_side_of_a_block_shows_the_other_anything() {
    let scene = Scene::new().await;
    grant(&scene.app, &scene.boss, "pin-message", &["user"]).await;
    let receipts = "Message_Read_Receipt_Enabled";
    crate::rocketchat::set(&scene.app, &scene.boss, receipts, json!(true)).await;
    let (ann, bob) = (scene.app.rocket(&scene.ann), scene.app.rocket(&scene.bob));
    let mut ids = Vec::new();
    for rocket in [&ann, &bob] {
        let id = rocket.say(&scene.pair, "before").await["_id"].clone();
        rocket.post("chat.pinMessage", json!({ "messageId": id })).await.ok();
        ids.push(id.as_str().unwrap().to_owned());
    }
    let block = json!({"roomId": scene.pair, "block": true});
    bob.post("dm.blockUser", block).await.ok();
    let skip = ["dm.blockUser", "dm.close", "dm.create", "dm.delete", "rooms.delete"];
    let rows = rows();
    let about = rows.iter().filter(|row| {
        let at = At { room: "ROOM", message: "ROOM", member: "", member_id: "", fresh: "" };
        let names_it = (row.call)(&at).to_string().contains("ROOM");
        names_it && !skip.contains(&row.route.name) && !OWN.contains(&row.route.name)
    });
    let mut wrong = Vec::new();
    let mut refused = BTreeSet::new();
    for row in about {
        let (ann, bob) = ((&scene.ann, &ids[0]), (&scene.bob, &ids[1]));
        for ((user, id), (other, theirs)) in [(ann, bob), (bob, ann)] {
            scene.app.clock.move_to(scene.app.clock.now() + 1000);
            let before = seen(&scene, other, theirs).await;
            let status = ask(&scene, row, user, id).await;
            for (before, after) in before.iter().zip(seen(&scene, other, theirs).await) {
                if *before != after {
                    let name = row.route.name;
                    wrong.push(format!("{} {name} {status}:\n{before}\n{after}", user.username));
                }
            }
            if status != 200 && row.route.method == Method::POST {
                refused.insert(row.route.name);
            }
            let reads = row.route.method == Method::GET && row.want_of_members_is_ok();
            assert!(!reads || status == 200, "{} {}", user.username, row.route.name);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for name in
        ["chat.sendMessage", "chat.postMessage", "chat.update", "chat.react", "chat.unPinMessage"]
    {
        assert!(refused.contains(name), "{name} in {refused:?}");
    }
}
