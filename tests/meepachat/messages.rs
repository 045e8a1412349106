//! `GET` and `POST /api/dms/{channelID}/messages`.

use super::calls::{access, dms, each, elsewhere, messages, refused, say, send};
use crate::app::{START, TestApp, TestUser, app};
use parlance_core::list::{ListQuery, Marks};
use parlance_core::send::NewMessage;
use parlance_core::{UserId, time};
use serde_json::{Value, json};
use std::collections::BTreeSet;

async fn pair() -> (TestApp, TestUser, TestUser, String) {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let channel = app.meepa(&ann).open(&bob.id).await;
    (app, ann, bob, channel)
}

#[tokio::test]
async fn a_sent_message_is_the_stored_one() {
    let (app, ann, bob, channel) = pair().await;
    let body = json!({"content": "hi @bob and @all **there** 😀"});
    let sent = send(&app, &ann, &channel, body).await;
    assert_eq!(sent.headers["content-type"], "application/json");
    assert_eq!(sent.headers["cache-control"], "no-store");
    let sent = sent.expect(201)["data"].clone();
    let at = time::iso(START + 1);
    assert_eq!(
        sent,
        json!({"id": sent["id"], "channelId": channel, "userId": ann.id,
            "content": "hi @bob and @all **there** 😀", "edited": false, "createdAt": at,
            "updatedAt": at, "replyCount": 0, "reactions": [], "attachments": [],
            "user": {"id": ann.id, "username": "ann", "displayName": "ann", "status": "offline",
                "bot": false, "createdAt": time::iso(START)},
            "mentions": [{"id": bob.id, "username": "bob", "displayName": "bob"}]})
    );
    assert_eq!(messages(&app, &bob, &channel, &[]).await, std::slice::from_ref(&sent));
    assert_eq!(dms(&app, &bob, &[]).await[0]["lastMessage"], sent);
}

#[tokio::test]
async fn the_core_has_the_same_message_and_unread_count() {
    let (app, ann, bob, channel) = pair().await;
    let sent = say(&app, &ann, &channel, "hi @bob").await;
    let caller = app.caller(&bob).await;
    let room = access(&app, &bob, &channel).await;
    assert_eq!((room.member().unread(room.room()), room.member().mentions), (1, 1));
    let none = std::sync::Arc::new(|_: &_| Value::Null);
    let query = ListQuery::first(50);
    let page = app.core.messages(&caller, &room, &query, &Marks::default(), none).await.unwrap();
    let stored = &page.items[0];
    assert_eq!(stored.id.as_str(), sent["id"]);
    assert_eq!(time::iso(stored.ts), sent["createdAt"]);
    // And what is sent elsewhere is here.
    let elsewhere = app.core.send(&caller, &room, NewMessage::text("back")).await.unwrap().message;
    let page = messages(&app, &ann, &channel, &[]).await;
    assert_eq!(each(&page, "content"), ["back", "hi @bob"]);
    assert_eq!(page[0]["id"], elsewhere.id.as_str());
    assert_eq!(page[0]["createdAt"], time::iso(elsewhere.ts));
    assert_eq!(page[0]["user"]["id"], bob.id);
}

#[tokio::test]
async fn pages_go_back_from_a_message() {
    let (app, ann, bob, channel) = pair().await;
    let mut ids = Vec::new();
    for n in 0..105 {
        let me = if n % 2 == 0 { &ann } else { &bob };
        ids.insert(0, say(&app, me, &channel, "hi").await["id"].as_str().unwrap().to_owned());
    }
    let page =
        async |query: &[(&str, &str)]| each(&messages(&app, &ann, &channel, query).await, "id");
    assert_eq!(page(&[]).await, ids[..50], "newest first, fifty");
    assert_eq!(page(&[("before", ""), ("limit", "3")]).await, ids[..3]);
    assert_eq!(page(&[("limit", "1000")]).await, ids[..100]);
    assert_eq!(page(&[("before", &ids[2]), ("limit", "2")]).await, ids[3..5]);
    assert_eq!(page(&[("before", &ids[103])]).await, ids[104..]);
    assert!(page(&[("before", &ids[104])]).await.is_empty());
}

#[tokio::test]
async fn before_must_be_a_message_of_the_channel() {
    let (app, ann, _, channel) = pair().await;
    let eve = app.user("eve").await;
    let other = app.meepa(&ann).open(&eve.id).await;
    let foreign = say(&app, &eve, &other, "hi").await["id"].as_str().unwrap().to_owned();
    let path = format!("/dms/{channel}/messages");
    for before in [foreign.as_str(), "nowhere", "2026-01-02T03:04:05.678Z"] {
        let answer = app.meepa(&ann).get(&path, &[("before", before)]).await;
        refused(&answer, 400, "invalid before message id");
    }
}

