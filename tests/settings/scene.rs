//! A server to look at from outside: an administrator, two who talk, a page to preview and a place for mail.

use crate::accounts::smtp::server::{Server, Tls};
use crate::accounts::smtp::{AUTHORITY, OURS};
use crate::app::{Answer, PASSWORD, TestApp, TestUser, fresh_database, options};
use crate::preview::web::{OPEN, Web, titled};
use axum::http::Method;
use parlance_core::{Clock, Core, Database, Resolver};
use serde_json::{Value, json};
use std::cell::Cell;
use tokio::sync::Mutex;

pub(super) struct Scene {
    pub(super) app: TestApp,
    pub(super) database: Database,
    pub(super) boss: TestUser,
    pub(super) ann: TestUser,
    pub(super) bob: TestUser,
    /// Ann's room with Bob.
    pub(super) room: String,
    /// What every host is.
    pub(super) web: Web,
    /// Speaks TLS when it is asked to.
    pub(super) post: Mutex<Server>,
    pub(super) port: u16,
    /// Another one.
    pub(super) other: Mutex<Server>,
    pub(super) other_port: u16,
    people: Cell<usize>,
}

impl Scene {
    pub(super) async fn new() -> Self {
        let (database, clock) = (fresh_database().await, Clock::set(crate::app::START));
        let mut options = options(database.clone(), clock.clone());
        options.outside.authorities = vec![AUTHORITY.to_vec()];
        options.outside.resolver = Resolver::set(|_| vec![OPEN]);
        let core = Core::open(options).await.unwrap();
        TestApp::unlimited(&core).await;
        let app = TestApp::over(core, clock, &database);
        let boss = app.admin("root").await;
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let room = app.rocket(&ann).open("bob").await;
        let web = Web::start(|_| titled("a page")).await;
        let post = Server::start(Tls::Asked, OURS, true).await;
        let other = Server::start(Tls::Asked, OURS, true).await;
        let (port, other_port) = (post.port, other.port);
        let (post, other) = (Mutex::new(post), Mutex::new(other));
        let people = Cell::new(0);
        Self { app, database, boss, ann, bob, room, web, post, port, other, other_port, people }
    }

    /// A setting, as its administrator reads it.
    pub(super) async fn value(&self, id: &str) -> Value {
        self.get(&self.boss, &format!("settings/{id}"), &[]).await.ok()["value"].take()
    }

    /// A name that nobody has had.
    pub(super) fn name(&self) -> String {
        self.people.set(self.people.get() + 1);
        format!("person{}", self.people.get())
    }

    /// Somebody new.
    pub(super) async fn person(&self) -> TestUser {
        self.app.user(&self.name()).await
    }

    pub(super) async fn get(&self, user: &TestUser, name: &str, query: &[(&str, &str)]) -> Answer {
        self.app.rocket(user).get(name, query).await
    }

    pub(super) async fn post(&self, user: &TestUser, name: &str, body: Value) -> Answer {
        self.app.rocket(user).post(name, body).await
    }

    /// A `POST` without a login.
    pub(super) async fn open(&self, name: &str, body: Value) -> Answer {
        self.app.call(Method::POST, &format!("/api/v1/{name}"), &[], Some(&body)).await
    }

    /// A `POST` of a user's without a second factor.
    pub(super) async fn bare(&self, user: &TestUser, name: &str, body: Value) -> Answer {
        let headers = [("x-auth-token", user.token.as_str()), ("x-user-id", user.id.as_str())];
        self.app.call(Method::POST, &format!("/api/v1/{name}"), &headers, Some(&body)).await
    }

    /// Ann sends a text to Bob.
    pub(super) async fn say(&self, text: &str) -> Value {
        self.app.rocket(&self.ann).say(&self.room, text).await
    }

    /// Is Ann's message taken, with these members beside the room?
    pub(super) async fn sends(&self, more: Value) -> Value {
        let mut message = json!({"rid": self.room, "msg": "x"});
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        status(&self.post(&self.ann, "chat.sendMessage", json!({"message": message})).await)
    }

    /// Gives a permission to exactly these roles.
    pub(super) async fn grant(&self, permission: &str, roles: &[&str]) {
        crate::rocketchat::grant(&self.app, &self.boss, permission, roles).await;
    }

    /// Registers somebody with this password.
    pub(super) async fn registers(&self, password: &str) -> Answer {
        let name = self.name();
        let body = json!({"username": name, "name": name, "pass": password,
            "email": format!("{name}@example.com")});
        self.open("users.register", body).await
    }

    /// Logs somebody in with the password of everybody.
    pub(super) async fn logs_in(&self, name: &str) -> Answer {
        self.open("login", json!({"user": name, "password": PASSWORD})).await
    }

    /// So many minutes later.
    pub(super) fn later(&self, minutes: i64) {
        self.app.clock.move_to(self.app.clock.now() + minutes * 60_000);
    }

    /// What a method gives a user; null for a refusal.
    pub(super) async fn method(&self, user: &TestUser, name: &str, params: Value) -> Value {
        let text =
            json!({"msg": "method", "id": "1", "method": name, "params": params}).to_string();
        let path = format!("method.call/{}", name.replace(':', "%3A"));
        let answer = self.post(user, &path, json!({"message": text})).await.json();
        let mut inner: Value = serde_json::from_str(answer["message"].as_str().unwrap()).unwrap();
        inner["result"].take()
    }
}

/// The status of an answer.
pub(super) fn status(answer: &Answer) -> Value {
    answer.status.as_u16().into()
}

/// A header of an answer; null without one.
pub(super) fn header(answer: &Answer, name: &str) -> Value {
    answer.headers.get(name).map_or(Value::Null, |value| value.to_str().unwrap().into())
}
