//! Messages of the protocol (contract section 11.2), in and out, raw or in SockJS clothes (11.1). What a
//! client calls its methods and subscriptions is repeated to it as it was sent, and never looked into.

use parlance_core::depth::{DEEPEST, is_deeper};
use parlance_http::body;
use parlance_http::json::{Dates, Object, text};
use serde_json::{Map, Value};

/// The longest id of a method or a subscription, and the longest name, in bytes.
const MAX_ID: usize = 256;

/// A client's id as the JSON text that it sent: a text or a number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Id(String);

/// What a client says.
#[derive(Debug, PartialEq)]
pub(super) enum Frame {
    Connect { known: bool },
    Ping(Option<Id>),
    Pong,
    Method { id: Id, name: String, params: Vec<Value> },
    Sub { id: Id, name: String, params: Vec<Value> },
    Unsub(Id),
}

/// Why a text is none of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// Not JSON, or nested too deep.
    Data,
    /// JSON that is no message of the protocol.
    Request,
}

impl Frame {
    /// Reads one message.
    pub(super) fn read(message: &str) -> Result<Self, Broken> {
        let value = body::json(message.as_bytes()).map_err(|_| Broken::Data)?;
        if body::has_nul(&value) || is_deeper(&value, DEEPEST) {
            return Err(Broken::Data);
        }
        let Value::Object(mut map) = value else {
            return Err(Broken::Request);
        };
        let kind = match map.get("msg") {
            Some(Value::String(kind)) => kind.clone(),
            _ => return Err(Broken::Request),
        };
        Ok(match kind.as_str() {
            "connect" => Self::Connect { known: is_known(&map) },
            "ping" => Self::Ping(match map.get("id") {
                None | Some(Value::Null) => None,
                Some(id) => Some(Id::read(id)?),
            }),
            "pong" => Self::Pong,
            "method" => Self::Method {
                id: id(&map)?,
                name: name(&mut map, "method")?,
                params: params(&mut map)?,
            },
            "sub" => Self::Sub {
                id: id(&map)?,
                name: name(&mut map, "name")?,
                params: params(&mut map)?,
            },
            "unsub" => Self::Unsub(id(&map)?),
            _ => return Err(Broken::Request),
        })
    }
}

/// Is this a version that we speak? All in use differ in nothing that matters here.
fn is_known(map: &Map<String, Value>) -> bool {
    let known = |version: &Value| matches!(version.as_str(), Some("1" | "pre1" | "pre2"));
    match map.get("version") {
        None | Some(Value::Null) => true,
        Some(version) => {
            known(version)
                || map.get("support").and_then(Value::as_array).is_some_and(|s| s.iter().any(known))
        }
    }
}

fn id(map: &Map<String, Value>) -> Result<Id, Broken> {
    Id::read(map.get("id").ok_or(Broken::Request)?)
}

fn name(map: &mut Map<String, Value>, key: &str) -> Result<String, Broken> {
    match map.remove(key) {
        Some(Value::String(name)) if !name.is_empty() && name.len() <= MAX_ID => Ok(name),
        _ => Err(Broken::Request),
    }
}

fn params(map: &mut Map<String, Value>) -> Result<Vec<Value>, Broken> {
    match map.remove("params") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(params)) => Ok(params),
        Some(_) => Err(Broken::Request),
    }
}

impl Id {
    fn read(value: &Value) -> Result<Self, Broken> {
        match value {
            Value::String(id) if id.len() <= MAX_ID => Ok(Self(value.to_string())),
            Value::Number(_) => Ok(Self(value.to_string())),
            _ => Err(Broken::Request),
        }
    }
}