#[tokio::test]
async fn a_foreign_channel_and_a_missing_one_are_the_same() {
    let (app, ann, bob, channel) = pair().await;
    let eve = app.user("eve").await;
    say(&app, &ann, &channel, "secret").await;
    let mut low = [eve.id.clone(), bob.id.clone()];
    low.sort();
    let (computed, nowhere, user) = (low.concat(), app.core.new_id(), ann.id.clone());
    for method in ["get", "post"] {
        let mut answers = Vec::new();
        for channel in [&channel, &computed, &nowhere, &user] {
            let path = format!("/dms/{channel}/messages");
            let answer = if method == "get" {
                app.meepa(&eve).get(&path, &[]).await
            } else {
                app.meepa(&eve).post(&path, json!({"content": "x"})).await
            };
            refused(&answer, 404, "channel not found");
            answers.push((answer.headers, answer.body));
        }
        assert!(answers.windows(2).all(|two| two[0] == two[1]));
    }
    assert_eq!(messages(&app, &bob, &channel, &[]).await.len(), 1);
    assert!(dms(&app, &eve, &[]).await.is_empty(), "no attempt made a channel");
}

#[tokio::test]
async fn the_limit_is_four_thousand_scalars() {
    let (app, ann, _, channel) = pair().await;
    say(&app, &ann, &channel, &"😀".repeat(4000)).await;
    let long = json!({"content": "x".repeat(4001)});
    refused(&send(&app, &ann, &channel, long).await, 400, "content exceeds 4000 characters");
    app.core.overwrite_setting("MeepaChat_Max_Content", &json!(5)).await.unwrap();
    let long = json!({"content": "x".repeat(6)});
    refused(&send(&app, &ann, &channel, long).await, 400, "content exceeds 5 characters");
}

#[tokio::test]
async fn replies_go_to_the_root_and_out_of_the_channel() {
    let (app, ann, bob, channel) = pair().await;
    let root = say(&app, &ann, &channel, "root").await;
    let reply = json!({"content": "reply", "threadId": root["id"]});
    let reply = send(&app, &bob, &channel, reply).await.expect(201)["data"].clone();
    assert_eq!(reply["threadId"], root["id"]);
    let nested = json!({"content": "nested", "threadId": reply["id"]});
    let nested = send(&app, &ann, &channel, nested).await.expect(201)["data"].clone();
    assert_eq!(nested["threadId"], root["id"], "a reply to a reply goes to its root");
    let page = messages(&app, &ann, &channel, &[]).await;
    assert_eq!(each(&page, "id"), [root["id"].as_str().unwrap()]);
    assert_eq!((&page[0]["replyCount"], page[0].get("threadId")), (&json!(2), None));
    assert_eq!(dms(&app, &ann, &[]).await[0]["lastMessage"]["id"], root["id"]);
}

#[tokio::test]
async fn a_thread_of_another_channel_is_unknown() {
    let (app, ann, _, channel) = pair().await;
    let eve = app.user("eve").await;
    let other = app.meepa(&ann).open(&eve.id).await;
    let root = say(&app, &ann, &other, "root").await;
    let body = json!({"content": "x", "threadId": root["id"]});
    refused(&send(&app, &ann, &channel, body).await, 400, "unknown threadId");
    app.core.overwrite_setting("Threads_enabled", &json!(false)).await.unwrap();
    let body = json!({"content": "x", "threadId": root["id"]});
    refused(&send(&app, &ann, &other, body).await, 403, "threads are disabled");
}

#[tokio::test]
async fn a_reply_shown_in_the_room_is_in_the_list() {
    let (app, ann, _, channel) = pair().await;
    let root = say(&app, &ann, &channel, "root").await;
    let mut reply = NewMessage::text("shown");
    reply.thread = Some(root["id"].as_str().unwrap().to_owned());
    reply.tshow = true;
    elsewhere(&app, &ann, &channel, reply).await;
    let page = messages(&app, &ann, &channel, &[]).await;
    assert_eq!(each(&page, "content"), ["shown", "root"]);
    assert_eq!(page[0]["threadId"], root["id"]);
}

