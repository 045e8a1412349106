//! What is told of messages (contract sections 11.4 and 12): to everybody in the room, as they stand, once,
//! and exactly as REST shows them but for how times are written.

use super::client::{Client, Listening, app, ejson, listen};
use crate::app::{TestApp, TestUser};
use crate::rocketchat::{grant, set};
use serde_json::{Value, json};

const MINE: &str = "__my_messages__";

struct Talk {
    app: TestApp,
    at: Listening,
    boss: TestUser,
    ann: TestUser,
    bob: TestUser,
    room: String,
    /// Bob's socket.
    there: Client,
}

async fn talk() -> Talk {
    let app = app().await;
    let at = listen(&app).await;
    let boss = app.admin("root").await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let room = app.rocket(&ann).open("bob").await;
    let mut there = Client::log_in(&at, &bob).await;
    there.hear("room-messages", &room).await;
    there.hear("room-messages", MINE).await;
    there.hear("notify-room", &format!("{room}/deleteMessage")).await;
    Talk { app, at, boss, ann, bob, room, there }
}

impl Talk {
    async fn post(&self, user: &TestUser, name: &str, body: Value) -> Value {
        self.app.rocket(user).post(name, body).await.ok()
    }

    /// A message as REST shows it to somebody.
    async fn shown(&self, user: &TestUser, id: &Value) -> Value {
        let query = [("msgId", id.as_str().unwrap())];
        let answer = self.app.rocket(user).get("chat.getMessage", &query).await.ok();
        ejson(&answer["message"])
    }

    /// Bob is told of exactly these messages, in this order, each on both streams.
    async fn told(&mut self, ids: &[&Value]) {
        let mut want = Vec::new();
        for id in ids {
            let message = self.shown(&self.bob, id).await;
            let stream = "room-messages".to_owned();
            want.push((stream.clone(), self.room.clone(), json!([message])));
            let with = json!([message, {"roomParticipant": true, "roomType": "d"}]);
            want.push((stream, MINE.to_owned(), with));
        }
        assert_eq!(self.there.told(&self.app.core).await, want);
    }
}

#[tokio::test]
async fn every_change_of_a_message_is_told_once_as_it_stands() {
    let mut talk = talk().await;
    grant(&talk.app, &talk.boss, "pin-message", &["user"]).await;
    let ann = talk.ann.clone();
    let id = talk.app.rocket(&ann).say(&talk.room, "hello **@bob** :smile:").await["_id"].clone();
    talk.told(&[&id]).await;
    let edit = json!({"roomId": talk.room, "msgId": id, "text": "other words"});
    talk.post(&ann, "chat.update", edit).await;
    talk.told(&[&id]).await;
    assert!(talk.shown(&ann, &id).await["editedAt"]["$date"].is_i64());
    talk.post(&ann, "chat.react", json!({"messageId": id, "emoji": ":smile:"})).await;
    talk.told(&[&id]).await;
    talk.post(&ann, "chat.react", json!({"messageId": id, "emoji": ":smile:"})).await;
    talk.told(&[&id]).await;
    talk.post(&ann, "chat.pinMessage", json!({"messageId": id})).await;
    let query = [("roomId", talk.room.as_str())];
    let list = talk.app.rocket(&ann).get("dm.messages", &query).await.ok();
    let system = &list["messages"][0];
    assert_eq!(system["t"], "message_pinned");
    let told = talk.there.told(&talk.app.core).await;
    let mut told: Vec<&Value> = told
        .iter()
        .filter(|(_, event, _)| event == &talk.room)
        .map(|(.., args)| &args[0])
        .collect();
    told.sort_by_key(|message| message["t"].as_str());
    assert_eq!(told, [&talk.shown(&talk.bob, &id).await, &ejson(system)]);
    talk.post(&ann, "chat.unPinMessage", json!({"messageId": id})).await;
    talk.told(&[&id]).await;
    // What is refused, and what changes nothing, tells nothing.
    let edit = json!({"roomId": talk.room, "msgId": id, "text": "by bob"});
    talk.app.rocket(&talk.bob).post("chat.update", edit).await.expect(400);
    talk.told(&[]).await;
}

