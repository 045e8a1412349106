//! Rate limits of this contract (section 3.3): windows per account and path, per address without one,
//! the settings that move them, the headers that tell of them, and whom the permission spares.

use super::set;
use crate::app::{Answer, START, TestApp, TestUser, app};
use axum::http::Method;
use serde_json::{Value, json};

/// A server that limits, with windows of three calls in ten seconds.
async fn limiting() -> (TestApp, TestUser, TestUser) {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    set(&app, &boss, "API_Enable_Rate_Limiter_Limit_Calls_Default", json!(3)).await;
    set(&app, &boss, "API_Enable_Rate_Limiter_Limit_Time_Default", json!(10_000)).await;
    set(&app, &boss, "API_Enable_Rate_Limiter", json!(true)).await;
    (app, boss, ann)
}

/// Limit, calls left and the next window's begin, as an answer's headers tell.
fn told(answer: &Answer) -> Option<[i64; 3]> {
    let number = |name: &str| answer.headers.get(name)?.to_str().ok()?.parse().ok();
    Some([
        number("x-ratelimit-limit")?,
        number("x-ratelimit-remaining")?,
        number("x-ratelimit-reset")?,
    ])
}

#[track_caller]
fn too_many(answer: &Answer, seconds: i64) {
    let text = format!(
        "Error, too many requests. Please slow down. You must wait {seconds} seconds before trying \
         this endpoint again. [error-too-many-requests]"
    );
    assert_eq!(answer.expect(429), json!({"success": false, "error": text}));
    assert_eq!(answer.headers["retry-after"], seconds.to_string());
}

#[tokio::test]
async fn a_window_of_calls_per_account_and_path() {
    let (app, _boss, ann) = limiting().await;
    let bob = app.user("bob").await;
    let call = |user: &TestUser, name: &'static str| {
        let user = user.clone();
        let app = &app;
        async move { app.rocket(&user).get(name, &[]).await }
    };
    for (n, at) in [(2, 0), (1, 10), (0, 9000)] {
        app.clock.move_to(START + at);
        let answer = call(&ann, "dm.list").await;
        answer.ok();
        assert_eq!(told(&answer), Some([3, n, START + 10_000]));
    }
    app.clock.move_to(START + 9001);
    let refused = call(&ann, "dm.list").await;
    too_many(&refused, 1);
    assert_eq!(told(&refused), Some([3, 0, START + 10_000]));
    // Other people, other calls, and the other name of this one have windows of their own.
    call(&bob, "dm.list").await.ok();
    call(&ann, "im.list").await.ok();
    call(&ann, "rooms.get").await.ok();
    // What is refused by its parameters or by rights counts, too.
    for n in [2, 1, 0] {
        let answer = call(&bob, "dm.messages").await;
        answer.expect(400);
        assert_eq!(told(&answer).unwrap()[1], n);
    }
    too_many(&call(&bob, "dm.messages").await, 10);
    app.clock.move_to(START + 10_000);
    let answer = call(&ann, "dm.list").await;
    answer.ok();
    assert_eq!(told(&answer), Some([3, 2, START + 20_000]));
}

#[tokio::test]
async fn whom_the_permission_spares_and_what_the_switch_does() {
    let (app, boss, ann) = limiting().await;
    for _ in 0..10 {
        let answer = app.rocket(&boss).get("dm.list", &[]).await;
        answer.ok();
        assert_eq!(told(&answer), None);
    }
    let bypass = json!([{"_id": "api-bypass-rate-limit", "roles": ["user"]}]);
    app.rocket(&boss).post("permissions.update", json!({"permissions": bypass})).await.ok();
    for _ in 0..10 {
        app.rocket(&ann).get("dm.list", &[]).await.ok();
    }
    let nobody = json!([{"_id": "api-bypass-rate-limit", "roles": []}]);
    app.rocket(&boss).post("permissions.update", json!({"permissions": nobody})).await.ok();
    for _ in 0..3 {
        app.rocket(&ann).get("dm.list", &[]).await.ok();
    }
    too_many(&app.rocket(&ann).get("dm.list", &[]).await, 10);
    set(&app, &boss, "API_Enable_Rate_Limiter", json!(false)).await;
    let answer = app.rocket(&ann).get("dm.list", &[]).await;
    answer.ok();
    assert_eq!(told(&answer), None);
}

