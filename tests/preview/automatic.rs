//! Previews after the save: nobody waits for them, they come as a change of the message with its event,
//! and an edit or a deletion meanwhile wins.

use super::web::{Reply, Web, titled};
use super::{Scene, soon};
use crate::realtime::client::{Client, ejson, listen};
use crate::rocketchat::set;
use parlance_core::event::Kind;
use parlance_core::{Clock, Subscription};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::Notify;

/// A page by its path; what is below `/held` comes when the test says so.
fn answer(release: Arc<Notify>) -> impl Fn(&str) -> Reply + Send + Sync + 'static {
    move |path| {
        let Reply::All(text) = titled(path) else { unreachable!("a whole page") };
        if path.starts_with("/held") {
            Reply::Held(release.clone(), text)
        } else {
            Reply::All(text)
        }
    }
}

#[tokio::test]
async fn a_preview_is_told_to_open_sockets_as_a_change() {
    let stage = Stage::new().await;
    let at = listen(&stage.scene.app).await;
    let mut there = Client::log_in(&at, &stage.scene.bob).await;
    there.hear("room-messages", &stage.scene.room).await;
    let message = stage.say(&format!("see {}", stage.url("/page"))).await;
    let told = there
        .event_if("room-messages", &stage.scene.room, |args| {
            args[0]["urls"][0]["meta"]["pageTitle"].is_string()
        })
        .await;
    assert_eq!(told[0]["_id"], message["_id"]);
    let seen = stage.read(&message["_id"]).await;
    assert_eq!(told, json!([ejson(&seen)]));
}

struct Stage {
    scene: Scene,
    web: Web,
    release: Arc<Notify>,
    events: Subscription,
}

impl Stage {
    /// On the machine's clock: a shared store's log is polled by the clock.
    async fn new() -> Self {
        let release = Arc::new(Notify::new());
        let web = Web::start(answer(release.clone())).await;
        let scene = Scene::new(&web, Clock::default()).await;
        let events = scene.app.core.listen(1024);
        Self { scene, web, release, events }
    }

    fn url(&self, path: &str) -> String {
        self.web.url("page.example", path)
    }

    /// Ann says something; returns the answer's message.
    async fn say(&self, text: &str) -> Value {
        let rocket = self.scene.app.rocket(&self.scene.ann);
        soon("a send", rocket.say(&self.scene.room, text)).await
    }

    async fn read(&self, id: &Value) -> Value {
        let query = [("msgId", id.as_str().unwrap())];
        let rocket = self.scene.app.rocket(&self.scene.bob);
        rocket.get("chat.getMessage", &query).await.ok()["message"].clone()
    }

    /// Waits until the message changed, and reads it then.
    async fn changed(&mut self, id: &Value) -> Value {
        let next = async {
            loop {
                let event = self.events.next().await.expect("a listener that keeps up");
                if event.kind == Kind::MessageChanged && id == event.reference.as_str() {
                    return;
                }
            }
        };
        soon("the previews", next).await;
        self.read(id).await
    }

    async fn update(&self, id: &Value, body: Value) -> Value {
        let mut body = body;
        body["roomId"] = self.scene.room.as_str().into();
        body["msgId"] = id.clone();
        let rocket = self.scene.app.rocket(&self.scene.ann);
        rocket.post("chat.update", body).await.ok()["message"].clone()
    }
}

