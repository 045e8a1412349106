//! The real app in process: a store of its own, a clock that stands until it is moved, cheap
//! passwords. Requests go through the whole stack of layers, as from a socket.

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use parlance_core::account::{Authority, NewUser};
use parlance_core::audit::{Entry, Filter};
use parlance_core::id::Chance;
use parlance_core::login::{Hashing, Login, Password};
use parlance_core::secret::Key;
use parlance_core::{Admin, Caller, Clock, Core, Database, Options, Resolver, User};
use parlance_http::{Edge, EdgeOptions};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use tower::ServiceExt as _;

/// The time at which every test begins: 2026-01-02T03:04:05.678Z.
pub(crate) const START: i64 = 1_767_323_045_678;
/// The password of every test user.
pub(crate) const PASSWORD: &str = "correct horse";
/// Its SHA-256: what a client gives as second factor where an account has no other.
pub(crate) const DIGEST: &str = "4104d36f8da2c254349f85836793ebe029e0c957063a34c91c2e9203187b5631";
/// Its SHA-256, and that of `wrong`, as clients send them.
pub(crate) const PASSWORD_SHA256: &str =
    "4104d36f8da2c254349f85836793ebe029e0c957063a34c91c2e9203187b5631";
pub(crate) const WRONG_SHA256: &str =
    "8810ad581e59f2bc3928b261707a71308f7e139eb04820366dc4d5c18d980225";

static NEXT: AtomicU64 = AtomicU64::new(0);

/// A server of its own.
pub(crate) struct TestApp {
    pub(crate) core: Core,
    pub(crate) clock: Clock,
    router: axum::Router,
    dir: Option<PathBuf>,
}

/// An account with a session.
#[derive(Clone)]
pub(crate) struct TestUser {
    pub(crate) id: String,
    pub(crate) username: String,
    pub(crate) token: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; null if there is none.
    pub(crate) fn json(&self) -> Value {
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// The body as JSON, of an answer that must be this status.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", String::from_utf8_lossy(&self.body));
        self.json()
    }

    /// The body as JSON, of a success.
    #[track_caller]
    pub(crate) fn ok(&self) -> Value {
        self.expect(200)
    }
}

/// Is this run on PostgreSQL?
pub(crate) fn on_postgres() -> bool {
    std::env::var_os("PARLANCE_TEST_PG").is_some()
}

/// A fresh server with a fresh store on the engine of this run.
pub(crate) async fn app() -> TestApp {
    TestApp::start(fresh_database().await).await
}

/// A database of one test's own.
pub(crate) async fn fresh_database() -> Database {
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("parlance_test_{}_{n}", std::process::id());
    let Ok(url) = std::env::var("PARLANCE_TEST_PG") else {
        return Database::Embedded(std::env::temp_dir().join(name));
    };
    let (client, connection) =
        tokio_postgres::connect(&url, tokio_postgres::NoTls).await.expect("PARLANCE_TEST_PG");
    let connection = tokio::spawn(connection);
    client.batch_execute(&format!("CREATE SCHEMA {name}")).await.expect("a schema of its own");
    drop(client);
    connection.await.expect("task").expect("connection");
    let mark = if url.contains('?') { '&' } else { '?' };
    Database::Postgres(format!("{url}{mark}options=-csearch_path%3D{name}"))
}

/// The options of a test's core on this database.
pub(crate) fn options(database: Database, clock: Clock) -> Options {
    let mut options = Options::new(database);
    options.clock = clock;
    options.chance = Chance::default();
    options.hashing = Hashing { memory: 64, passes: 1, parallel: 2 };
    options.store.readers = 2;
    // No test goes out.
    options.outside.resolver = Resolver::set(|_| Vec::new());
    options.key = Some(Key::from_text("the key of every test, and no other").expect("a key"));
    options
}

impl TestApp {
    /// A server on a database that may hold something already.
    pub(crate) async fn start(database: Database) -> TestApp {
        Self::start_with(database, Clock::set(START)).await
    }

    /// The same, with a clock of the test's choice.
    pub(crate) async fn start_with(database: Database, clock: Clock) -> TestApp {
        let core = Core::open(options(database.clone(), clock.clone())).await.expect("a core");
        Self::unlimited(&core).await;
        Self::over(core, clock, &database)
    }

    /// Switches rate limits off: the clock stands, and a test does in a moment what a person does in a
    /// day.
    pub(crate) async fn unlimited(core: &Core) {
        let limiter = parlance_core::setting::RATE_LIMIT.id;
        core.overwrite_setting(limiter, &Value::Bool(false)).await.expect("a setting");
    }

    /// A server over a core that the test opened.
    pub(crate) fn over(core: Core, clock: Clock, database: &Database) -> TestApp {
        let edge = Edge::new(core.clone(), EdgeOptions::default());
        let dir = match database {
            Database::Embedded(dir) => Some(dir.clone()),
            Database::Postgres(_) => None,
        };
        TestApp { core, clock, router: parlance::app::app(&edge), dir }
    }

    /// The whole app, to be served.
    pub(crate) fn router(&self) -> axum::Router {
        self.router.clone()
    }

    /// Where the embedded store's files are.
    pub(crate) fn directory(&self) -> Option<&std::path::Path> {
        self.dir.as_deref()
    }

    /// Makes an account with the role `user`, and logs it in.
    pub(crate) async fn user(&self, username: &str) -> TestUser {
        self.user_with(NewUser { username: username.to_owned(), ..NewUser::default() }).await
    }

