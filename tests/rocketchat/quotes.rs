//! Quotes by link (contract sections 7.5 and 7.7): a URL of this server that names a message quotes it,
//! for who writes the link and may read that, and for nobody else.

use super::set;
use crate::app::{TestApp, TestUser, app};
use serde_json::{Value, json};

struct Talk {
    app: TestApp,
    boss: TestUser,
    ann: TestUser,
    bob: TestUser,
    /// Of ann and bob.
    room: String,
    /// Of ann alone.
    own: String,
}

fn link(id: &Value) -> String {
    format!("http://localhost:3000/direct/any?msg={}", id.as_str().unwrap())
}

impl Talk {
    async fn new() -> Self {
        let app = app().await;
        let boss = app.admin("root").await;
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let room = app.rocket(&ann).open("bob").await;
        let own = app.rocket(&ann).open("ann").await;
        Self { app, boss, ann, bob, room, own }
    }

    async fn send(&self, user: &TestUser, message: Value) -> Value {
        let body = json!({ "message": message });
        self.app.rocket(user).post("chat.sendMessage", body).await.ok()["message"].clone()
    }

    async fn say(&self, text: &str) -> Value {
        self.app.rocket(&self.ann).say(&self.room, text).await
    }

    async fn update(&self, user: &TestUser, message: &Value, text: &str) -> Value {
        let body = json!({"roomId": message["rid"], "msgId": message["_id"], "text": text});
        self.app.rocket(user).post("chat.update", body).await.ok()["message"].clone()
    }
}

/// What a link to this message adds.
fn quote(message: &Value, attachments: &Value) -> Value {
    let name = message["u"]["username"].as_str().unwrap();
    json!({"message_link": link(&message["_id"]), "text": message["msg"], "author_name": name,
        "author_icon": format!("/avatar/{name}"), "ts": message["ts"], "attachments": attachments})
}

#[tokio::test]
async fn a_link_quotes_what_its_sender_may_read() {
    let talk = Talk::new().await;
    let (first, none) = (talk.say("what was said").await, json!([]));
    let want = json!([quote(&first, &none)]);
    let text = format!("[ ]({}) indeed", link(&first["_id"]));
    let sent = talk.say(&text).await;
    assert_eq!((&sent["attachments"], &sent["msg"]), (&want, &json!(text)));
    assert_eq!(sent["urls"], json!([{"url": link(&first["_id"]), "meta": {}}]));
    let query = [("msgId", sent["_id"].as_str().unwrap())];
    let read = talk.app.rocket(&talk.bob).get("chat.getMessage", &query).await.ok();
    assert_eq!(read["message"], sent);
    // Posted, in another room, whatever may be previewed.
    let body = json!({"roomId": talk.own, "text": text});
    let posted = talk.app.rocket(&talk.ann).post("chat.postMessage", body).await.ok();
    assert_eq!(posted["message"]["attachments"], want);
    let body = json!({"message": {"rid": talk.own, "msg": text}, "previewUrls": []});
    let sent = talk.app.rocket(&talk.ann).post("chat.sendMessage", body).await.ok();
    assert_eq!(sent["message"]["attachments"], want);
    let path = format!("/dms/{}/messages", talk.room);
    let sent = talk.app.meepa(&talk.bob).post(&path, json!({"content": text})).await.json();
    let query = [("msgId", sent["data"]["id"].as_str().unwrap())];
    let read = talk.app.rocket(&talk.ann).get("chat.getMessage", &query).await.ok();
    assert_eq!(read["message"]["attachments"], want);
    // Not where URLs are not looked for, nor in code.
    let body = json!({"roomId": talk.room, "text": text, "parseUrls": false});
    let posted = talk.app.rocket(&talk.ann).post("chat.postMessage", body).await.ok();
    assert_eq!(posted["message"]["attachments"], none);
    let edited = talk.update(&talk.ann, &posted["message"], &format!("again {text}")).await;
    assert_eq!((&edited["attachments"], edited.get("urls")), (&none, None));
    let code = talk.say(&format!("`{}`", link(&first["_id"]))).await;
    assert_eq!(code.get("attachments"), None);
}

