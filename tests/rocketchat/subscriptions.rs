//! `subscriptions.*` (contract sections 6.4 and 9.3): what a subscription shows, which changed since,
//! and what is refused. The transitions of section 6.5 are in `read_state.rs`.

use super::talk::{Talk, text};
use super::{coded, each, keys, plain, schema};
use crate::app::{START, TestUser};
use parlance_core::import::Line;
use parlance_core::time;
use serde_json::{Value, json};

/// The rooms of a user's subscriptions that changed after a time, and the newest time seen.
async fn changed(talk: &Talk, user: &TestUser, since: &mut String) -> Vec<String> {
    let query = [("updatedSince", since.as_str())];
    let body = talk.get(user, "subscriptions.get", &query).await.ok();
    assert_eq!(keys(&body), ["remove", "success", "update"]);
    assert_eq!(body["remove"], json!([]));
    for one in body["update"].as_array().unwrap() {
        *since = since.clone().max(text(one, "_updatedAt").to_owned());
    }
    each(&body, "update", "rid")
}

#[tokio::test]
async fn what_a_subscription_shows() {
    let talk = Talk::new().await;
    let at = time::iso(START);
    let body = talk.get(&talk.ann, "subscriptions.get", &[]).await.ok();
    assert_eq!(keys(&body), ["remove", "success", "update"]);
    assert_eq!((each(&body, "update", "rid").len(), &body["remove"]), (2, &json!([])));
    let own = talk.sub(&talk.ann, &talk.pair).await;
    let all = body["update"].as_array().unwrap();
    assert_eq!(all.iter().find(|one| one["rid"] == talk.pair), Some(&own));
    assert!(own["_id"].is_string() && own["_updatedAt"].is_string());
    let want = json!({"_id": own["_id"], "rid": talk.pair, "t": "d", "name": "bob",
        "u": {"_id": talk.ann.id, "username": "ann", "name": "ann"}, "fname": "bob", "ts": at,
        "open": true, "alert": false, "unread": 0, "userMentions": 0, "groupMentions": 0,
        "_updatedAt": own["_updatedAt"]});
    assert_eq!(own, want);
    let his = talk.sub(&talk.bob, &talk.pair).await;
    assert_eq!(
        (&his["open"], &his["name"], &his["alert"]),
        (&json!(false), &json!("ann"), &json!(false))
    );
    assert_ne!(his["_id"], own["_id"]);
    let group = talk.sub(&talk.cat, &talk.group).await;
    assert_eq!((&group["open"], &group["name"]), (&json!(true), &json!("ann, bob")));
    let alone = talk.app.rocket(&talk.ann).open("ann").await;
    let alone = talk.sub(&talk.ann, &alone).await;
    assert_eq!((&alone["open"], &alone["name"]), (&json!(true), &json!("ann")));
    // Nobody else's, and none of a room that is not there.
    for room in [talk.pair.as_str(), "nothing", "ann", &"x".repeat(10_000)] {
        let body = talk.get(&talk.eve, "subscriptions.getOne", &[("roomId", room)]).await.ok();
        assert_eq!(body, json!({"subscription": null, "success": true}));
    }
    let body = talk.get(&talk.eve, "subscriptions.get", &[]).await.ok();
    assert_eq!(body, json!({"update": [], "remove": [], "success": true}));
    // A closed one is still there.
    talk.post(&talk.ann, "dm.close", json!({"roomId": talk.pair})).await.ok();
    assert_eq!(talk.sub(&talk.ann, &talk.pair).await["open"], false);
    let body = talk.get(&talk.ann, "subscriptions.get", &[]).await.ok();
    assert_eq!(each(&body, "update", "rid").len(), 3);
}

