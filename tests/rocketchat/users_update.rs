//! `users.update` and `users.updateOwnBasicInfo` (contract section 8.4): every parameter, every refusal,
//! and what another password ends.

use super::{coded, grant, logged_out, plain, schema, set};
use crate::app::{Answer, PASSWORD, PASSWORD_SHA256, TestApp, TestUser, WRONG_SHA256, app};
use axum::http::Method;
use serde_json::{Value, json};

async fn update(app: &TestApp, user: &TestUser, id: &str, data: Value) -> Answer {
    app.rocket(user).post("users.update", json!({"userId": id, "data": data})).await
}

async fn own(app: &TestApp, user: &TestUser, data: Value) -> Answer {
    app.rocket(user).post("users.updateOwnBasicInfo", json!({ "data": data })).await
}

async fn logs_in(app: &TestApp, user: &str, password: &str) -> u16 {
    let body = json!({"user": user, "password": password});
    app.call(Method::POST, "/api/v1/login", &[], Some(&body)).await.status.as_u16()
}

#[track_caller]
fn not_allowed(answer: &Answer, reason: &str, action: &str) {
    let details = json!({"method": "insertOrUpdateUser", "action": action});
    coded(answer, "error-action-not-allowed", reason, &details);
}

#[tokio::test]
async fn an_administrator_changes_everything() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let data = json!({"name": "Ann Two", "username": "ann2", "email": "two@example.com",
        "password": "n3w", "roles": ["user", "guest"], "active": true, "verified": true,
        "bio": "b", "nickname": "n", "statusText": "s", "requirePasswordChange": true,
        "joinDefaultChannels": true, "sendWelcomeEmail": true, "setRandomPassword": false});
    let answer = update(&app, &boss, &ann.id, data).await;
    assert!(!String::from_utf8_lossy(&answer.body).contains("n3w"));
    let user = answer.ok()["user"].clone();
    for (key, want) in [
        ("_id", json!(ann.id)),
        ("name", json!("Ann Two")),
        ("username", json!("ann2")),
        ("emails", json!([{"address": "two@example.com", "verified": true}])),
        ("roles", json!(["user", "guest"])),
        ("active", json!(true)),
        ("bio", json!("b")),
        ("nickname", json!("n")),
        ("statusText", json!("s")),
        ("requirePasswordChange", json!(true)),
    ] {
        assert_eq!(user[key], want, "{key}");
    }
    assert_eq!(
        (logs_in(&app, "ann2", "n3w").await, logs_in(&app, "two@example.com", PASSWORD).await),
        (200, 401)
    );
    // Another password ends what began with the old one.
    logged_out(&app.rocket(&ann).get("me", &[]).await);
    // The old address and name are free.
    app.user("ann").await;
    let user = update(
        &app,
        &boss,
        &ann.id,
        json!({"bio": "", "nickname": "", "statusText": "", "requirePasswordChange": false}),
    )
    .await
    .ok();
    for gone in ["bio", "nickname", "requirePasswordChange"] {
        assert!(user["user"].get(gone).is_none(), "{gone}");
    }
    // Nothing at all changes nothing.
    let before = app.core.user_named("ann2").await.unwrap();
    update(&app, &boss, &ann.id, json!({})).await.ok();
    update(&app, &boss, &ann.id, json!({"name": "Ann Two", "email": "two@example.com"})).await.ok();
    assert_eq!(app.core.user_named("ann2").await.unwrap(), before);
}

