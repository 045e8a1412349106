//! `query` on `dm.messages` (contract section 4.4, rulings B5 and B10): every operator that the
//! documents promise, and that no disguise of `rid` ever leaves the room.

use super::{coded, each};
use crate::app::{Answer, START, TestApp, TestUser, app};
use serde_json::{Value, json};

struct Talk {
    app: TestApp,
    ann: TestUser,
    bob: TestUser,
    room: String,
}

impl Talk {
    /// `one`, `Two`, `three` (a reply to `one`) and `four four` in the room of ann and bob; the first
    /// has a reaction.
    async fn new() -> Self {
        let app = app().await;
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let room = app.rocket(&ann).open("bob").await;
        let mut parent = Value::Null;
        let texts = [(&ann, "one"), (&bob, "Two"), (&ann, "three"), (&bob, "four four")];
        for (n, (user, text)) in (1..).zip(texts) {
            app.clock.move_to(START + 1000 * n);
            let mut message = json!({"rid": room, "msg": text});
            if n == 3 {
                message["tmid"] = parent.clone();
            }
            let sent =
                app.rocket(user).post("chat.sendMessage", json!({ "message": message })).await;
            if n == 1 {
                parent = sent.ok()["message"]["_id"].clone();
            }
        }
        let body = json!({"messageId": parent, "emoji": "smile"});
        app.rocket(&bob).post("chat.react", body).await.ok();
        Self { app, ann, bob, room }
    }

