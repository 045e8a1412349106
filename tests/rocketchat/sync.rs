//! `chat.syncMessages` and `chat.getDeletedMessages` (contract section 9.1): what changed or went since
//! a client last asked, nothing missed and nothing twice.

use super::talk::{Talk, text};
use super::{coded, each, keys, plain};
use crate::app::{START, TestUser};
use parlance_core::time;
use serde_json::{Value, json};

async fn sync(talk: &Talk, user: &TestUser, room: &str, since: &str) -> Value {
    let query = [("roomId", room), ("lastUpdate", since)];
    talk.get(user, "chat.syncMessages", &query).await.ok()["result"].clone()
}

/// A client that asks by the newest time it has seen.
struct Client<'a> {
    talk: &'a Talk,
    since: String,
}

impl Client<'_> {
    /// Texts of what is new, and how many messages went.
    async fn ask(&mut self) -> (Vec<String>, usize) {
        let (talk, user) = (self.talk, &self.talk.cat);
        let result = sync(talk, user, &talk.group, &self.since).await;
        let updated = result["updated"].as_array().unwrap();
        let deleted = result["deleted"].as_array().unwrap();
        for (list, key) in [(updated, "_updatedAt"), (deleted, "_deletedAt")] {
            for one in list {
                assert!(text(one, key) > START_TEXT);
                self.since = self.since.clone().max(text(one, key).to_owned());
            }
        }
        // The newest is what comes first; and to ask again gives nothing.
        assert!(updated.is_sorted_by(|a, b| text(a, "ts") > text(b, "ts")));
        let again = sync(talk, user, &talk.group, &self.since).await;
        assert_eq!(again, json!({"updated": [], "deleted": []}));
        (updated.iter().map(|one| text(one, "msg").to_owned()).collect(), deleted.len())
    }

    async fn sees(&mut self, texts: &[&str], gone: usize) {
        let (mut seen, went) = self.ask().await;
        seen.sort_unstable();
        assert_eq!(
            (seen.iter().map(String::as_str).collect::<Vec<_>>(), went),
            (texts.to_vec(), gone)
        );
    }
}

const START_TEXT: &str = "2026-01-02T03:04:05.678Z";

/// A client that watches, and what is done meanwhile; the clock moves by `step` before each.
struct Watched<'a> {
    talk: &'a Talk,
    client: Client<'a>,
    step: i64,
}

impl Watched<'_> {
    /// Does it; the client must see exactly these texts and so many that went.
    async fn does(
        &mut self,
        user: &TestUser,
        name: &str,
        body: Value,
        (texts, gone): (&[&str], usize),
    ) -> Value {
        self.talk.app.clock.move_to(self.talk.app.clock.now() + self.step);
        let done = self.talk.post(user, name, body).await.ok();
        self.client.sees(texts, gone).await;
        done["message"].clone()
    }

    async fn marks(&mut self, one: &Value) {
        let (ann, bob, cat) = (&self.talk.ann, &self.talk.bob, &self.talk.cat);
        let (id, seen) = (json!({"messageId": one["_id"]}), (&["one"][..], 0));
        let turn = json!({"messageId": one["_id"], "emoji": "smile"});
        self.does(bob, "chat.react", turn.clone(), seen).await;
        // The same again is no change.
        let on = json!({"messageId": one["_id"], "emoji": "smile", "shouldReact": true});
        self.does(bob, "chat.react", on, NOTHING).await;
        self.does(bob, "chat.react", turn, seen).await;
        for name in ["chat.starMessage", "chat.unStarMessage"] {
            self.does(cat, name, id.clone(), seen).await;
            self.does(cat, name, id.clone(), NOTHING).await;
        }
        self.does(ann, "chat.pinMessage", id.clone(), (&["", "one"], 0)).await;
        self.does(ann, "chat.unPinMessage", id, seen).await;
    }

    async fn threads(&mut self, one: &Value) {
        let (ann, bob, cat) = (&self.talk.ann, &self.talk.bob, &self.talk.cat);
        let (room, seen) = (&self.talk.group, (&["one"][..], 0));
        let reply = json!({"message": {"rid": room, "msg": "reply", "tmid": one["_id"]}});
        // A reply changes its root.
        let both = (&["one", "reply"][..], 0);
        let sent = self.does(bob, "chat.sendMessage", reply.clone(), both).await;
        for name in ["chat.unfollowMessage", "chat.followMessage"] {
            self.does(cat, name, json!({"mid": one["_id"]}), seen).await;
        }
        // Reading changes no message.
        let read = json!({"rid": room, "readThreads": true});
        self.does(cat, "subscriptions.read", read, NOTHING).await;
        let place = json!({"roomId": room, "msgId": sent["_id"]});
        self.does(bob, "chat.delete", place, (&["one"], 1)).await;
        self.does(cat, "chat.sendMessage", reply, both).await;
        // A stub is a change.
        let place = json!({"roomId": room, "msgId": one["_id"]});
        self.does(ann, "chat.delete", place, (&[""], 0)).await;
    }
}