#[tokio::test]
async fn a_random_password_and_being_off() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let user = update(&app, &boss, &ann.id, json!({"setRandomPassword": true})).await.ok();
    assert_eq!(user["user"]["requirePasswordChange"], true);
    assert_eq!(logs_in(&app, "ann", PASSWORD).await, 401);
    let user = update(&app, &boss, &ann.id, json!({"active": false, "password": "p"})).await.ok();
    assert_eq!((&user["user"]["active"], logs_in(&app, "ann", "p").await), (&json!(false), 401));
    update(&app, &boss, &ann.id, json!({"active": true})).await.ok();
    assert_eq!(logs_in(&app, "ann", "p").await, 200);
    // Who may edit and not switch: nothing of it happens.
    grant(&app, &boss, "edit-other-user-active-status", &[]).await;
    let answer = update(&app, &boss, &ann.id, json!({"active": false, "bio": "x"})).await;
    coded(&answer, "error-not-allowed", "Not allowed", &json!({"method": "setUserActiveStatus"}));
    assert!(!app.core.user_named("ann").await.unwrap().body.contains("bio"));
    // Nor if nobody would be left.
    grant(&app, &boss, "edit-other-user-active-status", &["admin"]).await;
    let answer = update(&app, &boss, &boss.id, json!({"active": false, "bio": "x"})).await;
    assert_eq!(answer.expect(400)["details"]["action"], "Remove_last_admin");
    assert!(!app.core.user_named("root").await.unwrap().body.contains("bio"));
}

#[tokio::test]
async fn what_cannot_be_updated() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    for (body, text) in [
        (json!({}), "must have required property 'userId'"),
        (json!({"userId": ann.id}), "must have required property 'data'"),
        (json!({"userId": ann.id, "data": "x"}), "must be object"),
        (json!({"userId": ["x"], "data": {}}), "must be string"),
        (json!({"userId": ann.id, "data": {}, "x": 1}), "must NOT have additional properties"),
        (json!({"userId": ann.id, "data": {"x": 1}}), "must NOT have additional properties"),
        (
            json!({"userId": ann.id, "data": {"services": {}}}),
            "must NOT have additional properties",
        ),
        (json!({"userId": ann.id, "data": {"name": {"$ne": null}}}), "must be string"),
        (json!({"userId": ann.id, "data": {"roles": "admin"}}), "must be array"),
        (json!({"userId": ann.id, "data": {"active": "maybe"}}), "must be boolean"),
        (json!({"userId": ann.id, "data": {"customFields": "x"}}), "must be object"),
        (json!({"userId": ann.id, "data": {}, "confirmRelinquish": "x"}), "must be boolean"),
    ] {
        schema(&app.rocket(&boss).post("users.update", body).await, text);
    }
    let update = async |data: Value| update(&app, &boss, &ann.id, data).await;
    let field = |name: &str| json!({"method": "insertOrUpdateUser", "field": name});
    let taken = update(json!({"username": "ROOT"})).await;
    coded(&taken, "error-field-unavailable", "ROOT is already in use :(", &field("ROOT"));
    let taken = update(json!({"username": boss.id})).await;
    assert_eq!(taken.status, 400);
    let taken = update(json!({"email": "root@example.com"})).await;
    let text = "root@example.com is already in use :(";
    coded(&taken, "error-field-unavailable", text, &field("root@example.com"));
    for name in ["a b", "all", "admin", "<x>", &"0".repeat(24)] {
        let answer = update(json!({"username": name})).await;
        assert_eq!(answer.expect(400)["errorType"], "error-input-is-not-a-valid-field", "{name}");
    }
    for email in ["x", "@x", "a b@example.com"] {
        let answer = update(json!({"email": email})).await;
        assert_eq!(answer.expect(400)["errorType"], "error-invalid-email", "{email}");
    }
    plain(&update(json!({"name": "<b>"})).await, 400, "Name contains invalid characters");
    let answer = update(json!({"password": "x".repeat(2000)})).await;
    assert_eq!(answer.expect(400)["errorType"], "error-invalid-password");
    let method = json!({"method": "saveUser"});
    let answer = update(json!({"bio": "x".repeat(261)})).await;
    coded(&answer, "error-bio-size-exceeded", "Bio size exceeds 260 characters", &method);
    let answer = update(json!({"nickname": "x".repeat(121)})).await;
    coded(&answer, "error-nickname-size-exceeded", "Nickname size exceeds 120 characters", &method);
    plain(
        &update(json!({"roles": ["king"]})).await,
        400,
        "The field Roles consist invalid role id",
    );
    let stored = app.core.user_named("ann").await.unwrap();
    assert_eq!((stored.body.as_str(), stored.roles.as_slice()), ("{}", &["user".to_owned()][..]));
    let long = update(json!({"bio": "x".repeat(260), "statusText": "x".repeat(500)})).await.ok();
    assert_eq!(long["user"]["statusText"].as_str().unwrap().len(), 120);
}

