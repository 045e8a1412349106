//! Another username or real name, as everybody else sees it (contract section 6.3): rooms at once, older
//! messages right behind.

use super::{each, keys};
use crate::app::{TestApp, TestUser, fresh_database};
use crate::store::soon;
use parlance_core::account::NewUser;
use parlance_core::event::Kind;
use parlance_core::{Clock, Subscription};
use serde_json::{Value, json};

/// On the machine's clock, by which a job tries a batch again.
pub(super) async fn app() -> TestApp {
    TestApp::start_with(fresh_database().await, Clock::default()).await
}

/// Waits until what a change of this account left is done.
pub(crate) async fn settled(ears: &mut Subscription, user: &TestUser) {
    let done = async {
        while let Some(event) = ears.next().await {
            if event.kind == Kind::MessagesRewritten && event.reference == user.id {
                return;
            }
        }
        panic!("the log was cut off");
    };
    soon("the job", done).await;
}

async fn named(app: &TestApp, username: &str, name: &str) -> TestUser {
    let (username, name) = (username.to_owned(), name.to_owned());
    app.user_with(NewUser { username, name, ..NewUser::default() }).await
}

/// The caller's subscription to a room.
pub(super) async fn sub(app: &TestApp, user: &TestUser, room: &str) -> Value {
    let answer = app.rocket(user).get("subscriptions.getOne", &[("roomId", room)]).await.ok();
    answer["subscription"].clone()
}

pub(super) async fn group(app: &TestApp, user: &TestUser, usernames: &str) -> String {
    let made = app.rocket(user).post("dm.create", json!({ "usernames": usernames })).await.ok();
    made["room"]["_id"].as_str().unwrap().to_owned()
}

async fn rename(app: &TestApp, user: &TestUser, data: Value) -> Value {
    let body = json!({ "data": data });
    app.rocket(user).post("users.updateOwnBasicInfo", body).await.ok()["user"].clone()
}

