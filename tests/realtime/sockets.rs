//! The socket itself: its paths, its clothes, signs of life.

use super::client::{Client, Listening, listen};
use crate::app::{START, app};
use axum::http::{HeaderValue, Method};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

#[tokio::test]
async fn raw_and_sockjs_speak_the_same() {
    let app = app().await;
    let at = listen(&app).await;
    let ann = app.user("ann").await;
    let mut raw = Client::open(&at, "/websocket").await;
    assert_eq!(raw.next().await, json!({"server_id": "0"}));
    let mut dressed = Client::open(&at, "/sockjs/123/abc/websocket").await;
    assert_eq!(dressed.raw().await, Ok("o".to_owned()));
    assert_eq!(dressed.raw().await, Ok(r#"a["{\"server_id\":\"0\"}"]"#.to_owned()));
    for client in [&mut raw, &mut dressed] {
        client.say(&json!({"msg": "connect", "version": "pre2", "support": ["pre2"]})).await;
        let connected = client.next().await;
        assert_eq!(connected["msg"], "connected");
        assert!(connected["session"].as_str().is_some_and(|id| !id.is_empty()));
        client.resume(&ann).await;
        client.settle().await;
    }
}

#[tokio::test]
async fn what_is_no_socket_is_told_what_there_is() {
    let app = app().await;
    let mut entropies = Vec::new();
    for path in [
        "/websocket",
        "/sockjs",
        "/sockjs/info",
        "/sockjs/1/a/xhr_streaming",
        "/sockjs/1/websocket",
        "/sockjs/1/2/3/websocket",
        "/sockjs/1/a/websocket",
    ] {
        let answer = app.call(Method::GET, path, &[], None).await;
        let mut info = answer.ok();
        entropies.push(info["entropy"].take());
        let want =
            json!({"websocket": true, "origins": ["*:*"], "cookie_needed": false, "entropy": null});
        assert_eq!(info, want, "{path}");
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
        assert_eq!(answer.headers["cache-control"], "no-store");
        let refused = app.call(Method::POST, path, &[], None).await;
        assert!(refused.status.is_client_error(), "{path} {}", refused.status);
    }
    assert!(entropies.iter().all(Value::is_u64));
    entropies.dedup();
    assert!(entropies.len() > 3);
}

/// Says this over TCP; the status line of the answer.
async fn over_tcp(at: &Listening, request: &str) -> String {
    let mut stream = TcpStream::connect(at.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.windows(2).any(|two| two == b"\r\n") {
        let mut piece = [0; 512];
        let n = stream.read(&mut piece).await.unwrap();
        assert!(n > 0, "the server closed without an answer");
        answer.extend_from_slice(&piece[..n]);
    }
    String::from_utf8_lossy(&answer).lines().next().unwrap().to_owned()
}

#[tokio::test]
async fn whatever_asks_for_an_upgrade_gets_an_answer() {
    let app = app().await;
    let at = listen(&app).await;
    let ask = |version: &str, more: &str| {
        format!(
            "GET /websocket HTTP/{version}\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{more}\r\n"
        )
    };
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let thirteen = "Sec-WebSocket-Version: 13\r\n";
    let whole = over_tcp(&at, &ask("1.1", &format!("{key}{thirteen}"))).await;
    assert_eq!(whole, "HTTP/1.1 101 Switching Protocols");
    for (version, more) in [
        ("1.0", format!("{key}{thirteen}")),
        ("1.1", thirteen.to_owned()),
        ("1.1", format!("{key}Sec-WebSocket-Version: 8\r\n")),
        ("1.1", String::new()),
    ] {
        let line = over_tcp(&at, &ask(version, &more)).await;
        assert!(line.starts_with(&format!("HTTP/{version} 200")), "{version} {more}: {line}");
    }
    // Tokens travel in messages, never by themselves: where a page comes from does not matter.
    for origin in ["https://elsewhere.example", "null", "http://localhost:3000"] {
        let mut request = format!("ws://{}/websocket", at.address).into_client_request().unwrap();
        request.headers_mut().insert("origin", HeaderValue::from_static(origin));
        let (_socket, answer) = connect_async(request).await.unwrap();
        assert_eq!(answer.status(), 101, "{origin}");
        assert!(answer.headers().get("sec-websocket-extensions").is_none());
    }
}

#[tokio::test]
async fn what_is_no_sockjs_ends_the_socket() {
    let app = app().await;
    let at = listen(&app).await;
    for text in ["hello", "[1]", "{}", "[[]]", "[null]", "7", r#"["{"]"#, r#"["hello"]"#, "[\"a\""]
    {
        let mut client = Client::open(&at, "/sockjs/1/a/websocket").await;
        client.send(text).await;
        let mut last = String::new();
        let close = loop {
            match client.raw().await {
                Ok(text) => last = text,
                Err(close) => break close,
            }
        };
        assert_eq!(close.map(|frame| u16::from(frame.code)), Some(1007), "{text}");
        assert_eq!(last, r#"c[1007,"UNSUPPORTED_DATA"]"#, "{text}");
    }
    // One text stands for a list of one, and an empty list for nothing.
    let mut client = Client::open(&at, "/sockjs/1/a/websocket").await;
    client.send("[]").await;
    client.send(&json!(json!({"msg": "connect", "version": "1"}).to_string()).to_string()).await;
    client.until(|frame| frame["msg"] == "connected").await;
    client.say(&json!({})).await;
    client.until(|frame| frame["msg"] == "error").await;
    client.settle().await;
}

#[tokio::test]
async fn who_is_silent_is_asked_and_then_let_go() {
    let app = app().await;
    let at = listen(&app).await;
    let ann = app.user("ann").await;
    let is_ping = |frame: &Value| frame["msg"] == "ping";
    for path in ["/websocket", "/sockjs/1/a/websocket"] {
        let start = app.clock.now();
        let mut client = Client::connect_to(&at, path).await;
        client.resume(&ann).await;
        client.settle().await;
        client.forget();
        app.clock.move_to(start + 29_999);
        client.caught_up(&app.core).await;
        assert!(!client.kept().any(is_ping), "{path}");
        // That was a sign of life.
        app.clock.move_to(start + 59_999);
        client.until(is_ping).await;
        client.say(&json!({"msg": "pong"})).await;
        client.settle().await;
        app.clock.move_to(start + 89_998);
        client.settle().await;
        assert!(!client.kept().any(is_ping), "{path}");
        app.clock.move_to(start + 119_998);
        if path.starts_with("/sockjs") {
            while client.raw().await != Ok("h".to_owned()) {}
        }
        client.until(is_ping).await;
        app.clock.move_to(start + 149_998);
        assert_eq!(client.end().await, Some(4000), "{path}");
    }
    // Nobody who is not even connected stays longer.
    let start = app.clock.now();
    let mut client = Client::open(&at, "/websocket").await;
    client.next().await;
    app.clock.move_to(start + 30_000);
    client.until(is_ping).await;
    app.clock.move_to(start + 60_000);
    assert_eq!(client.end().await, Some(4000));
}

#[tokio::test]
async fn a_clock_that_leaps_gives_everybody_time_to_answer() {
    let app = app().await;
    let at = listen(&app).await;
    let ann = app.user("ann").await;
    let mut client = Client::log_in(&at, &ann).await;
    app.clock.move_to(START + 3_600_000);
    client.until(|frame| frame["msg"] == "ping").await;
    client.say(&json!({"msg": "pong"})).await;
    client.settle().await;
    client.ok("rooms/get", json!([])).await;
}

#[tokio::test]
async fn who_answers_below_the_protocol_is_let_go_when_it_stops() {
    let app = app().await;
    let at = listen(&app).await;
    let ann = app.user("ann").await;
    let mut client = Client::log_in(&at, &ann).await;
    let mut start = app.clock.now();
    app.clock.move_to(start + 14_000);
    while !matches!(client.frame().await, Some(Message::Ping(_))) {}
    // The answer went out when that was read; another sign of life comes after it.
    client.settle().await;
    start += 14_000;
    app.clock.move_to(start + 14_000);
    // Nothing is read, and so nothing answered.
    let before = app.core.sockets();
    assert_eq!(before, 1);
    let patient = async {
        // The server asks when it wakes up; the clock goes on until it has.
        let mut now = start + 14_000;
        while app.core.sockets() == before {
            tokio::task::yield_now().await;
            now += 100;
            app.clock.move_to(now);
        }
        now
    };
    let ended = crate::store::soon("the end", patient).await;
    assert!(ended >= start + 28_000, "{}", ended - start);
    assert_eq!(client.end().await, Some(4000));
}

#[tokio::test]
async fn a_client_that_closes_is_answered() {
    let app = app().await;
    let at = listen(&app).await;
    let ann = app.user("ann").await;
    let mut client = Client::log_in(&at, &ann).await;
    let frame = CloseFrame { code: CloseCode::Normal, reason: "bye".into() };
    client.send_raw(Message::Close(Some(frame))).await;
    assert_eq!(client.end().await, Some(1000));
}
