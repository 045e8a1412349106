//! `GET /api/dms` and `POST /api/dms`: the document's shape, order, paging, and one channel for two.

use super::calls::{access, channels, dms, keys, refused, rows, say, send};
use crate::app::{Answer, START, TestApp, TestUser, app, with_query};
use axum::http::Method;
use parlance_core::account::NewUser;
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
const USER: [&str; 7] = [
    "id",
    "username",
    "displayName",
    "status",
    "bot",
    "createdAt",
    "avatarPath",
];
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
    keys.iter()
        .copied()
        .filter(|key| !OMITTED.contains(key))
        .collect()
}

/// `ann` with a conversation with each of `n` others, all made in one millisecond.
async fn crowd(n: usize) -> (TestApp, TestUser, Vec<String>) {
    let app = app().await;
    let ann = app.user("ann").await;
    let mut ids = Vec::new();
    for n in 0..n {
        let new = NewUser {
            username: format!("peer{n:03}"),
            ..NewUser::default()
        };
        let by = parlance_core::account::Authority::Operator;
        let peer = app.core.create_user(by, new).await.unwrap();
        ids.push(app.meepa(&ann).open(peer.id.as_str()).await);
    }
    ids.sort_unstable_by(|a, b| b.cmp(a));
    (app, ann, ids)
}

