//! `chat.postMessage` (contract sections 7.2 and 7.3): its targets, its text and its answer.

use super::{coded, keys, plain, schema};
use crate::app::{Answer, START, TestApp, TestUser, app};
use serde_json::{Value, json};

async fn post(app: &TestApp, user: &TestUser, body: Value) -> Answer {
    app.rocket(user).post("chat.postMessage", body).await
}

async fn total(app: &TestApp, user: &TestUser, room: &str) -> Value {
    app.rocket(user).get("dm.messages", &[("roomId", room)]).await.ok()["total"].clone()
}

#[track_caller]
fn no_channel(answer: &Answer) {
    coded(answer, "invalid-channel", "", &Value::Null);
}

#[tokio::test]
async fn the_answer_describes_the_stored_message() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let room = app.rocket(&ann).open("bob").await;
    let body = post(&app, &ann, json!({"roomId": room, "text": "  hi @bob \n"})).await.ok();
    assert_eq!(keys(&body), ["channel", "message", "success", "ts"]);
    assert_eq!((&body["ts"], &body["channel"]), (&json!(START), &json!(room)));
    let message = &body["message"];
    assert_eq!((&message["msg"], &message["rid"]), (&json!("hi @bob"), &json!(room)));
    assert_eq!(message["u"], json!({"_id": ann.id, "username": "ann", "name": "ann"}));
    assert_eq!((&message["groupable"], &message["parseUrls"]), (&json!(false), &json!(true)));
    assert_eq!((&message["attachments"], &message["urls"]), (&json!([]), &json!([])));
    assert_eq!(message["mentions"][0]["_id"], bob.id.as_str());
    let id = message["_id"].as_str().unwrap();
    let read = app.rocket(&bob).get("chat.getMessage", &[("msgId", id)]).await.ok();
    assert_eq!(read["message"], *message);
}

#[tokio::test]
async fn targets() {
    let app = app().await;
    let (ann, bob, cat) = (app.user("ann").await, app.user("bob").await, app.user("cat").await);
    // By name and by user id the room is made.
    let by_name = post(&app, &ann, json!({"channel": "@bob", "text": "1"})).await.ok();
    let by_id = post(&app, &ann, json!({"channel": cat.id, "text": "1"})).await.ok();
    assert_eq!((&by_name["channel"], &by_id["channel"]), (&json!("@bob"), &json!(cat.id)));
    let room = by_name["message"]["rid"].as_str().unwrap();
    let second = by_id["message"]["rid"].as_str().unwrap();
    for body in [
        json!({"roomId": room, "text": "x"}),
        json!({"channel": room, "text": "x"}),
        json!({"roomId": "@bob", "text": "x"}),
        json!({"roomId": "@BOB", "text": "x"}),
        json!({"roomId": bob.id, "text": "x"}),
        json!({"channel": [room], "text": "x"}),
        json!({"channel": room, "roomId": null, "text": "x"}),
        json!({"channel": ["@bob", bob.id, room], "text": "x"}),
    ] {
        let sent = post(&app, &ann, body.clone()).await.ok();
        assert_eq!(sent["message"]["rid"], room, "{body}");
    }
    // Every target once, however often it is named; the answer is the first's.
    assert_eq!(total(&app, &ann, room).await, 9);
    let sent =
        post(&app, &ann, json!({"channel": [second, "@bob", "@cat"], "text": "both"})).await.ok();
    assert_eq!((&sent["channel"], &sent["message"]["rid"]), (&json!(second), &json!(second)));
    assert_eq!(
        (total(&app, &ann, room).await, total(&app, &ann, second).await),
        (json!(10), json!(2))
    );
    let own = post(&app, &ann, json!({"channel": "@ann", "text": "to me"})).await.ok();
    assert_eq!(total(&app, &ann, own["message"]["rid"].as_str().unwrap()).await, 1);
}