#[tokio::test]
async fn rooms_and_memberships_follow_at_once() {
    let app = app().await;
    let boss = app.admin("root").await;
    let ann = named(&app, "ann", "Ann A").await;
    let (bob, zoe) = (named(&app, "bob", "Bob").await, named(&app, "zoe", "Zoe").await);
    let pair = app.rocket(&ann).open("bob").await;
    let all = group(&app, &bob, "ann,zoe").await;
    let alone = app.rocket(&ann).open("ann").await;
    let before = sub(&app, &bob, &all).await;
    assert_eq!((&before["name"], &before["fname"]), (&json!("ann, zoe"), &json!("Ann A, Zoe")));

    let user = rename(&app, &ann, json!({"username": "anna.b", "name": "Anna B"})).await;
    assert_eq!((&user["username"], &user["name"]), (&json!("anna.b"), &json!("Anna B")));
    let seen = sub(&app, &bob, &pair).await;
    assert_eq!((&seen["name"], &seen["fname"]), (&json!("anna.b"), &json!("Anna B")));
    for (user, name, fname) in
        [(&bob, "anna.b,zoe", "Anna B, Zoe"), (&zoe, "bob,anna.b", "Bob, Anna B")]
    {
        let seen = sub(&app, user, &all).await;
        assert_eq!((&seen["name"], &seen["fname"]), (&json!(name), &json!(fname)));
    }
    let own = sub(&app, &ann, &alone).await;
    assert_eq!((&own["name"], &own["fname"]), (&json!("anna.b"), &json!("Anna B")));
    assert_eq!(own["u"], json!({"_id": ann.id, "username": "anna.b", "name": "Anna B"}));
    // The room's other members are named as before for her.
    assert_eq!(sub(&app, &ann, &all).await["name"], "bob, zoe");

    let rooms = app.rocket(&bob).get("dm.list", &[("sort", "{\"usersCount\":1}")]).await.ok();
    assert_eq!(rooms["ims"][0]["usernames"], json!(["anna.b", "bob"]));
    assert_eq!(rooms["ims"][1]["usernames"], json!(["anna.b", "bob", "zoe"]));
    assert_eq!(rooms["ims"][0]["_USERNAMES"], json!(["ann", "bob"]), "as it was made");
    let found = async |name: &str| {
        let query = json!({"usernames": name}).to_string();
        let found = app.rocket(&boss).get("dm.list.everyone", &[("query", &query)]).await.ok();
        found["total"].clone()
    };
    assert_eq!((found("anna.b").await, found("ann").await), (json!(3), json!(0)));
    // The same conversation under the new name; the old one is nobody's.
    let open =
        async |name: &str| app.rocket(&bob).post("dm.create", json!({"username": name})).await;
    assert_eq!(open("anna.b").await.ok()["room"]["_id"], pair);
    open("ann").await.expect(400);
    app.rocket(&ann).get("users.info", &[("username", "ann")]).await.expect(400);
    let other = app.meepa(&bob).get("/dms", &[]).await.ok();
    assert!(other.to_string().contains("anna.b") && !other.to_string().contains("\"ann\""));
    // Whoever synchronises is told.
    let since = before["_updatedAt"].as_str().unwrap();
    let changed = app.rocket(&bob).get("subscriptions.get", &[("updatedSince", since)]).await.ok();
    assert_eq!(changed["update"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn messages_follow_behind() {
    let app = app().await;
    let ann = named(&app, "ann", "Ann A").await;
    let (bob, _) = (app.user("bob").await, app.user("ann.x").await);
    let mut ears = app.core.listen(10_000);
    let room = app.rocket(&ann).open("bob").await;
    let first = app.rocket(&ann).say(&room, "hello").await;
    let id = first["_id"].as_str().unwrap();
    let edit = json!({"roomId": room, "msgId": id, "text": "hello there"});
    app.rocket(&ann).post("chat.update", edit).await.ok();
    let text = "@ann and *@ann*, not @ann.x or x@ann";
    let named_by = app.rocket(&bob).say(&room, text).await;
    let named_id = named_by["_id"].as_str().unwrap().to_owned();
    let react = json!({"messageId": named_id, "emoji": "smile"});
    app.rocket(&ann).post("chat.react", react.clone()).await.ok();
    app.rocket(&ann).say(&room, "last").await;

    rename(&app, &ann, json!({"username": "eve"})).await;
    settled(&mut ears, &ann).await;
    let list = app.rocket(&bob).get("dm.messages", &[("roomId", &room)]).await.ok();
    assert_eq!(
        each(&list, "messages", "msg"),
        ["last", "@eve and *@eve*, not @ann.x or x@ann", "hello there"]
    );
    for place in [0, 2] {
        let u = json!({"_id": ann.id, "username": "eve", "name": "Ann A"});
        assert_eq!(list["messages"][place]["u"], u);
    }
    assert_eq!(list["messages"][2]["editedBy"], json!({"_id": ann.id, "username": "eve"}));
    let seen = &list["messages"][1];
    assert_eq!(seen["u"]["username"], "bob");
    let mention = |id: &str| {
        let all = seen["mentions"].as_array().unwrap();
        all.iter().find(|one| one["_id"] == id).unwrap()["username"].clone()
    };
    assert_eq!(mention(&ann.id), "eve");
    assert_eq!(each(seen, "mentions", "username").len(), 2);
    assert_eq!(seen["md"].to_string().matches("\"value\":\"eve\"").count(), 2);
    assert!(!seen["md"].to_string().contains("\"value\":\"ann\""));
    assert_eq!(seen["reactions"][":smile:"]["usernames"], json!(["eve"]));
    assert_eq!(
        keys(seen),
        keys(&{
            let mut before = named_by.clone();
            before["reactions"] = json!({});
            before
        })
    );
    // The reaction is still hers to take back.
    app.rocket(&ann).post("chat.react", react).await.ok();
    let query = [("msgId", named_id.as_str())];
    let now = app.rocket(&bob).get("chat.getMessage", &query).await.ok();
    assert!(now["message"].get("reactions").is_none());
    let rooms = app.rocket(&bob).get("dm.list", &[("fields", "{\"lastMessage\":1}")]).await.ok();
    assert!(!rooms["ims"].to_string().contains("\"username\":\"ann\""));
    // What changed is told to who synchronises, and a retry of what was sent is still one.
    let since = [("roomId", room.as_str()), ("lastUpdate", named_by["ts"].as_str().unwrap())];
    let sync = app.rocket(&bob).get("chat.syncMessages", &since).await.ok();
    assert_eq!(sync["result"]["updated"].as_array().unwrap().len(), 3);
    let retry = json!({"message": {"_id": named_id, "rid": room, "msg": text}});
    let again = app.rocket(&bob).post("chat.sendMessage", retry).await.ok();
    assert_eq!(again["message"]["_id"], named_id);
}

#[tokio::test]
async fn a_mention_where_the_named_one_is_not_follows_too() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    app.user("zoe").await;
    let mut ears = app.core.listen(10_000);
    let foreign = app.rocket(&bob).open("zoe").await;
    let asked = app.rocket(&bob).say(&foreign, "ask @ann").await;
    rename(&app, &ann, json!({"username": "eve"})).await;
    settled(&mut ears, &ann).await;
    let query = [("msgId", asked["_id"].as_str().unwrap())];
    let now = app.rocket(&bob).get("chat.getMessage", &query).await.ok()["message"].clone();
    assert_eq!(now["msg"], "ask @eve");
    assert_eq!(now["mentions"][0]["username"], "eve");
}

#[tokio::test]
async fn who_takes_the_old_name_is_somebody_else() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let mut ears = app.core.listen(10_000);
    let room = app.rocket(&ann).open("bob").await;
    app.rocket(&bob).say(&room, "old @ann").await;
    rename(&app, &ann, json!({"username": "eve"})).await;
    let email = Some(("other@example.com".to_owned(), true));
    let other = NewUser { username: "ann".to_owned(), email, ..NewUser::default() };
    let other = app.user_with(other).await;
    app.rocket(&bob).say(&room, "new @ann, old @eve").await;
    settled(&mut ears, &ann).await;
    let list = app.rocket(&bob).get("dm.messages", &[("roomId", &room)]).await.ok();
    assert_eq!(each(&list, "messages", "msg"), ["new @ann, old @eve", "old @eve"]);
    let first = list["messages"][0]["mentions"].as_array().unwrap();
    let name = |id: &str| first.iter().find(|one| one["_id"] == id).unwrap()["username"].clone();
    assert_eq!((name(&other.id), name(&ann.id)), (json!("ann"), json!("eve")));
    // Twice in a row ends with the newest.
    rename(&app, &ann, json!({"username": "eva"})).await;
    rename(&app, &ann, json!({"username": "ava"})).await;
    settled(&mut ears, &ann).await;
    settled(&mut ears, &ann).await;
    let list = app.rocket(&bob).get("dm.messages", &[("roomId", &room)]).await.ok();
    assert_eq!(each(&list, "messages", "msg"), ["new @ann, old @ava", "old @ava"]);
    assert_ne!(app.rocket(&bob).open("ann").await, room);
}

#[tokio::test]
async fn a_real_name_reaches_the_display_names_only() {
    let app = app().await;
    let (ann, bob) = (named(&app, "ann", "Ann").await, app.user("bob").await);
    app.user("zoe").await;
    let pair = app.rocket(&ann).open("bob").await;
    let all = group(&app, &bob, "ann,zoe").await;
    let mut ears = app.core.listen(1000);
    rename(&app, &ann, json!({"name": "Ann Onymous"})).await;
    let heard = soon("the event", async {
        loop {
            let event = ears.next().await.unwrap();
            if event.kind == Kind::UserRenamed {
                return event;
            }
        }
    });
    assert_eq!(heard.await.reference, ann.id);
    let seen = sub(&app, &bob, &pair).await;
    assert_eq!((&seen["name"], &seen["fname"]), (&json!("ann"), &json!("Ann Onymous")));
    let seen = sub(&app, &bob, &all).await;
    assert_eq!((&seen["name"], &seen["fname"]), (&json!("ann, zoe"), &json!("Ann Onymous, zoe")));
}
