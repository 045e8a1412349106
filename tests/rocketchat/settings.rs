//! Settings (contract section 9.4): who reads which, who changes one, and that it counts at once.

use super::{coded, each, keys, plain, schema, set};
use crate::app::{Answer, TestApp, app};
use axum::http::Method;
use serde_json::{Value, json};

async fn public(app: &TestApp, query: &[(&str, &str)]) -> Answer {
    let path = crate::app::with_query("/api/v1/settings.public", query);
    app.call(Method::GET, &path, &[], None).await
}

#[tokio::test]
async fn public_ones_need_no_login() {
    let app = app().await;
    let body = public(&app, &[("count", "0")]).await.ok();
    let ids = each(&body, "settings", "_id");
    assert!(ids.is_sorted() && ids.len() > 40, "{}", ids.len());
    assert_eq!(
        json!([body["count"], body["offset"], body["total"]]),
        json!([ids.len(), 0, ids.len()])
    );
    assert!(body["settings"].as_array().unwrap().iter().all(|one| one["public"] == true));
    assert!(ids.iter().any(|id| id == "DirectMesssage_maxUsers"));
    for secret in ["API_Default_Count", "API_Enable_CORS", "Accounts_BlockedUsernameList"] {
        assert!(!ids.iter().any(|id| id == secret), "{secret}");
    }
    assert_eq!(
        keys(&body["settings"][0]),
        ["_id", "_updatedAt", "enterprise", "public", "type", "value"]
    );
    let usual = public(&app, &[]).await.ok();
    assert_eq!((&usual["count"], &usual["total"]), (&json!(50.min(ids.len())), &body["total"]));
}

