//! What administrators change is in the audit, as part of the change, without secrets; and how the audit is
//! read over the wire.

use super::{grant, set};
use crate::app::{TestApp, TestUser, app};
use axum::http::Method;
use serde_json::{Value, json};

const CANARY: &str = "canary-9c1f-secret";

async fn rows(app: &TestApp, boss: &TestUser, query: &[(&str, &str)]) -> Vec<Value> {
    let body = app.rocket(boss).get("audit.list", query).await.ok();
    body["entries"].as_array().expect("entries").clone()
}

/// Does a call and gives what it left in the audit.
async fn left(app: &TestApp, boss: &TestUser, name: &str, body: Value) -> (bool, Vec<Value>) {
    let before = rows(app, boss, &[("count", "400")]).await;
    app.clock.move_to(app.clock.now() + 1);
    let done = app.rocket(boss).post(name, body).await.status.is_success();
    let mut after = rows(app, boss, &[("count", "400")]).await;
    after.truncate(after.len() - before.len());
    (done, after)
}

#[tokio::test]
async fn every_change_of_an_administrator_leaves_one_row() {
    let app = app().await;
    let (boss, ann, bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    let room = app.rocket(&ann).open("bob").await;
    app.rocket(&ann).say(&room, CANARY).await;
    let group = app.rocket(&boss).post("dm.create", json!({"usernames": "ann,bob"})).await.ok();
    let group = group["room"]["_id"].as_str().expect("an id").to_owned();
    let new = json!({"username": "eve", "name": "Eve", "email": "eve@example.com",
        "password": CANARY, "customFields": {}, "bio": CANARY});
    let ann_id = json!({"userId": ann.id});
    let writer = super::roles::made(&app, &boss, json!({"name": "writer"})).await;
    let erase = json!({"msg": "method", "id": "1", "method": "eraseRoom", "params": [room]});
    let calls = [
        ("settings/Site_Name", json!({"value": "Ours"})),
        ("settings/SMTP_Password", json!({ "value": CANARY })),
        ("permissions.update", json!({"permissions": [{"_id": "create-d", "roles": ["admin"]}]})),
        ("roles.create", json!({"name": "editor", "description": "Edits"})),
        ("roles.update", json!({"roleId": "guest", "name": "guest", "mandatory2fa": true})),
        ("roles.addUserToRole", json!({"username": "ann", "roleId": "guest"})),
        ("roles.removeUserFromRole", json!({"username": "ann", "roleName": "guest"})),
        ("roles.delete", json!({ "roleId": writer })),
        ("users.create", new),
        ("users.update", json!({"userId": ann.id, "data": {"bio": "x", "password": CANARY}})),
        ("users.setStatus", json!({"userId": ann.id, "status": "busy", "message": "x"})),
        ("users.setPreferences", json!({"userId": ann.id, "data": {"newRoomNotification": "x"}})),
        ("users.logout", ann_id.clone()),
        ("users.setActiveStatus", json!({"userId": bob.id, "activeStatus": false})),
        (
            "rooms.cleanHistory",
            json!({"roomId": group, "latest": "2030-01-01T00:00:00.000Z",
            "oldest": "2000-01-01T00:00:00.000Z", "inclusive": true}),
        ),
        ("method.call/eraseRoom", json!({"message": erase.to_string()})),
        ("dm.delete", json!({ "roomId": group })),
        ("users.delete", ann_id),
    ];
    app.rocket(&boss).say(&group, "to be cleaned").await;
    for (name, body) in calls {
        let (done, left) = left(&app, &boss, name, body.clone()).await;
        assert!(done, "{name}");
        let action = match name.split_once('/') {
            Some(("method.call", method)) => method,
            Some((name, _)) => name,
            None => name,
        };
        assert_eq!(left.len(), 1, "{name} {left:#?}");
        assert_eq!(left[0]["action"], action, "{name}");
        assert_eq!(left[0]["actor"], json!({"_id": boss.id, "username": "root"}));
        assert!(!left[0].to_string().contains(CANARY), "{name}: {}", left[0]);
        for id in
            ["userId", "roomId", "roleId", "username"].into_iter().filter_map(|id| body.get(id))
        {
            assert!(left[0]["detail"].to_string().contains(&id.to_string()), "{name}");
        }
    }
    let row = rows(&app, &boss, &[("action", "settings")]).await;
    assert_eq!(
        row[1]["detail"],
        json!({"setting": "Site_Name", "from": "Parlance", "to": "Ours"}),
        "{row:#?}"
    );
}

#[tokio::test]
async fn a_refused_change_and_ones_own_affairs_leave_none() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let calls = [
        ("settings/Site_Name", json!({"value": 5})),
        ("settings/None", json!({"value": "x"})),
        ("permissions.update", json!({"permissions": [{"_id": "none", "roles": ["admin"]}]})),
        (
            "users.create",
            json!({"username": "ann", "name": "x", "email": "x@example.com",
            "password": "a password"}),
        ),
        ("users.update", json!({"userId": "none", "data": {"bio": "x"}})),
        ("users.delete", json!({"userId": "none"})),
        ("dm.delete", json!({"roomId": "none"})),
        ("users.setStatus", json!({"status": "busy"})),
        ("users.setStatus", json!({"userId": boss.id, "status": "away"})),
        ("users.createToken", json!({"username": "root"})),
        ("roles.create", json!({"name": "admin"})),
        ("roles.delete", json!({"roleId": "admin"})),
        ("roles.addUserToRole", json!({"username": "root", "roleId": "admin"})),
        ("roles.removeUserFromRole", json!({"username": "root", "roleId": "admin"})),
    ];
    for (name, body) in calls {
        assert_eq!(left(&app, &boss, name, body).await.1, Vec::<Value>::new(), "{name}");
    }
    let refused = app.rocket(&ann).post("settings/Site_Name", json!({"value": "x"})).await;
    refused.expect(403);
    assert_eq!(rows(&app, &boss, &[]).await, Vec::<Value>::new());
}

