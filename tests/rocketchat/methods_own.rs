//! Methods about one's own account, and those that are a route in other clothes.

use super::methods::{refusal, result};
use super::talk::Talk;
use crate::app::PASSWORD_SHA256;
use serde_json::{Value, json};

#[tokio::test]
async fn people_are_found() {
    let talk = Talk::new().await;
    let find = |params: Value| result(&talk.app, &talk.ann, "spotlight", params);
    let found = find(json!(["bo"])).await;
    assert_eq!((&found["users"][0]["username"], &found["rooms"]), (&json!("bob"), &json!([])));
    assert!(found.get("success").is_none(), "{found}");
    assert_eq!(find(json!(["bo", ["bob"]])).await["users"], json!([]));
    let kinds = json!({"users": false, "rooms": true});
    assert_eq!(find(json!(["bo", null, kinds])).await["users"], json!([]));
    let outside = |found: Value| found["users"][0]["outside"].clone();
    assert_eq!(outside(find(json!(["bo", [], {"users": true}, talk.pair])).await), false);
    for bad in [json!([]), json!([1]), json!(["x", "bob"]), json!(["x", [1]]), json!(["x", [], 1])]
    {
        assert_eq!(refusal(&talk.app, &talk.ann, "spotlight", bad).await, 400);
    }
}

#[tokio::test]
async fn a_command_is_run_in_ones_own_rooms() {
    let talk = Talk::new().await;
    let given = |cmd: &str| {
        json!([{"cmd": cmd, "params": "hello",
        "msg": {"_id": "x", "rid": talk.pair, "msg": ""}, "triggerId": "t"}])
    };
    assert_eq!(result(&talk.app, &talk.ann, "slashCommand", given("shrug")).await, Value::Null);
    let last = talk.get(&talk.bob, "dm.messages", &[("roomId", &talk.pair)]).await.ok();
    assert_eq!(last["messages"][0]["msg"], "hello ¯\\\\_(ツ)_/¯");
    for (user, params) in [(&talk.eve, given("shrug")), (&talk.ann, given("none"))] {
        refusal(&talk.app, user, "slashCommand", params).await;
    }
    assert_eq!(refusal(&talk.app, &talk.ann, "slashCommand", json!([{"cmd": "me"}])).await, 400);
    let now = talk.get(&talk.bob, "dm.messages", &[("roomId", &talk.pair)]).await.ok();
    assert_eq!(now["total"], last["total"]);
}

#[tokio::test]
async fn preferences_and_profile_are_ones_own() {
    let talk = Talk::new().await;
    let call = |name: &'static str, params: Value| result(&talk.app, &talk.ann, name, params);
    let highlights = json!([{"highlights": ["lunch"]}]);
    assert_eq!(call("saveUserPreferences", highlights).await, true);
    let kept = talk.get(&talk.ann, "users.getPreferences", &[]).await.ok();
    assert_eq!(kept["preferences"]["highlights"], json!(["lunch"]));
    let profile = json!([{"realname": "Ann A.", "bio": "x", "statusText": "here"}, {}]);
    assert_eq!(call("saveUserProfile", profile).await, true);
    let me = talk.get(&talk.ann, "me", &[]).await.ok();
    assert_eq!((&me["name"], &me["statusText"]), (&json!("Ann A."), &json!("here")));
    let address =
        |password: Option<&str>| json!([{"email": "new@example.com", "typedPassword": password}]);
    refusal(&talk.app, &talk.ann, "saveUserProfile", address(None)).await;
    refusal(&talk.app, &talk.ann, "saveUserProfile", address(Some("0"))).await;
    assert_eq!(call("saveUserProfile", address(Some(PASSWORD_SHA256))).await, true);
    let me = talk.get(&talk.ann, "me", &[]).await.ok();
    assert_eq!(me["emails"], json!([{"address": "new@example.com", "verified": false}]));
    for name in ["saveUserProfile", "saveUserPreferences"] {
        refusal(&talk.app, &talk.ann, name, json!([])).await;
    }
    refusal(&talk.app, &talk.ann, "saveUserPreferences", json!([{"none": 1}])).await;
}

#[tokio::test]
async fn a_topic_is_set_in_both_forms() {
    let talk = Talk::new().await;
    for (topic, params) in [
        ("one", json!([talk.pair, {"roomTopic": "one"}])),
        ("two", json!([talk.pair, "roomTopic", "two"])),
    ] {
        let done = result(&talk.app, &talk.ann, "saveRoomSettings", params).await;
        assert_eq!(done, json!({"result": true, "rid": talk.pair}));
        let room = talk.get(&talk.bob, "rooms.info", &[("roomId", &talk.pair)]).await.ok();
        assert_eq!(room["room"]["topic"], topic);
    }
    let foreign = json!([talk.pair, "roomTopic", "three"]);
    let code = refusal(&talk.app, &talk.eve, "saveRoomSettings", foreign).await;
    assert_eq!(code, "error-invalid-room");
    assert_eq!(refusal(&talk.app, &talk.ann, "saveRoomSettings", json!([talk.pair])).await, 400);
}
