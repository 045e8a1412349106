//! Preferences (contract sections 8.3 and 8.4), what memberships take from them (6.4), and words that
//! count as a mention (6.5).

use super::rename::{group, sub};
use super::{coded, grant, schema};
use crate::app::{Answer, PASSWORD, TestApp, TestUser, app};
use axum::http::Method;
use serde_json::{Value, json};

async fn set(app: &TestApp, user: &TestUser, data: Value) -> Answer {
    app.rocket(user).post("users.setPreferences", json!({ "data": data })).await
}

async fn all(app: &TestApp, user: &TestUser) -> Value {
    app.rocket(user).get("users.getPreferences", &[]).await.ok()["preferences"].clone()
}

#[tokio::test]
async fn all_are_there() {
    let app = app().await;
    let ann = app.user("ann").await;
    let first = all(&app, &ann).await;
    for (key, want) in [
        ("enableAutoAway", json!(true)),
        ("idleTimeLimit", json!(300)),
        ("desktopNotifications", json!("all")),
        ("pushNotifications", json!("all")),
        ("desktopNotificationRequireInteraction", json!(false)),
        ("unreadAlert", json!(true)),
        ("useEmojis", json!(true)),
        ("convertAsciiEmoji", json!(true)),
        ("autoImageLoad", json!(true)),
        ("saveMobileBandwidth", json!(true)),
        ("collapseMediaByDefault", json!(false)),
        ("hideUsernames", json!(false)),
        ("hideRoles", json!(false)),
        ("hideFlexTab", json!(false)),
        ("displayAvatars", json!(true)),
        ("sidebarGroupByType", json!(true)),
        ("themeAppearence", json!("auto")),
        ("sidebarViewMode", json!("medium")),
        ("sidebarDisplayAvatar", json!(true)),
        ("sidebarShowUnread", json!(false)),
        ("sidebarSortby", json!("activity")),
        ("sidebarShowFavorites", json!(true)),
        ("showThreadsInMainChannel", json!(false)),
        ("alsoSendThreadToChannel", json!("default")),
        ("sendOnEnter", json!("normal")),
        ("emailNotificationMode", json!("mentions")),
        ("newRoomNotification", json!("door")),
        ("newMessageNotification", json!("chime")),
        ("muteFocusedConversations", json!(true)),
        ("notificationsSoundVolume", json!(100)),
        ("omnichannelTranscriptEmail", json!(false)),
        ("notifyCalendarEvents", json!(true)),
        ("enableMobileRinging", json!(true)),
        ("featuresPreview", json!("[]")),
    ] {
        assert_eq!(first[key], want, "{key}");
    }
    assert!(first["sidebarSectionsOrder"].as_array().unwrap().len() > 5);
    assert!(first.get("highlights").is_none() && first.get("language").is_none());
}

#[tokio::test]
async fn what_was_chosen_lies_over_them() {
    let app = app().await;
    let ann = app.user("ann").await;
    let first = all(&app, &ann).await;
    let chosen = json!({"useEmojis": false, "idleTimeLimit": 60, "sidebarViewMode": "extended",
        "language": "de", "highlights": ["ship", " "], "clockMode": 2, "fontSize": "120%",
        "featuresPreview": [{"name": "x", "value": true}], "dontAskAgainList": [{"action": "a", "label": "b"}],
        "sidebarSectionsOrder": ["Unread"]});
    let answer = set(&app, &ann, chosen.clone()).await.ok();
    let mut want = first.clone();
    want.as_object_mut().unwrap().extend(chosen.as_object().unwrap().clone());
    let shown = json!({"_id": ann.id, "settings": {"preferences": want}});
    assert_eq!(answer, json!({"user": shown, "success": true}));
    assert_eq!(all(&app, &ann).await, want);
    let me = app.rocket(&ann).get("me", &[]).await.ok();
    assert_eq!((&me["settings"]["preferences"], &me["language"]), (&want, &json!("de")));
    let body = json!({"user": "ann", "password": PASSWORD});
    let login = app.call(Method::POST, "/api/v1/login", &[], Some(&body)).await.ok();
    assert_eq!(login["data"]["me"]["settings"]["preferences"], want);
    // One by one, and back to the first values.
    set(&app, &ann, json!({"useEmojis": true})).await.ok();
    assert_eq!(
        (&all(&app, &ann).await["useEmojis"], &all(&app, &ann).await["idleTimeLimit"]),
        (&json!(true), &json!(60))
    );
    let back = json!({"useEmojis": null, "idleTimeLimit": null, "sidebarViewMode": null, "language": null,
        "highlights": null, "clockMode": null, "fontSize": null, "featuresPreview": null,
        "dontAskAgainList": null, "sidebarSectionsOrder": null});
    set(&app, &ann, back).await.ok();
    assert_eq!(all(&app, &ann).await, first);
}

