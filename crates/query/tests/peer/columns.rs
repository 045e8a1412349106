//! Messages and rooms as tables: the field maps, and the statements that store a set.
//!
//! The maps name what the server's own maps name. Statements are texts with literals, the same for
//! both engines; a room's newest message is a row of its own that the room's row names.

use std::fmt::Write as _;

use parlance_query::{Column, FieldMap};
use serde_json::Value;

/// The tables, on both engines; `text` is the type of a text in byte order.
pub(crate) fn schema(text: &str) -> String {
    format!(
        "CREATE TABLE messages (key {text} PRIMARY KEY, id {text}, rid {text}, msg {text},
            ts BIGINT, updated BIGINT, usr {text}, username {text}, name {text}, kind {text},
            thread {text}, tshow BOOLEAN, tcount BIGINT, tlm BIGINT, pinned BOOLEAN,
            pinned_at BIGINT, edited_at BIGINT, star {text});
         CREATE TABLE mentioned (message {text}, usr {text});
         CREATE TABLE rooms (id {text} PRIMARY KEY, kind {text}, ts BIGINT, updated BIGINT,
            users_count BIGINT, msgs BIGINT, lm BIGINT, topic {text}, ro BOOLEAN, last {text});
         CREATE TABLE members (room {text}, usr {text});"
    )
}

pub(crate) const EMPTY: &str =
    "DELETE FROM messages; DELETE FROM mentioned; DELETE FROM rooms; DELETE FROM members;";

/// One kind of document in SQL.
pub(crate) trait Stored: FieldMap {
    /// What to select from.
    fn from(&self) -> &'static str;
    /// The column of the id.
    fn id(&self) -> &'static str;
    /// The statements that store a document.
    fn insert(&self, doc: &Value) -> String;
}

pub(crate) struct Messages;

impl FieldMap for Messages {
    fn column(&self, path: &str) -> Option<Column> {
        Some(match path {
            "_id" => Column::Text("m.id"),
            "rid" => Column::Text("m.rid"),
            "msg" => Column::Text("m.msg"),
            "ts" => Column::Date("m.ts"),
            "_updatedAt" => Column::Date("m.updated"),
            "u._id" => Column::Text("m.usr"),
            "u.username" => Column::Text("m.username"),
            "u.name" => Column::Text("m.name"),
            "t" => Column::Text("m.kind"),
            "tmid" => Column::Text("m.thread"),
            "tshow" => Column::Bool("m.tshow"),
            "tcount" => Column::Int("m.tcount"),
            "tlm" => Column::Date("m.tlm"),
            "pinned" => Column::Bool("m.pinned"),
            "pinnedAt" => Column::Date("m.pinned_at"),
            "editedAt" => Column::Date("m.edited_at"),
            "starred._id" => Column::Text("m.star"),
            "mentions._id" => Column::Each {
                within: "m.key IN (SELECT x.message FROM mentioned x WHERE TRUE",
                value: "x.usr",
            },
            _ => return None,
        })
    }
}

impl Stored for Messages {
    fn from(&self) -> &'static str {
        "messages m"
    }

    fn id(&self) -> &'static str {
        "m.id"
    }

    fn insert(&self, doc: &Value) -> String {
        message(doc["_id"].as_str().unwrap_or_default(), doc)
    }
}

fn message(key: &str, doc: &Value) -> String {
    const COLUMNS: [&str; 17] = [
        "/_id",
        "/rid",
        "/msg",
        "/ts",
        "/_updatedAt",
        "/u/_id",
        "/u/username",
        "/u/name",
        "/t",
        "/tmid",
        "/tshow",
        "/tcount",
        "/tlm",
        "/pinned",
        "/pinnedAt",
        "/editedAt",
        "/starred/0/_id",
    ];
    let mut sql = row("messages", &key.into(), &COLUMNS, doc);
    for mention in doc["mentions"].as_array().into_iter().flatten() {
        if mention["_id"].is_string() {
            sql += &row("mentioned", &key.into(), &["/_id"], mention);
        }
    }
    sql
}

pub(crate) struct Rooms;

impl FieldMap for Rooms {
    fn column(&self, path: &str) -> Option<Column> {
        Some(match path {
            "_id" => Column::Text("r.id"),
            "t" => Column::Text("r.kind"),
            "ts" => Column::Date("r.ts"),
            "_updatedAt" => Column::Date("r.updated"),
            "usersCount" => Column::Int("r.users_count"),
            "msgs" => Column::Int("r.msgs"),
            "lm" => Column::Date("r.lm"),
            "topic" => Column::Text("r.topic"),
            "ro" => Column::Bool("r.ro"),
            "uids" => Column::Each {
                within: "EXISTS (SELECT 1 FROM members x WHERE x.room = r.id",
                value: "x.usr",
            },
            "lastMessage._id" => Column::Text("m.id"),
            "lastMessage.rid" => Column::Text("m.rid"),
            "lastMessage.msg" => Column::Text("m.msg"),
            "lastMessage.ts" => Column::Date("m.ts"),
            "lastMessage._updatedAt" => Column::Date("m.updated"),
            "lastMessage.u._id" => Column::Text("m.usr"),
            "lastMessage.u.username" => Column::Text("m.username"),
            "lastMessage.u.name" => Column::Text("m.name"),
            _ => return None,
        })
    }
}

impl Stored for Rooms {
    fn from(&self) -> &'static str {
        "rooms r LEFT JOIN messages m ON m.key = r.last"
    }

    fn id(&self) -> &'static str {
        "r.id"
    }

    fn insert(&self, doc: &Value) -> String {
        const COLUMNS: [&str; 9] =
            ["/t", "/ts", "/_updatedAt", "/usersCount", "/msgs", "/lm", "/topic", "/ro", "/_id"];
        let mut sql = row("rooms", &doc["_id"], &COLUMNS, doc);
        if let Some(last) = doc.get("lastMessage") {
            sql += &message(doc["_id"].as_str().unwrap_or_default(), last);
        }
        for user in doc["uids"].as_array().into_iter().flatten() {
            sql += &row("members", &doc["_id"], &[""], user);
        }
        sql
    }
}

/// One INSERT with a key and what these pointers find.
fn row(table: &str, key: &Value, pointers: &[&str], doc: &Value) -> String {
    let mut sql = format!("INSERT INTO {table} VALUES (");
    literal(&mut sql, Some(key));
    for pointer in pointers {
        sql.push_str(", ");
        literal(&mut sql, doc.pointer(pointer));
    }
    sql.push_str("); ");
    sql
}

fn literal(sql: &mut String, value: Option<&Value>) {
    // Writing to a String cannot fail.
    let _ = match value {
        Some(Value::String(text)) => write!(sql, "'{}'", text.replace('\'', "''")),
        Some(Value::Bool(truth)) => write!(sql, "{}", if *truth { "TRUE" } else { "FALSE" }),
        Some(Value::Number(number)) => write!(sql, "{number}"),
        Some(Value::Object(map)) => write!(sql, "{}", map.get("$date").unwrap_or(&Value::Null)),
        _ => write!(sql, "NULL"),
    };
}
