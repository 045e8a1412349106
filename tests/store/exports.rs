//! Orders of exports over restarts and over nodes: what a dead attempt left is made whole by another, once.

use super::{execute, number, person, soon};
use crate::app::{START, TestApp, TestUser, fresh_database, on_postgres, options};
use crate::rocketchat::export::{fetch, path, told};
use parlance_core::export::{Wanted, Writer};
use parlance_core::send::NewMessage;
use parlance_core::{Caller, Clock, Core, Database, Perm};
use serde_json::json;

/// Longer than an order is held without a sign of life, in milliseconds.
const LEASE: i64 = 60_001;

/// A writer that takes its worker with it at a certain message.
fn falling() -> Writer {
    Writer {
        head: |out, _, _| out.push_str("written by an attempt that fell"),
        message: |out, _, message, _| {
            assert_ne!(message.msg, "250", "fall here");
            out.push_str(&"x".repeat(5000));
        },
        foot: |_, _| {},
        word: |_, _, _| String::new(),
    }
}

async fn open(database: &Database, clock: &Clock) -> Core {
    Core::open(options(database.clone(), clock.clone())).await.unwrap()
}

/// Somebody who may export, with a room of 300 messages.
async fn filled(core: &Core) -> (Caller, TestUser, String) {
    let (ann, token) = person(core, "ann", &["admin", "user"]).await;
    let room = core.open_direct(&ann, &["ann"], false).await.unwrap().room.id.to_string();
    let access = core.access(&ann, &room).await.unwrap();
    for n in 0..300 {
        core.send(&ann, &access, NewMessage::text(n.to_string())).await.unwrap();
    }
    let user = TestUser { id: ann.id().to_string(), username: "ann".to_owned(), token };
    (ann, user, room)
}

async fn order(core: &Core, caller: &Caller, room: &str) {
    let access = core.access(caller, room).await.unwrap();
    let right = core.admin(caller, Perm::MailMessages).unwrap();
    let wanted = Wanted { format: "json", from: None, to: None };
    core.order_export(right, "::1", &access, wanted).await.unwrap();
}

/// Waits until the store holds this number.
async fn until(database: &Database, sql: &str, wanted: i64) {
    let look = async {
        while number(database, sql).await != wanted {
            tokio::task::yield_now().await;
        }
    };
    soon(sql, look).await;
}

/// Another process can be at it on a shared store, so there the lease must run out.
fn outwait(clock: &Clock) {
    if on_postgres() {
        clock.move_to(clock.now() + LEASE);
    }
}

#[tokio::test]
async fn what_a_dead_attempt_left_is_made_whole_after_a_restart() {
    let (database, clock) = (fresh_database().await, Clock::set(START));
    let core = open(&database, &clock).await;
    let (ann, user, room) = filled(&core).await;
    core.begin_exports(falling());
    order(&core, &ann, &room).await;
    // 240 messages of 5,000 bytes and a head: four parts, and the fifth is lost.
    until(&database, "SELECT count(*) FROM export_parts", 4).await;
    core.close().await;
    drop(ann);
    let app = TestApp::start_with(database.clone(), clock.clone()).await;
    outwait(&clock);
    let path = path(&told(&app, &user, 1).await[0]);
    let answer = fetch(&app, &user, &path).await.ok();
    let query = [("roomId", room.as_str()), ("count", "0"), ("sort", r#"{"ts":1}"#)];
    let shown = app.rocket(&user).get("dm.messages", &query).await.ok();
    assert_eq!((&answer["messages"], &shown["total"]), (&shown["messages"], &json!(300)));
    assert_eq!(number(&database, "SELECT count(*) FROM exports WHERE state = 'done'").await, 1);
    let tries = "SELECT tries FROM exports";
    assert_eq!(number(&database, tries).await, 2);
    let parts =
        "SELECT count(*) - max(e.parts) FROM export_parts p JOIN exports e ON e.id = p.export";
    assert_eq!(number(&database, parts).await, 0, "nothing of the first attempt is left");
}

#[tokio::test]
async fn what_falls_every_time_is_given_up() {
    let (database, clock) = (fresh_database().await, Clock::set(START));
    let core = open(&database, &clock).await;
    let (ann, user, room) = filled(&core).await;
    order(&core, &ann, &room).await;
    core.close().await;
    drop(ann);
    for n in 1..=3 {
        let core = open(&database, &clock).await;
        core.begin_exports(falling());
        until(&database, "SELECT tries FROM exports", n).await;
        core.close().await;
        outwait(&clock);
    }
    let app = TestApp::start_with(database.clone(), clock.clone()).await;
    let word = "Your export could not be made: something went wrong. Please try again.";
    assert_eq!(told(&app, &user, 1).await, [word]);
    until(&database, "SELECT count(*) FROM exports", 0).await;
    assert_eq!(number(&database, "SELECT count(*) FROM export_parts").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_nodes_make_each_order_once() {
    if !on_postgres() {
        return;
    }
    let (database, clock) = (fresh_database().await, Clock::set(START));
    let nodes = [open(&database, &clock).await, open(&database, &clock).await];
    let [here, there] = nodes.map(|core| TestApp::over(core, clock.clone(), &database));
    let mut users = Vec::new();
    for n in 0..8 {
        let (caller, token) = person(&here.core, &format!("user{n}"), &["admin", "user"]).await;
        let room = here.core.open_direct(&caller, &["rocket.cat"], false).await.unwrap().room;
        let access = here.core.access(&caller, room.id.as_str()).await.unwrap();
        let own = here.core.open_direct(&caller, &[caller.user().handle()], false).await.unwrap();
        for text in 0..50 {
            let access = here.core.access(&caller, own.room.id.as_str()).await.unwrap();
            here.core.send(&caller, &access, NewMessage::text(text.to_string())).await.unwrap();
        }
        drop(access);
        let user = TestUser {
            id: caller.id().to_string(),
            username: caller.user().handle().to_owned(),
            token,
        };
        users.push((caller, user, own.room.id.to_string()));
    }
    for _ in 0..3 {
        for (n, (caller, _, room)) in users.iter().enumerate() {
            // Wakes either of the two, while the other is still at it.
            let node = if n % 2 == 0 { &here } else { &there };
            order(&node.core, caller, room).await;
        }
    }
    for (n, (_, user, _)) in users.iter().enumerate() {
        let node = if n % 2 == 0 { &there } else { &here };
        for word in told(node, user, 3).await {
            let answer = fetch(node, user, &path(&word)).await.ok();
            assert_eq!(answer["messages"].as_array().unwrap().len(), 50);
        }
    }
    assert_eq!(number(&database, "SELECT count(*) FROM exports WHERE tries = 1").await, 24);
    assert_eq!(number(&database, "SELECT count(*) FROM exports WHERE state = 'done'").await, 24);
    assert_eq!(number(&database, "SELECT count(*) FROM audit").await, 24);
}

#[tokio::test]
async fn an_export_goes_with_its_owner() {
    let (database, clock) = (fresh_database().await, Clock::set(START));
    let app = TestApp::start_with(database.clone(), clock).await;
    let (ann, user, room) = filled(&app.core).await;
    order(&app.core, &ann, &room).await;
    told(&app, &user, 1).await;
    assert!(number(&database, "SELECT count(*) FROM export_parts").await > 0);
    execute(&database, "DELETE FROM users WHERE username = 'ann'").await;
    for table in ["exports", "export_parts"] {
        assert_eq!(number(&database, &format!("SELECT count(*) FROM {table}")).await, 0);
    }
}
