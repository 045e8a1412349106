//! Pins (contract section 9.1): who may, what the message and the room say of it, and when it is off.

use super::chat_marks::Talk;
use super::{coded, grant, set, view};
use crate::app::START;
use serde_json::json;

#[tokio::test]
async fn pinning_needs_the_permission_and_says_so_in_the_room() {
    let talk = Talk::new().await;
    let boss = talk.app.admin("root").await;
    let no = json!({"method": "pinMessage"});
    let answer = talk.post(&talk.ann, "chat.pinMessage", json!({})).await;
    coded(&answer, "not-authorized", "Not Authorized", &no);
    assert!(talk.read(&talk.ann).await.get("pinned").is_none());
    grant(&talk.app, &boss, "pin-message", &["admin", "user"]).await;
    talk.app.clock.move_to(START + 7000);
    let before = view(&talk.app, &talk.ann, &talk.room).await;
    let notice = talk.post(&talk.bob, "chat.pinMessage", json!({})).await.ok()["message"].clone();
    assert_eq!((&notice["t"], &notice["msg"]), (&json!("message_pinned"), &json!("")));
    assert_eq!((&notice["rid"], &notice["u"]["username"]), (&json!(talk.room), &json!("bob")));
    let quote = &notice["attachments"][0];
    assert_eq!((&quote["text"], &quote["author_name"]), (&json!("hi"), &json!("ann")));
    assert_eq!(super::keys(quote), ["attachments", "author_icon", "author_name", "text", "ts"]);
    let pinned = talk.read(&talk.ann).await;
    let by = json!({"_id": talk.bob.id, "username": "bob"});
    assert_eq!((&pinned["pinned"], &pinned["pinnedBy"]), (&json!(true), &by));
    assert_eq!(pinned["pinnedAt"], parlance_core::time::iso(START + 7000));
    // One more message; the room's activity and newest message are as before, and nobody has it unread.
    let after = view(&talk.app, &talk.ann, &talk.room).await;
    assert_eq!(after.room().msgs, before.room().msgs + 1);
    assert_eq!((after.room().lm, after.room().seq), (before.room().lm, before.room().seq));
    let list = talk.app.rocket(&talk.ann).get("dm.list", &[]).await.ok();
    assert_eq!(list["ims"][0]["lastMessage"]["_id"], talk.id.as_str());
    assert_eq!(after.member().unread(after.room()), before.member().unread(before.room()));
}

#[tokio::test]
async fn a_pin_that_is_taken_off_leaves_its_trace() {
    let talk = Talk::new().await;
    let boss = talk.app.admin("root").await;
    grant(&talk.app, &boss, "pin-message", &["admin", "user"]).await;
    talk.post(&talk.bob, "chat.pinMessage", json!({})).await.ok();
    let pinned = talk.read(&talk.ann).await;
    let by = json!({"_id": talk.bob.id, "username": "bob"});
    // Taken off, the rest stays.
    let body = talk.post(&talk.ann, "chat.unPinMessage", json!({})).await.ok();
    assert_eq!(body, json!({"success": true}));
    let unpinned = talk.read(&talk.ann).await;
    assert_eq!((&unpinned["pinned"], &unpinned["pinnedBy"]), (&json!(false), &by));
    assert_eq!(unpinned["pinnedAt"], pinned["pinnedAt"]);
    grant(&talk.app, &boss, "pin-message", &["admin"]).await;
    let answer = talk.post(&talk.ann, "chat.unPinMessage", json!({})).await;
    coded(&answer, "not-authorized", "Not Authorized", &json!({"method": "unpinMessage"}));
    set(&talk.app, &boss, "Message_AllowPinning", json!(false)).await;
    let details = json!({"method": "pinMessage", "action": "Message_pinning"});
    let answer = talk.post(&talk.ann, "chat.pinMessage", json!({})).await;
    coded(&answer, "error-action-not-allowed", "Message pinning not allowed", &details);
}
