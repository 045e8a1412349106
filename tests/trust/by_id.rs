//! Ids of foreign messages and rooms (CVE-2022-32228, CVE-2026-32994, ruling B4): what is not yours and
//! what is not there are the same answer, wherever an id can stand.

use super::calls::{At, Row, Want, rows};
use super::scene::{Role, Scene, leak, paths};
use crate::app::{Answer, TestUser};
use serde_json::json;
use std::collections::BTreeSet;

/// An id that no message and no room has.
const ABSENT: &str = "00000000000000000000dead";
const OUTSIDE: [Role; 3] = [Role::Stranger, Role::Bot, Role::Admin];

/// Status and body, with the id that was asked for out of the way.
fn plain(answer: &Answer, id: &str) -> (u16, String) {
    let text = String::from_utf8(answer.body.clone()).expect("UTF-8");
    (answer.status.as_u16(), text.replace(id, "ID"))
}

async fn ask(scene: &Scene, row: &Row, path: &str, user: &TestUser, at: &At<'_>) -> Answer {
    scene.call(row.route, path, Some(user), &(row.call)(at)).await
}

fn named(room: &str, message: &str, row: &Row) -> String {
    let at = At { room, message, member: "robo", member_id: "robo", fresh: "by-id" };
    (row.call)(&at).to_string()
}

#[tokio::test]
async fn a_foreign_message_is_one_that_is_not_there() {
    let scene = Scene::new().await;
    // Receipts say of every message that they are not to be had, unless they are.
    let id = "Message_Read_Receipt_Enabled";
    crate::rocketchat::set(&scene.app, &scene.boss, id, json!(true)).await;
    let mut asked = BTreeSet::new();
    for row in rows().iter().filter(|row| named("", "MESSAGE", row).contains("MESSAGE")) {
        asked.insert(row.route.name);
        for (role, path) in OUTSIDE
            .iter()
            .flat_map(|role| paths(row.route).into_iter().map(move |path| (*role, path)))
        {
            for room in [&scene.group, &scene.own] {
                let user = scene.user(role).expect("logged in");
                let at = |message| At {
                    room,
                    message,
                    member: "robo",
                    member_id: "robo",
                    fresh: "by-id",
                };
                let foreign = ask(&scene, row, &path, user, &at(&scene.in_group)).await;
                let absent = ask(&scene, row, &path, user, &at(ABSENT)).await;
                assert_eq!(
                    plain(&foreign, &scene.in_group),
                    plain(&absent, ABSENT),
                    "{role:?} {path} in {room}"
                );
                assert_eq!(foreign.headers, absent.headers, "{role:?} {path}");
                assert_ne!(foreign.status.as_u16(), 200, "{role:?} {path}");
            }
        }
    }
    // Those of the contract that name a message; the table of calls is what makes this list grow.
    assert!(asked.len() >= 16, "{asked:?}");
}

/// The same where the message is not what the call is about: threads of a send, and links to messages.
#[tokio::test]
async fn a_send_learns_nothing_of_a_message_that_it_names() {
    let scene = Scene::new().await;
    let rocket = scene.app.rocket(&scene.eve);
    let reply = |id: &str, tshow: bool| json!({"message": {"rid": scene.own, "msg": "x", "tmid": id, "tshow": tshow}});
    let post = |id: &str| json!({"roomId": scene.own, "text": "x", "tmid": id});
    for (name, foreign, absent) in [
        ("chat.sendMessage", reply(&scene.in_group, false), reply(ABSENT, false)),
        ("chat.sendMessage", reply(&scene.in_group, true), reply(ABSENT, true)),
        ("chat.postMessage", post(&scene.in_group), post(ABSENT)),
    ] {
        let foreign = rocket.post(name, foreign).await;
        let absent = rocket.post(name, absent).await;
        assert_eq!(foreign.status.as_u16(), 400, "{name}");
        assert_eq!(plain(&foreign, &scene.in_group), plain(&absent, ABSENT), "{name}");
    }
    // A link to a message quotes it for who may read it, and is a text for anybody else.
    for id in [scene.in_group.as_str(), ABSENT] {
        let link = format!("[ ](http://localhost:3000/direct/{}?msg={id}) look", scene.group);
        let sent = rocket.say(&scene.own, &link).await;
        assert_eq!(leak(&sent.to_string(), false), None, "{sent}");
        assert!(sent.get("attachments").is_none_or(|list| *list == json!([])), "{sent}");
        let quote = json!([{"message_link": format!("http://localhost:3000/direct/x?msg={id}")}]);
        let message = json!({"rid": scene.own, "msg": "x", "attachments": quote});
        let sent = rocket.post("chat.sendMessage", json!({ "message": message })).await.ok();
        assert_eq!(sent["message"]["attachments"], quote);
    }
}