#[tokio::test]
async fn who_may_update_whom() {
    let app = app().await;
    let (boss, ann, bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    let text = "Editing user is not allowed";
    not_allowed(&update(&app, &ann, &bob.id, json!({"bio": "x"})).await, text, "Editing_user");
    // Nobody learns by it who is there.
    not_allowed(&update(&app, &ann, "none", json!({"bio": "x"})).await, text, "Editing_user");
    let unknown = update(&app, &boss, "none", json!({"bio": "x"})).await;
    assert_eq!(unknown.expect(400)["errorType"], "error-invalid-user");
    update(&app, &ann, &ann.id, json!({"bio": "mine", "name": "Me"})).await.ok();
    let answer = update(&app, &ann, &ann.id, json!({"verified": true})).await;
    not_allowed(&answer, "Editing email verification is not allowed", "Editing_user");
    let answer = update(&app, &boss, &boss.id, json!({"verified": true})).await;
    not_allowed(&answer, "Editing email verification is not allowed", "Editing_user");
    let answer = update(&app, &ann, &ann.id, json!({"roles": ["admin"]})).await;
    not_allowed(&answer, "Assigning admin is not allowed", "Assign_admin");
    let answer = update(&app, &ann, &ann.id, json!({"roles": ["user", "bot"]})).await;
    not_allowed(&answer, "Assign roles is not allowed", "Assign_role");
    // What it has is no assignment.
    update(&app, &ann, &ann.id, json!({"roles": ["user"]})).await.ok();
    let answer = update(&app, &ann, &ann.id, json!({"password": "x"})).await;
    not_allowed(&answer, "Edit user password is not allowed", "Update_user");
    let answer = update(&app, &ann, &ann.id, json!({"email": "new@example.com"})).await;
    assert_eq!(answer.expect(400)["errorType"], "totp-required");
    grant(&app, &boss, "assign-admin-role", &[]).await;
    let answer = update(&app, &boss, &ann.id, json!({"roles": ["admin"]})).await;
    not_allowed(&answer, "Assigning admin is not allowed", "Assign_admin");
    grant(&app, &boss, "assign-admin-role", &["admin"]).await;
    update(&app, &boss, &ann.id, json!({"roles": ["user", "admin"]})).await.ok();
    // It counts at once, and the last administrator stays one.
    app.rocket(&ann)
        .post("users.update", json!({"userId": boss.id, "data": {"roles": ["user"]}}))
        .await
        .ok();
    let answer = update(&app, &ann, &ann.id, json!({"roles": ["user"]})).await;
    assert_eq!(answer.expect(400)["details"]["action"], "Remove_last_admin");
    assert!(app.core.has_admin().await.unwrap());
}

#[tokio::test]
async fn one_changes_oneself() {
    let app = app().await;
    let ann = app.user("ann").await;
    let data = json!({"name": "Ann Two", "username": "ann2", "bio": "b", "nickname": "n",
        "statusText": "s", "statusType": "away"});
    let user = own(&app, &ann, data).await.ok()["user"].clone();
    let me = app.rocket(&ann).get("me", &[]).await.ok();
    for (key, want) in [
        ("name", "Ann Two"),
        ("username", "ann2"),
        ("bio", "b"),
        ("nickname", "n"),
        ("statusText", "s"),
        ("status", "away"),
        ("statusDefault", "away"),
    ] {
        assert_eq!((&user[key], &me[key]), (&json!(want), &json!(want)), "{key}");
    }
    assert_eq!(app.meepa(&ann).get("/auth/me", &[]).await.ok()["data"]["username"], "ann2");
    for (body, text) in [
        (json!({}), "must have required property 'data'"),
        (json!({"data": 1}), "must be object"),
        (json!({"data": {"roles": ["admin"]}}), "must NOT have additional properties"),
        (json!({"data": {}, "userId": "x"}), "must NOT have additional properties"),
        (json!({"data": {"bio": {"$ne": null}}}), "must be string"),
        (json!({"data": {}, "customFields": "x"}), "must be object"),
    ] {
        schema(&app.rocket(&ann).post("users.updateOwnBasicInfo", body).await, text);
    }
    let method = json!({"method": "saveUserProfile"});
    for (field, length) in [("bio", 261), ("nickname", 121)] {
        let answer = own(&app, &ann, json!({field: "x".repeat(length)})).await;
        coded(&answer, "error-invalid-field", field, &method);
    }
    let answer = own(&app, &ann, json!({"statusType": "gone"})).await;
    assert_eq!(answer.expect(400)["errorType"], "error-invalid-status");
}

#[tokio::test]
async fn address_and_password_need_the_password() {
    let app = app().await;
    let ann = app.user("ann").await;
    let account = app.core.user_named("ann").await.unwrap();
    let other = app.log_in(&account).await;
    let needed = json!({"method": "password", "codeGenerated": false, "availableMethods": []});
    for data in [json!({"email": "new@example.com"}), json!({"newPassword": "n3w"})] {
        let answer = own(&app, &ann, data.clone()).await;
        coded(&answer, "totp-required", "TOTP Required", &needed);
        for wrong in [WRONG_SHA256, PASSWORD, "x"] {
            let mut data = data.clone();
            data["currentPassword"] = json!(wrong);
            let method = json!({"method": "password"});
            coded(&own(&app, &ann, data).await, "totp-invalid", "TOTP Invalid", &method);
        }
    }
    assert_eq!(app.core.user_named("ann").await.unwrap(), account);
    // The address that is there needs nothing.
    own(&app, &ann, json!({"email": "ann@example.com"})).await.ok();
    let data = json!({"email": "new@example.com", "currentPassword": PASSWORD_SHA256});
    let user = own(&app, &ann, data).await.ok();
    assert_eq!(user["user"]["emails"], json!([{"address": "new@example.com", "verified": false}]));
    app.rocket(&other).get("me", &[]).await.ok();
    let data = json!({"newPassword": "n3w", "currentPassword": PASSWORD_SHA256.to_uppercase()});
    own(&app, &ann, data).await.ok();
    // This session goes on, the other one ended, everywhere.
    app.rocket(&ann).get("me", &[]).await.ok();
    logged_out(&app.rocket(&other).get("me", &[]).await);
    app.meepa(&other).get("/auth/me", &[]).await.expect(401);
    let resume = json!({"resume": other.token});
    app.call(Method::POST, "/api/v1/login", &[], Some(&resume)).await.expect(401);
    assert_eq!(
        (logs_in(&app, "ann", "n3w").await, logs_in(&app, "ann", PASSWORD).await),
        (200, 401)
    );
}

/// A setting, what it forbids, how `users.updateOwnBasicInfo` says so, and the text of `users.update`.
type Switch = (&'static str, Value, (&'static str, &'static str, Value), &'static str);

fn switches() -> Vec<Switch> {
    let plain_refusal =
        |method: &str| ("error-not-allowed", "Not allowed", json!({ "method": method }));
    let changing = json!({"method": "setEmail", "action": "Changing_email"});
    let status = json!({"method": "setUserStatus"});
    vec![
        (
            "Accounts_AllowUsernameChange",
            json!({"username": "x"}),
            plain_refusal("setUsername"),
            "Edit username is not allowed",
        ),
        (
            "Accounts_AllowRealNameChange",
            json!({"name": "x"}),
            plain_refusal("setRealName"),
            "Edit user real name is not allowed",
        ),
        (
            "Accounts_AllowEmailChange",
            json!({"email": "x@example.com", "currentPassword": PASSWORD_SHA256}),
            ("error-action-not-allowed", "Changing email is not allowed", changing),
            "Edit user email is not allowed",
        ),
        (
            "Accounts_AllowUserStatusMessageChange",
            json!({"statusText": "x"}),
            ("error-not-allowed", "Change status is not allowed", status),
            "Edit user status is not allowed",
        ),
        (
            "Accounts_AllowPasswordChange",
            json!({"newPassword": "x", "currentPassword": PASSWORD_SHA256}),
            plain_refusal("saveUserProfile"),
            "Edit user password is not allowed",
        ),
        (
            "Accounts_AllowUserProfileChange",
            json!({"bio": "x"}),
            plain_refusal("saveUserProfile"),
            "Edit user profile is not allowed",
        ),
    ]
}

#[tokio::test]
async fn what_the_settings_do_not_let_users_change() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    for (setting, data, (code, reason, details), update_text) in switches() {
        set(&app, &boss, setting, json!(false)).await;
        coded(&own(&app, &ann, data.clone()).await, code, reason, &details);
        let mut wanted = data.clone();
        let fields = wanted.as_object_mut().unwrap();
        fields.remove("currentPassword");
        if let Some(password) = fields.remove("newPassword") {
            fields.insert("password".to_owned(), password);
        }
        not_allowed(&update(&app, &ann, &ann.id, wanted.clone()).await, update_text, "Update_user");
        if setting != "Accounts_AllowUserProfileChange" {
            // What stays as it is is no change, and administrators may.
            own(&app, &ann, json!({"bio": setting})).await.ok();
        }
        set(&app, &boss, setting, json!(true)).await;
    }
    let stored = app.core.user_named("ann").await.unwrap();
    assert_eq!((stored.name.as_deref(), stored.status_text.as_str()), (Some("ann"), ""));
    set(&app, &boss, "Accounts_AllowUsernameChange", json!(false)).await;
    update(&app, &boss, &ann.id, json!({"username": "anna"})).await.ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_who_want_a_name_one_gets_it() {
    let app = app().await;
    let mut users = Vec::new();
    for n in 0..8 {
        users.push(app.user(&format!("user{n}")).await);
    }
    let all = users.iter().map(|user| own(&app, user, json!({"username": "Wanted"})));
    let answers = futures_util::future::join_all(all).await;
    let got = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(got, 1, "{answers:?}");
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(answer.expect(400)["errorType"], "error-field-unavailable");
    }
    let winner = app.core.user_named("wanted").await.unwrap();
    assert!(users.iter().any(|user| user.id == winner.id.as_str()));
    // Of one account, all changes count.
    let one = app.user("one").await;
    let fields = ["bio", "nickname", "statusText", "name"];
    let all = fields.iter().map(|field| own(&app, &one, json!({*field: "x"})));
    for answer in futures_util::future::join_all(all).await {
        answer.ok();
    }
    let me = app.rocket(&one).get("me", &[]).await.ok();
    assert!(fields.iter().all(|field| me[*field] == "x"), "{me}");
}

/// A session that is not its owner's must not be a place to guess at the password.
#[tokio::test]
async fn wrong_passwords_are_counted_and_then_none_is_looked_at() {
    let app = app().await;
    let ann = app.user("ann").await;
    let data = |password: &str| json!({"email": "new@example.com", "currentPassword": password});
    for _ in 0..5 {
        let refused = own(&app, &ann, data(WRONG_SHA256)).await.expect(400);
        assert_ne!(refused["errorType"], "totp-max-attempts");
    }
    let refused = own(&app, &ann, data(PASSWORD_SHA256)).await.expect(400);
    assert_eq!(refused["errorType"], "totp-max-attempts");
    app.clock.move_to(app.clock.now() + 3_600_000);
    own(&app, &ann, data(PASSWORD_SHA256)).await.ok();
}
