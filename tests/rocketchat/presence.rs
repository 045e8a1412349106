//! Finding people (contract section 8.4): presence, lists by status, completion, free names.

use super::{coded, each, grant, keys, plain, schema, set};
use crate::app::{TestApp, TestUser, app};
use parlance_core::account::NewUser;
use parlance_core::time;
use serde_json::{Value, json};

/// The usernames of an answer, in order.
fn names(body: &Value) -> Vec<String> {
    let mut names = each(body, "users", "username");
    names.sort_unstable();
    names
}

async fn show(app: &TestApp, user: &TestUser, status: &str) {
    app.rocket(user).post("users.setStatus", json!({"status": status, "message": "m"})).await.ok();
}

#[tokio::test]
async fn who_is_there() {
    let app = app().await;
    let boss = app.admin("root").await;
    let (ann, bob, zoe) = (app.user("ann").await, app.user("bob").await, app.user("zoe").await);
    show(&app, &ann, "busy").await;
    show(&app, &bob, "online").await;
    let ask = async |query: &[(&str, &str)]| app.rocket(&zoe).get("users.presence", query).await;
    let found = ask(&[]).await.ok();
    assert_eq!(
        (names(&found), &found["full"]),
        (vec!["ann".to_owned(), "bob".to_owned()], &json!(true))
    );
    let one = json!({"_id": ann.id, "username": "ann", "name": "ann", "status": "busy", "statusText": "m"});
    assert!(found["users"].as_array().unwrap().contains(&one));
    let ids = format!("{}, {},none", ann.id, zoe.id);
    for query in [vec![("ids", ids.as_str())], vec![("ids[]", &ann.id), ("ids[]", &zoe.id)]] {
        let found = ask(&query).await.ok();
        assert_eq!((names(&found), &found["full"]), (vec!["ann".to_owned()], &json!(false)));
    }
    // Those who changed since, the offline too, and not oneself.
    app.clock.move_to(app.clock.now() + 60_000);
    let since = time::iso(app.clock.now());
    show(&app, &ann, "offline").await;
    show(&app, &zoe, "away").await;
    let found = ask(&[("from", &since)]).await.ok();
    assert_eq!(
        (each(&found, "users", "status"), &found["full"]),
        (vec!["offline".to_owned()], &json!(false))
    );
    app.clock.move_to(app.clock.now() + 11 * 60_000);
    let found = ask(&[("from", &since)]).await.ok();
    assert_eq!(
        (names(&found), &found["full"]),
        (vec!["bob".to_owned(), "zoe".to_owned()], &json!(true))
    );
    schema(&ask(&[("from", "yesterday")]).await, "must match format \"iso-date-time\"");
    let many = vec!["x"; 1001].join(",");
    assert_eq!(ask(&[("ids", &many)]).await.expect(400)["errorType"], "error-invalid-params");
    // Who is off is not there; and the switch.
    let off = json!({"userId": bob.id, "activeStatus": false});
    app.rocket(&boss).post("users.setActiveStatus", off).await.ok();
    assert_eq!(each(&ask(&[]).await.ok(), "users", "username"), ["zoe"]);
    set(&app, &boss, "Presence_broadcast_disabled", json!(true)).await;
    assert_eq!(ask(&[]).await.ok(), json!({"users": [], "full": true, "success": true}));
}

#[tokio::test]
async fn the_presence_of_one() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    show(&app, &ann, "away").await;
    let ask = async |query: &[(&str, &str)]| app.rocket(&ann).get("users.getPresence", query).await;
    let own = ask(&[]).await.ok();
    assert_eq!(keys(&own), ["connectionStatus", "lastLogin", "presence", "success"]);
    assert_eq!((&own["presence"], &own["connectionStatus"]), (&json!("away"), &json!("offline")));
    assert_eq!(ask(&[("username", "ann")]).await.ok(), own);
    for query in [("userId", bob.id.as_str()), ("username", "bob")] {
        assert_eq!(ask(&[query]).await.ok(), json!({"presence": "offline", "success": true}));
    }
    assert_eq!(ask(&[("userId", "none")]).await.expect(400)["errorType"], "error-invalid-user");
}

