//! A change of many statements: they travel together, and still happen in their order, as one.

use super::{Chat, person, stored};
use parlance_core::send::NewMessage;

#[tokio::test]
async fn a_message_that_names_ninety_people_is_one_change() {
    let chat = Chat::start().await;
    let mut text = String::from("hello");
    for n in 0..90 {
        let name = format!("crowd{n}");
        person(&chat.core, &name, &[]).await;
        text.push_str(" @");
        text.push_str(&name);
    }
    let access = chat.in_group(0).await;
    for round in 0..5 {
        let new = super::named(&format!("wide-{round}"), &(text.clone() + " @user1"));
        let message = chat.core.send(&chat.callers[0], &access, new).await.unwrap().message;
        let mentions = message.mentions.unwrap();
        assert_eq!(mentions.matches("_id").count(), 91, "{mentions}");
    }
    let access = chat.in_group(1).await;
    assert_eq!((access.member().mentions, access.member().unread(access.room())), (5, 5));
    let named = "SELECT count(*) FROM mentioned";
    assert_eq!(super::number(&chat.database, named).await, 5 * 91);
    // Refused at its third statement: nothing of the hundred and more behind it stays.
    let access = chat.in_group(0).await;
    let again = super::named("wide-0", &(text.clone() + " @user2"));
    assert!(chat.core.send(&chat.callers[0], &access, again).await.is_err());
    assert_eq!(super::number(&chat.database, named).await, 5 * 91);
    assert_eq!(stored(&chat.core, &chat.callers[0], &chat.group).await.len(), 5);
    chat.core.send(&chat.callers[0], &access, NewMessage::text("x")).await.unwrap();
}
