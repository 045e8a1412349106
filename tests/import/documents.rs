//! What becomes of each member of a document: columns, counters, marks, secrets.

use super::{
    TOKEN, TOKEN_HASH, access, account, all_are, import, imported, line, messages, refusal, rooms,
    with_token,
};
use crate::app::{PASSWORD, START, TestApp, TestUser, app};
use parlance_core::account::Authority;
use parlance_core::import::Fate;
use parlance_core::login::{Login, Password};
use parlance_core::send::NewMessage;
use parlance_core::{Core, UserId};
use serde_json::{Value, json};

const ROOM: &str = "anna1bobb1";

fn pair_room() -> Value {
    json!({"_id": ROOM, "t": "d", "msgs": 2, "usersCount": 2, "uids": ["anna1", "bobb1"],
        "usernames": ["ann", "bob"], "ts": "2022-01-01T00:00:00.000Z",
        "_updatedAt": "2022-02-01T00:00:00.000Z"})
}

fn message(id: &str, ts: &str, more: &Value) -> Value {
    let mut document = json!({"_id": id, "rid": ROOM, "msg": id, "ts": ts, "_updatedAt": ts,
        "u": {"_id": "bobb1", "username": "bob", "name": "BOB"}});
    for (key, value) in more.as_object().unwrap() {
        document[key] = value.clone();
    }
    document
}

/// Ann (with a token) and Bob, and their room.
async fn pair(app: &TestApp) -> TestUser {
    let file = [
        line("users", &with_token(account("anna1", "ann"))),
        line("users", &account("bobb1", "bob")),
        line("rooms", &pair_room()),
    ];
    all_are(&Fate::Taken, &import(app, &file).await);
    imported("anna1", "ann")
}

#[tokio::test]
async fn an_account_keeps_its_password_and_its_tokens_and_nothing_else_secret() {
    let app = app().await;
    let mut document = with_token(account("anna1", "Ann"));
    document["emails"] = json!([{"address": "Ann@Example.com", "verified": true}]);
    document["bio"] = "here since 2020".into();
    document["customFields"] = json!({"born": {"$date": 0}});
    document["services.extra"] = "secret".into();
    document["statusText"] = "away".into();
    document["lastLogin"] = json!({"$date": {"$numberLong": "1600000000000"}});
    all_are(&Fate::Taken, &import(&app, &[line("users", &document)]).await);
    let user = app.core.user(&UserId::from("anna1")).await.unwrap();
    let body: Value = serde_json::from_str(&user.body).unwrap();
    let expected =
        json!({"bio": "here since 2020", "customFields": {"born": "1970-01-01T00:00:00.000Z"}});
    assert_eq!(body, expected);
    assert_eq!((user.last_login, user.created), (Some(1_600_000_000_000), 1_577_836_800_000));
    assert_eq!((user.username.as_deref(), &*user.status_text), (Some("Ann"), "away"));
    assert_eq!(user.updated, parlance_core::time::parse("2021-01-01").unwrap());
    let caller = app.core.caller(TOKEN, Some("anna1")).await.unwrap();
    assert_eq!(caller.expires(), parlance_core::time::parse("2026-03-24"));
    let password = Password::plain(PASSWORD).unwrap();
    let session = app.core.login(Login::Email("ann@example.com"), &password).await.unwrap();
    assert_eq!(session.user.id.as_str(), "anna1");
    let wrong = Password::plain("wrong").unwrap();
    assert!(app.core.login(Login::Username("ann"), &wrong).await.is_err());
}

#[tokio::test]
async fn an_account_without_roles_or_of_an_app_comes_and_does_not_log_in() {
    let app = app().await;
    let (mut none, mut of_app) = (account("none1", "none"), account("appp1", "robot"));
    (none["roles"], of_app["type"]) = (json!([]), "app".into());
    let lines = [none, of_app].map(|one| line("users", &with_token(one)));
    import(&app, &lines).await;
    for (name, error) in
        [("none", "error-user-has-no-roles"), ("robot", "error-app-user-is-not-allowed-to-login")]
    {
        let body = json!({"user": name, "password": PASSWORD});
        let path = "/api/v1/login";
        let answer = app.call(axum::http::Method::POST, path, &[], Some(&body)).await;
        assert_eq!(answer.expect(401)["error"], error);
        let body = json!({"username": name, "password": PASSWORD});
        let path = "/api/auth/login";
        let answer = app.call(axum::http::Method::POST, path, &[], Some(&body)).await;
        assert_eq!(answer.expect(403)["error"], "the account may not log in");
    }
}

