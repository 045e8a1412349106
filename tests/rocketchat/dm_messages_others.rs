//! `dm.messages.others` (contract section 5.8, the document of seed 003): anybody's messages, off
//! until it is switched on, for who may, and never without a row in the audit.

use super::{LACKS, coded, each, grant, plain, schema, set};
use crate::app::{START, TestApp, TestUser, app};
use parlance_core::Perm;
use parlance_core::audit::Entry;
use serde_json::{Value, json};

const SWITCH: &str = "API_Enable_Direct_Message_History_EndPoint";

async fn log(app: &TestApp, admin: &TestUser) -> Vec<Entry> {
    let caller = app.caller(admin).await;
    let admin = app.core.admin(&caller, Perm::ViewRoomAdministration).unwrap();
    app.reads(admin).await
}

#[tokio::test]
async fn permission_then_setting_then_room() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let room = app.rocket(&ann).open("ann").await;
    for name in ["dm.messages.others", "im.messages.others"] {
        plain(&app.rocket(&ann).get(name, &[]).await, 403, LACKS);
        plain(&app.rocket(&ann).get(name, &[("roomId", &room)]).await, 403, LACKS);
        // The path that was called is the path that is named.
        let route = json!({"route": format!("/api/v1/{name}")});
        for query in [&[][..], &[("roomId", room.as_str())], &[("count", "abc")]] {
            let answer = app.rocket(&boss).get(name, query).await;
            coded(&answer, "error-endpoint-disabled", "This endpoint is disabled", &route);
        }
    }
    set(&app, &boss, SWITCH, json!(true)).await;
    plain(&app.rocket(&ann).get("dm.messages.others", &[("roomId", &room)]).await, 403, LACKS);
    let missing = "The parameter \"roomId\" is required";
    for query in [&[][..], &[("roomId", "")], &[("count", "1")]] {
        let answer = app.rocket(&boss).get("dm.messages.others", query).await;
        coded(&answer, "error-roomid-param-not-provided", missing, &Value::Null);
    }
    for id in ["john", &ann.id, "000000000000000000000000", "{\"$ne\":null}"] {
        let answer = app.rocket(&boss).get("dm.messages.others", &[("roomId", id)]).await;
        let text = format!("No direct message room found by the id of: {id}");
        coded(&answer, "error-room-not-found", &text, &Value::Null);
    }
    assert!(log(&app, &boss).await.is_empty());
    app.rocket(&boss).get("dm.messages.others", &[("roomId", &room)]).await.ok();
    set(&app, &boss, SWITCH, json!(false)).await;
    let answer = app.rocket(&boss).get("dm.messages.others", &[("roomId", &room)]).await;
    let route = json!({"route": "/api/v1/dm.messages.others"});
    coded(&answer, "error-endpoint-disabled", "This endpoint is disabled", &route);
    assert_eq!(log(&app, &boss).await.len(), 1);
}

