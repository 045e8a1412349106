//! Accounts that are removed, as those who stay see it (contract section 6.3): what was between two is
//! gone, groups stay, and what was written goes, loses its name or stays as the settings say. Who takes
//! the name afterwards gets nothing of it (Mattermost CVE-2020-14459 and its like).

use super::rename::{app, group, settled, sub};
use super::{LACKS, coded, each, plain, set};
use crate::app::{PASSWORD, PASSWORD_SHA256, TestApp, TestUser, WRONG_SHA256};
use parlance_core::account::{Authority, NewUser};
use parlance_core::event::Kind;
use parlance_core::{Error, Subscription};
use serde_json::{Value, json};
use std::fmt::Write as _;

struct Talk {
    app: TestApp,
    ears: Subscription,
    boss: TestUser,
    ann: TestUser,
    bob: TestUser,
    zoe: TestUser,
    pair: String,
    all: String,
}

/// Ann talks with Bob alone, and with Bob and Zoe, where she began a thread that Bob replied to.
async fn talk() -> Talk {
    let app = app().await;
    let boss = app.admin("root").await;
    let (ann, bob, zoe) = (app.user("ann").await, app.user("bob").await, app.user("zoe").await);
    let pair = app.rocket(&ann).open("bob").await;
    let all = group(&app, &bob, "ann,zoe").await;
    app.rocket(&ann).open("ann").await;
    for room in [&pair, &all] {
        app.rocket(&bob).say(room, "from bob to @ann").await;
        app.rocket(&ann).say(room, "SECRET of ann").await;
    }
    let root = app.rocket(&ann).say(&all, "SECRET root").await["_id"].clone();
    let reply = json!({"rid": all, "msg": "a reply", "tmid": root});
    app.rocket(&bob).post("chat.sendMessage", json!({ "message": reply })).await.ok();
    let react = json!({"messageId": root, "emoji": "smile"});
    app.rocket(&ann).post("chat.react", react).await.ok();
    let ears = app.core.listen(100_000);
    Talk { app, ears, boss, ann, bob, zoe, pair, all }
}

impl Talk {
    async fn remove(&mut self) {
        let body = json!({"userId": self.ann.id, "confirmRelinquish": true});
        let answer = self.app.rocket(&self.boss).post("users.delete", body).await.ok();
        assert_eq!(answer, json!({"success": true}));
    }

    async fn messages(&self) -> Value {
        let query = [("roomId", self.all.as_str())];
        self.app.rocket(&self.bob).get("dm.messages", &query).await.ok()
    }
}

#[tokio::test]
async fn what_was_between_two_is_gone_and_groups_stay() {
    let mut talk = talk().await;
    let before = sub(&talk.app, &talk.bob, &talk.pair).await;
    talk.remove().await;
    let (app, bob) = (&talk.app, &talk.bob);
    super::logged_out(&app.rocket(&talk.ann).get("me", &[]).await);
    app.rocket(bob).get("users.info", &[("userId", &talk.ann.id)]).await.expect(400);
    // At once, whatever a job has still to do.
    assert_eq!(sub(app, bob, &talk.pair).await, Value::Null);
    for name in ["dm.messages", "dm.history", "dm.members"] {
        let answer = app.rocket(bob).get(name, &[("roomId", &talk.pair)]).await;
        assert!([400, 403].contains(&answer.status.as_u16()), "{name}");
        assert!(!String::from_utf8_lossy(&answer.body).contains("SECRET"));
    }
    let list = app.rocket(bob).get("dm.list", &[]).await.ok();
    assert_eq!((&list["total"], &list["ims"][0]["_id"]), (&json!(1), &json!(talk.all)));
    let room = &list["ims"][0];
    let mut uids = [bob.id.as_str(), talk.zoe.id.as_str()];
    uids.sort_unstable();
    assert_eq!((&room["usernames"], &room["uids"]), (&json!(["bob", "zoe"]), &json!(uids)));
    assert_eq!(room["usersCount"], 3, "as it was made");
    let seen = sub(app, bob, &talk.all).await;
    assert_eq!((&seen["name"], &seen["fname"]), (&json!("zoe"), &json!("zoe")));
    let members = app.rocket(bob).get("dm.members", &[("roomId", &talk.all)]).await.ok();
    assert_eq!(members["total"], 2);
    // Those who synchronise are told.
    let since = [("updatedSince", before["_updatedAt"].as_str().unwrap())];
    let ended = app.rocket(bob).get("subscriptions.get", &since).await.ok();
    assert_eq!(each(&ended, "remove", "_id"), [before["_id"].as_str().unwrap()]);
    assert_eq!(app.rocket(bob).get("rooms.get", &since).await.ok()["remove"][0]["_id"], talk.pair);
    let meepa = app.meepa(bob).get("/dms", &[]).await.ok();
    assert_eq!(meepa["data"].as_array().unwrap().len(), 1);
    app.meepa(bob).get(&format!("/dms/{}/messages", talk.pair), &[]).await.expect(404);
    let everyone = app.rocket(&talk.boss).get("dm.list.everyone", &[]).await.ok();
    assert_eq!(everyone["total"], 1);
    // Who listens hears of it: the partner by name.
    let mut heard = Vec::new();
    while !heard.iter().any(|(kind, _)| *kind == Kind::UserDeleted) {
        let event = crate::store::soon("events", talk.ears.next()).await.unwrap();
        heard.push((event.kind, event.audience.as_ref().map(ToString::to_string)));
    }
    assert!(heard.contains(&(Kind::RoomDeleted, Some(bob.id.clone()))), "{heard:?}");
    // A group that somebody left is not the group of those who stayed.
    assert_ne!(group(app, bob, "zoe").await, talk.all);
    assert_eq!(app.rocket(bob).get("users.list", &[]).await.ok()["total"], 4);
}

