//! Looking after rooms: reports, clearing, the administrator's list, receipts, discussions (contract
//! sections 9.1 and 9.2).

use super::{LACKS, coded, each, grant, plain, set};
use crate::app::{START, TestApp, TestUser, app};
use serde_json::{Value, json};

async fn talk() -> (TestApp, TestUser, TestUser, TestUser, String) {
    let app = app().await;
    let boss = app.admin("root").await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let room = app.rocket(&ann).open("bob").await;
    (app, boss, ann, bob, room)
}

#[tokio::test]
async fn a_report_needs_a_message_that_one_may_read() {
    let (app, _, ann, bob, room) = talk().await;
    let eve = app.user("eve").await;
    let sent = app.rocket(&ann).say(&room, "rude").await;
    let body = json!({"messageId": sent["_id"], "description": "it is rude"});
    let done = app.rocket(&bob).post("chat.reportMessage", body.clone()).await.ok();
    assert_eq!(done, json!({"success": true}));
    let foreign = app.rocket(&eve).post("chat.reportMessage", body).await;
    plain(&foreign, 400, "error-invalid-message_id");
    let body = json!({"messageId": "nothing", "description": "x"});
    plain(
        &app.rocket(&bob).post("chat.reportMessage", body).await,
        400,
        "error-invalid-message_id",
    );
    let body = json!({"messageId": sent["_id"], "description": " "});
    let empty = app.rocket(&bob).post("chat.reportMessage", body).await;
    coded(&empty, "error-invalid-description", "Invalid description", &Value::Null);
    let missing = app.rocket(&bob).post("chat.reportMessage", json!({"messageId": "x"})).await;
    super::schema(&missing, "must have required property 'description'");
}

#[tokio::test]
async fn a_history_is_cleared_within_its_bounds() {
    let (app, boss, ann, bob, room) = talk().await;
    for (n, user) in [&ann, &bob, &ann, &bob, &ann].into_iter().enumerate() {
        app.clock.move_to(START + 1000 * i64::try_from(n).expect("small") + 1000);
        app.rocket(user).say(&room, &n.to_string()).await;
    }
    let iso = |n: i64| parlance_core::time::iso(START + n * 1000);
    let clean = async |user: &TestUser, more: Value| {
        let mut body = json!({"roomId": room, "oldest": iso(1), "latest": iso(5)});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        app.rocket(user).post("rooms.cleanHistory", body).await
    };
    plain(&clean(&ann, json!({})).await, 403, LACKS);
    let answer = clean(&boss, json!({})).await;
    let text = "User does not have access to the room";
    coded(&answer, "error-not-allowed", text, &Value::Null);
    grant(&app, &boss, "clean-channel-history", &["user"]).await;
    for name in ["latest", "oldest"] {
        let answer = clean(&ann, json!({name: null})).await;
        plain(&answer, 400, &format!("Body parameter \"{name}\" is required."));
    }
    let texts = async || {
        let list = app.rocket(&bob).get("dm.messages", &[("roomId", &room)]).await.ok();
        let rooms = app.rocket(&bob).get("dm.list", &[]).await.ok();
        assert_eq!((&list["total"], &rooms["ims"][0]["msgs"]), (&list["count"], &list["total"]));
        each(&list, "messages", "msg")
    };
    let done = clean(&ann, json!({"users": ["bob"], "limit": 1})).await.ok();
    assert_eq!(done, json!({"_id": room, "count": 1, "success": true}));
    assert_eq!(texts().await, ["4", "2", "1", "0"]);
    assert_eq!(clean(&ann, json!({})).await.ok()["count"], 2);
    assert_eq!(texts().await, ["4", "0"]);
    assert_eq!(clean(&ann, json!({"inclusive": true})).await.ok()["count"], 2);
    assert!(texts().await.is_empty());
    let sync = [("roomId", room.as_str()), ("lastUpdate", "2000-01-01")];
    let gone = app.rocket(&bob).get("chat.syncMessages", &sync).await.ok();
    assert_eq!(gone["result"]["deleted"].as_array().unwrap().len(), 5);
}

