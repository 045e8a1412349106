//! What is carried with a message or a room: how deep, how large, and what never comes back.

use super::{import, plain, with};
use super::{import_refused, import_taken, line, message_of, messages, nested, refused, room_of};
use crate::app::{Answer, TestApp, TestUser, app};
use parlance_core::import::Fate;
use serde_json::{Value, json};

const DEEPEST: usize = 32;
/// Members carried with one message, as JSON, in bytes.
const MOST: usize = 64 * 1024;

async fn send(app: &TestApp, user: &TestUser, message: &Value) -> Answer {
    app.rocket(user).post("chat.sendMessage", json!({ "message": message })).await
}

/// Everybody who can see the room reads it with every parameter that looks into documents.
async fn all_can_read(app: &TestApp, boss: &TestUser, bob: &TestUser, room: &str, total: usize) {
    let query = r#"{"nothing":{"$exists":false}}"#;
    for (user, name, parameters) in [
        (bob, "dm.list", &[("fields", r#"{"msgs":1}"#)][..]),
        (bob, "dm.list", &[("sort", r#"{"lastMessage.attachments":1}"#)]),
        (boss, "dm.list.everyone", &[("query", query), ("fields", r#"{"lastMessage":1}"#)]),
        (boss, "dm.list.everyone", &[("query", query)]),
    ] {
        let body = app.rocket(user).get(name, parameters).await.ok();
        assert_eq!(body["total"], 1, "{name} {parameters:?}");
    }
    for parameter in [("query", query), ("fields", r#"{"attachments":1}"#)] {
        let parameters = [("roomId", room), parameter];
        let body = app.rocket(bob).get("dm.messages", &parameters).await.ok();
        assert_eq!(body["total"], total, "{parameter:?}");
    }
}

#[tokio::test]
async fn a_message_nested_too_deep_is_refused_and_spoils_nobodys_list() {
    let app = app().await;
    let (boss, ann, bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    let room = app.rocket(&ann).open("bob").await;
    let invalid = "The request body is not valid JSON.";
    // The message is a level, and so are the list of attachments and the attachment.
    for levels in [DEEPEST - 2, 100, 123] {
        let attachments = json!([{"text": "x", "x": nested(levels)}]);
        let message = json!({"rid": room, "msg": "x", "attachments": attachments});
        plain(&send(&app, &ann, &message).await, 400, invalid);
    }
    for levels in [DEEPEST - 1, 124] {
        let attachments = json!([{"text": "x", "x": nested(levels)}]);
        let body = json!({"roomId": room, "text": "x", "attachments": attachments});
        plain(&app.rocket(&ann).post("chat.postMessage", body).await, 400, invalid);
    }
    assert_eq!(messages(&app, &bob, &room).await.len(), 0);
    let attachments = json!([{"text": "x", "x": nested(DEEPEST - 2)}]);
    let body = json!({"roomId": room, "text": "x", "attachments": attachments});
    let sent = app.rocket(&ann).post("chat.postMessage", body).await.ok();
    assert_eq!(sent["message"]["attachments"], attachments);
    let attachments = json!([{"text": "x", "x": nested(DEEPEST - 3)}]);
    send(&app, &ann, &json!({"rid": room, "msg": "x", "attachments": attachments})).await.ok();
    assert_eq!(messages(&app, &bob, &room).await[0]["attachments"], attachments);
    all_can_read(&app, &boss, &bob, &room, 2).await;
}

#[tokio::test]
async fn the_other_face_refuses_the_same_depth() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let room = app.meepa(&ann).open(&bob.id).await;
    let path = format!("/dms/{room}/messages");
    for levels in [DEEPEST + 1, 126] {
        let body = json!({"content": "x", "metadata": nested(levels)});
        app.meepa(&ann).post(&path, body).await.expect(400);
    }
    assert_eq!(messages(&app, &ann, &room).await.len(), 0);
    let body = json!({"content": "x", "metadata": nested(DEEPEST)});
    app.meepa(&ann).post(&path, body).await.expect(201);
}

#[tokio::test]
async fn an_imported_document_nested_too_deep_is_refused() {
    let app = app().await;
    let (boss, ann, bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    let (room, why) = (room_of("first", &ann, &bob), "nested deeper than 32 levels");
    // A document of members is a level by itself.
    for levels in [DEEPEST, 100, 124] {
        let deep = json!({"x": nested(levels)});
        assert_eq!(import_refused(&app, "rooms", &with(&room, &deep)).await, why);
        let last = json!({"lastMessage": with(&message_of("m0", "first", &ann), &deep)});
        let told = import_refused(&app, "rooms", &with(&room, &last)).await;
        assert_eq!(told, why);
    }
    import_taken(&app, "rooms", &room).await;
    let message = message_of("m1", "first", &ann);
    for levels in [DEEPEST, 124] {
        let deep = json!({"attachments": [{"x": nested(levels - 2)}]});
        assert_eq!(import_refused(&app, "messages", &with(&message, &deep)).await, why);
    }
    let deep = json!({"attachments": [{"x": nested(DEEPEST - 3)}]});
    import_taken(&app, "messages", &with(&message, &deep)).await;
    all_can_read(&app, &boss, &bob, "first", 1).await;
}

/// The members of a message that have a column of their own are carried as they are too.
#[tokio::test]
async fn an_imported_member_with_a_column_of_its_own_is_no_deeper() {
    let app = app().await;
    let (boss, ann, bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    import_taken(&app, "rooms", &room_of("first", &ann, &bob)).await;
    let deep = nested(124);
    for (n, value) in [
        json!({"reactions": {"x": deep}}),
        json!({"mentions": [deep]}),
        json!({"replies": [deep]}),
        json!({"pinnedBy": {"x": deep}}),
        json!({"editedBy": {"x": deep}}),
    ]
    .into_iter()
    .enumerate()
    {
        let message = with(&message_of(&format!("m{n}"), "first", &ann), &value);
        // Flat, a line has one level less, so that the document may have one more.
        let mut flat = message.clone();
        flat["collection"] = "messages".into();
        for line in [line("messages", &message), flat.to_string()] {
            let fate = import(&app, &[line]).await.remove(0).fate;
            assert!(matches!(fate, Fate::Refused(_)), "{fate:?}: {value:.30}");
        }
    }
    all_can_read(&app, &boss, &bob, "first", 0).await;
}

#[tokio::test]
async fn what_is_carried_has_a_size() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let room = app.rocket(&ann).open("bob").await;
    let around = json!([{"text": ""}]).to_string().len();
    let attachments = |bytes: usize| json!([{"text": "x".repeat(bytes - around)}]);
    let code = "error-message-size-exceeded";
    for bytes in [MOST + 1, 1024 * 1024] {
        let message = json!({"rid": room, "msg": "x", "attachments": attachments(bytes)});
        refused(&send(&app, &ann, &message).await, 400, code);
        let body = json!({"roomId": room, "text": "x", "attachments": attachments(bytes)});
        refused(&app.rocket(&ann).post("chat.postMessage", body).await, 400, code);
    }
    // What is carried counts together, whatever it is.
    let half = "x".repeat(MOST / 2);
    let message = json!({"rid": room, "msg": "x", "location": {"x": half}, "content": {"x": half}});
    refused(&send(&app, &ann, &message).await, 400, code);
    assert_eq!(messages(&app, &bob, &room).await.len(), 0);
    assert_eq!(app.rocket(&bob).get("dm.list", &[]).await.ok()["ims"][0]["msgs"], 0);
    let message = json!({"rid": room, "msg": "x", "attachments": attachments(MOST)});
    send(&app, &ann, &message).await.ok();
    assert_eq!(messages(&app, &bob, &room).await[0]["attachments"], attachments(MOST));
}

#[tokio::test]
async fn what_is_never_returned_is_not_even_when_it_was_imported_or_sent() {
    let app = app().await;
    let (boss, ann, bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    let canary = "the canary";
    let secret = json!({"joinCode": canary, "members": [canary], "importIds": [canary],
        "e2e": {"key": canary}});
    let last = with(&message_of("m1", "first", &ann), &secret);
    let room = with(&room_of("first", &ann, &bob), &secret);
    import_taken(&app, "rooms", &with(&room, &json!({"lastMessage": last}))).await;
    let message = with(&message_of("m2", "first", &ann), &secret);
    import_taken(&app, "messages", &message).await;
    let account = with(&json!({"_id": "carl1", "username": "carl"}), &secret);
    import_taken(&app, "users", &account).await;

    let sent = send(&app, &ann, &with(&json!({"rid": "first", "msg": "x"}), &secret)).await;
    let body = with(&json!({"roomId": "first", "text": "x"}), &secret);
    let posted = app.rocket(&ann).post("chat.postMessage", body).await;
    let of = async |user, name, parameters: &[(&str, &str)]| {
        app.rocket(user).get(name, parameters).await
    };
    for answer in [
        sent,
        posted,
        of(&bob, "dm.list", &[]).await,
        of(&boss, "dm.list.everyone", &[]).await,
        of(&bob, "dm.messages", &[("roomId", "first")]).await,
        of(&bob, "chat.getMessage", &[("msgId", "m1")]).await,
        of(&boss, "users.info", &[("userId", "carl1")]).await,
        of(&boss, "users.list", &[]).await,
    ] {
        let text = answer.ok().to_string();
        let names = ["joinCode", "\"members\"", "importIds", "\"e2e\"", canary];
        for name in names {
            assert!(!text.contains(name), "{name}: {text}");
        }
    }
    assert_eq!(messages(&app, &bob, "first").await.len(), 4);
}
