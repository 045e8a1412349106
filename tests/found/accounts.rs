//! Accounts: what the operator's update leaves as it is, and what others see of a status.

use super::{plain, refused};
use crate::app::{TestApp, TestUser, app};
use axum::http::Method;
use parlance_core::account::{Authority, NewUser};
use parlance_core::{Error, User, UserId};
use serde_json::json;

async fn stored(app: &TestApp, id: &str) -> User {
    app.core.user(&UserId::from(id)).await.unwrap()
}

fn update(id: Option<&str>, username: &str, name: &str) -> NewUser {
    NewUser {
        id: id.map(str::to_owned),
        username: username.to_owned(),
        name: name.to_owned(),
        ..NewUser::default()
    }
}

#[tokio::test]
async fn an_update_by_the_operator_leaves_what_it_does_not_name() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    for user in [&ann, &bob] {
        let body = json!({"status": "busy", "message": "at lunch"});
        app.rocket(user).post("users.setStatus", body).await.ok();
    }
    let id = UserId::from(ann.id.as_str());
    app.core.set_active(Authority::Operator, &id, false).await.unwrap();
    for (user, active, by_id) in [(&ann, false, true), (&ann, false, false), (&bob, true, true)] {
        let before = stored(&app, &user.id).await;
        let id = by_id.then_some(user.id.as_str());
        let new = update(id, &user.username, "Somebody Else");
        let answered = app.core.upsert_user(new).await.unwrap();
        let after = stored(&app, &user.id).await;
        assert_eq!(answered, after);
        assert_eq!(after.active, active);
        assert_eq!((after.status.as_str(), after.status_default.as_str()), ("busy", "busy"));
        assert_eq!(after.status_text, "at lunch");
        let name = Some("Somebody Else".to_owned());
        let updated = after.updated;
        assert!(updated > before.updated);
        assert_eq!(after, User { name, updated, ..before });
    }
    // The one that is off stays off, and the other's session goes on.
    app.rocket(&ann).get("me", &[]).await.expect(401);
    assert_eq!(app.rocket(&bob).get("me", &[]).await.ok()["statusText"], "at lunch");
}

#[tokio::test]
async fn an_update_takes_nobodys_username() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let named = app.user_with(NewUser { id: Some("zoe1".to_owned()), ..update(None, "zoe", "") });
    let zoe = named.await;
    let before = [stored(&app, &ann.id).await, stored(&app, &bob.id).await];
    for name in ["bob", "BOB", zoe.id.as_str()] {
        let taken = app.core.upsert_user(update(Some(&ann.id), name, "x")).await;
        assert!(matches!(taken, Err(Error::UsernameTaken(_))), "{name}: {taken:?}");
    }
    assert_eq!([stored(&app, &ann.id).await, stored(&app, &bob.id).await], before);
    app.core.upsert_user(update(Some(&ann.id), "anna", "")).await.unwrap();
    assert_eq!(stored(&app, &ann.id).await.username.as_deref(), Some("anna"));
    assert!(matches!(app.core.user_named("ann").await, Err(Error::NoUser)));
}

/// What it leaves is what the account is when it is written, not what it was when it was read.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_update_does_not_undo_a_deactivation_of_the_same_moment() {
    let app = app().await;
    for round in 0..200 {
        let ann = app.user(&format!("ann{round}")).await;
        let (core, new) = (app.core.clone(), update(Some(&ann.id), &ann.username, "x"));
        let updated = tokio::spawn(async move { core.upsert_user(new).await.map(drop) });
        let id = UserId::from(ann.id.as_str());
        app.core.set_active(Authority::Operator, &id, false).await.unwrap();
        updated.await.unwrap().unwrap();
        assert!(!stored(&app, &ann.id).await.active, "round {round}");
    }
}

/// Ruling A9, as for a new account: a username is never a room's id.
#[tokio::test]
async fn an_update_takes_no_rooms_id_for_a_username() {
    let app = app().await;
    let with_id = async |id: &str| {
        let new = update(None, &format!("called.{id}"), "");
        app.user_with(NewUser { id: Some(id.to_owned()), ..new }).await
    };
    let (ab, c, d) = (with_id("ab").await, with_id("c").await, with_id("d").await);
    assert_eq!(app.rocket(&ab).open(&c.username).await, "abc");
    for new in [update(None, "abc", "x"), update(Some(&d.id), "abc", "x")] {
        let taken = app.core.upsert_user(new).await;
        assert!(matches!(taken, Err(Error::UsernameTaken(_))), "{taken:?}");
    }
}

