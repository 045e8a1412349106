//! `count=0`: everything, piece by piece. What comes is what the pages give one after the other, also
//! while others write; memory holds a piece; and an answer that breaks off is no answer.

use super::{Route, World, ids};
use crate::app::{START, TestUser, with_query};
use axum::body::{Body, BodyDataStream};
use axum::http::Request;
use futures_util::StreamExt as _;
use parlance_core::time;
use serde_json::{Value, json};

const ROWS: usize = 350;

async fn world() -> World {
    let world = World::new().await;
    let message = |n: usize| {
        let at = time::iso(START + i64::try_from(n).expect("small"));
        json!({"_id": format!("message{n:04}"), "rid": world.rooms[0], "msg": format!("n{}", n % 10),
            "u": {"_id": world.ann.id, "username": "ann"}, "ts": at, "_updatedAt": at,
            "pinned": n.is_multiple_of(2), "rank": [(n * 7) % 100]})
    };
    world.import((0..ROWS).map(message)).await;
    world
}

/// What all pages of a list give, and the total that each of them says.
async fn paged(
    world: &World,
    user: &TestUser,
    route: &Route<'_>,
    more: &[(&str, &str)],
    from: usize,
) -> (Vec<Value>, Value) {
    let mut all = Vec::new();
    for offset in (from..).step_by(100) {
        let offset = offset.to_string();
        let page = [("count", "100"), ("offset", offset.as_str())];
        let query: Vec<(&str, &str)> =
            route.params.iter().chain(&page).chain(more).copied().collect();
        let body = world.app.rocket(user).get(route.name, &query).await.ok();
        let items = body[route.list].as_array().unwrap();
        all.extend(items.iter().cloned());
        if items.len() < 100 {
            return (all, body["total"].clone());
        }
    }
    unreachable!("pages end")
}

