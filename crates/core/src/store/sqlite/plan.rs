//! What `SQLite` means to do for the statements that the core runs: every statement of a walk
//! through the core is noted, prepared on a fresh connection and explained. A scan of a table that
//! grows with use must stand in the list below, with its reason.

mod walks;

use super::{Arc, AtomicI64, Connection, add_position, connect};
use crate::account::{Authority, NewUser};
use crate::alter::Alteration;
use crate::edit::NewText;
use crate::id::Chance;
use crate::list::{Document, ListQuery, Marks};
use crate::login::{Hashing, Login, Password};
use crate::mail::Mail;
use crate::presence::Asked;
use crate::profile::Changes;
use crate::push::{Network, NewDevice};
use crate::send::{NewMessage, TextLimit};
use crate::store::Sql;
use crate::store::fields::{OfMessages, OfRooms, OfUsers};
use crate::{Access, Caller, Clock, Core, Database, Error, Options, Perm};
use parlance_query::{FieldMap, Limits, Sort};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

static NOTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Remembers that a statement was run.
pub(super) fn note(sql: &Sql) {
    NOTED.lock().unwrap_or_else(PoisonError::into_inner).insert(sql.text().to_owned());
}

/// What may be read from end to end: the step of the plan, a piece of the statement, and why.
const MAY_SCAN: [(&str, &str, &str); 20] = [
    ("u USING INDEX users_present", "", "all who are there, from an index of them alone"),
    ("j USING INDEX jobs_ts", "LIMIT 1", "the oldest of what is left to do"),
    ("CONSTANT ROW", "", "one row of the statement's own"),
    ("page", "", "the page that the statement found before"),
    ("settings", "FROM settings", "a few dozen rows, kept in memory"),
    ("permissions", "FROM permissions", "a few dozen rows, kept in memory"),
    ("permissions", "UPDATE permissions", "the same, when a role is removed"),
    ("roles", "FROM roles", "a few dozen rows, kept in memory"),
    ("audit", "ORDER BY ts DESC", "in the order of its index, up to a limit"),
    ("audit", "ORDER BY ts ASC", "in the order of its index, up to a limit"),
    ("events", "ORDER BY pos LIMIT 20000", "in the order of its index, up to a limit"),
    ("found", "terms t", "the few that were counted"),
    ("n", "WITH RECURSIVE n (i)", "numbers that a test makes up"),
    ("u USING INDEX users_shown", "LIMIT", "in the order of its index, up to a limit"),
    ("u", "SELECT count(*) FROM users u WHERE", "the total of a list of accounts"),
    ("users", "max(last_login)", "once an hour"),
    ("rooms", "sum(stored)", "once an hour"),
    ("messages USING INDEX messages_", "SELECT count(*) FROM messages WHERE", "once an hour"),
    ("stars", "SELECT count(*) FROM stars", "once an hour"),
    ("client_keys", "INSERT INTO messages", "runs only for rows whose message is missing"),
];

/// Does this step read a table from end to end that grows with use?
fn scans(step: &str, sql: &str) -> bool {
    let Some(what) = step.strip_prefix("SCAN ") else {
        return false;
    };
    !MAY_SCAN.iter().any(|(table, piece, _)| what.starts_with(table) && sql.contains(piece))
}

fn explain(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
    let mut rows = statement.raw_query();
    let mut plan = Vec::new();
    while let Some(row) = rows.next()? {
        plan.push(row.get(3)?);
    }
    Ok(plan)
}

async fn person(core: &Core, name: &str, roles: &[&str]) -> crate::Result<Caller> {
    let new = NewUser {
        username: name.to_owned(),
        email: Some((format!("{name}@example.com"), true)),
        password: Some(Password::plain("secret")?),
        roles: roles.iter().map(|&role| role.to_owned()).collect(),
        ..NewUser::default()
    };
    core.create_user(Authority::Operator, new).await?;
    let address = format!("{name}@example.com");
    core.login(Login::Either(&address), &Password::plain("secret")?).await?;
    let session = core.login(Login::Username(name), &Password::plain("secret")?).await?;
    core.caller(&session.token, None).await
}

