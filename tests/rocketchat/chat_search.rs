//! `chat.search` (contract section 9.1): what finds what, and nobody else's messages.

use super::{coded, each, set};
use crate::app::{START, TestApp, TestUser, app};
use serde_json::{Value, json};

struct Talk {
    app: TestApp,
    ann: TestUser,
    bob: TestUser,
    room: String,
    own: String,
}

const DAY: i64 = 86_400_000;

impl Talk {
    async fn new() -> Self {
        let app = app().await;
        let (ann, bob) = (app.user("ann").await, app.user("bob").await);
        let room = app.rocket(&ann).open("bob").await;
        let own = app.rocket(&ann).open("ann").await;
        for (n, (user, text)) in [
            (&ann, "The quick brown fox"),
            (&bob, "a QUICK reply for @ann"),
            (&ann, "see https://a.example (v1.0) \"quoted\""),
            (&bob, "naïve Grüße an alle, 日本語"),
            (&ann, "foxes are quicker"),
        ]
        .into_iter()
        .enumerate()
        {
            app.clock.move_to(START + DAY * i64::try_from(n).expect("small"));
            app.rocket(user).say(&room, text).await;
        }
        app.rocket(&ann).say(&own, "a quick note").await;
        Self { app, ann, bob, room, own }
    }

    async fn found(&self, user: &TestUser, text: &str, more: &[(&str, &str)]) -> Vec<String> {
        let mut query = vec![("searchText", text)];
        query.extend(more);
        let body = self.app.rocket(user).get("chat.search", &query).await.ok();
        assert_eq!(super::keys(&body), ["messages", "success"]);
        each(&body, "messages", "msg")
    }
}

#[tokio::test]
async fn words_phrases_expressions_and_filters() {
    let talk = Talk::new().await;
    let [fox, reply, link, words, foxes] = [
        "The quick brown fox",
        "a QUICK reply for @ann",
        "see https://a.example (v1.0) \"quoted\"",
        "naïve Grüße an alle, 日本語",
        "foxes are quicker",
    ];
    let date = |n: i64| parlance_core::time::iso(START + DAY * n)[..10].to_owned();
    let (before, after, on) =
        (format!("before:{}", date(1)), format!("after:{}", date(2)), format!("on:{}", date(1)));
    for (text, want) in [
        ("quick", &[reply, fox][..]),
        ("QUICK", &[reply, fox]),
        ("brown reply", &[reply, fox]),
        ("fox", &[fox]),
        ("\"quick brown\"", &[fox]),
        ("\"quick\"", &[reply, fox]),
        ("\"quick brow\"", &[]),
        ("\" QUICK brown \"", &[fox]),
        ("\"(v1.0)\" \"a.example\"", &[link]),
        ("reply \"quick brown\"", &[]),
        ("quick -brown", &[reply]),
        ("grüße", &[words]),
        ("naïve", &[words]),
        ("na", &[]),
        ("日本語", &[words]),
        ("(v1.0)", &[link]),
        ("/^a q/i", &[reply]),
        ("/fox(es)? /", &[foxes]),
        ("/Q/", &[reply]),
        ("from:bob", &[words, reply]),
        ("from:me", &[foxes, link, fox]),
        ("from:me quick", &[fox]),
        ("mention:ann", &[reply]),
        ("has:url", &[link]),
        ("has:star", &[]),
        ("is:pinned", &[]),
        (&before, &[fox]),
        (&after, &[foxes, words]),
        (&on, &[reply]),
        ("quick order:asc", &[fox, reply]),
        ("nothing", &[]),
    ] {
        assert_eq!(talk.found(&talk.ann, text, &[("roomId", &talk.room)]).await, want, "{text}");
    }
    let page = [("roomId", talk.room.as_str()), ("count", "1"), ("offset", "1")];
    assert_eq!(talk.found(&talk.ann, "quick", &page).await, [fox]);
    let boss = talk.app.admin("root").await;
    set(&talk.app, &boss, "Message_AlwaysSearchRegExp", json!(true)).await;
    let found = talk.found(&talk.ann, "quick", &[("roomId", &talk.room)]).await;
    assert_eq!(found, [foxes, reply, fox]);
}

#[tokio::test]
async fn what_changes_is_found_as_it_is_now() {
    let talk = Talk::new().await;
    let sent = talk.app.rocket(&talk.ann).say(&talk.room, "before").await;
    let body = json!({"roomId": talk.room, "msgId": sent["_id"], "text": "behind"});
    talk.app.rocket(&talk.ann).post("chat.update", body).await.ok();
    let room = [("roomId", talk.room.as_str())];
    assert_eq!(talk.found(&talk.bob, "behind", &room).await, ["behind"]);
    assert!(talk.found(&talk.bob, "before", &room).await.is_empty());
    let body = json!({"roomId": talk.room, "msgId": sent["_id"]});
    talk.app.rocket(&talk.ann).post("chat.delete", body).await.ok();
    assert!(talk.found(&talk.bob, "behind", &room).await.is_empty());
}

#[tokio::test]
async fn without_a_room_in_all_of_ones_own_and_no_other() {
    let talk = Talk::new().await;
    let all = talk.found(&talk.ann, "quick", &[]).await;
    assert_eq!(all, ["a quick note", "a QUICK reply for @ann", "The quick brown fox"]);
    let bobs = talk.found(&talk.bob, "quick", &[]).await;
    assert_eq!(bobs, ["a QUICK reply for @ann", "The quick brown fox"]);
    let eve = talk.app.user("eve").await;
    assert!(talk.found(&eve, "quick", &[]).await.is_empty());
    for room in [&talk.room, &talk.own, "unknown"] {
        let query = [("roomId", room), ("searchText", "quick")];
        let answer = talk.app.rocket(&eve).get("chat.search", &query).await;
        coded(&answer, "error-not-allowed", "Not allowed", &Value::Null);
    }
}

#[tokio::test]
async fn what_is_no_search() {
    let talk = Talk::new().await;
    let get =
        async |query: &[(&str, &str)]| talk.app.rocket(&talk.ann).get("chat.search", query).await;
    let missing = |name: &str| format!("The required \"{name}\" query param is missing.");
    for query in [&[("roomId", talk.room.as_str())][..], &[("searchText", " ")]] {
        let answer = get(query).await;
        let code = "error-searchText-param-not-provided";
        coded(&answer, code, &missing("searchText"), &Value::Null);
    }
    let answer = get(&[("roomId", ""), ("searchText", "x")]).await;
    coded(&answer, "error-roomId-param-not-provided", &missing("roomId"), &Value::Null);
    let many = "word ".repeat(500);
    for text in ["/(/", "/(?=a)/", "/\\p{L}{999}/", "before:yesterday", &many] {
        let answer = get(&[("roomId", &talk.room), ("searchText", text)]).await;
        assert_eq!(answer.expect(400)["success"], false, "{text}");
    }
}
