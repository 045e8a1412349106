//! Roles (contract section 9.4): making, changing and removing them, what each says no to, and what changed
//! since.

use super::{LACKS, coded, each, grant, keys, plain};
use crate::app::{Answer, START, TestApp, TestUser, app};
use parlance_core::time;
use serde_json::{Value, json};

/// Makes a role; gives its id.
pub(super) async fn made(app: &TestApp, boss: &TestUser, body: Value) -> String {
    let answer = app.rocket(boss).post("roles.create", body).await.ok();
    answer["role"]["_id"].as_str().unwrap().to_owned()
}

pub(super) async fn editor(app: &TestApp, boss: &TestUser) -> String {
    made(app, boss, json!({"name": "editor"})).await
}

/// Gives a role to somebody.
pub(super) async fn give(app: &TestApp, boss: &TestUser, user: &TestUser, role: &str) -> Answer {
    let body = json!({"username": user.username, "roleId": role});
    app.rocket(boss).post("roles.addUserToRole", body).await
}

pub(super) async fn take(app: &TestApp, boss: &TestUser, user: &TestUser, role: &str) -> Answer {
    let body = json!({"username": user.username, "roleId": role});
    app.rocket(boss).post("roles.removeUserFromRole", body).await
}

/// A role of the list, as anybody sees it.
async fn listed(app: &TestApp, user: &TestUser, id: &str) -> Value {
    let body = app.rocket(user).get("roles.list", &[]).await.ok();
    let all = body["roles"].as_array().unwrap();
    all.iter().find(|role| role["_id"] == id).cloned().unwrap_or(Value::Null)
}

#[track_caller]
pub(super) fn properties(answer: &Answer) {
    let text = "The role properties are invalid.";
    coded(answer, "error-invalid-role-properties", text, &Value::Null);
}

#[tokio::test]
async fn a_role_is_made_as_it_is_described() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    app.clock.move_to(START + 1000);
    let body = json!({"name": " editor ", "description": "Edits", "scope": "Subscriptions",
        "mandatory2fa": true});
    let answer = app.rocket(&boss).post("roles.create", body).await.ok();
    let mut role = answer["role"].clone();
    assert_eq!(keys(&answer), ["role", "success"]);
    let id = role["_id"].as_str().unwrap().to_owned();
    assert_eq!(
        role,
        json!({"_id": id, "name": "editor", "description": "Edits", "scope": "Subscriptions",
            "protected": false, "mandatory2fa": true, "_updatedAt": time::iso(START + 1000)})
    );
    role.as_object_mut().unwrap().remove("_updatedAt");
    assert_eq!(listed(&app, &ann, &id).await, role);
    let plain = app.rocket(&boss).post("roles.create", json!({"name": "writer"})).await.ok();
    let plain = &plain["role"];
    assert_eq!(
        (&plain["scope"], &plain["description"], &plain["mandatory2fa"]),
        (&json!("Users"), &json!(""), &json!(false))
    );
}

