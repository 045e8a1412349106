//! What was missed: by position, over REST and on a socket that asks for it, in the order of the log and
//! in one's own rooms alone.

use super::client::{Client, Listening, is_event, listen};
use crate::app::{START, TestApp, TestUser, app, fresh_database, options};
use crate::store::{reopen, soon};
use futures_util::future::join_all;
use parlance_core::event::Kind;
use parlance_core::{Clock, Core, Database};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a client knows of the messages of its rooms, from nothing but what it is told.
type Model = BTreeMap<String, String>;

/// Takes one event into the model.
fn take(model: &mut Model, stream: &str, event: &str, args: &Value) {
    let id = |value: &Value| value["_id"].as_str().unwrap().to_owned();
    match stream {
        "stream-room-messages" => {
            model.insert(id(&args[0]), args[0]["msg"].as_str().unwrap().to_owned());
        }
        "stream-notify-room" if event.ends_with("/deleteMessage") => {
            model.remove(&id(&args[0]));
        }
        _ => {}
    }
}

/// Everything after a position over REST, piece by piece; the events and the position then.
async fn missed(app: &TestApp, user: &TestUser, mut since: i64) -> (Vec<Value>, i64) {
    let mut all = Vec::new();
    loop {
        let got = app.rocket(user).get("events", &[("since", &since.to_string())]).await.ok();
        all.extend(got["events"].as_array().unwrap().iter().cloned());
        let position = got["position"].as_i64().unwrap();
        assert!(position >= since);
        since = position;
        if got["more"] == false {
            return (all, since);
        }
    }
}

/// The position of now, when everything that was done so far was published.
async fn now(app: &TestApp, user: &TestUser) -> i64 {
    app.core.indexed().await.unwrap();
    app.rocket(user).get("events", &[]).await.ok()["position"].as_i64().unwrap()
}

/// What the store says of a room.
async fn stored(app: &TestApp, user: &TestUser, room: &str) -> Model {
    let query = [("roomId", room), ("count", "0")];
    let all = app.rocket(user).get("dm.messages", &query).await.ok();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = all["messages"].as_array().unwrap();
    all.iter().map(|message| (text(&message["_id"]), text(&message["msg"]))).collect()
}

#[tokio::test]
async fn what_was_missed_is_told_in_order_and_to_members_alone() {
    let app = app().await;
    let [ann, bob, eve] = [app.user("ann").await, app.user("bob").await, app.user("eve").await];
    let room = app.rocket(&ann).open("bob").await;
    app.rocket(&ann).say(&room, "before").await;
    let since = now(&app, &bob).await;
    let first = app.rocket(&ann).say(&room, "one").await["_id"].clone();
    let second = app.rocket(&ann).say(&room, "two").await["_id"].clone();
    let edit = json!({"roomId": room, "msgId": first, "text": "uno"});
    app.rocket(&ann).post("chat.update", edit).await.ok();
    let gone = json!({"roomId": room, "msgId": second});
    app.rocket(&ann).post("chat.delete", gone).await.ok();
    let end = now(&app, &bob).await;
    let (events, position) = missed(&app, &bob, since).await;
    assert_eq!(position, end);
    let mut model = Model::new();
    for event in &events {
        let text = |key: &str| event[key].as_str().unwrap();
        take(&mut model, text("collection"), text("eventName"), &event["args"]);
    }
    assert_eq!(model, Model::from([(first.as_str().unwrap().to_owned(), "uno".to_owned())]));
    // Times are those of REST, and the room and the reader's view of it are told, too.
    let of = |stream: &str, name: &str| {
        let wanted = format!("stream-{stream}");
        events.iter().find(|e| e["collection"] == wanted && e["eventName"] == name).unwrap()
    };
    assert!(of("room-messages", &room)["args"][0]["ts"].is_string());
    let view = of("notify-user", &format!("{}/subscriptions-changed", bob.id));
    assert_eq!((&view["args"][0], &view["args"][1]["unread"]), (&json!("updated"), &json!(3)));
    of("notify-user", &format!("{}/rooms-changed", bob.id));
    // Nothing of it concerns anybody else.
    let (foreign, position) = missed(&app, &eve, 0).await;
    assert_eq!((foreign, position), (Vec::new(), end));
    for bad in ["-1", "x", "1.5", "9999999999999999999999"] {
        let refused = app.rocket(&bob).get("events", &[("since", bad)]).await.expect(400);
        assert_eq!(refused["errorType"], "error-invalid-position", "{bad}");
    }
    // A position that is still to come is the one of now.
    let later = (end + 1_000_000).to_string();
    let got = app.rocket(&bob).get("events", &[("since", &later)]).await.ok();
    assert_eq!((&got["events"], &got["position"]), (&json!([]), &json!(end)));
}