#[tokio::test]
async fn a_block_shows_on_both_sides() {
    let talk = Talk::new().await;
    let caller = talk.app.caller(&talk.bob).await;
    let access = super::view(&talk.app, &talk.bob, &talk.pair).await;
    let marks = async |user| {
        let sub = talk.sub(user, &talk.pair).await;
        (sub.get("blocked").cloned(), sub.get("blocker").cloned())
    };
    talk.app.core.set_block(&caller, &access, true).await.unwrap();
    assert_eq!(marks(&talk.ann).await, (Some(json!(true)), None));
    assert_eq!(marks(&talk.bob).await, (None, Some(json!(true))));
    talk.app.core.set_block(&caller, &access, false).await.unwrap();
    assert_eq!((marks(&talk.ann).await, marks(&talk.bob).await), ((None, None), (None, None)));
}

/// Bob, who asks what changed since the newest time that he has seen.
struct Watch<'a> {
    talk: &'a Talk,
    seen: String,
    step: i64,
}

impl Watch<'_> {
    fn tick(&self) {
        self.talk.app.clock.move_to(self.talk.app.clock.now() + self.step);
    }

    /// The room of two changed, or nothing did; and to ask again gives nothing.
    async fn sees(&mut self, something: bool, what: &str) {
        let rooms = changed(self.talk, &self.talk.bob, &mut self.seen).await;
        let want: &[&str] = if something { &[&self.talk.pair] } else { &[] };
        assert_eq!(rooms, want, "{what}");
        let again = changed(self.talk, &self.talk.bob, &mut self.seen).await;
        assert!(again.is_empty(), "{what}: {again:?}");
    }

    async fn does(&mut self, user: &TestUser, name: &str, body: Value, something: bool) {
        self.tick();
        self.talk.post(user, name, body).await.ok();
        self.sees(something, name).await;
    }

    async fn reads_and_closes(&mut self, last: &Value) {
        let (ann, bob) = (&self.talk.ann, &self.talk.bob);
        let (rid, room) = (json!({"rid": self.talk.pair}), json!({"roomId": self.talk.pair}));
        for (name, body) in [
            ("chat.react", json!({"messageId": last["_id"], "emoji": "smile"})),
            ("subscriptions.read", rid.clone()),
            ("subscriptions.read", rid.clone()),
            ("subscriptions.unread", room.clone()),
            ("subscriptions.unread", json!({"firstUnreadMessage": {"_id": last["_id"]}})),
            ("dm.close", room.clone()),
            ("dm.open", room.clone()),
        ] {
            self.does(bob, name, body, true).await;
        }
        // What others read and close is theirs.
        for (name, body) in [("subscriptions.read", rid), ("dm.close", room)] {
            self.does(ann, name, body, false).await;
        }
    }

    async fn blocks_and_threads(&mut self, last: &Value) {
        let (ann, bob) = (&self.talk.ann, &self.talk.bob);
        let caller = self.talk.app.caller(ann).await;
        let access = super::view(&self.talk.app, ann, &self.talk.pair).await;
        for on in [true, false] {
            self.tick();
            self.talk.app.core.set_block(&caller, &access, on).await.unwrap();
            self.sees(true, "block").await;
        }
        let reply = json!({"rid": self.talk.pair, "msg": "reply", "tmid": last["_id"]});
        self.does(ann, "chat.sendMessage", json!({ "message": reply }), true).await;
        self.does(bob, "chat.readThread", json!({"tmid": last["_id"]}), true).await;
        self.does(bob, "chat.unfollowMessage", json!({"mid": last["_id"]}), true).await;
    }
}

/// The clock moves by `step` before each change: what a client has not seen is always newer.
async fn walk(step: i64) {
    let talk = Talk::new().await;
    let mut seen = "1970-01-01T00:00:00.000Z".to_owned();
    assert_eq!(changed(&talk, &talk.bob, &mut seen).await.len(), 2);
    let mut watch = Watch { talk: &talk, seen, step };
    // A burst first, so that the room's times are ahead of a clock that stands.
    watch.tick();
    for n in 0..5 {
        talk.app.rocket(&talk.ann).say(&talk.pair, &n.to_string()).await;
    }
    watch.sees(true, "a burst").await;
    let last = talk.app.rocket(&talk.ann).say(&talk.pair, "last").await;
    watch.sees(true, "one more").await;
    watch.reads_and_closes(&last).await;
    watch.blocks_and_threads(&last).await;
    // The other room was quiet all the time.
    let mut all = "1970-01-01".to_owned();
    assert_eq!(changed(&talk, &talk.bob, &mut all).await.len(), 2);
    let quiet = talk.sub(&talk.bob, &talk.group).await;
    assert!(text(&quiet, "_updatedAt") <= time::iso(START + 1).as_str());
}