#[tokio::test]
async fn making_and_changing_say_what_is_wrong() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let id = editor(&app, &boss).await;
    let create = async |user, body: Value| app.rocket(user).post("roles.create", body).await;
    let update = async |user, body: Value| app.rocket(user).post("roles.update", body).await;
    let denied = "Accessing permissions is not allowed";
    let code = "error-action-not-allowed";
    coded(&create(&ann, json!({"name": "x"})).await, code, denied, &Value::Null);
    coded(&update(&ann, json!({"roleId": id, "name": "x"})).await, code, denied, &Value::Null);
    for body in [
        json!({}),
        json!({"name": {"$ne": null}}),
        json!({"name": "x", "scope": []}),
        json!({"name": "x", "description": {}}),
        json!({"name": "x", "mandatory2fa": "maybe"}),
        json!({"name": "x", "protected": true}),
        json!({"name": "x", "_id": "chosen"}),
    ] {
        properties(&create(&boss, body.clone()).await);
        let mut body = body;
        properties(&update(&boss, body.clone()).await);
        body["roleId"] = json!(id);
        properties(&update(&boss, body).await);
    }
    let (long, word) = ("x".repeat(121), "x".repeat(1001));
    for (name, what) in [("", "name"), (" ", "name"), (&*long, "name"), ("a\nb", "name")] {
        let answer = create(&boss, json!({"name": name})).await;
        let text = format!("The \"{what}\" parameter is not valid.");
        coded(&answer, "error-invalid-params", &text, &Value::Null);
    }
    let answer = update(&boss, json!({"roleId": id, "name": "x", "description": word})).await;
    let text = "The \"description\" parameter is not valid.";
    coded(&answer, "error-invalid-params", text, &Value::Null);
    let answer = create(&boss, json!({"name": "x", "scope": "Rooms"})).await;
    coded(&answer, "error-invalid-scope", "Invalid scope", &Value::Null);
    let (taken, text) = ("error-duplicate-role-names-not-allowed", "Role name already exists");
    for name in ["editor", "admin"] {
        coded(&create(&boss, json!({"name": name})).await, taken, text, &Value::Null);
    }
    let answer = update(&boss, json!({"roleId": id, "name": "admin"})).await;
    coded(&answer, taken, text, &Value::Null);
    let answer = update(&boss, json!({"roleId": "none", "name": "x"})).await;
    coded(&answer, "error-invalid-roleId", "This role does not exist", &Value::Null);
    // A name is no id here.
    let answer = update(&boss, json!({"roleId": "editor", "name": "x"})).await;
    coded(&answer, "error-invalid-roleId", "This role does not exist", &Value::Null);
    for change in [json!({"name": "boss"}), json!({"name": "admin", "scope": "Subscriptions"})] {
        let mut body = change;
        body["roleId"] = json!("admin");
        let answer = update(&boss, body).await;
        coded(&answer, "error-role-protected", "Role is protected", &Value::Null);
    }
    assert_eq!(app.core.roles().len(), 12);
    assert_eq!(listed(&app, &ann, &id).await["name"], "editor");
}

#[tokio::test]
async fn a_change_leaves_what_it_does_not_name() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let body = json!({"name": "editor", "description": "Edits", "mandatory2fa": true});
    let id = made(&app, &boss, body).await;
    let body = json!({"roleId": id, "name": "writer"});
    let role = app.rocket(&boss).post("roles.update", body).await.ok()["role"].clone();
    assert_eq!(
        (&role["name"], &role["description"], &role["mandatory2fa"], &role["scope"]),
        (&json!("writer"), &json!("Edits"), &json!(true), &json!("Users"))
    );
    let body = json!({"roleId": id, "name": "writer", "description": "", "mandatory2fa": false,
        "scope": "Subscriptions"});
    app.rocket(&boss).post("roles.update", body).await.ok();
    assert_eq!(
        listed(&app, &ann, &id).await,
        json!({"_id": id, "name": "writer", "description": "", "scope": "Subscriptions",
            "protected": false, "mandatory2fa": false})
    );
    // A built-in one has another description if somebody wants that.
    let body = json!({"roleId": "guest", "name": "guest", "description": "Visitors"});
    app.rocket(&boss).post("roles.update", body).await.ok();
    assert_eq!(listed(&app, &ann, "guest").await["description"], "Visitors");
    // The name that it had is free again.
    editor(&app, &boss).await;
}