#[tokio::test]
async fn a_star_is_seen_by_who_gave_it_alone() {
    let mut talk = talk().await;
    let (ann, bob) = (talk.ann.clone(), talk.bob.clone());
    let mut here = Client::log_in(&talk.at, &ann).await;
    here.hear("room-messages", &talk.room).await;
    let id = talk.app.rocket(&bob).say(&talk.room, "a star").await["_id"].clone();
    talk.told(&[&id]).await;
    here.told(&talk.app.core).await;
    talk.post(&ann, "chat.starMessage", json!({"messageId": id})).await;
    let own = here.event("room-messages", &talk.room).await;
    assert_eq!(own[0]["starred"], json!([{"_id": ann.id}]));
    assert_eq!(own, json!([talk.shown(&ann, &id).await]));
    for (_, _, args) in talk.there.told(&talk.app.core).await {
        assert!(args[0].get("starred").is_none(), "{args}");
    }
    // Every later change shows each its own.
    talk.post(&bob, "chat.starMessage", json!({"messageId": id})).await;
    talk.told(&[&id]).await;
    let told = here.told(&talk.app.core).await;
    assert!(
        told.iter().all(|(.., args)| args[0]["starred"] == json!([{"_id": ann.id}])),
        "{told:?}"
    );
    talk.post(&ann, "chat.unStarMessage", json!({"messageId": id})).await;
    let own = here.event("room-messages", &talk.room).await;
    assert!(own[0].get("starred").is_none(), "{own}");
    talk.told(&[&id]).await;
}

#[tokio::test]
async fn a_reply_is_told_with_its_root_and_both_when_it_goes() {
    let mut talk = talk().await;
    let bob = talk.bob.clone();
    let root = talk.app.rocket(&talk.ann).say(&talk.room, "root").await["_id"].clone();
    talk.told(&[&root]).await;
    let reply = json!({"message": {"rid": talk.room, "msg": "reply", "tmid": root}});
    let reply = talk.post(&bob, "chat.sendMessage", reply).await["message"]["_id"].clone();
    assert_eq!(talk.shown(&bob, &root).await["tcount"], 1);
    let told = talk.there.told(&talk.app.core).await;
    let mut told: Vec<&Value> = told
        .iter()
        .filter(|(_, event, _)| event == &talk.room)
        .map(|(.., args)| &args[0])
        .collect();
    told.sort_by_key(|message| message["msg"].as_str());
    assert_eq!(told, [&talk.shown(&bob, &reply).await, &talk.shown(&bob, &root).await]);
    let gone = json!({"roomId": talk.room, "msgId": reply});
    talk.post(&bob, "chat.delete", gone).await;
    let told = talk.there.told(&talk.app.core).await;
    let delete =
        ("notify-room".to_owned(), format!("{}/deleteMessage", talk.room), json!([{"_id": reply}]));
    assert_eq!(told.iter().filter(|one| one.0 == "notify-room").collect::<Vec<_>>(), [&delete]);
    let messages: Vec<&Value> =
        told.iter().filter(|one| one.1 == talk.room).map(|one| &one.2[0]).collect();
    assert_eq!(messages, [&talk.shown(&bob, &root).await]);
    assert!(messages[0].get("tcount").is_none() || messages[0]["tcount"] == 0, "{messages:?}");
}

#[tokio::test]
async fn a_deletion_is_told_as_one_or_as_a_stub() {
    let mut talk = talk().await;
    let (boss, ann) = (talk.boss.clone(), talk.ann.clone());
    let first = talk.app.rocket(&ann).say(&talk.room, "SECRET one").await["_id"].clone();
    let second = talk.app.rocket(&ann).say(&talk.room, "SECRET two").await["_id"].clone();
    talk.there.told(&talk.app.core).await;
    talk.post(&ann, "chat.delete", json!({"roomId": talk.room, "msgId": first})).await;
    let event = format!("{}/deleteMessage", talk.room);
    let told = talk.there.told(&talk.app.core).await;
    assert_eq!(told, [("notify-room".to_owned(), event, json!([{"_id": first}]))]);
    set(&talk.app, &boss, "Message_ShowDeletedStatus", json!(true)).await;
    talk.post(&ann, "chat.delete", json!({"roomId": talk.room, "msgId": second})).await;
    talk.told(&[&second]).await;
    let stub = talk.shown(&talk.bob, &second).await;
    assert_eq!((&stub["t"], &stub["msg"]), (&json!("rm"), &json!("")));
}

#[tokio::test]
async fn a_thousand_deletions_at_once_reach_who_reads() {
    let mut talk = talk().await;
    grant(&talk.app, &talk.boss, "clean-channel-history", &["user"]).await;
    let caller = talk.app.caller(&talk.ann).await;
    let mut ids = Vec::new();
    for n in 0..1100 {
        let access = talk.app.core.access(&caller, &talk.room).await.unwrap();
        let new = parlance_core::send::NewMessage::text(format!("number {n}"));
        let sent = talk.app.core.send(&caller, &access, new).await.unwrap();
        ids.push(sent.message.id.to_string());
    }
    let told = talk.there.told(&talk.app.core).await;
    assert_eq!(told.len(), 2 * ids.len());
    let all = json!({"roomId": talk.room, "oldest": "2000-01-01T00:00:00.000Z",
        "latest": "2100-01-01T00:00:00.000Z"});
    let done = talk.post(&talk.ann, "rooms.cleanHistory", all).await;
    assert_eq!(done["count"], 1100);
    let mut gone: Vec<String> = Vec::new();
    for (stream, _, args) in talk.there.told(&talk.app.core).await {
        assert_eq!(stream, "notify-room");
        gone.push(args[0]["_id"].as_str().unwrap().to_owned());
    }
    gone.sort_unstable();
    ids.sort_unstable();
    assert_eq!(gone, ids);
}

