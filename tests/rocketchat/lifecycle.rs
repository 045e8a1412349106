//! Accounts that are switched off and on, as their partners see it, and those that nobody used
//! (contract sections 6.3 and 8.4).

use super::rename::{group, sub};
use super::{LACKS, coded, grant, logged_out, plain, schema};
use crate::app::{PASSWORD, TestApp, TestUser, app};
use axum::http::Method;
use parlance_core::event::Kind;
use serde_json::{Value, json};

const LAST: &str = "Leaving the app without an active admin is not allowed";

async fn switch(app: &TestApp, boss: &TestUser, user: &TestUser, on: bool) -> Value {
    let body = json!({"userId": user.id, "activeStatus": on, "confirmRelinquish": false});
    app.rocket(boss).post("users.setActiveStatus", body).await.ok()
}

async fn room(app: &TestApp, user: &TestUser, id: &str) -> Value {
    app.rocket(user).get("rooms.info", &[("roomId", id)]).await.ok()["room"].clone()
}

async fn send(app: &TestApp, user: &TestUser, room: &str) -> u16 {
    let body = json!({"message": {"rid": room, "msg": "x"}});
    app.rocket(user).post("chat.sendMessage", body).await.status.as_u16()
}

async fn logs_in(app: &TestApp, user: &TestUser) -> u16 {
    let body = json!({"user": user.username, "password": PASSWORD});
    app.call(Method::POST, "/api/v1/login", &[], Some(&body)).await.status.as_u16()
}

#[tokio::test]
async fn switching_off_silences_what_is_between_two() {
    let app = app().await;
    let boss = app.admin("root").await;
    let (ann, bob, zoe) = (app.user("ann").await, app.user("bob").await, app.user("zoe").await);
    let pair = app.rocket(&ann).open("bob").await;
    let all = group(&app, &bob, "ann,zoe").await;
    assert!(room(&app, &bob, &pair).await.get("reactWhenReadOnly").is_none());
    assert!(sub(&app, &bob, &pair).await.get("archived").is_none());
    let before = sub(&app, &bob, &pair).await["_updatedAt"].as_str().unwrap().to_owned();

    let answer = switch(&app, &boss, &ann, false).await;
    assert_eq!(answer, json!({"user": {"_id": ann.id, "active": false}, "success": true}));
    logged_out(&app.rocket(&ann).get("me", &[]).await);
    assert_eq!(logs_in(&app, &ann).await, 401);
    let seen = room(&app, &bob, &pair).await;
    assert_eq!((&seen["ro"], &seen["reactWhenReadOnly"]), (&json!(true), &json!(false)));
    assert_eq!(sub(&app, &bob, &pair).await["archived"], true);
    assert_eq!((send(&app, &bob, &pair).await, send(&app, &bob, &all).await), (400, 200));
    let group = room(&app, &bob, &all).await;
    assert!(group["ro"] == false && group.get("reactWhenReadOnly").is_none());
    assert!(sub(&app, &zoe, &all).await.get("archived").is_none());
    let since = [("updatedSince", before.as_str())];
    let changed = app.rocket(&bob).get("subscriptions.get", &since).await.ok();
    assert!(changed["update"].to_string().contains(&pair));
    assert_eq!(
        app.rocket(&bob).get("users.info", &[("username", "ann")]).await.ok()["user"]["active"],
        false
    );

    switch(&app, &boss, &ann, true).await;
    let seen = room(&app, &bob, &pair).await;
    assert_eq!((&seen["ro"], &seen["reactWhenReadOnly"]), (&json!(false), &json!(false)));
    assert_eq!(sub(&app, &bob, &pair).await["archived"], false);
    assert_eq!((send(&app, &bob, &pair).await, logs_in(&app, &ann).await), (200, 200));
    // The old session stays dead.
    logged_out(&app.rocket(&ann).get("me", &[]).await);
}

#[tokio::test]
async fn a_room_is_writable_again_when_both_are_there() {
    let app = app().await;
    let boss = app.admin("root").await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let pair = app.rocket(&ann).open("bob").await;
    for (user, on) in [(&ann, false), (&bob, false), (&ann, true)] {
        switch(&app, &boss, user, on).await;
    }
    let ann = app.log_in(&app.core.user_named("ann").await.unwrap()).await;
    assert_eq!(room(&app, &ann, &pair).await["ro"], true);
    assert_eq!(
        (sub(&app, &ann, &pair).await["archived"].clone(), send(&app, &ann, &pair).await),
        (json!(true), 400)
    );
    let mut ears = app.core.listen(1000);
    switch(&app, &boss, &bob, true).await;
    assert_eq!(room(&app, &ann, &pair).await["ro"], false);
    assert_eq!(send(&app, &ann, &pair).await, 200);
    // Whoever listens hears of the room and of the account.
    let mut heard = Vec::new();
    while !heard.contains(&Kind::MessageNew) {
        heard.push(crate::store::soon("events", ears.next()).await.unwrap().kind);
    }
    assert!(heard.contains(&Kind::RoomChanged) && heard.contains(&Kind::User), "{heard:?}");
}

