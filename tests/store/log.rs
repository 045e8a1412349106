//! The event log over restarts: positions go on, and trimming keeps the newest row for that.

use super::{Chat, heard_until, number, reopen};
use parlance_core::send::NewMessage;
use parlance_core::{Clock, StoreOptions};
use serde_json::json;

async fn send(chat: &Chat) -> String {
    let access = chat.in_group(0).await;
    let new = NewMessage::text("hello");
    chat.core.send(&chat.callers[0], &access, new).await.unwrap().message.id.to_string()
}

/// Sends twice; the second one's event comes after whatever the publisher did at its start.
async fn settled(chat: &Chat) -> i64 {
    let mut ears = chat.core.listen(1000);
    for _ in 0..2 {
        let id = send(chat).await;
        let heard = heard_until(&mut ears, |event| event.reference == id).await;
        assert!(heard.is_sorted_by(|a, b| a.position < b.position));
    }
    number(&chat.database, "SELECT max(pos) FROM events").await
}

#[tokio::test]
async fn positions_go_on_after_a_restart() {
    let mut chat = Chat::start().await;
    let mut newest = settled(&chat).await;
    for _ in 0..3 {
        chat = chat.restart(StoreOptions::default()).await;
        let mut ears = chat.core.listen(1000);
        let id = send(&chat).await;
        let heard = heard_until(&mut ears, |event| event.reference == id).await;
        // Nothing from before the start is told again.
        assert!(heard.iter().all(|event| event.position > newest));
        newest = heard.last().unwrap().position;
    }
}

#[tokio::test]
async fn the_log_is_trimmed_by_size_and_positions_go_on() {
    let chat = Chat::start().await;
    for _ in 0..1100 {
        send(&chat).await;
    }
    // The least that may be kept.
    chat.core.overwrite_setting("Parlance_Event_Log_Max_Rows", &json!(1000)).await.unwrap();
    let newest = settled(&chat).await;
    let chat = chat.restart(StoreOptions::default()).await;
    let after = settled(&chat).await;
    assert!(after > newest);
    let oldest = number(&chat.database, "SELECT min(pos) FROM events").await;
    assert!((newest - 1001..=after - 999).contains(&oldest), "{oldest} of {newest} to {after}");
    let floor = "SELECT CAST(value AS BIGINT) FROM meta WHERE name = 'event_floor'";
    assert_eq!(number(&chat.database, floor).await, oldest);
}

#[tokio::test]
async fn the_log_is_trimmed_by_age_but_never_of_its_newest_row() {
    let chat = Chat::start().await;
    let newest = settled(&chat).await;
    assert!(number(&chat.database, "SELECT count(*) FROM events").await > 10);
    // A month later; nobody hears of a trim, so it is seen by its effect.
    let clock = Clock::set(Clock::default().now() + 31 * 86_400_000);
    let closed = chat.close();
    let core = reopen(&closed.database, StoreOptions::default(), clock).await;
    let chat = closed.with(core);
    let trimmed = async {
        while number(&chat.database, "SELECT count(*) FROM events").await > 1 {
            tokio::task::yield_now().await;
        }
    };
    super::soon("the trim", trimmed).await;
    assert_eq!(number(&chat.database, "SELECT max(pos) FROM events").await, newest);
    let chat = chat.restart(StoreOptions::default()).await;
    let mut ears = chat.core.listen(1000);
    let id = send(&chat).await;
    let heard = heard_until(&mut ears, |event| event.reference == id).await;
    assert!(heard[0].position > newest);
}