#[tokio::test]
async fn what_changed_since() {
    walk(1000).await;
}

#[tokio::test]
async fn what_changed_since_while_the_clock_stands() {
    walk(0).await;
}

#[tokio::test]
async fn an_imported_subscription_has_each_key_once() {
    let talk = Talk::new().await;
    let root = talk.say(&talk.ann, &talk.pair, "root").await;
    let document = json!({"_id": "imported", "rid": talk.pair, "t": "d", "name": "ann",
        "fname": "Ann", "u": {"_id": talk.bob.id, "username": "bob"}, "unread": 1, "alert": true,
        "open": true, "ts": time::iso(START), "ls": time::iso(START), "lr": time::iso(START),
        "tunread": ["gone"], "tunreadUser": ["gone"], "tunreadGroup": ["gone"], "f": true});
    let line = json!({"collection": "subscriptions", "document": document}).to_string();
    let line = Line { number: 1, bytes: line.as_bytes() };
    talk.app.core.import_batch(&[line]).await.unwrap();
    let sub = talk.sub(&talk.bob, &talk.pair).await;
    assert_eq!((&sub["lr"], &sub["f"], &sub["unread"]), (&document["lr"], &json!(true), &json!(1)));
    assert_eq!(sub.get("tunread"), None);
    let reply = talk.reply(&talk.ann, &root, "reply", false).await;
    let answer = talk.get(&talk.bob, "subscriptions.getOne", &[("roomId", &talk.pair)]).await;
    let raw = String::from_utf8(answer.body.clone()).unwrap();
    for key in ["\"lr\":", "\"tunread\":"] {
        assert_eq!(raw.matches(key).count(), 1, "{raw}");
    }
    let sub = answer.ok()["subscription"].clone();
    assert_eq!((&sub["lr"], &sub["tunread"]), (&reply["ts"], &json!([root["_id"]])));
    talk.read(&talk.bob, &talk.pair, true).await;
    assert_eq!(talk.sub(&talk.bob, &talk.pair).await.get("tunread"), None);
}

#[tokio::test]
async fn what_get_refuses() {
    let talk = Talk::new().await;
    let text = "The \"lastUpdate\" query parameter must be a valid date.";
    let long = "9".repeat(10_000);
    for (name, bad) in [
        ("updatedSince", "abc"),
        ("updatedSince", "{\"$date\":0}"),
        ("updatedSince", "2026-13-01"),
        ("updatedSince", long.as_str()),
        ("updatedSince[]", "2026-01-01"),
    ] {
        let answer = talk.get(&talk.ann, "subscriptions.get", &[(name, bad)]).await;
        coded(&answer, "error-roomId-param-invalid", text, &Value::Null);
    }
    let answer = talk.get(&talk.ann, "subscriptions.get", &[("updatedSince", "a\0")]).await;
    plain(&answer, 400, "Invalid query parameters");
    let one =
        async |query: &[(&str, &str)]| talk.get(&talk.ann, "subscriptions.getOne", query).await;
    schema(&one(&[]).await, "must have required property 'roomId'");
    schema(&one(&[("roomId", "")]).await, "must NOT have fewer than 1 characters");
    schema(&one(&[("roomId[]", "x")]).await, "must be string");
    schema(&one(&[("roomId", "x"), ("y", "x")]).await, "must NOT have additional properties");
}

