//! `chat.*Thread*` and following (contract section 9.1): lists of threads and of replies, what of them
//! changed, who follows, and who may not.

use super::talk::{Talk, text, texts};
use super::{coded, each, keys, plain, schema, set};
use crate::app::{Answer, TestUser};
use parlance_core::time;
use serde_json::{Value, json};

const LONG_AGO: &str = "2020-01-01T00:00:00.000Z";

/// Three threads of Ann's in the group (and one message that is none), replied to by Bob in the order
/// second, first, third; returns the roots.
async fn three(talk: &Talk) -> Vec<Value> {
    let mut roots = Vec::new();
    for name in ["first root", "second ROOT", "third (root)"] {
        roots.push(talk.say(&talk.ann, &talk.group, name).await);
    }
    talk.say(&talk.ann, &talk.group, "no root").await;
    for n in [1, 0, 2] {
        talk.reply(&talk.bob, &roots[n], &format!("to {n}"), false).await;
    }
    roots
}

async fn list(talk: &Talk, user: &TestUser, more: &[(&str, &str)]) -> (Vec<String>, [i64; 3]) {
    let query = [&[("rid", talk.group.as_str())], more].concat();
    let body = talk.get(user, "chat.getThreadsList", &query).await.ok();
    assert_eq!(keys(&body), ["count", "offset", "success", "threads", "total"]);
    let numbers = [&body["count"], &body["offset"], &body["total"]];
    (texts(&body, "threads"), numbers.map(|number| number.as_i64().unwrap()))
}

