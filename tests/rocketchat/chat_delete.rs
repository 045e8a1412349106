//! `chat.delete` (contract section 9.1): what goes, what stays in its place, who may, and until when.

use super::{coded, grant, plain, set, view};
use crate::app::{Answer, START, TestApp, TestUser, app};
use serde_json::{Value, json};

struct Talk {
    app: TestApp,
    boss: TestUser,
    ann: TestUser,
    bob: TestUser,
    room: String,
}

impl Talk {
    async fn new() -> Self {
        let app = app().await;
        let boss = app.admin("root").await;
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let room = app.rocket(&ann).open("bob").await;
        Self { app, boss, ann, bob, room }
    }

    async fn say(&self, text: &str) -> String {
        self.app.rocket(&self.ann).say(&self.room, text).await["_id"].as_str().unwrap().to_owned()
    }

    async fn delete(&self, user: &TestUser, id: &str, more: Value) -> Answer {
        let mut body = json!({"roomId": self.room, "msgId": id});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.app.rocket(user).post("chat.delete", body).await
    }

    async fn list(&self) -> Value {
        self.app.rocket(&self.bob).get("dm.messages", &[("roomId", &self.room)]).await.ok()
    }

    async fn room(&self) -> Value {
        self.app.rocket(&self.bob).get("dm.list", &[]).await.ok()["ims"][0].clone()
    }
}

#[tokio::test]
async fn a_message_goes_and_the_one_before_is_the_newest_again() {
    let talk = Talk::new().await;
    let first = talk.say("first").await;
    let second = talk.say("second").await;
    let lm = talk.room().await["lm"].clone();
    talk.app.clock.move_to(START + 5000);
    let answer = talk.delete(&talk.ann, &second, json!({})).await.ok();
    let author = json!({"_id": talk.ann.id, "username": "ann", "name": "ann"});
    let want = json!({"_id": second, "ts": (START + 5000).to_string(), "success": true,
        "message": {"_id": second, "rid": talk.room, "u": author}});
    assert_eq!(answer, want);
    let list = talk.list().await;
    assert_eq!(
        (&list["total"], super::each(&list, "messages", "_id")),
        (&json!(1), vec![first.clone()])
    );
    let room = talk.room().await;
    assert_eq!((&room["msgs"], &room["lastMessage"]["_id"]), (&json!(1), &json!(first)));
    // The time of the newest message stays; that of the conversation's list falls back.
    assert_eq!(room["lm"], lm);
    let get = talk.app.rocket(&talk.bob).get("chat.getMessage", &[("msgId", &second)]).await;
    assert_eq!(get.expect(400), json!({"success": false}));
    // What was unread is still counted, as the contract has it.
    let access = view(&talk.app, &talk.bob, &talk.room).await;
    assert_eq!(access.member().unread(access.room()), 2);
    talk.delete(&talk.ann, &first, json!({})).await.ok();
    let room = talk.room().await;
    assert_eq!((&room["msgs"], room.get("lastMessage"), &room["lm"]), (&json!(0), None, &lm));
    // Gone is gone.
    let text = format!("No message found with the id of \"{first}\".");
    plain(&talk.delete(&talk.ann, &first, json!({})).await, 400, &text);
    let again = json!({"message": {"_id": first, "rid": talk.room, "msg": "first"}});
    let answer = talk.app.rocket(&talk.ann).post("chat.sendMessage", again).await;
    assert!(answer.expect(400).get("message").is_none());
    assert_eq!(talk.list().await["total"], 0);
}

