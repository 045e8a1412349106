//! Every reason for which a line is refused, and that the lines around it are taken.

use super::{account, import, line, refusal};
use crate::app::app;
use parlance_core::import::Fate;
use serde_json::{Value, json};

/// What is here before: two accounts, their room, a message and a subscription in it, another room.
fn before() -> Vec<String> {
    let room = |id: &str, uids: &[&str]| {
        json!({"_id": id, "t": "d", "uids": uids, "usernames": uids, "msgs": 1,
            "ts": "2022-01-01T00:00:00.000Z"})
    };
    let mut ann = account("anna1", "ann");
    ann["emails"] = json!([{"address": "ann@example.com", "verified": true}]);
    vec![
        line("users", &ann),
        line("users", &account("bobb1", "bob")),
        line("rooms", &room("anna1bobb1", &["anna1", "bobb1"])),
        line("rooms", &room("group", &["anna1", "bobb1", "carl1"])),
        line("messages", &message("m1", "anna1bobb1")),
        line("subscriptions", &json!({"_id": "s1", "rid": "anna1bobb1", "u": {"_id": "anna1"}})),
    ]
}

fn message(id: &str, room: &str) -> Value {
    json!({"_id": id, "rid": room, "msg": "hi", "ts": "2022-01-02T00:00:00.000Z",
        "u": {"_id": "anna1", "username": "ann"}})
}

fn change(document: &Value, changes: &Value) -> Value {
    let mut document = document.clone();
    for (key, value) in changes.as_object().unwrap() {
        document[key] = value.clone();
    }
    document
}

fn of_users() -> Vec<(String, &'static str)> {
    let with = |changes: Value| line("users", &change(&account("dora1", "dora"), &changes));
    vec![
        (with(json!({"_id": null})), "_id is missing"),
        (with(json!({"_id": 7})), "_id is not a text"),
        (with(json!({"_id": "a b"})), "_id is not usable as an id"),
        (with(json!({"_id": "x".repeat(129)})), "_id is not usable as an id"),
        (with(json!({"_id": "BOB"})), "the id is another account's username"),
        (with(json!({"username": "Bob"})), "the username belongs to another account"),
        (with(json!({"username": "anna1"})), "the username is another account's id"),
        (with(json!({"username": "a".repeat(24)})), "username has the form of an id"),
        (with(json!({"username": "a b"})), "username is not usable as an id"),
        (with(json!({"name": "a\0b"})), "name holds a NUL character"),
        (with(json!({"createdAt": "soon"})), "createdAt is not a time"),
        (with(json!({"active": 1})), "active is not true or false"),
        (with(json!({"roles": [1]})), "roles is not a list of texts"),
        (with(json!({"emails": [{}]})), "emails holds something that is not an address"),
        (
            with(json!({"emails": [{"address": "ANN@example.com"}]})),
            "an e-mail address belongs to another account",
        ),
        (
            with(json!({"services": {"password": {"bcrypt": "plain"}}})),
            "services.password is neither bcrypt nor Argon2",
        ),
    ]
}

fn of_rooms() -> Vec<(String, &'static str)> {
    let base = json!({"_id": "r9", "t": "d", "uids": ["anna1", "zoe11"], "usernames": ["ann"],
        "ts": "2022-01-01T00:00:00.000Z"});
    let with = |changes: Value| line("rooms", &change(&base, &changes));
    vec![
        (with(json!({"t": null})), "t is missing"),
        (with(json!({"t": "c"})), "not a direct room: only those are taken for now"),
        (with(json!({"ts": null})), "ts is missing"),
        (with(json!({"uids": null})), "uids is missing"),
        (with(json!({"uids": []})), "uids is not a list of ids"),
        (with(json!({"msgs": "many"})), "msgs is not a whole number"),
        (with(json!({"_id": "group"})), "the id is that of a room of other members"),
        (
            with(json!({"_id": "bobb1rocket.cat"})),
            "the id is made of the ids of two users who are not the members",
        ),
        (with(json!({"lastMessage": {}})), "lastMessage: _id is missing"),
        (
            with(json!({"lastMessage": message("m9", "group")})),
            "lastMessage: rid is another room's",
        ),
        (
            with(json!({"lastMessage": message("m1", "r9")})),
            "lastMessage: the id is that of a message of another room",
        ),
    ]
}

