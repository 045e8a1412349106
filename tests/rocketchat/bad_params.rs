//! The sweep over parameters in the query string: every one that the contract names, on every `GET`,
//! given what no client should send. Never a fault of the server, never somebody else's data.

use super::session::paths;
use crate::app::{TestApp, TestUser, app, with_query};
use axum::http::Method;
use parlance_rocketchat::routes::ROUTES;
use serde_json::Value;

/// Every parameter of a query string that the contract names for these routes.
pub(crate) const PARAMS: &[&str] = &[
    "offset",
    "count",
    "sort",
    "query",
    "fields",
    "roomId",
    "username",
    "userId",
    "user",
    "mentionIds",
    "starredIds",
    "pinned",
    "msgId",
    "updatedSince",
    "_id",
    "importId",
    "latest",
    "oldest",
    "inclusive",
    "unreads",
    "showThreadMessages",
    "lastUpdate",
    "since",
    "rid",
    "tmid",
    "type",
    "text",
    "filter",
    "status",
    "selector",
    "startingFromId",
    "usernames",
    "workspace",
    "command",
    "id",
    "ids",
    "from",
    "hasLoggedIn",
    "roles",
    "searchTerm",
    "until",
    "actor",
    "action",
    "after",
    "role",
];

/// What is sent, as text.
const VALUES: &[&str] = &[
    "{\"$ne\":null}",
    "{\"$regex\":\"^\"}",
    "{\"$gt\":\"\"}",
    "{\"$where\":\"1\"}",
    "{\"a\":{\"$exists\":true}}",
    "[]",
    "[1,2]",
    "[{\"$ne\":null}]",
    "null",
    "0",
    "-1",
    "1000000000000",
    "1e9",
    "NaN",
    "Infinity",
    "abc",
    "true",
    "{\"\\u0000\":1}",
    "[\"\\u0000\"]",
    "{\"msg\":\"\\u0000\"}",
    "{\"msg\":\"\\ud800\"}",
    "\\ud83d",
    "{\"__proto__\":1}",
    "{\"constructor\":{\"a\":1}}",
    "{\"_id\":1,\"_id\":-1}",
    "' OR 1=1 --",
    "%",
    "$1",
    "../../etc/passwd",
    "\u{fffd}",
    "\u{202e}x",
    "{\"ts\":{\"$date\":\"x\"}}",
    "{\"ts\":{\"$gt\":{\"$date\":1e999}}}",
    "{\"$or\":[{}]}",
    "{\"msgs\":{\"$in\":[null,1,\"a\",[]]}}",
    "{\"a.b.c.d.e.f\":1}",
    "{\"\":1}",
    "{\".\":1}",
    "{\"a..b\":1}",
    "{\"_id\":{\"$mod\":[0,1]}}",
    "{\"msg\":{\"$regex\":\"(a+)+$\"}}",
    "{\"ts\":1.0}",
    "{\"$comment\":\"x\"}",
    "{\"msg\":{\"$not\":{\"$regex\":\"x\"}}}",
    "{\"_id\":9223372036854775808}",
];

const SECRET: &str = "the canary of bob and eve";

/// What a route must have besides the parameter that is tried.
fn base<'a>(path: &str, room: &'a str, message: &'a str) -> Vec<(&'static str, &'a str)> {
    let ago = "2020-01-01";
    let name = path.trim_start_matches("/api/v1/").replacen("im.", "dm.", 1);
    match name.as_str() {
        "dm.messages"
        | "dm.history"
        | "dm.members"
        | "dm.counters"
        | "subscriptions.getOne"
        | "rooms.images"
        | "chat.getMentionedMessages"
        | "chat.getStarredMessages"
        | "chat.getPinnedMessages"
        | "video-conference.list" => vec![("roomId", room)],
        "commands.preview" => vec![("roomId", room), ("command", "me")],
        "spotlight" => vec![("query", "bob")],
        "directory" => vec![("type", "users")],
        "chat.syncMessages" => vec![("roomId", room), ("lastUpdate", ago)],
        "chat.getDeletedMessages" => vec![("roomId", room), ("since", ago)],
        name if name.starts_with("rooms.autocomplete.channel") => vec![("selector", "{}")],
        "chat.getThreadsList" => vec![("rid", room)],
        "chat.syncThreadsList" => vec![("rid", room), ("updatedSince", ago)],
        "chat.getThreadMessages" => vec![("tmid", message)],
        "chat.syncThreadMessages" => vec![("tmid", message), ("updatedSince", ago)],
        "users.autocomplete" => vec![("selector", "{\"term\":\"a\"}")],
        _ => Vec::new(),
    }
}