#[tokio::test]
async fn a_role_that_is_removed_leaves_every_grant() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let (id, other) =
        (editor(&app, &boss).await, made(&app, &boss, json!({"name": "other"})).await);
    grant(&app, &boss, "create-d", &[&id, "user"]).await;
    grant(&app, &boss, "edit-room", &["admin", &id, &other]).await;
    grant(&app, &boss, "delete-d", &["admin", &id]).await;
    grant(&app, &boss, "view-history", &[&id]).await;
    let delete = async |user, body: Value| app.rocket(user).post("roles.delete", body).await;
    plain(&delete(&ann, json!({"roleId": id})).await, 403, LACKS);
    for body in [json!({}), json!({"roleId": {"$ne": null}}), json!({"roleId": id, "x": 1})] {
        properties(&delete(&boss, body).await);
    }
    for none in ["none", "editor", ""] {
        let answer = delete(&boss, json!({ "roleId": none })).await;
        coded(&answer, "error-invalid-roleId", "This role does not exist", &Value::Null);
    }
    let answer = delete(&boss, json!({"roleId": "guest"})).await;
    coded(&answer, "error-role-protected", "Cannot delete a protected role", &Value::Null);
    give(&app, &boss, &ann, &id).await.ok();
    let answer = delete(&boss, json!({ "roleId": id })).await;
    let text = "Cannot delete role because it's in use";
    coded(&answer, "error-role-in-use", text, &Value::Null);
    take(&app, &boss, &ann, &id).await.ok();
    app.clock.move_to(START + 5000);
    assert_eq!(delete(&boss, json!({ "roleId": id })).await.ok(), json!({"success": true}));
    let grants = app.rocket(&ann).get("permissions.listAll", &[]).await.ok();
    let roles = |perm: &str| {
        let all = grants["update"].as_array().unwrap();
        all.iter().find(|one| one["_id"] == perm).unwrap()["roles"].clone()
    };
    assert_eq!(roles("create-d"), json!(["user"]));
    assert_eq!(roles("edit-room"), json!(["admin", other]));
    assert_eq!(roles("delete-d"), json!(["admin"]));
    assert_eq!(roles("view-history"), json!([]));
    // Those that were changed say so, and no others.
    let since = [("updatedSince", time::iso(START + 4999))];
    let since = since.each_ref().map(|(name, at)| (*name, at.as_str()));
    let changed = app.rocket(&ann).get("permissions.listAll", &since).await.ok();
    assert_eq!(
        each(&changed, "update", "_id"),
        ["create-d", "delete-d", "edit-room", "view-history"]
    );
    assert_eq!(listed(&app, &ann, &id).await, Value::Null);
    // It is no role any more, for anybody.
    let answer = give(&app, &boss, &ann, &id).await;
    let want = json!({"success": false, "error": "error-role-not-found",
        "errorType": "Role not found"});
    assert_eq!(answer.expect(400), want);
    let body = json!({"permissions": [{"_id": "create-d", "roles": [id]}]});
    app.rocket(&boss).post("permissions.update", body).await.expect(400);
}

#[tokio::test]
async fn what_changed_since() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let sync = async |query: &[(&str, &str)]| app.rocket(&ann).get("roles.sync", query).await;
    let body = sync(&[]).await.ok();
    assert_eq!(keys(&body), ["roles", "success"]);
    assert_eq!(keys(&body["roles"]), ["remove", "update"]);
    assert_eq!(body["roles"]["update"].as_array().unwrap().len(), 11);
    assert_eq!(body["roles"]["remove"], json!([]));
    assert_eq!(body["roles"]["update"][0]["_updatedAt"], time::iso(START));
    let mut ids = Vec::new();
    for (n, name) in ["one", "two", "three"].into_iter().enumerate() {
        app.clock.move_to(START + 1000 * (i64::try_from(n).unwrap() + 1));
        ids.push(made(&app, &boss, json!({ "name": name })).await);
    }
    app.clock.move_to(START + 9000);
    app.rocket(&boss).post("roles.delete", json!({"roleId": ids[1]})).await.ok();
    let iso = time::iso(START + 3000);
    let body = sync(&[("updatedSince", &iso)]).await.ok();
    assert_eq!(each(&body["roles"], "update", "_id"), [ids[2].as_str()]);
    let gone = json!([{"_id": ids[1], "_deletedAt": time::iso(START + 9000)}]);
    assert_eq!(body["roles"]["remove"], gone);
    let later = time::iso(START + 9001);
    let body = sync(&[("updatedSince", &later)]).await.ok();
    assert_eq!(body["roles"], json!({"update": [], "remove": []}));
    for bad in ["yesterday", "{\"$gt\":\"\"}", ""] {
        let text = "The \"updatedSince\" query parameter must be a valid date.";
        let answer = sync(&[("updatedSince", bad)]).await;
        coded(&answer, "error-updatedSince-param-invalid", text, &Value::Null);
    }
}

#[tokio::test]
async fn there_are_not_more_than_may_be() {
    let app = app().await;
    let boss = app.admin("root").await;
    for n in app.core.roles().len()..200 {
        made(&app, &boss, json!({"name": format!("role {n}")})).await;
    }
    let answer = app.rocket(&boss).post("roles.create", json!({"name": "one more"})).await;
    coded(&answer, "error-too-many-roles", "Too many roles", &Value::Null);
    assert_eq!(app.core.roles().len(), 200);
}
