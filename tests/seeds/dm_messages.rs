//! Document 002 (`dm.messages`): its example and its error answers.

use super::{account, import, refuses_strangers, same, seed};
use crate::app::app;
use serde_json::{Value, json};

#[tokio::test]
async fn messages_give_document_002() {
    let app = app().await;
    let seed = seed(include_str!("002.json"));
    let john = account(&app, "5fRTXMt7DMJbpPJfh", "test.john", "user").await;
    let other = account(&app, "gzvcvpov9G4TxbGFS", "the.other", "user").await;
    let messages: Vec<&Value> = seed["answer"]["messages"].as_array().unwrap().iter().collect();
    let room = messages[0]["rid"].as_str().unwrap();
    let document = json!({"_id": room, "t": "d", "ts": "2023-11-01T23:00:00.000Z", "msgs": 3,
        "uids": [john.id, other.id], "usernames": ["test.john", "the.other"], "usersCount": 2});
    import(&app, "rooms", &[&document]).await;
    import(&app, "messages", &messages).await;
    for name in ["dm.messages", "im.messages"] {
        for query in [[("roomId", room)], [("username", "the.other")]] {
            let got = app.rocket(&john).get(name, &query).await.ok();
            same(&got, &seed["answer"], name);
        }
        let missing = app.rocket(&john).get(name, &[]).await.expect(400);
        same(&missing, &seed["missing"], name);
        let invalid = app.rocket(&john).get(name, &[("roomId", "nothing-has-this-id")]).await;
        same(&invalid.expect(400), &seed["invalid"], name);
        refuses_strangers(&app, &format!("/api/v1/{name}"), &seed["unauthorized"]).await;
    }
    // The document's first order is its own default, and each of its sort keys turns the page round.
    let ids = |got: &Value| -> Vec<String> {
        let all = got["messages"].as_array().unwrap();
        all.iter().map(|message| message["_id"].as_str().unwrap().to_owned()).collect()
    };
    let newest_first = ids(&seed["answer"]);
    let sorted = |sort: &'static str| {
        let (app, john) = (&app, &john);
        async move {
            let query = [("roomId", room), ("sort", sort)];
            ids(&app.rocket(john).get("dm.messages", &query).await.ok())
        }
    };
    assert_eq!(sorted(r#"{"ts":-1}"#).await, newest_first);
    let oldest_first: Vec<String> = newest_first.iter().rev().cloned().collect();
    assert_eq!(sorted(r#"{"ts":1}"#).await, oldest_first);
    let mut by_id = newest_first.clone();
    by_id.sort();
    assert_eq!(sorted(r#"{"_id":1}"#).await, by_id);
}