#[tokio::test]
async fn what_is_no_preference() {
    let app = app().await;
    let ann = app.user("ann").await;
    let before = all(&app, &ann).await;
    let many: Vec<String> = (0..101).map(|n| n.to_string()).collect();
    for (data, text) in [
        (json!({"nothing": 1}), "must NOT have additional properties"),
        (json!({"__proto__": {}}), "must NOT have additional properties"),
        (json!({"useEmojis": "maybe"}), "must be boolean"),
        (json!({"useEmojis": {"$ne": null}}), "must be boolean"),
        (json!({"idleTimeLimit": "x"}), "must be number"),
        (json!({"language": 1}), "must be string"),
        (json!({"language": "x".repeat(300)}), "must NOT have more than 256 characters"),
        (json!({"desktopNotifications": "never"}), "must be equal to one of the allowed values"),
        (json!({"highlights": "x"}), "must be array"),
        (json!({"highlights": [1]}), "must be an array of short strings"),
        (json!({"highlights": many}), "must be an array of short strings"),
        (json!({"featuresPreview": [1]}), "must be an array of small objects"),
        (json!({"useEmojis": false, "nothing": 1}), "must NOT have additional properties"),
    ] {
        schema(&set(&app, &ann, data).await, text);
    }
    for (body, text) in [
        (json!({}), "must have required property 'data'"),
        (json!({"data": []}), "must be object"),
        (json!({"data": {}, "x": 1}), "must NOT have additional properties"),
        (json!({"data": {}, "userId": ""}), "must NOT have fewer than 1 characters"),
    ] {
        schema(&app.rocket(&ann).post("users.setPreferences", body).await, text);
    }
    assert_eq!(all(&app, &ann).await, before);
}

#[tokio::test]
async fn somebody_elses() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let post = async |user: &TestUser, id: &str| {
        let body = json!({"userId": id, "data": {"useEmojis": false}});
        app.rocket(user).post("users.setPreferences", body).await
    };
    let (code, text) = ("error-action-not-allowed", "Editing user is not allowed");
    coded(&post(&ann, &boss.id).await, code, text, &Value::Null);
    coded(&post(&ann, "none").await, code, text, &Value::Null);
    let text = "The optional \"userId\" param provided does not match any users";
    coded(&post(&boss, "none").await, "error-invalid-user", text, &Value::Null);
    post(&ann, &ann.id).await.ok();
    assert_eq!(post(&boss, &ann.id).await.ok()["user"]["_id"], ann.id);
    assert_eq!(all(&app, &boss).await["useEmojis"], true);
    grant(&app, &boss, "edit-other-user-info", &[]).await;
    coded(&post(&boss, &ann.id).await, code, "Editing user is not allowed", &Value::Null);
}

