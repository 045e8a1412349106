//! Permissions, roles and the server's own word about itself (contract sections 9.4 and 13.1).

use super::{coded, each, grant, keys, plain};
use crate::app::{Answer, START, TestApp, TestUser, app};
use axum::http::Method;
use serde_json::{Value, json};

async fn all(app: &TestApp, user: &TestUser) -> Vec<(String, Value)> {
    let body = app.rocket(user).get("permissions.listAll", &[]).await.ok();
    let update = body["update"].as_array().unwrap().clone();
    update
        .into_iter()
        .map(|one| (one["_id"].as_str().unwrap().to_owned(), one["roles"].clone()))
        .collect()
}

/// A refusal by the text and its type, without the type in the text.
#[track_caller]
fn typed(answer: &Answer, error: &str, kind: &str) {
    let want = json!({"success": false, "error": error, "errorType": kind});
    assert_eq!(answer.expect(400), want);
}

#[tokio::test]
async fn every_permission_with_its_default_roles() {
    let app = app().await;
    let ann = app.user("ann").await;
    let body = app.rocket(&ann).get("permissions.listAll", &[]).await.ok();
    assert_eq!(keys(&body), ["remove", "success", "update"]);
    assert_eq!(body["remove"], json!([]));
    assert_eq!(keys(&body["update"][0]), ["_id", "_updatedAt", "roles"]);
    assert_eq!(body["update"][0]["_updatedAt"], parlance_core::time::iso(START));
    let all = all(&app, &ann).await;
    for (id, roles) in [
        ("create-d", json!(["admin", "user", "bot", "app"])),
        ("view-d-room", json!(["admin", "user", "bot", "app", "guest"])),
        ("view-room-administration", json!(["admin"])),
        ("pin-message", json!(["owner", "moderator", "admin"])),
        ("message-impersonate", json!(["bot", "app"])),
        ("mention-all", json!(["admin", "owner", "moderator", "user"])),
    ] {
        assert!(all.contains(&(id.to_owned(), roles)), "{id}");
    }
}

#[tokio::test]
async fn updated_since() {
    let app = app().await;
    let boss = app.admin("root").await;
    app.clock.move_to(START + 5000);
    grant(&app, &boss, "create-d", &["admin"]).await;
    let since = async |value: &str| {
        let query = [("updatedSince", value)];
        app.rocket(&boss).get("permissions.listAll", &query).await
    };
    let iso = parlance_core::time::iso;
    assert_eq!(each(&since(&iso(START)).await.ok(), "update", "_id"), ["create-d"]);
    assert_eq!(since(&iso(START + 5000)).await.ok()["update"], json!([]));
    assert!(since(&iso(START - 1)).await.ok()["update"].as_array().unwrap().len() > 40);
    for value in ["yesterday", "{\"$gt\":\"\"}", "2026-13-01T00:00:00.000Z"] {
        let text = "The \"updatedSince\" query parameter must be a valid date.";
        coded(&since(value).await, "error-roomId-param-invalid", text, &Value::Null);
    }
}

#[tokio::test]
async fn an_update_is_checked_whole() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let before = all(&app, &boss).await;
    let good = json!({"_id": "create-d", "roles": ["user"]});
    let post = async |user, body: Value| app.rocket(user).post("permissions.update", body).await;
    let not_allowed = "error-edit-permissions-not-allowed";
    for body in [json!({"permissions": [good]}), json!({})] {
        typed(&post(&ann, body).await, "Editing permissions is not allowed", not_allowed);
    }
    for body in [
        json!({}),
        json!({"permissions": null}),
        json!({"permissions": {"$ne": null}}),
        json!({"permissions": "x"}),
        json!({"permissions": [good, "x"]}),
        json!({"permissions": [{"_id": "create-d"}]}),
        json!({"permissions": [{"roles": ["user"]}]}),
        json!({"permissions": [{"_id": {"$ne": null}, "roles": ["user"]}]}),
        json!({"permissions": [{"_id": "create-d", "roles": "user"}]}),
        json!({"permissions": [{"_id": "create-d", "roles": [{"$ne": null}]}]}),
    ] {
        typed(&post(&boss, body).await, "Invalid body params", "error-invalid-body-params");
    }
    for id in ["no-such-thing", "", "__proto__"] {
        let body = json!({"permissions": [good, {"_id": id, "roles": ["user"]}]});
        typed(&post(&boss, body).await, "Invalid permission", "error-invalid-permission");
    }
    let body = json!({"permissions": [good, {"_id": "create-c", "roles": ["user", "emperor"]}]});
    typed(&post(&boss, body).await, "Invalid role", "error-invalid-role");
    assert_eq!(all(&app, &boss).await, before);
    let body = post(&boss, json!({"permissions": [good]})).await.ok();
    let listed = each(&body, "permissions", "_id");
    assert_eq!(listed, before.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>());
    assert!(all(&app, &ann).await.contains(&("create-d".to_owned(), json!(["user"]))));
}

