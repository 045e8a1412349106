//! The turns of long reads, on the embedded engine: a reader is always free for what needs no search,
//! and a turn lasts as long as its work, not as long as its caller.

use crate::id::UserId;
use crate::store::{Database, Plan, Read, Store, StoreOptions};
use futures_util::FutureExt as _;

/// A row after another, for as long as anybody takes them.
const ENDLESS: &str =
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
/// A row that never comes.
const SILENT: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
    SELECT i FROM n WHERE i < 0";
const LONG: i64 = 60_000;

async fn store(name: &str) -> (Store, std::path::PathBuf) {
    let dir = std::env::temp_dir().join(format!("parlance_turns_{name}_{}", std::process::id()));
    let options = StoreOptions { readers: 3, ..StoreOptions::default() };
    (Store::open(&Database::Embedded(dir.clone()), &options).await.expect("a store"), dir)
}

/// One plain read, which must be answered although every turn is taken.
async fn plain(store: &Store) {
    assert_eq!(store.read("SELECT 1", []).await.expect("an answer").len(), 1);
}

#[tokio::test]
async fn a_reader_is_free_while_every_turn_is_taken() {
    let (store, dir) = store("free").await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let turn = store.turn(LONG, None).await.expect("a turn");
        held.push((
            store.stream(Read::new(ENDLESS, []), Plan::Free, &turn).await.expect("rows"),
            turn,
        ));
    }
    assert_eq!(store.turns.all.available_permits(), 0);
    plain(&store).await;
    // Nobody takes the rows any more: the readers stop, and the turns come back.
    drop(held);
    for _ in 0..2 {
        store.turn(LONG, None).await.expect("a turn");
    }
    let _ = std::fs::remove_dir_all(dir);
}

#[tokio::test]
async fn work_for_a_caller_that_is_gone_keeps_its_turn_until_it_ends_and_ends_soon() {
    let (store, dir) = store("gone").await;
    for _ in 0..6 {
        let turn = store.turn(LONG, None).await.expect("a turn");
        let mut read = Box::pin(store.read_costly(vec![Read::new(SILENT, [])], &turn));
        // Far enough that the reader has the job; then the caller goes away.
        std::future::poll_fn(|context| {
            assert!(read.as_mut().poll(context).is_pending());
            std::task::Poll::Ready(())
        })
        .await;
        drop(read);
        drop(turn);
        plain(&store).await;
    }
    // Both turns come back long before the time of the work is over.
    let both = store.turns.all.clone().acquire_many_owned(2).await.expect("both turns");
    drop(both);
    let _ = std::fs::remove_dir_all(dir);
}

#[tokio::test]
async fn one_user_takes_half_of_the_turns_and_leaves_nothing_behind() {
    let (store, dir) = store("half").await;
    let (ann, bob) = (UserId::from("ann"), UserId::from("bob"));
    let first = store.turn(LONG, Some(&ann)).await.expect("a turn");
    let mut second = Box::pin(store.turn(LONG, Some(&ann)));
    assert!((&mut second).now_or_never().is_none());
    let other = store.turn(LONG, Some(&bob)).await.expect("a turn, whoever waits");
    let late = store.turn(1, Some(&bob)).await;
    assert!(matches!(late, Err(crate::Error::Unavailable(_))));
    drop((first, other));
    drop(second.await.expect("the turn that was waited for"));
    assert!(store.turns.users.lock().expect("nobody panicked").is_empty());
    assert_eq!(store.turns.all.available_permits(), 2);
    let _ = std::fs::remove_dir_all(dir);
}
