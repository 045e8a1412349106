//! A client of the socket: what it sends, and what it waits for. Nothing is slept for: a test reads on until
//! what it waits for comes, and knows that something did not come by what came after it.

use crate::app::{TestApp, TestUser, fresh_database};
use futures_util::{SinkExt as _, StreamExt as _};
use parlance_core::{Clock, Core};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Longer than anything takes: a test that waits for what never comes fails then.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server that listens, while it is kept.
pub(crate) struct Listening {
    pub(crate) address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An app on the machine's clock, by which a store that others write to is looked at.
pub(crate) async fn app() -> TestApp {
    TestApp::start_with(fresh_database().await, Clock::default()).await
}

/// JSON of REST as it is written on the socket: times as numbers of milliseconds, except in what a client
/// may have put together, which stays as it is.
pub(crate) fn ejson(value: &Value) -> Value {
    match value {
        Value::String(text) if text.len() == 24 && text.ends_with('Z') => {
            match text.parse::<jiff::Timestamp>() {
                Ok(at) => json!({"$date": at.as_millisecond()}),
                Err(_) => value.clone(),
            }
        }
        Value::Array(all) => all.iter().map(ejson).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| {
                let value = if key == "attachments" { value.clone() } else { ejson(value) };
                (key.clone(), value)
            })
            .collect(),
        other => other.clone(),
    }
}

/// Has the app listen.
pub(crate) async fn listen(app: &TestApp) -> Listening {
    serve(app.router()).await
}

/// Has this router listen.
pub(crate) async fn serve(router: axum::Router) -> Listening {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let task = tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
    Listening { address, task }
}

/// An open socket.
pub(crate) struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    sockjs: bool,
    next: u64,
    /// Was asked to hear of settings.
    settings: bool,
    /// Read while something else was waited for.
    kept: VecDeque<Value>,
}

/// A document of a stream's event, and of nothing else.
pub(crate) fn is_event(frame: &Value, stream: &str, event: &str) -> bool {
    frame["msg"] == "changed"
        && frame["collection"] == format!("stream-{stream}")
        && frame["fields"]["eventName"] == event
}

impl Client {
    /// Opens a socket, and says nothing yet.
    pub(crate) async fn open(at: &Listening, path: &str) -> Self {
        let url = format!("ws://{}{path}", at.address);
        let (socket, _) = connect_async(url).await.unwrap();
        Self {
            socket,
            sockjs: path.starts_with("/sockjs"),
            next: 0,
            settings: false,
            kept: VecDeque::new(),
        }
    }

    /// The same, connected.
    pub(crate) async fn connect(at: &Listening) -> Self {
        Self::connect_to(at, "/websocket").await
    }

    pub(crate) async fn connect_to(at: &Listening, path: &str) -> Self {
        let mut client = Self::open(at, path).await;
        client
            .say(&json!({"msg": "connect", "version": "1", "support": ["1", "pre2", "pre1"]}))
            .await;
        client.until(|frame| frame["msg"] == "connected").await;
        client
    }

    /// The same, with a session of this user's.
    pub(crate) async fn log_in(at: &Listening, user: &TestUser) -> Self {
        let mut client = Self::connect(at).await;
        client.resume(user).await;
        client
    }

    /// The same, and everybody sees that the user is online.
    pub(crate) async fn online(at: &Listening, app: &TestApp, user: &TestUser) -> Self {
        let mut client = Self::log_in(at, user).await;
        let id = user.id.as_str().into();
        while app.core.user(&id).await.unwrap().status != "online" {
            tokio::task::yield_now().await;
        }
        client.caught_up(&app.core).await;
        client.forget();
        client
    }

    pub(crate) async fn resume(&mut self, user: &TestUser) {
        let result = self.call("login", json!([{"resume": user.token}])).await;
        assert_eq!(result["result"]["id"], user.id, "{result}");
    }

    /// Sends a text as it is.
    pub(crate) async fn send(&mut self, text: &str) {
        self.socket.send(Message::Text(text.into())).await.unwrap();
    }

    pub(crate) async fn send_raw(&mut self, message: Message) {
        self.socket.send(message).await.unwrap();
    }

    /// Sends a message.
    pub(crate) async fn say(&mut self, message: &Value) {
        let text = message.to_string();
        let text = if self.sockjs { json!([text]).to_string() } else { text };
        self.send(&text).await;
    }

    /// The next frame from the server, whatever it is.
    pub(crate) async fn frame(&mut self) -> Option<Message> {
        let next = tokio::time::timeout(PATIENCE, self.socket.next()).await;
        next.expect("something comes")?.ok()
    }

