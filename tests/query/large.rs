//! More than one batch of rows: pages of a filter or an order that SQL does not know are cut from
//! the whole, do not overlap, and count everything.

use super::{World, ids};
use crate::app::START;
use parlance_core::time;
use serde_json::{Value, json};

const ROWS: usize = 1500;

async fn world() -> World {
    let world = World::new().await;
    let message = |n: usize| {
        let at = time::iso(START + i64::try_from(n).expect("small"));
        json!({"_id": format!("message{n:04}"), "rid": world.rooms[0], "msg": format!("n{}", n % 10),
            "u": {"_id": world.ann.id, "username": "ann"}, "ts": at, "_updatedAt": at,
            "rank": [(n * 7) % 100, 1000 - n % 3]})
    };
    world.import((0..ROWS).map(message)).await;
    world
}

/// All pages of a list, one after the other; each says the same total.
async fn pages(world: &World, total: usize, more: &[(&str, &str)]) -> Vec<String> {
    let mut all = Vec::new();
    for offset in (0..).step_by(90) {
        let (room, offset) = (world.rooms[0].as_str(), offset.to_string());
        let page = [("roomId", room), ("count", "90"), ("offset", offset.as_str())];
        let query: Vec<(&str, &str)> = page.iter().chain(more).copied().collect();
        let body = world.app.rocket(&world.ann).get("dm.messages", &query).await.ok();
        assert_eq!(body["total"], total);
        let ids = ids(&body, "messages");
        if ids.is_empty() {
            break;
        }
        all.extend(ids);
    }
    all
}

#[tokio::test]
async fn pages_of_a_filter_that_sql_does_not_know() {
    let world = world().await;
    let newest_first = |keep: &dyn Fn(usize) -> bool| -> Vec<String> {
        (0..ROWS).rev().filter(|n| keep(*n)).map(|n| format!("message{n:04}")).collect()
    };
    let query = [("query", r#"{"msg":{"$regex":"^n[37]$"}}"#)];
    let want = newest_first(&|n| matches!(n % 10, 3 | 7));
    assert_eq!(pages(&world, want.len(), &query).await, want);
    let query = [("query", r#"{"rank":{"$lt":10}}"#)];
    let want = newest_first(&|n| (n * 7) % 100 < 10);
    assert_eq!(pages(&world, want.len(), &query).await, want);
    let all = [("query", r#"{"msg":{"$regex":"n"}}"#), ("count", "0")];
    let room = [("roomId", world.rooms[0].as_str())];
    let query: Vec<(&str, &str)> = room.iter().chain(&all).copied().collect();
    let body = world.app.rocket(&world.ann).get("dm.messages", &query).await.ok();
    assert_eq!(ids(&body, "messages"), newest_first(&|_| true));
}

#[tokio::test]
async fn pages_of_an_order_that_sql_does_not_know() {
    let world = world().await;
    let mut want: Vec<usize> = (0..ROWS).collect();
    // The greatest element counts, then the id.
    want.sort_by_key(|n| (std::cmp::Reverse(1000 - n % 3), *n));
    let want: Vec<String> = want.into_iter().map(|n| format!("message{n:04}")).collect();
    assert_eq!(pages(&world, ROWS, &[("sort", r#"{"rank":-1}"#)]).await, want);
    let narrow = [("sort", r#"{"rank":1}"#), ("query", r#"{"msg":"n4"}"#)];
    let mut few: Vec<usize> = (0..ROWS).filter(|n| n % 10 == 4).collect();
    few.sort_by_key(|n| ((n * 7) % 100, *n));
    let few: Vec<String> = few.into_iter().map(|n| format!("message{n:04}")).collect();
    assert_eq!(pages(&world, few.len(), &narrow).await, few);
}

#[tokio::test]
async fn searches_at_the_same_time_take_turns_and_all_are_answered() {
    let world = world().await;
    let query = [
        ("roomId", world.rooms[0].as_str()),
        ("query", r#"{"msg":{"$regex":"n5"}}"#),
        ("count", "1"),
    ];
    let rocket = world.app.rocket(&world.ann);
    let calls: Vec<_> = (0..20).map(|_| rocket.get("dm.messages", &query)).collect();
    let mut totals: Vec<Value> = Vec::new();
    for call in futures_util::future::join_all(calls).await {
        totals.push(call.ok()["total"].clone());
    }
    assert_eq!(totals, vec![json!(ROWS / 10); 20]);
}
