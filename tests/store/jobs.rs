//! What a change leaves to do is done, whatever restarts, and whoever writes meanwhile.

use super::{Chat, soon, stored};
use crate::app::{on_postgres, options};
use parlance_core::profile::Changes;
use parlance_core::send::NewMessage;
use parlance_core::{Clock, Core, StoreOptions};

const MESSAGES: usize = 1_000;

async fn rename(chat: &Chat, username: &str) {
    let changes = Changes { username: Some(username.to_owned()), ..Changes::default() };
    chat.core.update_own(&chat.callers[0], &changes, None).await.unwrap();
}

/// Waits until all that the first one wrote in the group bears the name.
async fn renamed(chat: &Chat, username: &str) {
    let mut ears = chat.core.listen(100_000);
    let id = chat.callers[0].id();
    loop {
        let all = stored(&chat.core, &chat.callers[1], &chat.group).await;
        let mut own = all.iter().filter(|message| message.author.id == *id);
        if own.all(|message| message.author.username == username) {
            return;
        }
        soon("the end of the job", async {
            while let Some(event) = ears.next().await {
                if event.kind == parlance_core::event::Kind::MessagesRewritten {
                    return;
                }
            }
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_long_job_outlives_its_process_and_lets_others_write() {
    let chat = Chat::start().await;
    let (own, other) = (chat.in_group(0).await, chat.in_group(1).await);
    for n in 0..MESSAGES {
        let text = NewMessage::text(format!("number {n}"));
        let sender = if n % 2 == 0 { (&chat.callers[0], &own) } else { (&chat.callers[1], &other) };
        chat.core.send(sender.0, sender.1, text).await.unwrap();
    }
    rename(&chat, "another").await;
    // Others write while it is done.
    for n in 0..20 {
        let text = NewMessage::text(format!("meanwhile {n}"));
        chat.core.send(&chat.callers[1], &other, text).await.unwrap();
    }
    rename(&chat, "third").await;
    let chat = chat.restart(StoreOptions::default()).await;
    // Of two nodes at the same job, each batch is done by one.
    let second = if on_postgres() {
        Some(Core::open(options(chat.database.clone(), Clock::default())).await.unwrap())
    } else {
        None
    };
    renamed(&chat, "third").await;
    let all = stored(&chat.core, &chat.callers[1], &chat.group).await;
    assert_eq!(all.len(), MESSAGES + 20);
    let others = all.iter().filter(|message| message.author.id != *chat.callers[0].id());
    assert!(others.clone().all(|message| message.author.username == "user1"));
    assert_eq!(others.count(), MESSAGES / 2 + 20);
    drop(second);
}
