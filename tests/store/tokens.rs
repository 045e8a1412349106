//! Ruling A14: a token that ended is dead at once, and no read from before can bring it back.

use super::{Chat, heard_until, person, session};
use crate::app::{fresh_database, on_postgres, options};
use parlance_core::account::Authority;
use parlance_core::event::Kind;
use parlance_core::login::Password;
use parlance_core::{Clock, Core, Error};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Readers of one token; each says whether the token was ever alive after it was dead.
fn readers(core: &Core, token: &str, dead: &Arc<AtomicBool>) -> Vec<JoinHandle<()>> {
    let one = |_| {
        let (core, token, dead) = (core.clone(), token.to_owned(), dead.clone());
        tokio::spawn(async move {
            loop {
                let over = dead.load(Ordering::SeqCst);
                match core.caller(&token, None).await {
                    Ok(_) => assert!(!over, "a dead token was taken"),
                    Err(Error::NotLoggedIn) if over => return,
                    Err(Error::NotLoggedIn) => {}
                    Err(other) => panic!("{other:?}"),
                }
                // A cached answer never waits, and others must get their turn.
                tokio::task::yield_now().await;
            }
        })
    };
    (0..8).map(one).collect()
}

/// The three ways in which sessions end.
async fn end(core: &Core, way: usize, token: &str) {
    let caller = core.caller(token, None).await.unwrap();
    match way {
        0 => core.logout(&caller).await.unwrap(),
        1 => core.set_active(Authority::Operator, caller.id(), false).await.unwrap(),
        _ => {
            let password = Password::plain("another").unwrap();
            core.set_password(Authority::Operator, caller.id(), &password).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_session_that_ended_stays_dead_however_often_it_is_read_meanwhile() {
    let chat = Chat::start().await;
    let core = &chat.core;
    for round in 0..60 {
        let (caller, token) = person(core, &format!("visitor{round}"), &[]).await;
        let other = session(core, caller.id().as_str()).await;
        let dead = Arc::new(AtomicBool::new(false));
        let readers = readers(core, &token, &dead);
        end(core, round % 3, &token).await;
        assert!(matches!(core.caller(&token, None).await, Err(Error::NotLoggedIn)));
        dead.store(true, Ordering::SeqCst);
        for reader in readers {
            super::soon("a reader", reader).await.unwrap();
        }
        // A logout ends one session, the others end all.
        assert_eq!(core.caller(&other, None).await.is_ok(), round % 3 == 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_session_that_ended_on_one_node_is_dead_on_the_other_within_a_second() {
    if !on_postgres() {
        return;
    }
    let database = fresh_database().await;
    let here = Core::open(options(database.clone(), Clock::default())).await.unwrap();
    let there = Core::open(options(database, Clock::default())).await.unwrap();
    let (mut quickest, mut slowest) = (Duration::MAX, Duration::ZERO);
    for round in 0..30 {
        let (caller, token) = person(&here, &format!("visitor{round}"), &[]).await;
        there.caller(&token, None).await.unwrap();
        let mut ears = there.listen(1000);
        let dead = Arc::new(AtomicBool::new(false));
        let readers = readers(&there, &token, &dead);
        end(&here, round % 3, &token).await;
        let began = tokio::time::Instant::now();
        let told = heard_until(&mut ears, |event| {
            event.kind == Kind::Session && event.audience.as_ref() == Some(caller.id())
        });
        told.await;
        let took = began.elapsed();
        (quickest, slowest) = (quickest.min(took), slowest.max(took));
        assert!(matches!(there.caller(&token, None).await, Err(Error::NotLoggedIn)));
        dead.store(true, Ordering::SeqCst);
        for reader in readers {
            super::soon("a reader", reader).await.unwrap();
        }
    }
    eprintln!("a session's end is known on the other node after {quickest:.0?} to {slowest:.0?}");
    // A machine that is busy with other things can hold up any one of them.
    assert!(quickest < Duration::from_secs(1), "{quickest:?}");
}
