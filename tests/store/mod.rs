//! The store under pressure, through the core: many writers at once, a disk that fills, a database
//! that goes away, two nodes on one database. Nothing here waits for time to pass: a test waits for
//! the event, and a limit on the wait only turns a hang into a failure.
#![expect(
    clippy::panic,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    reason = "a test says what went wrong by failing, and counts little"
)]

mod away;
mod child;
mod durable;
mod exports;
mod full;
mod guards;
mod index;
mod index_equal;
mod index_nodes;
mod jobs;
mod log;
mod nodes;
mod open;
mod order;
mod tokens;
mod wide;

use crate::app::{PASSWORD, fresh_database, options};
use parlance_core::account::{Authority, NewUser};
use parlance_core::event::{Event, Kind};
use parlance_core::list::{ListQuery, Marks};
use parlance_core::login::{Login, Password};
use parlance_core::send::NewMessage;
use parlance_core::{
    Access, Caller, Clock, Core, Database, Error, Message, StoreOptions, Subscription,
};
use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// How long any of these tests may wait before the wait itself is the failure.
const PATIENCE: Duration = Duration::from_mins(1);

/// The future's value; a failure if it takes unreasonably long.
pub(crate) async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(PATIENCE, work).await;
    done.unwrap_or_else(|_| panic!("waited too long for {what}"))
}

/// Eight people with a group of all of them, and a 1:1 room of each with the next.
pub(super) struct Chat {
    pub(super) core: Core,
    pub(super) database: Database,
    pub(super) callers: Vec<Caller>,
    pub(super) group: String,
    /// `pairs[n]` is between `callers[n]` and `callers[n + 1]`.
    pub(super) pairs: Vec<String>,
    /// Last, so that the directory goes when the core is gone.
    _dir: Dir,
}

/// The directory of an embedded store, gone with the test.
struct Dir(Option<PathBuf>);

impl Drop for Dir {
    fn drop(&mut self) {
        if let Some(dir) = &self.0 {
            let _ = std::fs::remove_dir_all(dir);
        }
    }
}

impl Chat {
    /// On the machine's clock: a shared store's log is polled by the clock.
    pub(super) async fn start() -> Chat {
        Self::start_with(fresh_database().await, Clock::default()).await
    }

    pub(super) async fn start_with(database: Database, clock: Clock) -> Chat {
        let core = Core::open(options(database.clone(), clock)).await.unwrap();
        let mut callers = Vec::new();
        for n in 0..8 {
            callers.push(person(&core, &format!("user{n}"), &[]).await.0);
        }
        let names: Vec<&str> = callers.iter().map(|caller| caller.user().handle()).collect();
        let group = core.open_direct(&callers[0], &names, false).await.unwrap();
        let mut pairs = Vec::new();
        for (n, caller) in callers.iter().enumerate() {
            let next = names[(n + 1) % names.len()];
            let pair = core.open_direct(caller, &[next], false).await.unwrap();
            pairs.push(pair.room.id.to_string());
        }
        let dir = match &database {
            Database::Embedded(dir) => Some(dir.clone()),
            Database::Postgres(_) => None,
        };
        Chat { group: group.room.id.to_string(), core, database, callers, pairs, _dir: Dir(dir) }
    }

    /// The same store under a new core.
    pub(super) async fn restart(self, store: StoreOptions) -> Chat {
        self.close().open(store).await
    }

    /// The store without a core.
    pub(super) fn close(self) -> Closed {
        let Chat { database, callers, group, pairs, _dir: dir, .. } = self;
        Closed { database, callers, group, pairs, dir }
    }

    /// The user's access to the group.
    pub(super) async fn in_group(&self, user: usize) -> Access {
        self.core.access(&self.callers[user], &self.group).await.unwrap()
    }

    /// The user's access to the 1:1 room with the next one, or with the one before.
    pub(super) async fn in_pair(&self, user: usize, pair: usize) -> Access {
        self.core.access(&self.callers[user], &self.pairs[pair]).await.unwrap()
    }
}

/// A [`Chat`] whose core was dropped.
pub(super) struct Closed {
    pub(super) database: Database,
    callers: Vec<Caller>,
    pub(super) group: String,
    pairs: Vec<String>,
    dir: Dir,
}

impl Closed {
    pub(super) async fn open(self, store: StoreOptions) -> Chat {
        let core = reopen(&self.database, store, Clock::default()).await;
        self.with(core)
    }

    pub(super) fn with(self, core: Core) -> Chat {
        let Closed { database, callers, group, pairs, dir } = self;
        Chat { core, database, callers, group, pairs, _dir: dir }
    }
}

