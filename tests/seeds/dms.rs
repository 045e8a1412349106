//! Document 004 (`GET /api/dms`): every documented key with its type, every parameter.

use super::seed;
use crate::app::app;
use serde_json::{Value, json};

/// Documented keys that are left out where there is nothing to say: a direct conversation has no
/// server or group, nobody has an avatar yet, a top-level message answers nothing, and where nothing
/// was written there is no newest message. The items of `attachments` come with files.
const OMITTED: &[&str] = &["serverId", "groupId", "avatarPath", "threadId", "lastMessage"];

#[track_caller]
fn shaped(got: &Value, want: &Value, at: &str) {
    match (got, want) {
        (Value::Object(got), Value::Object(want)) => {
            for (key, want) in want {
                match got.get(key) {
                    Some(found) => shaped(found, want, &format!("{at}.{key}")),
                    None => assert!(OMITTED.contains(&key.as_str()), "{at}.{key} is missing"),
                }
            }
        }
        (Value::Array(got), Value::Array(want)) => {
            for item in got {
                shaped(item, &want[0], &format!("{at}[]"));
            }
        }
        (Value::String(text), Value::String(sample)) if sample.starts_with("2023-") => {
            assert!(parlance_core::time::parse(text).is_some(), "{at}: {text} is no time");
        }
        _ => assert_eq!(
            std::mem::discriminant(got),
            std::mem::discriminant(want),
            "{at}: {got} for {want}"
        ),
    }
}

#[tokio::test]
async fn dms_have_the_shape_of_document_004() {
    let app = app().await;
    let seed = seed(include_str!("004.json"));
    let (ann, bob, cid) = (app.user("ann").await, app.user("bob").await, app.user("cid").await);
    let old = app.meepa(&ann).open(&bob.id).await;
    app.meepa(&ann).post(&format!("/dms/{old}/messages"), json!({"content": "first"})).await;
    let sent = app.rocket(&bob).say(&old, "hello").await;
    let react = json!({"messageId": sent["_id"], "emoji": "+1"});
    app.rocket(&ann).post("chat.react", react).await.ok();
    app.clock.move_to(app.clock.now() + 60_000);
    let new = app.meepa(&ann).open(&cid.id).await;

    let got = app.meepa(&ann).get("/dms", &[]).await.ok();
    shaped(&got, &seed["answer"], "");
    let ids = |got: &Value| -> Vec<String> {
        let all = got["data"].as_array().unwrap();
        all.iter().map(|row| row["channel"]["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&got), [new.clone(), old.clone()], "by most recent activity");
    assert_eq!(got["data"][0].get("lastMessage"), None, "nothing was written there");
    assert_eq!(got["data"][1]["otherUser"]["id"], bob.id);
    assert_eq!(got["data"][1]["lastMessage"]["content"], "hello");
    assert_eq!(got["data"][1]["lastMessage"]["reactions"][0]["emoji"], "👍");

    let limited = app.meepa(&ann).get("/dms", &[("limit", "1")]).await.ok();
    assert_eq!(ids(&limited), [new]);
    let before = limited["data"][0]["channel"]["createdAt"].as_str().unwrap().to_owned();
    let rest = app.meepa(&ann).get("/dms", &[("limit", "1"), ("before", &before)]).await.ok();
    assert_eq!(ids(&rest), [old]);
    let stranger = app.call(axum::http::Method::GET, "/api/dms", &[], None).await;
    assert_eq!(stranger.expect(401), json!({"error": "unauthorized"}));
}