    async fn get(&self, query: &str) -> Answer {
        let params = [("roomId", self.room.as_str()), ("query", query), ("sort", r#"{"ts":1}"#)];
        self.app.rocket(&self.ann).get("dm.messages", &params).await
    }

    async fn texts(&self, query: &str) -> Vec<String> {
        let body = self.get(query).await.ok();
        assert_eq!((&body["total"], &body["success"]), (&body["count"], &json!(true)), "{query}");
        each(&body, "messages", "msg")
    }
}

#[tokio::test]
async fn operators() {
    let talk = Talk::new().await;
    let all = ["one", "Two", "three", "four four"];
    let since = format!(r#"{{"ts":{{"$gte":{{"$date":{}}}}}}}"#, START + 3000);
    let between = format!(
        r#"{{"ts":{{"$gt":{{"$date":{}}},"$lt":{{"$date":{}}}}}}}"#,
        START + 1000,
        START + 3000
    );
    let exactly = format!(r#"{{"ts":{{"$date":{}}}}}"#, START + 2000);
    let by_bob = json!({"u._id": talk.bob.id}).to_string();
    for (query, want) in [
        ("{}", &all[..]),
        (r#"{"msg":"one"}"#, &["one"]),
        (r#"{"msg":{"$eq":"one"}}"#, &["one"]),
        (r#"{"msg":"ONE"}"#, &[]),
        (r#"{"u.username":"bob"}"#, &["Two", "four four"]),
        (&by_bob, &["Two", "four four"]),
        (r#"{"u":{"username":"bob"}}"#, &[]),
        (r#"{"msg":{"$regex":"^t"}}"#, &["three"]),
        (r#"{"msg":{"$regex":"^t","$options":"i"}}"#, &["Two", "three"]),
        (r#"{"msg":{"$regex":"(four ?){2}"}}"#, &["four four"]),
        (r#"{"$or":[{"msg":"one"},{"u.username":"bob"}]}"#, &["one", "Two", "four four"]),
        (r#"{"$and":[{"msg":{"$regex":"o"}},{"u.username":"bob"}]}"#, &["Two", "four four"]),
        (r#"{"$or":[{"msg":"one"}],"u.username":"bob"}"#, &[]),
        (r#"{"msg":{"$in":["one","three","x"]}}"#, &["one", "three"]),
        (r#"{"msg":{"$nin":["one","three"]}}"#, &["Two", "four four"]),
        (r#"{"msg":{"$in":[]}}"#, &[]),
        (r#"{"msg":{"$ne":"one"}}"#, &["Two", "three", "four four"]),
        (r#"{"msg":{"$gt":"one"}}"#, &["three"]),
        (r#"{"msg":{"$lte":"four four"}}"#, &["Two", "four four"]),
        (&since, &["three", "four four"]),
        (&between, &["Two"]),
        (&exactly, &["Two"]),
        (r#"{"ts":{"$gt":"2000-01-01T00:00:00.000Z"}}"#, &[]),
        (r#"{"tmid":{"$exists":true}}"#, &["three"]),
        (r#"{"tmid":{"$exists":false}}"#, &["one", "Two", "four four"]),
        (r#"{"reactions":{"$exists":true}}"#, &["one"]),
        (r#"{"reactions.:smile:.usernames":"bob"}"#, &["one"]),
        (r#"{"tcount":1}"#, &["one"]),
        (r#"{"tcount":{"$gt":0.5}}"#, &["one"]),
        (r#"{"t":null}"#, &all),
        (r#"{"msg":null}"#, &[]),
        (r#"{"md.value.value":"Two"}"#, &["Two"]),
        (r#"{"nothing":{"$exists":false}}"#, &all),
        (r#"{"nothing":1}"#, &[]),
        (r#"{"msg":1}"#, &[]),
        (r#"{"msg":["one"]}"#, &[]),
    ] {
        assert_eq!(talk.texts(query).await, want, "{query}");
    }
}

#[tokio::test]
async fn what_is_no_query_is_refused_by_its_text() {
    let talk = Talk::new().await;
    for raw in [
        "{",
        "x",
        "[]",
        "1",
        "null",
        r#""msg""#,
        r#"{"$where":"this.msg"}"#,
        r#"{"$expr":{"$eq":[1,1]}}"#,
        r#"{"msg":{"$function":{}}}"#,
        r#"{"$or":[]}"#,
        r#"{"$or":{}}"#,
        r#"{"$and":[1]}"#,
        r#"{"msg":{"$in":"one"}}"#,
        r#"{"msg":{"$regex":"("}}"#,
        r#"{"msg":{"$regex":1}}"#,
        r#"{"msg":{"$foo":1}}"#,
        r#"{"__proto__":{"a":1}}"#,
        r#"{"constructor":1}"#,
        r#"{"joinCode":"a"}"#,
        r#"{"services.password.bcrypt":{"$regex":"^a"}}"#,
        r#"{"$or":[{"members":1}]}"#,
        r#"{"loginTokens":{"$exists":true}}"#,
        r#"{"$text":{"$search":"x"}}"#,
    ] {
        let text = format!("Invalid query parameter provided: \"{raw}\"");
        let helper = json!({"helperMethod": "parseJsonQuery"});
        coded(&talk.get(raw).await, "error-invalid-query", &text, &helper);
    }
    let deep = format!("{}{}", r#"{"$and":["#.repeat(500), "]}".repeat(500));
    let broad = format!(r#"{{"msg":{{"$in":[{}]}}}}"#, vec!["1"; 10_000].join(","));
    for raw in [deep, broad] {
        let body = talk.get(&raw).await.expect(400);
        assert_eq!(body["errorType"], "error-invalid-query");
    }
}

#[tokio::test]
async fn no_disguise_leaves_the_room() {
    let talk = Talk::new().await;
    let eve = talk.app.user("eve").await;
    let foreign = talk.app.rocket(&talk.bob).open("eve").await;
    let own = talk.app.rocket(&talk.ann).open("eve").await;
    let secret = talk.app.rocket(&talk.bob).say(&foreign, "the secret of bob").await;
    talk.app.rocket(&eve).say(&own, "the secret of ann").await;
    let room = talk.room.as_str();
    let queries = [
        json!({"rid": foreign}),
        json!({"rid": own}),
        json!({"rid": {"$eq": foreign}}),
        json!({"rid": {"$in": [foreign, own, room]}}),
        json!({"rid": {"$ne": room}}),
        json!({"rid": {"$regex": ""}}),
        json!({"rid": {"$exists": true}}),
        json!({"rid": {"$gt": ""}}),
        json!({"rid": {"$not": {"$eq": room}}}),
        json!({"$or": [{"rid": foreign}, {"rid": own}, {"rid": room}]}),
        json!({"$or": [{"rid": {"$ne": null}}, {"_id": secret["_id"]}]}),
        json!({"$and": [{"rid": foreign}, {"msg": {"$exists": true}}]}),
        json!({"$nor": [{"rid": room}]}),
        json!({"_id": secret["_id"]}),
        json!({"msg": {"$regex": "secret"}}),
        json!({"u.username": "eve"}),
        json!({"$or": [{"$and": [{"$or": [{"rid": foreign}]}]}]}),
    ];
    let twice = format!(r#"{{"rid":"{room}","rid":"{foreign}"}}"#);
    let escaped = format!(r#"{{"r\u0069d":"{foreign}"}}"#);
    let raw = queries.iter().map(Value::to_string).chain([twice, escaped]);
    for query in raw {
        for (name, value) in [("roomId", room), ("username", "bob")] {
            let params = [(name, value), ("query", &query), ("fields", r#"{"rid":1,"msg":1}"#)];
            let body = talk.app.rocket(&talk.ann).get("dm.messages", &params).await.ok();
            assert!(!body.to_string().contains("secret"), "{query}");
            assert!(each(&body, "messages", "rid").iter().all(|rid| rid == room), "{query}");
        }
    }
    let all = talk.texts(&json!({"rid": {"$in": [foreign, room]}}).to_string()).await;
    assert_eq!(all.len(), 4);
    // The parameter given twice is no way in either.
    let params = [("roomId", room), ("roomId", foreign.as_str())];
    let body = talk.app.rocket(&talk.ann).get("dm.messages", &params).await.expect(400);
    assert_eq!(body["errorType"], "invalid-params");
}

#[tokio::test]
async fn the_setting_switches_query_and_fields_off_or_forbids_them() {
    let talk = Talk::new().await;
    let boss = talk.app.admin("root").await;
    super::set(&talk.app, &boss, "Parlance_Query_And_Fields", json!("off")).await;
    let body = talk.get(r#"{"msg":"one"}"#).await.ok();
    assert_eq!(body["total"], 4);
    assert_eq!(talk.get("not json").await.ok()["total"], 4);
    super::set(&talk.app, &boss, "Parlance_Query_And_Fields", json!("strict")).await;
    super::schema(&talk.get("{}").await, "must NOT have additional properties");
    let params = [("roomId", talk.room.as_str()), ("fields", "{}")];
    let answer = talk.app.rocket(&talk.ann).get("dm.messages", &params).await;
    super::schema(&answer, "must NOT have additional properties");
}