#[tokio::test]
async fn the_audit_is_filtered_paged_and_exported() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    for n in 0..5 {
        app.clock.move_to(app.clock.now() + 1000);
        set(&app, &boss, "Site_Name", json!(format!("name {n}"))).await;
    }
    let middle = parlance_core::time::iso(app.clock.now());
    app.clock.move_to(app.clock.now() + 1000);
    grant(&app, &boss, "mention-all", &["admin"]).await;
    let found = |body: &Value| -> Vec<String> {
        let entries = body["entries"].as_array().expect("entries");
        entries.iter().map(|row| row["detail"]["to"].to_string()).collect()
    };
    let rocket = app.rocket(&boss);
    let newest = rocket.get("audit.list", &[("action", "settings"), ("count", "2")]).await.ok();
    assert_eq!(
        (found(&newest), &newest["count"]),
        (vec!["\"name 4\"".into(), "\"name 3\"".into()], &json!(2))
    );
    let next = newest["next"].as_str().expect("more");
    let query = [("action", "settings"), ("count", "3"), ("after", next)];
    let rest = rocket.get("audit.list", &query).await.ok();
    assert_eq!(found(&rest), ["\"name 2\"", "\"name 1\"", "\"name 0\""]);
    assert!(rest.get("next").is_none(), "{rest}");
    let all = rocket.get("audit.list", &[("count", "0"), ("actor", "root")]).await.ok();
    let all: Vec<&Value> =
        all["entries"].as_array().unwrap().iter().map(|row| &row["action"]).collect();
    assert_eq!(
        all,
        ["settings", "settings", "settings", "settings", "settings", "permissions.update"]
    );
    assert_eq!(rows(&app, &boss, &[("since", &middle)]).await.len(), 2);
    assert_eq!(rows(&app, &boss, &[("until", &middle)]).await.len(), 4);
    assert_eq!(rows(&app, &boss, &[("actor", &boss.id)]).await.len(), 6);
    for (name, value) in [("actor", "ann"), ("roomId", "none"), ("action", "users.create")] {
        assert_eq!(rows(&app, &boss, &[(name, value)]).await, Vec::<Value>::new(), "{name}");
    }
    for (name, value) in
        [("since", "then"), ("until", "x"), ("count", "-1"), ("after", "x"), ("after", "a.b")]
    {
        let refused = rocket.get("audit.list", &[(name, value)]).await.expect(400);
        assert_eq!(refused["errorType"], "error-invalid-params", "{name}");
    }
    let refused = app.rocket(&ann).get("audit.list", &[("count", "0")]).await.expect(403);
    assert_eq!(
        refused["error"],
        "User does not have the permissions required for this action [error-unauthorized]"
    );
}