#[tokio::test]
async fn messages_go_with_the_account() {
    let mut talk = talk().await;
    let counted = talk.messages().await["total"].clone();
    assert_eq!(counted, 4);
    talk.remove().await;
    settled(&mut talk.ears, &talk.ann).await;
    let list = talk.messages().await;
    // What others replied to stays as a stub, without a word and without a name.
    assert_eq!(each(&list, "messages", "msg"), ["a reply", "", "from bob to @ann"]);
    assert_eq!(list["total"], 3);
    let stub = &list["messages"][1];
    let id = talk.ann.id.as_str();
    assert_eq!((&stub["t"], &stub["u"]), (&json!("rm"), &json!({"_id": id, "username": id})));
    let mut followers = [talk.bob.id.as_str(), talk.zoe.id.as_str()];
    followers.sort_unstable();
    assert_eq!((&stub["reactions"], &stub["replies"]), (&json!({}), &json!(followers)));
    let room = talk.app.rocket(&talk.bob).get("dm.list", &[]).await.ok()["ims"][0].clone();
    assert_eq!(
        (&room["msgs"], &room["lastMessage"]["msg"]),
        (&json!(2), &json!("from bob to @ann"))
    );
    let gone = [("roomId", talk.all.as_str()), ("since", "2020-01-01T00:00:00.000Z")];
    let gone = talk.app.rocket(&talk.bob).get("chat.getDeletedMessages", &gone).await.ok();
    assert_eq!(gone["total"], 1);
}

#[tokio::test]
async fn messages_lose_their_name() {
    let mut talk = talk().await;
    set(&talk.app, &talk.boss, "Message_ErasureType", json!("Unlink")).await;
    talk.remove().await;
    settled(&mut talk.ears, &talk.ann).await;
    let list = talk.messages().await;
    assert_eq!(
        each(&list, "messages", "msg"),
        ["a reply", "SECRET root", "SECRET of ann", "from bob to @ann"]
    );
    for place in [1, 2] {
        let message = &list["messages"][place];
        assert_eq!(
            message["u"],
            json!({"_id": "rocket.cat", "username": "rocket.cat", "name": "Rocket.Cat"})
        );
        assert_eq!(message["alias"], "Removed User");
    }
    assert!(list["messages"][1].get("reactions").is_none());
}

#[tokio::test]
async fn messages_stay() {
    let mut talk = talk().await;
    set(&talk.app, &talk.boss, "Message_ErasureType", json!("Keep")).await;
    let before = talk.messages().await;
    talk.remove().await;
    settled(&mut talk.ears, &talk.ann).await;
    let after = talk.messages().await;
    assert_eq!(each(&after, "messages", "msg"), each(&before, "messages", "msg"));
    assert_eq!(after["messages"][1]["u"], before["messages"][1]["u"]);
    assert_eq!(after["messages"][1]["reactions"], before["messages"][1]["reactions"]);
    // On the other face the author is what is left of one.
    let path = format!("/dms/{}/messages", talk.all);
    let seen = talk.app.meepa(&talk.bob).get(&path, &[]).await.ok();
    assert!(seen.to_string().contains("SECRET of ann"));
    let (rocket, burn) = (talk.app.rocket(&talk.boss), json!({"value": "Burn"}));
    rocket.post("settings/Message_ErasureType", burn).await.expect(400);
}

#[tokio::test]
async fn nobody_reads_what_went() {
    let mut talk = talk().await;
    set(&talk.app, &talk.boss, "Message_KeepHistory", json!(true)).await;
    let said = talk.app.rocket(&talk.ann).say(&talk.all, "SECRET draft").await;
    let edit = json!({"roomId": talk.all, "msgId": said["_id"], "text": "SECRET final"});
    talk.app.rocket(&talk.ann).post("chat.update", edit).await.ok();
    talk.remove().await;
    settled(&mut talk.ears, &talk.ann).await;
    // Nobody reads it: neither in a list, nor by id, nor by a search, nor as what it said before.
    let mut all = String::new();
    for (name, query) in [
        ("dm.messages", vec![("roomId", talk.all.as_str())]),
        ("chat.search", vec![("roomId", &talk.all), ("searchText", "SECRET")]),
        ("chat.getMessage", vec![("msgId", said["_id"].as_str().unwrap())]),
    ] {
        let answer = talk.app.rocket(&talk.bob).get(name, &query).await;
        write!(all, "{}", String::from_utf8_lossy(&answer.body)).unwrap();
    }
    assert!(!all.contains("SECRET draft") && !all.contains("SECRET final"), "{all}");
    // And the 1:1 room's id is free of it.
    let mut new = NewUser { id: Some(talk.ann.id.clone()), ..NewUser::default() };
    new.username = "ann".to_owned();
    let made = talk.app.core.create_user(Authority::Operator, new).await;
    assert!(matches!(made, Err(Error::BadId)), "{made:?}");
}