#[tokio::test]
async fn typing_is_told_in_both_forms_to_both_kinds_of_listener() {
    let mut talk = talk().await;
    let room = talk.room.clone();
    for event in ["user-activity", "typing"] {
        talk.there.hear("notify-room", &format!("{room}/{event}")).await;
    }
    let mut here = Client::log_in(&talk.at, &talk.ann).await;
    let mut elsewhere = Client::log_in(&talk.at, &talk.ann).await;
    for client in [&mut here, &mut elsewhere] {
        client.hear("notify-room", &format!("{room}/user-activity")).await;
        client.hear("notify-room", &format!("{room}/typing")).await;
    }
    let told =
        |event: &str, args: Value| ("notify-room".to_owned(), format!("{room}/{event}"), args);
    let both = |doing: &[&str]| {
        [
            told("user-activity", json!(["ann", doing, {}])),
            told("typing", json!(["ann", doing.contains(&"user-typing")])),
        ]
    };
    let activity = format!("{room}/user-activity");
    let typing = format!("{room}/typing");
    for (params, doing) in [
        (json!([activity, "ann", ["user-typing"], {}]), &["user-typing"][..]),
        (json!([activity, "ann", []]), &[]),
        (json!([typing, "ann", true]), &["user-typing"]),
        (json!([typing, "ann", false]), &[]),
    ] {
        here.ok("stream-notify-room", params.clone()).await;
        assert_eq!(talk.there.told(&talk.app.core).await, both(doing), "{params}");
        // The connection that wrote is the only one that does not hear of it.
        assert_eq!(elsewhere.told(&talk.app.core).await, both(doing), "{params}");
        assert_eq!(here.told(&talk.app.core).await, [], "{params}");
    }
    // What the older form has no word for is told in the newer alone.
    let only =
        |doing: Value, extra: Value| vec![told("user-activity", json!(["ann", doing, extra]))];
    here.ok("stream-notify-room", json!([activity, "ann", ["user-recording", "x", {"y": 1}]]))
        .await;
    let got = talk.there.told(&talk.app.core).await;
    assert_eq!(got, only(json!(["user-recording"]), json!({})));
    here.ok("stream-notify-room", json!([activity, "ann", ["user-typing"], {"tmid": "root"}]))
        .await;
    let got = talk.there.told(&talk.app.core).await;
    assert_eq!(got, only(json!(["user-typing"]), json!({"tmid": "root"})));
}

#[tokio::test]
async fn one_event_is_told_once_however_often_it_is_named() {
    let mut talk = talk().await;
    let room = talk.room.clone();
    let again = talk.there.hear("room-messages", &room).await;
    let third = talk.there.hear("room-messages", &room).await;
    let say =
        async |talk: &Talk| talk.app.rocket(&talk.ann).say(&talk.room, "x").await["_id"].clone();
    let id = say(&talk).await;
    talk.told(&[&id]).await;
    for sub in [&again, &third] {
        talk.there.say(&json!({"msg": "unsub", "id": sub})).await;
        talk.there.until(|frame| frame["msg"] == "nosub" && frame["id"] == *sub.as_str()).await;
        let id = say(&talk).await;
        talk.told(&[&id]).await;
    }
    // A second socket of bob's, and one of the author's, hear the same.
    let mut second = Client::log_in(&talk.at, &talk.bob).await;
    let mut own = Client::log_in(&talk.at, &talk.ann).await;
    let sub = second.hear("room-messages", &room).await;
    own.hear("room-messages", &room).await;
    let id = say(&talk).await;
    for client in [&mut second, &mut own] {
        let told = client.told(&talk.app.core).await;
        assert_eq!((told.len(), &told[0].2[0]["_id"]), (1, &id));
    }
    // An id that is used again is for the newer one alone.
    let params = json!([MINE, false]);
    second
        .say(&json!({"msg": "sub", "id": sub, "name": "stream-room-messages", "params": params}))
        .await;
    second.until(|frame| frame["msg"] == "ready" && frame["subs"] == json!([sub])).await;
    say(&talk).await;
    let told = second.told(&talk.app.core).await;
    assert_eq!(told.iter().map(|one| one.1.as_str()).collect::<Vec<_>>(), [MINE]);
    second.say(&json!({"msg": "unsub", "id": sub})).await;
    say(&talk).await;
    assert_eq!(second.told(&talk.app.core).await, []);
}
