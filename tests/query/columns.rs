//! What the store's own language answers: with the number of documents that may be looked at far
//! below the number that are there, the fields that the documents name still filter and sort, and
//! the others are refused by name.

use super::{World, ids};
use crate::app::{Answer, START, TestUser};
use crate::rocketchat::set;
use parlance_core::import::Line;
use parlance_core::time;
use serde_json::{Value, json};

const ROWS: i64 = 150;

/// 150 messages in the first room, all alike but for one; and at most 100 that may be looked at.
async fn world() -> World {
    let world = World::new().await;
    let message = |n: i64| {
        let mut message = json!({"_id": format!("message{n:03}"), "rid": world.rooms[0],
            "msg": "same", "u": {"_id": world.ann.id, "username": "ann", "name": "Ann"},
            "ts": time::iso(START + n), "_updatedAt": time::iso(START + n), "urls": []});
        if n == 70 {
            let more = json!({"msg": "other", "t": "rm", "tmid": "message000", "tshow": true,
                "tcount": 3, "pinned": true, "starred": [{"_id": world.ann.id}],
                "mentions": [{"_id": "everybody"}], "urls": [{"url": "https://x.example"}],
                "u": {"_id": world.bob.id, "username": "bob", "name": "Bob"},
                "_updatedAt": time::iso(START + 5000)});
            for (key, value) in more.as_object().expect("an object") {
                message[key] = value.clone();
            }
        }
        message
    };
    world.import((0..ROWS).map(message)).await;
    set(&world.app, &world.boss, "Parlance_Query_Max_Rows", 100.into()).await;
    world
}

async fn messages(world: &World, more: &[(&str, &str)]) -> Answer {
    let room = [("roomId", world.rooms[0].as_str()), ("count", "2")];
    let query: Vec<(&str, &str)> = room.iter().chain(more).copied().collect();
    world.app.rocket(&world.ann).get("dm.messages", &query).await
}

