//! Accounts over the wire (contract section 8.4): making, registering, reading one.

use super::{coded, keys, plain, schema, set};
use crate::app::{Answer, TestApp, app};
use axum::http::Method;
use parlance_core::account::NewUser;
use serde_json::{Value, json};

async fn register(app: &TestApp, body: &Value) -> Answer {
    app.call(Method::POST, "/api/v1/users.register", &[], Some(body)).await
}

async fn logs_in(app: &TestApp, user: &str, password: &str) -> u16 {
    let body = json!({"user": user, "password": password});
    app.call(Method::POST, "/api/v1/login", &[], Some(&body)).await.status.as_u16()
}

fn with(base: &Value, key: &str, value: Value) -> Value {
    let mut body = base.clone();
    body[key] = value;
    body
}

#[tokio::test]
async fn an_administrator_makes_accounts() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let new = json!({"username": "zoe", "name": "Zoe Z", "email": "zoe@example.com", "password": "p4ssw0rd",
        "roles": ["bot"], "bio": "b", "nickname": "z", "verified": true, "joinDefaultChannels": false});
    let body = app.rocket(&boss).post("users.create", new.clone()).await;
    assert!(!String::from_utf8_lossy(&body.body).contains("p4ssw0rd"));
    let user = body.ok()["user"].clone();
    for (key, want) in [
        ("username", json!("zoe")),
        ("name", json!("Zoe Z")),
        ("type", json!("bot")),
        ("active", json!(true)),
        ("roles", json!(["bot"])),
        ("bio", json!("b")),
        ("nickname", json!("z")),
        ("emails", json!([{"address": "zoe@example.com", "verified": true}])),
        ("status", json!("offline")),
    ] {
        assert_eq!(user[key], want, "{key}");
    }
    assert!(user.get("services").is_none());
    assert_eq!(logs_in(&app, "zoe", "p4ssw0rd").await, 200);
    let off = json!({"username": "off", "name": "Off", "email": "o@example.com", "password": "p", "active": false});
    app.rocket(&boss).post("users.create", off).await.ok();
    assert_eq!(logs_in(&app, "off", "p").await, 401);
    let random = json!({"username": "rnd", "name": "R", "email": "r@example.com", "setRandomPassword": true});
    app.rocket(&boss).post("users.create", random).await.ok();
    let details = json!({"method": "insertOrUpdateUser", "action": "Adding_user"});
    let answer = app.rocket(&ann).post("users.create", with(&new, "username", json!("zed"))).await;
    coded(&answer, "error-action-not-allowed", "Adding user is not allowed", &details);
    assert_eq!(logs_in(&app, "zed", "p4ssw0rd").await, 401);
}

#[tokio::test]
async fn what_no_account_can_be_made_of() {
    let app = app().await;
    let boss = app.admin("root").await;
    let good =
        json!({"username": "zoe", "name": "Zoe", "email": "zoe@example.com", "password": "p"});
    let create = async |body: Value| app.rocket(&boss).post("users.create", body).await;
    for name in ["username", "name", "email", "password"] {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(name);
        schema(&create(body).await, &format!("must have required property '{name}'"));
        for value in [json!({"$ne": null}), json!(["x"]), json!(1)] {
            schema(&create(with(&good, name, value)).await, "must be string");
        }
    }
    let field = |name: &str| json!({"method": "insertOrUpdateUser", "field": name});
    let taken = "error-field-unavailable";
    for name in ["root", "ROOT"] {
        let answer = create(with(&good, "username", json!(name))).await;
        coded(&answer, taken, &format!("{name} is already in use :("), &field(name));
    }
    for email in ["root@example.com", "Root@EXAMPLE.com"] {
        let answer = create(with(&good, "email", json!(email))).await;
        coded(&answer, taken, &format!("{email} is already in use :("), &field(email));
    }
    for name in ["a b", "", "zoë", "a/b", "all", "here", "admin", "System", "<x>", &"0".repeat(24)]
    {
        let answer = create(with(&good, "username", json!(name))).await;
        let details = json!({"method": "insertOrUpdateUser", "input": name, "field": "Username"});
        let text = format!("{name} is not a valid username");
        coded(&answer, "error-input-is-not-a-valid-field", &text, &details);
    }
    for email in ["x", "@x", "a@", "a b@example.com"] {
        let answer = create(with(&good, "email", json!(email))).await;
        assert_eq!(answer.expect(400)["errorType"], "error-invalid-email", "{email}");
    }
    for name in ["<b>", "a/b", "a\\b"] {
        plain(
            &create(with(&good, "name", json!(name))).await,
            400,
            "Name contains invalid characters",
        );
    }
    assert!(app.core.user_named("zoe").await.is_err());
    let list = app.rocket(&boss).get("users.list", &[]).await.ok();
    assert_eq!(list["total"], 2, "root and rocket.cat");
}

