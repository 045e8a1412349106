//! Writing where nobody may: conversations with somebody who is switched off, and a post to several
//! rooms of which one refuses.

use super::{READ_ONLY, messages, plain};
use crate::app::{TestApp, TestUser, app};
use crate::store::{Chat, person, raw, soon};
use parlance_core::account::Authority;
use parlance_core::send::NewMessage;
use parlance_core::{Caller, Core, Database, Error, Perm, RoomId, UserId};
use serde_json::json;
use tokio::task::JoinSet;

async fn set_active(core: &Core, id: &str, on: bool) {
    core.set_active(Authority::Operator, &UserId::from(id), on).await.unwrap();
}

#[tokio::test]
async fn a_conversation_begun_with_somebody_who_is_off_is_read_only_until_they_are_back() {
    let app = app().await;
    let (ann, bob, carl) = (app.user("ann").await, app.user("bob").await, app.user("carl").await);
    set_active(&app.core, &bob.id, false).await;
    let room = app.rocket(&ann).open("bob").await;
    let message = json!({"message": {"rid": room, "msg": "x"}});
    let send = async || app.rocket(&ann).post("chat.sendMessage", message.clone()).await;
    plain(&send().await, 400, READ_ONLY);
    let listed = app.rocket(&ann).get("dm.list", &[]).await.ok();
    assert_eq!(listed["ims"][0]["ro"], true);
    // The other face makes the same room of it.
    let other = app.meepa(&carl).open(&bob.id).await;
    let body = json!({"content": "x"});
    let answer = app.meepa(&carl).post(&format!("/dms/{other}/messages"), body).await;
    assert!(answer.status.is_client_error(), "{:?}", answer.status);
    // A group is not silenced by one of its members.
    let body = json!({"usernames": "bob,carl"});
    let group = app.rocket(&ann).post("dm.create", body).await.ok();
    app.rocket(&ann).say(group["room"]["_id"].as_str().unwrap(), "x").await;
    set_active(&app.core, &bob.id, true).await;
    send().await.ok();
}