#[tokio::test]
async fn another_ones_status_is_set_by_who_may_edit() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let body = json!({"userId": ann.id, "status": "busy"});
    app.rocket(&boss).post("users.setStatus", body).await.ok();
    let body = json!({"username": "ann", "message": "by root"});
    app.rocket(&boss).post("users.setStatus", body).await.ok();
    let seen = app.rocket(&ann).get("users.getStatus", &[]).await.ok();
    assert_eq!((&seen["status"], &seen["message"]), (&json!("busy"), &json!("by root")));
    let body = json!({"userId": "none", "status": "busy"});
    let answer = app.rocket(&boss).post("users.setStatus", body).await;
    assert_eq!(answer.expect(400)["errorType"], "error-invalid-user");
}

#[tokio::test]
async fn lists_by_status() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let (name, roles) = ("A. (Zoe)".to_owned(), vec!["bot".to_owned()]);
    app.user_with(NewUser { username: "zoe".to_owned(), name, roles, ..NewUser::default() }).await;
    let off = json!({"username": "off", "name": "Off", "email": "o@example.com", "password": "p", "active": false});
    app.rocket(&boss).post("users.create", off).await.ok();
    let ask = async |user: &TestUser, query: &[(&str, &str)]| {
        app.rocket(user).get("users.listByStatus", query).await
    };
    let names = async |query: &[(&str, &str)]| {
        each(&ask(&boss, query).await.ok(), "users", "username").join(" ")
    };
    assert_eq!(names(&[]).await, "ann off rocket.cat root zoe");
    assert_eq!(names(&[("status", "active")]).await, "ann rocket.cat root zoe");
    assert_eq!(names(&[("status", "deactivated")]).await, "off");
    assert_eq!(names(&[("hasLoggedIn", "true")]).await, "ann root zoe");
    assert_eq!(names(&[("hasLoggedIn", "false"), ("status", "active")]).await, "rocket.cat");
    assert_eq!(names(&[("type", "bot")]).await, "rocket.cat zoe");
    assert_eq!(names(&[("roles[]", "bot"), ("roles[]", "admin")]).await, "rocket.cat root zoe");
    assert_eq!(names(&[("roles", "all")]).await, "ann off rocket.cat root zoe");
    assert_eq!(names(&[("searchTerm", "(zOE)")]).await, "zoe");
    assert_eq!(names(&[("searchTerm", "a.")]).await, "zoe", "a dot is a dot");
    assert_eq!(names(&[("searchTerm", "ann@example")]).await, "ann");
    let page = [("count", "2"), ("offset", "1"), ("sort", "{\"username\":-1}")];
    let body = ask(&boss, &page).await.ok();
    assert_eq!(each(&body, "users", "username"), ["root", "rocket.cat"]);
    assert_eq!(
        (&body["count"], &body["offset"], &body["total"]),
        (&json!(2), &json!(1), &json!(5))
    );
    let full = &ask(&boss, &[("searchTerm", "ann")]).await.ok()["users"][0];
    assert_eq!(
        (&full["emails"][0]["address"], &full["roles"]),
        (&json!("ann@example.com"), &json!(["user"]))
    );
    // Others see less, and ask for no more than they see.
    let seen = ask(&ann, &[("status", "active"), ("searchTerm", "zoe")]).await.ok();
    assert_eq!(
        keys(&seen["users"][0]),
        ["_id", "active", "name", "nameInsensitive", "status", "type", "username"]
    );
    assert_eq!(ask(&ann, &[("searchTerm", "ann@example")]).await.ok()["total"], 0);
    for query in [("hasLoggedIn", "true"), ("roles[]", "admin")] {
        plain(&ask(&ann, &[query]).await, 403, "unauthorized");
    }
    schema(&ask(&boss, &[("status", "busy")]).await, "must be equal to one of the allowed values");
    schema(&ask(&boss, &[("hasLoggedIn", "maybe")]).await, "must be boolean");
    schema(&ask(&boss, &[("status[]", "active")]).await, "must be string");
    grant(&app, &boss, "view-d-room", &["admin"]).await;
    plain(&ask(&ann, &[]).await, 403, "unauthorized");
    set(&app, &boss, "API_Apply_permission_view-outside-room_on_users-list", json!(true)).await;
    grant(&app, &boss, "view-outside-room", &[]).await;
    plain(&ask(&boss, &[]).await, 403, "unauthorized");
}