#[tokio::test]
async fn who_takes_the_name_gets_nothing_of_it() {
    let mut talk = talk().await;
    talk.remove().await;
    // Before the job is done, and after.
    for round in 0..2 {
        let app = &talk.app;
        let ann = app.user("ann").await;
        let room = app.rocket(&talk.bob).open("ann").await;
        assert_ne!(room, talk.pair);
        for user in [&ann, &talk.bob] {
            let list = app.rocket(user).get("dm.messages", &[("roomId", &room)]).await.ok();
            assert_eq!(list["total"], 0);
        }
        let own = app.rocket(&ann).get("dm.list", &[]).await.ok();
        assert_eq!((&own["total"], &own["ims"][0]["_id"]), (&json!(1), &json!(room)));
        for room in [&talk.pair, &talk.all] {
            let answer = app.rocket(&ann).get("dm.messages", &[("roomId", room)]).await;
            assert!([400, 403].contains(&answer.status.as_u16()), "{:?}", answer.status);
        }
        let mine = app.rocket(&ann).get("chat.search", &[("searchText", "SECRET")]).await.ok();
        assert_eq!(mine["messages"], json!([]));
        if round == 0 {
            settled(&mut talk.ears, &talk.ann).await;
            let body = json!({"username": "ann"});
            talk.app.rocket(&talk.boss).post("users.delete", body).await.ok();
            settled(&mut talk.ears, &ann).await;
        }
    }
}

#[tokio::test]
async fn who_may_remove_whom() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let post =
        async |user: &TestUser, body: Value| app.rocket(user).post("users.delete", body).await;
    plain(&post(&ann, json!({"username": "ann"})).await, 403, LACKS);
    let text = "The required \"userId\" or \"username\" param was not provided";
    coded(&post(&boss, json!({})).await, "error-user-param-not-provided", text, &Value::Null);
    for body in [json!({"userId": "none"}), json!({"username": "none"})] {
        assert_eq!(post(&boss, body).await.expect(400)["errorType"], "error-invalid-user");
    }
    let method = json!({"method": "deleteUser", "action": "Remove_last_admin"});
    let last = "Leaving the app without admins is not allowed";
    let answer = post(&boss, json!({"username": "root"})).await;
    coded(&answer, "error-action-not-allowed", last, &method);
    let answer = post(&boss, json!({"username": "rocket.cat"})).await;
    coded(&answer, "error-not-allowed", "Not allowed", &json!({"method": "deleteUser"}));
    super::schema(
        &post(&boss, json!({"username": "ann", "confirmRelinquish": "x"})).await,
        "must be boolean",
    );
    let other = app.admin("other").await;
    post(&other, json!({"username": "ROOT"})).await.ok();
    assert!(matches!(app.core.user_named("root").await, Err(Error::NoUser)));
    // The address is free again.
    app.user("root").await;
}

#[tokio::test]
async fn ones_own_account() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let post = async |user: &TestUser, body: Value| {
        app.rocket(user).post("users.deleteOwnAccount", body).await
    };
    let hash = PASSWORD_SHA256;
    let method = json!({"method": "deleteUserOwnAccount"});
    let off = post(&ann, json!({"password": hash})).await;
    coded(&off, "error-not-allowed", "Not allowed", &method);
    set(&app, &boss, "Accounts_AllowDeleteOwnAccount", json!(true)).await;
    for body in [json!({}), json!({"password": ""}), json!({"password": null})] {
        plain(&post(&ann, body).await, 400, "Body parameter \"password\" is required.");
    }
    super::schema(&post(&ann, json!({"password": {"$ne": null}})).await, "must be string");
    for proof in [PASSWORD, "ann", WRONG_SHA256] {
        let answer = post(&ann, json!({"password": proof})).await;
        coded(&answer, "error-invalid-password", "Invalid password", &method);
    }
    let last = post(&boss, json!({"password": hash})).await;
    assert_eq!(last.expect(400)["details"]["action"], "Remove_last_admin");
    let answer = post(&ann, json!({"password": hash, "confirmRelinquish": true})).await.ok();
    assert_eq!(answer, json!({"success": true}));
    super::logged_out(&app.rocket(&ann).get("me", &[]).await);
    assert!(matches!(app.core.user_named("ann").await, Err(Error::NoUser)));
}
