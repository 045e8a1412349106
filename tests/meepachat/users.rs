//! Looking people up.

use super::calls::{each, keys, refused, rows};
use crate::app::{START, app};
use parlance_core::UserId;
use parlance_core::account::{Authority, NewUser};
use parlance_core::time;
use serde_json::json;

#[tokio::test]
async fn a_user_is_found_by_id_and_shown_without_the_address() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let found = app.meepa(&ann).get(&format!("/users/{}", bob.id), &[]).await.ok();
    let want = json!({"id": bob.id, "username": "bob", "displayName": "bob", "status": "offline",
        "bot": false, "createdAt": time::iso(START)});
    assert_eq!(found, json!({ "data": want }));
    for id in ["bob", "nobody"] {
        refused(&app.meepa(&ann).get(&format!("/users/{id}"), &[]).await, 404, "user not found");
    }
}

#[tokio::test]
async fn a_bot_says_that_it_is_one_and_busy_is_away() {
    let app = app().await;
    let ann = app.user("ann").await;
    let cat = app.meepa(&ann).get("/users/rocket.cat", &[]).await.ok();
    assert_eq!(cat["data"]["bot"], true);
    let caller = app.caller(&ann).await;
    for (status, shown) in [("busy", "away"), ("online", "online"), ("away", "away")] {
        app.core.set_status(&caller, caller.id(), Some(status), None).await.unwrap();
        let me = app.meepa(&ann).get(&format!("/users/{}", ann.id), &[]).await.ok();
        assert_eq!(me["data"]["status"], shown);
    }
}

#[tokio::test]
async fn names_are_searched_from_their_beginning() {
    let app = app().await;
    let ann = app.user("ann").await;
    for (username, name) in [("dora", "Zoe Day"), ("dori", ""), ("zora", "Zora"), ("eve", "Dorian")]
    {
        let new = NewUser { username: username.into(), name: name.into(), ..NewUser::default() };
        app.user_with(new).await;
    }
    let search = async |q: &str, limit: &str| {
        let found = app.meepa(&ann).get("/users", &[("q", q), ("limit", limit)]).await;
        each(&rows(&found), "username")
    };
    assert_eq!(search("DOR", "").await, ["dora", "dori", "eve"]);
    assert_eq!(search("zo", "").await, ["dora", "zora"]);
    assert_eq!(search("dor", "2").await, ["dora", "dori"]);
    assert_eq!(search("ora", "").await, Vec::<String>::new());
    let all = rows(&app.meepa(&ann).get("/users", &[]).await);
    assert_eq!(each(&all, "username"), ["ann", "dora", "dori", "eve", "rocket.cat", "zora"]);
    assert!(!keys(&all[0]).contains("email"));
}

#[tokio::test]
async fn searching_gives_twenty_unless_asked_and_a_hundred_at_most() {
    let app = app().await;
    let ann = app.user("ann").await;
    for n in 0..105 {
        let new = NewUser { username: format!("many{n:03}"), ..NewUser::default() };
        app.core.create_user(Authority::Operator, new).await.unwrap();
    }
    for (limit, count) in [("", 20), ("x", 20), ("0", 20), ("7", 7), ("1000", 100)] {
        let found = app.meepa(&ann).get("/users", &[("q", "many"), ("limit", limit)]).await;
        assert_eq!(rows(&found).len(), count, "{limit}");
    }
}

#[tokio::test]
async fn a_deactivated_user_is_not_suggested_and_still_shown() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let id = UserId::from(bob.id.as_str());
    app.core.set_active(Authority::Operator, &id, false).await.unwrap();
    assert_eq!(rows(&app.meepa(&ann).get("/users", &[("q", "bob")]).await).len(), 0);
    app.meepa(&ann).get(&format!("/users/{}", bob.id), &[]).await.ok();
}
