//! What the store can hold and the HTTP tests cannot easily bring about: accounts that are gone,
//! documents of old imports, edits.

use super::{Person, conversation, message, user};
use crate::answer::object;
use crate::people::{People, reactions};
use parlance_core::message::Author;
use parlance_core::room::Conversation;
use parlance_core::{Message, Room, User};
use serde_json::{Value, json};

fn account(id: &str) -> User {
    User {
        id: id.into(),
        username: Some(id.to_owned()),
        name: Some(id.to_uppercase()),
        kind: "user".to_owned(),
        active: true,
        roles: Vec::new(),
        emails: Vec::new(),
        status: "online".to_owned(),
        status_default: "online".to_owned(),
        status_text: String::new(),
        created: 1,
        updated: 1,
        last_login: None,
        has_password: false,
        body: "{}".to_owned(),
        preferences: "{}".to_owned(),
        highlights: None,
    }
}

fn note(author: &str) -> Message {
    Message {
        id: "m".into(),
        room: "r".into(),
        author: Author { id: author.into(), username: author.to_owned(), name: None },
        ts: 3000,
        updated: 4000,
        kind: None,
        msg: "hi".to_owned(),
        mentions: None,
        body: "{}".to_owned(),
        reactions: None,
        thread: None,
        tshow: None,
        tcount: None,
        tlm: None,
        replies: None,
        pinned: None,
        pinned_at: None,
        pinned_by: None,
        edited_at: None,
        edited_by: None,
        origin: None,
        starred_by: None,
    }
}

/// A conversation of these ids; in capitals those whose account is gone.
fn among(ids: &[&str]) -> Conversation {
    let gone = |id: &str| id.chars().all(|c| c.is_ascii_uppercase());
    let members = ids.iter().map(|&id| (id.into(), (!gone(id)).then(|| account(id))));
    let names: Vec<String> = ids.iter().map(|id| id.to_lowercase()).collect();
    let room = Room {
        id: "r".into(),
        kind: "d".to_owned(),
        ts: 2000,
        updated: 2000,
        creator: None,
        users_count: i64::try_from(ids.len()).unwrap_or(0),
        uids: json!(ids).to_string(),
        usernames: json!(names).to_string(),
        topic: None,
        read_only: None,
        react_read_only: None,
        highlights: false,
        seq: 0,
        msgs: 0,
        stored: 0,
        lm: None,
        last_id: None,
        activity: 2000,
        body: "{}".to_owned(),
        last: None,
    };
    Conversation { room, members: members.collect() }
}

fn parsed(write: impl FnOnce(&mut parlance_http::json::Object<'_>)) -> Value {
    let mut out = String::new();
    object(&mut out, write);
    serde_json::from_str(&out).unwrap_or(Value::Null)
}

fn seen(one: &Conversation, caller: &str) -> Value {
    parsed(|o| conversation(o, one, &account(caller), &People::of(one, &[])))
}

fn shown(one: &Message, people: &People<'_>) -> Value {
    parsed(|o| message(o, one, people))
}

#[test]
fn a_gone_account_is_shown_as_what_is_left() {
    let row = seen(&among(&["B", "ann", "cat"]), "ann");
    let tombstone = json!({"id": "B", "username": "b", "displayName": "Deleted user",
        "status": "offline", "bot": false, "createdAt": "1970-01-01T00:00:02.000Z"});
    assert_eq!(row["otherUser"], tombstone);
    assert_eq!(row["otherUsers"][0], tombstone);
    assert_eq!(row["channel"]["displayName"], "Deleted user, CAT");
    assert_eq!(row["channel"]["createdBy"], "B", "the first member, where the maker is unknown");
    assert_eq!(row["channel"]["memberCount"], 3);
}

#[test]
fn of_two_gone_accounts_nobody_can_tell_the_names() {
    let row = seen(&among(&["ann", "B", "C"]), "ann");
    assert_eq!(row["otherUsers"][0]["username"], "deleted");
    assert_eq!(row["otherUsers"][1]["username"], "deleted");
}

#[test]
fn only_ordinary_messages_are_the_last() {
    let mut one = among(&["ann", "bob"]);
    assert!(seen(&one, "ann").get("lastMessage").is_none());
    one.room.last = Some(Box::new(note("bob")));
    assert_eq!(seen(&one, "ann")["lastMessage"]["content"], "hi");
    one.room.last = Some(Box::new(Message { kind: Some("e2e".to_owned()), ..note("bob") }));
    assert!(seen(&one, "ann").get("lastMessage").is_none());
}

#[test]
fn statuses_and_kinds_are_those_of_the_contract() {
    for (stored, status) in
        [("online", "online"), ("busy", "away"), ("away", "away"), ("x", "offline")]
    {
        let one = User { status: stored.to_owned(), ..account("ann") };
        assert_eq!(parsed(|o| user(o, &Person::of(&one)))["status"], status);
    }
    for (kind, bot) in [("user", false), ("bot", true), ("app", true)] {
        let one = User { kind: kind.to_owned(), ..account("ann") };
        assert_eq!(parsed(|o| user(o, &Person::of(&one)))["bot"], bot);
    }
}

#[test]
fn an_author_who_is_no_member_keeps_the_names_of_then() {
    let one = among(&["ann", "bob"]);
    let shown = shown(&note("eve"), &People::of(&one, &[]));
    assert_eq!(
        shown["user"],
        json!({"id": "eve", "username": "eve", "displayName": "eve", "status": "offline",
            "bot": false, "createdAt": "1970-01-01T00:00:02.000Z"})
    );
}

#[test]
fn an_edit_shows() {
    let one = among(&["ann", "bob"]);
    let edited = Message { edited_at: Some(4000), ..note("ann") };
    let edited = shown(&edited, &People::of(&one, &[]));
    assert_eq!(
        (&edited["edited"], &edited["updatedAt"]),
        (&json!(true), &json!("1970-01-01T00:00:04.000Z"))
    );
    assert_eq!(shown(&note("ann"), &People::of(&one, &[]))["edited"], json!(false));
}

#[test]
fn only_people_are_mentioned() {
    let one = among(&["ann", "bob"]);
    let stored = json!([
        {"_id": "all", "username": "all"},
        {"_id": "t", "username": "crew", "type": "team"},
        {"_id": "bob", "username": "old-bob", "type": "user"},
        {"_id": "eve", "username": "eve", "name": "Eve"},
        {"username": "no id"},
        7,
    ]);
    let message = Message { mentions: Some(stored.to_string()), ..note("ann") };
    assert_eq!(
        shown(&message, &People::of(&one, &[]))["mentions"],
        json!([{"id": "bob", "username": "bob", "displayName": "BOB"},
            {"id": "eve", "username": "eve", "displayName": "Eve"}])
    );
    assert_eq!(shown(&note("ann"), &People::of(&one, &[]))["mentions"], json!([]));
}

#[test]
fn two_names_of_one_character_are_one_reaction() {
    let stored = json!({
        ":+1:": {"usernames": ["ann", "bob"]},
        ":thumbsup:": {"usernames": ["bob", "lost"]},
        ":our_own:": {"usernames": ["ann"]},
    });
    let message = Message { reactions: Some(stored.to_string()), ..note("ann") };
    assert_eq!(reactions(&message).len(), 2);
    let one = among(&["ann", "bob"]);
    let shown = shown(&message, &People::of(&one, &[]));
    assert_eq!(
        shown["reactions"],
        json!([{"emoji": "👍", "count": 3, "users": ["ann", "bob"]},
            {"emoji": ":our_own:", "count": 1, "users": ["ann"]}])
    );
}