/// One message to a client: `msg`, and what else it has.
pub(super) fn frame(msg: &str, write: impl FnOnce(&mut Object<'_>)) -> String {
    let mut out = String::new();
    let mut o = Object::new(&mut out, Dates::Ejson);
    o.text("msg", msg);
    write(&mut o);
    o.end();
    out
}

/// The greeting, before anything is said.
pub(super) const GREETING: &str = r#"{"server_id":"0"}"#;

/// What a client may go on as.
pub(super) fn connected(session: &str) -> String {
    frame("connected", |o| o.text("session", session))
}

/// Ours: everything up to this position of the log was told.
pub(super) fn position(position: i64) -> String {
    frame("position", |o| o.number("position", position))
}

/// Ours: what was missed cannot be told; everything is to be loaded again.
pub(super) fn reload(reason: &str) -> String {
    frame("reload", |o| o.text("reason", reason))
}

/// Another version is wanted.
pub(super) fn failed() -> String {
    frame("failed", |o| o.text("version", "1"))
}

/// A sign of life, or the answer to one.
pub(super) fn beat(msg: &str, id: Option<&Id>) -> String {
    frame(msg, |o| {
        if let Some(Id(id)) = id {
            o.raw("id", id);
        }
    })
}

/// A method's outcome: the member that says it (`result`, `error`) and its JSON, if there is one.
pub(super) fn result(Id(id): &Id, outcome: Option<(&str, &str)>) -> String {
    frame("result", |o| {
        o.raw("id", id);
        if let Some((member, json)) = outcome {
            o.raw(member, json);
        }
    })
}

/// What a method changed was sent.
pub(super) fn updated(Id(id): &Id) -> String {
    frame("updated", |o| o.array("methods", [id], |out, id| out.push_str(id)))
}

/// A subscription begins.
pub(super) fn ready(Id(id): &Id) -> String {
    frame("ready", |o| o.array("subs", [id], |out, id| out.push_str(id)))
}

/// A subscription is over, or was never begun.
pub(super) fn nosub(Id(id): &Id, error: Option<&Value>) -> String {
    frame("nosub", |o| {
        o.raw("id", id);
        if let Some(error) = error {
            o.raw("error", &error.to_string());
        }
    })
}

/// A text that was no message, told to who sent it without repeating it.
pub(super) fn bad(reason: &str) -> String {
    frame("error", |o| o.text("reason", reason))
}

/// A document of a collection comes, changes or goes.
pub(super) fn document(
    msg: &str,
    collection: &str,
    id: &str,
    fields: impl FnOnce(&mut Object<'_>),
) -> String {
    frame(msg, |o| {
        o.text("collection", collection);
        o.text("id", id);
        o.object("fields", fields);
    })
}

/// An event of a stream (section 11.4); `args` is the inside of the array.
pub(super) fn event(stream: &str, name: &str, args: &str) -> String {
    let mut out = String::with_capacity(args.len() + stream.len() + name.len() + 96);
    out.push_str(r#"{"msg":"changed","collection":"stream-"#);
    out.push_str(stream);
    out.push_str(r#"","id":"id","fields":{"eventName":"#);
    text(&mut out, name);
    out.push_str(r#","args":["#);
    out.push_str(args);
    out.push_str("]}}");
    out
}

/// A message in SockJS clothes.
pub(super) fn dressed(message: &str) -> String {
    let mut out = String::with_capacity(message.len() + message.len() / 4 + 8);
    out.push_str("a[");
    text(&mut out, message);
    out.push(']');
    out
}

/// The messages that a client put into SockJS clothes: a list of texts, or one text.
pub(super) fn undressed(message: &str) -> Result<Vec<String>, Broken> {
    match body::json(message.as_bytes()).map_err(|_| Broken::Data)? {
        Value::String(one) => Ok(vec![one]),
        Value::Array(all) => {
            let texts = all.into_iter().map(|one| match one {
                Value::String(one) => Ok(one),
                _ => Err(Broken::Data),
            });
            texts.collect()
        }
        _ => Err(Broken::Data),
    }
}

#[cfg(test)]
mod tests {
    use super::{Broken, Frame, Id, dressed, event, undressed};

    #[test]
    fn messages_are_read_and_others_refused() {
        let id = |text: &str| Id(text.to_owned());
        let cases = [
            (r#"{"msg":"connect","version":"1","support":["1"]}"#, Frame::Connect { known: true }),
            (r#"{"msg":"connect","version":"pre2","support":[]}"#, Frame::Connect { known: true }),
            (
                r#"{"msg":"connect","version":"9","support":["9","1"]}"#,
                Frame::Connect { known: true },
            ),
            (r#"{"msg":"connect","version":"9"}"#, Frame::Connect { known: false }),
            (r#"{"msg":"ping"}"#, Frame::Ping(None)),
            (r#"{"msg":"ping","id":"a"}"#, Frame::Ping(Some(id("\"a\"")))),
            (r#"{"msg":"pong","more":1}"#, Frame::Pong),
            (r#"{"msg":"unsub","id":7}"#, Frame::Unsub(id("7"))),
            (
                r#"{"msg":"method","method":"m","id":"1"}"#,
                Frame::Method { id: id("\"1\""), name: "m".to_owned(), params: Vec::new() },
            ),
        ];
        for (text, want) in cases {
            assert_eq!(Frame::read(text), Ok(want), "{text}");
        }
        let data = ["", "{", "nothing", "{\"msg\":\"pi\\u0000ng\"}"];
        for text in data {
            assert_eq!(Frame::read(text), Err(Broken::Data), "{text}");
        }
        let long = format!(r#"{{"msg":"unsub","id":"{}"}}"#, "x".repeat(300));
        let requests = [
            "1",
            "[]",
            "null",
            "{}",
            r#"{"msg":1}"#,
            r#"{"msg":"what"}"#,
            r#"{"msg":"unsub"}"#,
            r#"{"msg":"unsub","id":{}}"#,
            &long,
            r#"{"msg":"method","id":"1"}"#,
            r#"{"msg":"method","id":"1","method":""}"#,
            r#"{"msg":"sub","id":"1","name":"n","params":{}}"#,
        ];
        for text in requests {
            assert_eq!(Frame::read(text), Err(Broken::Request), "{text}");
        }
    }

    #[test]
    fn clothes_come_off_as_they_went_on() {
        let message = event("room-messages", "a\"b", r#"{"msg":"é\n"}"#);
        assert_eq!(undressed(&dressed(&message)[1..]), Ok(vec![message]));
        assert_eq!(undressed(r#""one""#), Ok(vec!["one".to_owned()]));
        assert_eq!(undressed("[1]"), Err(Broken::Data));
        assert_eq!(undressed("{}"), Err(Broken::Data));
    }
}