#[tokio::test]
async fn a_strangers_room_is_read_and_the_read_is_written_down() {
    let app = app().await;
    let (boss, ann, bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    let room = app.rocket(&ann).open("bob").await;
    for (n, text) in (1..).zip(["one", "two", "three"]) {
        app.clock.move_to(START + 1000 * n);
        app.rocket(&ann).say(&room, text).await;
    }
    set(&app, &boss, SWITCH, json!(true)).await;
    let query = [("roomId", room.as_str()), ("count", "2")];
    let body = app.rocket(&boss).get("dm.messages.others", &query).await.ok();
    assert_eq!(each(&body, "messages", "msg"), ["three", "two"]);
    assert_eq!(super::keys(&body), ["count", "messages", "offset", "success", "total"]);
    let counts = json!([body["offset"], body["count"], body["total"]]);
    assert_eq!(counts, json!([0, 2, 3]));
    assert_eq!(body["messages"][0]["u"], json!({"_id": ann.id, "username": "ann", "name": "ann"}));
    let rows = log(&app, &boss).await;
    let row = &rows[0];
    assert_eq!((rows.len(), row.actor.as_str(), row.name.as_str()), (1, boss.id.as_str(), "root"));
    assert_eq!(
        (row.action.as_str(), row.room.as_deref()),
        ("dm.messages.others", Some(room.as_str()))
    );
    assert_eq!((row.at, row.ip.as_str()), (START + 3000, "unknown"));
    let detail: Value = serde_json::from_str(&row.detail).unwrap();
    let want = json!({"offset": 0, "count": 2, "conditions": [], "given": 2,
        "oldest": START + 2000, "newest": START + 3000});
    assert_eq!(detail, want);
    // No member's view of the room changed.
    let access = super::view(&app, &bob, &room).await;
    assert_eq!(access.member().unread(access.room()), 3);
    plain(&app.rocket(&boss).get("dm.messages", &[("roomId", &room)]).await, 403, "unauthorized");
}

#[tokio::test]
async fn paging_sort_query_and_fields() {
    let app = app().await;
    let (boss, ann, bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    let room = app.rocket(&ann).open("bob").await;
    let other = app.rocket(&bob).open("bob").await;
    app.rocket(&bob).say(&other, "elsewhere").await;
    for (user, text) in [(&ann, "b"), (&bob, "a"), (&ann, "c")] {
        app.rocket(user).say(&room, text).await;
    }
    set(&app, &boss, SWITCH, json!(true)).await;
    let get = async |query: &[(&str, &str)]| {
        let mut params = vec![("roomId", room.as_str())];
        params.extend(query);
        app.rocket(&boss).get("im.messages.others", &params).await
    };
    let disguise = json!({"$or": [{"rid": other}, {"rid": {"$exists": true}}]}).to_string();
    for (query, want) in [
        (&[][..], &["c", "a", "b"][..]),
        (&[("sort", r#"{"msg":1}"#)], &["a", "b", "c"]),
        (&[("sort", r#"{"value":-1,"msg":-1}"#)], &["c", "b", "a"]),
        (&[("offset", "1"), ("count", "1")], &["a"]),
        (&[("query", r#"{"u.username":"ann"}"#)], &["c", "b"]),
        (&[("query", r#"{"rid":"x"}"#)], &[]),
        (&[("query", &disguise)], &["c", "a", "b"]),
        // Not parameters of this route.
        (&[("mentionIds", "x"), ("pinned", "true"), ("else", "1")], &["c", "a", "b"]),
    ] {
        assert_eq!(each(&get(query).await.ok(), "messages", "msg"), want, "{query:?}");
    }
    let body = get(&[("fields", r#"{"msg":1,"_id":0}"#), ("count", "1")]).await.ok();
    assert_eq!(body["messages"], json!([{"msg": "c"}]));
    schema(&get(&[("count", "abc")]).await, "must be number");
    let helper = json!({"helperMethod": "parseJsonQuery"});
    let answer = get(&[("sort", "{")]).await;
    coded(&answer, "error-invalid-sort", "Invalid sort parameter provided: \"{\"", &helper);
    let rows = log(&app, &boss).await;
    let filtered = rows.iter().filter(|row| row.detail.contains(r#""conditions":["u.username"]"#));
    assert_eq!(filtered.count(), 1);
    // What is searched for is not in the audit, only where.
    assert!(rows.iter().all(|row| !row.detail.contains("\"ann\"")));
}

#[tokio::test]
async fn the_permission_counts_at_once_and_stars_stay_private() {
    let app = app().await;
    let (boss, ann, bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    let eve = app.user("eve").await;
    let room = app.rocket(&ann).open("bob").await;
    let sent = app.rocket(&ann).say(&room, "hi").await;
    app.rocket(&bob).post("chat.starMessage", json!({"messageId": sent["_id"]})).await.ok();
    set(&app, &boss, SWITCH, json!(true)).await;
    let query = [("roomId", room.as_str())];
    plain(&app.rocket(&eve).get("dm.messages.others", &query).await, 403, LACKS);
    grant(&app, &boss, "view-room-administration", &["admin", "user"]).await;
    let body = app.rocket(&eve).get("dm.messages.others", &query).await.ok();
    assert!(body["messages"][0].get("starred").is_none());
    grant(&app, &boss, "view-room-administration", &["admin"]).await;
    plain(&app.rocket(&eve).get("dm.messages.others", &query).await, 403, LACKS);
    let rows = log(&app, &boss).await;
    assert_eq!((rows.len(), rows[0].name.as_str()), (1, "eve"));
}
