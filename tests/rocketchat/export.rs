//! `rooms.export` (contract section 9.2): who may order, what an order must say, what keeps one from being
//! made, and what its owner is told. What is in an export stands in `export_file.rs`.

use super::talk::Talk;
use super::{coded, grant, schema, set};
use crate::app::{Answer, TestApp, TestUser, fresh_database, options};
use crate::store::{execute, number, soon};
use axum::http::Method;
use parlance_core::audit::Entry;
use parlance_core::export::{Wanted, Writer};
use parlance_core::{Clock, Core, Database, Perm};
use serde_json::{Value, json};

/// Orders an export, with these members beside the usual ones.
pub(super) async fn order(app: &TestApp, user: &TestUser, room: &str, more: Value) -> Answer {
    let mut body = json!({"rid": room, "type": "file", "format": "json"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    app.rocket(user).post("rooms.export", body).await
}

/// What the bot has told a user, newest first, once that is so many messages.
pub(crate) async fn told(app: &TestApp, user: &TestUser, many: usize) -> Vec<String> {
    let rocket = app.rocket(user);
    let listen = async {
        loop {
            let rooms = rocket.get("dm.list", &[]).await.ok();
            let mut rooms = rooms["ims"].as_array().unwrap().iter();
            if let Some(room) = rooms.find(|room| {
                let names = room["usernames"].as_array().unwrap();
                names.contains(&json!("rocket.cat")) && room["msgs"] == many
            }) {
                let query = [("roomId", room["_id"].as_str().unwrap())];
                let list = rocket.get("dm.messages", &query).await.ok();
                let messages = list["messages"].as_array().unwrap();
                assert!(messages.iter().all(|message| message["u"]["_id"] == "rocket.cat"));
                return super::each(&list, "messages", "msg");
            }
            tokio::task::yield_now().await;
        }
    };
    soon("word from the bot", listen).await
}

/// The path of the export that a word of the bot's tells of.
#[track_caller]
pub(crate) fn path(word: &str) -> String {
    let path = word.strip_prefix("Your export is ready: http://localhost:3000").expect(word);
    let id = path.strip_prefix("/data-export/").unwrap();
    assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    path.to_owned()
}

/// `GET` of a path, with the headers of a session.
pub(crate) async fn fetch(app: &TestApp, user: &TestUser, path: &str) -> Answer {
    let headers = [("X-Auth-Token", user.token.as_str()), ("X-User-Id", user.id.as_str())];
    app.call(Method::GET, path, &headers, None).await
}

/// Orders an export that is the first word of the bot's, and fetches it.
pub(super) async fn exported(app: &TestApp, user: &TestUser, room: &str, more: Value) -> Answer {
    assert_eq!(order(app, user, room, more).await.ok(), json!({"success": true}));
    let word = told(app, user, 1).await.remove(0);
    fetch(app, user, &path(&word)).await
}

async fn log(app: &TestApp, admin: &TestUser) -> Vec<Entry> {
    let caller = app.caller(admin).await;
    let admin = app.core.admin(&caller, Perm::ViewRoomAdministration).unwrap();
    app.reads(admin).await
}

/// A talk in which users may export.
pub(super) async fn talk() -> Talk {
    let talk = Talk::new().await;
    grant(&talk.app, &talk.boss, "mail-messages", &["user"]).await;
    talk
}

#[tokio::test]
async fn it_takes_the_permission_and_a_room_of_ones_own() {
    let talk = Talk::new().await;
    let refused = order(&talk.app, &talk.ann, &talk.pair, json!({})).await;
    coded(&refused, "error-action-not-allowed", "Mailing is not allowed", &Value::Null);
    grant(&talk.app, &talk.boss, "mail-messages", &["user"]).await;
    // Administrators are no members; a pair's id is refused alike, whether the two talk or not.
    let mut silent = [talk.cat.id.as_str(), talk.bob.id.as_str()];
    silent.sort_unstable();
    for (user, room) in [
        (&talk.eve, talk.pair.clone()),
        (&talk.boss, talk.group.clone()),
        (&talk.eve, silent.concat()),
    ] {
        let refused = order(&talk.app, user, &room, json!({})).await;
        coded(&refused, "error-not-allowed", "Not Allowed", &Value::Null);
    }
    let unknown = order(&talk.app, &talk.ann, "nothing", json!({})).await;
    coded(&unknown, "error-invalid-room", "", &Value::Null);
    assert!(log(&talk.app, &talk.boss).await.is_empty(), "nothing was taken on");
    let done = order(&talk.app, &talk.ann, &talk.group, json!({})).await.ok();
    assert_eq!(done, json!({"success": true}));
}

#[tokio::test]
async fn the_schema_knows_two_kinds_of_orders() {
    let talk = talk().await;
    let ask = async |body: Value| talk.post(&talk.ann, "rooms.export", body).await;
    let one = "must match exactly one schema in oneOf";
    let missing = |name: &str| format!("must have required property '{name}'");
    schema(&ask(json!({})).await, &format!("{0}\n {0}\n {one}", missing("rid")));
    let rid = json!({"rid": talk.pair});
    schema(&ask(rid).await, &format!("{0}\n {0}\n {one}", missing("type")));
    let word = "must be equal to one of the allowed values";
    for (name, value) in [("type", "paper"), ("format", "pdf")] {
        let answer = order(&talk.app, &talk.ann, &talk.pair, json!({name: value})).await;
        schema(&answer, &format!("{word}\n {}\n {one}", missing("messages")));
    }
    let more = "must NOT have additional properties";
    let answer = order(&talk.app, &talk.ann, &talk.pair, json!({"x": 1})).await;
    schema(&answer, &format!("{more}\n {}\n {one}", missing("messages")));
    let answer = order(&talk.app, &talk.ann, &talk.pair, json!({"messages": []})).await;
    schema(&answer, &format!("{more}\n {more}\n {one}"));
    let mail = json!({"rid": talk.pair, "type": "email", "messages": [1]});
    schema(&ask(mail).await, &format!("{}\n must be array\n {one}", missing("format")));
    let mail = json!({"rid": talk.pair, "type": "email", "messages": ["x"], "toUsers": "bob"});
    schema(&ask(mail).await, &format!("{}\n must be array\n {one}", missing("format")));
    assert!(log(&talk.app, &talk.boss).await.is_empty());
}

#[tokio::test]
async fn dates_must_be_dates_and_in_order() {
    let talk = talk().await;
    for (from, to) in [(json!("yesterday"), json!(null)), (json!(null), json!(5))] {
        let more = json!({"dateFrom": from, "dateTo": to});
        let answer = order(&talk.app, &talk.ann, &talk.pair, more).await;
        schema(&answer, "must match format \"date\"");
    }
    let more = json!({"dateFrom": {"$gt": ""}});
    order(&talk.app, &talk.ann, &talk.pair, more).await.expect(400);
    for (from, to) in [
        ("2026-01-03", "2026-01-02"),
        ("2026-01-02T10:00:00.001Z", "2026-01-02T11:00:00.000+01:00"),
    ] {
        let more = json!({"dateFrom": from, "dateTo": to});
        let answer = order(&talk.app, &talk.ann, &talk.pair, more).await;
        coded(&answer, "error-invalid-dates", "From date cannot be after To date", &Value::Null);
    }
    // A day has an end, so that one day is a range; empty and null are none.
    let more = json!({"dateFrom": "2026-01-02", "dateTo": "2026-01-02"});
    order(&talk.app, &talk.ann, &talk.pair, more).await.ok();
    let more = json!({"dateFrom": "", "dateTo": null});
    order(&talk.app, &talk.ann, &talk.pair, more).await.ok();
}

#[tokio::test]
async fn nothing_is_mailed_until_there_is_mail() {
    let talk = talk().await;
    let mail = async |user: &TestUser, room: &str, more: Value| {
        let mut body = json!({"rid": room, "type": "email", "subject": "x", "messages": ["m"]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        talk.post(user, "rooms.export", body).await
    };
    // What is wrong with the order is said first.
    let foreign = mail(&talk.eve, &talk.pair, json!({"toUsers": ["bob"]})).await;
    coded(&foreign, "error-not-allowed", "Not Allowed", &Value::Null);
    let empty = mail(&talk.ann, &talk.pair, json!({"toUsers": ["bob"], "messages": []})).await;
    schema(&empty, "must NOT have fewer than 1 items");
    for more in [
        json!({}),
        json!({"toUsers": [], "toEmails": []}),
        json!({"toUsers": null, "additionalEmails": "x@example.com"}),
    ] {
        let answer = mail(&talk.ann, &talk.pair, more).await;
        coded(&answer, "error-invalid-recipient", "", &Value::Null);
    }
    for more in [json!({"toUsers": ["bob"]}), json!({"toEmails": ["x@example.com"]})] {
        let answer = mail(&talk.ann, &talk.pair, more).await;
        let text = "This server sends no mail";
        coded(&answer, "error-mail-not-configured", text, &Value::Null);
    }
    assert!(log(&talk.app, &talk.boss).await.is_empty());
}

#[tokio::test]
async fn an_order_is_in_the_audit_with_its_range() {
    let talk = talk().await;
    let more = json!({"format": "html", "dateFrom": "2026-01-01", "dateTo": "2026-01-02"});
    order(&talk.app, &talk.ann, &talk.pair, more).await.ok();
    let log = log(&talk.app, &talk.boss).await;
    let row = &log[0];
    assert_eq!((log.len(), row.actor.as_str(), row.name.as_str()), (1, &*talk.ann.id, "ann"));
    assert_eq!(
        (row.action.as_str(), row.room.as_deref()),
        ("rooms.export", Some(talk.pair.as_str()))
    );
    assert_eq!((row.at, row.ip.as_str()), (talk.app.clock.now(), "unknown"));
    let detail: Value = serde_json::from_str(&row.detail).unwrap();
    let path = path(&told(&talk.app, &talk.ann, 1).await[0]);
    let want = json!({"export": path["/data-export/".len()..], "format": "html",
        "oldest": 1_767_225_600_000_i64, "newest": 1_767_398_399_999_i64});
    assert_eq!(detail, want);
}

#[tokio::test]
async fn what_the_audit_cannot_tell_of_is_not_exported() {
    let database = fresh_database().await;
    let app = TestApp::start(database.clone()).await;
    let (boss, ann, _bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    grant(&app, &boss, "mail-messages", &["user"]).await;
    let room = app.rocket(&ann).open("bob").await;
    execute(&database, "ALTER TABLE audit RENAME TO audit_away").await;
    for _ in 0..5 {
        let refused = order(&app, &ann, &room, json!({})).await;
        assert_eq!((refused.status.as_u16(), refused.body.len()), (503, 0));
    }
    execute(&database, "ALTER TABLE audit_away RENAME TO audit").await;
    // None of those was taken on: the next is the first that waits, and the only one that is told of.
    order(&app, &ann, &room, json!({})).await.ok();
    told(&app, &ann, 1).await;
    assert_eq!(log(&app, &boss).await.len(), 1);
}

#[tokio::test]
async fn the_same_order_under_a_key_is_one_order() {
    let talk = talk().await;
    let body = json!({"rid": talk.pair, "type": "file", "format": "json"});
    let headers = [
        ("X-Auth-Token", talk.ann.token.as_str()),
        ("X-User-Id", talk.ann.id.as_str()),
        ("Idempotency-Key", "once"),
    ];
    for _ in 0..5 {
        talk.app.call(Method::POST, "/api/v1/rooms.export", &headers, Some(&body)).await.ok();
    }
    assert_eq!(log(&talk.app, &talk.boss).await.len(), 1);
}

#[tokio::test]
async fn what_is_too_large_is_said_and_leaves_nothing() {
    let talk = talk().await;
    set(&talk.app, &talk.boss, "Parlance_Export_Max_Bytes", json!(3000)).await;
    for n in 0..10 {
        talk.say(&talk.bob, &talk.pair, &"x".repeat(100 + n)).await;
    }
    order(&talk.app, &talk.ann, &talk.pair, json!({})).await.ok();
    let want = "Your export could not be made: it would be larger than 3000 bytes. Try a shorter \
                range of dates.";
    assert_eq!(told(&talk.app, &talk.ann, 1).await, [want]);
    // A shorter range fits; and the next failure is another word, not the first again.
    let more = json!({"dateFrom": "2040-01-01"});
    order(&talk.app, &talk.ann, &talk.pair, more).await.ok();
    path(&told(&talk.app, &talk.ann, 2).await[0]);
    order(&talk.app, &talk.ann, &talk.pair, json!({})).await.ok();
    assert_eq!(told(&talk.app, &talk.ann, 3).await[0], want);
}

/// A worker that falls at the first order, so that the others wait.
fn stuck() -> Writer {
    Writer {
        head: |_, _, _| panic!("a worker that falls"),
        message: |_, _, _, _| {},
        foot: |_, _| {},
        word: |_, _, _| String::new(),
    }
}

async fn without_worker(database: &Database, clock: &Clock) -> Core {
    Core::open(options(database.clone(), clock.clone())).await.unwrap()
}

#[tokio::test]
async fn only_so_many_orders_of_one_wait() {
    let (database, clock) = (fresh_database().await, Clock::set(crate::app::START));
    let core = without_worker(&database, &clock).await;
    core.begin_exports(stuck());
    let app = TestApp::over(core, clock, &database);
    let (boss, ann, bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    grant(&app, &boss, "mail-messages", &["user"]).await;
    let room = app.rocket(&ann).open("bob").await;
    for _ in 0..3 {
        order(&app, &ann, &room, json!({})).await.ok();
    }
    let refused = order(&app, &ann, &room, json!({})).await;
    let text = "Too many exports are waiting to be made. Please try again later.";
    coded(&refused, "error-too-many-exports", text, &Value::Null);
    assert_eq!(log(&app, &boss).await.len(), 3, "a refusal leaves no row");
    // Another's are another's, as long as there are not too many in all.
    order(&app, &bob, &room, json!({})).await.ok();
    let many = "INSERT INTO exports (id, usr, room, format, asked, state, due, tries)
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 996)
        SELECT 'x' || i, 'rocket.cat', 'x', 'json', 0, 'waiting', 9000000000000, 0 FROM n";
    execute(&database, many).await;
    let refused = order(&app, &bob, &room, json!({})).await;
    coded(&refused, "error-too-many-exports", text, &Value::Null);
    assert_eq!(log(&app, &boss).await.len(), 4);
}

#[tokio::test]
async fn access_is_asked_for_again_when_it_is_made() {
    for gone in ["room", "permission", "view"] {
        let (database, clock) = (fresh_database().await, Clock::set(crate::app::START));
        let core = without_worker(&database, &clock).await;
        let clone = core.clone();
        // Taken on while nobody is there to make it.
        let (boss, ann, room) = {
            let (boss, _) = crate::store::person(&clone, "boss", &["admin", "user"]).await;
            let (ann, token) = crate::store::person(&clone, "ann", &["user"]).await;
            let room = clone.open_direct(&ann, &["boss"], false).await.unwrap().room;
            let right = clone.admin(&boss, Perm::AccessPermissions).unwrap();
            let all = vec!["user".to_owned()];
            clone.set_grants(right, &[("mail-messages".to_owned(), all)]).await.unwrap();
            let access = clone.access(&ann, room.id.as_str()).await.unwrap();
            let right = clone.admin(&ann, Perm::MailMessages).unwrap();
            let wanted = Wanted { format: "json", from: None, to: None };
            clone.order_export(right, "::1", &access, wanted).await.unwrap();
            let ann = TestUser { id: ann.id().to_string(), username: "ann".to_owned(), token };
            (boss, ann, room)
        };
        match gone {
            "room" => clone.delete_room(&boss, room.id.as_str()).await.unwrap(),
            "permission" => {
                let right = clone.admin(&boss, Perm::AccessPermissions).unwrap();
                clone.set_grants(right, &[("mail-messages".to_owned(), vec![])]).await.unwrap();
            }
            _ => {
                let right = clone.admin(&boss, Perm::AccessPermissions).unwrap();
                let none = ["view-d-room", "view-joined-room"].map(|id| (id.to_owned(), vec![]));
                clone.set_grants(right, &none).await.unwrap();
            }
        }
        let app = TestApp::over(core, clock, &database);
        let ended = async {
            while number(&database, "SELECT count(*) FROM exports").await > 0 {
                tokio::task::yield_now().await;
            }
        };
        soon("an order to end", ended).await;
        let right = app.core.admin(&boss, Perm::AccessPermissions).unwrap();
        let all = ("view-d-room".to_owned(), vec!["user".to_owned()]);
        app.core.set_grants(right, &[all]).await.unwrap();
        let want = "Your export could not be made: the room is gone, or you may not export it any \
                    more.";
        assert_eq!(told(&app, &ann, 1).await, [want], "{gone}");
    }
}

#[tokio::test]
async fn the_oldest_go_when_there_are_many() {
    let talk = talk().await;
    for n in 1..=12 {
        talk.tick();
        order(&talk.app, &talk.ann, &talk.pair, json!({})).await.ok();
        told(&talk.app, &talk.ann, n).await;
    }
    let mut there = Vec::new();
    for word in told(&talk.app, &talk.ann, 12).await {
        there.push(fetch(&talk.app, &talk.ann, &path(&word)).await.status.as_u16());
    }
    assert_eq!(there, [&[200; 10][..], &[404; 2]].concat(), "newest first");
}

#[tokio::test]
async fn who_blocks_the_bot_is_not_told_and_gets_it_all_the_same() {
    let talk = talk().await;
    order(&talk.app, &talk.ann, &talk.pair, json!({})).await.ok();
    told(&talk.app, &talk.ann, 1).await;
    let room = talk.app.rocket(&talk.ann).open("rocket.cat").await;
    let body = json!({"roomId": room, "block": true});
    talk.post(&talk.ann, "dm.blockUser", body).await.ok();
    order(&talk.app, &talk.ann, &talk.pair, json!({})).await.ok();
    let detail: Value = serde_json::from_str(&log(&talk.app, &talk.boss).await[0].detail).unwrap();
    let path = format!("/data-export/{}", detail["export"].as_str().unwrap());
    let wait = async {
        while fetch(&talk.app, &talk.ann, &path).await.status != 200 {
            tokio::task::yield_now().await;
        }
    };
    soon("an export that nobody tells of", wait).await;
    told(&talk.app, &talk.ann, 1).await;
}
