//! The core alone: an account, a room, a message, on the engine of this run.

use crate::app::app;
use parlance_core::list::{ListQuery, Marks};
use parlance_core::send::NewMessage;

#[tokio::test]
async fn a_message_goes_through_the_core() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let (ann, bob) = (app.caller(&ann).await, app.caller(&bob).await);
    let opened = app.core.open_direct(&ann, &["bob"], false).await.unwrap();
    assert!(opened.created);
    let access = app.core.access(&ann, opened.room.id.as_str()).await.unwrap();
    let sent = app.core.send(&ann, &access, NewMessage::text("hi *bob* @bob")).await.unwrap();
    let access = app.core.access(&bob, opened.room.id.as_str()).await.unwrap();
    assert_eq!((access.member().unread(access.room()), access.member().mentions), (1, 1));
    let page = app
        .core
        .messages(
            &bob,
            &access,
            &ListQuery::first(50),
            &Marks::default(),
            std::sync::Arc::new(|_| serde_json::Value::Null),
        )
        .await
        .unwrap();
    assert_eq!((page.total, page.items), (1, vec![sent.message.clone()]));
    let list = app
        .core
        .dm_list(&bob, &ListQuery::first(50), std::sync::Arc::new(|_| serde_json::Value::Null))
        .await
        .unwrap();
    assert_eq!(list.total, 1);
    assert_eq!(list.items[0].last.as_deref(), Some(&sent.message));
    let recent = app.core.dm_recent(&bob, None, 30).await.unwrap();
    assert_eq!(recent.conversations.len(), 1);
    assert_eq!(recent.conversations[0].members.len(), 2);
    app.core.star(&bob, sent.message.id.as_str(), true).await.unwrap();
    app.core.react(&ann, sent.message.id.as_str(), "smile", None).await.unwrap();
    let (message, _) = app.core.message(&bob, sent.message.id.as_str()).await.unwrap().unwrap();
    assert_eq!(message.reactions.as_deref(), Some(r#"{":smile:":{"usernames":["ann"]}}"#));
    assert!(message.starred_by.is_some());
}