#[tokio::test]
async fn names_are_completed() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    for n in 0..12 {
        let mut new = NewUser { username: format!("zoe{n:02}"), ..NewUser::default() };
        new.body.insert("nickname".to_owned(), json!("z"));
        app.user_with(new).await;
    }
    let ask = async |selector: Value| {
        let selector = selector.to_string();
        app.rocket(&ann).get("users.autocomplete", &[("selector", &selector)]).await
    };
    let found = ask(json!({"term": "ZOE", "exceptions": ["zoe00"]})).await.ok();
    assert_eq!(found["items"].as_array().unwrap().len(), 10);
    assert_eq!(found["items"][0]["username"], "zoe01");
    assert_eq!(keys(&found["items"][0]), ["_id", "name", "nickname", "status", "username"]);
    let found = ask(json!({"term": "@ro", "conditions": {"type": "bot"}})).await.ok();
    assert_eq!(each(&found, "items", "username"), ["rocket.cat"]);
    assert_eq!(ask(json!({})).await.ok()["items"].as_array().unwrap().len(), 10);
    let off = json!({"userId": boss.id, "activeStatus": false});
    app.admin("other").await;
    app.rocket(&boss).post("users.setActiveStatus", off).await.ok();
    assert_eq!(ask(json!({"term": "root"})).await.ok()["items"], json!([]));
    schema(
        &app.rocket(&ann).get("users.autocomplete", &[]).await,
        "must have required property 'selector'",
    );
    schema(
        &app.rocket(&ann).get("users.autocomplete", &[("selector[]", "x")]).await,
        "must be string",
    );
    let text = "The \"selector\" parameter is not valid.";
    for selector in [
        json!("x"),
        json!([]),
        json!({"term": {"$ne": null}}),
        json!({"exceptions": "x"}),
        json!({"conditions": []}),
    ] {
        coded(&ask(selector).await, "error-invalid-params", text, &Value::Null);
    }
    for secret in ["emails.address", "services.password", "roles", "lastLogin"] {
        let answer = ask(json!({"term": "a", "conditions": {secret: {"$exists": true}}})).await;
        assert_eq!(answer.expect(400)["errorType"], "error-invalid-query", "{secret}");
    }
}

#[tokio::test]
async fn free_names() {
    let app = app().await;
    let boss = app.admin("root").await;
    let name = "Änn  O'Nym <3".replace('<', "");
    let ann =
        app.user_with(NewUser { username: "ann".to_owned(), name, ..NewUser::default() }).await;
    let check = async |name: &str| {
        let query = [("username", name)];
        app.rocket(&ann).get("users.checkUsernameAvailability", &query).await
    };
    for (name, free) in [
        ("ann", true),
        ("Ann", true),
        ("free.name", true),
        ("root", false),
        ("ROOT", false),
        ("all", false),
        ("admin", false),
        ("a b", false),
        ("", false),
        (&boss.id, false),
        (&"0".repeat(24), false),
    ] {
        assert_eq!(check(name).await.ok(), json!({"result": free, "success": true}), "{name}");
    }
    let ask = async |name: &str, query: &[(&str, &str)]| app.rocket(&ann).get(name, query).await;
    schema(
        &ask("users.checkUsernameAvailability", &[]).await,
        "must have required property 'username'",
    );
    schema(&ask("users.checkUsernameAvailability", &[("username[]", "x")]).await, "must be string");
    let suggested = async || {
        ask("users.getUsernameSuggestion", &[]).await.ok()["result"].as_str().unwrap().to_owned()
    };
    assert_eq!(suggested().await, "nn.o.nym.3");
    app.user("nn.o.nym.3").await;
    assert_eq!(suggested().await, "ann", "of the address, and one's own");
    let other = app
        .user_with(NewUser {
            username: "x".to_owned(),
            name: "root".to_owned(),
            email: Some(("root@elsewhere.example".to_owned(), true)),
            ..NewUser::default()
        })
        .await;
    app.user("user1").await;
    let found = app.rocket(&other).get("users.getUsernameSuggestion", &[]).await.ok();
    assert_eq!(found["result"], "root-1");
    set(&app, &boss, "Accounts_AllowUsernameChange", json!(false)).await;
    let method = json!({"method": "setUsername"});
    coded(&check("free").await, "error-not-allowed", "Not allowed", &method);
}