/// A client chooses ids of its own, so a taken one has to be refused (ruling B9): with these words and
/// no others, and without touching what has it.
#[tokio::test]
async fn a_taken_id_says_nothing_of_who_has_it() {
    let scene = Scene::new().await;
    let before = scene.dump().await;
    for id in [&scene.in_group, &scene.in_pair] {
        let message = json!({"_id": id, "rid": scene.own, "msg": "KANARI @kanari.bob all"});
        let body = json!({ "message": message });
        let taken = scene.app.rocket(&scene.eve).post("chat.sendMessage", body).await.expect(400);
        let text = "A message with this _id exists already [error-message-id-taken]";
        let want = json!({"success": false, "error": text, "errorType": "error-message-id-taken"});
        assert_eq!(taken, want);
    }
    assert_eq!(before, scene.dump().await);
}

/// The room of the stored message counts, also for who is a member of both (CVE-2023-28325).
#[tokio::test]
async fn a_message_is_changed_in_its_own_room_only() {
    let scene = Scene::new().await;
    let before = scene.dump().await;
    for name in ["chat.update", "chat.delete", "im.update"] {
        let body = json!({"roomId": scene.pair, "msgId": scene.in_group, "text": "moved"});
        let answer = scene.app.rocket(&scene.ann).post(name, body).await;
        assert!(!answer.status.is_success(), "{name}");
    }
    assert_eq!(before, scene.dump().await);
}

/// The contract itself tells the two apart on these, and ids of groups are random (ruling B4).
const TOLD: &[&str] = &[
    "dm.messages",
    "dm.files",
    "dm.history",
    "dm.members",
    "dm.setTopic",
    "dm.close",
    "dm.leave",
    "rooms.leave",
    "rooms.info",
    "rooms.isMember",
];

#[tokio::test]
async fn a_foreign_room_is_one_that_is_not_there() {
    let scene = Scene::new().await;
    let wants = |row: &&Row| matches!(row.want(Role::Stranger), Want::No(..) | Want::Ok);
    for row in rows().iter().filter(wants).filter(|row| named("ROOM", "", row).contains("ROOM")) {
        for path in paths(row.route) {
            let at = |room| At {
                room,
                message: "none",
                member: "robo",
                member_id: "robo",
                fresh: "by-id",
            };
            let foreign = ask(&scene, row, &path, &scene.eve, &at(&scene.group)).await;
            let absent = ask(&scene, row, &path, &scene.eve, &at(ABSENT)).await;
            let same = plain(&foreign, &scene.group) == plain(&absent, ABSENT);
            assert_eq!(same, !TOLD.contains(&row.route.name), "{path}: {foreign:?} {absent:?}");
        }
    }
}

/// The id of a room of two can be computed from theirs: whether they talk is told to nobody else.
#[tokio::test]
async fn whether_two_others_talk_is_told_to_nobody() {
    let scene = Scene::new().await;
    let joined = |a: &str, b: &str| {
        let mut both = [a, b];
        both.sort_unstable();
        both.concat()
    };
    assert_eq!(joined(&scene.ann.id, &scene.bob.id), scene.pair);
    let silent = joined(&scene.bob.id, &scene.gus.id);
    for row in rows().iter().filter(|row| named("ROOM", "", row).contains("ROOM")) {
        for (role, path) in [Role::Stranger, Role::Bot]
            .iter()
            .flat_map(|role| paths(row.route).into_iter().map(move |path| (role, path)))
        {
            let user = scene.user(*role).expect("logged in");
            let at = |room| At {
                room,
                message: "none",
                member: "robo",
                member_id: "robo",
                fresh: "by-id",
            };
            let there = ask(&scene, row, &path, user, &at(&scene.pair)).await;
            let not = ask(&scene, row, &path, user, &at(&silent)).await;
            assert_eq!(plain(&there, &scene.pair), plain(&not, &silent), "{role:?} {path}");
        }
    }
}