/// Uses every list once.
async fn lists(
    core: &Core,
    [boss, ann, bob]: [&Caller; 3],
    access: &Access,
    sent: &crate::Message,
) -> crate::Result<()> {
    let none: Document<crate::Message> = Arc::new(|_| Value::Null);
    let all = ListQuery::first(50);
    for marks in [
        Marks::default(),
        Marks { mentioned: vec!["x".to_owned()], ..Marks::default() },
        Marks { starred: vec!["x".to_owned(), "y".to_owned()], ..Marks::default() },
        Marks { pinned: true, ..Marks::default() },
    ] {
        core.messages(bob, access, &all, &marks, none.clone()).await?;
    }
    let filter = parlance_query::Filter::parse(
        r#"{"u._id":"x","ts":{"$gt":{"$date":5}}}"#,
        &Limits::default(),
    )?;
    let sort = Sort::parse(r#"{"ts":1}"#, &Limits::default())?;
    let asked = ListQuery { filter, sort: Some(sort), ..all.clone() };
    core.messages(bob, access, &asked, &Marks::default(), none.clone()).await?;
    for text in ["rare", "rare other -hi", "\"rare words\"", "\"rare words\" order:asc", "/rare/"] {
        core.search(bob, Some(access), text, all.clone(), none.clone()).await?;
        core.search(bob, None, text, all.clone(), none.clone()).await?;
    }
    for on in [false, true] {
        core.overwrite_setting(crate::setting::STORE_LAST.id, &on.into()).await?;
        core.dm_list(bob, &all, Arc::new(|_| Value::Null)).await?;
    }
    core.messages_before(bob, access, Some(sent.id.as_str()), 20).await?;
    core.message(bob, sent.id.as_str()).await?;
    core.dm_list(ann, &all, Arc::new(|_| Value::Null)).await?;
    core.dm_recent(ann, None, 30).await?;
    core.conversation(ann, &access.room().id).await?;
    let admin = core.admin(boss, Perm::ViewRoomAdministration)?;
    core.dm_list_everyone(admin, "::1", &all, Arc::new(|_| Value::Null)).await?;
    Ok(())
}

/// Finds people, counts everything, and names a device.
async fn people(core: &Core, boss: &Caller, ann: &Caller) -> crate::Result<()> {
    let robo = person(core, "robo", &["bot"]).await?;
    core.spotlight(ann, "bo", 5).await?;
    core.spotlight(&robo, "bo", 5).await?;
    core.directory(ann, &ListQuery::first(50), Arc::new(|_| Value::Null)).await?;
    core.users_in_public_roles(ann).await?;
    walks::roles(core, boss, ann).await?;
    core.statistics(core.admin(boss, Perm::ViewStatistics)?).await?;
    for id in [None, Some("id")] {
        let new = NewDevice { id, kind: Network::Gcm, value: "x", app: "x" };
        core.keep_device(ann, new).await?;
    }
    core.forget_device(ann, "x").await?;
    Ok(())
}

/// Uses everything once.
async fn walk(core: &Core) -> crate::Result<()> {
    let boss = person(core, "boss", &["admin", "user"]).await?;
    let ann = person(core, "ann", &[]).await?;
    let bob = person(core, "bob", &[]).await?;
    let room = core.open_direct(&ann, &["bob"], false).await?.room;
    core.open_direct(&bob, &["ann"], false).await?;
    core.open_direct(&ann, &["bob", "boss"], false).await?;
    let access = core.access(&ann, room.id.as_str()).await?;
    let new = NewMessage { key: Some("key".to_owned()), ..NewMessage::text("hi @bob @all") };
    let sent = core.send(&ann, &access, new.clone()).await?.message;
    core.send(&ann, &access, new).await?;
    let thread = Some(sent.id.to_string());
    core.send(&ann, &access, NewMessage { thread, ..NewMessage::text("a reply") }).await?;
    let text = "hello".to_owned();
    let again = NewText { text, limit: TextLimit::Utf16, body: Map::new(), preview_urls: None };
    let found = core.message(&ann, sent.id.as_str()).await?.ok_or(Error::NoMessage)?;
    core.edit(&ann, found, again).await?;
    core.indexed().await?;
    core.react(&bob, sent.id.as_str(), "smile", None).await?;
    core.star(&bob, sent.id.as_str(), true).await?;
    core.star(&bob, sent.id.as_str(), false).await?;
    crate::store::edits::fill(core.store(), &sent.id, "no such body", "{}", 1).await.err();
    core.pin(&boss, sent.id.as_str()).await.err();
    core.pin(&ann, sent.id.as_str()).await.err();
    lists(core, [&boss, &ann, &bob], &access, &sent).await?;
    walks::sockets(core, &ann, &access).await?;
    let with_boss = core.open_direct(&boss, &["ann"], false).await?.room;
    walks::exports(core, &boss, &core.access(&boss, with_boss.id.as_str()).await?).await?;
    let wanted = Alteration { topic: Some("x"), encrypted: Some(true) };
    core.alter_room(&ann, &access, wanted).await?;
    core.close_room(&ann, &access).await?;
    let access = core.access(&ann, room.id.as_str()).await?;
    core.open_room(&ann, &access).await?;
    core.set_block(&ann, &access, true).await?;
    core.set_read_only(core.admin(&boss, Perm::EditRoom)?, &room.id, true).await?;
    people(core, &boss, &ann).await?;
    core.set_status(&ann, ann.id(), Some("busy"), Some("away")).await?;
    core.set_password(Authority::Operator, bob.id(), &Password::plain("other")?).await?;
    core.set_active(Authority::Operator, bob.id(), false).await?;
    core.overwrite_setting("Site_Name", &json!("x")).await?;
    core.has_admin().await?;
    walks::commands(core).await?;
    core.ready().await?;
    core.overwrite_setting("Parlance_Search_Index", &json!(false)).await?;
    core.indexed().await?;
    core.access(&ann, "nothing").await.err();
    walks::secrets(core, &ann).await?;
    core.logout(&ann).await?;
    core.logout_user(&boss, boss.id()).await
}

/// Changes and removes accounts, and waits until what that left is done.
async fn lives(core: &Core) -> crate::Result<()> {
    let [boss, ann, bob] = [
        person(core, "chief", &["admin", "user"]).await?,
        person(core, "anna", &[]).await?,
        person(core, "bert", &[]).await?,
    ];
    let room = core.open_direct(&ann, &["bert"], false).await?.room;
    let group = core.open_direct(&bob, &["anna", "chief"], false).await?.room;
    let chosen = json!({"highlights": ["ship"]});
    let chosen = chosen.as_object().cloned().unwrap_or_default();
    core.set_preferences(&bob, None, &chosen).await?;
    let access = core.access(&ann, group.id.as_str()).await?;
    let sent = core.send(&ann, &access, NewMessage::text("a ship, @bert @anna")).await?.message;
    let thread = Some(sent.id.to_string());
    core.send(&ann, &access, NewMessage { thread, ..NewMessage::text("the ship") }).await?;
    core.react(&ann, sent.id.as_str(), "smile", None).await?;
    let access = core.access(&ann, room.id.as_str()).await?;
    core.send(&ann, &access, NewMessage::text("hello")).await?;
    let mut ears = core.listen(100_000);
    let done = async |ears: &mut crate::Subscription| {
        while let Some(event) = ears.next().await {
            if event.kind == crate::event::Kind::MessagesRewritten {
                break;
            }
        }
    };
    let renamed = Changes {
        username: Some("anja".to_owned()),
        name: Some("Anja".to_owned()),
        email: Some("anja@example.com".to_owned()),
        password: Some(Password::plain("another")?),
        roles: Some(vec!["user".to_owned()]),
        ..Changes::default()
    };
    core.update_user(&boss, ann.id(), &renamed).await?;
    done(&mut ears).await;
    let named = Changes { name: Some("Bertha".to_owned()), ..Changes::default() };
    core.update_own(&bob, &named, None).await?;
    core.reset_avatar(&bob, bob.id()).await?;
    for asked in [Asked::All, Asked::Since(core.clock().now()), Asked::Ids(&["x".to_owned()])] {
        core.presence(&bob, asked).await?;
    }
    core.suggest_username(&bob).await?;
    core.deactivate_idle(core.admin(&boss, Perm::EditOtherUserActiveStatus)?, 30, "user").await?;
    core.set_active(Authority::Operator, bob.id(), true).await?;
    core.delete_user(core.admin(&boss, Perm::DeleteUser)?, ann.id()).await?;
    done(&mut ears).await;
    // A second administrator goes, under the guard.
    let other = person(core, "chieftain", &["admin"]).await?;
    core.delete_user(core.admin(&boss, Perm::DeleteUser)?, other.id()).await?;
    done(&mut ears).await;
    core.update_own(&bob, &Changes::default(), None).await.map(drop)
}

async fn open(name: &str) -> (Core, std::path::PathBuf) {
    let dir = std::env::temp_dir().join(format!("parlance_{name}_{}", std::process::id()));
    let mut options = Options::new(Database::Embedded(dir.clone()));
    options.hashing = Hashing { memory: 64, passes: 1, parallel: 1 };
    options.chance = Chance::seeded(1);
    options.clock = Clock::default();
    options.mail = Mail::Hand(tokio::sync::mpsc::channel(64).0);
    (Core::open(options).await.expect("a core"), dir)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_statement_prepares_and_none_scans_what_grows() {
    let (core, dir) = open("plan").await;
    walk(&core).await.expect("everything is allowed");
    lives(&core).await.expect("everything is allowed");
    let connection = connect(&dir.join("parlance.db")).expect("a connection");
    add_position(&connection, Arc::new(AtomicI64::new(0))).expect("a position");
    let noted = NOTED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    assert!(noted.len() > 60, "the walk is too short: {}", noted.len());
    let mut wrong = Vec::new();
    for sql in &noted {
        let plan = explain(&connection, sql).expect(sql);
        let sorts = plan.iter().any(|step| step.contains("TEMP B-TREE FOR ORDER BY"));
        let of_messages = sql.contains("WHERE m.room = $1 ORDER BY m.ts DESC")
            || sql.contains("WHERE m.room = $1 AND (m.ts < $3");
        if plan.iter().any(|step| scans(step, sql)) || (of_messages && sorts) {
            wrong.push(format!("{sql}\n{}", plan.join("\n")));
        }
    }
    drop(core);
    let _ = std::fs::remove_dir_all(&dir);
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Filters that an index can serve, the map of their names, and the step that must lead.
const SERVED: [(&str, Whose, &str); 11] = [
    (r#"{"ts":{"$gt":{"$date":5}}}"#, Whose::Messages, "messages_room (room=? AND ts>?)"),
    (
        r#"{"ts":{"$lt":{"$date":5}},"u._id":"x"}"#,
        Whose::Messages,
        "messages_room (room=? AND ts<?)",
    ),
    (
        r#"{"msg":{"$regex":"x"},"ts":{"$gte":{"$date":5}}}"#,
        Whose::Messages,
        "messages_room (room=? AND ts>?)",
    ),
    (r#"{"pinned":true}"#, Whose::Messages, "messages_pinned (room=?)"),
    (r#"{"_id":"x"}"#, Whose::Messages, "autoindex_messages_1 (id=?)"),
    (r#"{"mentions._id":"x"}"#, Whose::Messages, "mentioned_room (room=? AND usr=?)"),
    (r#"{"starred._id":"x"}"#, Whose::Messages, "stars_room (room=? AND usr=?)"),
    (r#"{"uids":"x"}"#, Whose::Rooms, "members_usr (usr=?)"),
    (r#"{"usernames":"x"}"#, Whose::Rooms, "autoindex_usernames_1 (name=?)"),
    (r#"{"_id":{"$in":["x","y"]}}"#, Whose::Rooms, "autoindex_rooms_1 (id=?)"),
    (r#"{"username":"x"}"#, Whose::Users, "users_exact (username=?)"),
];

#[derive(Clone, Copy)]
enum Whose {
    Messages,
    Rooms,
    Users,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_index_can_serve_is_served_by_it() {
    let (core, dir) = open("served").await;
    let boss = person(&core, "boss", &["admin", "user"]).await.expect("a person");
    let ann = person(&core, "ann", &[]).await.expect("a person");
    let room = core.open_direct(&ann, &["boss"], false).await.expect("a room").room;
    let access = core.access(&ann, room.id.as_str()).await.expect("access");
    let connection = connect(&dir.join("parlance.db")).expect("a connection");
    for (text, whose, step) in SERVED {
        let filter = parlance_query::Filter::parse(text, &Limits::default()).expect(text);
        let asked = ListQuery { filter: filter.clone(), ..ListQuery::first(50) };
        let (map, first): (&dyn FieldMap, usize) = match whose {
            Whose::Messages => (&OfMessages, 3),
            Whose::Rooms => (&OfRooms, 2),
            Whose::Users => (&OfUsers, 1),
        };
        match whose {
            Whose::Messages => {
                let none: Document<crate::Message> = Arc::new(|_| Value::Null);
                core.messages(&ann, &access, &asked, &Marks::default(), none.clone())
                    .await
                    .map(drop)
            }
            Whose::Rooms => {
                let admin = core.admin(&boss, Perm::ViewRoomAdministration).expect("an admin");
                core.dm_list_everyone(admin, "::1", &asked, Arc::new(|_| Value::Null))
                    .await
                    .map(drop)
            }
            Whose::Users => core.users(&ann, &asked, Arc::new(|_| Value::Null)).await.map(drop),
        }
        .expect(text);
        let condition = parlance_query::compile(&filter, map, first).sql;
        let noted = NOTED.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let ran: Vec<&String> = noted.iter().filter(|sql| sql.contains(&condition)).collect();
        assert!(!ran.is_empty(), "{text}: {condition}");
        for sql in ran {
            let plan = explain(&connection, sql).expect(sql);
            assert!(plan.iter().any(|line| line.contains(step)), "{text}\n{sql}\n{plan:#?}");
            assert!(!plan.iter().any(|line| scans(line, sql)), "{text}\n{plan:#?}");
        }
    }
    drop(core);
    let _ = std::fs::remove_dir_all(&dir);
}

#[test]
fn every_connection_writes_ahead_and_waits_for_the_disk() {
    let dir = std::env::temp_dir().join(format!("parlance_pragma_{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a directory");
    let connection = connect(&dir.join("parlance.db")).expect("a connection");
    let text = |sql| connection.query_row(sql, [], |row| row.get::<_, String>(0));
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    assert_eq!(text("PRAGMA journal_mode").expect("a mode"), "wal");
    assert_eq!(number("PRAGMA synchronous").expect("a level"), 2, "FULL");
    assert_eq!(number("PRAGMA foreign_keys").expect("a switch"), 1);
    drop(connection);
    let _ = std::fs::remove_dir_all(&dir);
}