fn link(answer: &Answer) -> Option<String> {
    let link = answer.headers.get("link")?.to_str().unwrap();
    let (path, rest) = link.strip_prefix("</api").unwrap().split_once('>').unwrap();
    assert_eq!(rest, "; rel=\"next\"");
    Some(path.to_owned())
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
    let room = access(&app, &bob, &channel).await;
    let reply = app
        .core
        .send(&app.caller(&bob).await, &room, reply)
        .await
        .unwrap()
        .message;
    app.core
        .react(&app.caller(&ann).await, reply.id.as_str(), "tada", None)
        .await
        .unwrap();

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
    let updated = app
        .core
        .message(&app.caller(&ann).await, reply.id.as_str())
        .await
        .unwrap();
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
    let made = app
        .meepa(&ann)
        .post("/dms", json!({"userId": bob.id}))
        .await
        .expect(201);
    let found = app
        .meepa(&bob)
        .post("/dms", json!({"userId": ann.id}))
        .await
        .ok();
    assert_eq!(
        made["data"]["channel"]["id"],
        found["data"]["channel"]["id"]
    );
    assert_eq!(made["data"], dms(&app, &ann, &[]).await[0]);
    assert_eq!(found["data"], dms(&app, &bob, &[]).await[0]);
    let channel = made["data"]["channel"]["id"].as_str().unwrap();
    let last = say(&app, &ann, channel, "hi").await;
    let again = app
        .meepa(&bob)
        .post("/dms", json!({"userId": ann.id}))
        .await
        .ok();
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
            app.meepa(&me)
                .post("/dms", json!({"userId": other.id}))
                .await
        }));
    }
    let (mut ids, mut created) = (BTreeSet::new(), 0);
    for call in calls {
        let answer = call.await.unwrap();
        created += i32::from(answer.status.as_u16() == 201);
        assert!(answer.status.is_success(), "{answer:?}");
        ids.insert(
            answer.json()["data"]["channel"]["id"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    assert_eq!((ids.len(), created), (1, 1));
    for user in [&ann, &bob] {
        assert_eq!(
            channels(&dms(&app, user, &[]).await),
            ids.iter().cloned().collect::<Vec<_>>()
        );
    }
}

#[tokio::test]
async fn a_note_to_oneself_shows_oneself() {
    let app = app().await;
    let ann = app.user("ann").await;
    let made = app
        .meepa(&ann)
        .post("/dms", json!({"userId": ann.id}))
        .await
        .expect(201);
    let row = &made["data"];
    assert_eq!(
        (&row["otherUser"]["id"], &row["channel"]["memberCount"]),
        (&json!(ann.id), &json!(1))
    );
    assert_eq!(row["channel"]["displayName"], "ann");
    assert!(!keys(row).contains("otherUsers"));
    assert_eq!(dms(&app, &ann, &[]).await, std::slice::from_ref(row));
    app.meepa(&ann)
        .post("/dms", json!({"userId": ann.id}))
        .await
        .ok();
}

#[tokio::test]
async fn a_group_is_listed_with_all_others_in_the_order_of_joining() {
    let app = app().await;
    let ann = app.user("ann").await;
    let zoe = NewUser {
        username: "zoe".into(),
        name: "Zoe Day".into(),
        ..NewUser::default()
    };
    let (zoe, bob) = (app.user_with(zoe).await, app.user("bob").await);
    let opened = app
        .core
        .open_direct(&app.caller(&ann).await, &["zoe", "bob"], false)
        .await
        .unwrap();
    let rows = dms(&app, &bob, &[]).await;
    let row = &rows[0];
    assert_eq!(row["channel"]["id"], opened.room.id.as_str());
    let ids: Vec<&Value> = row["otherUsers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|u| &u["id"])
        .collect();
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
async fn a_large_group_takes_one_place_of_a_page() {
    let app = app().await;
    let ann = app.user("ann").await;
    let names = ["b", "c", "d", "e", "f", "g"];
    for name in names {
        app.user(name).await;
    }
    let caller = app.caller(&ann).await;
    for others in [&names[..1], &names[1..2], &names[..]] {
        app.clock.move_to(app.clock.now() + 10);
        app.core.open_direct(&caller, others, false).await.unwrap();
    }
    let page = dms(&app, &ann, &[("limit", "2")]).await;
    assert_eq!(page.len(), 2);
    assert_eq!(page[0]["channel"]["memberCount"], 7);
    assert_eq!(page[0]["otherUsers"].as_array().unwrap().len(), 6);
    assert_eq!(page[1]["otherUser"]["username"], "c");
}

#[tokio::test]
async fn activity_orders_the_list_and_before_cuts_it() {
    let (app, ann, ids) = crowd(4).await;
    assert_eq!(
        channels(&dms(&app, &ann, &[]).await),
        ids,
        "ties by id, descending"
    );
    let mut times = Vec::new();
    for (n, channel) in [&ids[3], &ids[0], &ids[2]].into_iter().enumerate() {
        app.clock
            .move_to(START + 1000 * (1 + i64::try_from(n).unwrap()));
        times.push(
            say(&app, &ann, channel, "hi").await["createdAt"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    let order = [2, 0, 3, 1].map(|n: usize| ids[n].clone());
    assert_eq!(channels(&dms(&app, &ann, &[]).await), order);
    let page = dms(&app, &ann, &[("before", &times[2])]).await;
    assert_eq!(channels(&page), order[1..], "before is strict");
    let page = dms(&app, &ann, &[("before", &times[1]), ("limit", "1")]).await;
    assert_eq!(channels(&page), order[2..3]);
    assert_eq!(page[0]["lastMessage"]["createdAt"], times[0]);
    let page = dms(&app, &ann, &[("before", &time::iso(START + 1))]).await;
    assert_eq!(channels(&page), order[3..]);
    assert!(
        dms(&app, &ann, &[("before", &time::iso(START))])
            .await
            .is_empty()
    );
    // Neither a reaction nor a reply in a thread is activity.
    app.clock.move_to(START + 9000);
    let message = say(&app, &ann, &ids[1], "root").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let order = channels(&dms(&app, &ann, &[]).await);
    app.clock.move_to(START + 10_000);
    let old = dms(&app, &ann, &[]).await[3]["lastMessage"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    app.core
        .react(&app.caller(&ann).await, &old, "tada", None)
        .await
        .unwrap();
    let reply = json!({"content": "in the thread", "threadId": old});
    send(&app, &ann, &ids[3], reply).await.expect(201);
    let rows = dms(&app, &ann, &[]).await;
    assert_eq!(
        (channels(&rows), &rows[0]["lastMessage"]["id"]),
        (order, &json!(message))
    );
}

#[tokio::test]
async fn before_takes_every_form_of_a_time_and_nothing_else() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    app.meepa(&ann).open(&bob.id).await; // at 03:04:05.678 UTC
    let count = async |raw: &str| {
        let path = format!("/dms?before={raw}");
        rows(&app.meepa(&ann).get(&path, &[]).await).len()
    };
    for (raw, rows) in [
        ("", 1),
        ("2026-01-02T03:04:05.679Z", 1),
        ("2026-01-02T03:04:05.678Z", 0),
        ("2026-01-02T03:04:05.6780001Z", 1),
        ("2026-01-02T05:04:05.679%2B02:00", 1),
        ("2026-01-02T05:04:05.679+02:00", 1),
        ("2026-01-02T05:04:05.678+02:00", 0),
        ("2026-01-02T05:04:05.678%20%2b02:00", 2),
        ("2026-01-01T22:04:06-05:00", 1),
        ("9999-12-31T23:59:59.999Z", 1),
    ] {
        if rows < 2 {
            assert_eq!(count(raw).await, rows, "{raw}");
        } else {
            let answer = app
                .meepa(&ann)
                .get(&format!("/dms?before={raw}"), &[])
                .await;
            refused(&answer, 400, "invalid before timestamp");
        }
    }
    let id = app.core.new_id();
    for text in [
        "yesterday",
        "2026-01-02",
        "1767323045678",
        "{\"$gt\":0}",
        &id,
        "2026-01-02T03:04:05",
    ] {
        let answer = app.meepa(&ann).get("/dms", &[("before", text)]).await;
        refused(&answer, 400, "invalid before timestamp");
    }
}

#[tokio::test]
async fn thirty_are_given_unless_asked_and_a_hundred_at_most() {
    let (app, ann, ids) = crowd(103).await;
    // Apart in time, so that no page is longer for a tie.
    for (n, channel) in ids.iter().enumerate() {
        app.clock.move_to(START + 1000 + i64::try_from(n).unwrap());
        say(&app, &ann, channel, "hi").await;
    }
    for (limit, count) in [
        ("", 30),
        ("abc", 30),
        ("0", 30),
        ("-5", 30),
        ("2.5", 30),
        ("7", 7),
        ("100", 100),
        ("1000000000000", 100),
        ("99999999999999999999", 100),
    ] {
        assert_eq!(
            dms(&app, &ann, &[("limit", limit)]).await.len(),
            count,
            "{limit}"
        );
    }
    assert_eq!(dms(&app, &ann, &[]).await.len(), 30);
}

/// Follows pages by the last activity seen, as a client that knows nothing else.
async fn by_time(app: &TestApp, user: &TestUser, limit: &str) -> Vec<Vec<String>> {
    let (mut pages, mut before) = (Vec::new(), String::new());
    loop {
        let page = dms(app, user, &[("before", &before), ("limit", limit)]).await;
        let Some(last) = page.last() else {
            return pages;
        };
        let seen = last.get("lastMessage").unwrap_or(&last["channel"]);
        seen["createdAt"].as_str().unwrap().clone_into(&mut before);
        pages.push(channels(&page));
    }
}

#[tokio::test]
async fn pages_by_time_alone_lose_nothing_to_ties() {
    let (app, ann, ids) = crowd(12).await;
    app.clock.move_to(START + 5000);
    for channel in &ids[..5] {
        say(&app, &ann, channel, "at once").await;
    }
    let pages = by_time(&app, &ann, "3").await;
    assert_eq!(
        pages.iter().map(Vec::len).collect::<Vec<_>>(),
        [5, 7],
        "extended over the tie"
    );
    assert_eq!(pages.concat(), ids);
}

#[tokio::test]
async fn the_link_goes_on_where_a_tie_is_longer_than_a_page_can_be() {
    let (app, ann, ids) = crowd(205).await;
    let (mut seen, mut path) = (Vec::new(), with_query("/dms", &[("limit", "2")]));
    let mut pages = Vec::new();
    loop {
        let answer = app.meepa(&ann).call(Method::GET, &path, None).await;
        let page = channels(&rows(&answer));
        pages.push(page.len());
        seen.extend(page);
        let Some(next) = link(&answer) else { break };
        let before = crate::app::encode(&time::iso(START)).replace("%3A", ":");
        let want = format!(
            "/dms?before={before}&beforeId={}&limit=2",
            seen.last().unwrap()
        );
        assert_eq!(next, want);
        path = next;
    }
    assert_eq!(pages, [102, 102, 1]);
    assert_eq!(seen, ids);
}

#[tokio::test]
async fn a_link_is_there_only_when_there_is_more() {
    let (app, ann, ids) = crowd(3).await;
    app.clock.move_to(START + 1000);
    say(&app, &ann, &ids[2], "hi").await;
    let page = app.meepa(&ann).get("/dms", &[("limit", "1")]).await;
    let next = link(&page).unwrap();
    assert_eq!(channels(&rows(&page)), ids[2..]);
    let page = app.meepa(&ann).call(Method::GET, &next, None).await;
    assert_eq!(
        (channels(&rows(&page)), link(&page)),
        (ids[..2].to_vec(), None)
    );
    assert_eq!(link(&app.meepa(&ann).get("/dms", &[]).await), None);
    // Without a time the id says nothing.
    let page = dms(&app, &ann, &[("beforeId", &ids[1])]).await;
    assert_eq!(page.len(), 3);
}

#[tokio::test]
async fn what_was_closed_elsewhere_stays_out_until_the_next_message() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let channel = app.meepa(&ann).open(&bob.id).await;
    say(&app, &ann, &channel, "one").await;
    let close = async || {
        let room = access(&app, &bob, &channel).await;
        app.core
            .close_room(&app.caller(&bob).await, &room)
            .await
            .unwrap();
        assert!(dms(&app, &bob, &[]).await.is_empty());
    };
    close().await;
    assert_eq!(
        dms(&app, &ann, &[]).await.len(),
        1,
        "only for who closed it"
    );
    say(&app, &ann, &channel, "two").await;
    assert_eq!(
        dms(&app, &bob, &[]).await[0]["lastMessage"]["content"],
        "two"
    );
    close().await;
    app.meepa(&bob)
        .post("/dms", json!({"userId": ann.id}))
        .await
        .ok();
    assert_eq!(
        channels(&dms(&app, &bob, &[]).await),
        [channel.as_str()],
        "opened again"
    );
}

#[tokio::test]
async fn system_and_encrypted_messages_are_not_the_last() {
    let app = app().await;
    let (ann, bob) = (app.admin("ann").await, app.user("bob").await);
    let channel = app.meepa(&ann).open(&bob.id).await;
    let hi = say(&app, &bob, &channel, "hi").await;
    app.core
        .pin(&app.caller(&ann).await, hi["id"].as_str().unwrap())
        .await
        .unwrap();
    assert_eq!(dms(&app, &bob, &[]).await[0]["lastMessage"]["id"], hi["id"]);
    let mut secret = NewMessage::text("c2VjcmV0");
    secret.kind = Some("e2e".to_owned());
    let room = access(&app, &ann, &channel).await;
    app.core
        .send(&app.caller(&ann).await, &room, secret)
        .await
        .unwrap();
    assert!(!keys(&dms(&app, &bob, &[]).await[0]).contains("lastMessage"));
}

#[tokio::test]
async fn a_bot_can_be_written_to_and_a_renamed_user_has_the_new_name() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let made = app
        .meepa(&ann)
        .post("/dms", json!({"userId": "rocket.cat"}))
        .await
        .expect(201);
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
