//! Ruling A7: a disk that fills in the middle of a group commit. What was answered and what is
//! stored agree, and the store goes on by itself once there is room.

use super::{Chat, stored};
use crate::app::on_postgres;
use parlance_core::{Database, Error, StoreOptions};
use std::collections::BTreeSet;

const SENDERS: usize = 64;
/// Refusals that a sender takes before it gives up.
const STUBBORN: usize = 8;

/// Sends from many tasks until the store refuses; the ids that were stored, and those that not.
async fn fill(chat: &Chat, round: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let mut tasks = Vec::new();
    for n in 0..SENDERS {
        let (core, caller) = (chat.core.clone(), chat.callers[n % 8].clone());
        let (access, round) = (chat.in_group(n % 8).await, round.to_owned());
        tasks.push(tokio::spawn(async move {
            let (mut done, mut refused) = (Vec::new(), Vec::new());
            while refused.len() < STUBBORN {
                let id = format!("{round}-{n}-{}", done.len() + refused.len());
                match core.send(&caller, &access, super::named(&id, &"x".repeat(n * 40))).await {
                    Ok(_) => done.push(id),
                    Err(Error::Unavailable(_)) => refused.push(id),
                    Err(other) => panic!("a full disk is not our fault: {other:?}"),
                }
            }
            (done, refused)
        }));
    }
    let (mut done, mut refused) = (BTreeSet::new(), BTreeSet::new());
    for task in tasks {
        let (more_done, more_refused) = super::soon("a full disk", task).await.unwrap();
        done.extend(more_done);
        refused.extend(more_refused);
    }
    (done, refused)
}

async fn ids(chat: &Chat) -> BTreeSet<String> {
    let messages = stored(&chat.core, &chat.callers[0], &chat.group).await;
    let ids: BTreeSet<_> = messages.iter().map(|message| message.id.to_string()).collect();
    assert_eq!(ids.len(), messages.len(), "every message is there once");
    ids
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_disk_that_fills_in_a_group_commit_loses_and_invents_nothing_and_recovers() {
    if on_postgres() {
        return;
    }
    let chat = Chat::start().await;
    let Database::Embedded(dir) = chat.database.clone() else {
        return;
    };
    // What fills the disk beside the messages, and is cleared away later.
    let other = rusqlite::Connection::open(dir.join("parlance.db")).unwrap();
    other.busy_timeout(super::PATIENCE).unwrap();
    let ballast = "CREATE TABLE ballast (x); INSERT INTO ballast VALUES (zeroblob(2000000))";
    other.execute_batch(ballast).unwrap();
    let pages: u32 = other.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    let chat = chat.restart(StoreOptions { readers: 2, max_pages: pages + 200 }).await;

    let (done, refused) = fill(&chat, "first").await;
    assert!(done.len() > SENDERS, "it filled up in the middle: {}", done.len());
    assert_eq!(ids(&chat).await, done, "what was answered is what is stored");

    // Room again, and the running server takes it.
    other.execute_batch("DELETE FROM ballast").unwrap();
    let (more, still) = fill(&chat, "second").await;
    assert!(more.len() > SENDERS, "it goes on without a restart: {}", more.len());
    let all = &done | &more;
    assert_eq!(ids(&chat).await, all);

    let chat = chat.restart(StoreOptions { readers: 2, max_pages: 0 }).await;
    assert_eq!(ids(&chat).await, all, "a restart finds the same");
    assert!(all.is_disjoint(&refused) && all.is_disjoint(&still));
    let events = "SELECT count(*) FROM events WHERE kind = 'message.new'";
    assert_eq!(super::number(&chat.database, events).await, all.len() as i64);
    // What was refused can be sent again, under the same id.
    let access = chat.in_group(0).await;
    for id in refused.iter().take(8) {
        chat.core.send(&chat.callers[0], &access, super::named(id, "again")).await.unwrap();
    }
}

/// A disk of PostgreSQL that is full from the 300th event on: said by the engine, with its own code,
/// in the last statement of a change whose other statements have run.
const FULL: &str = "CREATE SEQUENCE disk;
    CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('disk') > 300 THEN
            RAISE EXCEPTION 'could not extend file: No space left on device'
                USING ERRCODE = 'disk_full';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER disk_full BEFORE INSERT ON events
        FOR EACH ROW EXECUTE FUNCTION disk_full()";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_full_postgresql_loses_and_invents_nothing_and_recovers() {
    let chat = Chat::start().await;
    let Some(engine) = super::raw(&chat.database).await else {
        return;
    };
    engine.batch_execute(FULL).await.unwrap();
    let (done, refused) = fill(&chat, "first").await;
    assert!((1..=300).contains(&done.len()), "it filled up in the middle: {}", done.len());
    assert_eq!(ids(&chat).await, done, "what was answered is what is stored");
    let room = "SELECT stored FROM rooms WHERE id = (SELECT min(room) FROM messages)";
    assert_eq!(super::number(&chat.database, room).await, done.len() as i64);

    engine.batch_execute("DROP TRIGGER disk_full ON events").await.unwrap();
    let access = chat.in_group(0).await;
    for id in refused.iter().take(8) {
        chat.core.send(&chat.callers[0], &access, super::named(id, "again")).await.unwrap();
    }
    assert_eq!(ids(&chat).await.len(), done.len() + 8, "it goes on without a restart");
}