#[tokio::test]
async fn the_fields_of_messages_that_the_documents_name() {
    let world = world().await;
    let later = START + 4000;
    let one = [
        json!({"_id": "message070"}),
        json!({"msg": "other"}),
        json!({"msg": {"$ne": "same"}}),
        json!({"ts": {"$date": START + 70}}),
        json!({"_updatedAt": {"$gt": {"$date": later}}}),
        json!({"u._id": world.bob.id}),
        json!({"u.username": {"$in": ["bob", "eve"]}}),
        json!({"u.name": "Bob"}),
        json!({"t": {"$exists": true}}),
        json!({"tmid": "message000"}),
        json!({"tshow": true}),
        json!({"tcount": {"$gte": 2.5}}),
        json!({"pinned": true}),
        json!({"starred._id": world.ann.id}),
        json!({"mentions._id": "everybody"}),
        json!({"mentions._id": {"$gt": "all"}}),
        json!({"$and": [{"rid": world.rooms[0]}, {"$or": [{"msg": "other"}, {"t": "rm"}]}]}),
        // What SQL narrows down to few is looked at, whatever else is asked.
        json!({"msg": {"$regex": "^o"}, "u.username": "bob"}),
        json!({"urls.url": {"$regex": "example"}, "ts": {"$gte": {"$date": START + 69}}}),
    ];
    for query in one.iter().map(Value::to_string) {
        let body = messages(&world, &[("query", &query)]).await.ok();
        assert_eq!(ids(&body, "messages"), ["message070"], "{query}");
        assert_eq!(body["total"], 1, "{query}");
    }
    for query in [json!({"mentions._id": {"$ne": "everybody"}}), json!({"$nor": [{"t": "rm"}]})] {
        let body = messages(&world, &[("query", &query.to_string())]).await.ok();
        assert_eq!(body["total"], ROWS - 1, "{query}");
    }
    for sort in ["_updatedAt", "u.username", "t", "tmid", "tcount", "pinned", "starred._id"] {
        let body = messages(&world, &[("sort", &json!({sort: -1}).to_string())]).await.ok();
        assert_eq!(ids(&body, "messages")[0], "message070", "{sort}");
    }
    for (name, text) in [
        ("query", r#"{"urls.url":"https://x.example"}"#),
        ("query", r#"{"msg":{"$regex":"o"}}"#),
        ("query", r#"{"$or":[{"msg":"other"},{"urls.url":1}]}"#),
        ("sort", r#"{"urls.url":1}"#),
    ] {
        let field = if text.contains("$regex") { "msg" } else { "urls.url" };
        refused(&messages(&world, &[(name, text)]).await, field);
    }
}

/// The refusal of a question that is too broad, with the field that makes it so.
#[track_caller]
pub(super) fn refused(answer: &Answer, field: &str) {
    let want = format!(
        "Too many documents would have to be read for the condition on \"{field}\" \
         [error-query-too-broad]"
    );
    let body = answer.expect(400);
    assert_eq!((&body["error"], &body["details"]), (&json!(want), &json!({"field": field})));
    assert_eq!(body["errorType"], "error-query-too-broad");
}

async fn everyone(world: &World, user: &TestUser, more: &[(&str, &str)]) -> Answer {
    let query: Vec<(&str, &str)> = [("count", "2")].iter().chain(more).copied().collect();
    world.app.rocket(user).get("dm.list.everyone", &query).await
}

#[tokio::test]
async fn the_fields_of_rooms_that_the_documents_name() {
    let world = world().await;
    let rooms: Vec<String> = (0..ROWS)
        .map(|n| {
            let room = json!({"_id": format!("room{n:03}"), "t": "d", "ts": time::iso(n),
                "_updatedAt": time::iso(n), "uids": [format!("user{n}"), "common"], "msgs": n,
                "usernames": [format!("name{n}"), "common"], "usersCount": 2,
                "topic": if n == 70 { "odd" } else { "even" }, "kept": n});
            json!({"collection": "rooms", "document": room}).to_string()
        })
        .collect();
    let lines = (1..).zip(&rooms).map(|(number, line)| Line { number, bytes: line.as_bytes() });
    world.app.core.import_batch(&lines.collect::<Vec<_>>()).await.unwrap();
    let of_ann = &world.rooms[0];
    for (query, want) in [
        (json!({"_id": "room070"}), "room070"),
        (json!({"topic": "odd", "t": "d"}), "room070"),
        (json!({"uids": "user70"}), "room070"),
        (json!({"usernames": "name70"}), "room070"),
        (json!({"$and": [{"usernames": {"$in": ["name70", "x"]}}, {"uids": "common"}]}), "room070"),
        (json!({"ts": {"$date": 70}}), "room070"),
        (json!({"_updatedAt": {"$date": 70}, "usersCount": 2}), "room070"),
        (json!({"msgs": {"$gt": 69, "$lt": 70.5}}), "room070"),
        (json!({"lm": {"$ne": null}}), of_ann),
        (json!({"lastMessage._id": "message149"}), of_ann),
        (json!({"lastMessage.u._id": world.ann.id}), of_ann),
        (json!({"lastMessage.u.username": "ann"}), of_ann),
        (json!({"lastMessage.msg": "same", "lastMessage.rid": of_ann}), of_ann),
        (json!({"lastMessage.ts": {"$gt": {"$date": START}}}), of_ann),
    ] {
        let body = everyone(&world, &world.boss, &[("query", &query.to_string())]).await.ok();
        assert_eq!(
            (ids(&body, "ims"), &body["total"]),
            (vec![want.to_owned()], &json!(1)),
            "{query}"
        );
    }
    let query = json!({"usernames": {"$ne": "common"}}).to_string();
    assert_eq!(everyone(&world, &world.boss, &[("query", &query)]).await.ok()["total"], 3);
    let sort = [("sort", r#"{"topic":-1,"msgs":-1}"#)];
    assert_eq!(ids(&everyone(&world, &world.boss, &sort).await.ok(), "ims")[0], "room070");
    refused(&everyone(&world, &world.boss, &[("query", r#"{"kept":70}"#)]).await, "kept");
    refused(&everyone(&world, &world.boss, &[("sort", r#"{"kept":1}"#)]).await, "kept");
}