#[tokio::test]
async fn paging_ids_sort_query_and_fields() {
    let app = app().await;
    let two = "Site_Name, Message_MaxAllowedSize";
    for (query, want) in [
        (&[("_id", "Site_Name")][..], &["Site_Name"][..]),
        (&[("_id", two)], &["Message_MaxAllowedSize", "Site_Name"]),
        (
            &[("_id[]", "Site_Name"), ("_id[]", "Message_MaxAllowedSize")],
            &["Message_MaxAllowedSize", "Site_Name"],
        ),
        (&[("_id", two), ("sort", r#"{"_id":-1}"#)], &["Site_Name", "Message_MaxAllowedSize"]),
        (&[("_id", two), ("sort", r#"{"value":1}"#)], &["Message_MaxAllowedSize", "Site_Name"]),
        (&[("_id", two), ("offset", "1")], &["Site_Name"]),
        (&[("_id", two), ("count", "1")], &["Message_MaxAllowedSize"]),
        (&[("_id", "API_Default_Count")], &[]),
        (&[("_id", "{\"$ne\":null}")], &[]),
        (&[("query", r#"{"_id":{"$regex":"^Site_Na"}}"#)], &["Site_Name"]),
        (&[("query", r#"{"_id":{"$in":["Site_Name","API_Default_Count"]}}"#)], &["Site_Name"]),
        (&[("query", r#"{"value":5000}"#)], &["Message_MaxAllowedSize"]),
        (&[("query", r#"{"public":false}"#)], &[]),
        (&[("query", r#"{"$or":[{"public":false},{"_id":"Site_Name"}]}"#)], &["Site_Name"]),
    ] {
        let body = public(&app, query).await.ok();
        assert_eq!(each(&body, "settings", "_id"), want, "{query:?}");
    }
    let query = [("_id", "Site_Name"), ("fields", r#"{"value":1}"#)];
    let body = public(&app, &query).await.ok();
    assert_eq!(body["settings"], json!([{"_id": "Site_Name", "value": "Parlance"}]));
    let total = public(&app, &[("_id", two), ("count", "1")]).await.ok();
    assert_eq!((&total["count"], &total["total"]), (&json!(1), &json!(2)));
    schema(&public(&app, &[("count", "abc")]).await, "must be number");
    let answer = public(&app, &[("query", "{")]).await;
    let helper = json!({"helperMethod": "parseJsonQuery"});
    coded(&answer, "error-invalid-query", "Invalid query parameter provided: \"{\"", &helper);
}

#[tokio::test]
async fn an_administrator_sees_all_and_a_user_the_public_ones() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let all = app.rocket(&boss).get("settings", &[("count", "0")]).await.ok();
    let some = app.rocket(&ann).get("settings", &[("count", "0")]).await.ok();
    assert!(all["total"].as_i64() > some["total"].as_i64());
    assert_eq!(some["total"], public(&app, &[]).await.ok()["total"]);
    assert!(each(&all, "settings", "_id").iter().any(|id| id == "API_Default_Count"));
    for name in ["settings/API_Default_Count", "settings/Site_Name", "settings/None_Such"] {
        plain(&app.rocket(&ann).get(name, &[]).await, 403, "unauthorized");
        plain(&app.rocket(&ann).post(name, json!({"value": 1})).await, 403, "unauthorized");
    }
    let one = app.rocket(&boss).get("settings/API_Default_Count", &[]).await.ok();
    assert_eq!(one, json!({"_id": "API_Default_Count", "value": 50, "success": true}));
    super::grant(&app, &boss, "view-privileged-setting", &["user"]).await;
    app.rocket(&ann).get("settings/API_Default_Count", &[]).await.ok();
    super::grant(&app, &boss, "view-privileged-setting", &["guest"]).await;
    plain(&app.rocket(&boss).get("settings/API_Default_Count", &[]).await, 403, "unauthorized");
}

#[tokio::test]
async fn unknown_ones_and_wrong_values() {
    let app = app().await;
    let boss = app.admin("root").await;
    let bare = json!({"success": false});
    for id in ["None_Such", "site_name", "__proto__", "%00", "..", "$ne"] {
        let name = format!("settings/{id}");
        assert_eq!(app.rocket(&boss).get(&name, &[]).await.expect(400), bare, "{id}");
        assert_eq!(
            app.rocket(&boss).post(&name, json!({"value": 1})).await.expect(400),
            bare,
            "{id}"
        );
    }
    for body in [json!({}), json!({"editor": "color"})] {
        let answer = app.rocket(&boss).post("settings/Site_Name", body).await;
        assert_eq!(answer.expect(400), bare);
    }
    let before = app.rocket(&boss).get("settings", &[("count", "0")]).await.ok();
    for (id, value) in [
        ("API_Default_Count", json!("many")),
        ("API_Default_Count", json!(1.5)),
        ("API_Default_Count", json!(null)),
        ("API_Default_Count", json!({"$gt": 0})),
        ("API_Default_Count", json!(true)),
        ("Threads_enabled", json!("maybe")),
        ("Threads_enabled", json!(1)),
        ("Site_Name", json!(1)),
        ("Site_Name", json!({"$ne": null})),
        ("Site_Name", json!(["x"])),
        ("Hide_System_Messages", json!([1])),
        ("Hide_System_Messages", json!("x")),
        ("UTF8_User_Names_Validation", json!("(")),
        ("UTF8_User_Names_Validation", json!("a".repeat(1000))),
    ] {
        let answer =
            app.rocket(&boss).post(&format!("settings/{id}"), json!({"value": value})).await;
        let text = format!("Invalid value for {id}");
        coded(&answer, "error-invalid-setting-value", &text, &Value::Null);
    }
    let after = app.rocket(&boss).get("settings", &[("count", "0")]).await.ok();
    assert_eq!(before, after);
}

#[tokio::test]
async fn a_change_is_seen_at_once() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    app.clock.move_to(app.clock.now() + 60_000);
    for (id, value) in [
        ("Site_Name", json!("Our place")),
        ("API_Default_Count", json!(1)),
        ("Threads_enabled", json!(false)),
        ("Hide_System_Messages", json!(["uj"])),
        ("Message_MaxAll", json!(7)),
    ] {
        set(&app, &boss, id, value.clone()).await;
        let one = app.rocket(&boss).get(&format!("settings/{id}"), &[]).await.ok();
        assert_eq!(one["value"], value);
    }
    // Texts are read, because the environment knows nothing else.
    set(&app, &boss, "API_Default_Count", json!("2")).await;
    assert_eq!(app.rocket(&boss).get("settings/API_Default_Count", &[]).await.ok()["value"], 2);
    let body = public(&app, &[("_id", "Site_Name")]).await.ok();
    assert_eq!(body["settings"][0]["value"], "Our place");
    assert_eq!(body["settings"][0]["_updatedAt"], parlance_core::time::iso(app.clock.now()));
    app.rocket(&ann).open("ann").await;
    app.rocket(&ann).open("root").await;
    app.rocket(&ann).open("rocket.cat").await;
    assert_eq!(app.rocket(&ann).get("dm.list", &[]).await.ok()["count"], 2);
    assert_eq!(public(&app, &[]).await.ok()["count"], 2);
}