/// The row and the answer that is kept for retries are parts of one change.
#[tokio::test]
async fn a_change_that_is_sent_again_leaves_one_row() {
    let app = app().await;
    let boss = app.admin("root").await;
    let headers = [
        ("X-Auth-Token", boss.token.as_str()),
        ("X-User-Id", boss.id.as_str()),
        ("Idempotency-Key", "once"),
    ];
    let body = json!({"username": "eve", "name": "Eve", "email": "eve@example.com",
        "password": "a password"});
    let path = "/api/v1/users.create";
    let first = app.call(Method::POST, path, &headers, Some(&body)).await.ok();
    assert_eq!(app.call(Method::POST, path, &headers, Some(&body)).await.ok(), first);
    assert_eq!(rows(&app, &boss, &[]).await.len(), 1);
}

/// Whoever changes another's message by a right of its own leaves a row: which, whose, where, and nothing of
/// what it says. One's own messages are nobody's affair.
#[tokio::test]
async fn what_is_done_to_messages_of_others_is_told() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let room = app.rocket(&ann).open("root").await;
    let method = |name: &str, params: Value| {
        let text = json!({"msg": "method", "id": "1", "method": name, "params": params});
        (format!("method.call/{name}"), json!({"message": text.to_string()}))
    };
    let route = |name: &str, body: Value| (name.to_owned(), body);
    for (author, rows_of_each) in [(&ann, 1), (&boss, 0)] {
        let mut ids = Vec::new();
        for n in 0..2 {
            let said = app.rocket(author).say(&room, &format!("{CANARY} {n}")).await;
            ids.push(said["_id"].as_str().unwrap().to_owned());
        }
        let (id, other) = (ids[0].as_str(), ids[1].as_str());
        let both = |id: &str| json!({"roomId": room, "msgId": id});
        let edit = json!({"roomId": room, "msgId": id, "text": format!("{CANARY} changed")});
        let again = json!([{"_id": id, "msg": format!("{CANARY} again")}]);
        let calls = [
            route("chat.update", edit),
            method("updateMessage", again.clone()),
            route("chat.pinMessage", json!({ "messageId": id })),
            route("chat.unPinMessage", json!({ "messageId": id })),
            method("pinMessage", json!([{"_id": id}])),
            method("unpinMessage", json!([{"_id": id}])),
            route("chat.delete", both(id)),
            method("deleteMessage", json!([{"_id": other}])),
        ];
        for (name, body) in calls {
            let (done, left) = left(&app, &boss, &name, body).await;
            assert!(done, "{name}");
            assert_eq!(left.len(), rows_of_each, "{name} {left:#?}");
            let Some(row) = left.first() else { continue };
            let which = if name.ends_with("/deleteMessage") { other } else { id };
            let action = name.strip_prefix("method.call/").unwrap_or(&name);
            assert_eq!((&row["action"], &row["rid"]), (&json!(action), &json!(room)), "{name}");
            let author = json!({"_id": ann.id, "username": "ann"});
            assert_eq!(row["detail"], json!({"messageId": which, "author": author}), "{name}");
        }
        // What changes nothing, or is refused, leaves none.
        let said = app.rocket(author).say(&room, "the same").await;
        let same = json!({"roomId": room, "msgId": said["_id"], "text": "the same"});
        assert_eq!(left(&app, &boss, "chat.update", same.clone()).await, (true, vec![]));
        let (name, body) = method("updateMessage", again);
        assert_eq!(left(&app, &boss, &name, body).await, (false, vec![]));
        if rows_of_each == 1 {
            grant(&app, &boss, "edit-message", &["bot"]).await;
            let mut body = same;
            body["text"] = json!("another");
            assert_eq!(left(&app, &boss, "chat.update", body).await, (false, vec![]));
        }
    }
    // It need not be an administrator's right, and the row says whose it was.
    grant(&app, &boss, "delete-message", &["user"]).await;
    let said = app.rocket(&boss).say(&room, CANARY).await;
    let body = json!({"roomId": room, "msgId": said["_id"]});
    app.clock.move_to(app.clock.now() + 1);
    app.rocket(&ann).post("chat.delete", body).await.ok();
    let newest = &rows(&app, &boss, &[("count", "1")]).await[0];
    assert_eq!(newest["actor"], json!({"_id": ann.id, "username": "ann"}));
    assert_eq!(newest["detail"]["author"]["username"], "root");
}
