//! Brings a store's schema up to date: numbered files, each applied once in its own transaction
//! with its checksum kept. The files are the same for both engines; what differs is made before the
//! first one: the text domain and the log's sequence on `PostgreSQL`. A store written by a newer
//! version, or by other files under the same numbers, is refused.

use crate::error::{Error, Result};
use rusqlite::Connection;
use sha2::{Digest as _, Sha256};

/// The files, oldest first. A file that was released never changes.
const FILES: [(i64, &str); 1] = [(1, include_str!("../../../../migrations/0001_init.sql"))];

const TABLE: &str = "CREATE TABLE IF NOT EXISTS migrations (
    number BIGINT PRIMARY KEY, checksum TEXT NOT NULL)";
const APPLIED: &str = "SELECT number, checksum FROM migrations ORDER BY number";
const APPLY: &str = "INSERT INTO migrations (number, checksum) VALUES ($1, $2)";

/// `PostgreSQL` only, before file 1. KEYTEXT is text in byte order on any database; the functions
/// answer for the event log what `SQLite`'s single writer answers by being alone (sqlite.rs). A
/// transaction has its number before it draws a position: the publisher tells by the numbers of
/// those that run whether a missing position may still come.
const POSTGRES_FIRST: &str = r#"
CREATE DOMAIN keytext AS text COLLATE "C";
CREATE SEQUENCE event_seq;
CREATE FUNCTION event_pos() RETURNS bigint LANGUAGE sql VOLATILE
  AS $$ SELECT CASE WHEN pg_current_xact_id() IS NOT NULL THEN nextval('event_seq') END $$;
CREATE FUNCTION event_horizon() RETURNS bigint LANGUAGE sql STABLE
  AS $$ SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint $$;
CREATE FUNCTION event_bound() RETURNS bigint LANGUAGE sql VOLATILE
  AS $$ SELECT pg_current_xact_id()::text::bigint $$;
"#;

/// The lock under which one process at a time migrates a shared database.
const POSTGRES_LOCK: &str = "SELECT pg_advisory_xact_lock(7235421)";

fn checksum(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

/// The files still to apply, given what was applied.
fn missing(applied: &[(i64, String)]) -> Result<&'static [(i64, &'static str)]> {
    if applied.len() > FILES.len() {
        return Err(Error::unavailable(format!(
            "the store has schema version {}, and this program knows {}: use a newer parlance",
            applied.len(),
            FILES.len()
        )));
    }
    for ((number, sum), (known, text)) in applied.iter().zip(FILES) {
        if *number != known || *sum != checksum(text) {
            return Err(Error::unavailable(format!(
                "the store's schema step {number} is not the one this program knows"
            )));
        }
    }
    Ok(FILES.get(applied.len()..).unwrap_or_default())
}

/// Migrates a `SQLite` database; the caller holds the directory's lock.
pub(super) fn sqlite(connection: &mut Connection) -> Result<()> {
    let fault = |error: rusqlite::Error| Error::unavailable(error);
    connection.execute_batch(TABLE).map_err(fault)?;
    let applied = {
        let mut statement = connection.prepare(APPLIED).map_err(fault)?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(fault)?;
        rows.collect::<std::result::Result<Vec<(i64, String)>, _>>().map_err(fault)?
    };
    for (number, text) in missing(&applied)? {
        let step = connection.transaction().map_err(fault)?;
        step.execute_batch(text).map_err(fault)?;
        step.execute(APPLY, (number, checksum(text))).map_err(fault)?;
        step.commit().map_err(fault)?;
    }
    Ok(())
}

/// Migrates a `PostgreSQL` schema, alone among all processes that try.
pub(super) async fn postgres(client: &mut tokio_postgres::Client) -> Result<()> {
    let fault = super::postgres::fault;
    let step = client.transaction().await.map_err(fault)?;
    // A step over a grown store takes as long as it takes.
    step.batch_execute("SET LOCAL statement_timeout = 0").await.map_err(fault)?;
    step.batch_execute(POSTGRES_LOCK).await.map_err(fault)?;
    step.batch_execute(TABLE).await.map_err(fault)?;
    let rows = step.query(APPLIED, &[]).await.map_err(fault)?;
    let applied: Vec<(i64, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
    if applied.is_empty() {
        step.batch_execute(POSTGRES_FIRST).await.map_err(fault)?;
    }
    for (number, text) in missing(&applied)? {
        step.batch_execute(text).await.map_err(fault)?;
        step.execute(APPLY, &[number, &checksum(text)]).await.map_err(fault)?;
    }
    step.commit().await.map_err(fault)
}
