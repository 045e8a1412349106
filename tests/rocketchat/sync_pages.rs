//! `chat.syncMessages` by cursor (contract section 9.1): pages of changes, each change once, in both
//! directions, and what is no cursor.

use super::talk::{Talk, text};
use super::{coded, each};
use serde_json::{Value, json};

/// All pages from one end to the other: what a key holds of each item, and how many pages.
async fn walk(talk: &Talk, more: &[(&str, &str)], forward: bool) -> (Vec<String>, usize) {
    let (list, key) =
        if more.contains(&("type", "DELETED")) { ("deleted", "_id") } else { ("updated", "msg") };
    let (name, mut cursor) =
        if forward { ("next", "0".to_owned()) } else { ("previous", i64::MAX.to_string()) };
    let (mut all, mut pages) = (Vec::new(), 0);
    loop {
        let mut query = vec![("roomId", talk.pair.as_str()), ("count", "2"), (name, &cursor)];
        query.extend(more);
        let result = talk.get(&talk.bob, "chat.syncMessages", &query).await.ok()["result"].clone();
        pages += 1;
        all.extend(each(&result, list, key));
        match &result["cursor"][name] {
            Value::String(next) => cursor = next.clone(),
            Value::Null => return (all, pages),
            other => unreachable!("{other}"),
        }
    }
}

#[tokio::test]
async fn pages_give_each_change_once_in_the_order_of_the_changes() {
    let talk = Talk::new().await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(talk.say(&talk.ann, &talk.pair, &format!("number {n}")).await["_id"].clone());
    }
    talk.tick();
    let body = json!({"roomId": talk.pair, "msgId": ids[1], "text": "number 1, edited"});
    talk.post(&talk.ann, "chat.update", body).await.ok();
    for gone in [&ids[0], &ids[3]] {
        talk.tick();
        let body = json!({"roomId": talk.pair, "msgId": gone});
        talk.post(&talk.ann, "chat.delete", body).await.ok();
    }
    let mut want = vec!["number 2", "number 4", "number 1, edited"];
    let updated = [("type", "UPDATED")];
    assert_eq!(
        walk(&talk, &updated, true).await,
        (want.iter().map(|s| (*s).to_owned()).collect(), 2)
    );
    want.reverse();
    assert_eq!(walk(&talk, &updated, false).await.0, want);
    let deleted = walk(&talk, &[("type", "DELETED")], true).await;
    let want =
        [text(&json!({"a": ids[0]}), "a").to_owned(), text(&json!({"a": ids[3]}), "a").to_owned()];
    assert_eq!(deleted, (want.to_vec(), 1));
}

#[tokio::test]
async fn what_is_no_cursor() {
    let talk = Talk::new().await;
    let room = ("roomId", talk.pair.as_str());
    for (query, code) in [
        (vec![("next", "0")], "error-type-param-required"),
        (vec![("next", "0"), ("type", "BOTH")], "error-type-param-required"),
        (vec![("next", "0"), ("previous", "1"), ("type", "UPDATED")], "error-cursor-conflict"),
        (
            vec![("next", "0"), ("lastUpdate", "2020-01-01"), ("type", "UPDATED")],
            "error-cursor-and-lastUpdate-conflict",
        ),
        (vec![("next", "soon"), ("type", "UPDATED")], "error-invalid-cursor"),
    ] {
        let query: Vec<(&str, &str)> = query.into_iter().chain([room]).collect();
        let body = talk.get(&talk.ann, "chat.syncMessages", &query).await.expect(400);
        assert_eq!(body["errorType"], code);
    }
    let query = [room, ("next", "0"), ("type", "UPDATED")];
    let foreign = talk.get(&talk.eve, "chat.syncMessages", &query).await;
    let details = json!({"method": "messages/get"});
    coded(&foreign, "error-not-allowed", "Not allowed", &details);
}
