//! Methods on the socket (contract section 11.6): the same as over REST, one after the other, and always with
//! an answer, whatever they are called with.

use super::client::{Client, app, ejson, listen};
use parlance_rocketchat::methods::METHODS;
use serde_json::{Value, json};

#[tokio::test]
async fn every_method_answers_whatever_it_is_called_with() {
    let app = app().await;
    let at = listen(&app).await;
    let (ann, _) = (app.user("ann").await, app.user("bob").await);
    let room = app.rocket(&ann).open("bob").await;
    let message = app.rocket(&ann).say(&room, "hello").await["_id"].clone();
    let long = "x".repeat(10_000);
    let params = [
        None,
        Some(json!(null)),
        Some(json!([])),
        Some(json!([null])),
        Some(json!([null, null, null, null, null])),
        Some(json!([{}])),
        Some(json!([[[[]]], {"$gt": ""}, -1, 1e300, "\u{0}".replace('\u{0}', "")])),
        Some(json!([{"$date": null}, {"$date": "x"}, {"$binary": "!"}, {"$escape": 1}])),
        Some(json!([{"_id": {"$ne": null}, "rid": {"$exists": true}, "mid": [], "tmid": 7}])),
        Some(json!([long, long])),
        Some(json!([-9_007_199_254_740_993_i64, u64::MAX, true])),
        Some(json!([room, room, room, room, room])),
        Some(json!([{"_id": message, "rid": room, "msg": 7}, "x", [], {}])),
    ];
    let mut client = Client::log_in(&at, &ann).await;
    let mut nobody = Client::connect(&at).await;
    // `logout` ends the session that the others need.
    for method in METHODS.iter().filter(|method| method.name != "logout") {
        for params in &params {
            for (client, id) in [(&mut client, "a"), (&mut nobody, "b")] {
                let mut frame = json!({"msg": "method", "method": method.name, "id": id});
                if let Some(params) = params {
                    frame["params"] = params.clone();
                }
                client.say(&frame).await;
                let result = client.until(|frame| frame["msg"] == "result").await;
                assert_eq!(result["id"], id, "{frame}");
                let updated = client.until(|frame| frame["msg"] == "updated").await;
                assert_eq!(updated["methods"], json!([id]));
                assert_ne!(result["error"]["error"], 500, "{frame} {result}");
                if let Some(error) = result.get("error") {
                    assert_eq!(error["errorType"], "Meteor.Error", "{frame} {error}");
                    assert!(
                        error["message"].is_string() && !error["error"].is_null(),
                        "{frame} {error}"
                    );
                }
            }
        }
        if method.login {
            let error = nobody.refused(method.name, json!([])).await;
            assert_eq!(error["error"], "error-invalid-user", "{}", method.name);
        }
    }
    client.settle().await;
}

#[tokio::test]
async fn a_conversation_by_methods_alone() {
    let app = app().await;
    let at = listen(&app).await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let mut here = Client::log_in(&at, &ann).await;
    let mut there = Client::log_in(&at, &bob).await;
    let made = here.ok("createDirectMessage", json!(["bob"])).await;
    let room = made["rid"].as_str().unwrap().to_owned();
    assert_eq!(made["t"], "d");
    there.hear("room-messages", &room).await;
    let id = "a".repeat(17);
    let sent = here
        .ok("sendMessage", json!([{"_id": id, "rid": room, "msg": "hello"}, [], "surplus"]))
        .await;
    assert_eq!((&sent["_id"], &sent["msg"]), (&json!(id), &json!("hello")));
    assert!(sent["ts"]["$date"].is_i64(), "{sent}");
    assert_eq!(there.event("room-messages", &room).await, json!([sent]));
    // The same id again is the same message, and is not told again.
    let again = here.ok("sendMessage", json!([{"_id": id, "rid": room, "msg": "hello"}])).await;
    assert_eq!(again["_id"], sent["_id"]);
    assert_eq!(there.told(&app.core).await, []);
    // What has no result has no key for it; `updated` comes all the same.
    let update = json!([{"_id": id, "rid": room, "msg": "other"}]);
    let answer = here.call("updateMessage", update).await;
    let keys: Vec<&String> = answer.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["id", "msg"], "{answer}");
    there.ok("setReaction", json!([":smile:", id])).await;
    there.ok("starMessage", json!([{"_id": id, "rid": room, "starred": true}])).await;
    let history = there.ok("loadHistory", json!([room])).await;
    assert_eq!(history["messages"][0]["msg"], "other");
    assert!(history["unreadNotLoaded"].is_number(), "{history}");
    assert_eq!(
        there.ok("loadHistory", json!([room, null, 50, {"$date": 0}, true])).await["messages"],
        history["messages"]
    );
    let rest = app.rocket(&bob).get("dm.messages", &[("roomId", &room)]).await.ok();
    assert_eq!(history["messages"], ejson(&rest["messages"]));
    let flat = there.ok("subscriptions/get", json!([])).await;
    let views = flat.as_array().unwrap();
    assert!(views[0]["alert"].is_boolean() && views[0]["unread"].is_number(), "{flat}");
    for since in [json!({"$date": 0}), json!({"$date": null})] {
        let both = there.ok("rooms/get", json!([since])).await;
        assert!(
            both["update"].is_array() && both["remove"].is_array() || both.is_array(),
            "{both}"
        );
    }
    there.ok("readMessages", json!([room])).await;
    assert_eq!(there.ok("subscriptions/get", json!([])).await[0]["unread"], 0);
    here.ok("deleteMessage", json!([{"_id": id}])).await;
    assert_eq!(there.ok("getSingleMessage", json!([id])).await, Value::Null);
    assert!(here.ok("public-settings/get", json!([])).await.is_array());
    let error = here.refused("no:such", json!([])).await;
    assert_eq!(
        error,
        json!({"isClientSafe": true, "error": 404, "reason": "Method 'no:such' not found",
        "message": "Method 'no:such' not found [404]", "errorType": "Meteor.Error"})
    );
    let foreign = here.refused("sendMessage", json!([{"rid": "none", "msg": "x"}])).await;
    assert_eq!(foreign["error"], "error-not-allowed");
}

