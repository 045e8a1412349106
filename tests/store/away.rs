//! `PostgreSQL` that goes away, and changes that lose a race there: an error that says so or a
//! success, never a half, and no restart to get well.

use super::{Chat, heard_so_far, named, raw, stored};
use crate::app::{fresh_database, on_postgres, options};
use parlance_core::account::Authority;
use parlance_core::event::Kind;
use parlance_core::send::NewMessage;
use parlance_core::{Clock, Core, Database, Error, Perm};
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The same database under a name by which its connections are found.
fn labelled(database: Database, label: &str) -> Database {
    match database {
        Database::Postgres(url) => Database::Postgres(format!("{url}&application_name={label}")),
        embedded @ Database::Embedded(_) => embedded,
    }
}

/// A sender who goes on until it is over: what was stored, and how often it was refused.
async fn send_until(
    chat: &Chat,
    n: usize,
    over: Arc<AtomicBool>,
    sent: Arc<AtomicUsize>,
) -> impl Future<Output = (Vec<String>, usize)> + use<> {
    let (core, caller) = (chat.core.clone(), chat.callers[n].clone());
    let access = chat.in_group(n).await;
    async move {
        let (mut done, mut failed) = (Vec::new(), 0);
        while !over.load(Ordering::SeqCst) {
            let id = format!("cut-{n}-{}", done.len() + failed);
            match core.send(&caller, &access, named(&id, "hello")).await {
                Ok(_) => {
                    sent.fetch_add(1, Ordering::SeqCst);
                    done.push(id);
                }
                Err(Error::Unavailable(_)) => failed += 1,
                Err(other) => panic!("{other:?}"),
            }
        }
        (done, failed)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn connections_that_are_cut_give_an_error_or_a_success_and_heal() {
    if !on_postgres() {
        return;
    }
    let plain = fresh_database().await;
    let label = format!("parlance-cut-{}", std::process::id());
    let chat = Chat::start_with(labelled(plain.clone(), &label), Clock::default()).await;
    let knife = raw(&plain).await.unwrap();
    let mut ears = chat.core.listen(1_000_000);
    let (over, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut tasks = Vec::new();
    for n in 0..8 {
        tasks.push(tokio::spawn(send_until(&chat, n, over.clone(), sent.clone()).await));
    }
    let cut = "SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = $1) cut";
    let mut cuts = 0;
    for round in 0..20 {
        // Some go through between two cuts: it heals every time.
        let progress = async {
            while sent.load(Ordering::SeqCst) < round * 20 {
                tokio::task::yield_now().await;
            }
        };
        super::soon("sends between two cuts", progress).await;
        // A cut may come when none is open yet.
        cuts += knife.query_one(cut, &[&label]).await.unwrap().get::<_, i64>(0);
    }
    assert!(cuts > 20, "{cuts} connections were cut");
    over.store(true, Ordering::SeqCst);
    let (mut done, mut failed) = (BTreeSet::new(), 0);
    for task in tasks {
        let (ids, failures) = task.await.unwrap();
        done.extend(ids);
        failed += failures;
    }
    assert!(failed > 0, "nothing was cut");
    let messages = stored(&chat.core, &chat.callers[0], &chat.group).await;
    let ids: Vec<&str> = messages.iter().map(|message| message.id.as_str()).collect();
    assert!(done.iter().all(|id| ids.contains(&id.as_str())), "what was answered is there");
    // A commit whose answer was cut off may stand: then the log tells of it like of any other.
    let heard = heard_so_far(&chat.core, &mut ears).await;
    let told = heard.iter().filter(|event| event.kind == Kind::MessageNew);
    assert_eq!(told.map(|event| event.reference.as_str()).collect::<Vec<_>>(), ids);
    eprintln!("20 cuts: {} sends answered, {failed} refused, {} stored", done.len(), ids.len());
}

/// Waits until a connection of this label waits for somebody's lock.
async fn blocked(eye: &tokio_postgres::Client, label: &str) {
    let waits = "SELECT count(*) FROM pg_stat_activity
        WHERE application_name = $1 AND wait_event_type = 'Lock'";
    let waiting = async {
        while eye.query_one(waits, &[&label]).await.unwrap().get::<_, i64>(0) == 0 {
            tokio::task::yield_now().await;
        }
    };
    super::soon("somebody to wait", waiting).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_setting_is_taken_over_although_the_first_try_to_read_it_is_cut() {
    if !on_postgres() {
        return;
    }
    let plain = fresh_database().await;
    let (node, locker) =
        (format!("deaf-{}", std::process::id()), format!("lock-{}", std::process::id()));
    let core = labelled(plain.clone(), &node);
    let core = Core::open(options(core, Clock::default())).await.unwrap();
    let mut ears = core.listen(1000);
    let (mut other, eye) = (raw(&plain).await.unwrap(), raw(&plain).await.unwrap());
    let lock = raw(&labelled(plain.clone(), &locker)).await.unwrap();
    // Another node's change, and someone who has the settings for himself right behind it.
    let change = other.transaction().await.unwrap();
    let set = "INSERT INTO settings (id, value, updated) VALUES ('Site_Name', '\"new\"', 1)";
    change.execute(set, &[]).await.unwrap();
    let add = "INSERT INTO events (pos, ts, kind, ref) VALUES (event_pos(), 1, 'settings', 'x')";
    change.execute(add, &[]).await.unwrap();
    let (held, holds) = tokio::sync::oneshot::channel::<()>();
    let holder = tokio::spawn(async move {
        lock.batch_execute("BEGIN; LOCK TABLE settings IN ACCESS EXCLUSIVE MODE").await.unwrap();
        holds.await.unwrap();
        lock.batch_execute("ROLLBACK").await.unwrap();
    });
    blocked(&eye, &locker).await;
    change.commit().await.unwrap();
    blocked(&eye, &node).await;
    let cut = "SELECT count(*) FROM (SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = $1 AND wait_event_type = 'Lock') cut";
    assert_eq!(eye.query_one(cut, &[&node]).await.unwrap().get::<_, i64>(0), 1);
    held.send(()).unwrap();
    holder.await.unwrap();
    super::heard_until(&mut ears, |event| event.kind == Kind::Settings).await;
    assert_eq!(core.settings().text(&parlance_core::setting::SITE_NAME), "new");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_change_that_is_the_victim_of_a_deadlock_is_made_again() {
    if !on_postgres() {
        return;
    }
    let plain = fresh_database().await;
    let label = format!("parlance-lock-{}", std::process::id());
    let chat = Chat::start_with(labelled(plain.clone(), &label), Clock::default()).await;
    let (mut other, eye) = (raw(&plain).await.unwrap(), raw(&plain).await.unwrap());
    let user = chat.callers[0].id().clone();
    let lock_room = "UPDATE rooms SET updated = updated WHERE id = $1";
    let lock_user = "UPDATE users SET updated = updated WHERE id = $1";
    for attempt in 0.. {
        let holder = other.transaction().await.unwrap();
        holder.execute(lock_room, &[&chat.pairs[0].as_str()]).await.unwrap();
        let (core, id) = (chat.core.clone(), user.clone());
        let change =
            tokio::spawn(async move { core.set_active(Authority::Operator, &id, false).await });
        blocked(&eye, &label).await;
        // The circle closes. The change has waited longest and finds out first; on a machine so slow
        // that it has looked already, this side is the victim, and tries again.
        let victim = holder.execute(lock_user, &[&user.as_str()]).await.is_err();
        if victim {
            holder.rollback().await.unwrap();
        } else {
            holder.commit().await.unwrap();
        }
        super::soon("the change", change).await.unwrap().unwrap();
        assert!(!chat.core.user(&user).await.unwrap().active);
        if !victim {
            break;
        }
        assert!(attempt < 10, "always the other side");
        chat.core.set_active(Authority::Operator, &user, true).await.unwrap();
    }
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    assert!(eye.query_one(deadlocks, &[]).await.unwrap().get::<_, i64>(0) > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn changes_that_lock_the_same_rows_all_at_once_all_get_through() {
    let chat = Chat::start().await;
    let (boss, _) = super::person(&chat.core, "boss", &["admin", "user"]).await;
    let mut tasks = Vec::new();
    for n in 0..8 {
        let (core, caller, boss) = (chat.core.clone(), chat.callers[n].clone(), boss.clone());
        let (group, pair) = (chat.in_group(n).await, chat.in_pair(n, n).await);
        tasks.push(tokio::spawn(async move {
            for _ in 0..12 {
                let sent = core.send(&caller, &group, NewMessage::text("in turn")).await;
                let sent = sent.map(|sent| sent.message.id);
                let right = core.admin(&boss, Perm::EditRoom).unwrap();
                let pair_id = pair.room().id.clone();
                let results = [
                    sent.as_ref().map(drop).map_err(Clone::clone),
                    core.set_active(Authority::Operator, caller.id(), false).await,
                    core.set_read_only(right, &pair_id, true).await,
                    core.set_active(Authority::Operator, caller.id(), true).await,
                    core.set_block(&caller, &pair, true).await,
                    core.set_block(&caller, &pair, false).await,
                    core.set_read_only(right, &pair_id, false).await,
                ];
                for result in results {
                    assert!(result.is_ok(), "{result:?}");
                }
            }
        }));
    }
    for task in tasks {
        super::soon("the changes", task).await.unwrap();
    }
}