#[tokio::test]
async fn an_inactive_account_may_come_before_or_after_its_room() {
    for before in [true, false] {
        let app = app().await;
        let mut gone = account("bobb1", "bob");
        gone["active"] = false.into();
        let mut file = vec![line("users", &gone), line("rooms", &pair_room())];
        if !before {
            file.reverse();
        }
        file.push(line("users", &with_token(account("anna1", "ann"))));
        all_are(&Fate::Taken, &import(&app, &file).await);
        let ann = imported("anna1", "ann");
        assert!(!access(&app, &ann, ROOM).await.member().disabled);
        let caller = app.caller(&ann).await;
        let room = app.core.conversation(&caller, &ROOM.into()).await.unwrap();
        assert_eq!(room.members.len(), 2);
        assert!(!room.members[1].1.as_ref().unwrap().active);
    }
}

#[tokio::test]
async fn a_subscription_sets_the_members_own_view() {
    let app = app().await;
    let ann = pair(&app).await;
    let mine = json!({"_id": "sub-of-ann", "rid": ROOM, "t": "d", "u": {"_id": "anna1"},
        "name": "bob", "fname": "Bob B.", "ts": "2022-01-02T00:00:00.000Z", "open": false,
        "alert": true, "unread": 5, "userMentions": 1, "groupMentions": 2, "f": true,
        "ls": "2022-01-03T00:00:00.000Z", "blocker": true, "_updatedAt": "2022-01-04T00:00:00.000Z"});
    let his = json!({"_id": "sub-of-bob", "rid": ROOM, "u": {"_id": "bobb1"}, "unread": 1});
    // Five unread raise the room's count from two; Bob's one stays one.
    let file = [line("subscriptions", &his), line("rocketchat_subscription", &mine)];
    for fate in [Fate::Taken, Fate::Known] {
        all_are(&fate, &import(&app, &file).await);
        let access = access(&app, &ann, ROOM).await;
        let (room, member) = (access.room(), access.member());
        assert_eq!((member.unread(room), member.mentions, member.group_mentions), (5, 1, 2));
        assert_eq!((room.seq, room.msgs), (5, 2));
        assert!(member.is_closed(room) && !member.is_open(room));
        assert!(member.blocker && !member.blocked);
        assert_eq!((&*member.id, &*member.name, &*member.fname), ("sub-of-ann", "bob", "Bob B."));
        assert_eq!(member.body, r#"{"f":true}"#);
        assert_eq!(member.last_seen, parlance_core::time::parse("2022-01-03"));
        assert_eq!(member.updated, parlance_core::time::parse("2022-01-04").unwrap());
        let bob = app.core.user(&UserId::from("bobb1")).await.unwrap();
        assert_eq!(unread_of(&app.core, &bob.id).await, 1);
    }
}

/// Unread messages of somebody who has no token: by giving the account a password.
async fn unread_of(core: &Core, user: &UserId) -> i64 {
    let password = Password::plain(PASSWORD).unwrap();
    let operator = parlance_core::account::Authority::Operator;
    core.set_password(operator, user, &password).await.unwrap();
    let session = core.login(Login::Id(user.as_str()), &password).await.unwrap();
    let caller = core.caller(&session.token, None).await.unwrap();
    let access = core.access(&caller, ROOM).await.unwrap();
    access.member().unread(access.room())
}

#[tokio::test]
async fn a_fresh_pair_that_was_never_opened_stays_so() {
    let app = app().await;
    let mut room = pair_room();
    room["msgs"] = 0.into();
    let never = json!({"_id": "s", "rid": ROOM, "u": {"_id": "anna1"}, "open": false});
    let file = [
        line("users", &with_token(account("anna1", "ann"))),
        line("users", &account("bobb1", "bob")),
        line("rooms", &room),
        line("subscriptions", &never),
    ];
    all_are(&Fate::Taken, &import(&app, &file).await);
    let ann = imported("anna1", "ann");
    let found = access(&app, &ann, ROOM).await;
    assert!(!found.member().is_open(found.room()) && !found.member().is_closed(found.room()));
}

#[tokio::test]
async fn marks_and_carried_members_come_back() {
    let app = app().await;
    let ann = pair(&app).await;
    let rich = message(
        "rich",
        "2022-03-01T00:00:00.000Z",
        &json!({
        "mentions": [{"_id": "anna1", "username": "ann", "name": "ANN", "type": "user"}],
        "channels": [], "urls": [{"url": "https://example.com", "meta": {}}],
        "md": [{"type": "PARAGRAPH", "value": []}], "customFields": {"n": 1.5, "none": null},
        "reactions": {":smile:": {"usernames": ["ann"]}}, "starred": [{"_id": "anna1"}],
        "pinned": true, "pinnedAt": "2022-03-02T00:00:00.000Z",
        "pinnedBy": {"_id": "anna1", "username": "ann"},
        "editedAt": "2022-03-03T00:00:00.000Z", "editedBy": {"_id": "bobb1", "username": "bob"},
        "tcount": 1, "tlm": "2022-03-04T00:00:00.000Z", "replies": ["anna1", "bobb1"]}),
    );
    let reply = message("reply", "2022-03-04T00:00:00.000Z", &json!({"tmid": "rich"}));
    let shown =
        message("shown", "2022-02-04T00:00:00.000Z", &json!({"tmid": "rich", "tshow": true}));
    let file = [line("messages", &rich), line("messages", &reply), line("messages", &shown)];
    all_are(&Fate::Taken, &import(&app, &file).await);
    assert_eq!(messages(&app, &ann, ROOM).await, [reply, rich.clone(), shown]);
    // A reply that is not shown in the room is not its newest message.
    assert_eq!(rooms(&app, &ann).await[0]["lastMessage"], rich);
    let caller = app.caller(&ann).await;
    let found = access(&app, &ann, ROOM).await;
    let query = parlance_core::list::ListQuery::first(10);
    let mentioned =
        parlance_core::list::Marks { mentioned: vec!["anna1".to_owned()], ..Default::default() };
    let page = app
        .core
        .messages(&caller, &found, &query, &mentioned, std::sync::Arc::new(|_| Value::Null))
        .await;
    assert_eq!(page.unwrap().total, 1);
}

#[tokio::test]
async fn a_newer_state_of_a_message_replaces_it_and_an_older_one_does_not() {
    let app = app().await;
    let ann = pair(&app).await;
    let at = "2022-03-01T00:00:00.000Z";
    let first = message("m", at, &json!({"starred": [{"_id": "anna1"}]}));
    let mut edited = message("m", at, &json!({"msg": "edited"}));
    edited["_updatedAt"] = "2022-03-02T00:00:00.000Z".into();
    let file = [line("messages", &first), line("messages", &edited), line("messages", &first)];
    let fates: Vec<Fate> = import(&app, &file).await.into_iter().map(|one| one.fate).collect();
    assert_eq!(fates, [Fate::Taken, Fate::Taken, Fate::Known]);
    assert_eq!(messages(&app, &ann, ROOM).await, [edited.clone()]);
    // Another author's message under the same id is no newer state of it.
    let mut other = edited;
    other["u"]["_id"] = "anna1".into();
    other["_updatedAt"] = "2022-03-09T00:00:00.000Z".into();
    let outcome = import(&app, &[line("messages", &other)]).await;
    assert_eq!(refusal(&outcome[0]), "a message with this id exists");
}

#[tokio::test]
async fn life_goes_on_after_an_import() {
    let app = app().await;
    let ann = pair(&app).await;
    let future = message("later", "2030-01-01T00:00:00.000Z", &json!({}));
    all_are(&Fate::Taken, &import(&app, &[line("messages", &future)]).await);
    let (caller, found) = (app.caller(&ann).await, access(&app, &ann, ROOM).await);
    let sent = app.core.send(&caller, &found, NewMessage::text("on we go")).await.unwrap();
    // A room's times rise, past what was imported too.
    assert!(sent.message.ts > parlance_core::time::parse("2030-01-01").unwrap());
    assert!(sent.message.ts > START);
    let again = app.core.open_direct(&caller, &["bob"], false).await.unwrap();
    assert_eq!((again.created, again.room.id.as_str()), (false, ROOM));
    assert_eq!((again.room.msgs, again.room.stored), (3, 2));
    // Importing the file again takes nothing back.
    all_are(&Fate::Known, &import(&app, &[line("rooms", &pair_room())]).await);
    let found = access(&app, &ann, ROOM).await;
    assert_eq!((found.room().msgs, found.room().seq), (3, 3));
}

#[tokio::test]
async fn many_lines_of_one_batch_count_right() {
    let app = app().await;
    let ann = pair(&app).await;
    let start = parlance_core::time::parse("2023-01-01").unwrap();
    let text = |n: i64| {
        let at = parlance_core::time::iso(start + n);
        line("messages", &message(&format!("m{n}"), &at, &json!({})))
    };
    let mut file: Vec<String> = (0..300).map(text).collect();
    file.insert(150, "{".to_owned());
    let outcomes = import(&app, &file).await;
    assert_eq!(outcomes.iter().filter(|one| one.fate == Fate::Taken).count(), 300);
    assert!(refusal(&outcomes[150]).starts_with("not JSON"));
    let found = access(&app, &ann, ROOM).await;
    let room = found.room();
    assert_eq!((room.stored, room.lm, room.activity), (300, Some(start + 299), start + 299));
    assert_eq!(room.last_id.as_ref().map(parlance_core::MessageId::as_str), Some("m299"));
    assert!(!TOKEN_HASH.is_empty());
}

#[tokio::test]
async fn preferences_and_what_a_deactivation_left() {
    let app = app().await;
    let mut bob = account("bobb1", "bob");
    bob["language"] = "de".into();
    bob["settings"] = json!({"preferences": {"useEmojis": false, "highlights": ["ship"],
        "desktopNotifications": "nothing", "sendOnEnter": "never", "unknown": 1}});
    let mut room = pair_room();
    room["reactWhenReadOnly"] = true.into();
    let sub = json!({"_id": "sub1", "rid": ROOM, "t": "d", "archived": true,
        "u": {"_id": "bobb1", "username": "bob"}});
    let file = [
        line("users", &with_token(account("anna1", "ann"))),
        line("rooms", &room),
        line("subscriptions", &sub),
        // After the room, which learns of the words all the same.
        line("users", &bob),
    ];
    all_are(&Fate::Taken, &import(&app, &file).await);
    let user = app.core.user(&UserId::from("bobb1")).await.unwrap();
    let chosen = json!({"useEmojis": false, "highlights": ["ship"], "language": "de",
        "desktopNotifications": "nothing"});
    assert_eq!(Value::Object(user.chosen()), chosen, "only what is known, as it may be");
    let ann = imported("anna1", "ann");
    let seen = app.rocket(&ann).get("rooms.info", &[("roomId", ROOM)]).await.ok();
    assert_eq!(seen["room"]["reactWhenReadOnly"], true);
    app.rocket(&ann).say(ROOM, "a ship").await;
    let password = Password::plain(PASSWORD).unwrap();
    app.core.set_password(Authority::Operator, &user.id, &password).await.unwrap();
    let bob = app.log_in(&user).await;
    let sub = app.rocket(&bob).get("subscriptions.getOne", &[("roomId", ROOM)]).await.ok();
    let sub = &sub["subscription"];
    assert_eq!((&sub["archived"], &sub["userMentions"]), (&json!(true), &json!(1)));
    assert_eq!(sub["desktopNotifications"], "nothing");
}
