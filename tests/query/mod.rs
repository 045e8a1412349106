//! `query`, `sort` and `fields` end to end (contract section 4): whatever a caller composes, each
//! endpoint answers what the matcher says of the documents it serves, out of SQL or not, within its
//! bounds, and never from a room that the route does not allow.

mod bounds;
mod columns;
mod cursor;
mod documents;
mod everything;
mod large;
mod random;

use crate::app::{TestApp, TestUser, app};
use parlance_core::import::{Fate, Line};
use parlance_core::time;
use serde_json::{Value, json};

/// People, rooms and messages that were imported, with what is odd about real stores.
struct World {
    app: TestApp,
    boss: TestUser,
    ann: TestUser,
    bob: TestUser,
    /// ann and bob; bob and eve; ann and eve.
    rooms: [String; 3],
}

impl World {
    async fn new() -> Self {
        let app = app().await;
        let boss = app.admin("root").await;
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        app.user("eve").await;
        let rooms = [
            app.rocket(&ann).open("bob").await,
            app.rocket(&bob).open("eve").await,
            app.rocket(&ann).open("eve").await,
        ];
        super::rocketchat::set(
            &app,
            &boss,
            "API_Enable_Direct_Message_History_EndPoint",
            true.into(),
        )
        .await;
        Self { app, boss, ann, bob, rooms }
    }

    /// Stores messages as they are, without a send.
    async fn import(&self, messages: impl IntoIterator<Item = Value>) {
        let lines: Vec<String> = messages
            .into_iter()
            .map(|message| json!({"collection": "messages", "document": message}).to_string())
            .collect();
        for lines in lines.chunks(500) {
            let lines: Vec<Line<'_>> = (1..)
                .zip(lines)
                .map(|(n, line)| Line { number: n, bytes: line.as_bytes() })
                .collect();
            for outcome in self.app.core.import_batch(&lines).await.unwrap() {
                assert_eq!(outcome.fate, Fate::Taken, "line {}", outcome.number);
            }
        }
    }

    /// All that a list gives for these parameters.
    async fn all(&self, user: &TestUser, route: &Route<'_>, more: &[(&str, &str)]) -> Value {
        let query: Vec<(&str, &str)> =
            route.params.iter().chain([&("count", "0")]).chain(more).copied().collect();
        self.app.rocket(user).get(route.name, &query).await.ok()
    }
}

/// A list, and how its documents are called.
struct Route<'a> {
    name: &'a str,
    params: &'a [(&'a str, &'a str)],
    list: &'a str,
}

/// A document of an answer as filters see it: with its dates marked as dates.
fn marked(mut document: Value) -> Value {
    if let Some(members) = document.as_object_mut() {
        for (name, value) in members.iter_mut() {
            let date = ["ts", "_updatedAt", "lm", "tlm", "pinnedAt", "editedAt"];
            if name == "lastMessage" {
                *value = marked(value.take());
            } else if let (true, Some(text)) = (date.contains(&name.as_str()), value.as_str()) {
                *value = json!({"$date": time::parse(text).expect("a date")});
            }
        }
    }
    document
}

/// The ids of a list, in its order.
fn ids(body: &Value, list: &str) -> Vec<String> {
    let items = body[list].as_array().expect("a list");
    items.iter().map(|item| item["_id"].as_str().expect("an id").to_owned()).collect()
}
