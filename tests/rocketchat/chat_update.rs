//! `chat.update` (contract section 9.1): what an edit makes of a message, who may, and until when.

use super::{coded, grant, plain, set, view};
use crate::app::{Answer, START, TestApp, TestUser, app};
use serde_json::{Value, json};

struct Talk {
    app: TestApp,
    boss: TestUser,
    ann: TestUser,
    bob: TestUser,
    room: String,
    id: String,
}

impl Talk {
    /// A message of ann's to bob.
    async fn new() -> Self {
        let app = app().await;
        let boss = app.admin("root").await;
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let room = app.rocket(&ann).open("bob").await;
        let sent = app.rocket(&ann).say(&room, "see @bob https://a.example").await;
        let id = sent["_id"].as_str().unwrap().to_owned();
        Self { app, boss, ann, bob, room, id }
    }

    async fn update(&self, user: &TestUser, text: &str) -> Answer {
        let body = json!({"roomId": self.room, "msgId": self.id, "text": text});
        self.app.rocket(user).post("chat.update", body).await
    }

    async fn read(&self) -> Value {
        let query = [("msgId", self.id.as_str())];
        self.app.rocket(&self.bob).get("chat.getMessage", &query).await.ok()["message"].clone()
    }
}

const EDITING: (&str, &str) = ("error-action-not-allowed", "Message editing not allowed");

#[tokio::test]
async fn everything_that_follows_from_the_text_follows() {
    let talk = Talk::new().await;
    let before = talk.read().await;
    talk.app.clock.move_to(START + 9000);
    let answer = talk.update(&talk.ann, "now *for* @ann https://b.example").await.ok();
    let message = talk.read().await;
    assert_eq!(answer, json!({"message": message, "success": true}));
    assert_eq!(message["msg"], "now *for* @ann https://b.example");
    assert_eq!(message["editedBy"], json!({"_id": talk.ann.id, "username": "ann"}));
    let at = json!(parlance_core::time::iso(START + 9000));
    assert_eq!((&message["editedAt"], &message["_updatedAt"]), (&at, &at));
    assert_eq!(message["mentions"][0]["username"], "ann");
    assert_eq!(message["urls"], json!([{"url": "https://b.example", "meta": {}}]));
    assert_ne!(message["md"], before["md"]);
    for same in ["_id", "rid", "ts", "u", "channels"] {
        assert_eq!(message[same], before[same], "{same}");
    }
    // Found by whom it names now, and shown as the room's newest.
    let mentioned = async |id: &str| {
        let query = [("roomId", talk.room.as_str()), ("mentionIds", id)];
        talk.app.rocket(&talk.ann).get("dm.messages", &query).await.ok()["total"].clone()
    };
    assert_eq!(
        (mentioned(&talk.ann.id).await, mentioned(&talk.bob.id).await),
        (json!(1), json!(0))
    );
    let list = talk.app.rocket(&talk.bob).get("dm.list", &[]).await.ok();
    assert_eq!(list["ims"][0]["lastMessage"]["msg"], message["msg"]);
    assert_eq!(list["ims"][0]["_updatedAt"], at);
    let page = talk.app.meepa(&talk.bob).get(&format!("/dms/{}/messages", talk.room), &[]).await;
    let seen = &page.ok()["data"][0];
    assert_eq!((&seen["content"], &seen["edited"]), (&message["msg"], &json!(true)));
    // Nobody has it unread again.
    let access = view(&talk.app, &talk.bob, &talk.room).await;
    assert_eq!((access.room().msgs, access.member().unread(access.room())), (1, 1));
}

#[tokio::test]
async fn the_same_text_changes_nothing_and_an_empty_one_has_no_tree() {
    let talk = Talk::new().await;
    let before = talk.read().await;
    talk.app.clock.move_to(START + 9000);
    talk.update(&talk.ann, "see @bob https://a.example").await.ok();
    assert_eq!(talk.read().await, before);
    talk.update(&talk.ann, "").await.ok();
    let message = talk.read().await;
    assert_eq!((&message["msg"], message.get("md")), (&json!(""), None));
    assert_eq!((&message["mentions"], &message["urls"]), (&json!([]), &json!([])));
}