fn of_the_rest() -> Vec<(String, &'static str)> {
    let subscription = json!({"_id": "s9", "rid": "group", "u": {"_id": "anna1"}});
    let sub = |changes: Value| line("subscriptions", &change(&subscription, &changes));
    let msg = |changes: Value| line("messages", &change(&message("m9", "group"), &changes));
    vec![
        ("[]".to_owned(), "not a JSON object"),
        (json!({"_id": "x"}).to_string(), "collection is missing"),
        (line("rocketchat_avatars", &json!({})), "unknown collection"),
        (sub(json!({"rid": null})), "rid is missing"),
        (sub(json!({"rid": "nowhere"})), "the room is not here"),
        (sub(json!({"u": null})), "u is missing"),
        (sub(json!({"u": {}})), "u._id is missing"),
        (sub(json!({"u": {"_id": "zoe11"}})), "the user is not a member of the room"),
        (sub(json!({"_id": "s1"})), "the id is that of another subscription"),
        (msg(json!({"_id": null})), "_id is missing"),
        (msg(json!({"ts": null})), "ts is missing"),
        (msg(json!({"rid": null})), "rid is missing"),
        (msg(json!({"rid": "nowhere"})), "the room is not here"),
        (msg(json!({"u": null})), "u is missing"),
        (msg(json!({"u": {"username": "ann"}})), "u._id is missing"),
        (msg(json!({"msg": "a\0b"})), "msg holds a NUL character"),
        (msg(json!({"_id": "m1"})), "the id is that of a message of another room"),
        (msg(json!({"_hidden": true})), "a hidden copy from the history of an edited message"),
    ]
}

#[tokio::test]
async fn each_line_is_refused_for_its_reason_and_the_others_are_taken() {
    let app = app().await;
    for outcome in import(&app, &before()).await {
        assert_eq!(outcome.fate, Fate::Taken, "line {}", outcome.number);
    }
    let bad: Vec<_> = [of_users(), of_rooms(), of_the_rest()].into_iter().flatten().collect();
    let mut file: Vec<String> = bad.iter().map(|(line, _)| line.clone()).collect();
    file.push(line("messages", &message("good", "group")));
    let outcomes = import(&app, &file).await;
    for (outcome, (line, reason)) in outcomes.iter().zip(&bad) {
        let told = if *reason == "not JSON" { "not JSON" } else { refusal(outcome) };
        assert_eq!(told, *reason, "{line}");
    }
    assert_eq!(outcomes.last().unwrap().fate, Fate::Taken);
    // Alone, each is refused for the same reason.
    for (line, reason) in &bad {
        let outcomes = import(&app, std::slice::from_ref(line)).await;
        assert_eq!(refusal(&outcomes[0]), *reason, "{line}");
    }
}

#[tokio::test]
async fn what_is_no_text_or_too_long_is_refused() {
    use parlance_core::import::{Line, MAX_LINE};
    let app = app().await;
    let long = vec![b' '; MAX_LINE + 1];
    let long = [b"x".as_slice(), &long].concat();
    let lines = [
        Line { number: 1, bytes: b"\xff\xfe" },
        Line { number: 2, bytes: &long },
        Line { number: 3, bytes: b"  " },
    ];
    let outcomes = app.core.import_batch(&lines).await.unwrap();
    assert_eq!(outcomes.len(), 2, "an empty line is no line");
    assert_eq!(refusal(&outcomes[0]), "not UTF-8");
    assert_eq!(refusal(&outcomes[1]), "the line is longer than 16 MiB");
}

#[tokio::test]
async fn flat_lines_and_other_wrappers_are_read() {
    let app = app().await;
    let mut flat = account("anna1", "ann");
    flat["collection"] = "users".into();
    let doc = json!({"collection": "users", "doc": account("bobb1", "bob")});
    for outcome in import(&app, &[flat.to_string(), doc.to_string()]).await {
        assert_eq!(outcome.fate, Fate::Taken);
    }
    assert!(app.core.user_named("bob").await.is_ok());
}

#[tokio::test]
async fn two_rooms_of_the_same_members_are_both_taken() {
    let app = app().await;
    let room = |id: &str| {
        line(
            "rooms",
            &json!({"_id": id, "t": "d", "uids": ["anna1", "bobb1", "carl1"],
            "usernames": ["a", "b", "c"], "ts": "2022-01-01T00:00:00.000Z"}),
        )
    };
    // In one batch, and in two: the second has no key by which its members find it.
    for file in [vec![room("one"), room("two")], vec![room("three")]] {
        for outcome in import(&app, &file).await {
            assert_eq!(outcome.fate, Fate::Taken);
        }
    }
}
