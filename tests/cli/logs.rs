//! What the log says of a whole session at its most talkative, and what it never says.

use super::Place;
use serde_json::json;

/// Words that stand where no log may: passwords, message texts, topics, search words, query strings.
const CANARY: &str = "canary";

#[tokio::test]
async fn no_secret_and_no_text_is_in_the_log_of_a_whole_session() {
    let place = Place::new().await;
    let password = "canary-password";
    // As talkative as it gets, whatever module is named.
    let filter = "trace,tokio_postgres::query=trace,hyper=trace,rusqlite=trace,[request]=trace";
    let server = place.serve(&[("PARLANCE_LOG", filter), ("ADMIN_PASS", password)]);
    let mine = server.session("admin", password);
    let id = mine.split(['\r', ' ']).nth(1).unwrap().to_owned();
    let token = mine.rsplit(' ').next().unwrap().trim().to_owned();
    let post = |path: &str, body: serde_json::Value| {
        server.call("POST", &format!("/api/v1/{path}"), &mine, &body.to_string())
    };
    let get = |path: &str| server.call("GET", &format!("/api/v1/{path}"), &mine, "");
    let (_, room) = post("dm.create", json!({"username": "rocket.cat"}));
    let room = room["room"]["_id"].as_str().unwrap().to_owned();
    let (status, sent) =
        post("chat.sendMessage", json!({"message": {"rid": room, "msg": "canary text"}}));
    assert_eq!(status, 200);
    let message = sent["message"]["_id"].as_str().unwrap();
    let body = json!({"roomId": room, "msgId": message, "text": "canary edited"});
    assert_eq!(post("chat.update", body).0, 200);
    post("dm.setTopic", json!({"roomId": room, "topic": "canary topic"}));
    get(&format!("chat.search?roomId={room}&searchText=canary"));
    get(&format!("dm.messages?roomId={room}&query=%7B%22msg%22%3A%22canary%22%7D"));
    get(&format!("dm.messages?roomId={room}&count=0"));
    let new = json!({"username": "ann", "name": "Ann", "email": "ann@example.com", "password": "canary-new"});
    assert_eq!(post("users.create", new).0, 200);
    assert!(server.logs_in("ann", "canary-new") && !server.logs_in("ann", "canary-wrong"));
    // What is refused is not told either.
    server.ask("POST", "/api/v1/chat.sendMessage", &mine, "{\"message\": canary");
    server.ask("POST", "/api/v1/login", "", "{\"resume\":\"canary-token\"}");
    server.ask(
        "GET",
        "/api/v1/me?token=canary",
        "X-Auth-Token: canary-token\r\nX-User-Id: x\r\n",
        "",
    );
    server.ask("GET", "/api/auth/me", "Authorization: Bearer canary-token\r\n", "");
    server.ask("GET", "/api/auth/me", "Cookie: session=canary-token\r\n", "");
    // Nor what the operator does.
    let reset = ["user", "reset-password", "ann", "--password-stdin"];
    place.run_with(&reset, "canary-reset").lines();
    let made = place.run(&["token", "create", "ann"]);
    let (_, log) = server.stop();
    let lines: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["level"] == "DEBUG" && line["message"] == "answered"));
    let spans = lines.iter().filter(|line| line["message"] == "answered");
    for line in spans {
        assert!(line["span"]["id"].is_string() && line["status"].is_number(), "{line}");
    }
    for secret in [CANARY, token.as_str(), made.lines()[1]] {
        let told = log.lines().find(|line| line.contains(secret));
        assert!(told.is_none(), "{secret}: {told:?}");
    }
    // An id is no secret, and the log would be of no use without any.
    assert!(id.len() == 24 && !log.is_empty());
}
