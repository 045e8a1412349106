//! `dm.history` (contract section 5.9): order, bounds, pages, replies, hidden kinds, what was not
//! loaded, and who may not.

use super::talk::{Talk, text, texts};
use super::{coded, keys, plain, schema, set};
use parlance_core::import::Line;
use serde_json::{Value, json};

async fn history(talk: &Talk, more: &[(&str, &str)]) -> Value {
    let query = [&[("roomId", talk.pair.as_str())], more].concat();
    talk.get(&talk.ann, "dm.history", &query).await.ok()
}

/// Five messages a second apart; returns their times.
async fn five(talk: &Talk) -> Vec<String> {
    let mut times = Vec::new();
    for n in 1..=5 {
        let sent = talk.say(&talk.ann, &talk.pair, &format!("m{n}")).await;
        times.push(text(&sent, "ts").to_owned());
    }
    times
}

#[tokio::test]
async fn messages_and_nothing_else_newest_first() {
    let talk = Talk::new().await;
    assert_eq!(history(&talk, &[]).await, json!({"messages": [], "success": true}));
    five(&talk).await;
    let body = history(&talk, &[]).await;
    assert_eq!(keys(&body), ["messages", "success"]);
    assert_eq!(texts(&body, "messages"), ["m5", "m4", "m3", "m2", "m1"]);
    let listed = talk.get(&talk.ann, "dm.messages", &[("roomId", &talk.pair)]).await.ok();
    assert_eq!(body["messages"], listed["messages"]);
    let alias = talk.get(&talk.bob, "im.history", &[("roomId", &talk.pair)]).await.ok();
    assert_eq!(alias, body);
}

#[tokio::test]
async fn replies_are_left_out_unless_they_are_shown_or_asked_for() {
    let talk = Talk::new().await;
    let root = talk.say(&talk.ann, &talk.pair, "root").await;
    talk.reply(&talk.bob, &root, "reply", false).await;
    talk.reply(&talk.bob, &root, "shown", true).await;
    for off in [&[][..], &[("showThreadMessages", "false")]] {
        assert_eq!(texts(&history(&talk, off).await, "messages"), ["shown", "root"]);
    }
    let all = history(&talk, &[("showThreadMessages", "true")]).await;
    assert_eq!(texts(&all, "messages"), ["shown", "reply", "root"]);
    assert_eq!(all["messages"][2]["tcount"], 2);
}

#[tokio::test]
async fn bounds_are_outside_unless_inclusive() {
    let talk = Talk::new().await;
    let t = five(&talk).await;
    let between = async |oldest: &str, latest: &str, inclusive: &str| {
        let ask = [("oldest", oldest), ("latest", latest), ("inclusive", inclusive)];
        texts(&history(&talk, &ask).await, "messages")
    };
    assert_eq!(between(&t[1], &t[3], "false").await, ["m3"]);
    assert_eq!(between(&t[1], &t[3], "true").await, ["m4", "m3", "m2"]);
    assert_eq!(between(&t[2], &t[2], "true").await, ["m3"]);
    assert!(between(&t[2], &t[2], "false").await.is_empty());
    for inclusive in ["true", "false"] {
        assert!(between(&t[3], &t[1], inclusive).await.is_empty(), "oldest after latest");
    }
    let one =
        async |name: &str, time: &str| texts(&history(&talk, &[(name, time)]).await, "messages");
    assert_eq!(one("latest", &t[1]).await, ["m1"]);
    assert_eq!(one("oldest", &t[3]).await, ["m5"]);
    // An empty one is none, an offset and a bare day are read.
    assert_eq!(one("latest", "").await.len(), 5);
    assert_eq!(one("oldest", "2026-01-02").await.len(), 5);
    assert_eq!(one("latest", "2026-01-02").await.len(), 0);
    let shifted = t[1].replace('Z', "+00:00");
    assert_eq!(one("latest", &shifted).await, ["m1"]);
    // Times at the ends of what a calendar knows.
    assert_eq!(between("0001-01-01T00:00:00Z", "9999-12-30T00:00:00Z", "true").await.len(), 5);
}

#[tokio::test]
async fn a_page_before_a_time_leads_to_the_next_one() {
    let talk = Talk::new().await;
    five(&talk).await;
    let page = async |more: &[(&str, &str)]| texts(&history(&talk, more).await, "messages");
    assert_eq!(page(&[("count", "2")]).await, ["m5", "m4"]);
    assert_eq!(page(&[("count", "2"), ("offset", "2")]).await, ["m3", "m2"]);
    assert_eq!(page(&[("count", "2"), ("offset", "4")]).await, ["m1"]);
    assert!(page(&[("offset", "5")]).await.is_empty());
    assert!(page(&[("offset", "1000000000000")]).await.is_empty());
    assert_eq!(page(&[("offset", "3"), ("count", "0")]).await, ["m2", "m1"]);
    // What the mobile app does: from the oldest on, until nothing comes.
    let (mut latest, mut seen) = (String::new(), Vec::new());
    for _ in 0..6 {
        let body = history(&talk, &[("latest", &latest), ("count", "2")]).await;
        let Some(last) = body["messages"].as_array().unwrap().last() else { break };
        latest = text(last, "ts").to_owned();
        seen.extend(texts(&body, "messages"));
    }
    assert_eq!(seen, ["m5", "m4", "m3", "m2", "m1"]);
}