#[tokio::test]
async fn previews_come_after_the_answer_as_a_change() {
    let mut stage = Stage::new().await;
    let (a, b) = (stage.url("/a?x=y#z"), stage.url("/b"));
    let sent = stage.say(&format!("see {a} and {b} `{}`", stage.url("/code"))).await;
    assert_eq!(sent["urls"], json!([{"url": a, "meta": {}}, {"url": b, "meta": {}}]));
    let message = stage.changed(&sent["_id"]).await;
    let host = format!("page.example:{}", stage.web.port);
    let port = stage.web.port.to_string();
    let headers = json!({"contentType": "text/html", "contentLength":
        message["urls"][0]["headers"]["contentLength"]});
    assert_eq!(
        message["urls"][0],
        json!({"url": a, "meta": {"pageTitle": "/a?x=y"},
        "headers": headers, "parsedUrl": {"protocol": "http:", "host": host, "hostname": "page.example",
        "port": port, "pathname": "/a", "search": "?x=y", "query": "x=y", "hash": "#z"}})
    );
    assert_eq!(message["urls"][1]["meta"], json!({"pageTitle": "/b"}));
    // Nothing else is changed, but for when it was.
    assert!(message["_updatedAt"].as_str() > sent["_updatedAt"].as_str());
    let mut rest = message.clone();
    rest["urls"] = sent["urls"].clone();
    rest["_updatedAt"] = sent["_updatedAt"].clone();
    assert_eq!(rest, sent);
    assert_eq!(stage.web.asked().len(), 2);
    // Whoever synchronises by the newest time it saw gets it.
    let rocket = stage.scene.app.rocket(&stage.scene.bob);
    let query = [
        ("roomId", stage.scene.room.as_str()),
        ("lastUpdate", sent["_updatedAt"].as_str().unwrap()),
    ];
    let synced = rocket.get("chat.syncMessages", &query).await.ok();
    assert_eq!(synced["result"]["updated"][0]["urls"], message["urls"]);
    let list = rocket.get("dm.list", &[]).await.ok();
    assert_eq!(list["ims"][0]["lastMessage"]["urls"], message["urls"]);
}

#[tokio::test]
async fn every_way_to_send_has_previews_and_a_page_is_fetched_once() {
    let mut stage = Stage::new().await;
    let url = stage.url("/once");
    let room = stage.scene.room.clone();
    let body = json!({"roomId": room, "text": url});
    let posted = stage.scene.app.rocket(&stage.scene.ann).post("chat.postMessage", body).await.ok();
    let id = &posted["message"]["_id"];
    assert_eq!(stage.changed(id).await["urls"][0]["meta"]["pageTitle"], "/once");
    let path = format!("/dms/{room}/messages");
    let body = json!({"content": format!("again {url}")});
    let sent = stage.scene.app.meepa(&stage.scene.bob).post(&path, body).await.json();
    let id = &sent["data"]["id"];
    assert_eq!(stage.changed(id).await["urls"][0]["meta"]["pageTitle"], "/once");
    let sent = stage.say(&url).await;
    assert_eq!(stage.changed(&sent["_id"]).await["urls"][0]["meta"]["pageTitle"], "/once");
    assert_eq!(stage.web.asked(), ["/once"]);
}

#[tokio::test]
async fn what_is_not_wanted_is_not_fetched() {
    let mut stage = Stage::new().await;
    let many: Vec<String> = (0..6).map(|n| stage.url(&format!("/many{n}"))).collect();
    let too_many = stage.say(&many.join(" ")).await;
    let send = async |text: String, previews: Value| {
        let message = json!({"rid": stage.scene.room, "msg": text});
        let body = json!({"message": message, "previewUrls": previews});
        let rocket = stage.scene.app.rocket(&stage.scene.ann);
        rocket.post("chat.sendMessage", body).await.ok()["message"].clone()
    };
    let none = send(stage.url("/ignored"), json!([])).await;
    let (one, other) = (stage.url("/one"), stage.url("/other"));
    let some = send(format!("{one} {other}"), json!([one])).await;
    let unparsed =
        json!({"roomId": stage.scene.room, "text": stage.url("/text"), "parseUrls": false});
    stage.scene.app.rocket(&stage.scene.ann).post("chat.postMessage", unparsed).await.ok();
    let ours = stage.say("http://localhost:3000/direct/x").await;
    let filled = stage.changed(&some["_id"]).await;
    assert_eq!(filled["urls"][0]["meta"]["pageTitle"], "/one");
    assert_eq!(filled["urls"][1], json!({"url": other, "meta": {}, "ignoreParse": true}));
    set(&stage.scene.app, &stage.scene.boss, "API_Embed", json!(false)).await;
    let off = stage.say(&stage.url("/off")).await;
    set(&stage.scene.app, &stage.scene.boss, "API_Embed", json!(true)).await;
    // The last one's previews are there, and the others are as they were sent.
    let last = stage.say(&stage.url("/last")).await;
    stage.changed(&last["_id"]).await;
    for sent in [too_many, none, ours, off] {
        assert_eq!(stage.read(&sent["_id"]).await, sent);
    }
    assert_eq!(stage.web.asked(), ["/one", "/last"]);
}