#[tokio::test]
async fn a_retry_finds_the_first_try() {
    let (app, ann, bob, channel) = pair().await;
    let body = json!({"content": "once", "clientId": "k".repeat(64)});
    let first = send(&app, &ann, &channel, body.clone()).await.expect(201);
    assert_eq!(send(&app, &ann, &channel, body.clone()).await.ok(), first);
    let other = json!({"content": "other", "clientId": "k".repeat(64)});
    let text = "clientId was used for another message";
    refused(&send(&app, &ann, &channel, other).await, 409, text);
    // A key is its author's and its channel's.
    send(&app, &bob, &channel, body.clone()).await.expect(201);
    let eve = app.user("eve").await;
    let elsewhere = app.meepa(&ann).open(&eve.id).await;
    send(&app, &ann, &elsewhere, body.clone()).await.expect(201);
    assert_eq!(messages(&app, &ann, &channel, &[]).await.len(), 2);
    // The answer shows what happened to it since.
    let id = first["data"]["id"].as_str().unwrap();
    app.core.react(&app.caller(&bob).await, id, "tada", None).await.unwrap();
    let again = send(&app, &ann, &channel, body).await.ok();
    assert_eq!(again["data"]["reactions"], json!([{"emoji": "🎉", "count": 1, "users": [bob.id]}]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn retries_at_once_store_one() {
    let (app, ann, _, channel) = pair().await;
    let app = std::sync::Arc::new(app);
    let mut calls = Vec::new();
    for _ in 0..32 {
        let (app, ann, channel) = (app.clone(), ann.clone(), channel.clone());
        calls.push(tokio::spawn(async move {
            send(&app, &ann, &channel, json!({"content": "once", "clientId": "k"})).await
        }));
    }
    let (mut ids, mut created) = (BTreeSet::new(), 0);
    for call in calls {
        let answer = call.await.unwrap();
        created += i32::from(answer.status.as_u16() == 201);
        assert!(answer.status.is_success(), "{answer:?}");
        ids.insert(answer.json()["data"]["id"].as_str().unwrap().to_owned());
    }
    assert_eq!((ids.len(), created), (1, 1));
    assert_eq!(messages(&app, &ann, &channel, &[]).await.len(), 1);
}

#[tokio::test]
async fn reactions_are_characters_and_ids() {
    let (app, ann, bob, channel) = pair().await;
    let id = say(&app, &ann, &channel, "hi").await["id"].as_str().unwrap().to_owned();
    for (user, emoji) in [(&ann, "+1"), (&bob, ":thumbsup:"), (&bob, "🎉")] {
        app.core.react(&app.caller(user).await, &id, emoji, None).await.unwrap();
    }
    let mut reactions = messages(&app, &ann, &channel, &[]).await[0]["reactions"].clone();
    let all = reactions.as_array_mut().unwrap();
    all.sort_by_key(|one| one["count"].as_i64());
    assert_eq!(
        *all,
        [
            json!({"emoji": "🎉", "count": 1, "users": [bob.id]}),
            json!({"emoji": "👍", "count": 2, "users": [ann.id, bob.id]})
        ]
    );
    assert_eq!(
        dms(&app, &bob, &[]).await[0]["lastMessage"]["reactions"].as_array().unwrap().len(),
        2
    );
}

#[tokio::test]
async fn system_and_encrypted_messages_are_not_shown() {
    let app = app().await;
    let (ann, bob) = (app.admin("ann").await, app.user("bob").await);
    let channel = app.meepa(&ann).open(&bob.id).await;
    let hi = say(&app, &bob, &channel, "hi").await;
    let caller = app.caller(&ann).await;
    app.core.pin(&caller, hi["id"].as_str().unwrap()).await.unwrap();
    let mut secret = NewMessage::text("c2VjcmV0");
    secret.kind = Some("e2e".to_owned());
    app.core.send(&caller, &access(&app, &ann, &channel).await, secret).await.unwrap();
    assert_eq!(each(&messages(&app, &bob, &channel, &[]).await, "content"), ["hi"]);
}

#[tokio::test]
async fn blocked_and_read_only_conversations_take_nothing() {
    let (app, ann, bob, channel) = pair().await;
    let caller = app.caller(&bob).await;
    let room = access(&app, &bob, &channel).await;
    app.core.set_block(&caller, &room, true).await.unwrap();
    for user in [&ann, &bob] {
        let answer = send(&app, user, &channel, json!({"content": "x"})).await;
        refused(&answer, 403, "the conversation is blocked");
    }
    app.core.set_block(&caller, &room, false).await.unwrap();
    let by = parlance_core::account::Authority::Operator;
    app.core.set_active(by, &UserId::from(bob.id.as_str()), false).await.unwrap();
    let answer = send(&app, &ann, &channel, json!({"content": "x"})).await;
    refused(&answer, 403, "the conversation is read-only");
    assert!(messages(&app, &ann, &channel, &[]).await.is_empty());
}

#[tokio::test]
async fn everyone_may_be_mentioned_only_by_who_may() {
    let app = app().await;
    let ann = app.user("ann").await;
    let guest = parlance_core::account::NewUser {
        username: "guest1".to_owned(),
        roles: vec!["guest".to_owned()],
        ..parlance_core::account::NewUser::default()
    };
    let guest = app.user_with(guest).await;
    let channel = app.meepa(&ann).open(&guest.id).await;
    let answer = send(&app, &guest, &channel, json!({"content": "@all look"})).await;
    refused(&answer, 403, "@all is not allowed here");
    assert_eq!(say(&app, &ann, &channel, "@all look").await["mentions"], json!([]));
}