#[tokio::test]
async fn fifty_by_default_a_hundred_at_most_and_zero_for_all() {
    let talk = Talk::new().await;
    for n in 0..103 {
        talk.app.rocket(&talk.ann).say(&talk.pair, &n.to_string()).await;
    }
    let length = async |more: &[(&str, &str)]| {
        history(&talk, more).await["messages"].as_array().unwrap().len()
    };
    assert_eq!(length(&[]).await, 50);
    assert_eq!(length(&[("count", "101")]).await, 100);
    assert_eq!(length(&[("count", "1000000000000")]).await, 100);
    assert_eq!(length(&[("count", "0")]).await, 103);
    set(&talk.app, &talk.boss, "API_Allow_Infinite_Count", json!(false)).await;
    assert_eq!(length(&[("count", "0")]).await, 50);
}

#[tokio::test]
async fn what_was_not_loaded_is_counted_from_the_oldest() {
    let talk = Talk::new().await;
    let t = five(&talk).await;
    let root = talk.get(&talk.ann, "dm.messages", &[("roomId", &talk.pair)]).await.ok();
    talk.reply(&talk.bob, &root["messages"][0], "not shown", false).await;
    let unread = async |more: &[(&str, &str)]| {
        let body = history(&talk, &[&[("unreads", "true")], more].concat()).await;
        let first = body.get("firstUnread").map(|first| text(first, "msg").to_owned());
        (body["unreadNotLoaded"].as_i64(), first)
    };
    assert_eq!(unread(&[("oldest", &t[0]), ("count", "2")]).await, (Some(2), Some("m2".into())));
    assert_eq!(unread(&[("oldest", &t[0]), ("count", "3")]).await, (Some(1), Some("m2".into())));
    assert_eq!(unread(&[("oldest", &t[0])]).await, (Some(0), None), "all of it is here");
    assert_eq!(unread(&[("count", "2")]).await, (Some(0), None), "only with oldest");
    let later = "2030-01-01T00:00:00.000Z";
    assert_eq!(unread(&[("oldest", later)]).await, (Some(0), None));
    let body = history(&talk, &[("oldest", &t[0]), ("count", "1"), ("unreads", "false")]).await;
    // A full page says where the next one begins.
    assert_eq!(keys(&body), ["messages", "nextCursor", "success"]);
    let body = history(&talk, &[("unreads", "true"), ("oldest", &t[0]), ("count", "2")]).await;
    assert_eq!(
        keys(&body),
        ["firstUnread", "messages", "nextCursor", "success", "unreadNotLoaded"]
    );
    let listed = history(&talk, &[("latest", &t[2]), ("count", "1")]).await;
    assert_eq!(body["firstUnread"], listed["messages"][0], "a whole message");
}

#[tokio::test]
async fn kinds_that_a_setting_hides_are_not_in_it() {
    let talk = Talk::new().await;
    let sent = talk.say(&talk.ann, &talk.pair, "pinned").await;
    talk.pin(&talk.ann, &sent).await;
    let kinds = async || super::each(&history(&talk, &[]).await, "messages", "t");
    assert_eq!(kinds().await, ["message_pinned", "-"]);
    set(&talk.app, &talk.boss, "Hide_System_Messages", json!(["uj", "message_pinned"])).await;
    assert_eq!(kinds().await, ["-"]);
    let listed = talk.get(&talk.ann, "dm.messages", &[("roomId", &talk.pair)]).await.ok();
    assert_eq!(listed["total"], 2, "the other list hides nothing");
}