#[tokio::test]
async fn what_is_sent_at_once_is_done_in_order() {
    let app = app().await;
    let at = listen(&app).await;
    let (ann, _) = (app.user("ann").await, app.user("bob").await);
    let room = app.rocket(&ann).open("bob").await;
    for path in ["/websocket", "/sockjs/1/a/websocket"] {
        let mut client = Client::connect_to(&at, path).await;
        client.forget();
        // Nothing waits for the login's answer, and all that follows is done after it.
        let mut frames = vec![
            json!({"msg": "method", "method": "login", "id": "0", "params": [{"resume": ann.token}]}),
        ];
        frames.push(json!({"msg": "sub", "id": "s", "name": "stream-room-messages", "params": [room, false]}));
        for n in 1..=50 {
            let message = json!({"rid": room, "msg": format!("{n}")});
            frames.push(json!({"msg": "method", "method": "sendMessage", "id": n.to_string(), "params": [message]}));
            frames.push(json!({"msg": "ping", "id": n.to_string()}));
        }
        if path.starts_with("/sockjs") {
            let all: Vec<String> = frames.iter().map(Value::to_string).collect();
            client.send(&json!(all).to_string()).await;
        } else {
            for frame in &frames {
                client.say(frame).await;
            }
        }
        let mut heard = Vec::new();
        let (mut times, mut told) = (Vec::new(), 0);
        while heard.len() < 102 {
            let frame = client.next().await;
            match frame["msg"].as_str().unwrap() {
                "result" => {
                    assert!(frame.get("error").is_none(), "{frame}");
                    times.extend(frame["result"]["ts"]["$date"].as_i64());
                    heard.push(format!("result {}", frame["id"].as_str().unwrap()));
                }
                "pong" => heard.push(format!("pong {}", frame["id"].as_str().unwrap())),
                "ready" => heard.push("ready".to_owned()),
                "changed" if frame["collection"] == "stream-room-messages" => told += 1,
                _ => {}
            }
        }
        let mut want = vec!["result 0".to_owned(), "ready".to_owned()];
        for n in 1..=50 {
            want.extend([format!("result {n}"), format!("pong {n}")]);
        }
        assert_eq!(heard, want);
        assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
        while told < 50 {
            client.event("room-messages", &room).await;
            told += 1;
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_larger_than_any_frame_comes_whole() {
    let app = app().await;
    let at = listen(&app).await;
    let (ann, _) = (app.user("ann").await, app.user("bob").await);
    let room = app.rocket(&ann).open("bob").await;
    let caller = app.caller(&ann).await;
    for _ in 0..1500 {
        let access = app.core.access(&caller, &room).await.unwrap();
        let new = parlance_core::send::NewMessage::text("x".repeat(4500));
        app.core.send(&caller, &access, new).await.unwrap();
    }
    let mut client = Client::log_in(&at, &ann).await;
    let since = json!([room, {"lastUpdate": {"$date": 0}}]);
    let all = client.ok("messages/get", since).await;
    let count = all["updated"].as_array().unwrap().len();
    assert!(all.to_string().len() > 4 * 1024 * 1024, "{count}");
}
