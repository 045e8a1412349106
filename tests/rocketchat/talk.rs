//! A talk between three (and somebody who is not in it), for the tests of reading: a room of two, a
//! group of three, and a clock that moves on by a second before whatever is written.

use crate::app::{Answer, TestApp, TestUser, app};
use serde_json::{Value, json};

pub(super) struct Talk {
    pub(super) app: TestApp,
    pub(super) boss: TestUser,
    pub(super) ann: TestUser,
    pub(super) bob: TestUser,
    pub(super) cat: TestUser,
    pub(super) eve: TestUser,
    /// Ann's with Bob.
    pub(super) pair: String,
    /// Ann's with Bob and Cat.
    pub(super) group: String,
}

impl Talk {
    pub(super) async fn new() -> Self {
        let app = app().await;
        let boss = app.admin("root").await;
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let (cat, eve) = (app.user("cat").await, app.user("eve").await);
        let pair = app.rocket(&ann).open("bob").await;
        let body = json!({"usernames": "bob,cat"});
        let made = app.rocket(&ann).post("dm.create", body).await.ok();
        let group = made["room"]["_id"].as_str().unwrap().to_owned();
        Self { app, boss, ann, bob, cat, eve, pair, group }
    }

    /// A second later; returns that time.
    pub(super) fn tick(&self) -> i64 {
        let now = self.app.clock.now() + 1000;
        self.app.clock.move_to(now);
        now
    }

    pub(super) async fn get(&self, user: &TestUser, name: &str, query: &[(&str, &str)]) -> Answer {
        self.app.rocket(user).get(name, query).await
    }

    pub(super) async fn post(&self, user: &TestUser, name: &str, body: Value) -> Answer {
        self.app.rocket(user).post(name, body).await
    }

    /// Sends a text a second later; returns the message.
    pub(super) async fn say(&self, user: &TestUser, room: &str, text: &str) -> Value {
        self.tick();
        self.app.rocket(user).say(room, text).await
    }

    /// Replies in a thread a second later; returns the message.
    pub(super) async fn reply(
        &self,
        user: &TestUser,
        root: &Value,
        text: &str,
        tshow: bool,
    ) -> Value {
        self.tick();
        let message = json!({"rid": root["rid"], "msg": text, "tmid": root["_id"], "tshow": tshow});
        self.post(user, "chat.sendMessage", json!({"message": message})).await.ok()["message"]
            .clone()
    }

    /// A user's subscription.
    pub(super) async fn sub(&self, user: &TestUser, room: &str) -> Value {
        let body = self.get(user, "subscriptions.getOne", &[("roomId", room)]).await.ok();
        body["subscription"].clone()
    }

    /// A message as a user sees it now.
    pub(super) async fn message(&self, user: &TestUser, message: &Value) -> Value {
        let id = message["_id"].as_str().unwrap();
        self.get(user, "chat.getMessage", &[("msgId", id)]).await.ok()["message"].clone()
    }

    /// Lets everyone pin, and pins.
    pub(super) async fn pin(&self, user: &TestUser, message: &Value) -> Value {
        super::grant(&self.app, &self.boss, "pin-message", &["user"]).await;
        self.tick();
        let body = json!({"messageId": message["_id"]});
        self.post(user, "chat.pinMessage", body).await.ok()["message"].clone()
    }

    pub(super) async fn delete(&self, user: &TestUser, message: &Value) {
        self.tick();
        let body = json!({"roomId": message["rid"], "msgId": message["_id"]});
        self.post(user, "chat.delete", body).await.ok();
    }

    pub(super) async fn edit(&self, user: &TestUser, message: &Value, text: &str) {
        self.tick();
        let body = json!({"roomId": message["rid"], "msgId": message["_id"], "text": text});
        self.post(user, "chat.update", body).await.ok();
    }

    pub(super) async fn read(&self, user: &TestUser, room: &str, threads: bool) {
        self.tick();
        let body = json!({"rid": room, "readThreads": threads});
        let answer = self.post(user, "subscriptions.read", body).await.ok();
        assert_eq!(answer, json!({"success": true}));
    }
}

/// One text of a document.
#[track_caller]
pub(super) fn text<'a>(document: &'a Value, key: &str) -> &'a str {
    document[key].as_str().unwrap()
}

/// The texts of what was written.
pub(super) fn texts(body: &Value, list: &str) -> Vec<String> {
    super::each(body, list, "msg")
}
