//! An answer means that it is on disk: a process that is killed in the middle, a disk that takes
//! no more bytes, and one process per directory. `SQLite` only; `synchronous` itself is looked at
//! beside the code that sets it.

use super::child::Other;
use super::{Chat, Closed, session, stored};
use crate::app::{on_postgres, options};
use parlance_core::{Clock, Core, Database, Error, StoreOptions};
use std::collections::BTreeSet;
use std::process::Command;

async fn ids(chat: &Chat) -> BTreeSet<String> {
    let messages = stored(&chat.core, &chat.callers[0], &chat.group).await;
    let ids: BTreeSet<_> = messages.iter().map(|message| message.id.to_string()).collect();
    assert_eq!(ids.len(), messages.len(), "every message is there once");
    ids
}

/// A store with a conversation in it, and another process that serves it.
async fn served() -> (Closed, Other) {
    let chat = Chat::start().await;
    let token = session(&chat.core, chat.callers[0].id().as_str()).await;
    let closed = chat.close();
    let Database::Embedded(dir) = &closed.database else { panic!("for the embedded store") };
    let other = Other::start(dir, &token, &closed.group);
    (closed, other)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_was_answered_survives_the_death_of_the_process() {
    if on_postgres() {
        return;
    }
    let (closed, mut other) = served().await;
    other.send("killed", 5000);
    let mut answered = BTreeSet::new();
    while answered.len() < 1000 {
        let (word, id) = other.next();
        assert_eq!(word, "ok", "{id}");
        answered.insert(id);
    }
    answered.extend(other.kill().into_iter().filter(|(word, _)| word == "ok").map(|(_, id)| id));
    assert!(answered.len() < 5000, "it was killed too late");
    let chat = closed.open(StoreOptions::default()).await;
    let there = ids(&chat).await;
    assert!(answered.is_subset(&there), "{} answered, {} there", answered.len(), there.len());
    let times: Vec<i64> =
        stored(&chat.core, &chat.callers[0], &chat.group).await.iter().map(|m| m.ts).collect();
    assert!(times.is_sorted_by(|a, b| a < b));
    eprintln!("killed after {} answers: {} stored", answered.len(), there.len());
}

/// Sets how large the files of a process may become.
fn allow(process: u32, bytes: &str) -> bool {
    let limit = format!("--fsize={bytes}:");
    let set = Command::new("prlimit").args(["--pid", &process.to_string(), &limit]).status();
    set.is_ok_and(|status| status.success())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_file_that_takes_no_more_bytes_refuses_sends_until_it_does() {
    if on_postgres() {
        return;
    }
    let (closed, mut other) = served().await;
    if !allow(other.id(), "1000000") {
        eprintln!("skipped: there is no prlimit here to keep a file from growing");
        return;
    }
    let (mut answered, mut refused) = (BTreeSet::new(), BTreeSet::new());
    let mut hear = |other: &mut Other| {
        let (mut ok, mut no) = (0, 0);
        loop {
            let (word, id) = other.next();
            match word.as_str() {
                "ok" => ok += usize::from(answered.insert(id)),
                "no" => no += usize::from(refused.insert(id)),
                _ => {
                    assert_eq!(word, "done", "{id}");
                    return (ok, no);
                }
            }
        }
    };
    other.send("first", 2000);
    let (_, no) = hear(&mut other);
    assert!(no > 0, "the file was to fill up");
    assert!(allow(other.id(), "unlimited"));
    other.send("second", 200);
    assert_eq!(hear(&mut other), (200, 0), "it goes on without a restart");
    drop(other);
    let chat = closed.open(StoreOptions::default()).await;
    assert_eq!(ids(&chat).await, answered);
    assert!(answered.is_disjoint(&refused));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_directory_belongs_to_one_core() {
    if on_postgres() {
        return;
    }
    let chat = Chat::start().await;
    let again = options(chat.database.clone(), Clock::default());
    let Err(Error::Unavailable(why)) = Core::open(again).await else {
        panic!("two cores on one directory")
    };
    let Database::Embedded(dir) = &chat.database else {
        return;
    };
    assert!(why.contains("another parlance process uses") && why.contains(dir.to_str().unwrap()));
    // The refusal harmed nothing, and the directory is free once the first is gone.
    let access = chat.in_group(0).await;
    chat.core.send(&chat.callers[0], &access, super::named("one", "still mine")).await.unwrap();
    let chat = chat.restart(StoreOptions::default()).await;
    assert_eq!(ids(&chat).await.len(), 1);
    let mode = rusqlite::Connection::open(match &chat.database {
        Database::Embedded(dir) => dir.join("parlance.db"),
        Database::Postgres(_) => return,
    });
    let mode: String =
        mode.unwrap().query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}