#[tokio::test]
async fn memberships_take_what_the_room_does_not_say() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let old = app.rocket(&ann).open("bob").await;
    let before = sub(&app, &ann, &old).await;
    for absent in ["userHighlights", "desktopNotifications", "desktopPrefOrigin"] {
        assert!(before.get(absent).is_none(), "{absent}");
    }
    app.clock.move_to(app.clock.now() + 1000);
    let chosen = json!({"desktopNotifications": "mentions", "pushNotifications": "nothing",
        "emailNotificationMode": "default", "highlights": ["ship"]});
    set(&app, &ann, chosen).await.ok();
    let new = app.rocket(&ann).open("rocket.cat").await;
    for room in [&old, &new] {
        let seen = sub(&app, &ann, room).await;
        for (key, want) in [
            ("desktopNotifications", "mentions"),
            ("desktopPrefOrigin", "user"),
            ("mobilePushNotifications", "nothing"),
            ("mobilePrefOrigin", "user"),
        ] {
            assert_eq!(seen[key], want, "{key}");
        }
        assert_eq!(seen["userHighlights"], json!(["ship"]));
        assert!(seen.get("emailNotifications").is_none() && seen.get("emailPrefOrigin").is_none());
    }
    // Whoever synchronises is told.
    let since = [("updatedSince", before["_updatedAt"].as_str().unwrap())];
    let changed = app.rocket(&ann).get("subscriptions.get", &since).await.ok();
    assert!(changed["update"].to_string().contains(&old));
    // What the room says stays; `default` is the preference again.
    let notify = async |level: &str| {
        let body = json!({"roomId": old, "notifications": {"desktopNotifications": level}});
        app.rocket(&ann).post("rooms.saveNotification", body).await.ok();
        sub(&app, &ann, &old).await
    };
    let seen = notify("all").await;
    assert_eq!(
        (&seen["desktopNotifications"], &seen["desktopPrefOrigin"]),
        (&json!("all"), &json!("subscription"))
    );
    let seen = notify("default").await;
    assert_eq!(
        (&seen["desktopNotifications"], &seen["desktopPrefOrigin"]),
        (&json!("mentions"), &json!("user"))
    );
    assert!(sub(&app, &bob, &old).await.get("desktopNotifications").is_none());
}

#[tokio::test]
async fn a_word_counts_as_a_mention() {
    let app = app().await;
    let (ann, bob, zoe) = (app.user("ann").await, app.user("bob").await, app.user("zoe").await);
    let old = group(&app, &ann, "bob,zoe").await;
    set(&app, &bob, json!({"highlights": ["Ship", "c++"]})).await.ok();
    let new = app.rocket(&ann).open("bob").await;
    let mentions = async |user: &TestUser, room: &str| {
        let seen = sub(&app, user, room).await;
        (seen["userMentions"].as_i64().unwrap(), seen["unread"].as_i64().unwrap())
    };
    for room in [&old, &new] {
        for text in ["the SHIP sails", "c++?", "ships", ":ship:", "no word", "@bob ship"] {
            app.rocket(&ann).say(room, text).await;
        }
        assert_eq!(mentions(&bob, room).await, (3, 6), "{room}");
    }
    assert_eq!(mentions(&zoe, &old).await, (0, 6));
    assert_eq!(mentions(&ann, &old).await, (0, 0));
    // Nobody is mentioned in the message itself.
    let list = app.rocket(&ann).get("dm.messages", &[("roomId", &new)]).await.ok();
    assert_eq!(list["messages"][5]["mentions"], json!([]));
    // One's own words are not for oneself; with @all, only the counted ones' counters move.
    app.rocket(&bob).say(&old, "my ship").await;
    assert_eq!(mentions(&bob, &old).await, (0, 0));
    app.rocket(&ann).say(&old, "@all aboard the ship").await;
    let (bobs, zoes) = (sub(&app, &bob, &old).await, sub(&app, &zoe, &old).await);
    assert_eq!((&bobs["userMentions"], &bobs["groupMentions"]), (&json!(1), &json!(0)));
    assert_eq!(zoes["groupMentions"], 0);
    // In a thread that bob follows.
    let root = app.rocket(&bob).say(&old, "root").await["_id"].clone();
    let reply = json!({"rid": old, "msg": "a ship", "tmid": root});
    app.rocket(&ann).post("chat.sendMessage", json!({ "message": reply })).await.ok();
    let seen = sub(&app, &bob, &old).await;
    assert_eq!((&seen["tunread"], &seen["tunreadUser"]), (&json!([root]), &json!([root])));
    assert!(sub(&app, &zoe, &old).await.get("tunreadUser").is_none());
    // Taken back, it counts no more.
    set(&app, &bob, json!({"highlights": []})).await.ok();
    app.rocket(&bob).post("subscriptions.read", json!({"rid": old})).await.ok();
    app.rocket(&ann).say(&old, "the ship").await;
    assert_eq!(mentions(&bob, &old).await.0, 0);
    assert!(!super::view(&app, &bob, &old).await.room().highlights);
}