#[tokio::test]
async fn roles_and_flags_of_a_new_account() {
    let app = app().await;
    let boss = app.admin("root").await;
    let good =
        json!({"username": "zoe", "name": "Zoe", "email": "zoe@example.com", "password": "p"});
    let create = async |body: Value| app.rocket(&boss).post("users.create", body).await;
    let roles = "The field Roles consist invalid role id";
    plain(&create(with(&good, "roles", json!(["emperor"]))).await, 400, roles);
    for value in [json!("admin"), json!([1]), json!({"$ne": null})] {
        schema(&create(with(&good, "roles", value)).await, "must be array");
    }
    schema(&create(with(&good, "active", json!("maybe"))).await, "must be boolean");
    super::grant(&app, &boss, "assign-admin-role", &[]).await;
    let details = json!({"method": "insertOrUpdateUser", "action": "Assign_admin"});
    let answer = create(with(&good, "roles", json!(["admin"]))).await;
    coded(&answer, "error-action-not-allowed", "Assigning admin is not allowed", &details);
    assert!(app.core.user_named("zoe").await.is_err());
}

#[tokio::test]
async fn anyone_registers_as_an_ordinary_user() {
    let app = app().await;
    let good =
        json!({"username": "eve", "name": "Eve", "email": "eve@example.com", "pass": "p4ss"});
    let forged = json!({"roles": ["admin"], "_id": "chosen", "active": false, "verified": true,
        "type": "bot", "services": {"password": {}}, "emails": [], "createdAt": 1});
    let mut body = good.clone();
    body.as_object_mut().unwrap().extend(forged.as_object().unwrap().clone());
    let user = register(&app, &body).await.ok()["user"].clone();
    assert_eq!(
        (&user["username"], &user["type"], &user["active"]),
        (&json!("eve"), &json!("user"), &json!(true))
    );
    assert_ne!(user["_id"], "chosen");
    let stored = app.core.user_named("eve").await.unwrap();
    assert_eq!(
        (stored.roles.as_slice(), stored.emails[0].verified),
        (&["user".to_owned()][..], false)
    );
    assert_eq!(logs_in(&app, "eve", "p4ss").await, 200);
    // The first visitor is never administrator.
    assert!(!app.core.has_admin().await.unwrap());
}

