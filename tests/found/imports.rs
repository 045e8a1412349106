//! Numbers and times from outside that no client, or no arithmetic here, can hold: each is refused
//! with its reason, the lines around it are taken, and the rooms work on.

use super::{import, import_refused, import_taken, line, message_of, room_of, with};
use crate::app::{TestApp, TestUser, app};
use parlance_core::import::Fate;
use serde_json::{Value, json};

/// The largest number that every client can hold.
const LARGEST: i64 = (1 << 53) - 1;
/// The last millisecond that can be written down.
const LAST: i64 = 253_402_300_799_999;
/// A time in microseconds, as some exports have it.
const MICROS: i64 = 1_674_612_018_095_000;
const YEARS: &str = "is not in the years 0 to 9998";

/// The room can be written to and listed by both sides.
async fn room_works(app: &TestApp, ann: &TestUser, bob: &TestUser, room: &str) {
    for user in [ann, bob] {
        let body = json!({"message": {"rid": room, "msg": "still here"}});
        app.rocket(user).post("chat.sendMessage", body).await.ok();
        app.rocket(user).get("dm.list", &[("sort", r#"{"msgs":-1}"#)]).await.ok();
        app.meepa(user).get("/dms", &[]).await.ok();
        app.meepa(user).get(&format!("/dms/{room}/messages"), &[]).await.ok();
    }
    let body = app.rocket(bob).get("dm.messages", &[("roomId", room)]).await.ok();
    assert_eq!(body["messages"][0]["msg"], "still here");
}

#[tokio::test]
async fn a_number_out_of_range_is_refused_and_poisons_nothing() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let (room, large) = (room_of("first", &ann, &bob), [LARGEST + 1, i64::MAX]);
    for number in large {
        for value in [json!(number), json!({"$numberLong": number.to_string()})] {
            for key in ["msgs", "usersCount"] {
                let told =
                    import_refused(&app, "rooms", &with(&room, &json!({ key: value }))).await;
                assert_eq!(told, format!("{key} is too large"));
            }
        }
    }
    for number in [json!(1e300), json!(u64::MAX), json!(0.5), json!("7")] {
        let told = import_refused(&app, "rooms", &with(&room, &json!({"msgs": number}))).await;
        assert_eq!(told, "msgs is not a whole number");
    }
    // In one batch with what is right, which is taken.
    let bad = with(&room_of("second", &ann, &bob), &json!({"msgs": i64::MAX}));
    let message = message_of("m1", "first", &ann);
    let tcount = with(&message_of("m2", "first", &ann), &json!({"tcount": i64::MAX}));
    let unread = json!({"_id": "s1", "rid": "first", "u": {"_id": ann.id}, "unread": i64::MAX});
    let lines = [
        line("rooms", &bad),
        line("rooms", &room),
        line("messages", &message),
        line("messages", &tcount),
        line("subscriptions", &unread),
    ];
    let fates: Vec<Fate> = import(&app, &lines).await.into_iter().map(|one| one.fate).collect();
    let refused = |why: &str| Fate::Refused(why.to_owned());
    let too_large = [
        refused("msgs is too large"),
        Fate::Taken,
        Fate::Taken,
        refused("tcount is too large"),
        refused("unread is too large"),
    ];
    assert_eq!(fates, too_large);
    room_works(&app, &ann, &bob, "first").await;
}

#[tokio::test]
async fn a_time_out_of_range_is_refused_and_poisons_nothing() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let (room, message) = (room_of("first", &ann, &bob), message_of("m1", "first", &ann));
    let times = [MICROS, i64::MAX, i64::MIN, 253_402_300_800_000, -62_167_219_200_001];
    for time in times {
        for key in ["ts", "_updatedAt", "lm"] {
            let told = import_refused(&app, "rooms", &with(&room, &json!({ key: time }))).await;
            assert_eq!(told, format!("{key} {YEARS}"));
        }
    }
    import_taken(&app, "rooms", &room).await;
    for time in times {
        for key in ["ts", "_updatedAt", "tlm", "pinnedAt", "editedAt"] {
            let told =
                import_refused(&app, "messages", &with(&message, &json!({ key: time }))).await;
            assert_eq!(told, format!("{key} {YEARS}"));
        }
        let account = json!({"_id": "carl1", "username": "carl", "createdAt": time});
        assert_eq!(import_refused(&app, "users", &account).await, format!("createdAt {YEARS}"));
    }
    import_taken(&app, "messages", &message).await;
    room_works(&app, &ann, &bob, "first").await;
}

/// `MongoDB`'s own form of a time: it must not be cut to what can be written.
#[tokio::test]
async fn a_time_out_of_range_in_extended_json_is_refused_too() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    import_taken(&app, "rooms", &room_of("first", &ann, &bob)).await;
    for time in [MICROS, i64::MAX, i64::MIN] {
        for date in [json!(time), json!({"$numberLong": time.to_string()})] {
            let message = message_of("m1", "first", &ann);
            let message = with(&message, &json!({"ts": {"$date": date}}));
            let fate = import(&app, &[line("messages", &message)]).await.remove(0).fate;
            assert!(matches!(fate, Fate::Refused(_)), "{fate:?}: {date}");
        }
    }
    room_works(&app, &ann, &bob, "first").await;
}

/// What is taken leaves the room able to count on: refusing it would be as good.
#[tokio::test]
async fn the_largest_that_is_taken_leaves_a_room_that_works() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let unread = json!({"_id": "s1", "rid": "unread", "u": {"_id": ann.id}, "unread": LARGEST});
    let room = |id: &str, changes: Value| line("rooms", &with(&room_of(id, &ann, &bob), &changes));
    let message = with(&message_of("m1", "message", &ann), &json!({"ts": LAST}));
    let lines = [
        room("msgs", json!({"msgs": LARGEST})),
        room("lm", json!({"lm": LAST})),
        room("message", json!({})),
        line("messages", &message),
        room("unread", json!({})),
        line("subscriptions", &unread),
    ];
    import(&app, &lines).await;
    let mut broken = Vec::new();
    for id in ["msgs", "lm", "message", "unread"] {
        // A room that was refused is not there.
        if app.core.access(&app.caller(&ann).await, id).await.is_ok() {
            let body = json!({"message": {"rid": id, "msg": "still here"}});
            let sent = app.rocket(&bob).post("chat.sendMessage", body).await;
            broken.extend((sent.status != 200).then_some(id));
        }
    }
    assert_eq!(broken, [""; 0]);
}
