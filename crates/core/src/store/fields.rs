//! The names of documents as SQL sees them: what a filter or a sort can ask of a column. A name that
//! is not here is answered by the matcher (`scan.rs`), so a map only ever decides about speed; what
//! the documents name by themselves must be here.

use parlance_query::sql::{Column, FieldMap};

/// The names of a message document, as SQL sees them in a listing of one room, which is `$1`.
pub(super) struct OfMessages;

impl FieldMap for OfMessages {
    fn column(&self, path: &str) -> Option<Column> {
        Some(match path {
            "_id" => Column::Text("m.id"),
            "rid" => Column::Text("m.room"),
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
            "starred._id" => Column::Text("st.usr"),
            "mentions._id" => Column::Each {
                within: "m.id IN (SELECT x.message FROM mentioned x WHERE x.room = $1",
                value: "x.usr",
            },
            _ => return None,
        })
    }
}

/// The same in a listing of many rooms.
pub(super) struct OfMessagesAnywhere;

impl FieldMap for OfMessagesAnywhere {
    fn column(&self, path: &str) -> Option<Column> {
        match path {
            "mentions._id" => Some(Column::Each {
                within: "EXISTS (SELECT 1 FROM mentioned x WHERE x.message = m.id",
                value: "x.usr",
            }),
            other => OfMessages.column(other),
        }
    }
}

/// The names of a room document, as SQL sees them.
pub(super) struct OfRooms;

impl FieldMap for OfRooms {
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
                within: "r.id IN (SELECT x.room FROM members x WHERE TRUE",
                value: "x.usr",
            },
            "usernames" => Column::Each {
                within: "r.id IN (SELECT x.room FROM usernames x WHERE TRUE",
                value: "x.name",
            },
            // Of few rooms with a newest message, each asked by key.
            "lastMessage.mentions._id" => Column::Each {
                within: "EXISTS (SELECT 1 FROM mentioned x WHERE x.message = m.id",
                value: "x.usr",
            },
            path => return OfMessages.column(path.strip_prefix("lastMessage.")?),
        })
    }
}

/// The names of an account's document, as SQL sees them.
pub(super) struct OfUsers;

impl FieldMap for OfUsers {
    fn column(&self, path: &str) -> Option<Column> {
        Some(match path {
            "_id" => Column::Text("u.id"),
            "username" => Column::Text("u.username"),
            "name" => Column::Text("u.name"),
            "type" => Column::Text("u.kind"),
            "status" => Column::Text("u.status"),
            "active" => Column::Bool("u.active"),
            "lastLogin" => Column::Date("u.last_login"),
            _ => return None,
        })
    }
}