/// Asks for everything: the pieces of the answer as they come.
async fn begin(
    world: &World,
    user: &TestUser,
    name: &str,
    query: &[(&str, &str)],
) -> BodyDataStream {
    let request = Request::get(with_query(&format!("/api/v1/{name}"), query))
        .header("x-auth-token", &user.token)
        .header("x-user-id", &user.id);
    let answer = world.app.begin(request.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/json");
    answer.into_body().into_data_stream()
}

/// The next piece as text.
async fn next(pieces: &mut BodyDataStream) -> Option<String> {
    let piece = pieces.next().await?.expect("a piece");
    Some(String::from_utf8(piece.to_vec()).unwrap())
}

async fn rest(mut text: String, pieces: &mut BodyDataStream) -> Value {
    while let Some(piece) = next(pieces).await {
        text.push_str(&piece);
    }
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn everything_is_what_the_pages_give() {
    let world = world().await;
    let room = [("roomId", world.rooms[0].as_str())];
    for route in [
        Route { name: "dm.messages", params: &room, list: "messages" },
        Route { name: "dm.messages.others", params: &room, list: "messages" },
    ] {
        let user = if route.name == "dm.messages" { &world.ann } else { &world.boss };
        for more in [
            &[][..],
            // In SQL's words; not in them; in another order, in SQL's words and not.
            &[("query", r#"{"pinned":true}"#)],
            &[("query", r#"{"msg":{"$regex":"n[1-9]"}}"#)],
            &[("sort", r#"{"msg":1}"#)],
            &[("sort", r#"{"rank":1}"#)],
            &[("sort", r#"{"rank":-1}"#), ("query", r#"{"rank":{"$lt":90}}"#)],
            &[("fields", r#"{"msg":1}"#)],
            &[("query", r#"{"msg":"none says this"}"#)],
        ] {
            for offset in [0, 3, 349, 1000] {
                let (want, total) = paged(&world, user, &route, more, offset).await;
                let offset = offset.to_string();
                let query: Vec<(&str, &str)> =
                    more.iter().chain(&[("offset", offset.as_str())]).copied().collect();
                let body = world.all(user, &route, &query).await;
                assert_eq!(body[route.list], json!(want), "{} {more:?} {offset}", route.name);
                assert_eq!(body["count"], want.len());
                assert_eq!((&body["total"], body["offset"].to_string()), (&total, offset));
                assert_eq!((&body["success"], body.get("nextCursor")), (&json!(true), None));
            }
        }
    }
}

#[tokio::test]
async fn memory_holds_a_piece_of_it() {
    let world = world().await;
    let query = [("roomId", world.rooms[0].as_str()), ("count", "0")];
    for name in ["dm.messages", "dm.history"] {
        let mut pieces = begin(&world, &world.ann, name, &query).await;
        let mut counts = Vec::new();
        while let Some(piece) = next(&mut pieces).await {
            counts.push(piece.matches("\"_id\":\"message").count());
        }
        assert_eq!(counts, [100, 100, 100, 50, 0], "{name}");
    }
}

#[tokio::test]
async fn history_of_everything() {
    let world = world().await;
    let rocket = world.app.rocket(&world.ann);
    let room = ("roomId", world.rooms[0].as_str());
    let latest = time::iso(START + 300);
    let oldest = time::iso(START + 20);
    let want = |from: usize, to: usize| -> Vec<String> {
        (from..to).rev().map(|n| format!("message{n:04}")).collect()
    };
    for (more, ids_want) in [
        (&[][..], want(0, ROWS)),
        (&[("offset", "5")], want(0, ROWS - 5)),
        (&[("latest", latest.as_str())], want(0, 300)),
        (&[("oldest", oldest.as_str()), ("unreads", "true")], want(21, ROWS)),
    ] {
        let query: Vec<(&str, &str)> = [room, ("count", "0")].iter().chain(more).copied().collect();
        let body = rocket.get("dm.history", &query).await.ok();
        assert_eq!(ids(&body, "messages"), ids_want, "{more:?}");
        let unread = more.iter().any(|(name, _)| *name == "unreads").then(|| json!(0));
        assert_eq!(body.get("unreadNotLoaded"), unread.as_ref());
        assert_eq!((body.get("firstUnread"), body.get("nextCursor")), (None, None));
    }
}

#[tokio::test]
async fn rooms_and_people() {
    let world = World::new().await;
    let (boss, ann) = (&world.boss, &world.ann);
    for n in 0..120 {
        let name = format!("guest{n:03}");
        world.app.user(&name).await;
        world.app.clock.move_to(START + 1000 * (n + 1));
        let room = world.app.rocket(ann).open(&name).await;
        world.app.rocket(ann).say(&room, &format!("hello {n}")).await;
    }
    for (user, name, list) in [
        (ann, "dm.list", "ims"),
        (boss, "dm.list.everyone", "ims"),
        (boss, "rooms.adminRooms", "rooms"),
        (ann, "users.list", "users"),
    ] {
        let route = Route { name, params: &[], list };
        for more in [&[][..], &[("sort", r#"{"_id":-1}"#)], &[("includeSubscription", "true")]] {
            let (want, total) = paged(&world, user, &route, more, 0).await;
            assert!(want.len() > 100, "{name}");
            let body = world.all(user, &route, more).await;
            assert_eq!(body[list], json!(want), "{name} {more:?}");
            assert_eq!((&body["total"], &body["count"]), (&total, &total), "{name}");
        }
    }
    let rooms = world.app.rocket(ann).get("rooms.get", &[]).await.ok();
    let listed = world.all(ann, &Route { name: "dm.list", params: &[], list: "ims" }, &[]).await;
    assert_eq!(ids(&rooms, "update"), ids(&listed, "ims"));
    assert_eq!(rooms["remove"], json!([]));
}

#[tokio::test]
async fn threads_and_marks() {
    let world = world().await;
    let rocket = world.app.rocket(&world.ann);
    let room = world.rooms[0].as_str();
    let root = rocket.say(room, "a root").await;
    let id = root["_id"].as_str().unwrap();
    for n in 0..130 {
        world.app.clock.move_to(START + 1_000_000 + n);
        let reply = json!({"rid": room, "msg": format!("reply {n}"), "tmid": id});
        rocket.post("chat.sendMessage", json!({"message": reply})).await.ok();
    }
    for (name, params, list, many) in [
        ("chat.getThreadMessages", [("tmid", id)], "messages", 130),
        ("chat.getPinnedMessages", [("roomId", room)], "messages", ROWS / 2),
        ("chat.getThreadsList", [("rid", room)], "threads", 1),
        ("chat.getStarredMessages", [("roomId", room)], "messages", 0),
    ] {
        let route = Route { name, params: &params, list };
        let (want, total) = paged(&world, &world.ann, &route, &[], 0).await;
        assert_eq!(want.len(), many, "{name}");
        let body = world.all(&world.ann, &route, &[]).await;
        assert_eq!((&body[list], &body["total"]), (&json!(want), &total), "{name}");
    }
}

#[tokio::test]
async fn nothing_is_skipped_or_given_twice_while_others_write() {
    let world = world().await;
    let bob = world.app.rocket(&world.bob);
    let room = world.rooms[0].as_str();
    world.app.clock.move_to(START + 1_000_000);
    let query = [("roomId", room), ("count", "0")];
    let mut pieces = begin(&world, &world.ann, "dm.messages", &query).await;
    let mut text = next(&mut pieces).await.unwrap();
    // One that was given, one that would have come, and a new one.
    for gone in ["message0349", "message0100"] {
        let body = json!({"roomId": room, "msgId": gone, "asUser": true});
        world.app.rocket(&world.ann).post("chat.delete", body).await.ok();
    }
    bob.say(room, "in the meantime").await;
    text.push_str(&next(&mut pieces).await.unwrap());
    bob.say(room, "and another").await;
    let body = rest(text, &mut pieces).await;
    let want: Vec<String> =
        (0..ROWS).rev().filter(|n| *n != 100).map(|n| format!("message{n:04}")).collect();
    assert_eq!(ids(&body, "messages"), want);
    assert_eq!(body["count"], want.len());
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_not_taken_for_whole() {
    let world = world().await;
    let query = [("roomId", world.rooms[0].as_str()), ("count", "0")];
    let mut pieces = begin(&world, &world.ann, "dm.messages", &query).await;
    next(&mut pieces).await.unwrap();
    world.app.core.clone().close().await;
    assert!(pieces.next().await.expect("no end").is_err());
}

#[tokio::test]
async fn a_read_of_everything_is_in_the_audit_before_it_begins() {
    let world = world().await;
    let query = [("roomId", world.rooms[0].as_str()), ("count", "0"), ("offset", "10")];
    let begun = begin(&world, &world.boss, "dm.messages.others", &query).await;
    let caller = world.app.caller(&world.boss).await;
    let admin = world.app.core.admin(&caller, parlance_core::Perm::ViewRoomAdministration).unwrap();
    let log = world.app.reads(admin).await;
    let detail: Value = serde_json::from_str(&log[0].detail).unwrap();
    assert_eq!(
        (log[0].action.as_str(), log[0].room.as_deref()),
        ("dm.messages.others", Some(query[0].1))
    );
    let want = json!({"offset": 10, "count": null, "conditions": [], "given": ROWS - 10,
        "oldest": null, "newest": START + 339});
    assert_eq!(detail, want);
    drop(begun);
}
