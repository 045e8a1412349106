//! Methods on messages: sending, changing, marking, reading a room by time, threads.

use super::methods::{date, ids, refusal, result};
use super::set;
use super::talk::Talk;
use crate::app::START;
use serde_json::{Value, json};

#[tokio::test]
async fn messages_are_sent() {
    let talk = Talk::new().await;
    let (app, ann) = (&talk.app, &talk.ann);
    let at = talk.tick();
    let new = json!({"_id": "mine", "rid": talk.pair, "msg": "hello @bob"});
    let sent = result(app, ann, "sendMessage", json!([new])).await;
    assert_eq!(
        (&sent["_id"], &sent["msg"], &sent["ts"]),
        (&json!("mine"), &json!("hello @bob"), &date(at))
    );
    assert_eq!(sent["mentions"][0]["username"], "bob");
    // The same again is a retry; more arguments than the method has are nothing.
    assert_eq!(result(app, ann, "sendMessage", json!([new, null, "x"])).await, sent);
    let urls = json!({"rid": talk.pair, "msg": "https://a.example https://b.example"});
    let sent = result(app, ann, "sendMessage", json!([urls, ["https://a.example"]])).await;
    assert_eq!(
        (sent["urls"][0].get("ignoreParse"), &sent["urls"][1]["ignoreParse"]),
        (None, &json!(true))
    );
    for (message, code) in [
        (
            json!({"rid": talk.pair, "msg": "x", "t": "rm"}),
            json!("Cannot send system messages using 'sendMessage'"),
        ),
        (json!({"rid": "nowhere", "msg": "x"}), json!("error-not-allowed")),
        (json!({"msg": "x"}), json!("The 'rid' property on the message object is missing.")),
        (json!({"rid": talk.pair, "msg": 7}), json!(400)),
        (
            json!({"_id": "mine", "rid": talk.pair, "msg": "another"}),
            json!("error-message-id-taken"),
        ),
        (json!("text"), json!(400)),
    ] {
        assert_eq!(refusal(app, ann, "sendMessage", json!([message])).await, code, "{message}");
    }
}

/// Ann's message to Bob, with an id of her own.
async fn mine(talk: &Talk) {
    talk.tick();
    let new = json!({"_id": "mine", "rid": talk.pair, "msg": "hello @bob"});
    result(&talk.app, &talk.ann, "sendMessage", json!([new])).await;
}

#[tokio::test]
async fn messages_are_edited() {
    let talk = Talk::new().await;
    let (app, ann, bob) = (&talk.app, &talk.ann, &talk.bob);
    mine(&talk).await;
    talk.tick();
    let edit = json!({"_id": "mine", "rid": talk.pair, "msg": "changed"});
    assert_eq!(result(app, ann, "updateMessage", json!([edit])).await, Value::Null);
    let now = result(app, bob, "getSingleMessage", json!(["mine"])).await;
    assert_eq!((&now["msg"], &now["editedBy"]["username"]), (&json!("changed"), &json!("ann")));
    // A message as it was received may be given back; what else it says must be what is stored.
    let mut whole = result(app, ann, "getSingleMessage", json!(["mine"])).await;
    whole["msg"] = json!("changed again");
    result(app, ann, "updateMessage", json!([whole])).await;
    for (key, value) in [
        ("rid", json!(talk.group)),
        ("ts", date(5)),
        ("u", json!({"_id": bob.id})),
        ("pinned", json!(true)),
    ] {
        let mut forged = edit.clone();
        forged[key] = value;
        assert_eq!(
            refusal(app, ann, "updateMessage", json!([forged])).await,
            "error-invalid-update-key",
            "{key}"
        );
    }
    assert_eq!(refusal(app, bob, "updateMessage", json!([edit])).await, "error-action-not-allowed");
    assert_eq!(
        refusal(app, ann, "updateMessage", json!([{"_id": "none", "msg": "x"}])).await,
        "error-action-not-allowed"
    );
}

