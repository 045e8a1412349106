//! A small field map, shared by the tests of the SQL.

use parlance_query::{Column, FieldMap};

/// Messages with two child tables.
pub(crate) struct Messages;

impl FieldMap for Messages {
    fn column(&self, path: &str) -> Option<Column> {
        Some(match path {
            "_id" => Column::Text("m.id"),
            "msg" => Column::Text("m.msg"),
            "n" => Column::Int("m.n"),
            "pinned" => Column::Bool("m.pinned"),
            "ts" => Column::Date("m.ts"),
            "u._id" => Column::Text("m.usr"),
            "t" => Column::Const("d"),
            "ghost" => Column::Never,
            "tags" => Column::Each {
                within: "m.id IN (SELECT x.message FROM tags x WHERE TRUE",
                value: "x.tag",
            },
            "mentions._id" => Column::Each {
                within: "EXISTS (SELECT 1 FROM mentioned x WHERE x.message = m.id",
                value: "x.usr",
            },
            _ => return None,
        })
    }
}