#[tokio::test]
async fn a_position_that_the_log_does_not_reach_is_refused_clearly() {
    let database = fresh_database().await;
    let core = Core::open(options(database.clone(), Clock::set(START))).await.unwrap();
    let (ann, room) = {
        // Whatever its end removes, it is not this store.
        let nowhere = Database::Postgres(String::new());
        let app = TestApp::over(core.clone(), Clock::set(START), &nowhere);
        let (ann, _bob) = (app.user("ann").await, app.user("bob").await);
        let room = app.rocket(&ann).open("bob").await;
        let rows = parlance_core::setting::LOG_ROWS.id;
        app.core.overwrite_setting(rows, &json!(1000)).await.unwrap();
        let named = (0..1200).map(|n| {
            let core = &core;
            async move { core.overwrite_setting("Site_Name", &json!(format!("name {n}"))).await }
        });
        assert!(join_all(named).await.iter().all(Result::is_ok));
        (ann, room)
    };
    core.close().await;
    let clock = Clock::set(START);
    let store = options(database.clone(), clock.clone()).store;
    let core = reopen(&database, store, clock.clone()).await;
    TestApp::unlimited(&core).await;
    let app = TestApp::over(core, clock, &database);
    let at = listen(&app).await;
    // A server trims the log when it begins, and what is heard comes after that.
    let mut ears = app.core.listen(1000);
    app.core.overwrite_setting("Site_Name", &json!("again")).await.unwrap();
    let heard = async { while ears.next().await.expect("an event").kind != Kind::Settings {} };
    soon("the event", heard).await;
    let refused = app.rocket(&ann).get("events", &[("since", "1")]).await.expect(400);
    assert_eq!(refused["errorType"], "error-position-too-old");
    let mut late = Client::connect_to(&at, "/websocket?since=1").await;
    late.resume(&ann).await;
    let told = late.until(|frame| frame["msg"] == "reload").await;
    assert_eq!(told["reason"], "The position is too old");
    let position = late.until(|frame| frame["msg"] == "position").await;
    assert!(position["position"].as_i64().unwrap() > 1000, "{position}");
    // And goes on from there.
    let sent = app.rocket(&ann).say(&room, "new").await;
    let got = late.event("room-messages", &room).await;
    assert_eq!(got[0]["_id"], sent["_id"]);
}

#[tokio::test]
async fn a_socket_that_asks_for_positions_is_told_everything_that_has_one() {
    let app = app().await;
    let at = listen(&app).await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let room = app.rocket(&ann).open("bob").await;
    let mut client = Client::connect_to(&at, "/websocket?since=").await;
    client.resume(&bob).await;
    let begun = client.until(|frame| frame["msg"] == "position").await;
    app.rocket(&ann).say(&room, "one").await;
    // Without a subscription: it asked for all.
    assert_eq!(client.event("room-messages", &room).await[0]["msg"], "one");
    client.forget();
    let since = client.until(|frame| frame["msg"] == "position").await["position"].clone();
    assert!(since.as_i64() > begun["position"].as_i64());
    drop(client);
    app.rocket(&ann).say(&room, "two").await;
    app.rocket(&ann).say(&room, "three").await;
    let mut client = Client::connect_to(&at, &format!("/websocket?since={since}")).await;
    client.resume(&bob).await;
    for text in ["two", "three"] {
        assert_eq!(client.event("room-messages", &room).await[0]["msg"], text);
    }
    app.rocket(&ann).say(&room, "four").await;
    assert_eq!(client.event("room-messages", &room).await[0]["msg"], "four");
    client.until(|frame| frame["msg"] == "position").await;
    // Once each: what was told before is not told again.
    client.settle().await;
    assert!(!client.kept().any(|frame| is_event(frame, "room-messages", &room)));
}

