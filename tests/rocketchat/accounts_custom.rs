//! Fields of accounts that the operator defines (`Accounts_CustomFields`).

use super::{coded, schema, set};
use crate::app::{TestApp, TestUser, app};
use axum::http::Method;
use serde_json::{Value, json};

const FIELDS: &str = "Accounts_CustomFields";

fn fields() -> Value {
    json!({
        "team": {"type": "select", "options": ["red", "blue"], "defaultValue": "red", "required": true, "public": true},
        "phone": {"type": "text", "minLength": 3, "maxLength": 6},
        "badge": {"type": "text", "required": true},
    })
}

async fn define(app: &TestApp, boss: &TestUser) {
    set(app, boss, FIELDS, json!(fields().to_string())).await;
}

#[tokio::test]
async fn values_are_checked_and_only_the_public_ones_shown() {
    let app = app().await;
    let (boss, ann, bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    let own = async |fields: Value| {
        let body = json!({"data": {}, "customFields": fields});
        app.rocket(&ann).post("users.updateOwnBasicInfo", body).await
    };
    // Without a definition nothing is kept.
    assert!(own(json!({"badge": "7"})).await.ok()["user"].get("customFields").is_none());
    define(&app, &boss).await;
    let method = json!({"method": "registerUser"});
    for (values, text) in [
        (json!({}), "Field badge is required"),
        (json!({"badge": "  "}), "Field badge is required"),
        (json!({"badge": 1}), "Value for field badge is invalid"),
        (json!({"badge": {"$ne": null}}), "Value for field badge is invalid"),
        (json!({"badge": "7", "team": "green"}), "Value for field team is invalid"),
        (json!({"badge": "7", "phone": "12"}), "Min length of field phone is 3"),
        (json!({"badge": "7", "phone": "1234567"}), "Max length of field phone is 6"),
        (json!({"badge": "x".repeat(2000)}), "Max length of field badge is 1024"),
    ] {
        coded(&own(values).await, "error-user-registration-custom-field", text, &method);
    }
    let user = own(json!({"badge": "7", "phone": "12345", "unknown": "x"})).await.ok();
    let all = json!({"badge": "7", "phone": "12345", "team": "red"});
    assert_eq!(user["user"]["customFields"], all);
    assert_eq!(app.rocket(&ann).get("me", &[]).await.ok()["customFields"], all);
    let info = async |user: &TestUser| {
        app.rocket(user).get("users.info", &[("username", "ann")]).await.ok()["user"]["customFields"].clone()
    };
    assert_eq!((info(&bob).await, info(&boss).await), (json!({"team": "red"}), all));
    // One that is not named stays; an administrator changes them too.
    let body = json!({"userId": ann.id, "data": {"customFields": {"team": "blue"}}});
    let user = app.rocket(&boss).post("users.update", body).await.ok();
    assert_eq!(
        user["user"]["customFields"],
        json!({"badge": "7", "phone": "12345", "team": "blue"})
    );
    // Taken off, an optional one is gone.
    let user = own(json!({"phone": ""})).await.ok();
    assert_eq!(user["user"]["customFields"], json!({"badge": "7", "team": "blue"}));
}

#[tokio::test]
async fn new_accounts_have_them() {
    let app = app().await;
    let boss = app.admin("root").await;
    define(&app, &boss).await;
    let new = json!({"username": "zoe", "name": "Zoe", "email": "zoe@example.com", "password": "p", "pass": "p"});
    let with = |fields: Value| {
        let mut body = new.clone();
        body["customFields"] = fields;
        body
    };
    let create = async |body: Value| app.rocket(&boss).post("users.create", body).await;
    let register = async |body: Value| {
        app.call(Method::POST, "/api/v1/users.register", &[], Some(&body)).await
    };
    let missing = json!({"team": "red"});
    for answer in [create(with(missing.clone())).await, register(with(missing)).await] {
        let method = json!({"method": "registerUser"});
        coded(&answer, "error-user-registration-custom-field", "Field badge is required", &method);
    }
    for answer in [create(with(json!("x"))).await, register(with(json!(["x"]))).await] {
        schema(&answer, "must be object");
    }
    let made = create(with(json!({"badge": "1", "x": "y"}))).await.ok();
    assert_eq!(made["user"]["customFields"], json!({"badge": "1", "team": "red"}));
    let mut body = with(json!({"badge": "2"}));
    body["username"] = json!("eve");
    body["email"] = json!("eve@example.com");
    let made = register(body).await.ok();
    assert_eq!(made["user"]["customFields"], json!({"team": "red"}), "as others see it");
}

#[tokio::test]
async fn a_definition_is_json() {
    let app = app().await;
    let boss = app.admin("root").await;
    for text in ["{", "[]", "1", "{\"a\": 1}"] {
        let path = format!("settings/{FIELDS}");
        app.rocket(&boss).post(&path, json!({"value": text})).await.expect(400);
    }
    define(&app, &boss).await;
    set(&app, &boss, FIELDS, json!("")).await;
    let shown = app.rocket(&boss).get("settings.public", &[("_id", FIELDS)]).await.ok();
    assert_eq!(shown["settings"][0]["value"], "");
}
