//! `users.list` (contract sections 4.3 and 8.4, and the published faults of the original): what is
//! private can be neither read, nor sorted, nor filtered on.

use super::{coded, each, grant, keys, plain, set};
use crate::app::{TestApp, TestUser, app};
use parlance_core::account::NewUser;
use serde_json::{Value, json};

/// Shown with `view-full-other-user-info` only.
const PRIVATE: &[&str] = &[
    "emails",
    "emails.address",
    "emails.0.address",
    "roles",
    "lastLogin",
    "createdAt",
    "phone",
    "statusDefault",
    "settings.preferences",
    "customFields.x",
    "_updatedAt",
    "statusConnection",
];

/// Shown to nobody.
const SECRET: &[&str] = &[
    "services",
    "services.password.bcrypt",
    "services.resume.loginTokens.hashedToken",
    "inviteToken",
    "password",
    "loginTokens",
];

async fn people(app: &TestApp) -> (TestUser, TestUser) {
    let boss = app.admin("root").await;
    let named = |username: &str, name: &str| NewUser {
        username: username.to_owned(),
        name: name.to_owned(),
        ..NewUser::default()
    };
    app.user_with(named("zoe", "Aaron")).await;
    app.user_with(named("bob", "Bob")).await;
    (boss, app.user_with(named("ann", "zora")).await)
}

#[tokio::test]
async fn everybody_is_listed_by_username() {
    let app = app().await;
    let (boss, ann) = people(&app).await;
    let body = app.rocket(&ann).get("users.list", &[]).await.ok();
    assert_eq!(each(&body, "users", "username"), ["ann", "bob", "rocket.cat", "root", "zoe"]);
    assert_eq!(json!([body["count"], body["offset"], body["total"]]), json!([5, 0, 5]));
    let public = ["_id", "active", "name", "nameInsensitive", "status", "type", "username"];
    assert!(body["users"].as_array().unwrap().iter().all(|user| keys(user) == public));
    assert_eq!(body["users"][0]["nameInsensitive"], "zora");
    let text = body.to_string();
    assert!(
        !text.contains("@example.com") && !text.contains("argon2") && !text.contains(&boss.token)
    );
    let body = app.rocket(&boss).get("users.list", &[]).await.ok();
    let ann = &body["users"][0];
    assert_eq!(
        (&ann["roles"], &ann["emails"][0]["address"]),
        (&json!(["user"]), &json!("ann@example.com"))
    );
    assert!(ann["lastLogin"].is_string() && ann.get("services").is_none());
}

