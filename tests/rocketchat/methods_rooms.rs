//! Methods on rooms, on the caller's own view of them, on people and the server.

use super::methods::{date, ids, refusal, result};
use super::set;
use super::talk::Talk;
use serde_json::{Value, json};

#[tokio::test]
async fn rooms_are_made_and_listed() {
    let talk = Talk::new().await;
    let (app, ann, bob) = (&talk.app, &talk.ann, &talk.bob);
    let made = result(app, ann, "createDirectMessage", json!(["bob"])).await;
    assert_eq!(made, json!({"t": "d", "rid": talk.pair, "usernames": ["ann", "bob"]}));
    let group = result(app, ann, "createDirectMessage", json!(["bob", "cat"])).await;
    assert_eq!(group["rid"], talk.group.as_str());
    assert_eq!(
        refusal(app, ann, "createDirectMessage", json!(["nobody"])).await,
        "error-invalid-user"
    );
    let said = talk.say(bob, &talk.pair, "hello").await;
    let at = said["ts"].as_str().and_then(parlance_core::time::parse).unwrap();

    // Without a date an array, with one what changed and what went.
    let rooms = result(app, ann, "rooms/get", json!([])).await;
    assert_eq!(rooms.as_array().unwrap().len(), 2);
    assert!(rooms[0]["ts"]["$date"].is_number() && rooms[0].get("_USERNAMES").is_none());
    let changed = result(app, ann, "rooms/get", json!([date(at - 1)])).await;
    assert_eq!(ids(&changed["update"]), [talk.pair.as_str()]);
    assert_eq!(changed["remove"], json!([]));
    let subs = result(app, ann, "subscriptions/get", json!([])).await;
    let pair =
        subs.as_array().unwrap().iter().find(|sub| sub["rid"] == talk.pair.as_str()).unwrap();
    assert_eq!(
        (&pair["unread"], &pair["alert"], &pair["open"]),
        (&json!(1), &json!(true), &json!(true))
    );
    assert!(pair["ts"]["$date"].is_number());
    let changed = result(app, ann, "subscriptions/get", json!([date(at - 1)])).await;
    assert_eq!(changed["update"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn the_callers_view_of_a_room() {
    let talk = Talk::new().await;
    let (app, ann, bob) = (&talk.app, &talk.ann, &talk.bob);
    let said = talk.say(bob, &talk.pair, "hello").await;
    assert_eq!(result(app, ann, "readMessages", json!([talk.pair])).await, Value::Null);
    assert_eq!(talk.sub(ann, &talk.pair).await["unread"], 0);
    assert_eq!(
        result(app, ann, "unreadMessages", json!([{"_id": said["_id"]}])).await,
        Value::Null
    );
    assert_eq!(talk.sub(ann, &talk.pair).await["unread"], 1);
    result(app, ann, "readMessages", json!([talk.pair, true])).await;
    result(app, ann, "unreadMessages", json!([null, talk.pair])).await;
    assert_eq!(talk.sub(ann, &talk.pair).await["unread"], 1);
    assert_eq!(
        refusal(app, bob, "unreadMessages", json!([{"_id": said["_id"]}])).await,
        "error-action-not-allowed"
    );
    assert_eq!(
        refusal(app, ann, "readMessages", json!(["nowhere"])).await,
        "error-room-does-not-exist"
    );

    assert_eq!(result(app, ann, "hideRoom", json!([talk.pair])).await, 1);
    assert_eq!(talk.sub(ann, &talk.pair).await["open"], false);
    assert_eq!(result(app, ann, "openRoom", json!([talk.pair])).await, 1);
    assert_eq!(talk.sub(ann, &talk.pair).await["open"], true);
    assert_eq!(result(app, ann, "toggleFavorite", json!([talk.pair, true])).await, 1);
    assert_eq!(talk.sub(ann, &talk.pair).await["f"], true);
    assert_eq!(
        result(
            app,
            ann,
            "saveNotificationSettings",
            json!([talk.pair, "desktopNotifications", "nothing"])
        )
        .await,
        true
    );
    assert_eq!(talk.sub(ann, &talk.pair).await["desktopNotifications"], "nothing");
    assert_eq!(
        refusal(app, ann, "saveNotificationSettings", json!([talk.pair, "nosuch", "1"])).await,
        "error-invalid-settings"
    );
}

#[tokio::test]
async fn rooms_are_found_blocked_and_erased() {
    let talk = Talk::new().await;
    let (app, ann, bob) = (&talk.app, &talk.ann, &talk.bob);
    let said = talk.say(bob, &talk.pair, "hello").await;
    let at = said["ts"].as_str().and_then(parlance_core::time::parse).unwrap();
    for name in [talk.pair.as_str(), "bob", bob.id.as_str()] {
        let room = result(app, ann, "getRoomByTypeAndName", json!(["d", name])).await;
        assert_eq!(room["_id"], talk.pair.as_str(), "{name}");
        assert_eq!(
            result(app, ann, "getRoomIdByNameOrId", json!([name])).await,
            talk.pair.as_str()
        );
    }
    // Looking makes no room.
    assert_eq!(
        refusal(app, ann, "getRoomByTypeAndName", json!(["d", "eve"])).await,
        "error-invalid-room"
    );
    assert_eq!(
        refusal(app, ann, "getRoomByTypeAndName", json!(["c", "bob"])).await,
        "error-invalid-room"
    );
    assert_eq!(refusal(app, ann, "getRoomIdByNameOrId", json!(["eve"])).await, "error-not-allowed");
    assert_eq!(result(app, ann, "getRoomNameById", json!([talk.pair])).await, "bob");
    assert_eq!(
        result(app, ann, "canAccessRoom", json!([talk.pair, ann.id])).await["_id"],
        talk.pair.as_str()
    );
    assert_eq!(
        refusal(app, &talk.eve, "canAccessRoom", json!([talk.pair, ann.id])).await,
        "error-not-allowed"
    );

    let wanted = json!([{"rid": talk.pair, "blocked": bob.id}]);
    assert_eq!(result(app, ann, "blockUser", wanted.clone()).await, true);
    assert_eq!(
        refusal(app, bob, "sendMessage", json!([{"rid": talk.pair, "msg": "x"}])).await,
        "room_is_blocked"
    );
    assert_eq!(result(app, ann, "unblockUser", wanted).await, true);
    assert_eq!(
        refusal(app, ann, "blockUser", json!([{"rid": talk.group, "blocked": bob.id}])).await,
        "error-invalid-room"
    );
    assert_eq!(
        refusal(app, ann, "blockUser", json!([{"rid": talk.pair, "blocked": talk.eve.id}])).await,
        "error-invalid-room"
    );

    assert_eq!(refusal(app, ann, "eraseRoom", json!([talk.pair])).await, "error-not-allowed");
    assert_eq!(result(app, &talk.boss, "eraseRoom", json!([talk.pair])).await, true);
    let removed = result(app, ann, "subscriptions/get", json!([date(at)])).await;
    assert_eq!(removed["remove"].as_array().unwrap().len(), 1);
    let removed = result(app, ann, "rooms/get", json!([date(at)])).await;
    assert_eq!(ids(&removed["remove"]), [talk.pair.as_str()]);
}

#[tokio::test]
async fn people_and_the_server() {
    let talk = Talk::new().await;
    let (app, ann) = (&talk.app, &talk.ann);
    let all =
        result(app, ann, "getUsersOfRoom", json!([talk.group, true, {"limit": 2, "skip": 1}, ""]))
            .await;
    assert_eq!(all["total"], 3);
    let names: Vec<_> =
        all["records"].as_array().unwrap().iter().map(|user| &user["username"]).collect();
    assert_eq!(names, ["bob", "cat"]);
    let found = result(app, ann, "getUsersOfRoom", json!([talk.group, true, {}, "CA"])).await;
    assert_eq!((&found["total"], &found["records"][0]["username"]), (&json!(1), &json!("cat")));
    // Nobody is online, and only those were asked for.
    assert_eq!(result(app, ann, "getUsersOfRoom", json!([talk.group, false])).await["total"], 0);
    assert_eq!(result(app, ann, "getRoomRoles", json!([talk.group])).await, json!([]));
    assert_eq!(
        refusal(app, &talk.eve, "getRoomRoles", json!([talk.group])).await,
        "error-not-allowed"
    );
    for name in ["getUserRoles", "listEmojiCustom", "listCustomUserStatus"] {
        assert_eq!(result(app, ann, name, json!([])).await, json!([]), "{name}");
    }
    assert_eq!(
        result(app, ann, "browseChannels", json!([{"page": 1}])).await,
        json!({"results": [], "total": 0})
    );

    assert_eq!(
        result(app, ann, "setUserStatus", json!(["busy", "in a meeting"])).await,
        Value::Null
    );
    assert_eq!(result(app, &talk.bob, "getUserStatusText", json!([ann.id])).await, "in a meeting");
    assert_eq!(result(app, ann, "getUserStatusText", json!(["nobody"])).await, "");
    assert_eq!(refusal(app, ann, "setUserStatus", json!(["asleep"])).await, "error-invalid-status");
    result(app, ann, "UserPresence:setDefaultStatus", json!(["away"])).await;
    for name in ["UserPresence:online", "UserPresence:away"] {
        assert_eq!(result(app, ann, name, json!([])).await, Value::Null);
    }

    let all = result(app, ann, "public-settings/get", json!([])).await;
    assert!(
        all.as_array()
            .unwrap()
            .iter()
            .all(|one| one["public"] == true && one["_updatedAt"]["$date"].is_number())
    );
    let at = talk.tick();
    set(app, &talk.boss, "Site_Name", json!("Elsewhere")).await;
    set(app, &talk.boss, "API_Upper_Count_Limit", json!(99)).await;
    let changed = result(app, ann, "public-settings/get", json!([date(at - 1)])).await;
    assert_eq!(changed["update"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&changed["update"][0]["value"], &changed["remove"]),
        (&json!("Elsewhere"), &json!([]))
    );
    let all = result(app, ann, "permissions/get", json!([])).await;
    assert!(all.as_array().unwrap().iter().any(|one| one["_id"] == "create-d"));
    assert_eq!(
        result(app, ann, "permissions/get", json!([date(at)])).await,
        json!({"update": [], "remove": []})
    );
}
