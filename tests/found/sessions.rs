//! Sessions against what ends them: a password or an account that changes while a login is on its
//! way, and the fifty that one user may have.

use crate::app::{PASSWORD, START, TestApp, app};
use crate::store::{Chat, number, person, session, soon};
use parlance_core::account::Authority;
use parlance_core::login::{Login, Password};
use parlance_core::{Clock, Core, Error, UserId};
use tokio::task::JoinSet;

/// Logins at once.
const RUSH: usize = 24;
const ROUNDS: usize = 16;

/// Many logins with the old password while `end` happens: no session of theirs is left after it.
async fn rush(end: impl AsyncFn(&Core, &UserId), back: impl AsyncFn(&Core, &UserId)) {
    let chat = Chat::start().await;
    let core = &chat.core;
    for round in 0..ROUNDS {
        let (caller, first) = person(core, &format!("visitor{round}"), &[]).await;
        let id = caller.id().clone();
        let mut logins = JoinSet::new();
        for _ in 0..RUSH {
            let (core, id) = (core.clone(), id.clone());
            logins.spawn(async move {
                let password = Password::plain(PASSWORD).unwrap();
                match core.login(Login::Id(id.as_str()), &password).await {
                    Ok(new) => {
                        // Read once, so that it is in memory if it ever was alive.
                        let _ = core.caller(&new.token, None).await;
                        Some(new.token)
                    }
                    Err(Error::BadCredentials | Error::Deactivated) => None,
                    Err(other) => panic!("{other:?}"),
                }
            });
        }
        // As many as `round` are through before it ends.
        let mut tokens = vec![first];
        for _ in 0..round {
            tokens.extend(soon("a login", logins.join_next()).await.unwrap().unwrap());
        }
        end(core, &id).await;
        tokens.extend(soon("the logins", logins.join_all()).await.into_iter().flatten());
        let left = format!("SELECT count(*) FROM tokens WHERE usr = '{id}'");
        assert_eq!(number(&chat.database, &left).await, 0, "round {round}");
        back(core, &id).await;
        for token in &tokens {
            let found = core.caller(token, None).await;
            assert!(matches!(found, Err(Error::NotLoggedIn)), "round {round}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_login_with_the_old_password_outlives_its_change() {
    let end = async |core: &Core, id: &UserId| {
        let password = Password::plain("another").unwrap();
        core.set_password(Authority::Operator, id, &password).await.unwrap();
    };
    rush(end, async |_: &Core, _: &UserId| {}).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_login_outlives_the_deactivation_of_its_account() {
    let active = async |core: &Core, id: &UserId, on: bool| {
        core.set_active(Authority::Operator, id, on).await.unwrap();
    };
    // Switched on again, what was left would be alive again.
    let end = async |core: &Core, id: &UserId| active(core, id, false).await;
    rush(end, async |core: &Core, id: &UserId| active(core, id, true).await).await;
}

/// Makes `count` sessions, a second apart, each of them in memory.
async fn sessions(core: &Core, clock: &Clock, id: &str, count: usize) -> Vec<String> {
    let mut tokens = Vec::new();
    for _ in 0..count {
        clock.move_to(clock.now() + 1000);
        let token = session(core, id).await;
        core.caller(&token, None).await.unwrap();
        tokens.push(token);
    }
    tokens
}

async fn alive(core: &Core, tokens: &[String]) -> Vec<usize> {
    let mut alive = Vec::new();
    for (n, token) in tokens.iter().enumerate() {
        match core.caller(token, None).await {
            Ok(_) => alive.push(n),
            Err(Error::NotLoggedIn) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
    alive
}

/// A core whose clock stands, and an account with one session.
async fn one_session() -> (TestApp, String, String) {
    let app = app().await;
    let (ann, first) = person(&app.core, "ann", &[]).await;
    (app, ann.id().to_string(), first)
}

#[tokio::test]
async fn one_session_too_many_ends_the_oldest_at_once_and_no_other() {
    let (app, id, first) = one_session().await;
    let (core, clock) = (&app.core, &app.clock);
    let (_, of_bob) = person(core, "bob", &[]).await;
    let (mut tokens, mut oldest) = (vec![first], 0);
    for _ in 0..60 {
        tokens.extend(sessions(core, clock, &id, 1).await);
        let left = alive(core, &tokens).await;
        assert!((oldest..=oldest + 1).contains(&left[0]), "one login ends one session at most");
        oldest = left[0];
        assert_eq!(left, (oldest..tokens.len()).collect::<Vec<_>>());
        assert!(left.len() <= 50, "{}", left.len());
    }
    core.caller(&of_bob, None).await.unwrap();
}

#[tokio::test]
async fn fifty_sessions_stay() {
    let (app, id, first) = one_session().await;
    let (core, clock) = (&app.core, &app.clock);
    let mut tokens = vec![first];
    tokens.extend(sessions(core, clock, &id, 49).await);
    assert_eq!(alive(core, &tokens).await, (0..50).collect::<Vec<_>>());
    tokens.extend(sessions(core, clock, &id, 1).await);
    assert_eq!(alive(core, &tokens).await, (1..51).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_session_that_just_began_stays_although_the_clock_stepped_back() {
    let (app, id, first) = one_session().await;
    let (core, clock) = (&app.core, &app.clock);
    let mut tokens = vec![first];
    tokens.extend(sessions(core, clock, &id, 59).await);
    clock.move_to(START - 1000);
    let newest = session(core, &id).await;
    core.caller(&newest, None).await.unwrap();
    let left = alive(core, &tokens).await;
    assert_eq!(left, (left[0]..60).collect::<Vec<_>>());
}
