//! Failed logins: what they are counted by, when it ends, and that nothing is learnt from it.

use super::{from, login_from, refused, set};
use crate::app::{PASSWORD, START, TestApp, app};
use parlance_core::UserId;
use parlance_core::account::Authority;
use serde_json::json;
use std::sync::Arc;
use tokio::task::JoinSet;

const HERE: &str = "203.0.113.7";
const THERE: &str = "203.0.113.8";

async fn fail(app: &TestApp, ip: &str, user: &str, times: usize) {
    for n in 0..times {
        let answer = login_from(app, ip, user, "wrong").await;
        assert_eq!(refused(&answer), "Unauthorized", "{user} {n}");
    }
}

#[tokio::test]
async fn ten_failures_on_an_account_block_it_from_that_address() {
    let app = app().await;
    let ann = app.user("ann").await;
    app.user("bob").await;
    fail(&app, HERE, "ann", 10).await;
    let before = app.core.password_work().hashes;
    let want = json!({"success": false, "status": "error", "error": "error-login-blocked-for-user",
        "message": "Login has been temporarily blocked for this user"});
    for name in ["ann", "ANN", "ann@example.com"] {
        assert_eq!(login_from(&app, HERE, name, PASSWORD).await.expect(401), want);
    }
    let body = json!({"username": "ann", "password": PASSWORD});
    let other_face = from(&app, HERE, "/api/auth/login", &body).await.expect(401);
    assert_eq!(other_face["error"], "too many failed logins, try again later");
    assert_eq!(app.core.password_work().hashes, before, "no password is looked at");
    // Others are free, and the owner elsewhere; what lives goes on.
    login_from(&app, HERE, "bob", PASSWORD).await.ok();
    login_from(&app, THERE, "ann", PASSWORD).await.ok();
    app.rocket(&ann).get("me", &[]).await.ok();
    from(&app, HERE, "/api/v1/login", &json!({"resume": ann.token})).await.ok();
    app.clock.move_to(START + 299_999);
    assert_eq!(
        refused(&login_from(&app, HERE, "ann", PASSWORD).await),
        "error-login-blocked-for-user"
    );
    app.clock.move_to(START + 300_000);
    login_from(&app, HERE, "ann", PASSWORD).await.ok();
}

#[tokio::test]
async fn failures_of_both_faces_count_together_and_a_success_clears_them() {
    let app = app().await;
    app.user("ann").await;
    let meepa = json!({"username": "ann", "password": "wrong"});
    for _ in 0..5 {
        fail(&app, HERE, "ann", 1).await;
        from(&app, HERE, "/api/auth/login", &meepa).await.expect(401);
    }
    assert_eq!(
        refused(&login_from(&app, HERE, "ann", PASSWORD).await),
        "error-login-blocked-for-user"
    );
    app.clock.move_to(START + 300_000);
    fail(&app, HERE, "ann", 9).await;
    login_from(&app, HERE, "ann", PASSWORD).await.ok();
    fail(&app, HERE, "ann", 9).await;
    login_from(&app, HERE, "ann", PASSWORD).await.ok();
}

#[tokio::test]
async fn a_name_that_nobody_has_is_blocked_alike() {
    let app = app().await;
    fail(&app, HERE, "nobody", 10).await;
    let blocked = login_from(&app, HERE, "NOBODY", "wrong").await;
    assert_eq!(refused(&blocked), "error-login-blocked-for-user");
}

#[tokio::test]
async fn fifty_failures_from_an_address_block_it_for_everybody() {
    let app = app().await;
    app.user("ann").await;
    for n in 0..50 {
        // A success of one's own opens nothing.
        fail(&app, HERE, &format!("nobody{n}"), 1).await;
        if n % 10 == 0 {
            login_from(&app, HERE, "ann", PASSWORD).await.ok();
        }
    }
    let before = app.core.password_work().hashes;
    let blocked = login_from(&app, HERE, "ann", PASSWORD).await.expect(401);
    assert_eq!(blocked["error"], "error-login-blocked-for-ip");
    assert_eq!(blocked["message"], "Login has been temporarily blocked for this address");
    let body = json!({"username": "ann", "password": PASSWORD});
    from(&app, HERE, "/api/auth/login", &body).await.expect(401);
    assert_eq!(app.core.password_work().hashes, before);
    login_from(&app, THERE, "ann", PASSWORD).await.ok();
    app.clock.move_to(START + 300_000);
    login_from(&app, HERE, "ann", PASSWORD).await.ok();
}

