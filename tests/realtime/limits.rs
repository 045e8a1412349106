//! Bounds of the socket (contract sections 3.3 and 11.1): how much at once, how often, how many, how slowly.
//! Whoever is beyond one is told, or cut off; nobody else notices.

use super::client::{Client, Listening, app, listen, serve};
use crate::app::{TestApp, TestUser};
use parlance_core::send::NewMessage;
use parlance_core::setting::{self, SocketRate};
use parlance_http::{Edge, EdgeOptions};
use serde_json::{Value, json};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message};

const MIB: usize = 1024 * 1024;

/// A call of an unknown method that is so many bytes long.
fn call_of(bytes: usize) -> String {
    let call = |pad: usize| {
        json!({"msg": "method", "method": "none", "id": "1", "params": ["x".repeat(pad)]})
            .to_string()
    };
    call(bytes - call(0).len())
}

#[tokio::test]
async fn a_message_may_be_one_mebibyte_and_no_more() {
    let app = app().await;
    let at = listen(&app).await;
    let mut client = Client::connect(&at).await;
    let just = call_of(MIB);
    assert_eq!(just.len(), MIB);
    client.send(&just).await;
    let result = client.until(|frame| frame["msg"] == "result").await;
    assert_eq!(result["error"]["error"], 404);
    client.send(&call_of(MIB + 1)).await;
    assert_eq!(client.end().await, Some(1009));
    // In pieces it is no smaller.
    let mut client = Client::connect(&at).await;
    let piece = || "x".repeat(MIB / 2 + 1);
    let first = Frame::message(piece(), OpCode::Data(Data::Text), false);
    let second = Frame::message(piece(), OpCode::Data(Data::Continue), true);
    client.send_raw(Message::Frame(first)).await;
    client.send_raw(Message::Frame(second)).await;
    assert_eq!(client.end().await, Some(1009));
}

#[tokio::test]
async fn long_names_and_ids_are_refused_and_nothing_is_repeated() {
    let app = app().await;
    let at = listen(&app).await;
    let ann = app.user("ann").await;
    let mut client = Client::log_in(&at, &ann).await;
    let (fits, long) = ("n".repeat(256), "n".repeat(257));
    let error = client.refused(&fits, json!([])).await;
    assert_eq!(error["error"], 404);
    let (_, answer) = client.sub(&fits, json!([])).await;
    assert_eq!(answer["error"]["error"], 404);
    client.forget();
    for frame in [
        json!({"msg": "method", "method": long, "id": "1"}),
        json!({"msg": "method", "method": "rooms/get", "id": long}),
        json!({"msg": "method", "method": "rooms/get", "id": {"a": 1}}),
        json!({"msg": "method", "method": "rooms/get", "id": true}),
        json!({"msg": "sub", "name": long, "id": "1"}),
        json!({"msg": "sub", "name": "activeUsers", "id": long}),
        json!({"msg": "unsub", "id": long}),
        json!({"msg": "ping", "id": long}),
        json!({"msg": long}),
    ] {
        client.say(&frame).await;
        let answer = client.until(|frame| frame["msg"] == "error").await;
        assert_eq!(answer, json!({"msg": "error", "reason": "Bad request"}), "{frame}");
    }
    client.settle().await;
}

/// A room of three, of whom the third's socket is a task that counts what it is told until the last.
struct Crowd {
    app: TestApp,
    at: Listening,
    ann: TestUser,
    bob: TestUser,
    room: String,
    counts: tokio::task::JoinHandle<usize>,
}

async fn crowd() -> Crowd {
    let app = app().await;
    let at = listen(&app).await;
    let (ann, bob, zoe) = (app.user("ann").await, app.user("bob").await, app.user("zoe").await);
    let made = app.rocket(&ann).post("dm.create", json!({"usernames": "bob,zoe"})).await.ok();
    let room = made["room"]["_id"].as_str().unwrap().to_owned();
    let mut reads = Client::log_in(&at, &zoe).await;
    reads.hear("room-messages", &room).await;
    let name = room.clone();
    let counts = tokio::spawn(async move {
        for n in 0.. {
            let told = reads.event("room-messages", &name).await;
            if told[0]["msg"] == "the last" {
                return n;
            }
        }
        0
    });
    Crowd { app, at, ann, bob, room, counts }
}

