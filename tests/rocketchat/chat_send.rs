//! `chat.sendMessage` (contract sections 7.1, 7.3-7.7, ruling B9): what is stored and answered.

use super::{coded, keys, view};
use crate::app::{Answer, START, TestApp, TestUser, app};
use serde_json::{Value, json};

async fn send(app: &TestApp, user: &TestUser, message: Value) -> Answer {
    app.rocket(user).post("chat.sendMessage", json!({ "message": message })).await
}

async fn total(app: &TestApp, user: &TestUser, room: &str) -> i64 {
    let body = app.rocket(user).get("dm.messages", &[("roomId", room)]).await.ok();
    body["total"].as_i64().unwrap()
}

async fn pair(app: &TestApp) -> (TestUser, TestUser, String) {
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let room = app.rocket(&ann).open("bob").await;
    (ann, bob, room)
}

#[tokio::test]
async fn the_answer_is_the_stored_message() {
    let app = app().await;
    let (ann, bob, room) = pair(&app).await;
    let text = "  *hi* https://example.com/a?b=1 \n";
    let body = send(&app, &ann, json!({"rid": room, "msg": text})).await.ok();
    assert_eq!(keys(&body), ["message", "success"]);
    let message = &body["message"];
    // Sent with its spaces: only chat.postMessage trims.
    assert_eq!(message["msg"], text);
    assert_eq!(message["u"], json!({"_id": ann.id, "username": "ann", "name": "ann"}));
    assert_eq!(message["urls"], json!([{"url": "https://example.com/a?b=1", "meta": {}}]));
    assert_eq!((&message["mentions"], &message["channels"]), (&json!([]), &json!([])));
    assert_eq!(message["ts"], parlance_core::time::iso(START + 1));
    assert_eq!(message["_updatedAt"], message["ts"]);
    assert!(message["md"].is_array());
    let id = message["_id"].as_str().unwrap();
    assert!(id.len() == 24 && id.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')));
    let read = app.rocket(&bob).get("chat.getMessage", &[("msgId", id)]).await.ok();
    assert_eq!(read["message"], *message);
    let list = app.rocket(&bob).get("dm.messages", &[("roomId", &room)]).await.ok();
    assert_eq!(list["messages"], json!([message]));
}

#[tokio::test]
async fn a_clients_id_is_kept_and_a_retry_is_safe() {
    let app = app().await;
    let (ann, bob, room) = pair(&app).await;
    let other = app.rocket(&ann).open("ann").await;
    let message = json!({"_id": "QwErTy12345678901", "rid": room, "msg": "once"});
    let first = send(&app, &ann, message.clone()).await.ok();
    assert_eq!(first["message"]["_id"], "QwErTy12345678901");
    app.clock.move_to(START + 5000);
    assert_eq!(send(&app, &ann, message.clone()).await.ok(), first);
    let with = |key: &str, value: Value| {
        let mut changed = message.clone();
        changed[key] = value;
        changed
    };
    let taken = "A message with this _id exists already";
    for (user, changed) in [
        (&ann, with("msg", json!("twice"))),
        (&ann, with("rid", json!(other))),
        (&bob, message.clone()),
    ] {
        let answer = send(&app, user, changed).await;
        coded(&answer, "error-message-id-taken", taken, &Value::Null);
    }
    assert_eq!((total(&app, &ann, &room).await, total(&app, &ann, &other).await), (1, 0));
    assert_eq!(view(&app, &bob, &room).await.room().msgs, 1);
    // A stranger learns nothing from a taken id: the room is refused first.
    let eve = app.user("eve").await;
    super::plain(&send(&app, &eve, message).await, 400, "error-not-allowed");
}

#[tokio::test]
async fn a_clients_time_is_checked_and_then_ignored() {
    let app = app().await;
    let (ann, _, room) = pair(&app).await;
    let iso = parlance_core::time::iso;
    let mut stored = Vec::new();
    for ts in
        [json!(START), json!(iso(START - 60_000)), json!({"$date": START + 60_000}), json!(null)]
    {
        let body = send(&app, &ann, json!({"rid": room, "msg": "x", "ts": ts})).await.ok();
        stored.push(body["message"]["ts"].as_str().unwrap().to_owned());
    }
    assert_eq!(stored, [iso(START + 1), iso(START + 2), iso(START + 3), iso(START + 4)]);
    for off in [-60_001, 60_001, -1_000_000_000_000] {
        let answer = send(&app, &ann, json!({"rid": room, "msg": "x", "ts": START + off})).await;
        let details = json!({"method": "sendMessage", "message_ts": iso(START + off),
            "server_ts": iso(START)});
        let text = "Message timestamp is out of sync";
        coded(&answer, "error-message-ts-out-of-sync", text, &details);
    }
    assert_eq!(total(&app, &ann, &room).await, 4);
}

#[tokio::test]
async fn five_thousand_utf16_units_and_not_one_more() {
    let app = app().await;
    let (ann, _, room) = pair(&app).await;
    let boss = app.admin("root").await;
    let limit = json!({"method": "sendMessage"});
    let text = "Message size exceeds Message_MaxAllowedSize";
    for (fits, over) in [
        ("x".repeat(5000), "x".repeat(5001)),
        ("😀".repeat(2500), "😀".repeat(2500) + "x"),
        ("é".repeat(5000), "é".repeat(5001)),
    ] {
        let body = send(&app, &ann, json!({"rid": room, "msg": fits})).await.ok();
        assert_eq!(body["message"]["msg"], fits);
        let answer = send(&app, &ann, json!({"rid": room, "msg": over})).await;
        coded(&answer, "error-message-size-exceeded", text, &limit);
    }
    super::set(&app, &boss, "Message_MaxAllowedSize", json!(3)).await;
    send(&app, &ann, json!({"rid": room, "msg": "abc"})).await.ok();
    let answer = send(&app, &ann, json!({"rid": room, "msg": "abcd"})).await;
    coded(&answer, "error-message-size-exceeded", text, &limit);
    assert_eq!(total(&app, &ann, &room).await, 4);
}

#[tokio::test]
async fn threads() {
    let app = app().await;
    let (ann, bob, room) = pair(&app).await;
    let parent = app.rocket(&ann).say(&room, "root").await;
    let id = parent["_id"].clone();
    let reply =
        send(&app, &bob, json!({"rid": room, "msg": "one", "tmid": id})).await.ok()["message"]
            .clone();
    assert_eq!((&reply["tmid"], reply.get("tshow")), (&id, None));
    // A reply to a reply goes to the root.
    let second = json!({"rid": room, "msg": "two", "tmid": reply["_id"], "tshow": true});
    let second = send(&app, &ann, second).await.ok()["message"].clone();
    assert_eq!((&second["tmid"], &second["tshow"]), (&id, &json!(true)));
    let read =
        app.rocket(&ann).get("chat.getMessage", &[("msgId", id.as_str().unwrap())]).await.ok();
    let parent = &read["message"];
    assert_eq!((&parent["tcount"], &parent["tlm"]), (&json!(2), &second["ts"]));
    let mut followers = parent["replies"].as_array().unwrap().clone();
    followers.sort_by_key(Value::to_string);
    let mut both = [json!(ann.id), json!(bob.id)];
    both.sort_by_key(Value::to_string);
    assert_eq!(followers, both);
    // Only the one that is shown in the room moves the room.
    let access = view(&app, &bob, &room).await;
    assert_eq!((access.room().msgs, access.room().seq), (3, 2));
}

#[tokio::test]
async fn previews_are_asked_for_by_url() {
    let app = app().await;
    let (ann, _, room) = pair(&app).await;
    let text = "https://a.example/x https://b.example/y";
    let urls = async |previews: Value| {
        let body = json!({"message": {"rid": room, "msg": text}, "previewUrls": previews});
        app.rocket(&ann).post("chat.sendMessage", body).await.ok()["message"]["urls"].clone()
    };
    let on = |url: &str| json!({"url": url, "meta": {}});
    let off = |url: &str| json!({"url": url, "meta": {}, "ignoreParse": true});
    let (a, b) = ("https://a.example/x", "https://b.example/y");
    assert_eq!(urls(json!(null)).await, json!([on(a), on(b)]));
    assert_eq!(urls(json!([])).await, json!([off(a), off(b)]));
    assert_eq!(urls(json!([b])).await, json!([off(a), on(b)]));
    for bad in [json!("x"), json!([1]), json!({"$ne": null})] {
        let body = json!({"message": {"rid": room, "msg": text}, "previewUrls": bad});
        let answer = app.rocket(&ann).post("chat.sendMessage", body).await;
        super::plain(&answer, 400, "Match error: Expected array of strings");
    }
    assert_eq!(total(&app, &ann, &room).await, 3);
}

#[tokio::test]
async fn urls_of_this_server_and_of_a_player() {
    let app = app().await;
    let (ann, _, room) = pair(&app).await;
    let text = "http://localhost:3000/direct/x?msg=1 spotify:track:4uLU6h spotify: `https://no.x`";
    let body = json!({"message": {"rid": room, "msg": text}, "previewUrls": []});
    let sent = app.rocket(&ann).post("chat.sendMessage", body).await.ok();
    let want = json!([
        {"url": "http://localhost:3000/direct/x?msg=1", "meta": {}},
        {"url": "https://open.spotify.com/track/4uLU6h", "source": "spotify:track:4uLU6h",
            "meta": {}},
    ]);
    assert_eq!(sent["message"]["urls"], want);
}

#[tokio::test]
async fn the_settings_of_the_text() {
    let app = app().await;
    let boss = app.admin("root").await;
    let (ann, _, room) = pair(&app).await;
    let text = "wiki.intranet \\(x\\) $y$ color:#ff0000";
    let kinds = async || {
        let md = app.rocket(&ann).say(&room, text).await["md"].clone();
        let parts = md[0]["value"].as_array().unwrap().clone();
        let kind = |part: Value| part["type"].as_str().unwrap().to_owned();
        parts.into_iter().map(kind).filter(|kind| kind != "PLAIN_TEXT").collect::<Vec<_>>()
    };
    assert_eq!(kinds().await, ["INLINE_KATEX", "COLOR"]);
    for (id, value, want) in [
        (
            "Message_CustomDomain_AutoLink",
            json!("x, intranet"),
            &["LINK", "INLINE_KATEX", "COLOR"][..],
        ),
        ("HexColorPreview_Enabled", json!(false), &["LINK", "INLINE_KATEX"]),
        ("Katex_Parenthesis_Syntax", json!(false), &["LINK"]),
        ("Katex_Dollar_Syntax", json!(true), &["LINK", "INLINE_KATEX"]),
        ("Katex_Enabled", json!(false), &["LINK"]),
    ] {
        super::set(&app, &boss, id, value).await;
        assert_eq!(kinds().await, want, "{id}");
    }
}

#[tokio::test]
async fn mentions_are_looked_up_and_never_taken_from_the_client() {
    let app = app().await;
    let (ann, bob, room) = pair(&app).await;
    app.user("outsider").await;
    let forged = json!([{"_id": bob.id, "username": "bob"}]);
    let sent = send(
        &app,
        &ann,
        json!({"rid": room, "msg": "hi", "mentions": forged, "channels": forged,
        "urls": [{"url": "javascript:x", "meta": {"a": 1}}], "md": [{"type": "X"}]}),
    )
    .await
    .ok();
    let message = &sent["message"];
    assert_eq!(message["mentions"], json!([]));
    assert_eq!((&message["channels"], &message["urls"]), (&json!([]), &json!([])));
    assert_eq!(message["md"][0]["type"], "PARAGRAPH");
    let text = "@all @bob @outsider @nobody `@ann` @bob. x@bob";
    let message = app.rocket(&ann).say(&room, text).await;
    let mut names: Vec<&str> = message["mentions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["username"].as_str().unwrap())
        .collect();
    assert_eq!(message["mentions"][0], json!({"_id": "all", "username": "all"}));
    names.sort_unstable();
    assert_eq!(names, ["all", "bob", "outsider"]);
    let boss = app.admin("root").await;
    super::grant(&app, &boss, "mention-all", &["admin"]).await;
    let answer = send(&app, &ann, json!({"rid": room, "msg": "@all"})).await;
    assert_eq!(answer.expect(400)["errorType"], "error-action-not-allowed");
    super::set(&app, &boss, "Message_MaxAll", json!(1)).await;
    super::grant(&app, &boss, "mention-all", &["admin", "user"]).await;
    let answer = send(&app, &ann, json!({"rid": room, "msg": "@all"})).await;
    assert_eq!(answer.expect(400)["errorType"], "error-action-not-allowed");
    assert_eq!(total(&app, &ann, &room).await, 2);
}

#[tokio::test]
async fn what_only_the_server_sets_is_never_taken() {
    let app = app().await;
    let (ann, bob, room) = pair(&app).await;
    let plain =
        send(&app, &ann, json!({"rid": room, "msg": "plain"})).await.ok()["message"].clone();
    let forged = json!({
        "rid": room, "msg": "plain", "u": {"_id": bob.id, "username": "bob", "name": "Bob"},
        "_updatedAt": "2001-01-01T00:00:00.000Z", "pinned": true, "pinnedAt": START, "pinnedBy": {"_id": bob.id},
        "starred": [{"_id": bob.id}], "editedAt": START, "editedBy": {"_id": bob.id, "username": "bob"},
        "reactions": {":x:": {"usernames": ["bob"]}}, "tcount": 9, "tlm": START, "replies": [bob.id],
        "_hidden": true, "_deletedAt": START, "parent": "x", "private": true, "unread": true, "drid": "x",
        "dcount": 1, "role": "admin", "html": "<b>", "tokens": ["x"], "blocks": [{}], "file": {"_id": "x"},
        "files": [{"_id": "x"}], "success": false, "$set": {"pinned": true}, "ts ": 1, "__proto__": {"a": 1},
        "temp": true, "editedby": 1, "parseUrls": true,
    });
    let sent = send(&app, &ann, forged).await.ok()["message"].clone();
    assert_eq!(keys(&sent), keys(&plain));
    assert_eq!((&sent["u"], &sent["_updatedAt"]), (&plain["u"], &sent["ts"]));
    let id = sent["_id"].as_str().unwrap();
    for user in [&ann, &bob] {
        let read = app.rocket(user).get("chat.getMessage", &[("msgId", id)]).await.ok();
        assert_eq!(read["message"], sent);
    }
    // What stands beside the message is nobody's.
    let body = json!({"message": {"rid": room, "msg": "y"}, "u": {"_id": bob.id}, "pinned": true, "ts": 1});
    let sent = app.rocket(&ann).post("chat.sendMessage", body).await.ok()["message"].clone();
    assert_eq!(keys(&sent), keys(&plain));
    assert_eq!(sent["u"]["_id"], ann.id.as_str());
}

#[tokio::test]
async fn what_is_carried_comes_back_as_it_was() {
    let app = app().await;
    let (ann, _, room) = pair(&app).await;
    let boss = app.admin("root").await;
    super::set(&app, &boss, "Message_CustomFields_Enabled", json!(true)).await;
    let attachments = json!([{"title": "t", "title_link": "https://example.com/a", "text": "x",
        "color": "#fff", "collapsed": true, "image_url": "/file-upload/id/name.png", "image_size": 3,
        "ts": "2026-01-01T00:00:00.000Z", "fields": [{"short": true, "title": "a", "value": "b"}],
        "actions": [{"type": "button", "url": "https://example.com"}], "unknown": {"kept": 1}}]);
    let message = json!({"rid": room, "msg": "", "emoji": ":smile:", "attachments": attachments,
        "customFields": {"a": {"b": 1}}, "groupable": false});
    let sent = send(&app, &ann, message).await.ok()["message"].clone();
    assert_eq!(sent["attachments"], attachments);
    assert_eq!((&sent["emoji"], &sent["groupable"]), (&json!(":smile:"), &json!(false)));
    assert_eq!(sent["customFields"], json!({"a": {"b": 1}}));
    // An empty text is stored, and has no tree.
    assert_eq!((&sent["msg"], sent.get("md")), (&json!(""), None));
    let e2e = json!({"rid": room, "msg": "b64==", "t": "e2e", "e2e": "pending"});
    let sent = send(&app, &ann, e2e).await.ok()["message"].clone();
    assert_eq!((&sent["t"], &sent["msg"], sent.get("md")), (&json!("e2e"), &json!("b64=="), None));
}