/// Follows a room on sockets that are cut at random, until a message says that it is the last. A socket lives
/// long enough for a piece of what was missed.
async fn follow(at: &Listening, user: &TestUser, seed: u64) -> Model {
    let mut chance = StdRng::seed_from_u64(seed);
    let (mut model, mut since, mut last) = (Model::new(), 0, false);
    while !last {
        let mut client = Client::connect_to(at, &format!("/websocket?since={since}")).await;
        client.resume(user).await;
        for _ in 0..chance.random_range(80..300) {
            let frame = client.next().await;
            match frame["msg"].as_str().unwrap_or_default() {
                "position" => {
                    since = frame["position"].as_i64().unwrap();
                    last = model.values().any(|text| text == "the last");
                }
                "changed" => {
                    let name = frame["fields"]["eventName"].as_str().unwrap_or_default();
                    let stream = frame["collection"].as_str().unwrap();
                    take(&mut model, stream, name, &frame["fields"]["args"]);
                }
                _ => {}
            }
            if last {
                break;
            }
        }
    }
    model
}

/// Messages of each of four writers: a second's work. `PARLANCE_TEST_RESUME` makes it more: 20,000 take a
/// minute or two.
fn each() -> usize {
    std::env::var("PARLANCE_TEST_RESUME").map_or(60, |text| text.parse().expect("a number"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_whose_sockets_are_cut_knows_what_the_store_knows() {
    let app = app().await;
    let at = listen(&app).await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let room = app.rocket(&ann).open("bob").await;
    let write = async {
        let writers = (0..4).map(|n| {
            let (app, ann, room) = (&app, &ann, &room);
            async move {
                for m in 0..each() {
                    let id = app.rocket(ann).say(room, &format!("{n} {m}")).await["_id"].clone();
                    if m % 3 == 0 {
                        let edit =
                            json!({"roomId": room, "msgId": id, "text": format!("{n} {m}!")});
                        app.rocket(ann).post("chat.update", edit).await.ok();
                    } else if m % 5 == 0 {
                        let gone = json!({"roomId": room, "msgId": id});
                        app.rocket(ann).post("chat.delete", gone).await.ok();
                    }
                }
            }
        });
        join_all(writers).await;
        app.rocket(&ann).say(&room, "the last").await;
    };
    let (few, many, ()) = tokio::join!(follow(&at, &bob, 1), follow(&at, &bob, 2), write);
    let want = stored(&app, &bob, &room).await;
    let gone = (0..each()).filter(|m| m % 3 != 0 && m % 5 == 0).count();
    assert_eq!(want.len(), 4 * (each() - gone) + 1);
    assert_eq!(few, want);
    assert_eq!(many, want);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rest_socket_and_store_agree_on_the_order_of_ten_thousand_messages() {
    const EACH: usize = 1250;
    let app = app().await;
    let at = listen(&app).await;
    let mut people = Vec::new();
    for n in 0..8 {
        people.push(app.user(&format!("writer{n}")).await);
    }
    let names: Vec<&str> = people[1..].iter().map(|one| one.username.as_str()).collect();
    let body = json!({"usernames": names.join(",")});
    let made = app.rocket(&people[0]).post("dm.create", body).await.ok();
    let room = made["room"]["_id"].as_str().unwrap().to_owned();
    let since = now(&app, &people[0]).await;
    let mut ear = Client::log_in(&at, &people[0]).await;
    ear.hear("room-messages", &room).await;
    let heard = async {
        let mut heard = Vec::new();
        while heard.len() < 8 * EACH {
            let args = ear.event("room-messages", &room).await;
            heard.push(args[0]["_id"].as_str().unwrap().to_owned());
            ear.forget();
        }
        heard
    };
    let writers = people.iter().enumerate().map(|(n, one)| {
        let (app, at, room) = (&app, &at, &room);
        async move {
            if n % 2 == 0 {
                for m in 0..EACH {
                    app.rocket(one).say(room, &format!("{n} {m}")).await;
                }
                return;
            }
            let mut socket = Client::log_in(at, one).await;
            for m in 0..EACH {
                let message = json!({"rid": room, "msg": format!("{n} {m}")});
                socket.ok("sendMessage", json!([message])).await;
                socket.forget();
            }
        }
    });
    let (heard, _) = tokio::join!(heard, join_all(writers));
    let query = [("roomId", room.as_str()), ("count", "0"), ("sort", r#"{"ts":1}"#)];
    let all = app.rocket(&people[1]).get("dm.messages", &query).await.ok();
    let all = all["messages"].as_array().unwrap();
    let ids: Vec<String> = all.iter().map(|m| m["_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(heard, ids);
    let times: Vec<&str> = all.iter().map(|m| m["ts"].as_str().unwrap()).collect();
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]));
    let (events, _) = missed(&app, &people[2], since).await;
    let told = events.iter().filter(|event| event["collection"] == "stream-room-messages");
    let told: Vec<&str> = told.map(|e| e["args"][0]["_id"].as_str().unwrap()).collect();
    assert_eq!(told, ids);
}