#[tokio::test]
async fn the_status_text_of_a_new_account_is_shown() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let body = json!({"username": "carl", "name": "Carl", "email": "carl@example.com",
        "password": "secret", "statusText": "new here"});
    let made = app.rocket(&boss).post("users.create", body).await.ok();
    assert_eq!(made["user"]["statusText"], "new here");
    let query = [("username", "carl")];
    let status = app.rocket(&ann).get("users.getStatus", &query).await.ok();
    assert_eq!(status["message"], "new here");
    let info = app.rocket(&ann).get("users.info", &query).await.ok();
    assert_eq!(info["user"]["statusText"], "new here");
    let long = json!({"username": "dora", "name": "Dora", "email": "dora@example.com",
        "password": "secret", "statusText": "é".repeat(500)});
    let made = app.rocket(&boss).post("users.create", long).await.ok();
    assert_eq!(made["user"]["statusText"], "é".repeat(120));
}

#[tokio::test]
async fn a_status_is_seen_at_once_on_the_other_face() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    // That face has no `busy`.
    for (status, there, text) in
        [("busy", "away", "in a meeting"), ("online", "online", ""), ("away", "away", "at lunch")]
    {
        let body = json!({"status": status, "message": text});
        app.rocket(&ann).post("users.setStatus", body).await.ok();
        for path in ["/auth/me", "/auth/get-session"] {
            let own = app.meepa(&ann).call(Method::GET, path, None).await.ok();
            let own = if path == "/auth/me" { &own["data"] } else { &own["data"]["user"] };
            assert_eq!(own["status"], there, "{path}: {own}");
        }
        let me = app.rocket(&ann).get("me", &[]).await.ok();
        assert_eq!((&me["status"], &me["statusText"]), (&json!(status), &json!(text)));
        app.rocket(&bob).get("me", &[]).await.ok();
    }
}

#[tokio::test]
async fn a_rule_for_usernames_that_is_none_is_refused() {
    let app = app().await;
    let boss = app.admin("root").await;
    let path = "settings/UTF8_User_Names_Validation";
    // The first takes the end of the expression around it for a remark.
    for rule in ["(?x)a #c", "(", "[a", "((a{99}){99}){99}", "\\", &"a".repeat(257)] {
        let answer = app.rocket(&boss).post(path, json!({"value": rule})).await;
        refused(&answer, 400, "error-invalid-setting-value");
    }
    let create = async |name: &str| {
        let body = json!({"username": name, "name": "x", "email": format!("{name}@example.com"),
            "pass": "secret"});
        app.call(Method::POST, "/api/v1/users.register", &[], Some(&body)).await
    };
    create("carl").await.ok();
    app.rocket(&boss).post(path, json!({"value": "(?x)[a-d]+ # letters\n"})).await.ok();
    create("abcd").await.ok();
    plain(&create("zoe").await, 400, "The username provided is not valid");
}

/// A rule that closes the group around it is no rule by itself, and loses its ends.
#[tokio::test]
async fn a_rule_for_usernames_is_an_expression_by_itself() {
    let app = app().await;
    let boss = app.admin("root").await;
    let path = "settings/UTF8_User_Names_Validation";
    let answer = app.rocket(&boss).post(path, json!({"value": "[a-d]+)|(?:[a-d]+"})).await;
    refused(&answer, 400, "error-invalid-setting-value");
}

/// An account that moved here with its sessions and without a password is not said to have one.
#[tokio::test]
async fn an_account_without_a_password_says_so() {
    let app = app().await;
    let token = "t".repeat(43);
    let hashed = "gDg/l08ilk/Wt66FG2zMkYDtTm/LLkFbr8q22CITkjg=";
    let document = json!({"_id": "moved", "username": "moved", "type": "user", "roles": ["user"],
        "services": {"resume": {"loginTokens": [
            {"hashedToken": hashed, "when": "2026-01-02T00:00:00.000Z"}]}}});
    super::import_taken(&app, "users", &document).await;
    let moved = TestUser { id: "moved".to_owned(), username: "moved".to_owned(), token };
    let me = app.rocket(&moved).get("me", &[]).await.ok();
    assert_eq!(me["services"], json!({"password": {"exists": false}}));
    let own = app.rocket(&moved).get("users.info", &[("userId", "moved")]).await.ok();
    assert_eq!(own["user"]["services"], json!({}));
    let ann = app.user("ann").await;
    let me = app.rocket(&ann).get("me", &[]).await.ok();
    assert_eq!(me["services"], json!({"password": {"exists": true}}));
}
