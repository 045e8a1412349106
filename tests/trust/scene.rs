//! Two rooms full of canaries, the people in and around them, and the whole store as text, so that a
//! test can say that nothing at all has changed.

use crate::app::{Answer, DIGEST, TestApp, TestUser, encode, fresh_database};
use crate::rocketchat::session;
use axum::body::Body;
use axum::http::{Method, Request};
use parlance_core::account::{Authority, NewUser};
use parlance_core::{Database, UserId, time};
use parlance_rocketchat::routes::Route;
use rusqlite::types::Value as Cell;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const SCHEMA: &str = include_str!("../../migrations/0001_init.sql");
/// Stands in every text of the rooms that strangers must not see.
const TEXT: &str = "KANARI";
/// Stands in every username and name of the rooms' members.
const NAME: &str = "kanari";
/// When the rooms were written to, in milliseconds after the start.
const THEN: i64 = 3 * 3_600_000 + 7 * 60_000;

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    Member,
    GuestMember,
    Stranger,
    Bot,
    Admin,
    Deactivated,
    Nobody,
}

/// Members first, as the rows of the table have them.
pub(super) const LOGGED_IN: [Role; 5] =
    [Role::Member, Role::GuestMember, Role::Stranger, Role::Bot, Role::Admin];

pub(super) struct Scene {
    pub(super) app: TestApp,
    database: Database,
    raw: Option<tokio_postgres::Client>,
    pub(super) ann: TestUser,
    pub(super) bob: TestUser,
    pub(super) gus: TestUser,
    pub(super) gone: TestUser,
    pub(super) eve: TestUser,
    pub(super) robo: TestUser,
    pub(super) boss: TestUser,
    /// Of Ann, Bob, the guest and somebody who is deactivated.
    pub(super) group: String,
    /// Of Ann and Bob.
    pub(super) pair: String,
    /// Ann's message in each, with a reply, a star and a reaction.
    pub(super) in_group: String,
    pub(super) in_pair: String,
    /// Eve's with the bot, and her message there.
    pub(super) own: String,
    pub(super) in_own: String,
}

async fn account(app: &TestApp, username: &str, roles: &[&str]) -> TestUser {
    let roles = roles.iter().map(|role| (*role).to_owned()).collect();
    let name = format!("{username} the {username}");
    app.user_with(NewUser { username: username.to_owned(), name, roles, ..NewUser::default() })
        .await
}

/// A root that is starred, reacted to and replied to.
async fn talk(app: &TestApp, ann: &TestUser, bob: &TestUser, room: &str) -> String {
    let root = app.rocket(ann).say(room, &format!("{TEXT} @{} all", bob.username)).await;
    let id = root["_id"].as_str().unwrap().to_owned();
    let reply = json!({"rid": room, "msg": format!("{TEXT} too"), "tmid": id});
    app.rocket(bob).post("chat.sendMessage", json!({ "message": reply })).await.ok();
    app.rocket(bob).post("chat.starMessage", json!({ "messageId": id })).await.ok();
    let body = json!({"messageId": id, "emoji": "smile"});
    app.rocket(bob).post("chat.react", body).await.ok();
    let body = json!({"roomId": room, "topic": format!("{TEXT} topic")});
    app.rocket(ann).post("dm.setTopic", body).await.ok();
    id
}

impl Scene {
    pub(super) async fn new() -> Self {
        let database = fresh_database().await;
        let app = TestApp::start(database.clone()).await;
        let raw = crate::store::raw(&database).await;
        let boss = app.admin("root").await;
        let ann = account(&app, "kanari.ann", &["user"]).await;
        let bob = account(&app, "kanari.bob", &["user"]).await;
        let gus = account(&app, "kanari.gus", &["guest"]).await;
        let gone = account(&app, "kanari.gone", &["user"]).await;
        let eve = account(&app, "eve", &["user"]).await;
        account(&app, "pal", &["user"]).await;
        let robo = account(&app, "robo", &["bot"]).await;
        app.clock.move_to(app.clock.now() + THEN);
        let pair = app.rocket(&ann).open("kanari.bob").await;
        let names = json!({"usernames": "kanari.bob,kanari.gus,kanari.gone"});
        let made = app.rocket(&ann).post("dm.create", names).await.ok();
        let group = made["room"]["_id"].as_str().unwrap().to_owned();
        let in_pair = talk(&app, &ann, &bob, &pair).await;
        let in_group = talk(&app, &ann, &bob, &group).await;
        app.clock.move_to(app.clock.now() + THEN);
        let own = app.rocket(&eve).open("robo").await;
        let in_own = app.rocket(&eve).say(&own, "mine").await["_id"].as_str().unwrap().to_owned();
        // The second factor is given once and remembered, so that later calls change nothing by it.
        for user in [&ann, &eve, &boss] {
            let name = json!({"tokenName": "scene"});
            app.rocket(user).post("users.generatePersonalAccessToken", name).await.ok();
        }
        let id = UserId::from(gone.id.as_str());
        app.core.set_active(Authority::Operator, &id, false).await.unwrap();
        Self {
            app,
            database,
            raw,
            ann,
            bob,
            gus,
            gone,
            eve,
            robo,
            boss,
            group,
            pair,
            in_group,
            in_pair,
            own,
            in_own,
        }
    }

    pub(super) fn user(&self, role: Role) -> Option<&TestUser> {
        Some(match role {
            Role::Member => &self.ann,
            Role::GuestMember => &self.gus,
            Role::Stranger => &self.eve,
            Role::Bot => &self.robo,
            Role::Admin => &self.boss,
            Role::Deactivated => &self.gone,
            Role::Nobody => return None,
        })
    }

