//! Exports by the real binary: what they cost in memory, what a killed process leaves, what is logged.

use super::{Place, Server};
use serde_json::{Value, json};

const TOKEN: &str = "imported-token-of-ann";
const TOKEN_HASH: &str = "Kx6Tdg+lTd9yHWuM+gfiAsGBskt3K/D2x6kF4l+H9Fc=";
const HEADERS: &str = "X-User-Id: anna1\r\nX-Auth-Token: imported-token-of-ann\r\n";

/// An administrator with a room of messages, as lines of an import.
fn lines(messages: usize, text: &str) -> String {
    let now = parlance_core::time::iso(parlance_core::Clock::default().now());
    let line = |collection: &str, document: Value| {
        json!({"collection": collection, "document": document}).to_string() + "\n"
    };
    let mut all = line(
        "users",
        json!({"_id": "anna1", "username": "ann", "roles": ["admin", "user"], "active": true,
            "services": {"resume": {"loginTokens": [{"hashedToken": TOKEN_HASH, "when": now}]}}}),
    );
    all += &line(
        "rooms",
        json!({"_id": "anna1anna1", "t": "d", "uids": ["anna1"], "usernames": ["ann"],
            "ts": "2020-01-01T00:00:00.000Z"}),
    );
    for n in 0..messages {
        let ts = parlance_core::time::iso(1_600_000_000_000 + i64::try_from(n).unwrap() * 1000);
        all += &line(
            "messages",
            json!({"_id": format!("m{n}"), "rid": "anna1anna1", "msg": text, "ts": ts,
                "u": {"_id": "anna1", "username": "ann"}}),
        );
    }
    all
}

fn json(answer: &str) -> Value {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    serde_json::from_str(body).unwrap()
}

fn order(server: &Server) {
    let body = json!({"rid": "anna1anna1", "type": "file", "format": "json"}).to_string();
    let answer = server.ask("POST", "/api/v1/rooms.export", HEADERS, &body);
    assert_eq!(json(&answer), json!({"success": true}));
}

/// What the bot has said to Ann.
fn told(server: &Server) -> Vec<String> {
    let path = "/api/v1/dm.messages?username=rocket.cat";
    let list = json(&server.ask("GET", path, HEADERS, ""));
    let texts = list["messages"].as_array().unwrap().iter();
    texts.map(|message| message["msg"].as_str().unwrap().to_owned()).collect()
}

fn path(word: &str) -> String {
    word[word.find("/data-export/").expect(word)..].to_owned()
}

/// Memory of the server's own, in KiB: without the pages of files. `None` where that is not told.
fn memory(server: &Server) -> Option<u64> {
    let status = format!("/proc/{}/status", server.child.id());
    let status = std::fs::read_to_string(status).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

#[tokio::test]
async fn five_thousand_messages_take_little_memory() {
    let place = Place::new().await;
    let done = place.run_with(&["import", "-"], &lines(5000, &"x".repeat(12_000)));
    assert_eq!(done.code, Some(0), "{done:?}");
    let server = place.serve(&[]);
    assert!(told(&server).is_empty());
    // The first one fills caches that stay, and have bounds of their own.
    for (n, bound) in [(1, 55_000), (2, 25_000)] {
        let before = memory(&server);
        let mut most = before;
        order(&server);
        while told(&server).len() < n {
            most = most.max(memory(&server));
        }
        let answer = server.ask("GET", &path(&told(&server)[0]), HEADERS, "");
        most = most.max(memory(&server));
        assert_eq!(json(&answer)["messages"].as_array().unwrap().len(), 5000);
        let size = answer.len() / 1024;
        let grown = most.zip(before).map(|(most, before)| most.saturating_sub(before));
        println!("export {n} of {size} KiB: {grown:?} KiB of memory");
        assert!(size > 55_000 && grown.is_none_or(|grown| grown < bound), "{size} {grown:?}");
    }
}

#[tokio::test]
async fn an_order_survives_the_death_of_the_process() {
    let place = Place::embedded();
    let done = place.run_with(&["import", "-"], &lines(500, &"x".repeat(4000)));
    assert_eq!(done.code, Some(0), "{done:?}");
    let mut server = place.serve(&[]);
    order(&server);
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    drop(server);
    let server = place.serve(&[]);
    while told(&server).is_empty() {}
    let answer = server.ask("GET", &path(&told(&server)[0]), HEADERS, "");
    assert_eq!(json(&answer)["messages"].as_array().unwrap().len(), 500);
    assert_eq!(told(&server).len(), 1);
}

#[tokio::test]
async fn tokens_in_links_are_not_logged() {
    let place = Place::new().await;
    let done = place.run_with(&["import", "-"], &lines(1, "hello"));
    assert_eq!(done.code, Some(0), "{done:?}");
    let server = place.serve(&[]);
    order(&server);
    while told(&server).is_empty() {}
    let path = path(&told(&server)[0]);
    drop(server);
    let modules = ["parlance", "parlance_core", "parlance_http", "parlance_rocketchat"];
    let filter = modules.map(|module| format!("{module}=trace")).join(",");
    let server = place.serve(&[("PARLANCE_LOG", &filter)]);
    let by_query = format!("{path}?rc_uid=anna1&rc_token={TOKEN}");
    let answer = server.ask("GET", &by_query, "", "");
    assert_eq!(json(&answer)["messages"][0]["msg"], "hello");
    let wrong = server.ask("GET", &format!("{path}?rc_uid=anna1&rc_token={TOKEN}x"), "", "");
    assert!(wrong.starts_with("HTTP/1.1 403"), "{wrong}");
    let cookies = format!("Cookie: rc_uid=anna1; rc_token={TOKEN}\r\n");
    assert!(server.ask("GET", &path, &cookies, "").starts_with("HTTP/1.1 200"));
    let (_, log) = server.stop();
    assert!(log.contains("/data-export/") && !log.contains(TOKEN), "{log}");
}