#[tokio::test]
async fn who_may_switch_and_what() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let post = async |user: &TestUser, body: Value| {
        app.rocket(user).post("users.setActiveStatus", body).await
    };
    let good = json!({"userId": ann.id, "activeStatus": false});
    plain(&post(&ann, good.clone()).await, 403, LACKS);
    for (body, text) in [
        (json!({}), "must have required property 'userId'"),
        (json!({"userId": ann.id}), "must have required property 'activeStatus'"),
        (json!({"userId": ann.id, "activeStatus": "maybe"}), "must be boolean"),
        (json!({"userId": {"$ne": null}, "activeStatus": false}), "must be string"),
        (
            json!({"userId": ann.id, "activeStatus": false, "x": 1}),
            "must NOT have additional properties",
        ),
        (
            json!({"userId": ann.id, "activeStatus": false, "confirmRelinquish": "x"}),
            "must be boolean",
        ),
    ] {
        schema(&post(&boss, body).await, text);
    }
    let unknown = post(&boss, json!({"userId": "none", "activeStatus": false})).await;
    assert_eq!(unknown.expect(400)["errorType"], "error-invalid-user");
    let details = json!({"method": "removeUserFromRole", "action": "Remove_last_admin"});
    let last = post(&boss, json!({"userId": boss.id, "activeStatus": false})).await;
    coded(&last, "error-action-not-allowed", LAST, &details);
    // Either of two permissions does.
    grant(&app, &boss, "manage-moderation-actions", &["user"]).await;
    let bob = app.user("bob").await;
    post(&ann, json!({"userId": bob.id, "activeStatus": false})).await.ok();
    grant(&app, &boss, "manage-moderation-actions", &[]).await;
    grant(&app, &boss, "edit-other-user-active-status", &["user"]).await;
    post(&ann, json!({"userId": bob.id, "activeStatus": true})).await.ok();
    // With another administrator there, one may go.
    let other = app.admin("other").await;
    switch(&app, &other, &boss, false).await;
    assert!(!app.core.user_named("root").await.unwrap().active);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_administrators_who_switch_each_other_off_one_stays() {
    for round in 0..8 {
        let app = app().await;
        let (one, two) = (app.admin("one").await, app.admin("two").await);
        let body = |user: &TestUser| json!({"userId": user.id, "activeStatus": false});
        let remove = json!({"userId": one.id});
        let (rocket_one, rocket_two) = (app.rocket(&one), app.rocket(&two));
        let first = rocket_one.post("users.setActiveStatus", body(&two));
        let second = async {
            if round % 2 == 0 {
                rocket_two.post("users.setActiveStatus", body(&one)).await
            } else {
                rocket_two.post("users.delete", remove).await
            }
        };
        let (first, second) = tokio::join!(first, second);
        let done = [&first, &second].iter().filter(|answer| answer.status == 200).count();
        assert_eq!(done, 1, "{first:?} {second:?}");
        let alive = [&one, &two].map(|user| user.username.clone());
        let mut active = 0;
        for name in alive {
            active += usize::from(app.core.user_named(&name).await.is_ok_and(|user| user.active));
        }
        assert_eq!(active, 1);
    }
}

#[tokio::test]
async fn accounts_that_nobody_used_are_switched_off() {
    const DAY: i64 = 86_400_000;
    let app = app().await;
    app.admin("root").await;
    let ann = app.user("ann").await;
    app.user("bob").await;
    let pair = app.rocket(&ann).open("bob").await;
    for n in 0..120 {
        app.user(&format!("old{n}")).await;
    }
    app.clock.move_to(app.clock.now() + 40 * DAY);
    let boss = app.log_in(&app.core.user_named("root").await.unwrap()).await;
    let bob = app.log_in(&app.core.user_named("bob").await.unwrap()).await;
    let post = async |user: &TestUser, body: Value| {
        app.rocket(user).post("users.deactivateIdle", body).await
    };
    plain(&post(&bob, json!({"daysIdle": 30})).await, 403, LACKS);
    schema(&post(&boss, json!({})).await, "must have required property 'daysIdle'");
    for days in [json!(0), json!("0"), json!(1.5), json!(null)] {
        schema(&post(&boss, json!({"daysIdle": days})).await, "must be >= 1");
    }
    schema(&post(&boss, json!({"daysIdle": "x"})).await, "must be number");
    schema(&post(&boss, json!({"daysIdle": -1})).await, "must be >= 0");
    let count = async |body: Value| post(&boss, body).await.ok()["count"].clone();
    assert_eq!(count(json!({"daysIdle": 60})).await, 0);
    assert_eq!(count(json!({"daysIdle": 30, "role": "bot"})).await, 0);
    assert_eq!(count(json!({"daysIdle": 30})).await, 121);
    assert_eq!(count(json!({"daysIdle": 30, "role": "user"})).await, 0);
    // With all that follows.
    assert_eq!(sub(&app, &bob, &pair).await["archived"], true);
    assert!(!app.core.user_named("ann").await.unwrap().active && logs_in(&app, &ann).await == 401);
    // The last administrator stays, however long ago.
    app.clock.move_to(app.clock.now() + 60 * DAY);
    let boss = app.log_in(&app.core.user_named("root").await.unwrap()).await;
    app.clock.move_to(app.clock.now() + 35 * DAY);
    let idle = json!({"daysIdle": 30, "role": "admin"});
    assert_eq!(app.rocket(&boss).post("users.deactivateIdle", idle).await.ok()["count"], 0);
    app.rocket(&boss).get("me", &[]).await.ok();
}
