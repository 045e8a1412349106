//! Many logins at once: the work of passwords is bounded, and whoever does not log in does not wait.

use super::{app_with, login_from};
use crate::app::PASSWORD;
use parlance_core::login::Hashing;
use serde_json::json;
use std::sync::Arc;
use tokio::task::JoinSet;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_logins_starve_nobody() {
    let hashing = Hashing { memory: 8 * 1024, passes: 2, parallel: 2 };
    let app = Arc::new(app_with(|options| options.hashing = hashing).await);
    let ann = app.user("ann").await;
    let mut logins = JoinSet::new();
    for n in 0..200 {
        let app = app.clone();
        let ip = format!("203.0.113.{}", n % 250);
        logins.spawn(async move { login_from(&app, &ip, "ann", PASSWORD).await.status.as_u16() });
    }
    // While they wait, others are answered.
    let mut answered = 0;
    while logins.len() > 1 {
        app.rocket(&ann).get("info", &[]).await.ok();
        answered += 1;
        if logins.try_join_next().is_none() {
            tokio::task::yield_now().await;
        }
    }
    assert!(answered > 100, "{answered}");
    crate::store::soon("the logins", logins.join_all()).await;
    let work = app.core.password_work();
    assert!(work.at_once <= 2, "{work:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_logins_than_may_wait_hear_so() {
    let hashing = Hashing { memory: 8 * 1024, passes: 1, parallel: 1 };
    let app = Arc::new(app_with(|options| options.hashing = hashing).await);
    app.user("ann").await;
    let mut logins = JoinSet::new();
    for n in 0..900 {
        let app = app.clone();
        let ip = format!("203.0.113.{}", n % 250);
        logins.spawn(async move { login_from(&app, &ip, "ann", PASSWORD).await });
    }
    let all = crate::store::soon("the logins", logins.join_all()).await;
    let of = |status: u16| all.iter().filter(|one| one.status.as_u16() == status).count();
    assert_eq!(of(200) + of(503), 900);
    let busy = all.iter().find(|one| one.status.as_u16() == 503);
    if let Some(busy) = busy {
        assert_eq!(busy.json()["errorType"], json!("error-unavailable"));
    }
    assert!(of(200) >= 512, "{}", of(200));
}
