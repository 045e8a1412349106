//! A read of other people's messages is given only if the audit tells of it (ruling B12).

use super::set;
use crate::app::{TestApp, fresh_database};
use parlance_core::Database;
use serde_json::json;

/// Takes the audit's table away, or brings it back, behind the server's back.
async fn rename(database: &Database, from: &str, to: &str) {
    let sql = format!("ALTER TABLE {from} RENAME TO {to}");
    match database {
        Database::Embedded(dir) => {
            let raw = rusqlite::Connection::open(dir.join("parlance.db")).unwrap();
            raw.execute_batch(&sql).unwrap();
        }
        Database::Postgres(url) => {
            let (raw, connection) =
                tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
            let connection = tokio::spawn(connection);
            raw.batch_execute(&sql).await.unwrap();
            drop(raw);
            connection.await.unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn nothing_is_given_that_the_audit_cannot_tell_of() {
    let database = fresh_database().await;
    let app = TestApp::start(database.clone()).await;
    let (boss, ann, _bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    set(&app, &boss, "API_Enable_Direct_Message_History_EndPoint", json!(true)).await;
    let room = app.rocket(&ann).open("bob").await;
    app.rocket(&ann).say(&room, "between us").await;
    let calls: [(&str, &[(&str, &str)]); 2] =
        [("dm.messages.others", &[("roomId", room.as_str())]), ("dm.list.everyone", &[])];
    rename(&database, "audit", "audit_away").await;
    for (name, query) in calls {
        let refused = app.rocket(&boss).get(name, query).await;
        assert_eq!((refused.status.as_u16(), refused.body.len()), (503, 0), "{name}");
    }
    rename(&database, "audit_away", "audit").await;
    for (name, query) in calls {
        app.rocket(&boss).get(name, query).await.ok();
    }
    let caller = app.caller(&boss).await;
    let admin = app.core.admin(&caller, parlance_core::Perm::ViewRoomAdministration).unwrap();
    assert_eq!(app.reads(admin).await.len(), 2);
}