#[tokio::test]
async fn targets_that_are_none() {
    let app = app().await;
    let (ann, bob, eve) = (app.user("ann").await, app.user("bob").await, app.user("eve").await);
    let room = app.rocket(&ann).open("bob").await;
    for body in [
        json!({"text": "x"}),
        json!({"channel": "", "text": "x"}),
        json!({"roomId": null, "text": "x"}),
        json!({"roomId": [], "text": "x"}),
        json!({"channel": 7, "text": "x"}),
        json!({"channel": "#general", "text": "x"}),
        json!({"channel": "@nobody", "text": "x"}),
        json!({"channel": vec!["@bob"; 51], "text": "x"}),
    ] {
        no_channel(&post(&app, &ann, body).await);
    }
    for value in
        [json!({"$ne": null}), json!(["@bob", {"$ne": null}]), json!([1]), json!([["@bob"]])]
    {
        schema(&post(&app, &ann, json!({"channel": value, "text": "x"})).await, "must be string");
        schema(&post(&app, &ann, json!({"roomId": value, "text": "x"})).await, "must be string");
        let both = json!({"roomId": room, "channel": value, "text": "x"});
        schema(&post(&app, &ann, both).await, "must be string");
    }
    // A username without its sign is no target; foreign and unknown rooms are the same.
    for target in ["bob", room.as_str(), "nothing", &"0".repeat(24)] {
        plain(
            &post(&app, &eve, json!({"channel": target, "text": "x"})).await,
            400,
            "error-not-allowed",
        );
    }
    // One bad target, and nobody gets anything.
    no_channel(&post(&app, &ann, json!({"channel": ["@bob", "@nobody"], "text": "x"})).await);
    assert_eq!(total(&app, &bob, &room).await, 0);
    assert_eq!(app.rocket(&eve).get("dm.list", &[]).await.ok()["total"], 0);
}

#[tokio::test]
async fn text_or_msg_and_its_limit() {
    let app = app().await;
    let ann = app.user("ann").await;
    let room = app.rocket(&ann).open("rocket.cat").await;
    for (body, want) in [
        (json!({"text": "a"}), "a"),
        (json!({"msg": "b"}), "b"),
        (json!({"text": "a", "msg": "b"}), "a"),
        (json!({}), ""),
        (json!({"text": null}), ""),
    ] {
        let mut body = body;
        body["roomId"] = json!(room);
        assert_eq!(post(&app, &ann, body).await.ok()["message"]["msg"], want);
    }
    for key in ["text", "msg", "alias", "emoji", "avatar", "tmid", "icon_emoji", "username"] {
        let body = json!({"roomId": room, key: {"$ne": null}});
        let text = format!("Match error: Expected string in field {key}");
        plain(&post(&app, &ann, body).await, 400, &text);
    }
    let answer = post(&app, &ann, json!({"roomId": room, "text": "x".repeat(5001)})).await;
    let text = "Message size exceeds Message_MaxAllowedSize";
    coded(&answer, "error-message-size-exceeded", text, &json!({"method": "sendMessage"}));
    assert_eq!(total(&app, &ann, &room).await, 5);
}

#[tokio::test]
async fn urls_are_found_unless_told_otherwise() {
    let app = app().await;
    let ann = app.user("ann").await;
    let room = app.rocket(&ann).open("rocket.cat").await;
    let url = json!([{"url": "https://example.com/x", "meta": {}}]);
    for (extra, flag, urls) in [
        (json!({}), true, Some(&url)),
        (json!({"parseUrls": true}), true, Some(&url)),
        (json!({"parseUrls": false}), false, None),
        (json!({"attachments": []}), false, None),
        (json!({"attachments": [], "parseUrls": true}), true, Some(&url)),
    ] {
        let mut body = json!({"roomId": room, "text": "https://example.com/x"});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let message = post(&app, &ann, body).await.ok()["message"].clone();
        assert_eq!((&message["parseUrls"], message.get("urls")), (&json!(flag), urls), "{extra}");
    }
}

#[tokio::test]
async fn what_a_client_cannot_set() {
    let app = app().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let room = app.rocket(&ann).open("bob").await;
    let plain =
        post(&app, &ann, json!({"roomId": room, "text": "x"})).await.ok()["message"].clone();
    let forged = json!({"roomId": room, "text": "x", "_id": "mine", "u": {"_id": bob.id}, "ts": 1,
        "_updatedAt": 1, "pinned": true, "starred": [{"_id": bob.id}], "editedBy": {"_id": bob.id},
        "reactions": {}, "tcount": 3, "_hidden": true, "t": "rm", "rid": "elsewhere", "tshow": true,
        "mentions": [{"_id": bob.id}], "md": [], "file": {"_id": "x"}});
    let sent = post(&app, &ann, forged).await.ok()["message"].clone();
    assert_eq!(keys(&sent), keys(&plain));
    assert_ne!(sent["_id"], "mine");
    assert_eq!(
        (&sent["u"], &sent["rid"], &sent["mentions"]),
        (&plain["u"], &json!(room), &json!([]))
    );
    // Attachments that are no list are as none.
    let body = json!({"roomId": room, "text": "x", "attachments": "x"});
    assert_eq!(post(&app, &ann, body).await.ok()["message"]["attachments"], json!([]));
    let reply =
        post(&app, &bob, json!({"roomId": room, "text": "r", "tmid": plain["_id"]})).await.ok();
    assert_eq!(reply["message"]["tmid"], plain["_id"]);
}
