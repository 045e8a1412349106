//! `dm.files` (contract section 5.11): the parameters and the rights are those of the real list.

use super::{coded, plain, schema};
use crate::app::app;
use serde_json::json;

#[tokio::test]
async fn a_member_reads_an_empty_list() {
    let app = app().await;
    let (ann, eve) = (app.user("ann").await, app.user("eve").await);
    app.user("bob").await;
    let room = app.rocket(&ann).open("bob").await;
    app.rocket(&ann).say(&room, "no file").await;
    for name in ["dm.files", "im.files"] {
        for param in [("roomId", room.as_str()), ("username", "bob")] {
            let query = [param, ("offset", "2"), ("sort", r#"{"name":1}"#), ("typeGroup", "image")];
            let body = app.rocket(&ann).get(name, &query).await.ok();
            let want = json!({"files": [], "count": 0, "offset": 2, "total": 0, "success": true});
            assert_eq!(body, want);
        }
    }
    plain(&app.rocket(&eve).get("dm.files", &[("roomId", &room)]).await, 403, "unauthorized");
}

#[tokio::test]
async fn the_parameters_are_checked_as_the_contract_says() {
    let app = app().await;
    let ann = app.user("ann").await;
    let room = app.rocket(&ann).open("ann").await;
    let get = async |query: &[(&str, &str)]| app.rocket(&ann).get("dm.files", query).await;
    schema(
        &get(&[]).await,
        "must have required property 'roomId'\n must have required property 'username'\n \
         must match exactly one schema in oneOf",
    );
    let both = [("roomId", room.as_str()), ("username", "ann")];
    schema(&get(&both).await, "must match exactly one schema in oneOf");
    let fields = [("roomId", room.as_str()), ("fields", "{}")];
    let body = get(&fields).await.expect(400);
    assert!(body["error"].as_str().unwrap().starts_with("must NOT have additional properties"));
    let query = [("roomId", room.as_str()), ("query", r#"{"$where":"1"}"#)];
    let text = "Invalid query parameter provided: \"{\"$where\":\"1\"}\"";
    let helper = json!({"helperMethod": "parseJsonQuery"});
    coded(&get(&query).await, "error-invalid-query", text, &helper);
}
