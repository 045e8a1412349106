//! What a message may hold, what its text becomes, and how long it can be changed.

use super::scene::status;
use super::{Row, Scene, row, switched};
use serde_json::{Value, json};

/// The kinds of what stands in a text beside plain words.
async fn kinds(s: &Scene, text: &str) -> Value {
    let said = s.say(text).await;
    let parts = said["md"][0]["value"].as_array().unwrap().iter();
    parts.map(|part| part["type"].clone()).filter(|kind| kind != "PLAIN_TEXT").collect()
}

/// Ann changes a message of hers, so many minutes later.
async fn edits(s: &Scene, minutes: i64) -> Value {
    let said = s.say("before").await;
    s.later(minutes);
    let body = json!({"roomId": s.room, "msgId": said["_id"], "text": "after"});
    status(&s.post(&s.ann, "chat.update", body).await)
}

/// Ann removes a message of hers, so many minutes later; with what is seen of it then.
async fn deletes(s: &Scene, minutes: i64) -> [Value; 2] {
    let said = s.say("before").await;
    s.later(minutes);
    let body = json!({"roomId": s.room, "msgId": said["_id"]});
    let deleted = status(&s.post(&s.ann, "chat.delete", body).await);
    let query = [("msgId", said["_id"].as_str().unwrap())];
    [deleted, status(&s.get(&s.ann, "chat.getMessage", &query).await)]
}

/// How many older texts of a message that was changed are given; null where none are.
async fn versions(s: &Scene) -> Value {
    let said = s.say("before").await;
    let body = json!({"roomId": s.room, "msgId": said["_id"], "text": "after"});
    s.post(&s.ann, "chat.update", body).await.ok();
    let query = [("msgId", said["_id"].as_str().unwrap())];
    let answer = s.get(&s.ann, "chat.getEditHistory", &query).await.json();
    answer["versions"].as_array().map_or(Value::Null, |all| json!(all.len()))
}

#[expect(clippy::too_many_lines, reason = "a table, a row per setting")]
pub(super) fn rows() -> Vec<Row> {
    let refused = || [json!(200), json!(400)];
    vec![
        row(
            "Message_MaxAllowedSize",
            |_| json!(3),
            refused(),
            |s| Box::pin(s.sends(json!({"msg": "four"}))),
        ),
        row(
            "Message_MaxAll",
            |_| json!(1),
            refused(),
            |s| Box::pin(s.sends(json!({"msg": "hello @all"}))),
        ),
        row(
            "Message_CustomFields_Enabled",
            |_| json!(true),
            [json!(400), json!(200)],
            |s| Box::pin(s.sends(json!({"customFields": {"a": 1}}))),
        ),
        row("Message_AllowEditing", |_| json!(false), refused(), |s| Box::pin(edits(s, 0))),
        row(
            "Message_AllowEditing_BlockEditInMinutes",
            |_| json!(1),
            refused(),
            |s| Box::pin(edits(s, 2)),
        ),
        row(
            "Message_AllowDeleting",
            |_| json!(false),
            refused(),
            |s| Box::pin(async move { deletes(s, 0).await[0].take() }),
        ),
        row(
            "Message_AllowDeleting_BlockDeleteInMinutes",
            |_| json!(1),
            refused(),
            |s| Box::pin(async move { deletes(s, 2).await[0].take() }),
        ),
        row(
            "Message_ShowDeletedStatus",
            |_| json!(true),
            [json!(400), json!(200)],
            |s| Box::pin(async move { deletes(s, 0).await[1].take() }),
        ),
        row(
            "Message_KeepHistory",
            |_| json!(true),
            [json!(0), json!(1)],
            |s| Box::pin(versions(s)),
        )
        .laid(|_| vec![("Parlance_Edit_History_Readable", json!(true))]),
        row(
            "Parlance_Edit_History_Readable",
            |_| json!(true),
            [Value::Null, json!(1)],
            |s| Box::pin(versions(s)),
        )
        .laid(|_| vec![("Message_KeepHistory", json!(true))]),
        row(
            "Message_AlwaysSearchRegExp",
            |_| json!(true),
            [json!(0), json!(1)],
            |s| {
                Box::pin(async move {
                    let name = s.name();
                    s.say(&format!("xyzzy{name}")).await;
                    // Not at the beginning of a word.
                    let text = format!("zzy{name}");
                    let query = [("roomId", s.room.as_str()), ("searchText", &text)];
                    let found = s.get(&s.ann, "chat.search", &query).await.ok();
                    json!(found["messages"].as_array().unwrap().len())
                })
            },
        ),
        row(
            "Message_QuoteChainLimit",
            |_| json!(0),
            [json!(1), json!(0)],
            |s| {
                Box::pin(async move {
                    let said = s.say("quote me").await;
                    let id = said["_id"].as_str().unwrap();
                    let link = format!("http://localhost:3000/direct/x?msg={id}");
                    json!(s.say(&link).await["attachments"].as_array().map_or(0, Vec::len))
                })
            },
        ),
    ]
}

pub(super) fn texts() -> Vec<Row> {
    let [darn, stars] = [json!("darn it"), json!("**** it")];
    let says: super::See = |s| Box::pin(async move { s.say("darn it").await["msg"].take() });
    let katex: super::See = |s| Box::pin(kinds(s, "\\(x\\)"));
    vec![
        row("Message_AllowBadWordsFilter", |_| json!(true), [darn.clone(), stars.clone()], says)
            .laid(|_| vec![("Message_BadWordsFilterList", json!("heck, Darn"))]),
        row(
            "Message_BadWordsFilterList",
            |_| json!("heck, Darn"),
            [darn.clone(), stars.clone()],
            says,
        )
        .laid(|_| vec![("Message_AllowBadWordsFilter", json!(true))]),
        row("Message_BadWordsWhitelist", |_| json!("DARN"), [stars, darn], says).laid(|_| {
            vec![
                ("Message_AllowBadWordsFilter", json!(true)),
                ("Message_BadWordsFilterList", json!("darn")),
            ]
        }),
        row(
            "HexColorPreview_Enabled",
            |_| json!(false),
            [json!(["COLOR"]), json!([])],
            |s| Box::pin(kinds(s, "a color:#ff0000")),
        ),
        row("Katex_Enabled", |_| json!(false), [json!(["INLINE_KATEX"]), json!([])], katex),
        row(
            "Katex_Parenthesis_Syntax",
            |_| json!(false),
            [json!(["INLINE_KATEX"]), json!([])],
            katex,
        ),
        row(
            "Katex_Dollar_Syntax",
            |_| json!(true),
            [json!([]), json!(["INLINE_KATEX"])],
            |s| Box::pin(kinds(s, "a $y$")),
        ),
        row(
            "Message_CustomDomain_AutoLink",
            |_| json!("x, intranet"),
            [json!([]), json!(["LINK"])],
            |s| Box::pin(kinds(s, "see wiki.intranet")),
        ),
    ]
}

#[tokio::test]
async fn they_do_what_they_say() {
    switched(rows()).await;
}

#[tokio::test]
async fn they_change_what_a_text_becomes() {
    switched(texts()).await;
}
