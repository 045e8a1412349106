//! What `chat.sendMessage` and `chat.postMessage` refuse (contract section 7.3), with the exact text,
//! and that nothing of it is stored.

use super::{coded, plain, set};
use crate::app::{Answer, TestApp, TestUser, app};
use parlance_core::{Perm, RoomId};
use serde_json::{Value, json};

pub(super) async fn send(app: &TestApp, user: &TestUser, message: &Value) -> Answer {
    app.rocket(user).post("chat.sendMessage", json!({ "message": message })).await
}

pub(super) async fn nothing_stored(app: &TestApp, user: &TestUser, room: &str) {
    let body = app.rocket(user).get("dm.messages", &[("roomId", room)]).await.ok();
    assert_eq!((&body["total"], &body["messages"]), (&json!(0), &json!([])));
    assert_eq!(super::view(app, user, room).await.room().msgs, 0);
}

pub(super) fn with(base: &Value, key: &str, value: Value) -> Value {
    let mut message = base.clone();
    message[key] = value;
    message
}

#[tokio::test]
async fn a_message_must_be_an_object() {
    let app = app().await;
    let ann = app.user("ann").await;
    let missing = "The \"message\" parameter must be provided.";
    for body in [json!({}), json!({"message": null}), json!({"rid": "x", "msg": "y"})] {
        let answer = app.rocket(&ann).post("chat.sendMessage", body).await;
        coded(&answer, "error-invalid-params", missing, &Value::Null);
    }
    for value in [json!("x"), json!([]), json!(1), json!(true)] {
        let answer = app.rocket(&ann).post("chat.sendMessage", json!({"message": value})).await;
        plain(&answer, 400, "Match error: Expected object in field message");
    }
    plain(
        &send(&app, &ann, &json!({"msg": "x"})).await,
        400,
        "The 'rid' property on the message object is missing.",
    );
    plain(
        &send(&app, &ann, &json!({"msg": "x", "rid": ""})).await,
        400,
        "The 'rid' property on the message object is missing.",
    );
}

#[tokio::test]
async fn types_are_checked_and_an_operator_is_no_text() {
    let app = app().await;
    let ann = app.user("ann").await;
    let room = app.rocket(&ann).open("rocket.cat").await;
    let base = json!({"rid": room, "msg": "x"});
    let bad = [json!({"$ne": null}), json!({"$regex": "^a"}), json!(["x"]), json!(1), json!(true)];
    for name in ["_id", "rid", "msg", "t", "tmid", "emoji", "alias", "avatar"] {
        for value in &bad {
            let answer = send(&app, &ann, &with(&base, name, value.clone())).await;
            plain(&answer, 400, &format!("Match error: Expected string in field {name}"));
        }
    }
    for value in [json!({"$ne": null}), json!("true"), json!(1)] {
        let answer = send(&app, &ann, &with(&base, "tshow", value)).await;
        plain(&answer, 400, "Match error: Expected boolean in field tshow");
    }
    for value in [json!({"$ne": null}), json!("yesterday"), json!([1]), json!(true)] {
        let answer = send(&app, &ann, &with(&base, "ts", value)).await;
        plain(&answer, 400, "Match error: Expected date in field ts");
    }
    for id in ["a b", "x\ny", &"x".repeat(129)] {
        let answer = send(&app, &ann, &with(&base, "_id", json!(id))).await;
        plain(&answer, 400, "Match error: Expected a usable id in field _id");
    }
    for value in [json!({"$ne": null}), json!("x"), json!(1)] {
        let answer = send(&app, &ann, &with(&base, "attachments", value)).await;
        plain(&answer, 400, "Match error: Expected array in field attachments");
    }
    for name in ["groupable", "bot", "content", "e2eMentions", "location"] {
        let answer = send(&app, &ann, &with(&base, name, json!(["x"]))).await;
        plain(&answer, 400, &format!("Match error: Unexpected value in field {name}"));
    }
    nothing_stored(&app, &ann, &room).await;
}

