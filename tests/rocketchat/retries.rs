//! `Idempotency-Key` (ruling B9): the same write again gives the first answer, also after a restart and
//! from many connections at once; another write under the same key is refused.

use crate::app::{Answer, START, TestApp, TestUser, fresh_database, on_postgres};
use axum::http::Method;
use serde_json::{Value, json};

async fn post(app: &TestApp, user: &TestUser, name: &str, key: &str, body: &Value) -> Answer {
    let headers = [
        ("X-Auth-Token", user.token.as_str()),
        ("X-User-Id", user.id.as_str()),
        ("Idempotency-Key", key),
    ];
    app.call(Method::POST, &format!("/api/v1/{name}"), &headers, Some(body)).await
}

async fn talk() -> (TestApp, TestUser, TestUser, String) {
    let app = crate::app::app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let room = app.rocket(&ann).open("bob").await;
    (app, ann, bob, room)
}

async fn total(app: &TestApp, user: &TestUser, room: &str) -> Value {
    app.rocket(user).get("dm.messages", &[("roomId", room)]).await.ok()["total"].clone()
}

#[tokio::test]
async fn the_first_answer_is_given_again() {
    let (app, ann, bob, room) = talk().await;
    let body = json!({"roomId": room, "text": "once"});
    let first = post(&app, &ann, "chat.postMessage", "k1", &body).await.ok();
    app.clock.move_to(START + 60_000);
    assert_eq!(post(&app, &ann, "chat.postMessage", "k1", &body).await.ok(), first);
    // A key is its user's and its route's, under either name of the route.
    post(&app, &bob, "chat.postMessage", "k1", &body).await.ok();
    let open = json!({"roomId": room});
    post(&app, &ann, "dm.close", "k1", &open).await.ok();
    post(&app, &ann, "im.close", "k1", &open).await.ok();
    assert_eq!(total(&app, &ann, &room).await, 2);
    // A reaction that turns round does so once.
    let react = json!({"messageId": first["message"]["_id"], "emoji": "smile"});
    for _ in 0..3 {
        post(&app, &ann, "chat.react", "k2", &react).await.ok();
    }
    let id = first["message"]["_id"].as_str().unwrap();
    let message = app.rocket(&ann).get("chat.getMessage", &[("msgId", id)]).await.ok();
    assert!(message["message"]["reactions"][":smile:"].is_object());
    let other = json!({"roomId": room, "text": "another"});
    let refused = post(&app, &ann, "chat.postMessage", "k1", &other).await.expect(409);
    assert_eq!(refused["errorType"], "error-key-reused");
    // After a day the key is free again.
    app.clock.move_to(START + 86_500_000);
    post(&app, &ann, "chat.postMessage", "k1", &other).await.ok();
    assert_eq!(total(&app, &ann, &room).await, 3);
}

#[tokio::test]
async fn what_was_refused_is_asked_again() {
    let (app, ann, _, room) = talk().await;
    let long = json!({"message": {"rid": room, "msg": "x".repeat(5001)}});
    for _ in 0..2 {
        let answer = post(&app, &ann, "chat.sendMessage", "k", &long).await.expect(400);
        assert_eq!(answer["errorType"], "error-message-size-exceeded");
    }
    // Nothing was changed, so the key is not used yet.
    let body = json!({"message": {"rid": room, "msg": "short"}});
    post(&app, &ann, "chat.sendMessage", "k", &body).await.ok();
    assert_eq!(total(&app, &ann, &room).await, 1);
    for bad in ["", " ", &"x".repeat(256)] {
        let answer = post(&app, &ann, "chat.sendMessage", bad, &body).await.expect(400);
        assert_eq!(answer["errorType"], "error-invalid-idempotency-key");
    }
    // A reading call does not care.
    let query = [
        ("X-Auth-Token", ann.token.as_str()),
        ("X-User-Id", ann.id.as_str()),
        ("Idempotency-Key", "k"),
    ];
    assert_eq!(app.call(Method::GET, "/api/v1/me", &query, None).await.status, 200);
}

#[tokio::test]
async fn of_many_at_once_one_is_made() {
    let (app, ann, _, room) = talk().await;
    for (name, body) in [
        ("chat.postMessage", json!({"roomId": room, "text": "at once"})),
        ("chat.sendMessage", json!({"message": {"rid": room, "msg": "at once"}})),
    ] {
        let calls = (0..64).map(|_| post(&app, &ann, name, "together", &body));
        let answers = futures_util::future::join_all(calls).await;
        let first = answers[0].ok();
        assert!(answers.iter().all(|answer| answer.ok() == first));
    }
    assert_eq!(total(&app, &ann, &room).await, 2);
}

#[tokio::test]
async fn a_restart_forgets_nothing() {
    let database = fresh_database().await;
    let app = TestApp::start(database.clone()).await;
    let (ann, _) = (app.user("ann").await, app.user("bob").await);
    let room = app.rocket(&ann).open("bob").await;
    let body = json!({"roomId": room, "text": "before"});
    let first = post(&app, &ann, "chat.postMessage", "k", &body).await.ok();
    if !on_postgres() {
        app.core.clone().close().await;
    }
    let again = TestApp::start(database).await;
    assert_eq!(post(&again, &ann, "chat.postMessage", "k", &body).await.ok(), first);
    assert_eq!(total(&again, &ann, &room).await, 1);
}