/// Makes an account with the test password; a session of it, and the session's token.
pub(crate) async fn person(core: &Core, username: &str, roles: &[&str]) -> (Caller, String) {
    let new = NewUser {
        username: username.to_owned(),
        password: Some(Password::plain(PASSWORD).unwrap()),
        roles: roles.iter().map(|&role| role.to_owned()).collect(),
        ..NewUser::default()
    };
    let user = core.create_user(Authority::Operator, new).await.unwrap();
    let token = session(core, user.id.as_str()).await;
    (core.caller(&token, None).await.unwrap(), token)
}

/// A new session of an account with the test password.
pub(super) async fn session(core: &Core, id: &str) -> String {
    let password = Password::plain(PASSWORD).unwrap();
    core.login(Login::Id(id), &password).await.unwrap().token
}

/// Everything in a room, oldest first.
pub(super) async fn stored(core: &Core, caller: &Caller, room: &str) -> Vec<Message> {
    let access = core.access(caller, room).await.unwrap();
    let all = ListQuery { limit: None, ..ListQuery::first(1) };
    let nothing = std::sync::Arc::new(|_: &Message| serde_json::Value::Null);
    let page = core.messages(caller, &access, &all, &Marks::default(), nothing).await.unwrap();
    let total = page.total;
    let messages = page.all().await.unwrap();
    assert_eq!(total, messages.len() as i64, "the kept count is the number of messages");
    messages.into_iter().rev().collect()
}

/// A message with an id of the test's own.
pub(super) fn named(id: &str, text: &str) -> NewMessage {
    NewMessage { id: Some(id.to_owned()), ..NewMessage::text(text) }
}

/// Events up to and with the first one that is the last one wanted.
pub(super) async fn heard_until(
    ears: &mut Subscription,
    mut last: impl FnMut(&Event) -> bool,
) -> Vec<Arc<Event>> {
    let mut heard = Vec::new();
    let listen = async {
        loop {
            let event = ears.next().await.expect("a listener that keeps up");
            let done = last(&event);
            heard.push(event);
            if done {
                return;
            }
        }
    };
    soon("an event", listen).await;
    heard
}

/// Events up to the one of a change made now: everything that was committed before has come too.
pub(super) async fn heard_so_far(core: &Core, ears: &mut Subscription) -> Vec<Arc<Event>> {
    let value = serde_json::Value::from(core.new_id());
    core.overwrite_setting("Site_Name", &value).await.unwrap();
    let mut heard = heard_until(ears, |event| event.kind == Kind::Settings).await;
    heard.pop();
    heard
}

/// Opens a core on a directory whose last user was dropped a moment ago and may still be ending.
pub(crate) async fn reopen(database: &Database, store: StoreOptions, clock: Clock) -> Core {
    let open = async {
        loop {
            let mut options = options(database.clone(), clock.clone());
            options.store = store.clone();
            match Core::open(options).await {
                Err(Error::Unavailable(why)) if why.contains("another parlance process") => {
                    tokio::task::yield_now().await;
                }
                other => return other.unwrap(),
            }
        }
    };
    soon("the directory to become free", open).await
}

/// A plain connection to the same `PostgreSQL` schema; `None` on `SQLite`.
pub(crate) async fn raw(database: &Database) -> Option<tokio_postgres::Client> {
    let Database::Postgres(url) = database else {
        return None;
    };
    let (client, connection) =
        tokio_postgres::connect(url, tokio_postgres::NoTls).await.expect("PARLANCE_TEST_PG");
    tokio::spawn(connection);
    Some(client)
}

/// Changes something in the store's files or database, past the core.
pub(crate) async fn execute(database: &Database, sql: &str) {
    match database {
        Database::Embedded(dir) => {
            let file = rusqlite::Connection::open(dir.join("parlance.db")).unwrap();
            file.execute_batch(&format!("PRAGMA foreign_keys = ON; {sql}")).unwrap();
        }
        Database::Postgres(_) => {
            raw(database).await.unwrap().batch_execute(sql).await.unwrap();
        }
    }
}

/// One whole number from the store's files or database, past the core.
pub(crate) async fn number(database: &Database, sql: &str) -> i64 {
    match database {
        Database::Embedded(dir) => {
            let file = rusqlite::Connection::open(dir.join("parlance.db")).unwrap();
            file.query_row(sql, [], |row| row.get(0)).unwrap()
        }
        Database::Postgres(_) => {
            let client = raw(database).await.unwrap();
            client.query_one(sql, &[]).await.unwrap().get(0)
        }
    }
}