#[tokio::test]
async fn loopback_is_an_address_like_any_other_and_ipv6_counts_by_network() {
    let app = app().await;
    app.user("ann").await;
    fail(&app, "127.0.0.1", "ann", 10).await;
    let blocked = login_from(&app, "127.0.0.1", "ann", PASSWORD).await;
    assert_eq!(refused(&blocked), "error-login-blocked-for-user");
    for n in 0..10 {
        fail(&app, &format!("2001:db8::{n:x}"), "ann", 1).await;
    }
    let blocked = login_from(&app, "2001:db8::ffff", "ann", PASSWORD).await;
    assert_eq!(refused(&blocked), "error-login-blocked-for-user");
    login_from(&app, "2001:db8:0:1::1", "ann", PASSWORD).await.ok();
}

#[tokio::test]
async fn the_settings_say_whether_how_many_and_how_long() {
    let id = |rest: &str| format!("Block_Multiple_Failed_Logins_{rest}");
    let app = app().await;
    app.user("ann").await;
    set(
        &app,
        &[
            (&id("Attempts_Until_Block_by_User"), json!(3)),
            (&id("Time_To_Unblock_By_User_In_Minutes"), json!(1)),
            (&id("Attempts_Until_Block_By_Ip"), json!(5)),
            (&id("Time_To_Unblock_By_Ip_In_Minutes"), json!(2)),
            (&id("Ip_Whitelist"), json!("198.51.100.1, ::ffff:198.51.100.2")),
        ],
    )
    .await;
    for free in ["198.51.100.1", "198.51.100.2"] {
        fail(&app, free, "ann", 8).await;
    }
    fail(&app, HERE, "ann", 3).await;
    assert_eq!(
        refused(&login_from(&app, HERE, "ann", PASSWORD).await),
        "error-login-blocked-for-user"
    );
    set(&app, &[(&id("By_User"), json!(false))]).await;
    fail(&app, HERE, "ann", 2).await;
    assert_eq!(
        refused(&login_from(&app, HERE, "ann", PASSWORD).await),
        "error-login-blocked-for-ip"
    );
    app.clock.move_to(START + 60_000);
    assert_eq!(
        refused(&login_from(&app, HERE, "ann", PASSWORD).await),
        "error-login-blocked-for-ip"
    );
    set(&app, &[(&id("By_Ip"), json!(false))]).await;
    fail(&app, HERE, "ann", 8).await;
    set(&app, &[(&id("By_Ip"), json!(true)), (&id("By_User"), json!(true))]).await;
    set(&app, &[(&id("Enabled"), json!(false))]).await;
    fail(&app, HERE, "ann", 60).await;
    login_from(&app, HERE, "ann", PASSWORD).await.ok();
}

#[tokio::test]
async fn an_unknown_user_a_wrong_password_and_no_password_cost_the_same() {
    let app = app().await;
    let ann = app.user("ann").await;
    let new =
        parlance_core::account::NewUser { username: "ghost".to_owned(), ..Default::default() };
    app.core.create_user(Authority::Operator, new).await.unwrap();
    let cost = async |name: &str, password: &str| {
        let before = app.core.password_work().hashes;
        let error = refused(&login_from(&app, HERE, name, password).await);
        (app.core.password_work().hashes - before, error)
    };
    let want = (1, json!("Unauthorized"));
    for (name, password) in [
        ("ann", "wrong"),
        ("nobody", PASSWORD),
        ("nobody@example.com", PASSWORD),
        ("ann@example.com", "wrong"),
        ("ghost", PASSWORD),
    ] {
        assert_eq!(cost(name, password).await, want, "{name}");
    }
    let id = UserId::from(ann.id.as_str());
    app.core.set_active(Authority::Operator, &id, false).await.unwrap();
    assert_eq!(cost("ann", "wrong").await, want);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_guesses_at_once_no_more_are_looked_at_than_may_be() {
    let app = Arc::new(app().await);
    app.user("ann").await;
    let before = app.core.password_work().hashes;
    let mut guesses = JoinSet::new();
    for n in 0..200 {
        let app = app.clone();
        guesses.spawn(async move {
            refused(&login_from(&app, HERE, "ann", &format!("guess{n}")).await)
        });
    }
    let said = crate::store::soon("the guesses", guesses.join_all()).await;
    let looked = said.iter().filter(|error| *error == "Unauthorized").count();
    // Two are looked at at the same time, so the last may have company.
    assert!((10..=11).contains(&looked), "{looked}");
    assert_eq!(app.core.password_work().hashes - before, looked as u64);
    assert!(said.iter().all(|e| e == "Unauthorized" || e == "error-login-blocked-for-user"));
}
