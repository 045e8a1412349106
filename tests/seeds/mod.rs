//! The five documents this server was made for: their example data, put into a store by the import,
//! comes back from our endpoints, every documented key with its value; times are compared as
//! instants. What we add, and what a document shows in another form, stands in one list each.

mod dm_list;
mod dm_messages;
mod dms;
mod others;

use crate::app::TestApp;
use parlance_core::account::NewUser;
use parlance_core::import::{Fate, Line};
use parlance_core::time;
use serde_json::{Value, json};

/// Keys of ours that the documents' examples do not have, by the path at which they stand.
const ADDED: &[&str] = &[
    // The 401 says the same twice, for readers of either form (contract section 3.1).
    "success", "error",
    // 003 shows `messages` and `success` only; the server sends the paging too (section 5.8).
    "offset", "count", "total",
];

/// A document's example.
fn seed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Imports documents of one collection; every one must be taken.
async fn import(app: &TestApp, collection: &str, documents: &[&Value]) {
    let lines: Vec<String> = documents
        .iter()
        .map(|document| json!({"collection": collection, "document": document}).to_string())
        .collect();
    let lines: Vec<Line<'_>> = lines
        .iter()
        .enumerate()
        .map(|(n, line)| Line { number: n as u64 + 1, bytes: line.as_bytes() })
        .collect();
    for outcome in app.core.import_batch(&lines).await.unwrap() {
        assert!(!matches!(outcome.fate, Fate::Refused(_)), "{outcome:?}");
    }
}

/// Makes an account with an id of the documents' and logs it in.
async fn account(app: &TestApp, id: &str, username: &str, role: &str) -> crate::app::TestUser {
    app.user_with(NewUser {
        id: Some(id.to_owned()),
        username: username.to_owned(),
        roles: vec![role.to_owned()],
        ..NewUser::default()
    })
    .await
}

/// Switches a setting, as the operator.
async fn set(app: &TestApp, id: &str, value: Value) {
    app.core.overwrite_setting(id, &value).await.unwrap();
}

/// Every key of `want` must be in `got` with its value, and `got` has no others but [`ADDED`].
#[track_caller]
fn same(got: &Value, want: &Value, at: &str) {
    match (got, want) {
        (Value::Object(got), Value::Object(want)) => {
            for (key, want) in want {
                let found = got.get(key).unwrap_or_else(|| panic!("{at}.{key} is missing"));
                same(found, want, &format!("{at}.{key}"));
            }
            let more = |key: &&String| !want.contains_key(*key) && !ADDED.contains(&key.as_str());
            assert_eq!(got.keys().find(more), None, "{at} has a key of ours");
        }
        (Value::Array(got), Value::Array(want)) => {
            assert_eq!(got.len(), want.len(), "{at}");
            for (n, (got, want)) in got.iter().zip(want).enumerate() {
                same(got, want, &format!("{at}[{n}]"));
            }
        }
        (Value::String(text), Value::String(wanted)) => {
            let instant = |text: &str| time::parse(text).filter(|_| text.len() > 10);
            assert!(
                text == wanted || instant(text).is_some() && instant(text) == instant(wanted),
                "{at}: {text} is not {wanted}"
            );
        }
        // 002 writes its numbers and flags as texts: the document's slip (ruling B1).
        (Value::Number(_) | Value::Bool(_), Value::String(wanted)) => {
            assert_eq!(&got.to_string(), wanted, "{at}");
        }
        _ => assert_eq!(got, want, "{at}"),
    }
}

/// The 401 of a document, on its route.
async fn refuses_strangers(app: &TestApp, path: &str, want: &Value) {
    let answer = app.call(axum::http::Method::GET, path, &[], None).await;
    same(&answer.expect(401), want, path);
}

/// Somebody whose right is an administrator's.
async fn make_admin(app: &TestApp, id: &str, username: &str) -> crate::app::TestUser {
    let user = account(app, id, username, "admin").await;
    let caller = app.caller(&user).await;
    assert!(app.core.admin(&caller, parlance_core::Perm::ViewRoomAdministration).is_ok());
    user
}
