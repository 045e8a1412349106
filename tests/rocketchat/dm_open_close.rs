//! `dm.open` and `dm.close` (contract sections 5.3 and 5.4, ruling B4): one's own view of a room.

use super::{coded, plain, schema, view};
use crate::app::{TestApp, TestUser, app};
use serde_json::{Value, json};

async fn is_open(app: &TestApp, user: &TestUser, room: &str) -> bool {
    let access = view(app, user, room).await;
    access.member().is_open(access.room())
}

async fn close(app: &TestApp, user: &TestUser, room: &str) -> crate::app::Answer {
    app.rocket(user).post("dm.close", json!({"roomId": room})).await
}

const CLOSED: &str = "The direct message room, is already closed to the sender";

#[tokio::test]
async fn a_room_is_closed_until_it_is_opened_or_written_to() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let id = app.rocket(&ann).open("bob").await;
    assert_eq!(close(&app, &ann, &id).await.ok(), json!({"success": true}));
    assert!(!is_open(&app, &ann, &id).await);
    plain(&close(&app, &ann, &id).await, 400, CLOSED);
    let opened = app.rocket(&ann).post("dm.open", json!({"roomId": id})).await.ok();
    assert_eq!(opened, json!({"success": true}));
    assert!(is_open(&app, &ann, &id).await);
    app.rocket(&ann).post("im.open", json!({"roomId": id})).await.ok();
    assert_eq!(
        app.rocket(&ann).post("im.close", json!({"roomId": id})).await.ok()["success"],
        true
    );
    app.rocket(&bob).say(&id, "are you there?").await;
    assert!(is_open(&app, &ann, &id).await);
    close(&app, &ann, &id).await.ok();
    // One's own message opens the room too.
    app.rocket(&ann).say(&id, "yes").await;
    assert!(is_open(&app, &ann, &id).await && is_open(&app, &bob, &id).await);
}

#[tokio::test]
async fn the_partner_of_a_fresh_room_has_it_closed() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let id = app.rocket(&ann).open("bob").await;
    plain(&close(&app, &bob, &id).await, 400, CLOSED);
    app.rocket(&bob).post("dm.open", json!({"roomId": id})).await.ok();
    close(&app, &bob, &id).await.ok();
    assert!(is_open(&app, &ann, &id).await);
}

#[tokio::test]
async fn closing_keeps_what_was_unread_and_ignores_other_keys() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let id = app.rocket(&ann).open("bob").await;
    app.rocket(&ann).say(&id, "one").await;
    let body = json!({"roomId": id, "userId": ann.id});
    app.rocket(&bob).post("dm.close", body).await.ok();
    assert!(!is_open(&app, &bob, &id).await && is_open(&app, &ann, &id).await);
    let access = view(&app, &bob, &id).await;
    assert_eq!(access.member().unread(access.room()), 1);
}

#[tokio::test]
async fn the_room_must_be_named() {
    let app = app().await;
    let ann = app.user("ann").await;
    for name in ["dm.open", "dm.close", "im.open", "im.close"] {
        for body in
            [json!({}), json!({"roomId": ""}), json!({"roomId": "  "}), json!({"roomId": null})]
        {
            let answer = app.rocket(&ann).post(name, body).await;
            let text = "Body param \"roomId\" is required";
            coded(&answer, "error-room-param-not-provided", text, &Value::Null);
        }
        for value in [json!({"$ne": null}), json!(["x"]), json!(1), json!(true)] {
            schema(&app.rocket(&ann).post(name, json!({"roomId": value})).await, "must be string");
        }
    }
}

#[tokio::test]
async fn foreign_and_unknown_rooms() {
    let app = app().await;
    let (ann, bob, eve) = (app.user("ann").await, app.user("bob").await, app.admin("eve").await);
    let cat = app.user("cat").await;
    let pair = app.rocket(&ann).open("bob").await;
    let group = json!({"usernames": "bob,rocket.cat"});
    let group = app.rocket(&ann).post("dm.create", group).await.ok()["room"]["_id"].clone();
    let group = group.as_str().unwrap();
    let mut ids = [ann.id.as_str(), cat.id.as_str()];
    ids.sort_unstable();
    let missing_pair = ids.concat();
    let unknown = "0".repeat(24);
    // An administrator is a stranger here as well.
    for id in [pair.as_str(), group, &missing_pair, &unknown, "ann", &bob.id] {
        let answer = app.rocket(&eve).post("dm.open", json!({"roomId": id})).await;
        plain(&answer, 403, "unauthorized");
    }
    for id in [pair.as_str(), group, &missing_pair] {
        plain(&close(&app, &eve, id).await, 403, "unauthorized");
    }
    for id in [unknown.as_str(), "bob", &bob.id] {
        plain(&close(&app, &eve, id).await, 400, "The user is not subscribed to the room");
    }
    assert_eq!(app.rocket(&eve).get("dm.list", &[]).await.ok()["total"], 0);
}
