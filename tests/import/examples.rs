//! The examples of the published documents, as fixtures: imported, they come back key for key.

use super::{account, all_are, import, imported, line, messages, rooms, with_token};
use crate::app::app;
use parlance_core::import::Fate;
use serde_json::{Value, json};

const LIST_EVERYONE: &str = include_str!("examples/dm_list_everyone.json");
const LIST: &str = include_str!("examples/dm_list.json");
const MESSAGES: &str = include_str!("examples/dm_messages.json");
const MESSAGES_OTHERS: &str = include_str!("examples/dm_messages_others.json");

fn example(text: &str) -> Vec<Value> {
    serde_json::from_str(text).unwrap()
}

fn lines(collection: &str, documents: &[Value]) -> Vec<String> {
    documents.iter().map(|document| line(collection, document)).collect()
}

/// Imports rooms twice, before and after their reader's account, and compares what comes back.
async fn rooms_come_back(examples: &str, id: &str, username: &str) {
    let app = app().await;
    let examples = example(examples);
    let mut file = vec![line("users", &with_token(account(id, username)))];
    file.extend(lines("rooms", &examples));
    all_are(&Fate::Taken, &import(&app, &file).await);
    let reader = imported(id, username);
    assert_eq!(rooms(&app, &reader).await, examples);
    all_are(&Fate::Known, &import(&app, &file).await);
    assert_eq!(rooms(&app, &reader).await, examples);
}

#[tokio::test]
async fn dm_list_everyone() {
    rooms_come_back(LIST_EVERYONE, "rYhzFRd2QZjNwAAXX", "rodriq").await;
}

#[tokio::test]
async fn dm_list() {
    rooms_come_back(LIST, "rbAXPnMktTFbNpwtJ", "roxie").await;
}

async fn messages_come_back(examples: &str, room: &Value, reader: (&str, &str)) {
    let app = app().await;
    let examples = example(examples);
    let id = room["_id"].as_str().unwrap();
    let mut file = vec![
        line("users", &with_token(account(reader.0, reader.1))),
        line("rocketchat_room", room),
    ];
    file.extend(lines("rocketchat_message", &examples));
    let reader = imported(reader.0, reader.1);
    for fate in [Fate::Taken, Fate::Known] {
        all_are(&fate, &import(&app, &file).await);
        assert_eq!(messages(&app, &reader, id).await, examples);
        // The newest of them is the room's newest, if it is one for people.
        let newest = examples.iter().find(|message| message.get("t").is_none()).unwrap();
        let listed = &rooms(&app, &reader).await[0];
        assert_eq!((&listed["lastMessage"], &listed["lm"]), (newest, &newest["ts"]));
    }
}

#[tokio::test]
async fn dm_messages() {
    let room = json!({"_id": "5fRTXMt7DMJbpPJfhgzvcvpov9G4TxbGFS", "t": "d", "msgs": 3,
        "usersCount": 2, "uids": ["5fRTXMt7DMJbpPJfh", "gzvcvpov9G4TxbGFS"],
        "usernames": ["test.john", "buddy"], "ts": "2023-11-01T23:20:00.000Z"});
    messages_come_back(MESSAGES, &room, ("5fRTXMt7DMJbpPJfh", "test.john")).await;
}

#[tokio::test]
async fn dm_messages_others() {
    let uids = ["y65tAmHs93aDChMWu", "bRtgdhzM6PD9F8pSx", "nSYqWzZ4GsKTX4dyK"];
    let room = json!({"_id": "ByehQjC44FwMeiLbX", "t": "d", "msgs": 4, "usersCount": 3,
        "uids": uids, "usernames": ["testing", "testing2", "testing1"],
        "ts": "2016-12-06T17:57:38.000Z"});
    messages_come_back(MESSAGES_OTHERS, &room, ("y65tAmHs93aDChMWu", "testing")).await;
}