#[tokio::test]
async fn what_read_refuses() {
    let talk = Talk::new().await;
    talk.say(&talk.ann, &talk.pair, "unread").await;
    let before = talk.sub(&talk.bob, &talk.pair).await;
    let read =
        async |user: &TestUser, body: Value| talk.post(user, "subscriptions.read", body).await;
    let neither = "must have required property 'rid'\n must have required property 'roomId'\n \
                   must match a schema in anyOf";
    schema(&read(&talk.bob, json!({})).await, neither);
    schema(&read(&talk.bob, json!({"readThreads": true})).await, neither);
    for body in [
        json!({"rid": {"$ne": null}}),
        json!({"roomId": [talk.pair]}),
        json!({"rid": talk.pair, "readThreads": "yes"}),
        json!({"rid": talk.pair, "readThreads": {}}),
        json!({"rid": talk.pair, "roomId": talk.group}),
        json!({"rid": talk.pair, "nothing": 1}),
    ] {
        let error = read(&talk.bob, body.clone()).await.expect(400);
        assert_eq!(error["errorType"], "invalid-params", "{body}");
    }
    let long = "x".repeat(10_000);
    for user in [&talk.eve, &talk.boss] {
        for rid in
            [json!(talk.pair), json!("nothing"), json!(7), json!(null), json!(""), json!(long)]
        {
            let answer = read(user, json!({ "rid": rid })).await;
            plain(&answer, 400, "error-invalid-subscription");
        }
    }
    assert_eq!(read(&talk.bob, json!({"rid": "a\0"})).await.status, 400);
    assert_eq!(talk.sub(&talk.bob, &talk.pair).await, before);
    for body in [json!({"roomId": talk.pair}), json!({"rid": talk.pair, "roomId": talk.pair})] {
        assert_eq!(read(&talk.bob, body).await.ok(), json!({"success": true}));
    }
}

#[tokio::test]
async fn what_unread_refuses() {
    let talk = Talk::new().await;
    let details = json!({"method": "unreadMessages", "action": "Unread_messages"});
    let unread =
        async |user: &TestUser, body: Value| talk.post(user, "subscriptions.unread", body).await;
    let nothing = "must have required property 'roomId'\n must have required property \
                   'firstUnreadMessage'\n must match a schema in anyOf";
    schema(&unread(&talk.ann, json!({})).await, nothing);
    let answer = unread(&talk.ann, json!({"roomId": talk.pair})).await;
    let empty = "There are no messages to mark unread";
    coded(&answer, "error-no-message-for-unread", empty, &details);
    let sent = talk.say(&talk.ann, &talk.pair, "mine").await;
    let before = talk.sub(&talk.bob, &talk.pair).await;
    let long = "x".repeat(10_000);
    // One's own, one that is not there, one of a foreign room: all the same.
    for (user, id) in [
        (&talk.ann, sent["_id"].clone()),
        (&talk.bob, json!("nothing")),
        (&talk.bob, json!(long)),
        (&talk.bob, json!({"$ne": null})),
        (&talk.bob, Value::Null),
        (&talk.eve, sent["_id"].clone()),
        (&talk.boss, sent["_id"].clone()),
    ] {
        let answer = unread(user, json!({"firstUnreadMessage": {"_id": id}})).await;
        coded(&answer, "error-action-not-allowed", "Not allowed", &details);
    }
    for room in [talk.pair.as_str(), "nothing"] {
        let answer = unread(&talk.eve, json!({"roomId": room})).await;
        assert_eq!(answer.expect(400)["errorType"], "error-subscription-not-found");
    }
    for body in [
        json!({"roomId": ["x"]}),
        json!({"roomId": {}}),
        json!({"firstUnreadMessage": "x"}),
        json!({"firstUnreadMessage": [1]}),
    ] {
        assert_eq!(unread(&talk.bob, body).await.expect(400)["errorType"], "invalid-params");
    }
    assert_eq!(talk.sub(&talk.bob, &talk.pair).await, before);
}