#[tokio::test]
async fn paging_sort_query_and_fields() {
    let app = app().await;
    let (_, ann) = people(&app).await;
    for (query, want) in [
        (&[("count", "2"), ("offset", "1")][..], &["bob", "rocket.cat"][..]),
        (&[("sort", r#"{"username":-1}"#), ("count", "2")], &["zoe", "root"]),
        (&[("sort", r#"{"name":1}"#), ("count", "2")], &["zoe", "bob"]),
        (&[("sort", r#"{"value":-1,"username":1}"#), ("count", "1")], &["ann"]),
        (&[("query", r#"{"name":{"$regex":"o"}}"#)], &["ann", "bob", "rocket.cat", "root", "zoe"]),
        (&[("query", r#"{"name":{"$regex":"^z"}}"#)], &["ann"]),
        (&[("query", r#"{"$or":[{"username":"bob"},{"type":"bot"}]}"#)], &["bob", "rocket.cat"]),
        (&[("query", r#"{"$and":[{"active":true},{"username":"bob"}]}"#)], &["bob"]),
    ] {
        let body = app.rocket(&ann).get("users.list", query).await.ok();
        assert_eq!(each(&body, "users", "username"), want, "{query:?}");
    }
    let query = [("fields", r#"{"username":1,"emails":1,"services":1}"#), ("count", "1")];
    let body = app.rocket(&ann).get("users.list", &query).await.ok();
    assert_eq!(keys(&body["users"][0]), ["_id", "username"]);
    let query = [("fields", r#"{"services":1}"#), ("count", "1")];
    let body = app.rocket(&ann).get("users.list", &query).await.ok();
    assert!(!body.to_string().contains("argon2") && body["users"][0].get("services").is_none());
}

#[tokio::test]
async fn only_the_operators_that_the_contract_allows() {
    let app = app().await;
    let (boss, ann) = people(&app).await;
    let query = [("query", r#"{"name":{"$regex":"ZO","$options":"i"}}"#)];
    let body = app.rocket(&ann).get("users.list", &query).await.ok();
    assert_eq!(each(&body, "users", "username"), ["ann"]);
    for query in [
        r#"{"username":{"$ne":"ann"}}"#,
        r#"{"username":{"$gt":"a"}}"#,
        r#"{"username":{"$in":["ann"]}}"#,
        r#"{"username":{"$exists":true}}"#,
        r#"{"$nor":[{"username":"ann"}]}"#,
        r#"{"$or":[{"$and":[{"username":{"$not":{"$regex":"x"}}}]}]}"#,
        r#"{"$comment":"x"}"#,
        r#"{"username":{"$regex":"a","$ne":"x"}}"#,
    ] {
        for user in [&ann, &boss] {
            let answer = app.rocket(user).get("users.list", &[("query", query)]).await;
            let text = format!("Invalid query parameter provided: \"{query}\"");
            let helper = json!({"helperMethod": "parseJsonQuery"});
            coded(&answer, "error-invalid-query", &text, &helper);
        }
    }
}

#[tokio::test]
async fn what_is_private_is_not_asked_about() {
    let app = app().await;
    let (boss, ann) = people(&app).await;
    let helper = json!({"helperMethod": "parseJsonQuery"});
    for path in PRIVATE.iter().chain(SECRET) {
        for user in [&ann, &boss] {
            if PRIVATE.contains(path) && user.id == boss.id {
                continue;
            }
            let tests = [
                json!({*path: {"$regex": "^a"}}),
                json!({*path: {"$exists": true}}),
                json!({"$or": [{"username": "ann"}, {*path: "x"}]}),
                json!({"$nor": [{"$and": [{*path: {"$gt": ""}}]}]}),
            ];
            for query in tests.iter().map(Value::to_string) {
                let answer = app.rocket(user).get("users.list", &[("query", &query)]).await;
                let text = format!("Invalid query parameter provided: \"{query}\"");
                coded(&answer, "error-invalid-query", &text, &helper);
            }
            let sort = json!({*path: 1}).to_string();
            let answer = app.rocket(user).get("users.list", &[("sort", &sort)]).await;
            let text = format!("Invalid sort parameter provided: \"{sort}\"");
            coded(&answer, "error-invalid-sort", &text, &helper);
        }
    }
    for query in [
        r#"{"$where":"sleep(1)"}"#,
        r#"{"$expr":{"$gt":["$services",1]}}"#,
        r#"{"username":{"$function":{"body":"x"}}}"#,
    ] {
        let body = app.rocket(&ann).get("users.list", &[("query", query)]).await.expect(400);
        assert_eq!(body["errorType"], "error-invalid-query");
    }
    let query = [("query", r#"{"emails.address":"ann@example.com"}"#)];
    assert_eq!(
        each(&app.rocket(&boss).get("users.list", &query).await.ok(), "users", "username"),
        ["ann"]
    );
    let query = [("sort", r#"{"roles":1,"username":1}"#), ("count", "1")];
    assert_eq!(
        each(&app.rocket(&boss).get("users.list", &query).await.ok(), "users", "username"),
        ["root"]
    );
}

#[tokio::test]
async fn the_permissions_of_the_list() {
    let app = app().await;
    let (boss, ann) = people(&app).await;
    set(&app, &boss, "API_Apply_permission_view-outside-room_on_users-list", json!(true)).await;
    app.rocket(&ann).get("users.list", &[]).await.ok();
    grant(&app, &boss, "view-outside-room", &["admin"]).await;
    plain(&app.rocket(&ann).get("users.list", &[]).await, 403, "unauthorized");
    set(&app, &boss, "API_Apply_permission_view-outside-room_on_users-list", json!(false)).await;
    app.rocket(&ann).get("users.list", &[]).await.ok();
    grant(&app, &boss, "view-d-room", &["admin"]).await;
    plain(&app.rocket(&ann).get("users.list", &[]).await, 403, "unauthorized");
    app.rocket(&boss).get("users.list", &[]).await.ok();
    // Full sight is taken and given at once, on sessions that are open.
    grant(&app, &boss, "view-d-room", &["admin", "user"]).await;
    grant(&app, &boss, "view-full-other-user-info", &["user"]).await;
    let body = app.rocket(&ann).get("users.list", &[]).await.ok();
    assert_eq!(body["users"][1]["emails"][0]["address"], "bob@example.com");
}