#[tokio::test]
async fn messages_are_marked_and_removed() {
    let talk = Talk::new().await;
    let (app, ann, bob) = (&talk.app, &talk.ann, &talk.bob);
    mine(&talk).await;
    assert_eq!(result(app, bob, "setReaction", json!([":smile:", "mine"])).await, true);
    assert_eq!(result(app, bob, "setReaction", json!(["smile", "mine", true])).await, true);
    assert_eq!(
        result(
            app,
            bob,
            "starMessage",
            json!([{"_id": "mine", "rid": talk.pair, "starred": true}])
        )
        .await,
        true
    );
    let now = result(app, bob, "getSingleMessage", json!(["mine"])).await;
    assert_eq!(
        (&now["reactions"], &now["starred"]),
        (&json!({":smile:": {"usernames": ["bob"]}}), &json!([{"_id": bob.id}]))
    );
    result(app, bob, "starMessage", json!([{"_id": "mine", "starred": false}])).await;
    assert_eq!(
        refusal(app, bob, "setReaction", json!([":nosuch:", "mine"])).await,
        "error-not-allowed"
    );
    assert_eq!(refusal(app, bob, "pinMessage", json!([{"_id": "mine"}])).await, "not-authorized");
    super::grant(app, &talk.boss, "pin-message", &["user"]).await;
    let notice = result(app, bob, "pinMessage", json!([{"_id": "mine"}])).await;
    assert_eq!(notice["t"], "message_pinned");
    assert_eq!(result(app, bob, "unpinMessage", json!([{"_id": "mine"}])).await, true);

    assert_eq!(
        refusal(app, bob, "deleteMessage", json!([{"_id": "mine"}])).await,
        "error-action-not-allowed"
    );
    assert_eq!(result(app, ann, "deleteMessage", json!([{"_id": "mine"}])).await, Value::Null);
    assert_eq!(result(app, ann, "getSingleMessage", json!(["mine"])).await, Value::Null);
    assert_eq!(
        refusal(app, ann, "deleteMessage", json!([{"_id": "mine"}])).await,
        "error-action-not-allowed"
    );
}

#[tokio::test]
async fn history_forth_and_back() {
    let talk = Talk::new().await;
    let (app, ann) = (&talk.app, &talk.ann);
    let mut said = Vec::new();
    for n in 0..9 {
        said.push(talk.say(&talk.bob, &talk.pair, &format!("number {n}")).await);
    }
    let id = |n: usize| said[n]["_id"].as_str().unwrap();
    let at = |n: i64| START + 1000 * (n + 1);
    let room = talk.pair.as_str();
    let all = result(app, ann, "loadHistory", json!([room])).await;
    assert_eq!(ids(&all["messages"]), (0..9).rev().map(id).collect::<Vec<_>>());
    assert_eq!((&all["unreadNotLoaded"], all.get("firstUnread")), (&json!(0), None));
    assert_eq!(all["messages"][0]["ts"], date(at(8)));
    let page = result(app, ann, "loadHistory", json!([room, date(at(6)), 2, date(at(1))])).await;
    assert_eq!(ids(&page["messages"]), [id(5), id(4)]);
    assert_eq!((&page["unreadNotLoaded"], &page["firstUnread"]["_id"]), (&json!(2), &json!(id(2))));
    // Clients send a date that is none.
    let page = result(app, ann, "loadHistory", json!([room, null, 1, {"$date": null}])).await;
    assert_eq!(ids(&page["messages"]), [id(8)]);
    let next = result(app, ann, "loadNextMessages", json!([room, date(at(3)), 3])).await;
    assert_eq!(ids(&next["messages"]), [id(4), id(5), id(6)]);
    let missed = result(app, ann, "loadMissedMessages", json!([room, date(at(6))])).await;
    assert_eq!(ids(&missed), [id(8), id(7)]);
    let around =
        result(app, ann, "loadSurroundingMessages", json!([{"_id": id(4), "rid": room}, 5])).await;
    assert_eq!(ids(&around["messages"]), [id(2), id(3), id(4), id(5), id(6)]);
    assert_eq!((&around["moreBefore"], &around["moreAfter"]), (&json!(true), &json!(true)));
    let around =
        result(app, ann, "loadSurroundingMessages", json!([{"_id": id(1), "rid": room}, 5])).await;
    assert_eq!(ids(&around["messages"]), [id(0), id(1), id(2), id(3)]);
    assert_eq!((&around["moreBefore"], &around["moreAfter"]), (&json!(false), &json!(true)));
    assert_eq!(result(app, ann, "loadSurroundingMessages", json!([{"_id": "none"}])).await, false);
    let wanted = json!([{"rid": room, "latest": date(at(5)), "oldest": date(at(1)), "inclusive": true, "count": 2,
        "unreads": true}]);
    let stretch = result(app, ann, "getChannelHistory", wanted).await;
    assert_eq!(ids(&stretch["messages"]), [id(5), id(4)]);
    assert_eq!(
        (&stretch["unreadNotLoaded"], &stretch["firstUnread"]["_id"]),
        (&json!(3), &json!(id(1)))
    );

    talk.tick();
    result(app, &talk.bob, "updateMessage", json!([{"_id": id(0), "msg": "edited"}])).await;
    result(app, &talk.bob, "deleteMessage", json!([{"_id": id(1)}])).await;
    let changed =
        result(app, ann, "messages/get", json!([room, {"lastUpdate": date(at(7))}])).await;
    assert_eq!(ids(&changed["updated"]), [id(8), id(0)]);
    assert_eq!(changed["deleted"][0]["_id"], id(1));
    assert!(changed["deleted"][0]["_deletedAt"]["$date"].is_number());
    let stretch =
        result(app, ann, "messages/get", json!([room, {"latestDate": date(at(4)), "count": 2}]))
            .await;
    assert_eq!(ids(&stretch["messages"]), [id(3), id(2)]);
    let found = result(app, ann, "messageSearch", json!(["edited", room])).await;
    assert_eq!(ids(&found["message"]["docs"]), [id(0)]);
    let found = result(app, ann, "messageSearch", json!(["number", null, 2, 1])).await;
    assert_eq!(ids(&found["message"]["docs"]), [id(7), id(6)]);
}