    /// The next text from the server, as it is; the close frame at the end.
    pub(crate) async fn raw(&mut self) -> Result<String, Option<CloseFrame>> {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.socket.next()).await;
            match next.expect("something comes") {
                Some(Ok(Message::Text(text))) => return Ok(text.to_string()),
                Some(Ok(Message::Close(frame))) => return Err(frame),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// The next message.
    pub(crate) async fn next(&mut self) -> Value {
        if let Some(kept) = self.kept.pop_front() {
            return kept;
        }
        self.read().await
    }

    async fn read(&mut self) -> Value {
        loop {
            let text = match self.raw().await {
                Ok(text) => text,
                Err(close) => panic!("the socket was closed: {close:?}"),
            };
            if !self.sockjs {
                return serde_json::from_str(&text).unwrap();
            }
            if let Some(list) = text.strip_prefix('a') {
                let list: Vec<String> = serde_json::from_str(list).unwrap();
                assert_eq!(list.len(), 1);
                return serde_json::from_str(&list[0]).unwrap();
            }
        }
    }

    /// The first message that is wanted; others stay to be read.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(n) = self.kept.iter().position(&wanted) {
            return self.kept.remove(n).unwrap();
        }
        loop {
            let frame = self.read().await;
            if wanted(&frame) {
                return frame;
            }
            self.kept.push_back(frame);
        }
    }

    /// What came so far and was not read.
    pub(crate) fn kept(&self) -> impl Iterator<Item = &Value> {
        self.kept.iter()
    }

    pub(crate) fn forget(&mut self) {
        self.kept.clear();
    }

    fn id(&mut self) -> String {
        self.next += 1;
        self.next.to_string()
    }

    /// Calls a method; its `result` message. `updated` is waited for, too.
    pub(crate) async fn call(&mut self, method: &str, params: Value) -> Value {
        let id = self.id();
        self.say(&json!({"msg": "method", "method": method, "id": id, "params": params})).await;
        let result = self.until(|frame| frame["msg"] == "result" && frame["id"] == id).await;
        self.until(|frame| frame["msg"] == "updated" && frame["methods"] == json!([id])).await;
        result
    }

    /// Calls a method that succeeds; its result.
    pub(crate) async fn ok(&mut self, method: &str, params: Value) -> Value {
        let answer = self.call(method, params).await;
        assert!(answer.get("error").is_none(), "{method}: {answer}");
        answer["result"].clone()
    }

    /// Calls a method that is refused; its error.
    pub(crate) async fn refused(&mut self, method: &str, params: Value) -> Value {
        let answer = self.call(method, params).await;
        assert!(answer.get("result").is_none(), "{method}: {answer}");
        let error = answer["error"].clone();
        assert_eq!(error["errorType"], "Meteor.Error", "{answer}");
        error
    }

    /// Subscribes: `ready` or `nosub`, with the subscription's id.
    pub(crate) async fn sub(&mut self, name: &str, params: Value) -> (String, Value) {
        let id = self.id();
        self.say(&json!({"msg": "sub", "id": id, "name": name, "params": params})).await;
        let answer = self
            .until(|frame| {
                (frame["msg"] == "ready" && frame["subs"] == json!([id]))
                    || (frame["msg"] == "nosub" && frame["id"] == id)
            })
            .await;
        (id, answer)
    }

    /// Subscribes to an event of a stream, which is granted; the subscription's id.
    pub(crate) async fn hear(&mut self, stream: &str, event: &str) -> String {
        let params = json!([event, {"useCollection": false, "args": []}]);
        let (id, answer) = self.sub(&format!("stream-{stream}"), params).await;
        assert_eq!(answer["msg"], "ready", "{stream} {event}: {answer}");
        self.settings |= event == "public-settings-changed";
        id
    }

    /// Waits for an event of a stream; its arguments.
    pub(crate) async fn event(&mut self, stream: &str, event: &str) -> Value {
        let frame = self.until(|frame| is_event(frame, stream, event)).await;
        frame["fields"]["args"].clone()
    }

    /// The same, with arguments as wanted.
    pub(crate) async fn event_if(
        &mut self,
        stream: &str,
        event: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        let is = |frame: &Value| is_event(frame, stream, event) && wanted(&frame["fields"]["args"]);
        self.until(is).await["fields"]["args"].clone()
    }

    /// Waits until everything that follows from what was done before now has come: of two changes of a
    /// setting, one after the other, the second is told in a later piece of the log.
    pub(crate) async fn caught_up(&mut self, core: &Core) {
        let asked = self.settings;
        let sub = self.hear("notify-all", "public-settings-changed").await;
        self.settings = asked;
        for _ in 0..2 {
            let mark = core.new_id();
            core.overwrite_setting("Site_Name", &json!(mark)).await.unwrap();
            self.event_if("notify-all", "public-settings-changed", |args| args[1]["value"] == mark)
                .await;
        }
        self.say(&json!({"msg": "unsub", "id": sub})).await;
        self.until(|frame| frame["msg"] == "nosub" && frame["id"] == *sub).await;
    }

    /// Every event of a stream that was told by now and not read: stream, event, arguments.
    pub(crate) async fn told(&mut self, core: &Core) -> Vec<(String, String, Value)> {
        self.caught_up(core).await;
        let mut told = Vec::new();
        for frame in std::mem::take(&mut self.kept) {
            let stream = frame["collection"].as_str().and_then(|name| name.strip_prefix("stream-"));
            match stream {
                Some(stream) if frame["msg"] == "changed" => {
                    let fields = &frame["fields"];
                    let event = fields["eventName"].as_str().unwrap().to_owned();
                    let setting = event == "public-settings-changed";
                    let own = setting && fields["args"][1]["_id"] == "Site_Name";
                    if !own && (self.settings || !setting) {
                        told.push((stream.to_owned(), event, fields["args"].clone()));
                    }
                }
                _ => {}
            }
        }
        told
    }

    /// Waits until the server has read everything that was sent: a sign of life goes there and back.
    pub(crate) async fn settle(&mut self) {
        let id = self.id();
        self.say(&json!({"msg": "ping", "id": id})).await;
        self.until(|frame| frame["msg"] == "pong" && frame["id"] == id).await;
    }

    /// Waits for the end; its code.
    pub(crate) async fn end(&mut self) -> Option<u16> {
        loop {
            match self.raw().await {
                Ok(text) => {
                    if let Ok(frame) = serde_json::from_str(&text) {
                        self.kept.push_back(frame);
                    }
                }
                Err(close) => return close.map(|frame| frame.code.into()),
            }
        }
    }
}
