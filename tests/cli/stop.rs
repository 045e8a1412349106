//! SIGTERM: no new connection is taken, what runs is finished, and the process ends within ten seconds.

use super::Place;
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

/// Large enough for an answer that does not fit into what the system holds for a slow reader.
const MESSAGES: usize = 4000;

fn history() -> String {
    let mut file = String::new();
    let mut line = |collection: &str, document: serde_json::Value| {
        file.push_str(&json!({"collection": collection, "document": document}).to_string());
        file.push('\n');
    };
    line("users", json!({"_id": "anna1", "username": "ann", "roles": ["user"]}));
    line(
        "rooms",
        json!({"_id": "anna1anna1", "t": "d", "uids": ["anna1"], "usernames": ["ann"], "ts": 1}),
    );
    line(
        "subscriptions",
        json!({"_id": "s1", "rid": "anna1anna1", "u": {"_id": "anna1"}, "t": "d", "ts": 1}),
    );
    let text = "x".repeat(4000);
    for n in 0..MESSAGES {
        let u = json!({"_id": "anna1", "username": "ann"});
        line(
            "messages",
            json!({"_id": format!("m{n}"), "rid": "anna1anna1", "msg": text, "ts": n, "u": u}),
        );
    }
    file
}

#[tokio::test]
async fn an_answer_that_is_under_way_is_finished() {
    let place = Place::new().await;
    let imported = place.run_with(&["import", "-"], &history());
    assert_eq!(imported.code, Some(0), "{}", imported.err);
    let token = place.run(&["token", "create", "ann"]);
    let headers = super::session("anna1", token.lines()[1]);
    let server = place.serve(&[]);
    let mut reading = TcpStream::connect(&server.address).unwrap();
    let path = "/api/v1/dm.messages?roomId=anna1anna1&count=0";
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
    reading.write_all(request.as_bytes()).unwrap();
    let mut answer = vec![0; 64 * 1024];
    reading.read_exact(&mut answer).unwrap();
    let id = server.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    // Nobody new is let in, and who was in hears everything.
    super::until(|| TcpStream::connect(&server.address).is_err());
    reading.read_to_end(&mut answer).unwrap();
    let text = String::from_utf8(answer).unwrap();
    assert_eq!(text.matches("\"_id\":\"m").count(), MESSAGES);
    assert!(text.trim_end().ends_with("}\r\n0"), "the whole of it: {:?}", &text[text.len() - 80..]);
    let (code, log) = server.end();
    assert!(code == Some(0) && log.contains("stopped") && !log.contains("did not"), "{log}");
}
