//! Sessions on sockets (contract section 11.3): how they begin, and everything that ends them.

use super::client::{Client, listen};
use crate::app::{DIGEST, PASSWORD, WRONG_SHA256, app};
use serde_json::json;

#[tokio::test]
async fn every_form_of_a_login_works_and_every_wrong_one_is_refused_alike() {
    let app = app().await;
    let at = listen(&app).await;
    let ann = app.user("ann").await;
    let digest = |hex: &str| json!({"digest": hex, "algorithm": "sha-256"});
    let forms = [
        json!({"resume": ann.token}),
        json!({"user": {"username": "ann"}, "password": PASSWORD}),
        json!({"user": {"username": "ann"}, "password": digest(DIGEST)}),
        json!({"user": {"email": "ann@example.com"}, "password": digest(DIGEST)}),
        json!({"totp": {"login": {"user": {"username": "ann"}, "password": digest(DIGEST)}, "code": "1"}}),
    ];
    for form in forms {
        let mut client = Client::connect(&at).await;
        let result = client.ok("login", json!([form])).await;
        assert_eq!(result["id"], ann.id);
        let kind = if form.get("resume").is_some() { "resume" } else { "password" };
        assert_eq!(result["type"], kind);
        assert!(result["tokenExpires"]["$date"].as_i64().unwrap() > app.clock.now());
        let own = client.kept().find(|frame| frame["msg"] == "added").unwrap();
        assert_eq!((&own["collection"], &own["id"]), (&json!("users"), &json!(ann.id)));
        assert_eq!(own["fields"]["username"], "ann");
        // The token is one for REST, too.
        let token = result["token"].as_str().unwrap();
        assert!(app.core.caller(token, Some(&ann.id)).await.is_ok());
    }
    let mut client = Client::connect(&at).await;
    let wrong = [
        json!({"user": {"username": "ann"}, "password": "wrong"}),
        json!({"user": {"username": "ann"}, "password": digest(WRONG_SHA256)}),
        json!({"user": {"username": "nobody"}, "password": "wrong"}),
        json!({"user": {"username": {"$gt": ""}}, "password": PASSWORD}),
        json!({"user": {"username": "ann"}, "password": {"$ne": ""}}),
        json!({}),
    ];
    for form in wrong {
        let error = client.refused("login", json!([form])).await;
        assert_eq!(
            (&error["error"], &error["reason"]),
            (&json!(403), &json!("Incorrect password"))
        );
    }
    for form in [json!({"resume": "no such token"}), json!({"resume": {"$exists": true}})] {
        let error = client.refused("login", json!([form])).await;
        assert_eq!(error["error"], 403);
        assert!(error["reason"].as_str().unwrap().contains("logged out by the server"), "{error}");
    }
}
