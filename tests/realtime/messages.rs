//! What is told of messages, rooms and views of them (contract sections 11.4 and 12).

use super::client::{Client, listen};
use crate::app::app;
use serde_json::json;

#[tokio::test]
async fn a_message_is_told_to_both_with_its_room_and_views() {
    let app = app().await;
    let at = listen(&app).await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let room = app.rocket(&ann).open("bob").await;
    let mut there = Client::log_in(&at, &bob).await;
    there.hear("room-messages", &room).await;
    there.hear("room-messages", "__my_messages__").await;
    for event in ["rooms-changed", "subscriptions-changed", "notification"] {
        there.hear("notify-user", &format!("{}/{event}", bob.id)).await;
    }
    let sent = app.rocket(&ann).say(&room, "hello **bob**").await;
    let got = there.event("room-messages", &room).await;
    assert_eq!(got.as_array().unwrap().len(), 1);
    // The same as over REST, but for how times are written.
    let mut want = sent.clone();
    for key in ["ts", "_updatedAt"] {
        let at: jiff::Timestamp = sent[key].as_str().unwrap().parse().unwrap();
        want[key] = json!({"$date": at.as_millisecond()});
    }
    assert_eq!(got[0], want);
    let mine = there.event("room-messages", "__my_messages__").await;
    assert_eq!(mine, json!([want, {"roomParticipant": true, "roomType": "d"}]));
    let rooms = there.event("notify-user", &format!("{}/rooms-changed", bob.id)).await;
    assert_eq!(
        (&rooms[0], &rooms[1]["_id"], &rooms[1]["msgs"]),
        (&json!("updated"), &json!(room), &json!(1))
    );
    assert_eq!(rooms[1]["lastMessage"], want);
    let view = there.event("notify-user", &format!("{}/subscriptions-changed", bob.id)).await;
    assert_eq!(view[0], "updated");
    assert_eq!(
        (&view[1]["rid"], &view[1]["unread"], &view[1]["alert"]),
        (&json!(room), &json!(1), &json!(true))
    );
    assert_eq!(view.as_array().unwrap().len(), 2);
    let alert = there.event("notify-user", &format!("{}/notification", bob.id)).await;
    assert_eq!((&alert[0]["title"], &alert[0]["text"]), (&json!("ann"), &json!("hello **bob**")));
    assert_eq!(alert[0]["payload"]["sender"]["_id"], json!(ann.id));
    assert_eq!(alert[0]["payload"]["rid"], json!(room));
}
