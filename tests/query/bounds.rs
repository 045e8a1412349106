//! What one request may ask for: every limit has its setting, acts at once, and answers with the
//! contract's error; so does time.

use super::World;
use super::columns::refused;
use crate::app::{Answer, START};
use crate::rocketchat::set;
use parlance_core::time;
use serde_json::{Value, json};

async fn messages(world: &World, name: &str, text: &str) -> Answer {
    let query = [("roomId", world.rooms[0].as_str()), (name, text)];
    world.app.rocket(&world.ann).get("dm.messages", &query).await
}

#[tokio::test]
async fn each_limit_has_a_setting() {
    let world = World::new().await;
    let long = format!(r#"{{"msg":"{}"}}"#, "x".repeat(99));
    let regex = format!(r#"{{"msg":{{"$regex":"{}"}}}}"#, "x".repeat(40));
    let wide = r#"{"msg":{"$regex":"\\p{L}{4}"}}"#;
    for (setting, value, name, over, within) in [
        ("Bytes", 100, "query", long.as_str(), r#"{"msg":"x"}"#),
        ("Depth", 3, "query", r#"{"$or":[{"msg":{"$gt":"x"}}]}"#, r#"{"msg":{"$gt":"x"}}"#),
        ("Conditions", 4, "query", r#"{"a":1,"b":1,"c":1,"d":1,"e":1}"#, r#"{"a":1,"b":1}"#),
        ("Values", 3, "query", r#"{"msg":{"$in":[1,2,3,4]}}"#, r#"{"msg":{"$in":[1,2,3]}}"#),
        (
            "Regexes",
            1,
            "query",
            r#"{"msg":{"$regex":"a"},"t":{"$regex":"b"}}"#,
            r#"{"msg":{"$regex":"a"}}"#,
        ),
        ("Regex_Bytes", 20, "query", &regex, r#"{"msg":{"$regex":"x"}}"#),
        ("Regex_Size", 5_000, "query", wide, r#"{"msg":{"$regex":"x"}}"#),
        ("Sort_Keys", 1, "sort", r#"{"ts":1,"msg":1}"#, r#"{"ts":1}"#),
        ("Fields", 1, "fields", r#"{"ts":1,"msg":1}"#, r#"{"ts":1}"#),
    ] {
        messages(&world, name, over).await.ok();
        let id = format!("Parlance_Query_Max_{setting}");
        let settings = world.app.rocket(&world.boss).get(&format!("settings/{id}"), &[]).await.ok();
        set(&world.app, &world.boss, &id, value.into()).await;

        let body = messages(&world, name, over).await.expect(400);
        assert_eq!(body["errorType"], format!("error-invalid-{name}"), "{id}");
        let text = format!("Invalid {name} parameter provided: \"{over}\" [error-invalid-{name}]");
        assert_eq!(body["error"], text, "{id}");
        messages(&world, name, within).await.ok();
        set(&world.app, &world.boss, &id, settings["value"].clone()).await;
        messages(&world, name, over).await.ok();
    }
}

#[tokio::test]
async fn a_question_that_takes_too_long_is_given_up_and_named() {
    let world = World::new().await;
    let md: Value = (0..40).map(|n| json!({"type": "PLAIN_TEXT", "value": n})).collect();
    let message = |n: i64| {
        json!({"_id": format!("message{n:04}"), "rid": world.rooms[0], "msg": "x".repeat(500),
            "u": {"_id": world.ann.id, "username": "ann"}, "ts": time::iso(START + n),
            "_updatedAt": time::iso(START + n), "md": md})
    };
    world.import((0..2000).map(message)).await;
    let query = r#"{"md.value":{"$regex":"x{100}y"}}"#;
    assert_eq!(messages(&world, "query", query).await.ok()["total"], 0);
    set(&world.app, &world.boss, "Parlance_Query_Max_Milliseconds", 1.into()).await;
    refused(&messages(&world, "query", query).await, "md.value");
    // Nobody else notices: what needs no search is answered.
    assert_eq!(messages(&world, "offset", "0").await.ok()["total"], 2000);
}

#[tokio::test]
async fn conditions_on_child_tables_are_answered_however_many() {
    let world = World::new().await;
    let names = |n: usize| (0..n).map(|i| format!("user{i}")).collect::<Vec<_>>();
    let message = json!({"_id": "message0", "rid": world.rooms[0], "msg": "x",
        "mentions": names(150).iter().map(|id| json!({"_id": id})).collect::<Vec<_>>(),
        "u": {"_id": world.ann.id, "username": "ann"}, "ts": time::iso(START),
        "_updatedAt": time::iso(START)});
    world.import([message]).await;
    for (query, total) in [
        (json!({"mentions._id": {"$all": names(90)}}), 1),
        (json!({"mentions._id": {"$all": names(151)[62..].to_vec()}}), 0),
        (json!({"mentions._id": names(400)}), 0),
        (
            json!({"$or": (0..90).map(|i| json!({"mentions._id": format!("user{i}x")})).collect::<Vec<_>>()}),
            0,
        ),
        (
            json!({"$nor": (0..90).map(|i| json!({"mentions._id": format!("user{i}x")})).collect::<Vec<_>>()}),
            1,
        ),
    ] {
        let body = messages(&world, "query", &query.to_string()).await.ok();
        assert_eq!(body["total"], total, "{query}");
    }
    // The items of an array are values as those of a list are.
    let many = json!({"mentions._id": names(501)}).to_string();
    let body = messages(&world, "query", &many).await.expect(400);
    assert_eq!(body["errorType"], "error-invalid-query");
}

#[tokio::test]
async fn the_largest_filter_that_the_settings_can_allow_is_answered() {
    let world = World::new().await;
    for (setting, value) in
        [("Bytes", 1_000_000), ("Conditions", 100_000), ("Values", 100_000), ("Depth", 1000)]
    {
        let id = format!("Parlance_Query_Max_{setting}");
        set(&world.app, &world.boss, &id, value.into()).await;
    }
    let parts: Vec<Value> = (0..890).map(|n| json!({"u.name": {"$ne": n.to_string()}})).collect();
    let text = |n: usize| (0..n).map(|i| i.to_string()).collect::<Vec<_>>();
    for query in [
        json!({"$and": parts[..440]}),
        json!({"$or": parts[..440]}),
        json!({"msg": {"$in": text(3000)}}),
        json!({"msg": {"$nin": text(3000)}}),
    ] {
        let params = [("roomId", world.rooms[0].as_str()), ("query", &query.to_string())];
        assert_eq!(world.app.rocket(&world.ann).get("dm.messages", &params).await.ok()["total"], 0);
    }
}
