//! The bounds of `query`, `sort` and `fields`.

use super::scene::status;
use super::{Row, Scene, row, switched};
use serde_json::{Value, json};

/// Does a page of Ann's messages take this parameter?
async fn takes(s: &Scene, name: &str, text: &str) -> Value {
    let query = [("roomId", s.room.as_str()), (name, text)];
    status(&s.get(&s.ann, "dm.messages", &query).await)
}

#[expect(clippy::too_many_lines, reason = "a table, a row per setting")]
pub(super) fn rows() -> Vec<Row> {
    let refused = || [json!(200), json!(400)];
    vec![
        row(
            "Parlance_Query_And_Fields",
            |_| json!("strict"),
            refused(),
            |s| Box::pin(async move { takes(s, "query", "{}").await }),
        ),
        row(
            "Parlance_Query_Max_Bytes",
            |_| json!(100),
            refused(),
            |s| {
                Box::pin(async move {
                    takes(s, "query", &json!({"msg": "x".repeat(99)}).to_string()).await
                })
            },
        ),
        row(
            "Parlance_Query_Max_Depth",
            |_| json!(3),
            refused(),
            |s| {
                Box::pin(async move { takes(s, "query", r#"{"$or":[{"msg":{"$gt":"x"}}]}"#).await })
            },
        ),
        row(
            "Parlance_Query_Max_Conditions",
            |_| json!(4),
            refused(),
            |s| {
                Box::pin(
                    async move { takes(s, "query", r#"{"a":1,"b":1,"c":1,"d":1,"e":1}"#).await },
                )
            },
        ),
        row(
            "Parlance_Query_Max_Values",
            |_| json!(3),
            refused(),
            |s| Box::pin(async move { takes(s, "query", r#"{"msg":{"$in":[1,2,3,4]}}"#).await }),
        ),
        row(
            "Parlance_Query_Max_Regexes",
            |_| json!(1),
            refused(),
            |s| {
                Box::pin(async move {
                    takes(s, "query", r#"{"msg":{"$regex":"a"},"t":{"$regex":"b"}}"#).await
                })
            },
        ),
        row(
            "Parlance_Query_Max_Regex_Bytes",
            |_| json!(20),
            refused(),
            |s| {
                Box::pin(async move {
                    takes(s, "query", &json!({"msg": {"$regex": "x".repeat(40)}}).to_string()).await
                })
            },
        ),
        row(
            "Parlance_Query_Max_Regex_Size",
            |_| json!(5000),
            refused(),
            |s| {
                Box::pin(
                    async move { takes(s, "query", r#"{"msg":{"$regex":"\\p{L}{4}"}}"#).await },
                )
            },
        ),
        row(
            "Parlance_Query_Max_Sort_Keys",
            |_| json!(1),
            refused(),
            |s| Box::pin(async move { takes(s, "sort", r#"{"ts":1,"msg":1}"#).await }),
        ),
        row(
            "Parlance_Query_Max_Fields",
            |_| json!(1),
            refused(),
            |s| Box::pin(async move { takes(s, "fields", r#"{"ts":1,"msg":1}"#).await }),
        ),
    ]
}

#[tokio::test]
async fn they_do_what_they_say() {
    switched(rows()).await;
}