#[tokio::test]
async fn system_messages_and_threads() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let room = app.rocket(&ann).open("rocket.cat").await;
    let base = json!({"rid": room, "msg": "x"});
    for kind in ["rm", "message_pinned", "room_changed_topic", "uj", "videoconf", "user-muted"] {
        let answer = send(&app, &ann, &with(&base, "t", json!(kind))).await;
        plain(&answer, 400, "Cannot send system messages using 'chat.sendMessage'");
    }
    let method = json!({"method": "sendMessage"});
    let answer = send(&app, &ann, &with(&base, "tshow", json!(true))).await;
    coded(&answer, "invalid-params", "tshow provided but missing tmid", &method);
    let answer = send(&app, &ann, &with(&base, "tmid", json!("nothing"))).await;
    coded(&answer, "error-invalid-message", "Invalid Message", &Value::Null);
    // A message of a room that is not this one is no thread here, and says no more than a missing one.
    let bob = app.user("bob").await;
    let foreign = app.rocket(&bob).open("bob").await;
    let foreign = app.rocket(&bob).say(&foreign, "secret").await;
    let answer = send(&app, &ann, &with(&base, "tmid", foreign["_id"].clone())).await;
    coded(&answer, "error-invalid-message", "Invalid Message", &Value::Null);
    set(&app, &boss, "Threads_enabled", json!(false)).await;
    let answer = send(&app, &ann, &with(&base, "tmid", json!("nothing"))).await;
    coded(&answer, "error-not-allowed", "not-allowed", &method);
    nothing_stored(&app, &ann, &room).await;
}

#[tokio::test]
async fn a_foreign_room_and_none_are_the_same() {
    let app = app().await;
    let (ann, bob, eve) = (app.user("ann").await, app.user("bob").await, app.admin("eve").await);
    let room = app.rocket(&ann).open("bob").await;
    let mut ids = [ann.id.as_str(), eve.id.as_str()];
    ids.sort_unstable();
    for rid in [room.as_str(), &ids.concat(), "nothing", "bob", &bob.id, &"0".repeat(24)] {
        plain(&send(&app, &eve, &json!({"rid": rid, "msg": "x"})).await, 400, "error-not-allowed");
    }
    nothing_stored(&app, &ann, &room).await;
    assert_eq!(app.rocket(&eve).get("dm.list", &[]).await.ok()["total"], 0);
}

#[tokio::test]
async fn blocked_and_read_only_rooms() {
    let app = app().await;
    let (boss, ann, bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    let room = app.rocket(&ann).open("bob").await;
    let own = app.rocket(&boss).open("bob").await;
    let message = json!({"rid": room, "msg": "x"});
    let caller = app.caller(&bob).await;
    let access = app.core.access(&caller, &room).await.unwrap();
    app.core.set_block(&caller, &access, true).await.unwrap();
    for user in [&ann, &bob] {
        plain(&send(&app, user, &message).await, 400, "room_is_blocked");
        let body = json!({"roomId": room, "text": "x"});
        plain(&app.rocket(user).post("chat.postMessage", body).await, 400, "room_is_blocked");
    }
    app.core.set_block(&caller, &access, false).await.unwrap();
    let caller = app.caller(&boss).await;
    let admin = app.core.admin(&caller, Perm::EditRoom).unwrap();
    for id in [&room, &own] {
        app.core.set_read_only(admin, &RoomId::from(id.as_str()), true).await.unwrap();
    }
    let text = "You can't send messages because the room is readonly.";
    plain(&send(&app, &ann, &message).await, 400, text);
    plain(&send(&app, &bob, &json!({"rid": own, "msg": "x"})).await, 400, text);
    nothing_stored(&app, &ann, &room).await;
    // Who may post nevertheless, may.
    send(&app, &boss, &json!({"rid": own, "msg": "x"})).await.ok();
}