#[tokio::test]
async fn threads() {
    let talk = Talk::new().await;
    let (app, ann, bob) = (&talk.app, &talk.ann, &talk.bob);
    let root = talk.say(ann, &talk.pair, "root").await;
    let reply = talk.reply(bob, &root, "reply", false).await;
    let list =
        result(app, ann, "getThreadsList", json!([{"rid": talk.pair, "limit": 10, "skip": 0}]))
            .await;
    assert_eq!(ids(&list), [root["_id"].as_str().unwrap()]);
    let all =
        result(app, ann, "getThreadMessages", json!([{"tmid": root["_id"], "limit": 10}])).await;
    assert_eq!(ids(&all), [root["_id"].as_str().unwrap(), reply["_id"].as_str().unwrap()]);
    assert_eq!(talk.sub(ann, &talk.pair).await["tunread"], json!([root["_id"]]));
    assert_eq!(result(app, ann, "readThreads", json!([root["_id"]])).await, Value::Null);
    assert_eq!(talk.sub(ann, &talk.pair).await.get("tunread"), None);
    assert_eq!(result(app, ann, "unfollowMessage", json!([{"mid": root["_id"]}])).await, true);
    assert_eq!(talk.message(ann, &root).await["replies"], json!([bob.id]));
    assert_eq!(result(app, ann, "followMessage", json!([{"mid": root["_id"]}])).await, true);
    assert_eq!(
        refusal(app, ann, "followMessage", json!([{"mid": "none"}])).await,
        "error-invalid-message"
    );
    assert_eq!(refusal(app, ann, "readThreads", json!(["none"])).await, "error-not-allowed");
    set(app, &talk.boss, "Threads_enabled", json!(false)).await;
    assert_eq!(
        refusal(app, ann, "getThreadsList", json!([{"rid": talk.pair}])).await,
        "error-not-allowed"
    );
    assert_eq!(
        refusal(app, ann, "getThreadMessages", json!([{"tmid": root["_id"]}])).await,
        "error-not-allowed"
    );
}
