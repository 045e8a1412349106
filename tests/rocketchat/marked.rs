//! `chat.getMentionedMessages`, `chat.getStarredMessages`, `chat.getPinnedMessages` (contract section
//! 9.1): the caller's own mentions and stars and a room's pins, by page.

use super::talk::{Talk, texts};
use super::{coded, keys, plain};
use crate::app::TestUser;
use serde_json::{Value, json};

const MENTIONED: &str = "chat.getMentionedMessages";
const STARRED: &str = "chat.getStarredMessages";
const PINNED: &str = "chat.getPinnedMessages";

async fn list(
    talk: &Talk,
    user: &TestUser,
    name: &str,
    more: &[(&str, &str)],
) -> (Vec<String>, [i64; 3]) {
    let query = [&[("roomId", talk.group.as_str())], more].concat();
    let body = talk.get(user, name, &query).await.ok();
    assert_eq!(keys(&body), ["count", "messages", "offset", "success", "total"]);
    let numbers = [&body["count"], &body["offset"], &body["total"]];
    (texts(&body, "messages"), numbers.map(|number| number.as_i64().unwrap()))
}

#[tokio::test]
async fn what_mentions_the_caller() {
    let talk = Talk::new().await;
    let first = talk.say(&talk.ann, &talk.group, "one @bob").await;
    for text in ["two @cat", "three @all", "four @bob @cat", "five", "`six @bob2`"] {
        talk.say(&talk.ann, &talk.group, text).await;
    }
    talk.reply(&talk.ann, &first, "a reply for @bob", false).await;
    talk.say(&talk.ann, &talk.pair, "elsewhere @bob").await;
    let his = list(&talk, &talk.bob, MENTIONED, &[]).await;
    assert_eq!(his.0, ["a reply for @bob", "four @bob @cat", "one @bob"]);
    assert_eq!(his.1, [3, 0, 3]);
    assert_eq!(list(&talk, &talk.cat, MENTIONED, &[]).await.1, [2, 0, 2]);
    assert_eq!(list(&talk, &talk.ann, MENTIONED, &[]).await, (Vec::new(), [0, 0, 0]));
    let sorted = list(&talk, &talk.bob, MENTIONED, &[("sort", r#"{"ts":1}"#)]).await;
    assert_eq!(sorted.0, ["one @bob", "four @bob @cat", "a reply for @bob"]);
    let page = [("count", "1"), ("offset", "1")];
    assert_eq!(list(&talk, &talk.bob, MENTIONED, &page).await.1, [1, 1, 3]);
    assert_eq!(list(&talk, &talk.bob, MENTIONED, &[("count", "0")]).await.1, [3, 0, 3]);
    // What an edit says counts.
    talk.edit(&talk.ann, &first, "one @cat").await;
    assert_eq!(list(&talk, &talk.bob, MENTIONED, &[]).await.1, [2, 0, 2]);
    assert_eq!(list(&talk, &talk.cat, MENTIONED, &[]).await.1, [3, 0, 3]);
    // The whole message, as other lists have it.
    let query = [("roomId", talk.group.as_str()), ("count", "1")];
    let body = talk.get(&talk.cat, MENTIONED, &query).await.ok();
    assert_eq!(body["messages"][0], talk.message(&talk.cat, &body["messages"][0]).await);
}

#[tokio::test]
async fn what_the_caller_starred() {
    let talk = Talk::new().await;
    for text in ["one", "two", "three"] {
        let sent = talk.say(&talk.ann, &talk.group, text).await;
        for (user, star) in [(&talk.bob, text != "two"), (&talk.cat, text == "two")] {
            if star {
                let body = json!({"messageId": sent["_id"]});
                talk.post(user, "chat.starMessage", body).await.ok();
            }
        }
    }
    assert_eq!(
        list(&talk, &talk.bob, STARRED, &[]).await,
        (vec!["three".into(), "one".into()], [2, 0, 2])
    );
    assert_eq!(list(&talk, &talk.cat, STARRED, &[]).await, (vec!["two".into()], [1, 0, 1]));
    assert_eq!(list(&talk, &talk.ann, STARRED, &[]).await, (Vec::new(), [0, 0, 0]));
    let query = [("roomId", talk.group.as_str())];
    let body = talk.get(&talk.bob, STARRED, &query).await.ok();
    assert_eq!(body["messages"][0]["starred"], json!([{"_id": talk.bob.id}]));
    let body = json!({"messageId": body["messages"][0]["_id"]});
    talk.post(&talk.bob, "chat.unStarMessage", body).await.ok();
    assert_eq!(list(&talk, &talk.bob, STARRED, &[]).await.0, ["one"]);
    // A filter of one's own narrows, and sees nobody else's stars.
    let filter = [("query", r#"{"msg":"two"}"#)];
    assert_eq!(list(&talk, &talk.bob, STARRED, &filter).await.1, [0, 0, 0]);
    let everything = [("query", r#"{"$or":[{"_id":{"$exists":true}},{"msg":"two"}]}"#)];
    assert_eq!(list(&talk, &talk.bob, STARRED, &everything).await.1, [1, 0, 1]);
}

#[tokio::test]
async fn what_is_pinned() {
    let talk = Talk::new().await;
    let one = talk.say(&talk.ann, &talk.group, "one").await;
    let two = talk.say(&talk.ann, &talk.group, "two").await;
    talk.say(&talk.ann, &talk.group, "three").await;
    assert_eq!(list(&talk, &talk.bob, PINNED, &[]).await, (Vec::new(), [0, 0, 0]));
    for message in [&one, &two] {
        talk.pin(&talk.ann, message).await;
    }
    assert_eq!(list(&talk, &talk.bob, PINNED, &[]).await.1, [2, 0, 2]);
    assert_eq!(list(&talk, &talk.bob, PINNED, &[("sort", r#"{"ts":1}"#)]).await.0, ["one", "two"]);
    assert_eq!(
        list(&talk, &talk.bob, PINNED, &[("count", "1"), ("offset", "1")]).await.1,
        [1, 1, 2]
    );
    talk.post(&talk.bob, "chat.unPinMessage", json!({"messageId": one["_id"]})).await.ok();
    assert_eq!(list(&talk, &talk.cat, PINNED, &[]).await.0, ["two"]);
    // What stays of a deleted one is not.
    talk.reply(&talk.bob, &two, "reply", false).await;
    talk.delete(&talk.ann, &two).await;
    assert_eq!(list(&talk, &talk.cat, PINNED, &[]).await, (Vec::new(), [0, 0, 0]));
}

#[tokio::test]
async fn what_is_refused() {
    let talk = Talk::new().await;
    talk.say(&talk.ann, &talk.pair, "between us @ann").await;
    let needed = "The required \"roomId\" query param is missing.";
    let long = "x".repeat(10_000);
    for (name, code) in [
        (MENTIONED, "error-invalid-params"),
        (STARRED, "error-invalid-params"),
        (PINNED, "error-roomId-param-not-provided"),
    ] {
        for query in [&[][..], &[("roomId", "")], &[("roomId[]", "x")]] {
            coded(&talk.get(&talk.ann, name, query).await, code, needed, &Value::Null);
        }
        for user in [&talk.eve, &talk.boss] {
            for room in [talk.pair.as_str(), "nothing", &long, &talk.ann.id, "{\"$ne\":null}"] {
                let answer = talk.get(user, name, &[("roomId", room)]).await;
                if name == PINNED {
                    coded(&answer, "error-not-allowed", "Not allowed", &Value::Null);
                } else {
                    plain(&answer, 400, "error-not-allowed");
                }
            }
        }
        let room = ("roomId", talk.pair.as_str());
        for (key, value, kind) in [
            ("sort", "{", "error-invalid-sort"),
            ("sort", r#"{"ts":"x"}"#, "error-invalid-sort"),
            ("count", "abc", "invalid-params"),
            ("offset", "-1", "invalid-params"),
            ("count[]", "1", "invalid-params"),
        ] {
            let error = talk.get(&talk.ann, name, &[room, (key, value)]).await.expect(400);
            assert_eq!(error["errorType"], kind, "{name} {key}");
        }
        let answer = talk.get(&talk.ann, name, &[("roomId", "a\0")]).await;
        plain(&answer, 400, "Invalid query parameters");
    }
}
