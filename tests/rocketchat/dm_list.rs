//! `dm.list` (contract section 5.5): whose rooms, in which order, which piece, which fields.

use super::{coded, each, keys, schema, set};
use crate::app::{START, TestApp, TestUser, app};
use serde_json::{Value, json};

/// Three rooms of ann's, a second apart; the newest is with bob, and cat's is the first.
async fn rooms(app: &TestApp, ann: &TestUser) -> [String; 3] {
    let mut ids = Vec::new();
    for (n, name) in (1..).zip(["cat", "dan", "bob"]) {
        app.user(name).await;
        app.clock.move_to(START + 1000 * n);
        ids.push(app.rocket(ann).open(name).await);
    }
    ids.try_into().unwrap()
}

async fn list(app: &TestApp, user: &TestUser, query: &[(&str, &str)]) -> Value {
    app.rocket(user).get("dm.list", query).await.ok()
}

#[tokio::test]
async fn rooms_come_by_creation_closed_ones_too() {
    let app = app().await;
    let (ann, eve) = (app.user("ann").await, app.user("eve").await);
    let ids = rooms(&app, &ann).await;
    app.rocket(&ann).say(&ids[0], "activity does not move it").await;
    app.rocket(&ann).post("dm.close", json!({"roomId": ids[1]})).await.ok();
    for name in ["dm.list", "im.list"] {
        let body = app.rocket(&ann).get(name, &[]).await.ok();
        assert_eq!(each(&body, "ims", "_id"), ids);
        assert_eq!(keys(&body), ["count", "ims", "offset", "success", "total"]);
        assert_eq!(
            (&body["offset"], &body["count"], &body["total"]),
            (&json!(0), &json!(3), &json!(3))
        );
    }
    let none = json!({"ims": [], "offset": 0, "count": 0, "total": 0, "success": true});
    assert_eq!(list(&app, &eve, &[]).await, none);
}

#[tokio::test]
async fn paging() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let ids = rooms(&app, &ann).await;
    for (query, want, offset) in [
        (&[("count", "2")][..], &ids[..2], 0),
        (&[("count", "2"), ("offset", "2")], &ids[2..], 2),
        (&[("offset", "1")], &ids[1..], 1),
        (&[("count", "0")], &ids[..], 0),
        // An empty one is none.
        (&[("count", ""), ("offset", ""), ("sort", ""), ("fields", "")], &ids[..], 0),
        (&[("count", "1000000000000")], &ids[..], 0),
        (&[("offset", "1000000000000")], &[], 1_000_000_000_000_i64),
    ] {
        let body = list(&app, &ann, query).await;
        assert_eq!(each(&body, "ims", "_id"), want, "{query:?}");
        assert_eq!(body["count"], want.len());
        assert_eq!((&body["offset"], &body["total"]), (&json!(offset), &json!(3)));
    }
    for (name, value, text) in [
        ("count", "-1", "must be >= 0"),
        ("offset", "-1", "must be >= 0"),
        ("count", "abc", "must be number"),
        ("offset", "NaN", "must be number"),
        ("count", "Infinity", "must be number"),
        ("count", "{\"$gt\":0}", "must be number"),
    ] {
        schema(&app.rocket(&ann).get("dm.list", &[(name, value)]).await, text);
    }
    set(&app, &boss, "API_Upper_Count_Limit", json!(2)).await;
    for count in ["3", "100", "1000000000000"] {
        let body = list(&app, &ann, &[("count", count)]).await;
        assert_eq!(each(&body, "ims", "_id"), &ids[..2]);
        assert_eq!((&body["count"], &body["total"]), (&json!(2), &json!(3)));
    }
    assert_eq!(list(&app, &ann, &[("count", "0")]).await["count"], 3);
    set(&app, &boss, "API_Default_Count", json!(1)).await;
    assert_eq!(list(&app, &ann, &[]).await["count"], 1);
    set(&app, &boss, "API_Allow_Infinite_Count", json!(false)).await;
    assert_eq!(list(&app, &ann, &[("count", "0")]).await["count"], 1);
}

