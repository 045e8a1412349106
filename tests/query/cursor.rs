//! Cursors of `dm.list`, `dm.messages` and `dm.history`: pages that neither skip nor repeat while others
//! write, with a filter that SQL knows and with one that it does not.

use super::{World, ids};
use crate::app::START;
use parlance_core::time;
use serde_json::{Value, json};

fn message(world: &World, n: i64) -> Value {
    // Some share a time, as imported ones may.
    let at = time::iso(START + n / 3);
    json!({"_id": format!("message{n:03}"), "rid": world.rooms[0], "msg": format!("n{}", n % 4),
        "u": {"_id": world.ann.id, "username": "ann"}, "ts": at, "_updatedAt": at})
}

/// All pages of a list; between two of them somebody writes.
async fn pages(
    world: &World,
    name: &str,
    more: &[(&str, &str)],
    total: Option<i64>,
) -> Vec<String> {
    let (mut all, mut cursor) = (Vec::new(), None::<String>);
    for turn in 0.. {
        let room = [("roomId", world.rooms[0].as_str()), ("count", "7")];
        let mut query: Vec<(&str, &str)> = room.iter().chain(more).copied().collect();
        if let Some(cursor) = &cursor {
            query.push(("cursor", cursor));
        }
        let body = world.app.rocket(&world.ann).get(name, &query).await.ok();
        if let Some(total) = total {
            assert!(body["total"].as_i64() >= Some(total), "{body}");
        }
        all.extend(ids(&body, "messages"));
        cursor = body["nextCursor"].as_str().map(str::to_owned);
        if cursor.is_none() {
            return all;
        }
        world.app.clock.move_to(START + 60_000 + turn * 1000);
        world.app.rocket(&world.bob).say(&world.rooms[0], "meanwhile n1").await;
    }
    all
}

#[tokio::test]
async fn pages_neither_skip_nor_repeat_while_others_write() {
    let world = World::new().await;
    world.import((0..60).map(|n| message(&world, n))).await;
    let newest_first = |keep: &dyn Fn(i64) -> bool| -> Vec<String> {
        let mut all: Vec<i64> = (0..60).filter(|n| keep(*n)).collect();
        all.sort_by_key(|n| std::cmp::Reverse((n / 3, *n)));
        all.into_iter().map(|n| format!("message{n:03}")).collect()
    };
    let all = newest_first(&|_| true);
    let only_old = |ids: Vec<String>| -> Vec<String> {
        ids.into_iter().filter(|id| id.starts_with("message")).collect()
    };
    assert_eq!(only_old(pages(&world, "dm.messages", &[], Some(60)).await), all);
    assert_eq!(only_old(pages(&world, "dm.history", &[], None).await), all);
    let some = newest_first(&|n| n % 4 == 1);
    for query in [r#"{"msg":{"$in":["n1","x"]}}"#, r#"{"msg":{"$regex":"n1$"}}"#] {
        let found = pages(&world, "dm.messages", &[("query", query)], Some(15)).await;
        assert_eq!(only_old(found), some, "{query}");
    }
}

#[tokio::test]
async fn rooms_by_cursor_and_what_is_none() {
    let world = World::new().await;
    for name in ["dora", "emil", "fritz"] {
        world.app.user(name).await;
        world.app.rocket(&world.ann).open(name).await;
    }
    let get =
        async |query: &[(&str, &str)]| world.app.rocket(&world.ann).get("dm.list", query).await;
    let all = ids(&get(&[]).await.ok(), "ims");
    let (mut found, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let mut query = vec![("count", "2")];
        query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
        let body = get(&query).await.ok();
        assert_eq!(body["total"], 5);
        found.extend(ids(&body, "ims"));
        match body["nextCursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(found, all);
    for bad in ["x", "1", "x_y", "_"] {
        let body = get(&[("cursor", bad)]).await.expect(400);
        assert_eq!(body["errorType"], "error-invalid-cursor", "{bad}");
    }
    let body = get(&[("cursor", "1_x"), ("sort", r#"{"ts":1}"#)]).await.expect(400);
    assert_eq!(body["errorType"], "error-invalid-cursor");
}