/// Is the room read-only, and what does a send into it say?
async fn is_silent(core: &Core, caller: &Caller, room: &RoomId) -> bool {
    let access = core.access(caller, room.as_str()).await.unwrap();
    let sent = core.send(caller, &access, NewMessage::text("x")).await;
    let refused = matches!(sent, Err(Error::ReadOnly));
    assert!(refused || sent.is_ok(), "{sent:?}");
    assert_eq!(access.room().read_only, Some(refused));
    refused
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_conversation_made_while_the_other_is_switched_off_is_read_only_after() {
    let chat = Chat::start().await;
    let core = &chat.core;
    for round in 0..20 {
        let (partner, _) = person(core, &format!("partner{round}"), &[]).await;
        let mut makers = JoinSet::new();
        for caller in &chat.callers {
            let (core, caller, partner) = (core.clone(), caller.clone(), partner.clone());
            makers.spawn(async move {
                let made = core.open_with(&caller, partner.id()).await.unwrap();
                (caller, made.room.id)
            });
        }
        set_active(core, partner.id().as_str(), false).await;
        let made = soon("the rooms", makers.join_all()).await;
        for (caller, room) in &made {
            assert!(is_silent(core, caller, room).await, "round {round}");
        }
        set_active(core, partner.id().as_str(), true).await;
        for (caller, room) in &made {
            assert!(!is_silent(core, caller, room).await, "round {round}");
        }
    }
}

/// One statement past the core.
async fn execute(database: &Database, sql: &str) {
    if let Database::Embedded(dir) = database {
        rusqlite::Connection::open(dir.join("parlance.db")).unwrap().execute(sql, []).unwrap();
    } else if let Some(client) = raw(database).await {
        client.execute(sql, &[]).await.unwrap();
    }
}

#[tokio::test]
async fn an_author_who_is_off_writes_nothing_whatever_the_room_says() {
    let chat = Chat::start().await;
    let (core, author) = (&chat.core, &chat.callers[0]);
    let (pair, group) = (chat.in_pair(0, 0).await, chat.in_group(0).await);
    set_active(core, author.id().as_str(), false).await;
    // The rooms as they would be if nobody had told them.
    execute(&chat.database, "UPDATE rooms SET ro = FALSE").await;
    for told in [true, false] {
        if !told {
            execute(&chat.database, "UPDATE members SET disabled = FALSE").await;
        }
        for access in [&pair, &group] {
            let sent = core.send(author, access, NewMessage::text("x")).await;
            assert!(matches!(sent, Err(Error::NotAllowed | Error::Blocked)), "{sent:?}");
        }
    }
    assert!(crate::store::stored(core, &chat.callers[1], &chat.group).await.is_empty());
    assert!(crate::store::stored(core, &chat.callers[1], &chat.pairs[0]).await.is_empty());
}

/// Posts one text to several targets, in this order and the other; it must fail, and store nothing.
async fn post_fails(app: &TestApp, ann: &TestUser, targets: [&str; 2], post: &serde_json::Value) {
    for targets in [targets, [targets[1], targets[0]]] {
        for key in ["roomId", "channel"] {
            let mut body = post.clone();
            body[key] = json!(targets);
            let answer = app.rocket(ann).post("chat.postMessage", body).await;
            assert_eq!(answer.expect(400)["success"], false);
        }
    }
}

#[tokio::test]
async fn a_post_to_several_rooms_of_which_one_refuses_is_stored_nowhere() {
    let app = app().await;
    let (boss, ann, bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    let carl = app.user("carl").await;
    let [fine, silent, blocked] = [
        app.rocket(&ann).open("bob").await,
        app.rocket(&ann).open("root").await,
        app.rocket(&ann).open("carl").await,
    ];
    let admin = app.caller(&boss).await;
    let admin = app.core.admin(&admin, Perm::EditRoom).unwrap();
    app.core.set_read_only(admin, &RoomId::from(silent.as_str()), true).await.unwrap();
    let caller = app.caller(&carl).await;
    let access = app.core.access(&caller, &blocked).await.unwrap();
    app.core.set_block(&caller, &access, true).await.unwrap();
    let post = json!({"text": "x"});
    for bad in [&silent, &blocked, "@root", "@carl", "nothing", "@nobody"] {
        post_fails(&app, &ann, [&fine, bad], &post).await;
    }
    for (user, room) in [(&bob, &fine), (&boss, &silent), (&carl, &blocked)] {
        assert_eq!(messages(&app, user, room).await.len(), 0);
    }
    let body = json!({"text": "x", "roomId": [fine, "@bob"]});
    app.rocket(&ann).post("chat.postMessage", body).await.ok();
    assert_eq!(messages(&app, &bob, &fine).await.len(), 1);
}

/// A thread of one room, and `@all` where a room is too large, are refusals of one room too.
#[tokio::test]
async fn a_post_that_one_room_refuses_for_its_content_is_stored_nowhere() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    app.user("carl").await;
    super::set(&app, "Message_MaxAll", json!(2)).await;
    let pair = app.rocket(&ann).open("bob").await;
    let body = json!({"usernames": "bob,carl"});
    let group = app.rocket(&ann).post("dm.create", body).await.ok();
    let group = group["room"]["_id"].as_str().unwrap();
    let root = app.rocket(&ann).say(&pair, "the root").await;
    let thread = json!({"text": "x", "tmid": root["_id"]});
    post_fails(&app, &ann, [&pair, group], &thread).await;
    post_fails(&app, &ann, [&pair, group], &json!({"text": "@all x"})).await;
    assert_eq!(messages(&app, &bob, &pair).await.len(), 1);
    assert_eq!(messages(&app, &bob, group).await.len(), 0);
}

/// A target that is not there leaves no new conversation with the one before it.
#[tokio::test]
async fn a_post_with_a_misspelt_target_makes_no_conversation() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let body = json!({"text": "x", "channel": ["@bob", "@nobody"]});
    app.rocket(&ann).post("chat.postMessage", body).await.expect(400);
    for user in [&ann, &bob] {
        assert_eq!(app.rocket(user).get("dm.list", &[]).await.ok()["total"], 0);
    }
}
