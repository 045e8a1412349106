//! Two nodes on one database fill one index together: nothing twice, nothing left out, and nothing
//! that a deletion on the other node took away.

use super::index::{covers_exactly, fill, found, say};
use super::{Chat, soon};
use crate::app::{on_postgres, options};
use parlance_core::send::NewMessage;
use parlance_core::{Clock, Core, Error};
use std::sync::Arc;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_indexers_do_the_work_of_one() {
    let chat = Arc::new(Chat::start().await);
    if !on_postgres() {
        return;
    }
    let other = Core::open(options(chat.database.clone(), Clock::default())).await.unwrap();
    let mut tasks = Vec::new();
    for core in [chat.core.clone(), other.clone()] {
        for pair in 0..4 {
            let (chat, core) = (chat.clone(), core.clone());
            tasks.push(tokio::spawn(async move {
                let caller = &chat.callers[pair];
                for n in 0..40 {
                    let access = core.access(caller, &chat.pairs[pair]).await.unwrap();
                    let new = NewMessage::text(format!("pair{pair} number{n}"));
                    let sent = core.send(caller, &access, new).await.unwrap().message;
                    if n % 3 == 0 {
                        let found = core.message(caller, sent.id.as_str()).await.unwrap().unwrap();
                        core.delete(caller, found, false).await.unwrap();
                    }
                }
            }));
        }
    }
    let hurried = [chat.core.clone(), other.clone()].map(|core| {
        tokio::spawn(async move {
            loop {
                core.indexed().await.unwrap();
            }
        })
    });
    for task in tasks {
        soon("a writer", task).await.unwrap();
    }
    for task in hurried {
        task.abort();
        let _ = task.await;
    }
    for core in [&chat.core, &other] {
        assert!(covers_exactly(core, &chat.database).await > 200);
        let room = Some(chat.pairs[1].as_str());
        assert_eq!(found(core, &chat.callers[1], room, "number7").await.len(), 2);
    }
    other.close().await;
}

#[tokio::test]
async fn whoever_waits_for_the_index_hears_that_the_core_is_gone() {
    let chat = Chat::start().await;
    fill(&chat, 0).await;
    say(&chat, 0, "the last").await;
    let core = chat.core.clone();
    chat.core.clone().close().await;
    let waited = soon("an answer", core.indexed()).await;
    assert!(matches!(waited, Err(Error::Unavailable(_))));
}
