//! What a message carries beside its text (contract sections 7.1 and 7.7): another name or face,
//! attachments, custom fields. What must not be carried is refused, and nothing is stored.

use super::chat_refused::{nothing_stored, send, with};
use super::{plain, set};
use crate::app::app;
use parlance_core::account::NewUser;
use serde_json::{Value, json};

#[tokio::test]
async fn another_name_or_face_needs_the_permission() {
    let app = app().await;
    let ann = app.user("ann").await;
    let bot = NewUser {
        username: "helper".to_owned(),
        roles: vec!["bot".to_owned()],
        ..NewUser::default()
    };
    let bot = app.user_with(bot).await;
    let room = app.rocket(&ann).open("helper").await;
    let base = json!({"rid": room, "msg": "x"});
    for (key, value) in [("alias", "The Boss"), ("avatar", "https://example.com/a.png")] {
        let message = with(&base, key, json!(value));
        plain(&send(&app, &ann, &message).await, 400, "Not enough permission");
        let body = json!({"roomId": room, "text": "x", key: value});
        plain(&app.rocket(&ann).post("chat.postMessage", body).await, 400, "Not enough permission");
    }
    for key in ["username", "icon_url"] {
        let body = json!({"roomId": room, "text": "x", key: "https://example.com/a.png"});
        plain(&app.rocket(&ann).post("chat.postMessage", body).await, 400, "Not enough permission");
    }
    for avatar in ["javascript:alert(1)", "data:text/html,x", "//evil.example/a"] {
        let answer = send(&app, &bot, &with(&base, "avatar", json!(avatar))).await;
        plain(&answer, 400, "Match error: Expected an URL in field avatar");
    }
    nothing_stored(&app, &ann, &room).await;
    let sent = send(&app, &bot, &with(&base, "alias", json!("The Boss"))).await.ok();
    assert_eq!(sent["message"]["alias"], "The Boss");
    assert_eq!(sent["message"]["u"]["username"], "helper");
    send(&app, &bot, &with(&base, "avatar", json!("/avatar/ann"))).await.ok();
}

#[tokio::test]
async fn attachments_are_looked_at() {
    let app = app().await;
    let ann = app.user("ann").await;
    let room = app.rocket(&ann).open("rocket.cat").await;
    let links = [
        "thumb_url",
        "message_link",
        "author_link",
        "author_icon",
        "title_link",
        "image_url",
        "audio_url",
        "video_url",
    ];
    let mut bad: Vec<(&str, Value)> = Vec::new();
    for link in links {
        for url in [
            "javascript:alert(1)",
            "JavaScript://x%0aalert(1)",
            "data:text/html,x",
            "/etc/passwd",
            "x",
            "",
        ] {
            bad.push((link, json!(url)));
        }
        bad.push((link, json!({"$ne": null})));
    }
    bad.extend([
        ("text", json!(1)),
        ("title", json!({"$ne": null})),
        ("color", json!([])),
        ("collapsed", json!("true")),
        ("image_size", json!("3")),
        ("image_dimensions", json!([1])),
        ("fields", json!({})),
        ("fields", json!([{"short": "yes"}])),
        ("fields", json!([{"title": 1}])),
        ("fields", json!([{"value": {"$ne": null}}])),
        ("actions", json!([{"url": "javascript:x"}])),
        ("actions", json!("x")),
        ("ts", json!(true)),
        ("attachments", json!([{"image_url": "javascript:x"}])),
        ("attachments", json!("x")),
    ]);
    for (key, value) in bad {
        let attachments = json!([{"text": "fine"}, {key: value}]);
        let text = format!("Match error: Unexpected value in field attachments.{key}");
        let message = json!({"rid": room, "msg": "x", "attachments": attachments});
        plain(&send(&app, &ann, &message).await, 400, &text);
        let body = json!({"roomId": room, "text": "x", "attachments": attachments});
        plain(&app.rocket(&ann).post("chat.postMessage", body).await, 400, &text);
    }
    for one in [json!("x"), json!(1), json!([])] {
        let message = json!({"rid": room, "msg": "x", "attachments": [one]});
        let text = "Match error: Expected object in field attachments";
        plain(&send(&app, &ann, &message).await, 400, text);
    }
    nothing_stored(&app, &ann, &room).await;
}

#[tokio::test]
async fn custom_fields_are_off_until_switched_on() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let room = app.rocket(&ann).open("rocket.cat").await;
    let off = "Custom fields not enabled";
    for value in [json!({"a": 1}), json!("x"), json!([1])] {
        let message = json!({"rid": room, "msg": "x", "customFields": value});
        plain(&send(&app, &ann, &message).await, 400, off);
        let body = json!({"roomId": room, "text": "x", "customFields": value});
        plain(&app.rocket(&ann).post("chat.postMessage", body).await, 400, off);
    }
    nothing_stored(&app, &ann, &room).await;
    set(&app, &boss, "Message_CustomFields_Enabled", json!(true)).await;
    let message = json!({"rid": room, "msg": "x", "customFields": {"a": 1}});
    assert_eq!(send(&app, &ann, &message).await.ok()["message"]["customFields"], json!({"a": 1}));
    let message = json!({"rid": room, "msg": "x", "customFields": "x"});
    assert_eq!(send(&app, &ann, &message).await.expect(400)["success"], false);
}