#[tokio::test]
async fn what_registration_refuses() {
    let app = app().await;
    let boss = app.admin("root").await;
    let good =
        json!({"username": "eve", "name": "Eve", "email": "eve@example.com", "pass": "p4ss"});
    let answer = app.rocket(&boss).post("users.register", good.clone()).await;
    plain(&answer, 400, "Logged in users can not register again.");
    for (key, value, text) in [
        ("username", "a b", "The username provided is not valid"),
        ("username", "admin", "The username provided is not valid"),
        ("username", "Root", "Username is already in use"),
        ("email", "ROOT@example.com", "Email already exists. [403]"),
        ("name", "<script>", "Name contains invalid characters"),
    ] {
        plain(&register(&app, &with(&good, key, json!(value))).await, 400, text);
    }
    for name in ["username", "name", "email", "pass"] {
        let mut body = good.clone();
        body.as_object_mut().unwrap().remove(name);
        schema(&register(&app, &body).await, &format!("must have required property '{name}'"));
        for value in [json!({"$ne": null}), json!(["x"]), json!(1), json!(null)] {
            schema(&register(&app, &with(&good, name, value)).await, "must be string");
        }
    }
    for value in ["", &"x".repeat(2000)] {
        let answer = register(&app, &with(&good, "pass", json!(value))).await;
        assert_eq!(answer.expect(400)["errorType"], "error-invalid-password");
    }
    set(&app, &boss, "Accounts_RegistrationForm", json!("Disabled")).await;
    let details = json!({"method": "registerUser"});
    let text = "User registration is disabled";
    coded(&register(&app, &good).await, "error-user-registration-disabled", text, &details);
    assert!(app.core.user_named("eve").await.is_err());
    set(&app, &boss, "Accounts_RegistrationForm", json!("Public")).await;
    set(&app, &boss, "Accounts_ManuallyApproveNewUsers", json!(true)).await;
    assert_eq!(register(&app, &good).await.ok()["user"]["active"], false);
    assert_eq!(logs_in(&app, "eve", "p4ss").await, 401);
}

#[tokio::test]
async fn others_see_what_is_public_and_administrators_more() {
    let app = app().await;
    let (boss, bob) = (app.admin("root").await, app.user("bob").await);
    let mut new =
        NewUser { username: "ann".to_owned(), name: "Ann A".to_owned(), ..NewUser::default() };
    for (key, value) in [("bio", "hello"), ("phone", "555"), ("secretThing", "canary")] {
        new.body.insert(key.to_owned(), json!(value));
    }
    let ann = app.user_with(new).await;
    let info = async |user, query: (&str, &str)| {
        let answer = app.rocket(user).get("users.info", &[query]).await;
        let text = String::from_utf8(answer.body.clone()).unwrap();
        assert!(!text.contains("argon2") && !text.contains("canary") && !text.contains(&ann.token));
        answer.ok()["user"].clone()
    };
    let seen = info(&bob, ("username", "ann")).await;
    let public = [
        "_id",
        "active",
        "bio",
        "canViewAllInfo",
        "name",
        "status",
        "statusText",
        "type",
        "username",
        "utcOffset",
    ];
    assert_eq!(keys(&seen), public);
    assert_eq!((&seen["name"], &seen["canViewAllInfo"]), (&json!("Ann A"), &json!(false)));
    for query in [("userId", ann.id.as_str()), ("username", "ANN"), ("user", "ann")] {
        assert_eq!(info(&bob, query).await, seen, "{query:?}");
    }
    let full = info(&boss, ("userId", &ann.id)).await;
    assert_eq!((&full["canViewAllInfo"], &full["phone"]), (&json!(true), &json!("555")));
    assert_eq!(full["emails"][0]["address"], "ann@example.com");
    assert!(full.get("services").is_none() && full["createdAt"].is_string());
    let own = info(&ann, ("userId", &ann.id)).await;
    assert_eq!((&own["services"], &own["roles"]), (&json!({"password": true}), &json!(["user"])));
}

#[tokio::test]
async fn a_user_that_is_not_there() {
    let app = app().await;
    let ann = app.user("ann").await;
    for query in [("username", "nobody"), ("userId", "ann"), ("username", "{\"$ne\":null}")] {
        plain(&app.rocket(&ann).get("users.info", &[query]).await, 400, "User not found.");
        let text =
            "The required \"userId\" or \"username\" param provided does not match any users";
        let answer = app.rocket(&ann).get("users.getStatus", &[query]).await;
        coded(&answer, "error-invalid-user", text, &Value::Null);
    }
    let text = "must have required property 'userId'\n must have required property 'username'\n \
                must have required property 'importId'\n must match a schema in anyOf";
    for query in [&[][..], &[("userId", "")], &[("userId[$ne]", "")]] {
        schema(&app.rocket(&ann).get("users.info", query).await, text);
    }
    for key in ["userId[]", "username[]", "user[]"] {
        schema(&app.rocket(&ann).get("users.info", &[(key, "ann")]).await, "must be string");
    }
}