#[tokio::test]
async fn sorting_by_any_field() {
    let app = app().await;
    let ann = app.user("ann").await;
    let ids = rooms(&app, &ann).await;
    for (n, (id, text)) in (5..).zip(ids.iter().zip(["m", "z", "a"])) {
        app.clock.move_to(START + 1000 * n);
        app.rocket(&ann).say(id, text).await;
    }
    app.clock.move_to(START + 9000);
    app.rocket(&ann).say(&ids[1], "zz").await;
    let mut by_id = ids.clone();
    by_id.sort_unstable();
    let [cat, dan, bob] = ids;
    let reversed = [by_id[2].clone(), by_id[1].clone(), by_id[0].clone()];
    for (sort, want) in [
        (r#"{"value":-1,"_id":1}"#, by_id.clone()),
        (r#"{"_id":-1}"#, reversed),
        (r#"{"ts":-1}"#, [bob.clone(), dan.clone(), cat.clone()]),
        (r#"{"lm":1}"#, [cat.clone(), bob.clone(), dan.clone()]),
        (r#"{"msgs":-1,"ts":1}"#, [dan.clone(), cat.clone(), bob.clone()]),
        (r#"{"lastMessage.msg":1}"#, [bob.clone(), cat.clone(), dan.clone()]),
        (r#"{"lastMessage.msg":-1}"#, [dan.clone(), cat.clone(), bob.clone()]),
        (r#"{"usernames":-1}"#, [dan.clone(), cat.clone(), bob.clone()]),
        (r#"{"name":1}"#, by_id.clone()),
        ("{}", [cat.clone(), dan.clone(), bob.clone()]),
    ] {
        let body = list(&app, &ann, &[("sort", sort)]).await;
        assert_eq!(each(&body, "ims", "_id"), want, "{sort}");
        let second = list(&app, &ann, &[("sort", sort), ("offset", "1"), ("count", "1")]).await;
        assert_eq!(each(&second, "ims", "_id"), &want[1..2], "{sort}");
    }
}

#[tokio::test]
async fn a_sort_or_fields_that_are_none() {
    let app = app().await;
    let ann = app.user("ann").await;
    let helper = json!({"helperMethod": "parseJsonQuery"});
    for raw in [
        "x",
        "[]",
        "1",
        r#"{"ts":2}"#,
        r#"{"ts":"1"}"#,
        r#"{"ts":{"$ne":1}}"#,
        r#"{"ts":0}"#,
        r#"{"joinCode":1}"#,
        r#"{"members.x":1}"#,
        r#"{"services.password":-1}"#,
        r#"{"e2e":1}"#,
    ] {
        let answer = app.rocket(&ann).get("dm.list", &[("sort", raw)]).await;
        let text = format!("Invalid sort parameter provided: \"{raw}\"");
        coded(&answer, "error-invalid-sort", &text, &helper);
    }
    for raw in ["x", "[]", r#"{"ts":2}"#, r#"{"ts":{"$slice":1}}"#] {
        let answer = app.rocket(&ann).get("dm.list", &[("fields", raw)]).await;
        let text = format!("Invalid fields parameter provided: \"{raw}\"");
        coded(&answer, "error-invalid-fields", &text, &helper);
    }
    let twice = [("sort", "{}"), ("sort", "{}")];
    schema(&app.rocket(&ann).get("dm.list", &twice).await, "must be string");
}

#[tokio::test]
async fn fields_choose_and_query_does_nothing() {
    let app = app().await;
    let ann = app.user("ann").await;
    let ids = rooms(&app, &ann).await;
    app.rocket(&ann).say(&ids[0], "hi").await;
    let body = list(&app, &ann, &[("fields", r#"{"usernames":1}"#), ("count", "1")]).await;
    assert_eq!(body["ims"], json!([{"_id": ids[0], "usernames": ["ann", "cat"]}]));
    let body = list(&app, &ann, &[("fields", r#"{"lastMessage":0,"uids":0}"#)]).await;
    assert!(body["ims"][0].get("lastMessage").is_none() && body["ims"][0].get("uids").is_none());
    assert_eq!(body["ims"][0]["msgs"], 1);
    let body =
        list(&app, &ann, &[("fields", r#"{"lastMessage.msg":1,"_id":0}"#), ("count", "1")]).await;
    assert_eq!(body["ims"], json!([{"lastMessage": {"msg": "hi"}}]));
    for query in [r#"{"msgs":1}"#, r#"{"t":"c"}"#, "not json", r#"{"$where":"1"}"#] {
        assert_eq!(list(&app, &ann, &[("query", query)]).await["total"], 3, "{query}");
    }
}

#[tokio::test]
async fn the_last_message_shows_only_ones_own_star() {
    let app = app().await;
    let ann = app.user("ann").await;
    let ids = rooms(&app, &ann).await;
    let bob = app.core.user_named("bob").await.unwrap();
    let bob = app.log_in(&bob).await;
    let sent = app.rocket(&ann).say(&ids[2], "hi").await;
    app.rocket(&bob).post("chat.starMessage", json!({"messageId": sent["_id"]})).await.ok();
    let body = list(&app, &ann, &[("offset", "2")]).await;
    let last = &body["ims"][0]["lastMessage"];
    assert_eq!((&last["_id"], &last["msg"]), (&sent["_id"], &json!("hi")));
    assert!(last.get("starred").is_none_or(|stars| *stars == json!([])));
    let own = list(&app, &bob, &[]).await;
    assert_eq!(own["ims"][0]["lastMessage"]["starred"], json!([{"_id": bob.id}]));
    assert_eq!(own["ims"][0]["lm"], sent["ts"]);
}