#[tokio::test]
async fn who_may_and_until_when() {
    let talk = Talk::new().await;
    let (code, text) = EDITING;
    let details = json!({"method": "updateMessage", "action": "Message_editing"});
    coded(&talk.update(&talk.bob, "mine now").await, code, text, &details);
    grant(&talk.app, &talk.boss, "edit-message", &["admin", "user"]).await;
    let edited = talk.update(&talk.bob, "by bob").await.ok();
    assert_eq!(edited["message"]["editedBy"]["username"], "bob");
    assert_eq!(edited["message"]["u"]["username"], "ann");
    grant(&talk.app, &talk.boss, "edit-message", &["admin"]).await;
    set(&talk.app, &talk.boss, "Message_AllowEditing", json!(false)).await;
    coded(&talk.update(&talk.ann, "x").await, code, text, &details);
    set(&talk.app, &talk.boss, "Message_AllowEditing", json!(true)).await;
    set(&talk.app, &talk.boss, "Message_AllowEditing_BlockEditInMinutes", json!(5)).await;
    talk.app.clock.move_to(START + 299_000);
    talk.update(&talk.ann, "in time").await.ok();
    talk.app.clock.move_to(START + 301_000);
    coded(
        &talk.update(&talk.ann, "late").await,
        "error-message-editing-blocked",
        "Message editing is blocked",
        &json!({"method": "updateMessage"}),
    );
    grant(&talk.app, &talk.boss, "bypass-time-limit-edit-and-delete", &["user"]).await;
    talk.update(&talk.ann, "late, and allowed").await.ok();
}

#[tokio::test]
async fn what_a_send_may_not_an_edit_may_not() {
    let talk = Talk::new().await;
    let long = talk.update(&talk.ann, &"x".repeat(5001)).await.expect(400);
    assert_eq!(long["errorType"], "error-message-size-exceeded");
    let access = view(&talk.app, &talk.bob, &talk.room).await;
    let bob = talk.app.caller(&talk.bob).await;
    talk.app.core.set_block(&bob, &access, true).await.unwrap();
    plain(&talk.update(&talk.ann, "blocked").await, 400, "room_is_blocked");
    talk.app.core.set_block(&bob, &access, false).await.unwrap();
    let boss = talk.app.caller(&talk.boss).await;
    let admin = talk.app.core.admin(&boss, parlance_core::Perm::EditRoom).unwrap();
    talk.app.core.set_read_only(admin, &access.room().id, true).await.unwrap();
    let text = "You can't send messages because the room is readonly.";
    plain(&talk.update(&talk.ann, "read-only").await, 400, text);
    assert_eq!(talk.read().await["msg"], "see @bob https://a.example");
}

#[tokio::test]
async fn what_is_named_must_be_there_and_ones_own_to_see() {
    let talk = Talk::new().await;
    let eve = talk.app.user("eve").await;
    let own = talk.app.rocket(&eve).open("eve").await;
    let unknown = |id: &str| format!("No message found with the id of \"{id}\".");
    // A foreign message is one that is not there, whatever room is named.
    for room in [&talk.room, &own] {
        let body = json!({"roomId": room, "msgId": talk.id, "text": "x"});
        let answer = talk.app.rocket(&eve).post("chat.update", body).await;
        plain(&answer, 400, &unknown(&talk.id));
    }
    let body = json!({"roomId": own, "msgId": talk.id, "text": "x"});
    let answer = talk.app.rocket(&talk.ann).post("chat.update", body).await;
    plain(&answer, 400, "The room id provided does not match where the message is from.");
    let body = json!({"roomId": talk.room, "msgId": "nothing", "text": "x"});
    plain(&talk.app.rocket(&talk.ann).post("chat.update", body).await, 400, &unknown("nothing"));
    for (missing, body) in [
        ("roomId", json!({"msgId": talk.id, "text": "x"})),
        ("msgId", json!({"roomId": talk.room, "text": "x"})),
        ("text", json!({"roomId": talk.room, "msgId": talk.id})),
    ] {
        let answer = talk.app.rocket(&talk.ann).post("chat.update", body).await;
        plain(&answer, 400, &format!("Match error: Missing key '{missing}'"));
    }
    for name in ["roomId", "msgId", "text"] {
        let mut body = json!({"roomId": talk.room, "msgId": talk.id, "text": "x"});
        body[name] = json!({"$ne": null});
        let answer = talk.app.rocket(&talk.ann).post("chat.update", body).await;
        plain(&answer, 400, &format!("Match error: Expected string in field {name}"));
    }
}