async fn check(app: &TestApp, user: &TestUser, path: &str, query: &[(&str, &str)]) {
    let headers = [("x-auth-token", user.token.as_str()), ("x-user-id", user.id.as_str())];
    let answer = app.call(Method::GET, &with_query(path, query), &headers, None).await;
    let status = answer.status.as_u16();
    let text = String::from_utf8(answer.body.clone()).unwrap();
    let ask = format!("{path} {query:?}: {status} {text}");
    assert!(matches!(status, 200 | 400 | 403), "{ask}");
    let body: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(body["success"], status == 200, "{ask}");
    assert!(!text.contains(SECRET) && !text.contains("argon2"), "{ask}");
    assert!(
        !text.contains("panicked") && !text.contains("SELECT ") && !text.contains("sqlite"),
        "{ask}"
    );
}

#[tokio::test]
async fn every_parameter_of_every_get() {
    let app = app().await;
    let (ann, bob, eve) = (app.user("ann").await, app.user("bob").await, app.user("eve").await);
    let own = app.rocket(&ann).open("bob").await;
    let hello = app.rocket(&ann).say(&own, "hello").await["_id"].as_str().unwrap().to_owned();
    let foreign = app.rocket(&bob).open("eve").await;
    app.rocket(&eve).say(&foreign, SECRET).await;
    let gets = || ROUTES.iter().filter(|r| r.method == Method::GET && r.name != "logout");
    for path in gets().flat_map(paths) {
        for name in PARAMS {
            let mut base = base(&path, &own, &hello);
            base.retain(|(known, _)| known != name && (*known, *name) != ("roomId", "username"));
            for value in VALUES {
                let ask = [base.as_slice(), &[(*name, *value)]].concat();
                check(&app, &ann, &path, &ask).await;
            }
            check(&app, &ann, &path, &[base.as_slice(), &[(*name, &foreign)]].concat()).await;
            let (list, operator) = (format!("{name}[]"), format!("{name}[$ne]"));
            for key in [&list, &operator] {
                check(&app, &ann, &path, &[(key, "x"), (key, "y")]).await;
            }
            check(&app, &ann, &path, &[(name, "x"), (name, "y")]).await;
            check(&app, &ann, &path, &[(name, &"x".repeat(20_000))]).await;
        }
    }
    // None of it made a room or an account, or closed a session.
    assert_eq!(app.rocket(&ann).get("dm.list", &[]).await.ok()["total"], 1);
    assert_eq!(app.rocket(&ann).get("users.list", &[]).await.ok()["total"], 4);
}

#[tokio::test]
async fn every_parameter_of_what_administrators_read() {
    let app = app().await;
    let (boss, ann) = (app.admin("root").await, app.user("ann").await);
    let room = app.rocket(&ann).open("ann").await;
    app.rocket(&ann).say(&room, "hello").await;
    let id = "API_Enable_Direct_Message_History_EndPoint";
    super::set(&app, &boss, id, Value::Bool(true)).await;
    for path in [
        "/api/v1/dm.list.everyone",
        "/api/v1/im.messages.others",
        "/api/v1/users.list",
        "/api/v1/settings",
        "/api/v1/users.info",
        "/api/v1/rooms.autocomplete.adminRooms",
    ] {
        for name in PARAMS {
            for value in VALUES {
                let ask = if path.ends_with("others") && *name != "roomId" {
                    vec![("roomId", room.as_str()), (*name, *value)]
                } else {
                    vec![(*name, *value)]
                };
                check(&app, &boss, path, &ask).await;
            }
        }
    }
    assert_eq!(app.rocket(&boss).get("dm.list", &[]).await.ok()["total"], 0);
}
