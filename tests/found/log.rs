//! The event log and the core's ends: revocations that do not wait for a gap to close, a setting
//! that must not stop the publisher, and a directory that is free when its core is closed.

use crate::app::{PASSWORD, fresh_database, on_postgres, options};
use crate::store::{Chat, heard_until, named, person, raw, reopen, session, soon};
use parlance_core::account::Authority;
use parlance_core::event::Kind;
use parlance_core::login::{Login, Password};
use parlance_core::{Clock, Core, Database, Error};
use serde_json::json;

async fn dies(core: &Core, token: &str) {
    let dead = async {
        while core.caller(token, None).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    soon("a token to die", dead).await;
    assert!(matches!(core.caller(token, None).await, Err(Error::NotLoggedIn)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_revocation_does_not_wait_for_a_gap_to_close() {
    let chat = Chat::start().await;
    let Some(mut other) = raw(&chat.database).await else {
        return;
    };
    let here = &chat.core;
    let there = Core::open(options(chat.database.clone(), Clock::default())).await.unwrap();
    let (caller, token) = person(&there, "visitor", &[]).await;
    let (_, stays) = person(&there, "neighbour", &[]).await;
    let mut ears = here.listen(1000);
    // Somebody else's transaction has written something, and does not end.
    let slow = other.transaction().await.unwrap();
    slow.batch_execute("CREATE TABLE elsewhere (n BIGINT); INSERT INTO elsewhere VALUES (1)")
        .await
        .unwrap();
    // A position is drawn and given up.
    let access = chat.in_group(0).await;
    here.send(&chat.callers[0], &access, named("the-one", "first")).await.unwrap();
    heard_until(&mut ears, |event| event.reference == "the-one").await;
    // Nothing is left that could make this node forget the session, which it keeps from here on.
    here.caller(&token, None).await.unwrap();
    let again = here.send(&chat.callers[0], &access, named("the-one", "other")).await;
    assert!(matches!(again, Err(Error::DuplicateMessage)));
    let password = Password::plain("another").unwrap();
    there.set_password(Authority::Operator, caller.id(), &password).await.unwrap();
    dies(here, &token).await;
    here.caller(&stays, None).await.unwrap();
    // So does what changes rights and settings.
    there.overwrite_setting("Site_Name", &json!("early")).await.unwrap();
    let known = parlance_core::setting::SITE_NAME;
    let counts = async {
        while here.settings().text(&known) != "early" {
            tokio::task::yield_now().await;
        }
    };
    soon("a setting", counts).await;
    // What is told stays in order: nothing was published past the gap, and all of it is after.
    let last = here.send(&chat.callers[0], &access, named("the-last", "x")).await.unwrap();
    let told = here.events_after(0).await.unwrap();
    assert!(told.iter().all(|event| event.reference != last.message.id.as_str()));
    slow.rollback().await.unwrap();
    let heard = heard_until(&mut ears, |event| event.reference == "the-last").await;
    assert!(heard.is_sorted_by(|a, b| a.position < b.position));
    let ended = |kind: Kind| heard.iter().filter(|event| event.kind == kind).count();
    assert_eq!((ended(Kind::Session), ended(Kind::Settings)), (1, 1));
}

/// The same for a change that was on its way when the node started, below its first position.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_revocation_on_its_way_at_the_start_does_not_wait_for_another_transaction() {
    let chat = Chat::start().await;
    let (Some(mut ending), Some(mut other)) =
        (raw(&chat.database).await, raw(&chat.database).await)
    else {
        return;
    };
    let (caller, token) = person(&chat.core, "visitor", &[]).await;
    let slow = other.transaction().await.unwrap();
    slow.query_one("SELECT pg_current_xact_id()::text", &[]).await.unwrap();
    let late = ending.transaction().await.unwrap();
    let position: i64 = late.query_one("SELECT event_pos()", &[]).await.unwrap().get(0);
    let access = chat.in_group(0).await;
    chat.core.send(&chat.callers[0], &access, named("the-one", "first")).await.unwrap();
    let there = Core::open(options(chat.database.clone(), Clock::default())).await.unwrap();
    there.caller(&token, None).await.unwrap();
    let id = caller.id().as_str();
    late.execute("DELETE FROM tokens WHERE usr = $1::text", &[&id]).await.unwrap();
    let add =
        "INSERT INTO events (pos, ts, kind, audience, ref) VALUES ($1, 1, 'session', $2::text, '')";
    late.execute(add, &[&position, &id]).await.unwrap();
    late.commit().await.unwrap();
    dies(&there, &token).await;
    drop(slow);
}

#[tokio::test]
async fn no_age_of_the_log_stops_its_publisher() {
    for days in [i64::MAX, i64::MIN, -1, 0] {
        let database = fresh_database().await;
        let core = Core::open(options(database.clone(), Clock::default())).await.unwrap();
        for id in ["Parlance_Event_Log_Max_Days", "Parlance_Event_Log_Max_Rows"] {
            core.overwrite_setting(id, &json!(days)).await.unwrap();
        }
        core.close().await;
        // A node that starts trims the log first.
        let store = options(database.clone(), Clock::default()).store;
        let core = reopen(&database, store, Clock::default()).await;
        let mut ears = core.listen(100);
        for name in ["one", "two"] {
            core.overwrite_setting("Site_Name", &json!(name)).await.unwrap();
            heard_until(&mut ears, |event| event.kind == Kind::Settings).await;
        }
        clear(&database);
    }
}

#[tokio::test]
async fn no_length_of_a_session_stops_logins() {
    let chat = Chat::start().await;
    for days in [i64::MAX, i64::MIN, 0] {
        chat.core.overwrite_setting("Accounts_LoginExpiration", &json!(days)).await.unwrap();
        let token = session(&chat.core, chat.callers[0].id().as_str()).await;
        chat.core.caller(&token, None).await.unwrap();
    }
}

fn clear(database: &Database) {
    if let Database::Embedded(dir) = database {
        let _ = std::fs::remove_dir_all(dir);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_closed_core_leaves_its_directory_free() {
    if on_postgres() {
        return;
    }
    let database = fresh_database().await;
    let open = async || Core::open(options(database.clone(), Clock::default())).await;
    let core = open().await.unwrap();
    let (ann, _) = person(&core, "ann", &[]).await;
    core.close().await;
    for round in 0..40 {
        let core = open().await.unwrap_or_else(|error| panic!("round {round}: {error}"));
        // What is written just before the end is there.
        let password = Password::plain(PASSWORD).unwrap();
        core.login(Login::Id(ann.id().as_str()), &password).await.unwrap();
        core.close().await;
    }
    clear(&database);
}