#[tokio::test]
async fn a_foreign_message_and_none_add_nothing_alike() {
    let talk = Talk::new().await;
    let secret = talk.app.rocket(&talk.ann).say(&talk.own, "a secret of ann's").await;
    let absent = json!("000000000000000000000000");
    let base = json!({"rid": talk.room, "msg": "x"});
    let mut seen: Vec<Value> = Vec::new();
    for id in [&secret["_id"], &absent] {
        let mut message = base.clone();
        message["msg"] = link(id).into();
        let sent = talk.send(&talk.bob, message.clone()).await;
        assert_eq!(sent.get("attachments"), None);
        let body = json!({"roomId": talk.room, "text": link(id)});
        let posted = talk.app.rocket(&talk.bob).post("chat.postMessage", body).await.ok();
        let edited = talk.update(&talk.bob, &sent, &format!("see {}", link(id))).await;
        // What a client says itself of a link is the client's, and stays with it.
        let own = json!([{"message_link": link(id), "text": "so they say"}]);
        message["attachments"] = own.clone();
        let forged = talk.send(&talk.bob, message).await;
        assert_eq!(forged["attachments"], own);
        let plain = |value: &Value| {
            let mut value = value.clone();
            for changes in ["_id", "ts", "_updatedAt", "editedAt"] {
                value[changes].take();
            }
            value.to_string().replace(id.as_str().unwrap(), "ID")
        };
        seen.push(json!([&sent, &posted["message"], &edited, &forged].map(plain)));
    }
    assert_eq!(seen[0], seen[1]);
    assert!(!seen[0].to_string().contains("secret"));
    // Administrators are nobody here either; and a member no longer quotes what is gone.
    let room = talk.app.rocket(&talk.boss).open("root").await;
    let sent = talk.app.rocket(&talk.boss).say(&room, &link(&secret["_id"])).await;
    assert_eq!(sent.get("attachments"), None);
    let body = json!({"roomId": talk.own, "msgId": secret["_id"]});
    talk.app.rocket(&talk.ann).post("chat.delete", body).await.ok();
    assert_eq!(talk.say(&link(&secret["_id"])).await.get("attachments"), None);
}

#[tokio::test]
async fn only_what_people_said_here_is_quoted() {
    let talk = Talk::new().await;
    let first = talk.say("first").await;
    let body = json!({"rid": talk.room, "msg": "cipher", "t": "e2e"});
    let sealed = talk.send(&talk.ann, body).await;
    let pinned = json!({"messageId": first["_id"]});
    let notice = talk.app.rocket(&talk.boss).post("chat.pinMessage", pinned).await;
    assert_eq!(notice.status.as_u16(), 400, "no member");
    let body = json!({"roomId": talk.room, "topic": "a topic"});
    talk.app.rocket(&talk.ann).post("dm.setTopic", body).await.ok();
    let list = talk.app.rocket(&talk.ann).get("dm.messages", &[("roomId", &talk.room)]).await.ok();
    let notice = &list["messages"][0];
    assert_eq!(notice["t"], "room_changed_topic");
    for id in [&sealed["_id"], &notice["_id"]] {
        assert_eq!(talk.say(&link(id)).await.get("attachments"), None);
    }
    let id = first["_id"].as_str().unwrap();
    for other in [
        format!("https://localhost:3000/direct/x?msg={id}"),
        format!("http://localhost:3001/direct/x?msg={id}"),
        format!("http://localhost.example:3000/direct/x?msg={id}"),
        format!("http://a.example/?http://localhost:3000/direct/x?msg={id}"),
        format!("http://localhost:3000/direct/{id}"),
    ] {
        assert_eq!(talk.say(&other).await.get("attachments"), None, "{other}");
    }
    set(&talk.app, &talk.boss, "Site_Url", json!("https://chat.example/team/")).await;
    assert_eq!(talk.say(&link(&first["_id"])).await.get("attachments"), None);
    let sent = talk.say(&format!("https://chat.example/team/direct/x?msg={id}")).await;
    assert_eq!(sent["attachments"][0]["text"], "first");
}

#[tokio::test]
async fn a_chain_of_quotes_has_an_end() {
    let talk = Talk::new().await;
    let picture = json!([{"image_url": "/file-upload/x", "title": "a picture"}]);
    let first =
        talk.send(&talk.ann, json!({"rid": talk.room, "msg": "1", "attachments": picture})).await;
    let second = talk.say(&link(&first["_id"])).await;
    let third = talk.say(&link(&second["_id"])).await;
    let inner = json!([quote(&first, &picture)]);
    assert_eq!(second["attachments"], inner);
    assert_eq!(third["attachments"], json!([quote(&second, &inner)]));
    // The third quotes two deep, so a quote of it leaves the first out.
    let fourth = talk.say(&link(&third["_id"])).await;
    let inner = json!([quote(&second, &json!([]))]);
    assert_eq!(fourth["attachments"], json!([quote(&third, &inner)]));
    for (limit, want) in [
        (1, json!([quote(&third, &json!([]))])),
        (0, Value::Null),
        (-1, Value::Null),
        (9, json!([quote(&third, &third["attachments"])])),
    ] {
        set(&talk.app, &talk.boss, "Message_QuoteChainLimit", json!(limit)).await;
        assert_eq!(talk.say(&link(&third["_id"])).await["attachments"], want, "{limit}");
    }
}

