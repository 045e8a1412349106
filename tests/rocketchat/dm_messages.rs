//! `dm.messages` (contract sections 4.5 and 5.7): paging, order, fields, and the lists of marks.

use super::{coded, each, schema, set, view};
use crate::app::{Answer, START, TestApp, TestUser, app};
use serde_json::{Value, json};

/// Five messages a second apart in the room of ann and bob, oldest first: their ids.
struct Talk {
    app: TestApp,
    boss: TestUser,
    ann: TestUser,
    bob: TestUser,
    room: String,
    ids: Vec<String>,
}

impl Talk {
    async fn new() -> Self {
        let app = app().await;
        let boss = app.admin("root").await;
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let room = app.rocket(&ann).open("bob").await;
        let mut ids = Vec::new();
        let texts = [
            (&ann, "delta"),
            (&bob, "Bravo @ann"),
            (&ann, "alpha @bob"),
            (&bob, "charlie"),
            (&ann, "alpha @ann @bob"),
        ];
        for (n, (user, text)) in (1..).zip(texts) {
            app.clock.move_to(START + 1000 * n);
            let sent = app.rocket(user).say(&room, text).await;
            ids.push(sent["_id"].as_str().unwrap().to_owned());
        }
        Self { app, boss, ann, bob, room, ids }
    }

    async fn get(&self, query: &[(&str, &str)]) -> Answer {
        let mut params = vec![("roomId", self.room.as_str())];
        params.extend(query);
        self.app.rocket(&self.ann).get("dm.messages", &params).await
    }

    /// The numbers of the messages that came, in their order.
    async fn places(&self, query: &[(&str, &str)]) -> Vec<usize> {
        let ids = each(&self.get(query).await.ok(), "messages", "_id");
        ids.iter().map(|id| self.ids.iter().position(|known| known == id).unwrap()).collect()
    }
}

#[tokio::test]
async fn newest_first_with_the_whole_message() {
    let talk = Talk::new().await;
    let body = talk.get(&[("count", "1")]).await.ok();
    let at = parlance_core::time::iso(START + 5000);
    let mention = |user: &TestUser| json!({"_id": user.id, "username": user.username, "name": user.username, "type": "user"});
    let node = |kind: &str, text: &str| json!({"type": kind, "value": text});
    let named = |name: &str| json!({"type": "MENTION_USER", "value": node("PLAIN_TEXT", name)});
    let md = json!([{"type": "PARAGRAPH", "value": [node("PLAIN_TEXT", "alpha "), named("ann"),
        node("PLAIN_TEXT", " "), named("bob")]}]);
    let mut message = body["messages"][0].clone();
    let mut mentions = message["mentions"].as_array().unwrap().clone();
    mentions.sort_by_key(|mention| mention["username"].as_str().unwrap().to_owned());
    assert_eq!(mentions, [mention(&talk.ann), mention(&talk.bob)]);
    message.as_object_mut().unwrap().remove("mentions");
    let u = json!({"_id": talk.ann.id, "username": "ann", "name": "ann"});
    let want = json!({"_id": talk.ids[4], "rid": talk.room, "msg": "alpha @ann @bob", "ts": at,
        "u": u, "_updatedAt": at, "urls": [], "channels": [], "md": md});
    assert_eq!(message, want);
    let counts = json!([body["count"], body["offset"], body["total"], body["success"]]);
    assert_eq!(counts, json!([1, 0, 5, true]));
    assert_eq!(talk.places(&[]).await, [4, 3, 2, 1, 0]);
}

