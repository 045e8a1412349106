//! Rate limits of this contract (its section 3): a bucket per account, per address without one, and a
//! narrower one for logins and registrations.

use crate::app::{Answer, PASSWORD, START, TestApp, TestUser, app};
use crate::rocketchat::set;
use axum::http::Method;
use serde_json::{Value, json};

async fn limiting() -> (TestApp, TestUser) {
    let app = app().await;
    let boss = app.admin("root").await;
    set(&app, &boss, "MeepaChat_Rate_Limit_Burst", json!(4)).await;
    set(&app, &boss, "MeepaChat_Rate_Limit_Per_Minute", json!(60)).await;
    set(&app, &boss, "API_Enable_Rate_Limiter", json!(true)).await;
    (app, boss)
}

#[track_caller]
fn too_many(answer: &Answer) {
    assert_eq!(answer.expect(429), json!({"error": "rate limit exceeded"}));
    assert_eq!(answer.headers["retry-after"], "1");
    assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("x-ratelimit")));
}

async fn post(app: &TestApp, path: &str, body: Value) -> Answer {
    app.call(Method::POST, path, &[], Some(&body)).await
}

#[tokio::test]
async fn a_bucket_per_account() {
    let (app, boss) = limiting().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    for _ in 0..4 {
        app.meepa(&ann).get("/dms", &[]).await.ok();
    }
    too_many(&app.meepa(&ann).get("/dms", &[]).await);
    // Whatever it calls; others are not concerned, from the same address or not.
    too_many(&app.meepa(&ann).get("/auth/me", &[]).await);
    app.meepa(&bob).get("/dms", &[]).await.ok();
    app.call(Method::GET, "/api/auth/config", &[], None).await.ok();
    app.clock.move_to(START + 999);
    too_many(&app.meepa(&ann).get("/dms", &[]).await);
    app.clock.move_to(START + 1000);
    app.meepa(&ann).get("/dms", &[]).await.ok();
    too_many(&app.meepa(&ann).get("/dms", &[]).await);
    set(&app, &boss, "API_Enable_Rate_Limiter", json!(false)).await;
    app.meepa(&ann).get("/dms", &[]).await.ok();
}

#[tokio::test]
async fn without_an_account_by_address() {
    let (app, _boss) = limiting().await;
    let dead = [("authorization", "Bearer nobodys")];
    for _ in 0..4 {
        app.call(Method::GET, "/api/dms", &dead, None).await.expect(401);
    }
    too_many(&app.call(Method::GET, "/api/auth/config", &[], None).await);
}

#[tokio::test]
async fn logins_count_by_address_and_account() {
    let app = app().await;
    let boss = app.admin("root").await;
    app.user("ann").await;
    app.user("bob").await;
    set(&app, &boss, "API_Enable_Rate_Limiter", json!(true)).await;
    let wrong = |name: &str| json!({"identifier": name, "password": "wrong"});
    // Five at once; known or not makes no difference.
    for name in ["ann", "nobody"] {
        for _ in 0..5 {
            post(&app, "/api/auth/login", wrong(name)).await.expect(401);
        }
        too_many(&post(&app, "/api/auth/login", wrong(name)).await);
    }
    // In any spelling of the name, and with the right password, too.
    too_many(&post(&app, "/api/auth/login", wrong("ANN")).await);
    let right = json!({"identifier": "ann", "password": PASSWORD});
    too_many(&post(&app, "/api/auth/login", right.clone()).await);
    let bob = json!({"identifier": "bob", "password": PASSWORD});
    post(&app, "/api/auth/login", bob).await.ok();
    // Ten a minute come back.
    app.clock.move_to(START + 6000);
    post(&app, "/api/auth/login", right).await.ok();
    let new = json!({"username": "cat", "email": "cat@example.com", "password": "p"});
    for _ in 0..5 {
        let answer = post(&app, "/api/auth/register", new.clone()).await;
        assert_ne!(answer.status.as_u16(), 429);
    }
    too_many(&post(&app, "/api/auth/register", new).await);
}
