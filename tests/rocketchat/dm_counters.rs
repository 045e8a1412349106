//! `dm.counters` (contract section 5.10): one's own numbers, another's for who administers rooms.

use super::talk::Talk;
use super::{coded, plain};
use crate::app::TestUser;
use serde_json::{Value, json};

async fn counters(talk: &Talk, user: &TestUser, room: &str) -> Value {
    talk.get(user, "dm.counters", &[("roomId", room)]).await.ok()
}

async fn room(talk: &Talk, user: &TestUser, id: &str) -> Value {
    let body = talk.get(user, "dm.list", &[]).await.ok();
    body["ims"].as_array().unwrap().iter().find(|room| room["_id"] == id).unwrap().clone()
}

#[tokio::test]
async fn a_fresh_room_has_no_times() {
    let talk = Talk::new().await;
    let made = room(&talk, &talk.ann, &talk.pair).await;
    let fresh = json!({"joined": true, "members": 2, "unreads": null, "unreadsFrom": null,
        "msgs": 0, "latest": made["_updatedAt"], "userMentions": 0, "success": true});
    assert_eq!(counters(&talk, &talk.ann, &talk.pair).await, fresh);
    let alias = talk.get(&talk.ann, "im.counters", &[("roomId", &talk.pair)]).await.ok();
    assert_eq!(alias, fresh);
    // The partner's is not open yet.
    let closed = json!({"joined": false, "members": null, "unreads": null, "unreadsFrom": null,
        "msgs": null, "latest": null, "userMentions": null, "success": true});
    assert_eq!(counters(&talk, &talk.bob, &talk.pair).await, closed);
    assert_eq!(counters(&talk, &talk.cat, &talk.group).await["members"], 3);
}

#[tokio::test]
async fn what_came_since_one_looked() {
    let talk = Talk::new().await;
    talk.say(&talk.ann, &talk.pair, "one @bob").await;
    let never = counters(&talk, &talk.bob, &talk.pair).await;
    assert_eq!(
        (&never["unreads"], &never["unreadsFrom"], &never["userMentions"]),
        (&Value::Null, &Value::Null, &json!(1)),
        "never seen"
    );
    talk.read(&talk.bob, &talk.pair, false).await;
    let seen = talk.sub(&talk.bob, &talk.pair).await["ls"].clone();
    talk.say(&talk.ann, &talk.pair, "two @bob").await;
    let last = talk.say(&talk.ann, &talk.pair, "three").await;
    let want = json!({"joined": true, "members": 2, "unreads": 2, "unreadsFrom": seen,
        "msgs": 3, "latest": last["ts"], "userMentions": 1, "success": true});
    assert_eq!(counters(&talk, &talk.bob, &talk.pair).await, want);
    let own = counters(&talk, &talk.ann, &talk.pair).await;
    assert_eq!((&own["unreads"], &own["unreadsFrom"]), (&json!(0), &last["ts"]));
    // All gone again: no messages, so nothing unread, and the time of the last stays.
    talk.post(&talk.bob, "dm.close", json!({"roomId": talk.pair})).await.ok();
    let closed = counters(&talk, &talk.bob, &talk.pair).await;
    assert_eq!(
        (&closed["joined"], &closed["msgs"], &closed["userMentions"]),
        (&json!(false), &Value::Null, &Value::Null)
    );
    talk.delete(&talk.ann, &last).await;
    assert_eq!(counters(&talk, &talk.ann, &talk.pair).await["msgs"], 2);
    assert_eq!(counters(&talk, &talk.ann, &talk.pair).await["latest"], last["ts"]);
}

#[tokio::test]
async fn anothers_for_who_administers_rooms() {
    let talk = Talk::new().await;
    talk.say(&talk.ann, &talk.pair, "one @bob").await;
    talk.read(&talk.bob, &talk.pair, false).await;
    talk.say(&talk.ann, &talk.pair, "two @bob").await;
    let ask = async |user: &TestUser, of: &str, room: &str| {
        talk.get(user, "dm.counters", &[("roomId", room), ("userId", of)]).await
    };
    let own = counters(&talk, &talk.bob, &talk.pair).await;
    assert_eq!(ask(&talk.boss, &talk.bob.id, &talk.pair).await.ok(), own);
    // What a closed room holds is not hidden from who administers it.
    talk.post(&talk.bob, "dm.close", json!({"roomId": talk.pair})).await.ok();
    let closed = ask(&talk.boss, &talk.bob.id, &talk.pair).await.ok();
    assert_eq!(
        (&closed["joined"], &closed["members"], &closed["msgs"], &closed["userMentions"]),
        (&json!(false), &json!(2), &json!(2), &Value::Null)
    );
    assert!(closed["latest"].is_string());
    for user in [&talk.ann, &talk.bob, &talk.eve] {
        plain(&ask(user, &talk.bob.id, &talk.pair).await, 403, "unauthorized");
        plain(&ask(user, &user.id, &talk.pair).await, 403, "unauthorized");
    }
    for (of, room) in [
        (talk.eve.id.as_str(), talk.pair.as_str()),
        (&talk.boss.id, &talk.pair),
        ("nobody", &talk.pair),
        ("bob", &talk.pair),
        (&talk.bob.id, "nothing"),
    ] {
        plain(&ask(&talk.boss, of, room).await, 403, "unauthorized");
    }
    // An empty one is none.
    assert_eq!(ask(&talk.ann, "", &talk.pair).await.ok()["joined"], true);
}

#[tokio::test]
async fn what_is_refused() {
    let talk = Talk::new().await;
    let needed = "Query param \"roomId\" is required";
    for query in [&[][..], &[("roomId", "")], &[("roomId[]", "x")], &[("username", "bob")]] {
        let answer = talk.get(&talk.ann, "im.counters", query).await;
        coded(&answer, "error-room-param-not-provided", needed, &Value::Null);
    }
    let long = "x".repeat(10_000);
    let own = talk.pair.clone();
    for room in ["nothing", "ann", &talk.ann.id, &long, "{\"$ne\":null}", &own] {
        let answer = talk.get(&talk.eve, "dm.counters", &[("roomId", room)]).await;
        plain(&answer, 403, "unauthorized");
    }
    let answer = talk.get(&talk.eve, "dm.counters", &[("roomId", "a\0")]).await;
    plain(&answer, 400, "Invalid query parameters");
    let query = [("roomId", own.as_str()), ("userId[]", "x")];
    assert_eq!(talk.get(&talk.boss, "dm.counters", &query).await.status, 400);
}
