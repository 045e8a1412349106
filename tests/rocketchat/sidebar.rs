//! `dm.list` with `includeSubscription`: one call for all that a sidebar shows.

use super::talk::Talk;
use serde_json::{Value, json};

#[tokio::test]
async fn each_room_brings_my_subscription_and_the_others() {
    let talk = Talk::new().await;
    talk.say(&talk.bob, &talk.pair, "hello @ann").await;
    let favourite = json!({"roomId": talk.group, "favorite": true});
    talk.post(&talk.ann, "rooms.favorite", favourite).await.ok();
    talk.post(&talk.bob, "users.setStatus", json!({"status": "busy", "message": "later"}))
        .await
        .ok();
    let plain = talk.get(&talk.ann, "dm.list", &[]).await.ok();
    assert!(
        plain["ims"][0].get("subscription").is_none() && plain["ims"][0].get("users").is_none()
    );
    let query = [("includeSubscription", "true")];
    let body = talk.get(&talk.ann, "dm.list", &query).await.ok();
    for room in body["ims"].as_array().unwrap() {
        let id = room["_id"].as_str().unwrap();
        let own = talk.get(&talk.ann, "subscriptions.getOne", &[("roomId", id)]).await.ok();
        assert_eq!(room["subscription"], own["subscription"]);
        let members = talk.get(&talk.ann, "dm.members", &[("roomId", id)]).await.ok();
        let mut others = members["members"].as_array().unwrap().clone();
        others.retain(|member| member["_id"] != talk.ann.id.as_str());
        let mut users = room["users"].as_array().unwrap().clone();
        for list in [&mut others, &mut users] {
            list.sort_by_key(|user| user["username"].to_string());
        }
        assert_eq!(users, others);
    }
    let find = |body: &Value, id: &str| {
        let all = body["ims"].as_array().unwrap();
        all.iter().find(|room| room["_id"] == id).unwrap().clone()
    };
    let pair = find(&body, &talk.pair);
    let seen = (&pair["subscription"]["unread"], &pair["users"][0]["status"]);
    assert_eq!(seen, (&json!(1), &json!("busy")));
    assert_eq!(find(&body, &talk.group)["subscription"]["f"], true);
    // Projected like any other member of a room.
    let query = [("includeSubscription", "1"), ("fields", r#"{"subscription.unread":1}"#)];
    let body = talk.get(&talk.ann, "dm.list", &query).await.ok();
    let want = json!({"_id": talk.pair, "subscription": {"unread": 1}});
    assert_eq!(find(&body, &talk.pair), want);
}