#[tokio::test]
async fn a_rooms_own_list_of_hidden_kinds_stands_in_place_of_the_settings() {
    let talk = Talk::new().await;
    set(&talk.app, &talk.boss, "Hide_System_Messages", json!(["au"])).await;
    let u = json!({"_id": talk.ann.id, "username": "ann", "name": "ann"});
    let at = "2025-01-01T00:00:00.000Z";
    let mut lines = vec![json!({"collection": "rooms", "document": {"_id": "hushed", "t": "d",
        "ts": at, "uids": [talk.ann.id, talk.bob.id, talk.eve.id],
        "usernames": ["ann", "bob", "eve"], "usersCount": 3, "msgs": 3, "sysMes": ["uj"]}})];
    for kind in ["uj", "au", "rm"] {
        lines.push(json!({"collection": "messages", "document": {"_id": kind, "rid": "hushed",
            "msg": "", "t": kind, "ts": at, "_updatedAt": at, "u": u}}));
    }
    for (number, line) in (1..).zip(lines) {
        let line = line.to_string();
        let line = Line { number, bytes: line.as_bytes() };
        talk.app.core.import_batch(&[line]).await.unwrap();
    }
    let body = talk.get(&talk.ann, "dm.history", &[("roomId", "hushed")]).await.ok();
    assert_eq!(super::each(&body, "messages", "t"), ["rm", "au"]);
}

#[tokio::test]
async fn a_star_is_its_owners() {
    let talk = Talk::new().await;
    let sent = talk.say(&talk.ann, &talk.pair, "a star").await;
    let body = json!({"messageId": sent["_id"]});
    talk.post(&talk.bob, "chat.starMessage", body).await.ok();
    let starred = history(&talk, &[]).await["messages"][0].get("starred").cloned();
    assert!(starred.is_none_or(|starred| starred == json!([])));
    let his = talk.get(&talk.bob, "dm.history", &[("roomId", &talk.pair)]).await.ok();
    assert_eq!(his["messages"][0]["starred"], json!([{"_id": talk.bob.id}]));
}

#[tokio::test]
async fn the_schema_refuses() {
    let talk = Talk::new().await;
    let ask = async |query: &[(&str, &str)]| talk.get(&talk.ann, "im.history", query).await;
    schema(&ask(&[]).await, "must have required property 'roomId'");
    schema(&ask(&[("username", "bob")]).await, "must have required property 'roomId'");
    schema(&ask(&[("roomId", "")]).await, "must NOT have fewer than 1 characters");
    let room = ("roomId", talk.pair.as_str());
    let additional = "must NOT have additional properties";
    schema(&ask(&[room, ("username", "bob")]).await, additional);
    schema(&ask(&[room, ("nothing", "1")]).await, additional);
    for name in ["inclusive", "unreads", "showThreadMessages"] {
        for value in ["maybe", "1", "TRUE", ""] {
            let answer = ask(&[room, (name, value)]).await;
            schema(&answer, "must be equal to one of the allowed values");
        }
    }
    for name in ["latest", "oldest"] {
        for value in ["abc", "1", "{\"$date\":1}", "2026-13-01", "' OR 1=1"] {
            let answer = ask(&[room, (name, value)]).await;
            schema(&answer, "must match format \"iso-date-time\"");
        }
    }
    for name in ["count", "offset"] {
        schema(&ask(&[room, (name, "abc")]).await, "must be number");
        schema(&ask(&[room, (name, "-1")]).await, "must be >= 0");
    }
    for name in ["roomId[]", "latest[]", "oldest[]", "inclusive[]", "unreads[]"] {
        let query = if name == "roomId[]" { vec![(name, "x")] } else { vec![room, (name, "x")] };
        schema(&ask(&query).await, "must be string");
    }
}

#[tokio::test]
async fn nobody_reads_a_foreign_room() {
    let talk = Talk::new().await;
    talk.say(&talk.ann, &talk.pair, "between us").await;
    for user in [&talk.eve, &talk.boss] {
        for room in [&talk.pair, &talk.group] {
            let answer = talk.get(user, "dm.history", &[("roomId", room)]).await;
            plain(&answer, 403, "unauthorized");
        }
        // A pair that may or may not be there.
        let mut pair = [talk.bob.id.as_str(), talk.cat.id.as_str()];
        pair.sort_unstable();
        let answer = talk.get(user, "dm.history", &[("roomId", &pair.concat())]).await;
        plain(&answer, 403, "unauthorized");
        let long = "x".repeat(10_000);
        for room in ["nothing", long.as_str(), "bob", "' OR 1=1 --"] {
            let answer = talk.get(user, "dm.history", &[("roomId", room)]).await;
            coded(&answer, "invalid-channel", "", &Value::Null);
        }
    }
    // A user's id means the conversation with that user, made if it is not there.
    let body = talk.get(&talk.ann, "dm.history", &[("roomId", &talk.bob.id)]).await.ok();
    assert_eq!(texts(&body, "messages"), ["between us"]);
    let body = talk.get(&talk.eve, "dm.history", &[("roomId", &talk.bob.id)]).await.ok();
    assert_eq!(body, json!({"messages": [], "success": true}));
    let answer = talk.get(&talk.ann, "dm.history", &[("roomId", "a\0b")]).await;
    plain(&answer, 400, "Invalid query parameters");
}