#[tokio::test]
async fn an_edit_keeps_what_is_known_and_asks_for_what_is_new() {
    let mut stage = Stage::new().await;
    let (old, new) = (stage.url("/old"), stage.url("/new"));
    let sent = stage.say(&old).await;
    let before = stage.changed(&sent["_id"]).await;
    let edited = stage.update(&sent["_id"], json!({"text": format!("{new} {old}")})).await;
    assert_eq!(edited["urls"], json!([{"url": new, "meta": {}}, before["urls"][0]]));
    // The edit, then its previews.
    stage.changed(&sent["_id"]).await;
    let after = stage.changed(&sent["_id"]).await;
    assert_eq!(after["urls"][0]["meta"]["pageTitle"], "/new");
    assert_eq!((&after["urls"][1], &after["editedAt"]), (&before["urls"][0], &edited["editedAt"]));
    assert_eq!(stage.web.asked(), ["/old", "/new"]);
    // A URL that is no longer wanted loses what was known.
    let body = json!({"text": format!("{new} {old}"), "previewUrls": [new]});
    let edited = stage.update(&sent["_id"], body).await;
    assert_eq!(
        edited["urls"],
        json!([after["urls"][0], {"url": old, "meta": {}, "ignoreParse": true}])
    );
}

#[tokio::test]
async fn an_edit_or_a_deletion_meanwhile_wins() {
    let mut stage = Stage::new().await;
    let held = stage.url("/held");
    // The answer is there while the page is not.
    let (edited, deleted) = (stage.say(&held).await, stage.say(&held).await);
    soon("the request", stage.web.asked_times(1)).await;
    let now = stage.update(&edited["_id"], json!({"text": "nothing to see"})).await;
    let body = json!({"roomId": stage.scene.room, "msgId": deleted["_id"]});
    stage.scene.app.rocket(&stage.scene.ann).post("chat.delete", body).await.ok();
    let last = stage.say(&held).await;
    stage.release.notify_one();
    assert_eq!(stage.changed(&last["_id"]).await["urls"][0]["meta"]["pageTitle"], "/held");
    assert_eq!(stage.read(&edited["_id"]).await, now);
    let query = [("msgId", deleted["_id"].as_str().unwrap())];
    let rocket = stage.scene.app.rocket(&stage.scene.bob);
    assert_eq!(rocket.get("chat.getMessage", &query).await.expect(400), json!({"success": false}));
    assert_eq!(stage.web.asked(), ["/held"]);
}

/// Sends go on while every page that previews ask for is slow.
#[tokio::test]
async fn slow_pages_hold_nobody_up() {
    let stage = Stage::new().await;
    for n in 0..200 {
        let sent = stage.say(&stage.url(&format!("/held{n}"))).await;
        assert_eq!(sent["urls"][0]["meta"], json!({}));
    }
    soon("the first requests", stage.web.asked_times(4)).await;
    assert_eq!(stage.web.asked().len(), 4);
    // The core closes although they wait.
    let core = stage.scene.app.core.clone();
    soon("the end", core.close()).await;
}