    /// A call of a route by one of its paths: `what` is the query of a `GET` and the body of a `POST`.
    pub(super) async fn call(
        &self,
        route: &Route,
        path: &str,
        user: Option<&TestUser>,
        what: &Value,
    ) -> Answer {
        let text = if route.method == Method::GET { query(what) } else { what.to_string() };
        self.raw_call(route, path, user, &text).await
    }

    /// The same, where the query or the body is whatever stands there.
    pub(super) async fn raw_call(
        &self,
        route: &Route,
        path: &str,
        user: Option<&TestUser>,
        text: &str,
    ) -> Answer {
        // A logout must not end the session that the test goes on with.
        let fresh = match user.filter(|user| user.id != self.gone.id) {
            Some(user) if route.name == "logout" => {
                let account = self.app.core.user(&UserId::from(user.id.as_str())).await.unwrap();
                Some(self.app.log_in(&account).await)
            }
            _ => None,
        };
        let get = route.method == Method::GET;
        let uri = if get { format!("{path}?{text}") } else { path.to_owned() };
        let mut request = Request::builder().method(route.method.clone()).uri(uri);
        if let Some(user) = fresh.as_ref().or(user) {
            request = request.header("x-auth-token", &user.token).header("x-user-id", &user.id);
            request = request.header("x-2fa-method", "password").header("x-2fa-code", DIGEST);
        }
        let body = if get {
            Body::empty()
        } else {
            request = request.header("content-type", "application/json");
            Body::from(text.to_owned())
        };
        self.app.send(request.body(body).unwrap()).await
    }

    /// Every row of every table that the migration makes, with its table in front; without the index of
    /// searches, which follows by itself.
    pub(super) async fn dump(&self) -> BTreeSet<String> {
        let tables = SCHEMA.lines().filter_map(|line| line.strip_prefix("CREATE TABLE "));
        let tables = tables.map(|line| line.trim_end_matches(" ("));
        let tables: Vec<&str> =
            tables.filter(|table| !["searchable", "terms"].contains(table)).collect();
        assert!(tables.len() > 18, "{tables:?}");
        let mut rows: BTreeSet<String> = match (&self.raw, &self.database) {
            (Some(raw), _) => {
                let each = |table: &&str| format!("SELECT '{table} ' || t::text FROM {table} t");
                let all: Vec<String> = tables.iter().map(each).collect();
                let rows = raw.query(&all.join(" UNION ALL "), &[]).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
            (None, Database::Embedded(dir)) => {
                let file = rusqlite::Connection::open(dir.join("parlance.db")).unwrap();
                tables.iter().flat_map(|table| rows(&file, table)).collect()
            }
            (None, Database::Postgres(_)) => unreachable!("a plain connection"),
        };
        rows.retain(|row| !(row.starts_with("meta ") && row.contains("search_")));
        rows
    }
}

/// What a text tells of the rooms to who must not know: `names` says whether it may hold names of people.
pub(super) fn leak(text: &str, names: bool) -> Option<String> {
    let then = crate::app::START + THEN;
    let mut all = vec![TEXT.to_owned(), time::iso(then)[..15].to_owned()];
    all.push(then.to_string()[..8].to_owned());
    if !names {
        all.push(NAME.to_owned());
    }
    all.extend(["argon2", "panicked", "SELECT ", "sqlite"].map(str::to_owned));
    all.into_iter().find(|canary| text.contains(canary.as_str()))
}

fn rows(file: &rusqlite::Connection, table: &str) -> Vec<String> {
    let mut select = file.prepare(&format!("SELECT * FROM {table}")).unwrap();
    let columns = select.column_count();
    let text = |row: &rusqlite::Row<'_>| {
        let cells: Result<Vec<Cell>, _> = (0..columns).map(|n| row.get(n)).collect();
        cells.map(|cells| format!("{table} {cells:?}"))
    };
    select.query_map([], text).unwrap().map(Result::unwrap).collect()
}

/// An object as a query string.
pub(super) fn query(what: &Value) -> String {
    let pair = |(name, value): (&String, &Value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{}={}", encode(name), encode(&text))
    };
    what.as_object().unwrap().iter().map(pair).collect::<Vec<_>>().join("&")
}

/// What stands in a dump about these ids, apart from what is written about who read.
pub(super) fn about(dump: &BTreeSet<String>, ids: &[&str]) -> BTreeSet<String> {
    let about = |row: &&String| !row.starts_with("audit ") && ids.iter().any(|id| row.contains(id));
    dump.iter().filter(about).cloned().collect()
}

/// The rows that are in one of two dumps alone. That a session gave its second factor, which is asked for
/// before a route says what it thinks, is in the last two columns of its row and no change.
pub(super) fn changes(before: &BTreeSet<String>, after: &BTreeSet<String>) -> Vec<String> {
    let compared = |row: &String| {
        let session = row.starts_with("tokens ").then(|| row.rsplitn(3, ',').last()).flatten();
        session.unwrap_or(row).to_owned()
    };
    let before: BTreeSet<String> = before.iter().map(compared).collect();
    before.symmetric_difference(&after.iter().map(compared).collect()).cloned().collect()
}

/// The paths of a route: `dm.` and `im.` where it has both.
pub(super) fn paths(route: &Route) -> Vec<String> {
    session::paths(route)
}