#[tokio::test]
async fn nobody_grants_anything_to_oneself() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    for id in ["access-permissions", "view-room-administration", "view-d-room"] {
        let body = json!({"permissions": [{"_id": id, "roles": ["user"]}]});
        app.rocket(&ann).post("permissions.update", body).await.expect(400);
    }
    app.rocket(&ann).get("dm.list.everyone", &[]).await.expect(403);
    // Given and taken, it counts for the session that is open.
    grant(&app, &boss, "access-permissions", &["admin", "user"]).await;
    grant(&app, &ann, "view-room-administration", &["user"]).await;
    app.rocket(&ann).get("dm.list.everyone", &[]).await.ok();
    grant(&app, &ann, "view-room-administration", &["guest"]).await;
    for user in [&boss, &ann] {
        plain(&app.rocket(user).get("dm.list.everyone", &[]).await, 403, super::LACKS);
    }
    grant(&app, &boss, "access-permissions", &["admin"]).await;
    let body = json!({"permissions": []});
    app.rocket(&ann).post("permissions.update", body).await.expect(400);
}

#[tokio::test]
async fn roles() {
    let app = app().await;
    let ann = app.user("ann").await;
    let body = app.rocket(&ann).get("roles.list", &[]).await.ok();
    let names = each(&body, "roles", "_id");
    for name in
        ["admin", "user", "bot", "app", "guest", "anonymous", "owner", "moderator", "leader"]
    {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
    let scope = |name: &str| {
        let roles = body["roles"].as_array().unwrap();
        roles.iter().find(|role| role["_id"] == name).unwrap()["scope"].clone()
    };
    assert_eq!((scope("owner"), scope("user")), (json!("Subscriptions"), json!("Users")));
    let keys = keys(&body["roles"][0]);
    assert_eq!(keys, ["_id", "description", "mandatory2fa", "name", "protected", "scope"]);
}

#[tokio::test]
async fn the_server_says_which_version_it_speaks() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    for path in ["/api/info", "/api/v1/info"] {
        let body = app.call(Method::GET, path, &[], None).await.ok();
        assert_eq!(keys(&body), ["info", "minimumClientVersions", "success", "version"]);
        assert_eq!(body["version"].as_str().unwrap().split('.').count(), 2);
        assert!(body["version"].as_str().unwrap().starts_with("7."));
        assert!(body["info"]["version"].as_str().unwrap().starts_with("7."));
        assert_eq!(keys(&body["info"]), ["version"]);
        assert_eq!(keys(&body["minimumClientVersions"]), ["desktop", "mobile"]);
    }
    let version = async |user| app.rocket(user).get("info", &[]).await.ok()["version"].clone();
    assert_eq!(version(&ann).await.as_str().unwrap().split('.').count(), 2);
    assert_eq!(version(&boss).await.as_str().unwrap().split('.').count(), 3);
    let full = app.rocket(&boss).get("info", &[]).await.ok();
    assert_eq!(keys(&full["info"]), ["build", "commit", "marketplaceApiVersion", "version"]);
    assert_eq!(keys(&full["info"]["build"]), ["arch", "cpus", "platform"]);
    assert_eq!(keys(&app.rocket(&ann).get("info", &[]).await.ok()["info"]), ["version"]);
}
