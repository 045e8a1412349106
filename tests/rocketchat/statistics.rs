//! `statistics` and `statistics.list` (contract section 9.4): right counts, for who may see them, and made
//! at most once an hour.

use super::talk::Talk;
use super::{keys, plain, schema};
use parlance_core::time;
use serde_json::{Value, json};

#[tokio::test]
async fn counts_of_everything_once_an_hour() {
    let talk = Talk::new().await;
    let root = talk.say(&talk.ann, &talk.pair, "root").await;
    talk.reply(&talk.bob, &root, "reply", false).await;
    talk.pin(&talk.ann, &root).await;
    let star = json!({"messageId": root["_id"]});
    talk.post(&talk.bob, "chat.starMessage", star).await.ok();
    talk.say(&talk.ann, &talk.group, "more").await;
    talk.post(&talk.bob, "users.setStatus", json!({"status": "busy"})).await.ok();
    talk.post(&talk.cat, "users.setStatus", json!({"status": "away"})).await.ok();
    talk.post(&talk.ann, "users.setStatus", json!({"status": "online"})).await.ok();
    let off = parlance_core::account::Authority::Operator;
    talk.app.core.set_active(off, &talk.eve.id.as_str().into(), false).await.unwrap();
    let now = talk.tick();
    let body = talk.get(&talk.boss, "statistics", &[]).await.ok();
    for (name, want) in [
        ("totalUsers", 6),
        ("activeUsers", 5),
        ("nonActiveUsers", 1),
        ("activeGuests", 0),
        ("appUsers", 0),
        ("onlineUsers", 1),
        ("awayUsers", 1),
        ("busyUsers", 1),
        ("totalConnectedUsers", 3),
        ("offlineUsers", 2),
        ("totalRooms", 2),
        ("totalDirect", 2),
        ("totalChannels", 0),
        ("totalMessages", 4),
        ("totalDirectMessages", 4),
        ("totalThreads", 1),
        ("totalPinned", 1),
        ("totalStarred", 1),
        ("uploadsTotal", 0),
    ] {
        assert_eq!(body[name], want, "{name}");
    }
    assert_eq!(body["createdAt"], time::iso(now));
    assert_eq!(body["installedAt"], time::iso(crate::app::START));
    assert_eq!(body["version"].as_str().unwrap().split('.').count(), 3);
    // For an hour the same, whoever asks how.
    talk.say(&talk.ann, &talk.group, "later").await;
    talk.app.clock.move_to(now + 3_599_999);
    for query in [&[][..], &[("refresh", "true")]] {
        assert_eq!(talk.get(&talk.boss, "statistics", query).await.ok(), body);
    }
    talk.app.clock.move_to(now + 3_600_000);
    let fresh = talk.get(&talk.boss, "statistics", &[("refresh", "false")]).await.ok();
    assert_eq!(
        (&fresh["totalMessages"], &fresh["createdAt"]),
        (&json!(5), &json!(time::iso(now + 3_600_000)))
    );
}

#[tokio::test]
async fn the_list_has_the_one_record() {
    let talk = Talk::new().await;
    let list =
        async |query: &[(&str, &str)]| talk.get(&talk.boss, "statistics.list", query).await.ok();
    let mut record = talk.get(&talk.boss, "statistics", &[]).await.ok();
    record.as_object_mut().unwrap().remove("success");
    let body = list(&[]).await;
    assert_eq!(keys(&body), ["count", "offset", "statistics", "success", "total"]);
    let numbers = |body: &Value| json!([body["count"], body["offset"], body["total"]]);
    assert_eq!((&body["statistics"], numbers(&body)), (&json!([record]), json!([1, 0, 1])));
    assert_eq!(numbers(&list(&[("offset", "1"), ("count", "5")]).await), json!([0, 1, 1]));
    let body = list(&[("fields", r#"{"totalRooms":1}"#), ("sort", r#"{"createdAt":-1}"#)]).await;
    assert_eq!(body["statistics"], json!([{"_id": record["_id"], "totalRooms": 2}]));
    assert_eq!(numbers(&list(&[("query", r#"{"totalRooms":{"$gt":2}}"#)]).await), json!([0, 0, 0]));
    let answer = talk.get(&talk.boss, "statistics.list", &[("count", "x")]).await;
    schema(&answer, "must be number");
}

#[tokio::test]
async fn only_for_who_may_see_them() {
    let talk = Talk::new().await;
    for name in ["statistics", "statistics.list"] {
        plain(&talk.get(&talk.ann, name, &[]).await, 400, "error-not-allowed");
    }
    let extra = talk.get(&talk.boss, "statistics", &[("all", "1")]).await;
    schema(&extra, "must NOT have additional properties");
    super::grant(&talk.app, &talk.boss, "view-statistics", &["user"]).await;
    talk.get(&talk.ann, "statistics", &[]).await.ok();
    super::grant(&talk.app, &talk.boss, "view-statistics", &["guest"]).await;
    plain(&talk.get(&talk.ann, "statistics", &[]).await, 400, "error-not-allowed");
}
