//! What sockets cost, on the release binary: the memory of idle ones, and how long a message takes to the
//! frames of those who hear it.
//!
//!     cargo build --release && cargo run --release --example sockets -- [IDLE] [SECONDS]
//!
//! Starts a server on a store of its own. Every client is a real socket over TCP, logged in, with the
//! subscriptions of a chat program. The load shares the machine, so the figures hold for both together.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measurement says what went wrong by failing"
)]
#![expect(clippy::disallowed_methods, reason = "what is measured here is the machine's time")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

const PASSWORD: &str = "bench-password";
/// Accounts that idle sockets are spread over, and as many others that talk.
const USERS: usize = 200;
/// Messages a second.
const RATE: u64 = 1000;

struct Server {
    child: Child,
    address: String,
    dir: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

impl Server {
    fn start() -> Self {
        let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned());
        let binary =
            std::env::var("PARLANCE_BINARY").unwrap_or(format!("{target}/release/parlance"));
        let dir = std::env::temp_dir().join(format!("parlance-sockets-{}", std::process::id()));
        let mut child = Command::new(binary)
            .args(["serve", "--http-addr", "127.0.0.1:0", "--metrics-addr", "", "--data-dir"])
            .arg(&dir)
            .env("ADMIN_PASS", PASSWORD)
            .env("OVERWRITE_SETTING_API_Enable_Rate_Limiter", "false")
            .env("OVERWRITE_SETTING_Accounts_LoginExpiration", "1")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines
            .find_map(|line| {
                let line = line.unwrap();
                let at = line.find("listening on http://")? + "listening on http://".len();
                Some(line[at..].split('"').next()?.to_owned())
            })
            .unwrap();
        // The log is read on, so that the pipe does not fill.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address, dir }
    }

    fn post(&self, path: &str, headers: &str, body: &Value) -> Value {
        let body = body.to_string();
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "POST /api/v1/{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let json = &answer[answer.find("\r\n\r\n").unwrap()..];
        serde_json::from_str(json.trim()).unwrap_or_else(|_| panic!("{answer}"))
    }

    fn log_in(&self, user: &str) -> (String, String) {
        let data = &self.post("login", "", &json!({"user": user, "password": PASSWORD}))["data"];
        (
            data["userId"].as_str().unwrap().to_owned(),
            data["authToken"].as_str().unwrap().to_owned(),
        )
    }

    /// Resident memory, in KiB.
    fn resident(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }

    /// User and system time so far, in seconds.
    fn cpu(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
        ticks / 100.0
    }
}

struct Account {
    name: String,
    id: String,
    token: String,
}

async fn until(socket: &mut Socket, wanted: impl Fn(&Value) -> bool) -> Value {
    loop {
        if let Message::Text(text) = socket.next().await.unwrap().unwrap() {
            let value = serde_json::from_str(&text).unwrap();
            if wanted(&value) {
                return value;
            }
        }
    }
}

async fn say(socket: &mut Socket, message: &Value) {
    socket.send(Message::Text(message.to_string().into())).await.unwrap();
}

/// A socket with a session and the subscriptions of a chat program.
async fn open(address: &str, account: &Account) -> Socket {
    let config = WebSocketConfig::default().read_buffer_size(1024).write_buffer_size(0);
    let url = format!("ws://{address}/websocket");
    let (mut socket, _) = connect_async_with_config(url, Some(config), true).await.unwrap();
    say(&mut socket, &json!({"msg": "connect", "version": "1", "support": ["1"]})).await;
    let login = json!([{"resume": account.token}]);
    say(&mut socket, &json!({"msg": "method", "id": "l", "method": "login", "params": login}))
        .await;
    let done = until(&mut socket, |m| m["msg"] == "result").await;
    assert!(done["error"].is_null(), "{done}");
    let own = |event: &str| format!("{}/{event}", account.id);
    for (id, stream, event) in [
        ("a", "stream-room-messages", "__my_messages__".to_owned()),
        ("b", "stream-notify-user", own("subscriptions-changed")),
        ("c", "stream-notify-user", own("rooms-changed")),
        ("d", "stream-notify-user", own("notification")),
    ] {
        let sub = json!({"msg": "sub", "id": id, "name": stream, "params": [event, false]});
        say(&mut socket, &sub).await;
        until(&mut socket, |m| m["msg"] == "ready").await;
    }
    socket
}

