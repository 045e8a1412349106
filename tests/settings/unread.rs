//! `Unread_Count_DM` and `Store_Last_Message`: what is derived is derived otherwise, wherever it is shown.

use super::scene::Scene;
use crate::rocketchat::set;
use serde_json::{Value, json};

/// Ann's counters: unread, the marker, mentions of her and of everyone.
async fn counters(s: &Scene) -> Value {
    let query = [("roomId", s.room.as_str())];
    let one = s.get(&s.ann, "subscriptions.getOne", &query).await.ok()["subscription"].take();
    let all = s.get(&s.ann, "subscriptions.get", &[]).await.ok();
    assert_eq!(all["update"][0], one);
    let counted = s.get(&s.ann, "dm.counters", &query).await.ok();
    if !counted["unreads"].is_null() {
        assert_eq!(counted["unreads"], one["unread"]);
    }
    json!([one["unread"], one["alert"], one["userMentions"], one["groupMentions"]])
}

async fn says(s: &Scene, text: &str) {
    s.later(1);
    s.app.rocket(&s.bob).say(&s.room, text).await;
}

#[tokio::test]
async fn mentions_alone_count_and_any_message_stands_out() {
    let s = Scene::new().await;
    says(&s, "hello").await;
    says(&s, "@ann hello").await;
    assert_eq!(counters(&s).await, json!([2, true, 1, 0]));
    set(&s.app, &s.boss, "Unread_Count_DM", json!("mentions_only")).await;
    assert_eq!(counters(&s).await, json!([1, true, 1, 0]));
    says(&s, "hello @all").await;
    says(&s, "nobody").await;
    assert_eq!(counters(&s).await, json!([2, true, 1, 1]));
    let read = json!({"rid": s.room});
    s.post(&s.ann, "subscriptions.read", read.clone()).await.ok();
    assert_eq!(counters(&s).await, json!([0, false, 0, 0]));
    says(&s, "one more").await;
    assert_eq!(counters(&s).await, json!([0, true, 0, 0]));
    // What she marks as unread counts as one, until she reads or writes.
    s.post(&s.ann, "subscriptions.read", read.clone()).await.ok();
    s.post(&s.ann, "subscriptions.unread", json!({"roomId": s.room})).await.ok();
    assert_eq!(counters(&s).await, json!([1, true, 0, 0]));
    says(&s, "and another").await;
    assert_eq!(counters(&s).await, json!([1, true, 0, 0]));
    says(&s, "and @ann").await;
    assert_eq!(counters(&s).await, json!([2, true, 1, 0]));
    s.say("an answer").await;
    assert_eq!(counters(&s).await, json!([0, false, 0, 0]));
    says(&s, "and another").await;
    assert_eq!(counters(&s).await, json!([0, true, 0, 0]));
    // Back again nothing is lost.
    set(&s.app, &s.boss, "Unread_Count_DM", json!("all_messages")).await;
    assert_eq!(counters(&s).await, json!([1, true, 0, 0]));
}

#[tokio::test]
async fn a_room_without_its_newest_message_has_none_to_find() {
    let s = Scene::new().await;
    s.say("the newest").await;
    let wanted = json!({"lastMessage.msg": "the newest"}).to_string();
    let absent = json!({"lastMessage": {"$exists": false}}).to_string();
    let total = async |query: &str| {
        let list = s.get(&s.boss, "dm.list.everyone", &[("query", query)]).await.ok();
        list["total"].clone()
    };
    assert_eq!((total(&wanted).await, total(&absent).await), (json!(1), json!(0)));
    set(&s.app, &s.boss, "Store_Last_Message", json!(false)).await;
    assert_eq!((total(&wanted).await, total(&absent).await), (json!(0), json!(1)));
    for (user, name, list) in [
        (&s.ann, "dm.list", "ims"),
        (&s.ann, "rooms.get", "update"),
        (&s.boss, "dm.list.everyone", "ims"),
    ] {
        for query in [
            &[][..],
            &[("count", "0")],
            &[("sort", r#"{"lastMessage.ts":-1}"#)],
            &[("sort", r#"{"msgs":-1}"#)],
            &[("query", r#"{"t":"d"}"#)],
        ] {
            let body = s.get(user, name, query).await.ok();
            let rooms = body[list].as_array().unwrap();
            assert!(rooms.len() == 1 && rooms[0].get("lastMessage").is_none(), "{name} {query:?}");
            assert!(rooms[0]["lm"].is_string(), "{name} {query:?}");
        }
    }
    let rooms = s.method(&s.ann, "rooms/get", json!([])).await;
    assert!(rooms[0]["_id"] == s.room.as_str() && rooms[0].get("lastMessage").is_none());
    // The other face pages by it.
    let page = s.app.meepa(&s.ann).get("/dms", &[]).await.ok();
    assert_eq!(page["data"][0]["lastMessage"]["content"], "the newest");
    set(&s.app, &s.boss, "Store_Last_Message", json!(true)).await;
    assert_eq!((total(&wanted).await, total(&absent).await), (json!(1), json!(0)));
}