#[tokio::test]
async fn calls_without_an_account_count_by_address() {
    let (app, _boss, _ann) = limiting().await;
    let open = |name: &'static str, body: Option<Value>, headers: &'static [(&str, &str)]| {
        let app = &app;
        async move {
            let method = if body.is_some() { Method::POST } else { Method::GET };
            app.call(method, &format!("/api/v1/{name}"), headers, body.as_ref()).await
        }
    };
    for _ in 0..3 {
        open("settings.public", None, &[]).await.ok();
    }
    // A token that is nobody's is no account.
    let dead = &[("x-auth-token", "nobodys"), ("x-user-id", "nobody")];
    too_many(&open("settings.public", None, dead).await, 10);
    for _ in 0..3 {
        open("dm.list", None, dead).await.expect(401);
    }
    too_many(&open("dm.list", None, dead).await, 10);
    // Registering has a limit of its own.
    let new = |name: &str| {
        let email = format!("{name}@example.com");
        Some(json!({"username": name, "name": name, "email": email, "pass": "p a s s"}))
    };
    open("users.register", new("first"), &[]).await.ok();
    too_many(&open("users.register", new("second"), &[]).await, 10);
    app.clock.move_to(START + 10_000);
    open("users.register", new("second"), &[]).await.ok();
}

#[tokio::test]
async fn nobody_meets_the_defaults_in_a_days_work_and_a_loop_does() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    set(&app, &boss, "API_Enable_Rate_Limiter", json!(true)).await;
    for _ in 0..1200 {
        app.rocket(&ann).get("users.getStatus", &[]).await.ok();
    }
    too_many(&app.rocket(&ann).get("users.getStatus", &[]).await, 60);
}

/// Two methods have windows of their own for who may not send many messages.
#[tokio::test]
async fn who_may_not_send_many_messages_sends_few_by_method() {
    let (app, boss, ann) = limiting().await;
    let room = app.rocket(&ann).open("root").await;
    set(&app, &boss, "API_Enable_Rate_Limiter_Limit_Calls_Default", json!(1000)).await;
    let ask = async |user: &TestUser, name: &str, params: Value| {
        super::methods::ask(&app, user, name, params).await
    };
    let message = || json!([{"rid": room, "msg": "x"}]);
    for _ in 0..5 {
        ask(&ann, "sendMessage", message()).await.ok();
    }
    app.clock.move_to(START + 400);
    let refused = ask(&ann, "sendMessage", message()).await;
    let error = &super::methods::inner(&refused, 400)["error"];
    assert_eq!(error["error"], "too-many-requests");
    assert_eq!(error["details"], json!({"timeToReset": 600}));
    // The route is another, and so is another method; the window ends.
    app.rocket(&ann).say(&room, "by the route").await;
    for _ in 0..10 {
        ask(&ann, "createDirectMessage", json!(["root"])).await.ok();
    }
    ask(&ann, "createDirectMessage", json!(["root"])).await.expect(400);
    app.clock.move_to(START + 1000);
    ask(&ann, "sendMessage", message()).await.ok();
    for _ in 0..12 {
        ask(&boss, "sendMessage", message()).await.ok();
        ask(&boss, "createDirectMessage", json!(["ann"])).await.ok();
    }
    set(&app, &boss, "API_Enable_Rate_Limiter", json!(false)).await;
    for _ in 0..6 {
        ask(&ann, "sendMessage", message()).await.ok();
    }
}