#[tokio::test]
async fn paging() {
    let talk = Talk::new().await;
    for (query, want) in [
        (&[("count", "2")][..], &[4, 3][..]),
        (&[("count", "2"), ("offset", "1")], &[3, 2]),
        (&[("offset", "4")], &[0]),
        (&[("offset", "5")], &[]),
        (&[("count", "0")], &[4, 3, 2, 1, 0]),
        (&[("count", "1000000000000")], &[4, 3, 2, 1, 0]),
        (&[("offset", "1000000000000")], &[]),
        (&[("count", "2"), ("offset", "1"), ("sort", r#"{"ts":1}"#)], &[1, 2]),
    ] {
        assert_eq!(talk.places(query).await, want, "{query:?}");
        let body = talk.get(query).await.ok();
        assert_eq!((&body["count"], &body["total"]), (&json!(want.len()), &json!(5)));
    }
    set(&talk.app, &talk.boss, "API_Upper_Count_Limit", json!(2)).await;
    assert_eq!(talk.places(&[("count", "1000000000000")]).await, [4, 3]);
    set(&talk.app, &talk.boss, "API_Default_Count", json!(1)).await;
    assert_eq!(talk.places(&[]).await, [4]);
    assert_eq!(talk.places(&[("count", "0")]).await.len(), 5);
}

#[tokio::test]
async fn every_documented_sort_key_both_ways() {
    let talk = Talk::new().await;
    let mut by_id: Vec<usize> = (0..5).collect();
    by_id.sort_by_key(|n| &talk.ids[*n]);
    let reversed: Vec<usize> = by_id.iter().rev().copied().collect();
    // Without a mention first; then by the least id, or by the greatest.
    let (up, down) = if talk.ann.id < talk.bob.id {
        (vec![0, 3, 1, 4, 2], vec![2, 4, 1, 0, 3])
    } else {
        (vec![0, 3, 2, 4, 1], vec![1, 4, 2, 0, 3])
    };
    for (sort, want) in [
        (r#"{"ts":1}"#, vec![0, 1, 2, 3, 4]),
        (r#"{"ts":-1}"#, vec![4, 3, 2, 1, 0]),
        (r#"{"u.username":1,"ts":1}"#, vec![0, 2, 4, 1, 3]),
        (r#"{"u.username":-1,"ts":1}"#, vec![1, 3, 0, 2, 4]),
        (r#"{"msg":1}"#, vec![1, 4, 2, 3, 0]),
        (r#"{"msg":-1}"#, vec![0, 3, 2, 4, 1]),
        (r#"{"_id":1}"#, by_id.clone()),
        (r#"{"_id":-1}"#, reversed),
        (r#"{"value":-1,"_id":1}"#, by_id),
        (r#"{"mentions._id":1,"ts":1}"#, up),
        (r#"{"mentions._id":-1,"ts":1}"#, down),
    ] {
        assert_eq!(talk.places(&[("sort", sort)]).await, want, "{sort}");
        let page = talk.places(&[("sort", sort), ("offset", "2"), ("count", "2")]).await;
        assert_eq!(page, want[2..4], "{sort}");
    }
}

#[tokio::test]
async fn a_sort_that_is_none_or_secret() {
    let talk = Talk::new().await;
    for raw in [
        "{",
        "[]",
        r#"{"ts":2}"#,
        r#"{"ts":"-1"}"#,
        r#"{"members":1}"#,
        r#"{"ts":1,"ts":-1}"#,
        r#"{"$where":1}"#,
    ] {
        let answer = talk.get(&[("sort", raw)]).await;
        let text = format!("Invalid sort parameter provided: \"{raw}\"");
        let helper = json!({"helperMethod": "parseJsonQuery"});
        coded(&answer, "error-invalid-sort", &text, &helper);
    }
    // Not a secret of this document: a field that is missing orders nothing.
    assert_eq!(talk.places(&[("sort", r#"{"u.services":1,"ts":1}"#)]).await, [0, 1, 2, 3, 4]);
}

#[tokio::test]
async fn fields_project() {
    let talk = Talk::new().await;
    let first = async |fields: &str| {
        talk.get(&[("fields", fields), ("count", "1")]).await.ok()["messages"][0].clone()
    };
    let id = &talk.ids[4];
    assert_eq!(first(r#"{"msg":1}"#).await, json!({"_id": id, "msg": "alpha @ann @bob"}));
    assert_eq!(first(r#"{"msg":1,"_id":0}"#).await, json!({"msg": "alpha @ann @bob"}));
    assert_eq!(first(r#"{"u.username":1}"#).await, json!({"_id": id, "u": {"username": "ann"}}));
    let without = first(r#"{"md":0,"mentions":0,"urls":0}"#).await;
    assert_eq!(super::keys(&without), ["_id", "_updatedAt", "channels", "msg", "rid", "ts", "u"]);
    for raw in ["{", "1", r#"{"msg":2}"#, r#"{"msg":{"$ne":1}}"#] {
        let text = format!("Invalid fields parameter provided: \"{raw}\"");
        let helper = json!({"helperMethod": "parseJsonQuery"});
        coded(&talk.get(&[("fields", raw)]).await, "error-invalid-fields", &text, &helper);
    }
}

#[tokio::test]
async fn mention_ids_as_one_id_a_list_or_an_array() {
    let talk = Talk::new().await;
    let (ann, bob) = (talk.ann.id.as_str(), talk.bob.id.as_str());
    for (value, want) in [
        (ann.to_owned(), &[4, 1][..]),
        (bob.to_owned(), &[4, 2]),
        (format!("{ann},{bob}"), &[4, 2, 1]),
        (format!(" {ann} , {bob} ,"), &[4, 2, 1]),
        (json!([ann]).to_string(), &[4, 1]),
        (json!([ann, bob]).to_string(), &[4, 2, 1]),
        (format!(" {}", json!([bob])), &[4, 2]),
        ("nobody".to_owned(), &[]),
        (String::new(), &[4, 3, 2, 1, 0]),
    ] {
        assert_eq!(talk.places(&[("mentionIds", &value)]).await, want, "{value}");
        assert_eq!(talk.get(&[("mentionIds", &value)]).await.ok()["total"], want.len());
    }
}

#[tokio::test]
async fn starred_ids_find_anybodys_star_and_show_only_ones_own() {
    let talk = Talk::new().await;
    let (ann, bob) = (talk.ann.id.as_str(), talk.bob.id.as_str());
    for (user, n) in [(&talk.ann, 0), (&talk.bob, 2), (&talk.ann, 3), (&talk.bob, 3)] {
        let body = json!({"messageId": talk.ids[n]});
        talk.app.rocket(user).post("chat.starMessage", body).await.ok();
    }
    let both = json!([ann, bob]).to_string();
    for (value, want) in [(ann, &[3, 0][..]), (bob, &[3, 2]), (&both, &[3, 2, 0])] {
        assert_eq!(talk.places(&[("starredIds", value)]).await, want, "{value}");
    }
    let body = talk.get(&[("starredIds", bob)]).await.ok();
    assert_eq!(body["messages"][0]["starred"], json!([{"_id": ann}]));
    assert!(body["messages"][1].get("starred").is_none());
    // Under `query` there is only the caller's own.
    let query = |id: &str| json!({"starred._id": id}).to_string();
    assert_eq!(talk.places(&[("query", &query(ann))]).await, [3, 0]);
    assert_eq!(talk.places(&[("query", &query(bob))]).await, Vec::<usize>::new());
    // One list and the other: both must hold.
    assert_eq!(talk.places(&[("starredIds", bob), ("mentionIds", bob)]).await, [2]);
}

#[tokio::test]
async fn a_list_of_ids_that_is_none() {
    let talk = Talk::new().await;
    for name in ["mentionIds", "starredIds"] {
        let many = json!(vec!["x"; 101]).to_string();
        for raw in
            ["[1,2]", "[", r#"["a",{"$ne":null}]"#, r#"[["a"]]"#, "[null]", r#"["\u0000"]"#, &many]
        {
            let text = format!("The \"{name}\" parameter must be a list of ids.");
            coded(&talk.get(&[(name, raw)]).await, "error-invalid-params", &text, &Value::Null);
        }
        let required = "must have required property 'username'";
        let text = format!("must be string\n {required}\n must match exactly one schema in oneOf");
        schema(&talk.get(&[(name, "a"), (name, "b")]).await, &text);
        let key = format!("{name}[]");
        schema(&talk.get(&[(&key, "a")]).await, &text);
    }
    // An operator is a text like any other: an id that nobody has.
    assert_eq!(talk.places(&[("mentionIds", r#"{"$ne":null}"#)]).await, Vec::<usize>::new());
}

#[tokio::test]
async fn pinned_messages() {
    let talk = Talk::new().await;
    let body = json!({"messageId": talk.ids[1]});
    talk.app.rocket(&talk.boss).post("chat.pinMessage", body.clone()).await.expect(400);
    super::grant(&talk.app, &talk.boss, "pin-message", &["admin", "user"]).await;
    talk.app.rocket(&talk.ann).post("chat.pinMessage", body.clone()).await.ok();
    for value in ["true", "TRUE", "True"] {
        assert_eq!(talk.places(&[("pinned", value)]).await, [1], "{value}");
    }
    let of_ann = [("pinned", "true"), ("mentionIds", talk.ann.id.as_str())];
    assert_eq!(talk.places(&of_ann).await, [1]);
    let of_bob = [("pinned", "true"), ("mentionIds", talk.bob.id.as_str())];
    assert_eq!(talk.places(&of_bob).await, Vec::<usize>::new());
    for value in ["false", "", "yes", "1"] {
        // The pin's own notice is a message of the room.
        assert_eq!(talk.get(&[("pinned", value)]).await.ok()["total"], 6, "{value}");
    }
    talk.app.rocket(&talk.ann).post("chat.unPinMessage", body).await.ok();
    assert_eq!(talk.places(&[("pinned", "true")]).await, Vec::<usize>::new());
}

#[tokio::test]
async fn reading_changes_nothing() {
    let talk = Talk::new().await;
    let read = async || view(&talk.app, &talk.ann, &talk.room).await;
    talk.app.rocket(&talk.bob).say(&talk.room, "unread").await;
    talk.app.rocket(&talk.ann).post("dm.close", json!({"roomId": talk.room})).await.ok();
    let before = read().await;
    talk.get(&[]).await.ok();
    for query in [("username", "bob"), ("roomId", talk.bob.id.as_str())] {
        talk.app.rocket(&talk.ann).get("dm.messages", &[query]).await.ok();
    }
    let after = read().await;
    assert_eq!(before.member(), after.member());
    assert_eq!(after.member().unread(after.room()), 1);
    assert!(!after.member().is_open(after.room()));
}