#[tokio::test]
async fn quotes_follow_the_text_and_what_is_the_clients_stays() {
    let talk = Talk::new().await;
    let (one, two) = (talk.say("one").await, talk.say("two").await);
    let (none, own) = (json!([]), json!({"title": "mine", "text": "kept"}));
    let other = json!({"message_link": "http://localhost:3000/direct/x?msg=other", "text": "mine"});
    let claimed = json!({"message_link": link(&one["_id"]), "text": "one, says the client"});
    let message = json!({"rid": talk.room, "msg": link(&one["_id"]),
        "attachments": [own, other, claimed]});
    let sent = talk.send(&talk.ann, message).await;
    assert_eq!(sent["attachments"], json!([own, other, quote(&one, &none)]));
    let both = format!("{} {}", link(&two["_id"]), link(&one["_id"]));
    let edited = talk.update(&talk.ann, &sent, &both).await;
    assert_eq!(edited["attachments"], json!([own, other, quote(&two, &none), quote(&one, &none)]));
    let edited = talk.update(&talk.ann, &sent, &link(&two["_id"])).await;
    assert_eq!(edited["attachments"], json!([own, other, quote(&two, &none)]));
    let edited = talk.update(&talk.ann, &sent, "nothing any more").await;
    assert_eq!(edited["attachments"], json!([own, other]));
    // A quote says what the message says when it is written.
    let now = talk.update(&talk.ann, &one, "one, edited").await;
    let sent = talk.say(&link(&one["_id"])).await;
    assert_eq!(sent["attachments"], json!([quote(&now, &none)]));
    let sent = talk.update(&talk.ann, &sent, "no link").await;
    assert_eq!(sent["attachments"], none);
}

/// Who edits another's text need not be able to read what it quotes, and learns no more by it.
#[tokio::test]
async fn an_editor_who_may_not_read_keeps_what_is_there_and_adds_nothing() {
    let talk = Talk::new().await;
    super::grant(&talk.app, &talk.boss, "edit-message", &["admin", "user"]).await;
    let none = json!([]);
    let secret = talk.app.rocket(&talk.ann).say(&talk.own, "between me and me").await;
    let other = talk.app.rocket(&talk.ann).say(&talk.own, "another secret").await;
    let sent = talk.say(&link(&secret["_id"])).await;
    let want = json!([quote(&secret, &none)]);
    assert_eq!(sent["attachments"], want);
    let text = format!("{} {}", link(&secret["_id"]), link(&other["_id"]));
    assert_eq!(talk.update(&talk.bob, &sent, &text).await["attachments"], want);
    assert_eq!(talk.update(&talk.bob, &sent, "gone").await["attachments"], none);
    assert_eq!(talk.update(&talk.bob, &sent, &text).await["attachments"], none);
}

#[tokio::test]
async fn what_is_carried_stays_bounded() {
    let talk = Talk::new().await;
    let large = json!([{"text": "x".repeat(40_000)}]);
    let mut texts = Vec::new();
    for n in 0..2 {
        let message = json!({"rid": talk.room, "msg": n.to_string(), "attachments": large});
        texts.push(link(&talk.send(&talk.ann, message).await["_id"]));
    }
    let sent = talk.say(&texts.join(" ")).await;
    assert_eq!(sent["attachments"].as_array().map(Vec::len), Some(1));
    assert_eq!(sent["attachments"][0]["text"], "0");
    let message = json!({"rid": talk.room, "msg": texts[0], "attachments": large});
    assert_eq!(talk.send(&talk.ann, message).await["attachments"], large);
    // Many links, and attachments as deep as they may be.
    let mut many = Vec::new();
    for n in 0..12 {
        many.push(link(&talk.say(&n.to_string()).await["_id"]));
    }
    let sent = talk.say(&many.join(" ")).await;
    assert_eq!(sent["attachments"].as_array().map(Vec::len), Some(10));
    let mut deep = json!({"text": "deepest"});
    for _ in 0..13 {
        deep = json!({"text": "x", "attachments": [deep]});
    }
    let first =
        talk.send(&talk.ann, json!({"rid": talk.room, "msg": "1", "attachments": [deep]})).await;
    let mut id = first["_id"].clone();
    for _ in 0..6 {
        id = talk.say(&link(&id)).await["_id"].clone();
        let query = [("roomId", talk.room.as_str())];
        talk.app.rocket(&talk.bob).get("dm.messages", &query).await.ok();
    }
}