fn some(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

const NEWEST: [&str; 3] = ["third (root)", "first root", "second ROOT"];

#[tokio::test]
async fn threads_by_their_newest_reply() {
    let talk = Talk::new().await;
    assert_eq!(list(&talk, &talk.ann, &[]).await, (Vec::new(), [0, 0, 0]));
    let roots = three(&talk).await;
    assert_eq!(list(&talk, &talk.cat, &[]).await, (some(&NEWEST), [3, 0, 3]));
    let query = [("rid", talk.group.as_str())];
    let body = talk.get(&talk.ann, "chat.getThreadsList", &query).await.ok();
    let now = talk.message(&talk.ann, &roots[2]).await;
    assert_eq!((&body["threads"][0], &now["tcount"]), (&now, &json!(1)));
    assert_eq!(now["tlm"], time::iso(talk.app.clock.now()));
    let mut all = [&talk.ann, &talk.bob, &talk.cat].map(|user| user.id.clone());
    all.sort_unstable();
    assert_eq!(now["replies"], json!(all));
    assert_eq!(list(&talk, &talk.ann, &[("count", "2")]).await, (some(&NEWEST[..2]), [2, 0, 3]));
    let rest = [("count", "2"), ("offset", "2")];
    assert_eq!(list(&talk, &talk.ann, &rest).await, (some(&NEWEST[2..]), [1, 2, 3]));
    assert_eq!(list(&talk, &talk.ann, &[("count", "0")]).await.1, [3, 0, 3]);
    let sorted = list(&talk, &talk.ann, &[("sort", r#"{"ts":1}"#)]).await.0;
    assert_eq!(sorted, ["first root", "second ROOT", "third (root)"]);
    // A thread whose replies are gone is still one; one whose root is gone is not.
    let query = [("tmid", text(&roots[0], "_id"))];
    let reply =
        talk.get(&talk.ann, "chat.getThreadMessages", &query).await.ok()["messages"][0].clone();
    talk.delete(&talk.bob, &reply).await;
    assert_eq!(list(&talk, &talk.ann, &[]).await.1, [3, 0, 3]);
    talk.delete(&talk.ann, &roots[0]).await;
    assert_eq!(list(&talk, &talk.ann, &[]).await.1, [2, 0, 2]);
}

#[tokio::test]
async fn threads_by_text() {
    let talk = Talk::new().await;
    three(&talk).await;
    let by = async |text: &str| list(&talk, &talk.ann, &[("text", text)]).await.0;
    assert_eq!(by("ROOT").await, NEWEST);
    assert_eq!(by("(root)").await, ["third (root)"]);
    assert_eq!(by("second r").await, ["second ROOT"]);
    assert_eq!(by("").await, NEWEST);
    for nothing in [".*", "no root", "to 1", "^first", "%", "$ne", "[", "\\"] {
        assert!(by(nothing).await.is_empty(), "{nothing}");
    }
}

#[tokio::test]
async fn threads_that_one_follows_or_has_not_read() {
    let talk = Talk::new().await;
    let roots = three(&talk).await;
    let by = async |user: &TestUser, kind: &str| list(&talk, user, &[("type", kind)]).await.0;
    assert_eq!(by(&talk.cat, "following").await, NEWEST);
    assert_eq!(by(&talk.cat, "unread").await, NEWEST);
    assert!(by(&talk.bob, "unread").await.is_empty(), "his own replies");
    assert_eq!(by(&talk.cat, "anything").await, NEWEST);
    let mid = json!({"mid": roots[2]["_id"]});
    let done = talk.post(&talk.cat, "chat.unfollowMessage", mid.clone()).await.ok();
    assert_eq!(done, json!({"success": true}));
    assert_eq!(by(&talk.cat, "following").await, NEWEST[1..]);
    assert_eq!(by(&talk.cat, "unread").await, NEWEST[1..], "not followed is read");
    assert!(
        !talk.message(&talk.ann, &roots[2]).await["replies"].to_string().contains(&talk.cat.id)
    );
    assert_eq!(by(&talk.ann, "unread").await, NEWEST, "of others' nothing changes");
    talk.post(&talk.cat, "chat.readThread", json!({"tmid": roots[0]["_id"]})).await.ok();
    assert_eq!(by(&talk.cat, "unread").await, NEWEST[2..]);
    assert_eq!(by(&talk.cat, "following").await, NEWEST[1..]);
    for _ in 0..2 {
        let done = talk.post(&talk.cat, "chat.followMessage", mid.clone()).await.ok();
        assert_eq!(done, json!({"success": true}));
    }
    assert_eq!(by(&talk.cat, "following").await, NEWEST);
    let replies = talk.message(&talk.ann, &roots[2]).await["replies"].to_string();
    assert_eq!(replies.matches(&talk.cat.id).count(), 1);
    talk.read(&talk.cat, &talk.group, true).await;
    assert!(by(&talk.cat, "unread").await.is_empty());
}

#[tokio::test]
async fn replies_oldest_first_without_their_root() {
    let talk = Talk::new().await;
    let root = talk.say(&talk.ann, &talk.group, "root").await;
    for n in 1..=3 {
        talk.reply(&talk.bob, &root, &format!("r{n}"), n == 2).await;
    }
    let id = text(&root, "_id");
    let replies = async |tmid: &str, more: &[(&str, &str)]| {
        let query = [&[("tmid", tmid)], more].concat();
        let body = talk.get(&talk.cat, "chat.getThreadMessages", &query).await.ok();
        assert_eq!(keys(&body), ["count", "messages", "offset", "success", "total"]);
        let numbers = [&body["count"], &body["offset"], &body["total"]];
        (texts(&body, "messages"), numbers.map(|number| number.as_i64().unwrap()))
    };
    assert_eq!(replies(id, &[]).await, (some(&["r1", "r2", "r3"]), [3, 0, 3]));
    assert_eq!(replies(id, &[("count", "1"), ("offset", "1")]).await, (some(&["r2"]), [1, 1, 3]));
    assert_eq!(replies(id, &[("sort", r#"{"ts":-1}"#)]).await.0, ["r3", "r2", "r1"]);
    assert_eq!(replies(id, &[("count", "0")]).await.1, [3, 0, 3]);
    // A reply's id names its thread; a message without replies has none.
    let listed = talk.get(&talk.cat, "chat.getThreadMessages", &[("tmid", id)]).await.ok();
    let first = text(&listed["messages"][0], "_id").to_owned();
    assert_eq!(listed["messages"][0]["tmid"], root["_id"]);
    assert_eq!(replies(&first, &[]).await.1, [3, 0, 3]);
    let alone = talk.say(&talk.ann, &talk.group, "alone").await;
    assert_eq!(replies(text(&alone, "_id"), &[]).await, (Vec::new(), [0, 0, 0]));
}

#[tokio::test]
async fn what_changed_of_threads_since() {
    let talk = Talk::new().await;
    let roots = three(&talk).await;
    let tmid = text(&roots[0], "_id");
    let sync = async |name: &str, key: &str, id: &str, since: &str| {
        let body = talk.get(&talk.cat, name, &[(key, id), ("updatedSince", since)]).await.ok();
        let list = if key == "rid" { "threads" } else { "messages" };
        assert_eq!(keys(&body), [list.min("success"), list.max("success")]);
        assert_eq!(keys(&body[list]), ["remove", "update"]);
        (texts(&body[list], "update"), body[list]["remove"].as_array().unwrap().len())
    };
    let threads = async |since: &str| sync("chat.syncThreadsList", "rid", &talk.group, since).await;
    let replies = async |since: &str| sync("chat.syncThreadMessages", "tmid", tmid, since).await;
    let now = || time::iso(talk.app.clock.now());
    let (mut all, gone) = threads(LONG_AGO).await;
    all.sort_unstable();
    assert_eq!((all, gone), (some(&["first root", "second ROOT", "third (root)"]), 0));
    assert_eq!(replies(LONG_AGO).await, (some(&["to 0"]), 0));
    let since = now();
    assert_eq!((threads(&since).await, replies(&since).await), ((Vec::new(), 0), (Vec::new(), 0)));
    let reply = talk.reply(&talk.bob, &roots[0], "later", false).await;
    assert_eq!(threads(&since).await, (some(&["first root"]), 0));
    assert_eq!(replies(&since).await, (some(&["later"]), 0));
    let since = now();
    talk.edit(&talk.bob, &reply, "edited").await;
    assert_eq!(replies(&since).await, (some(&["edited"]), 0));
    let since = now();
    talk.delete(&talk.bob, &reply).await;
    assert_eq!(
        (threads(&since).await.0, replies(&since).await),
        (some(&["first root"]), (Vec::new(), 1))
    );
}

#[tokio::test]
async fn what_the_lists_refuse() {
    let talk = Talk::new().await;
    let root = talk.say(&talk.ann, &talk.pair, "root").await;
    talk.reply(&talk.bob, &root, "reply", false).await;
    let ask = async |user: &TestUser, name: &str, query: &[(&str, &str)]| {
        talk.get(user, name, query).await
    };
    let (room, tmid) = (("rid", talk.pair.as_str()), ("tmid", text(&root, "_id")));
    let since = ("updatedSince", LONG_AGO);
    for query in [&[][..], &[("rid", "")], &[("rid[]", "x")]] {
        let error = ask(&talk.ann, "chat.getThreadsList", query).await.expect(400);
        assert!(error["error"].as_str().unwrap().starts_with("Match error: "), "{error}");
        let answer = ask(&talk.ann, "chat.syncThreadsList", query).await;
        assert_eq!(answer.expect(400)["errorType"], "error-room-id-param-not-provided");
    }
    for name in ["chat.getThreadMessages", "chat.syncThreadMessages"] {
        for query in [&[][..], &[("tmid", "")], &[("tmid[]", "x")]] {
            let text = "The required \"tmid\" query param is missing.";
            coded(&ask(&talk.ann, name, query).await, "error-invalid-params", text, &Value::Null);
        }
    }
    for bad in [&[][..], &[("updatedSince", "abc")], &[("updatedSince[]", LONG_AGO)]] {
        for (name, key) in [("chat.syncThreadsList", room), ("chat.syncThreadMessages", tmid)] {
            let answer = ask(&talk.ann, name, &[&[key], bad].concat()).await;
            assert_eq!(answer.expect(400)["errorType"], "error-updatedSince-param-invalid");
        }
    }
    let long = "x".repeat(10_000);
    for user in [&talk.eve, &talk.boss] {
        for rid in [talk.pair.as_str(), "nothing", &long] {
            for name in ["chat.getThreadsList", "chat.syncThreadsList"] {
                let answer = ask(user, name, &[("rid", rid), since]).await;
                coded(&answer, "error-not-allowed", "Not Allowed", &Value::Null);
            }
        }
        for id in [tmid.1, "nothing", &long, "{\"$ne\":null}"] {
            for name in ["chat.getThreadMessages", "chat.syncThreadMessages"] {
                let answer = ask(user, name, &[("tmid", id), since]).await;
                coded(&answer, "error-invalid-message", "Invalid Message", &Value::Null);
            }
        }
    }
    for (name, key) in [("chat.getThreadsList", room), ("chat.getThreadMessages", tmid)] {
        assert_eq!(ask(&talk.ann, name, &[key, ("count", "abc")]).await.status, 400);
        let raw = r#"{"ts":2}"#;
        let error = ask(&talk.ann, name, &[key, ("sort", raw)]).await.expect(400);
        assert_eq!(error["errorType"], "error-invalid-sort");
        plain(&ask(&talk.ann, name, &[(key.0, "a\0")]).await, 400, "Invalid query parameters");
    }
    set(&talk.app, &talk.boss, "Threads_enabled", json!(false)).await;
    for (name, key) in [
        ("chat.getThreadsList", room),
        ("chat.getThreadMessages", tmid),
        ("chat.syncThreadsList", room),
        ("chat.syncThreadMessages", tmid),
    ] {
        let answer = ask(&talk.ann, name, &[key, since]).await;
        coded(&answer, "error-not-allowed", "Threads Disabled", &Value::Null);
    }
}

#[tokio::test]
async fn what_following_refuses() {
    let talk = Talk::new().await;
    let root = talk.say(&talk.ann, &talk.pair, "root").await;
    talk.reply(&talk.bob, &root, "reply", false).await;
    let sentence = |answer: &Answer, text: &str| {
        let want = json!({"success": false, "error": format!("[{text}]"), "errorType": text});
        assert_eq!(answer.expect(400), want);
    };
    let before = talk.message(&talk.ann, &root).await;
    for (name, key) in [
        ("chat.followMessage", "mid"),
        ("chat.unfollowMessage", "mid"),
        ("chat.readThread", "tmid"),
    ] {
        let ask =
            async |user: &TestUser, id: Value| talk.post(user, name, json!({ key: id })).await;
        let text = format!("The required \"{key}\" body param is missing.");
        sentence(&talk.post(&talk.ann, name, json!({})).await, &text);
        for empty in [json!(""), json!("  "), Value::Null] {
            sentence(&ask(&talk.ann, empty).await, &text);
        }
        for bad in [json!({"$ne": null}), json!([root["_id"]]), json!(1), json!(true)] {
            schema(&ask(&talk.ann, bad).await, "must be string");
        }
        let long = json!("x".repeat(10_000));
        for user in [&talk.eve, &talk.boss] {
            for id in [root["_id"].clone(), json!("nothing"), long.clone()] {
                let answer = ask(user, id).await;
                coded(&answer, "error-invalid-message", "Invalid message", &Value::Null);
            }
        }
        assert_eq!(ask(&talk.ann, json!("a\0")).await.status, 400);
    }
    assert_eq!(talk.message(&talk.ann, &root).await, before);
    set(&talk.app, &talk.boss, "Threads_enabled", json!(false)).await;
    for name in ["chat.followMessage", "chat.unfollowMessage"] {
        let answer = talk.post(&talk.ann, name, json!({"mid": root["_id"]})).await;
        coded(&answer, "error-not-allowed", "not-allowed", &Value::Null);
    }
}

#[tokio::test]
async fn threads_show_ones_own_stars_only() {
    let talk = Talk::new().await;
    let root = talk.say(&talk.ann, &talk.group, "root").await;
    let reply = talk.reply(&talk.bob, &root, "reply", false).await;
    for message in [&root, &reply] {
        let body = json!({"messageId": message["_id"]});
        talk.post(&talk.cat, "chat.starMessage", body).await.ok();
    }
    let query = [("rid", talk.group.as_str()), ("tmid", text(&root, "_id"))];
    for (user, starred) in [(&talk.ann, false), (&talk.cat, true)] {
        for (name, list) in
            [("chat.getThreadsList", "threads"), ("chat.getThreadMessages", "messages")]
        {
            let body = talk.get(user, name, &query).await.ok();
            let stars = body[list][0].get("starred").filter(|stars| **stars != json!([]));
            assert_eq!(stars.is_some(), starred, "{name}");
            assert_eq!(each(&body, list, "rid"), [talk.group.as_str()]);
        }
    }
}