/// Answers pings and drops the rest, for as long as the program runs.
fn keep(mut socket: Socket) {
    tokio::spawn(async move {
        while let Some(Ok(message)) = socket.next().await {
            if let Message::Text(text) = message
                && text.contains(r#""msg":"ping""#)
            {
                say(&mut socket, &json!({"msg": "pong"})).await;
            }
        }
    });
}

/// When each message was sent.
type Sent = Arc<Mutex<HashMap<String, Instant>>>;
/// How long frames took: from the call, and from the time that the write gave the message, which is before
/// its commit (in whole milliseconds).
type Took = Arc<Mutex<Vec<(Duration, Duration)>>>;

/// How long ago the message of a frame was written.
fn written(frame: &str) -> Duration {
    const KEY: &str = r#""ts":{"$date":"#;
    let at = &frame[frame.find(KEY).unwrap() + KEY.len()..];
    let ts = Duration::from_millis(at[..at.find('}').unwrap()].parse().unwrap());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    now.saturating_sub(ts)
}

/// Notes when messages come.
fn watch(mut from: SplitStream<Socket>, sent: Sent, took: Took) {
    const KEY: &str = r#""_id":"bench"#;
    tokio::spawn(async move {
        while let Some(Ok(message)) = from.next().await {
            let now = Instant::now();
            let Message::Text(text) = message else { continue };
            if !text.contains("stream-room-messages") {
                continue;
            }
            let Some(at) = text.find(KEY) else { continue };
            let id: String = text[at + KEY.len()..].chars().take_while(|c| *c != '"').collect();
            let written = written(&text);
            if let Some(began) = sent.lock().unwrap().get(&id) {
                took.lock().unwrap().push((now - *began, written));
            }
        }
    });
}

fn shown(took: impl Iterator<Item = Duration>) -> String {
    let mut took: Vec<Duration> = took.collect();
    took.sort_unstable();
    let at = |mille: usize| took[(took.len() - 1) * mille / 1000].as_secs_f64() * 1e3;
    format!("p50 {:.2} ms, p99 {:.2} ms, most {:.2} ms", at(500), at(990), at(1000))
}

/// Sends at a steady rate to conversations of so many, and measures from the call to every frame.
async fn fan_out(server: &Server, accounts: &[Account], members: usize, seconds: u64) {
    let (sent, took) = (Sent::default(), Took::default());
    let mut senders: Vec<(SplitSink<Socket, Message>, String)> = Vec::new();
    for group in accounts.chunks(members).filter(|group| group.len() == members).take(25) {
        let mut first = open(&server.address, &group[0]).await;
        let names: Vec<&str> = group[1..].iter().map(|one| one.name.as_str()).collect();
        let make =
            json!({"msg": "method", "id": "m", "method": "createDirectMessage", "params": names});
        say(&mut first, &make).await;
        let made = until(&mut first, |m| m["msg"] == "result").await;
        let room = made["result"]["rid"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned();
        for one in &group[1..] {
            let (mut out, from) = open(&server.address, one).await.split();
            out.flush().await.unwrap();
            watch(from, sent.clone(), took.clone());
            std::mem::forget(out);
        }
        let (out, from) = first.split();
        watch(from, sent.clone(), took.clone());
        senders.push((out, room));
    }
    let (before, began) = (server.cpu(), Instant::now());
    let mut ticks = tokio::time::interval(Duration::from_micros(1_000_000 / RATE));
    let all = RATE * seconds;
    for n in 0..all {
        ticks.tick().await;
        let place = usize::try_from(n).unwrap() % senders.len();
        let (out, room) = &mut senders[place];
        let key = format!("{members}x{n}");
        let message = json!({"_id": format!("bench{key}"), "rid": room, "msg": format!("message {n}: shall we move the review to tomorrow at ten?")});
        let call =
            json!({"msg": "method", "id": key, "method": "sendMessage", "params": [message]});
        sent.lock().unwrap().insert(key, Instant::now());
        out.send(Message::Text(call.to_string().into())).await.unwrap();
    }
    let wanted = usize::try_from(all).unwrap() * members;
    while took.lock().unwrap().len() < wanted && began.elapsed() < Duration::from_secs(seconds + 30)
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let cpu = (server.cpu() - before) / all as f64 * 1e6;
    let took = took.lock().unwrap();
    println!(
        "{members} members, {RATE}/s, {} of {wanted} frames: from the call {}; from the write {}; \
         server {cpu:.0} us of CPU a message",
        took.len(),
        shown(took.iter().map(|(call, _)| *call)),
        shown(took.iter().map(|(_, write)| *write))
    );
}

#[tokio::main]
async fn main() {
    let mut args = std::env::args().skip(1);
    let mut number = |usual: u64| args.next().map_or(usual, |text| text.parse().unwrap());
    let (idle, seconds) = (number(10_000), number(10));
    let server = Server::start();
    let (id, token) = server.log_in("admin");
    let admin = format!("X-Auth-Token: {token}\r\nX-User-Id: {id}\r\n");
    let mut accounts = Vec::new();
    for n in 0..2 * USERS {
        let name = format!("user{n}");
        let new = json!({"username": name, "name": name, "password": PASSWORD,
            "email": format!("{name}@example.com"), "verified": true});
        let made = server.post("users.create", &admin, &new);
        assert!(made["success"] == true, "{made}");
        let (id, token) = server.log_in(&name);
        accounts.push(Account { name, id, token });
    }
    let before = server.resident();
    let began = Instant::now();
    for n in 0..idle {
        keep(open(&server.address, &accounts[usize::try_from(n).unwrap() % USERS]).await);
    }
    let opened = began.elapsed();
    // Whatever the opening left to do is done.
    tokio::time::sleep(Duration::from_secs(2)).await;
    if idle > 0 {
        println!(
            "{idle} idle sockets: {:.1} KiB resident each ({:.0} to {:.0} MiB), opened in {:.1} s",
            (server.resident() - before) / idle as f64,
            before / 1024.0,
            server.resident() / 1024.0,
            opened.as_secs_f64()
        );
        let cpu = server.cpu();
        tokio::time::sleep(Duration::from_secs(30)).await;
        println!("idle: {:.2} % of a core", (server.cpu() - cpu) / 30.0 * 100.0);
    }
    for members in [2, 8] {
        fan_out(&server, &accounts[USERS..], members, seconds).await;
    }
}