impl Crowd {
    async fn send(&self, text: &str) {
        let caller = self.app.caller(&self.ann).await;
        let access = self.app.core.access(&caller, &self.room).await.unwrap();
        self.app.core.send(&caller, &access, NewMessage::text(text.to_owned())).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_never_reads_is_cut_off_and_others_hear_everything() {
    let crowd = crowd().await;
    let mut slow = Client::log_in(&crowd.at, &crowd.bob).await;
    slow.hear("room-messages", &crowd.room).await;
    let before = crowd.app.core.sockets();
    let text = "x ".repeat(2400);
    let mut sent = 0;
    while crowd.app.core.sockets() == before {
        assert!(sent < 20_000, "it is never cut off");
        crowd.send(&text).await;
        sent += 1;
    }
    crowd.send("the last").await;
    let heard = crate::store::soon("the last", crowd.counts).await.unwrap();
    assert_eq!(heard, sent);
    // It reads now: what was on its way, and then that it is to come again.
    let code = slow.end().await;
    assert!(code == Some(1013) || code.is_none(), "{code:?}");
    assert!(slow.kept().count() < sent);
}

#[tokio::test]
async fn who_asks_for_much_and_reads_nothing_is_let_go() {
    let app = crate::app::app().await;
    let at = listen(&app).await;
    let ann = app.user("ann").await;
    let room = app.rocket(&ann).open("ann").await;
    let caller = app.caller(&ann).await;
    for _ in 0..500 {
        let access = app.core.access(&caller, &room).await.unwrap();
        let new = NewMessage::text("x".repeat(4500));
        app.core.send(&caller, &access, new).await.unwrap();
    }
    let mut client = Client::log_in(&at, &ann).await;
    let params = json!([room, {"lastUpdate": {"$date": 0}}]);
    for id in 0..20 {
        let ask = json!({"msg": "method", "method": "messages/get", "id": id, "params": params});
        client.say(&ask).await;
    }
    // The clock goes on until the server has given it up.
    let given_up = async {
        let mut now = app.clock.now();
        while app.core.sockets() > 0 {
            tokio::task::yield_now().await;
            now += 10;
            app.clock.move_to(now);
        }
    };
    crate::store::soon("the end", given_up).await;
    let code = client.end().await;
    assert!(code == Some(1013) || code.is_none(), "{code:?}");
    assert!(client.kept().filter(|frame| frame["msg"] == "result").count() < 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_burst_reaches_who_reads() {
    let crowd = crowd().await;
    let caller = crowd.app.caller(&crowd.ann).await;
    let mut tasks = Vec::new();
    for task in 0..32 {
        let (core, caller, room) = (crowd.app.core.clone(), caller.clone(), crowd.room.clone());
        tasks.push(tokio::spawn(async move {
            for n in 0..50 {
                let access = core.access(&caller, &room).await.unwrap();
                let text = format!("{task} {n} {}", "x".repeat(1000));
                core.send(&caller, &access, NewMessage::text(text)).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    crowd.send("the last").await;
    assert_eq!(crate::store::soon("the last", crowd.counts).await.unwrap(), 32 * 50);
}

/// Has one rule count, and no other.
async fn only(app: &TestApp, rule: &SocketRate, calls: i64) {
    for other in setting::SOCKET_RATES {
        let on = other.enabled.id == rule.enabled.id;
        app.core.overwrite_setting(other.enabled.id, &json!(on)).await.unwrap();
    }
    app.core.overwrite_setting(rule.calls.id, &json!(calls)).await.unwrap();
    app.core.overwrite_setting(rule.time.id, &json!(10_000)).await.unwrap();
}

#[tokio::test]
async fn each_rate_limit_counts_what_it_says() {
    let app = crate::app::app().await;
    let at = listen(&app).await;
    let (boss, ann, bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    let mut admin = Client::log_in(&at, &boss).await;
    let mut first = Client::log_in(&at, &ann).await;
    let mut second = Client::log_in(&at, &ann).await;
    let mut other = Client::log_in(&at, &bob).await;
    let limiter = setting::RATE_LIMIT.id;
    app.core.overwrite_setting(limiter, &json!(true)).await.unwrap();
    // Whether another method, another socket of the user's and another user are refused, too.
    for (rule, method, socket, user) in [
        (&setting::SOCKET_ADDRESS, true, true, true),
        (&setting::SOCKET_USER, true, true, false),
        (&setting::SOCKET_CONNECTION, true, false, false),
        (&setting::SOCKET_USER_METHOD, false, true, false),
        (&setting::SOCKET_CONNECTION_METHOD, false, false, false),
    ] {
        only(&app, rule, 3).await;
        let id = rule.enabled.id;
        let refused = |answer: &Value| match answer.get("error") {
            None => false,
            Some(error) => {
                assert_eq!(error["error"], "too-many-requests", "{id}");
                assert_eq!(error["details"]["timeToReset"], 10_000, "{error}");
                assert!(error["message"].as_str().unwrap().ends_with("[too-many-requests]"));
                true
            }
        };
        for _ in 0..3 {
            first.ok("rooms/get", json!([])).await;
        }
        assert!(refused(&first.call("rooms/get", json!([])).await), "{id}");
        assert_eq!(refused(&first.call("permissions/get", json!([])).await), method, "{id}");
        assert_eq!(refused(&second.call("rooms/get", json!([])).await), socket, "{id}");
        assert_eq!(refused(&other.call("rooms/get", json!([])).await), user, "{id}");
        for _ in 0..5 {
            admin.ok("rooms/get", json!([])).await;
        }
        // A subscription counts as one more call, but for the rules by name; a sign of life never does.
        let (_, answer) = first.sub("stream-roles", json!(["roles", false])).await;
        assert_eq!(refused(&answer), method, "{id}");
        first.settle().await;
        app.clock.move_to(app.clock.now() + 10_000);
        first.ok("rooms/get", json!([])).await;
        app.clock.move_to(app.clock.now() + 10_000);
        for client in [&mut admin, &mut first, &mut second, &mut other] {
            client.settle().await;
        }
    }
    // Writes to streams and unknown methods count like any other call, and so does a login.
    only(&app, &setting::SOCKET_CONNECTION, 3).await;
    let mut nobody = Client::connect(&at).await;
    for method in ["none", "stream-notify-room", "login"] {
        nobody.call(method, json!([])).await;
    }
    let error = nobody.refused("login", json!([{"resume": ann.token}])).await;
    assert_eq!(error["error"], "too-many-requests");
    app.core.overwrite_setting(limiter, &json!(false)).await.unwrap();
    nobody.resume(&ann).await;
}

/// The app, listening, with few places for sockets.
async fn small(app: &TestApp, most_sockets: usize) -> (Edge, Listening) {
    let edge = Edge::new(app.core.clone(), EdgeOptions { most_sockets, ..EdgeOptions::default() });
    let at = serve(parlance::app::app(&edge)).await;
    (edge, at)
}

#[tokio::test]
async fn more_sockets_than_there_are_places_are_told_to_come_again() {
    let app = app().await;
    let (_edge, at) = small(&app, 2).await;
    let ann = app.user("ann").await;
    let mut first = Client::log_in(&at, &ann).await;
    let second = Client::connect(&at).await;
    let url = format!("ws://{}/websocket", at.address);
    let sockjs = format!("ws://{}/sockjs/1/a/websocket", at.address);
    for url in [&url, &sockjs] {
        match connect_async(url.as_str()).await {
            Err(Error::Http(answer)) => {
                assert_eq!(answer.status(), 503);
                assert_eq!(answer.headers()["retry-after"], "10");
            }
            other => unreachable!("{:?}", other.is_ok()),
        }
    }
    // What is not a socket needs no place.
    let info = app.call(axum::http::Method::GET, "/sockjs/info", &[], None).await;
    assert_eq!(info.status, 200);
    first.settle().await;
    drop(second);
    let free = async { while connect_async(url.as_str()).await.is_err() {} };
    crate::store::soon("a free place", free).await;
}

#[tokio::test]
async fn a_server_that_stops_tells_all_its_sockets_to_come_again() {
    let app = app().await;
    let (edge, at) = small(&app, 10).await;
    let ann = app.user("ann").await;
    let logged_in = Client::log_in(&at, &ann).await;
    let nobody = Client::connect(&at).await;
    let silent = Client::open(&at, "/websocket").await;
    let mut dressed = Client::connect_to(&at, "/sockjs/1/a/websocket").await;
    dressed.resume(&ann).await;
    let stop = tokio::spawn(async move { edge.stop().await });
    for mut client in [logged_in, nobody, silent] {
        assert_eq!(client.end().await, Some(1012));
    }
    loop {
        match dressed.raw().await {
            Ok(text) if text.starts_with('c') => assert_eq!(text, r#"c[1012,"RECONNECT"]"#),
            Ok(text) => assert!(text.starts_with(['o', 'a', 'h']), "{text}"),
            Err(close) => {
                assert_eq!(close.map(|frame| u16::from(frame.code)), Some(1012));
                break;
            }
        }
    }
    crate::store::soon("the end", stop).await.unwrap();
    assert_eq!(app.core.sockets(), 0);
}

#[tokio::test]
async fn subscriptions_count_as_calls_of_their_connection_and_not_by_name() {
    let app = crate::app::app().await;
    let at = listen(&app).await;
    let ann = app.user("ann").await;
    let set = async |id: &str, value: Value| {
        app.core.overwrite_setting(id, &value).await.unwrap();
    };
    set("API_Enable_Rate_Limiter", json!(true)).await;
    set("DDP_Rate_Limit_Connection_By_Method_Requests_Allowed", json!(1)).await;
    set("DDP_Rate_Limit_Connection_Requests_Allowed", json!(4)).await;
    let mut client = Client::log_in(&at, &ann).await;
    for event in ["user-status", "updateAvatar", "Users:Deleted"] {
        client.hear("notify-logged", event).await;
    }
    let (_, answer) = client.sub("stream-notify-all", json!(["public-info", false])).await;
    assert_eq!(answer["msg"], "nosub");
    assert_eq!(answer["error"]["error"], "too-many-requests");
    assert_eq!(answer["error"]["details"]["timeToReset"], 60_000);
    app.clock.move_to(app.clock.now() + 60_000);
    client.hear("notify-all", "public-info").await;
}