const NOTHING: (&[&str], usize) = (&[], 0);

/// Everything that can happen to messages, one after the other.
async fn walk(step: i64) {
    let talk = Talk::new().await;
    super::grant(&talk.app, &talk.boss, "pin-message", &["user"]).await;
    let client = Client { talk: &talk, since: START_TEXT.to_owned() };
    let mut it = Watched { talk: &talk, client, step };
    let send = |text: &str| json!({"message": {"rid": talk.group, "msg": text}});
    it.client.sees(&[], 0).await;
    let one = it.does(&talk.ann, "chat.sendMessage", send("one"), (&["one"], 0)).await;
    let two = it.does(&talk.bob, "chat.sendMessage", send("two"), (&["two"], 0)).await;
    it.marks(&one).await;
    let edit = json!({"roomId": talk.group, "msgId": two["_id"], "text": "deux"});
    it.does(&talk.bob, "chat.update", edit.clone(), (&["deux"], 0)).await;
    it.does(&talk.bob, "chat.update", edit, NOTHING).await;
    let place = json!({"roomId": talk.group, "msgId": two["_id"]});
    it.does(&talk.bob, "chat.delete", place, (&[], 1)).await;
    it.threads(&one).await;
    let all = sync(&talk, &talk.cat, &talk.group, START_TEXT).await;
    assert_eq!(each(&all, "updated", "msg"), ["reply", "", ""]);
    assert_eq!(all["deleted"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn nothing_is_missed_and_nothing_comes_twice() {
    walk(1000).await;
}

#[tokio::test]
async fn nor_while_the_clock_stands_or_goes_back() {
    walk(0).await;
    walk(-1000).await;
}

#[tokio::test]
async fn what_an_answer_holds() {
    let talk = Talk::new().await;
    let one = talk.say(&talk.ann, &talk.pair, "one").await;
    let two = talk.say(&talk.ann, &talk.pair, "two").await;
    let at = talk.app.clock.now() + 1000;
    talk.delete(&talk.ann, &two).await;
    let query = [("roomId", talk.pair.as_str()), ("lastUpdate", START_TEXT)];
    let body = talk.get(&talk.bob, "chat.syncMessages", &query).await.ok();
    let deleted = json!([{"_id": two["_id"], "_deletedAt": time::iso(at)}]);
    let result = json!({"updated": [one], "deleted": deleted});
    assert_eq!(body, json!({"result": result, "success": true}));
    // After, not from: the time itself is what the client has.
    let since = async |since: &str| sync(&talk, &talk.bob, &talk.pair, since).await;
    assert_eq!(since(text(&one, "ts")).await["updated"], json!([]));
    let before = time::iso(START + 999);
    assert_eq!(since(&before).await["updated"], json!([one]));
    assert_eq!(since(&time::iso(at)).await["deleted"], json!([]));
    assert_eq!(since(&time::iso(at - 1)).await["deleted"], deleted);
    assert_eq!(since("1970-01-01").await, result);
    // Only this room's.
    assert_eq!(
        sync(&talk, &talk.bob, &talk.group, "1970-01-01").await,
        json!({"updated": [], "deleted": []})
    );
}

#[tokio::test]
async fn what_sync_refuses() {
    let talk = Talk::new().await;
    talk.say(&talk.ann, &talk.pair, "between us").await;
    let ask = async |user: &TestUser, query: &[(&str, &str)]| {
        talk.get(user, "chat.syncMessages", query).await
    };
    let no_room = "The required \"roomId\" query param is missing.";
    let since = ("lastUpdate", START_TEXT);
    for query in [&[][..], &[since], &[("roomId", ""), since], &[("roomId[]", "x"), since]] {
        let answer = ask(&talk.ann, query).await;
        coded(&answer, "error-roomId-param-not-provided", no_room, &Value::Null);
    }
    let room = ("roomId", talk.pair.as_str());
    let no_since = "The required \"lastUpdate\" query param is missing.";
    for query in [&[room][..], &[room, ("lastUpdate", "")], &[room, ("lastUpdate[]", "x")]] {
        let answer = ask(&talk.ann, query).await;
        coded(&answer, "error-lastUpdate-param-not-provided", no_since, &Value::Null);
    }
    let no_date = "The \"lastUpdate\" query parameter must be a valid date.";
    let long = "1".repeat(10_000);
    for bad in ["abc", "{\"$date\":1}", "2026-02-30", long.as_str(), "[]"] {
        let answer = ask(&talk.ann, &[room, ("lastUpdate", bad)]).await;
        coded(&answer, "error-roomId-param-invalid", no_date, &Value::Null);
    }
    let details = json!({"method": "messages/get"});
    for user in [&talk.eve, &talk.boss, &talk.cat] {
        for room in [talk.pair.as_str(), "nothing", "bob", &"x".repeat(10_000)] {
            let answer = ask(user, &[("roomId", room), since]).await;
            coded(&answer, "error-not-allowed", "Not allowed", &details);
        }
    }
    let answer = ask(&talk.ann, &[("roomId", "a\0"), since]).await;
    plain(&answer, 400, "Invalid query parameters");
}

#[tokio::test]
async fn ids_of_what_went_by_page() {
    let talk = Talk::new().await;
    let mut ids = Vec::new();
    for n in 0..3 {
        let sent = talk.say(&talk.ann, &talk.pair, &n.to_string()).await;
        talk.delete(&talk.ann, &sent).await;
        ids.push(text(&sent, "_id").to_owned());
    }
    let ask = async |more: &[(&str, &str)]| {
        let query = [&[("roomId", talk.pair.as_str()), ("since", START_TEXT)], more].concat();
        let body = talk.get(&talk.bob, "chat.getDeletedMessages", &query).await.ok();
        assert_eq!(keys(&body), ["count", "messages", "offset", "success", "total"]);
        let numbers = [&body["count"], &body["offset"], &body["total"]];
        let numbers = numbers.map(|number| number.as_i64().unwrap());
        (each(&body, "messages", "_id"), numbers)
    };
    ids.reverse();
    assert_eq!(ask(&[]).await, (ids.clone(), [3, 0, 3]));
    assert_eq!(ask(&[("count", "2")]).await, (ids[..2].to_vec(), [2, 0, 3]));
    assert_eq!(ask(&[("count", "2"), ("offset", "2")]).await, (ids[2..].to_vec(), [1, 2, 3]));
    assert_eq!(ask(&[("count", "0")]).await.1, [3, 0, 3]);
    assert_eq!(ask(&[("offset", "7")]).await, (Vec::new(), [0, 7, 3]));
    let query = [("roomId", talk.pair.as_str()), ("since", START_TEXT), ("count", "1")];
    let body = talk.get(&talk.ann, "chat.getDeletedMessages", &query).await.ok();
    assert_eq!(body["messages"], json!([{"_id": ids[0]}]));
    let late = time::iso(talk.app.clock.now());
    let query = [("roomId", talk.pair.as_str()), ("since", late.as_str())];
    let body = talk.get(&talk.ann, "chat.getDeletedMessages", &query).await.ok();
    assert_eq!(body["total"], 0);
}

#[tokio::test]
async fn what_the_list_of_what_went_refuses() {
    let talk = Talk::new().await;
    let sentence = |answer: &crate::app::Answer, text: &str| {
        let error = format!("[{text}]");
        let want = json!({"success": false, "error": error, "errorType": text});
        assert_eq!(answer.expect(400), want);
    };
    let ask = async |user: &TestUser, query: &[(&str, &str)]| {
        talk.get(user, "chat.getDeletedMessages", query).await
    };
    let since = ("since", START_TEXT);
    let no_room = "The required \"roomId\" query param is missing.";
    for query in [&[][..], &[since], &[("roomId[]", "x"), since]] {
        sentence(&ask(&talk.ann, query).await, no_room);
    }
    let room = ("roomId", talk.pair.as_str());
    sentence(&ask(&talk.ann, &[room]).await, "The required \"since\" query param is missing.");
    let bad = ask(&talk.ann, &[room, ("since", "abc")]).await;
    sentence(&bad, "The \"since\" query parameter must be a valid date.");
    for user in [&talk.eve, &talk.boss] {
        for room in [talk.pair.as_str(), "nothing", &"x".repeat(10_000)] {
            plain(&ask(user, &[("roomId", room), since]).await, 403, "unauthorized");
        }
    }
    assert_eq!(ask(&talk.ann, &[room, since, ("count", "abc")]).await.status, 400);
}

/// Sends and deletes as fast as it can; returns what stays and what went.
async fn chatter(talk: &Talk, user: &TestUser) -> (Vec<String>, Vec<String>) {
    let (mut stay, mut went) = (Vec::new(), Vec::new());
    for n in 0..40 {
        let sent = talk.app.rocket(user).say(&talk.group, &n.to_string()).await;
        let id = text(&sent, "_id").to_owned();
        if n % 2 == 0 {
            let body = json!({"roomId": talk.group, "msgId": id});
            talk.post(user, "chat.delete", body).await.ok();
            went.push(id);
        } else {
            stay.push(id);
        }
    }
    (stay, went)
}

#[tokio::test]
async fn nothing_is_missed_of_what_many_do_at_once() {
    let talk = Talk::new().await;
    let done = std::cell::Cell::new(false);
    let write = async {
        let (ann, bob) = (&talk.ann, &talk.bob);
        let all = tokio::join!(
            chatter(&talk, ann),
            chatter(&talk, bob),
            chatter(&talk, ann),
            chatter(&talk, bob)
        );
        done.set(true);
        [all.0, all.1, all.2, all.3]
    };
    let watch = async {
        let (mut since, mut seen, mut gone) = (START_TEXT.to_owned(), Vec::new(), Vec::new());
        loop {
            let last = done.get();
            let result = sync(&talk, &talk.cat, &talk.group, &since).await;
            for (list, time, ids) in
                [("updated", "_updatedAt", &mut seen), ("deleted", "_deletedAt", &mut gone)]
            {
                for one in result[list].as_array().unwrap() {
                    since = since.max(text(one, time).to_owned());
                    ids.push(text(one, "_id").to_owned());
                }
            }
            if last {
                return (seen, gone);
            }
        }
    };
    let (written, (mut seen, mut gone)) = tokio::join!(write, watch);
    let mut went: Vec<String> = written.iter().flat_map(|(_, went)| went.clone()).collect();
    for list in [&mut seen, &mut gone, &mut went] {
        let length = list.len();
        list.sort_unstable();
        list.dedup();
        assert_eq!(list.len(), length, "nothing comes twice");
    }
    assert_eq!(gone, went);
    let missed = written.iter().flat_map(|(stay, _)| stay).filter(|id| !seen.contains(id));
    assert_eq!(missed.count(), 0);
}