#[tokio::test]
async fn a_retry_of_the_first_send_finds_the_edited_message() {
    let talk = Talk::new().await;
    let first = json!({"_id": "retry0000000000001", "rid": talk.room, "msg": "as first sent"});
    let send = async |msg: &str| {
        let mut message = first.clone();
        message["msg"] = msg.into();
        talk.app.rocket(&talk.ann).post("chat.sendMessage", json!({"message": message})).await
    };
    send("as first sent").await.ok();
    for text in ["once edited", "twice edited"] {
        let body = json!({"roomId": talk.room, "msgId": "retry0000000000001", "text": text});
        talk.app.rocket(&talk.ann).post("chat.update", body).await.ok();
    }
    assert_eq!(send("as first sent").await.ok()["message"]["msg"], "twice edited");
    for other in ["once edited", "twice edited"] {
        assert_eq!(send(other).await.expect(400)["errorType"], "error-message-id-taken");
    }
}

#[tokio::test]
async fn members_that_are_carried_stay_and_only_the_named_ones_change() {
    let talk = Talk::new().await;
    set(&talk.app, &talk.boss, "Message_CustomFields_Enabled", json!(true)).await;
    let sent = talk
        .app
        .rocket(&talk.ann)
        .post(
            "chat.postMessage",
            json!({"roomId": talk.room,
        "text": "one", "attachments": [{"title": "a picture", "description": "old"}]}),
        )
        .await
        .ok();
    let id = sent["message"]["_id"].clone();
    let body = json!({"roomId": talk.room, "msgId": id, "text": "new", "customFields": {"a": 1},
        "ts": 5, "u": {"_id": talk.bob.id}, "pinned": true, "t": "rm", "editedBy": {"_id": "x"}});
    let message =
        talk.app.rocket(&talk.ann).post("chat.update", body).await.ok()["message"].clone();
    // A text beside a picture is the picture's description.
    assert_eq!(message["attachments"], json!([{"title": "a picture", "description": "new"}]));
    assert_eq!((&message["msg"], &message["customFields"]), (&json!("one"), &json!({"a": 1})));
    assert_eq!(
        (&message["u"]["username"], &message["ts"]),
        (&json!("ann"), &sent["message"]["ts"])
    );
    assert_eq!((message.get("pinned"), message.get("t")), (None, None));
    assert_eq!(message["editedBy"]["_id"], talk.ann.id.as_str());
}

#[tokio::test]
async fn members_read_what_was_edited_where_the_settings_keep_and_show_it() {
    let talk = Talk::new().await;
    let get = async |user: &TestUser| {
        talk.app.rocket(user).get("chat.getEditHistory", &[("msgId", &talk.id)]).await
    };
    let details = json!({"method": "getEditHistory", "action": "Edit_history"});
    let text = "Edit history is not available";
    coded(&get(&talk.bob).await, "error-action-not-allowed", text, &details);
    set(&talk.app, &talk.boss, "Parlance_Edit_History_Readable", json!(true)).await;
    talk.update(&talk.ann, "not kept").await.ok();
    assert_eq!(get(&talk.bob).await.ok()["versions"], json!([]));
    set(&talk.app, &talk.boss, "Message_KeepHistory", json!(true)).await;
    let mut want = Vec::new();
    for (n, said) in ["not kept", "second", "third"].into_iter().enumerate() {
        let at = START + 1000 * i64::try_from(n + 1).expect("small");
        talk.app.clock.move_to(at);
        let next = ["second", "third", "fourth"][n];
        talk.update(&talk.ann, next).await.ok();
        want.push(json!({"msg": said, "until": parlance_core::time::iso(at),
            "editedBy": {"_id": talk.ann.id, "username": "ann"}}));
    }
    assert_eq!(get(&talk.bob).await.ok()["versions"], json!(want));
    let eve = talk.app.user("eve").await;
    assert_eq!(get(&eve).await.expect(400), json!({"success": false}));
}