#[tokio::test]
async fn a_stub_stays_where_the_setting_or_a_reply_wants_it() {
    let talk = Talk::new().await;
    let root = talk.say("a *root* for @bob https://a.example").await;
    let reply = json!({"message": {"rid": talk.room, "msg": "a reply", "tmid": root}});
    let reply = talk.app.rocket(&talk.bob).post("chat.sendMessage", reply).await.ok();
    let reply = reply["message"]["_id"].as_str().unwrap().to_owned();
    let react = json!({"messageId": root, "emoji": "smile"});
    talk.app.rocket(&talk.bob).post("chat.react", react).await.ok();
    talk.app.clock.move_to(START + 5000);
    talk.delete(&talk.ann, &root, json!({})).await.ok();
    let list = talk.list().await;
    assert_eq!(list["total"], 2);
    let stub = &list["messages"][1];
    let at = json!(parlance_core::time::iso(START + 5000));
    for (name, want) in [
        ("t", json!("rm")),
        ("msg", json!("")),
        ("urls", json!([])),
        ("mentions", json!([])),
        ("attachments", json!([])),
        ("reactions", json!({})),
        ("editedBy", json!({"_id": talk.ann.id, "username": "ann"})),
        ("editedAt", at.clone()),
        ("tcount", json!(1)),
    ] {
        assert_eq!(stub[name], want, "{name}");
    }
    assert_eq!(stub.get("md"), None);
    assert!(talk.room().await.get("lastMessage").is_none());
    // A stub is not deleted again, nor edited.
    let answer = talk.delete(&talk.ann, &root, json!({})).await;
    assert_eq!(answer.status, 400);
    let body = json!({"roomId": talk.room, "msgId": root, "text": "back"});
    assert_eq!(talk.app.rocket(&talk.ann).post("chat.update", body).await.status, 400);
    // The reply takes itself off the root's count.
    talk.delete(&talk.bob, &reply, json!({})).await.ok();
    let list = talk.list().await;
    assert_eq!((&list["total"], &list["messages"][0]["tcount"]), (&json!(1), &json!(0)));
    set(&talk.app, &talk.boss, "Message_ShowDeletedStatus", json!(true)).await;
    let last = talk.say("shown as deleted").await;
    talk.delete(&talk.ann, &last, json!({})).await.ok();
    assert_eq!(talk.list().await["messages"][0]["t"], "rm");
}

#[tokio::test]
async fn who_may_and_until_when() {
    let talk = Talk::new().await;
    let not_allowed = json!({"method": "deleteMessage", "action": "Delete_message"});
    let refused = |answer: &Answer| {
        coded(answer, "error-action-not-allowed", "Not allowed", &not_allowed);
    };
    let id = talk.say("ann's").await;
    refused(&talk.delete(&talk.bob, &id, json!({})).await);
    let text = "Unauthorized. You must have the permission \"force-delete-message\" to delete \
                other's message as them.";
    plain(&talk.delete(&talk.bob, &id, json!({"asUser": true})).await, 400, text);
    grant(&talk.app, &talk.boss, "delete-own-message", &["admin"]).await;
    refused(&talk.delete(&talk.ann, &id, json!({})).await);
    grant(&talk.app, &talk.boss, "delete-message", &["user"]).await;
    talk.delete(&talk.bob, &id, json!({})).await.ok();
    grant(&talk.app, &talk.boss, "delete-message", &["admin"]).await;
    grant(&talk.app, &talk.boss, "delete-own-message", &["user"]).await;
    let id = talk.say("ann's second").await;
    set(&talk.app, &talk.boss, "Message_AllowDeleting", json!(false)).await;
    refused(&talk.delete(&talk.ann, &id, json!({})).await);
    set(&talk.app, &talk.boss, "Message_AllowDeleting", json!(true)).await;
    set(&talk.app, &talk.boss, "Message_AllowDeleting_BlockDeleteInMinutes", json!(1)).await;
    talk.app.clock.move_to(START + 120_000);
    let late = json!({"method": "deleteMessage"});
    let answer = talk.delete(&talk.ann, &id, json!({"asUser": true})).await;
    coded(&answer, "error-message-deleting-blocked", "Message deleting is blocked", &late);
    // Whoever may by force may always, and as the author.
    grant(&talk.app, &talk.boss, "force-delete-message", &["user"]).await;
    talk.delete(&talk.bob, &id, json!({"asUser": true})).await.ok();
}

#[tokio::test]
async fn a_foreign_message_is_one_that_is_not_there() {
    let talk = Talk::new().await;
    let id = talk.say("between us").await;
    let text = format!("No message found with the id of \"{id}\".");
    for user in [&talk.app.user("eve").await, &talk.boss] {
        plain(&talk.delete(user, &id, json!({})).await, 400, &text);
    }
    let body = json!({"roomId": "another", "msgId": id});
    let answer = talk.app.rocket(&talk.ann).post("chat.delete", body).await;
    plain(&answer, 400, "The room id provided does not match where the message is from.");
    assert_eq!(talk.list().await["total"], 1);
}
