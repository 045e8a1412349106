//! The promise of a 200: a server is killed in the middle of 2,000 sends from 16 clients, and every
//! message that was answered is there once when it starts again, in the order it was given.

use super::{Place, Server};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

const SENDS: usize = 2000;
const CLIENTS: usize = 16;
/// Answers after which the server dies.
const DEATH: usize = 700;

/// The JSON of a 200; `None` if the server died or said something else.
fn ask(address: &str, method: &str, path: &str, headers: &str, body: &str) -> Option<Value> {
    let mut stream = TcpStream::connect(address).ok()?;
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n{headers}\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    // A cut-off body is no answer.
    head.starts_with("HTTP/1.0 200").then(|| serde_json::from_str(body).ok())?
}

fn log_in(server: &Server) -> (String, String) {
    let body = json!({"user": "root", "password": "kill-test"}).to_string();
    let session = ask(&server.address, "POST", "/api/v1/login", "", &body).unwrap();
    let (id, token) = (&session["data"]["userId"], &session["data"]["authToken"]);
    let (id, token) = (id.as_str().unwrap(), token.as_str().unwrap());
    (id.to_owned(), format!("X-User-Id: {id}\r\nX-Auth-Token: {token}\r\n"))
}

/// Sends from many clients until the server is dead; gives id and time of what was answered.
fn send_until_death(server: &mut Server, room: &str, headers: &str) -> BTreeMap<String, String> {
    let address = server.address.clone();
    let (next, answered) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    let child = Mutex::new(&mut server.child);
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= SENDS {
                        return;
                    }
                    let text = format!("message {n}");
                    let body =
                        json!({"message": {"rid": room, "msg": text, "_id": format!("m{n}")}});
                    let path = "/api/v1/chat.sendMessage";
                    let Some(sent) = ask(&address, "POST", path, headers, &body.to_string()) else {
                        return;
                    };
                    let text = |key: &str| sent["message"][key].as_str().unwrap().to_owned();
                    let mut answered = answered.lock().unwrap_or_else(PoisonError::into_inner);
                    answered.insert(text("_id"), text("ts"));
                    if answered.len() == DEATH {
                        // SIGKILL: no handler, no flush, no goodbye.
                        child.lock().unwrap_or_else(PoisonError::into_inner).kill().unwrap();
                    }
                }
            });
        }
    });
    server.child.wait().unwrap();
    answered.into_inner().unwrap_or_else(PoisonError::into_inner)
}

#[tokio::test]
async fn every_answered_message_survives_a_kill() {
    let place = Place::new().await;
    let admin = [("ADMIN_USERNAME", "root"), ("ADMIN_PASS", "kill-test")];
    let mut server = place.serve(&admin);
    let (_, headers) = log_in(&server);
    let body = json!({"username": "rocket.cat"}).to_string();
    let made = ask(&server.address, "POST", "/api/v1/dm.create", &headers, &body).unwrap();
    let room = made["room"]["_id"].as_str().unwrap().to_owned();
    let answered = send_until_death(&mut server, &room, &headers);
    assert!((DEATH..SENDS).contains(&answered.len()), "{} answers", answered.len());

    let server = place.serve(&admin);
    let path = format!("/api/v1/dm.messages?roomId={room}&count=0&sort=%7B%22ts%22:1%7D");
    let listed = ask(&server.address, "GET", &path, &headers, "").unwrap();
    let messages = listed["messages"].as_array().unwrap();
    assert_eq!(listed["total"], messages.len());
    let text = |message: &Value, key: &str| message[key].as_str().unwrap().to_owned();
    let stored: BTreeMap<String, String> =
        messages.iter().map(|message| (text(message, "_id"), text(message, "ts"))).collect();
    assert_eq!(stored.len(), messages.len(), "an id is there twice");
    for (id, ts) in &answered {
        assert_eq!(stored.get(id), Some(ts), "{id} was answered with 200");
    }
    let times: Vec<&str> = messages.iter().map(|message| message["ts"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|a, b| a < b), "times rise strictly");
    println!(
        "{} of {SENDS} sends answered before the kill, {} stored",
        answered.len(),
        stored.len()
    );
}