#[tokio::test]
async fn what_stays_of_deleted_messages_is_cleared_too_and_counted_once() {
    let (app, boss, ann, bob, room) = talk().await;
    grant(&app, &boss, "clean-channel-history", &["user"]).await;
    app.clock.move_to(START + 1000);
    let root = app.rocket(&ann).say(&room, "a root").await;
    let reply = json!({"message": {"rid": room, "msg": "a reply", "tmid": root["_id"]}});
    app.rocket(&bob).post("chat.sendMessage", reply).await.ok();
    // A stub stays, because a reply hangs on it.
    let body = json!({"roomId": room, "msgId": root["_id"]});
    app.rocket(&ann).post("chat.delete", body).await.ok();
    let list = app.rocket(&bob).get("dm.messages", &[("roomId", &room)]).await.ok();
    assert_eq!((&list["total"], &list["messages"][1]["t"]), (&json!(2), &json!("rm")));
    let iso = parlance_core::time::iso;
    let body = json!({"roomId": room, "oldest": iso(START), "latest": iso(START + 60_000)});
    let done = app.rocket(&ann).post("rooms.cleanHistory", body).await.ok();
    assert_eq!(done["count"], 2);
    let list = app.rocket(&bob).get("dm.messages", &[("roomId", &room)]).await.ok();
    let rooms = app.rocket(&bob).get("dm.list", &[]).await.ok();
    assert_eq!((&list["total"], &rooms["ims"][0]["msgs"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn administrators_list_all_rooms() {
    let (app, boss, ann, _, room) = talk().await;
    plain(&app.rocket(&ann).get("rooms.adminRooms", &[]).await, 400, "error-not-authorized");
    let all = app.rocket(&boss).get("rooms.adminRooms", &[]).await.ok();
    assert_eq!((each(&all, "rooms", "_id"), &all["total"]), (vec![room.clone()], &json!(1)));
    let some = app.rocket(&boss).get("rooms.adminRooms", &[("filter", "bob")]).await.ok();
    assert_eq!(each(&some, "rooms", "_id"), [room]);
    let none = app.rocket(&boss).get("rooms.adminRooms", &[("filter", "eve")]).await.ok();
    assert_eq!(none["total"], 0);
}

#[tokio::test]
async fn receipts_tell_who_has_looked_since() {
    let (app, boss, ann, bob, room) = talk().await;
    let sent = app.rocket(&ann).say(&room, "read me").await;
    let query = [("messageId", sent["_id"].as_str().unwrap())];
    let off = app.rocket(&ann).get("chat.getMessageReadReceipts", &query).await;
    coded(&off, "error-action-not-allowed", "This is an enterprise feature", &Value::Null);
    set(&app, &boss, "Message_Read_Receipt_Enabled", json!(true)).await;
    let users = async || {
        let body = app.rocket(&ann).get("chat.getMessageReadReceipts", &query).await.ok();
        let all = body["receipts"].as_array().unwrap().clone();
        all.iter()
            .map(|one| one["user"]["username"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(users().await, ["ann"]);
    app.clock.move_to(START + 5000);
    app.rocket(&bob).post("subscriptions.read", json!({"rid": room})).await.ok();
    assert_eq!(users().await, ["ann", "bob"]);
    let missing = app.rocket(&ann).get("chat.getMessageReadReceipts", &[]).await;
    plain(&missing, 400, "The required 'messageId' param is missing.");
    let eve = app.user("eve").await;
    let foreign = app.rocket(&eve).get("chat.getMessageReadReceipts", &query).await;
    coded(&foreign, "error-invalid-message", "Invalid message", &Value::Null);
}

#[tokio::test]
async fn a_direct_room_has_no_discussions() {
    let (app, _, ann, _, room) = talk().await;
    let eve = app.user("eve").await;
    for (name, list) in
        [("chat.getDiscussions", "messages"), ("rooms.getDiscussions", "discussions")]
    {
        let body = app.rocket(&ann).get(name, &[("roomId", &room)]).await.ok();
        assert_eq!((&body[list], &body["total"]), (&json!([]), &json!(0)));
        plain(&app.rocket(&eve).get(name, &[("roomId", &room)]).await, 400, "error-not-allowed");
    }
}