    /// Makes an account with the role `admin`, and logs it in.
    pub(crate) async fn admin(&self, username: &str) -> TestUser {
        let roles = vec!["admin".to_owned(), "user".to_owned()];
        self.user_with(NewUser { username: username.to_owned(), roles, ..NewUser::default() }).await
    }

    /// Makes an account as described, with the test password, and logs it in.
    pub(crate) async fn user_with(&self, mut new: NewUser) -> TestUser {
        new.password = Some(Password::plain(PASSWORD).unwrap());
        if new.email.is_none() {
            new.email = Some((format!("{}@example.com", new.username), true));
        }
        let user = self.core.create_user(Authority::Operator, new).await.expect("an account");
        self.log_in(&user).await
    }

    /// Logs an account in that has the test password.
    pub(crate) async fn log_in(&self, user: &User) -> TestUser {
        let password = Password::plain(PASSWORD).unwrap();
        let session = self.core.login(Login::Id(user.id.as_str()), &password).await.expect("login");
        TestUser {
            id: user.id.to_string(),
            username: user.handle().to_owned(),
            token: session.token,
        }
    }

    /// The newest rows of the audit about reads and exports, newest first.
    pub(crate) async fn reads(&self, admin: Admin<'_>) -> Vec<Entry> {
        let all = self.core.audit_log(admin, Filter::default(), None, 500).await.unwrap();
        let read = |row: &Entry| {
            ["dm.list", "dm.messages", "rooms.export"]
                .iter()
                .any(|kind| row.action.starts_with(kind))
        };
        all.into_iter().filter(read).collect()
    }

    /// The user as the core knows a caller.
    pub(crate) async fn caller(&self, user: &TestUser) -> Caller {
        self.core.caller(&user.token, Some(&user.id)).await.expect("a live token")
    }

    /// One request through the whole app.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (parts, body) = self.begin(request).await.into_parts();
        let body = body.collect().await.expect("a body").to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// The same, whose body is not read yet.
    pub(crate) async fn begin(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.expect("infallible")
    }

    /// One request with headers and a JSON body.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(json) => {
                request = request.header("content-type", "application/json");
                Body::from(json.to_string())
            }
            None => Body::empty(),
        };
        self.send(request.body(body).unwrap()).await
    }

    /// The user as a Rocket.Chat client.
    pub(crate) fn rocket<'a>(&'a self, user: &'a TestUser) -> Rocket<'a> {
        Rocket { app: self, user }
    }

    /// The user as a MeepaChat client.
    pub(crate) fn meepa<'a>(&'a self, user: &'a TestUser) -> Meepa<'a> {
        Meepa { app: self, user }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if let Some(dir) = &self.dir {
            let _ = std::fs::remove_dir_all(dir);
        }
    }
}

/// Percent-encodes a value of a query string.
pub(crate) fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |out, byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
            out + &char::from(byte).to_string()
        }
        _ => out + &format!("%{byte:02X}"),
    })
}

/// A path with a query string.
pub(crate) fn with_query(path: &str, query: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = query.iter().map(|(k, v)| format!("{k}={}", encode(v))).collect();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
}

/// Calls as a Rocket.Chat client makes them.
pub(crate) struct Rocket<'a> {
    app: &'a TestApp,
    user: &'a TestUser,
}

impl Rocket<'_> {
    /// The session, and the password as the second factor that some routes want.
    fn headers(&self) -> [(&str, &str); 4] {
        [
            ("X-Auth-Token", &self.user.token),
            ("X-User-Id", &self.user.id),
            ("X-2fa-Method", "password"),
            ("X-2fa-Code", DIGEST),
        ]
    }

    /// `GET /api/v1/<name>?<query>`
    pub(crate) async fn get(&self, name: &str, query: &[(&str, &str)]) -> Answer {
        let path = with_query(&format!("/api/v1/{name}"), query);
        self.app.call(Method::GET, &path, &self.headers(), None).await
    }

    /// `POST /api/v1/<name>` with a JSON body.
    pub(crate) async fn post(&self, name: &str, body: Value) -> Answer {
        let path = format!("/api/v1/{name}");
        self.app.call(Method::POST, &path, &self.headers(), Some(&body)).await
    }

    /// Opens the direct message with a user; returns the room's id.
    pub(crate) async fn open(&self, username: &str) -> String {
        let made = self.post("dm.create", serde_json::json!({"username": username})).await.ok();
        made["room"]["_id"].as_str().unwrap().to_owned()
    }

    /// Sends a text; returns the message.
    pub(crate) async fn say(&self, room: &str, text: &str) -> Value {
        let body = serde_json::json!({"message": {"rid": room, "msg": text}});
        self.post("chat.sendMessage", body).await.ok()["message"].clone()
    }
}

/// Calls as a MeepaChat client makes them.
pub(crate) struct Meepa<'a> {
    app: &'a TestApp,
    user: &'a TestUser,
}

impl Meepa<'_> {
    /// Any method on `/api<path>`.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let bearer = format!("Bearer {}", self.user.token);
        self.app.call(method, &format!("/api{path}"), &[("Authorization", &bearer)], body).await
    }

    /// `GET /api<path>?<query>`
    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Answer {
        self.call(Method::GET, &with_query(path, query), None).await
    }

    /// `POST /api<path>` with a JSON body.
    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(&body)).await
    }

    /// Opens the direct message with a user, by id; returns the channel's id.
    pub(crate) async fn open(&self, user: &str) -> String {
        let made = self.post("/dms", serde_json::json!({"userId": user})).await.json();
        made["data"]["channel"]["id"].as_str().unwrap().to_owned()
    }
}
