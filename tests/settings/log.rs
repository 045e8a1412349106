//! How much of the event log is kept: a server trims it when it starts.

use crate::app::{START, TestApp, fresh_database, options};
use crate::store::{number, reopen, soon};
use futures_util::future::join_all;
use parlance_core::event::Kind;
use parlance_core::{Clock, Core, Database};
use serde_json::{Value, json};

/// Rows of the log after a restart some days later, of a server that had so many changes and then this set by
/// its administrator.
async fn left(changes: usize, set: Option<(&str, Value)>, days: i64) -> i64 {
    let database = fresh_database().await;
    let core = Core::open(options(database.clone(), Clock::set(START))).await.unwrap();
    {
        // Whatever its end removes, it is not this store.
        let nowhere = Database::Postgres(String::new());
        let app = TestApp::over(core.clone(), Clock::set(START), &nowhere);
        let boss = app.admin("root").await;
        let named = (0..changes).map(|n| {
            let core = &core;
            async move { core.overwrite_setting("Site_Name", &json!(format!("name {n}"))).await }
        });
        assert!(join_all(named).await.iter().all(Result::is_ok));
        if let Some((id, value)) = set {
            crate::rocketchat::set(&app, &boss, id, value).await;
        }
    }
    core.close().await;
    let clock = Clock::set(START + days * 86_400_000);
    let store = options(database.clone(), clock.clone()).store;
    let core = reopen(&database, store, clock.clone()).await;
    let app = TestApp::over(core, clock, &database);
    // What is heard comes after the trim.
    let mut ears = app.core.listen(1000);
    app.core.overwrite_setting("Site_Name", &json!("again")).await.unwrap();
    let heard = async { while ears.next().await.expect("an event").kind != Kind::Settings {} };
    soon("the event", heard).await;
    number(&database, "SELECT count(*) FROM events").await
}

#[tokio::test]
async fn for_so_many_days() {
    let id = "Parlance_Event_Log_Max_Days";
    let all = left(20, None, 2).await;
    assert!(all > 20, "{all}");
    let fewer = left(20, Some((id, json!(1))), 2).await;
    assert!(fewer <= 3, "{fewer}");
}

#[tokio::test]
async fn so_many_rows() {
    let id = "Parlance_Event_Log_Max_Rows";
    let all = left(1100, None, 0).await;
    assert!(all > 1100, "{all}");
    let fewer = left(1100, Some((id, json!(1000))), 0).await;
    assert!((1000..=1003).contains(&fewer), "{fewer}");
}
