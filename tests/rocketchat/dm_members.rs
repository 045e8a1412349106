//! `dm.members` (contract section 5.12): who is in a room, by filter, status and page.

use super::talk::Talk;
use super::{coded, each, keys, plain, schema};
use parlance_core::UserId;
use parlance_core::account::Authority;
use serde_json::{Value, json};

async fn names(talk: &Talk, more: &[(&str, &str)]) -> Vec<String> {
    let query = [&[("roomId", talk.group.as_str())], more].concat();
    each(&talk.get(&talk.ann, "dm.members", &query).await.ok(), "members", "username")
}

#[tokio::test]
async fn members_and_how_many() {
    let talk = Talk::new().await;
    let body = talk.get(&talk.ann, "dm.members", &[("roomId", &talk.pair)]).await.ok();
    assert_eq!(keys(&body), ["count", "members", "offset", "success", "total"]);
    assert_eq!(
        (&body["count"], &body["offset"], &body["total"]),
        (&json!(2), &json!(0), &json!(2))
    );
    let him = body["members"].as_array().unwrap().iter().find(|m| m["_id"] == talk.bob.id);
    let want = json!({"_id": talk.bob.id, "username": "bob", "name": "bob", "status": "offline",
        "statusText": "", "utcOffset": 0});
    assert_eq!(him.unwrap(), &want);
    for query in [("username", "bob"), ("username", "@bob"), ("roomId", talk.bob.id.as_str())] {
        assert_eq!(talk.get(&talk.ann, "im.members", &[query]).await.ok(), body, "{query:?}");
    }
}

#[tokio::test]
async fn whoever_changed_last_comes_first_and_then_by_name() {
    let talk = Talk::new().await;
    // Accounts were made at one time; two change at one time later.
    talk.tick();
    for user in [&talk.cat, &talk.bob] {
        talk.post(user, "users.setStatus", json!({"status": "busy", "message": "x"})).await.ok();
    }
    assert_eq!(names(&talk, &[]).await, ["bob", "cat", "ann"]);
    assert_eq!(names(&talk, &[("sort", r#"{"username":1}"#)]).await, ["bob", "cat", "ann"]);
    assert_eq!(names(&talk, &[("sort", r#"{"username":-1}"#)]).await, ["cat", "bob", "ann"]);
    assert_eq!(names(&talk, &[("sort", r#"{"name":-1}"#)]).await, ["bob", "cat", "ann"]);
    assert_eq!(names(&talk, &[("status[]", "busy")]).await, ["bob", "cat"]);
    assert_eq!(names(&talk, &[("status[]", "offline")]).await, ["ann"]);
    let two = [("status[]", "busy"), ("status[]", "offline")];
    assert_eq!(names(&talk, &two).await, ["bob", "cat", "ann"]);
    assert!(names(&talk, &[("status[]", "away")]).await.is_empty());
}

#[tokio::test]
async fn pages_and_filters() {
    let talk = Talk::new().await;
    let page = async |more: &[(&str, &str)]| {
        let query = [&[("roomId", talk.group.as_str())], more].concat();
        let body = talk.get(&talk.ann, "dm.members", &query).await.ok();
        let numbers = [&body["count"], &body["offset"], &body["total"]];
        (each(&body, "members", "username"), numbers.map(|n| n.as_i64().unwrap()))
    };
    let some = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    assert_eq!(page(&[("count", "2")]).await, (some(&["ann", "bob"]), [2, 0, 3]));
    assert_eq!(page(&[("count", "2"), ("offset", "2")]).await, (some(&["cat"]), [1, 2, 3]));
    assert_eq!(page(&[("offset", "9")]).await, (some(&[]), [0, 9, 3]));
    assert_eq!(page(&[("count", "0")]).await.1, [3, 0, 3]);
    assert_eq!(page(&[("filter", "A")]).await, (some(&["ann", "cat"]), [2, 0, 2]));
    assert_eq!(page(&[("filter", "cA"), ("count", "1")]).await, (some(&["cat"]), [1, 0, 1]));
    for nothing in ["zzz", ".*", "%", "^a", "[", "\\"] {
        assert_eq!(page(&[("filter", nothing)]).await, (some(&[]), [0, 0, 0]), "{nothing}");
    }
    // Read and unused.
    assert_eq!(page(&[("query", r#"{"username":"bob"}"#)]).await.1, [3, 0, 3]);
}

#[tokio::test]
async fn only_active_accounts_count() {
    let talk = Talk::new().await;
    let id = UserId::from(talk.bob.id.as_str());
    talk.app.core.set_active(Authority::Operator, &id, false).await.unwrap();
    let body = talk.get(&talk.ann, "dm.members", &[("roomId", &talk.pair)]).await.ok();
    assert_eq!(
        (each(&body, "members", "username"), &body["total"]),
        (vec!["ann".into()], &json!(1))
    );
}

#[tokio::test]
async fn what_is_refused() {
    let talk = Talk::new().await;
    let ask = async |query: &[(&str, &str)]| talk.get(&talk.ann, "dm.members", query).await;
    let neither = "must have required property 'roomId'\n must have required property 'username'\n \
                   must match exactly one schema in oneOf";
    schema(&ask(&[]).await, neither);
    let room = ("roomId", talk.pair.as_str());
    for query in [&[room, ("fields", "{}")][..], &[room, ("nothing", "x")]] {
        let error = ask(query).await.expect(400)["error"].clone();
        assert!(error.as_str().unwrap().starts_with("must NOT have additional properties\n "));
    }
    for (name, value, text) in [
        ("count", "abc", "must be number"),
        ("offset", "x", "must be number"),
        ("status", "online", "must be array"),
        ("filter[]", "x", "must be string"),
    ] {
        let error = ask(&[room, (name, value)]).await.expect(400)["error"].clone();
        assert!(error.as_str().unwrap().starts_with(text), "{name}: {error}");
    }
    let allowed = "must be equal to one of the allowed values";
    schema(&ask(&[room, ("status[]", "asleep")]).await, allowed);
    let answer = ask(&[room, ("sort", "{")]).await;
    let details = json!({"helperMethod": "parseJsonQuery"});
    let text = "Invalid sort parameter provided: \"{\"";
    coded(&answer, "error-invalid-sort", text, &details);
    for user in [&talk.eve, &talk.boss] {
        for room in [&talk.pair, &talk.group] {
            let answer = talk.get(user, "im.members", &[("roomId", room)]).await;
            plain(&answer, 403, "unauthorized");
        }
        let long = "x".repeat(10_000);
        for query in [("roomId", "nothing"), ("username", "nothing"), ("roomId", &long)] {
            let answer = talk.get(user, "im.members", &[query]).await;
            coded(&answer, "invalid-channel", "", &Value::Null);
        }
    }
}
