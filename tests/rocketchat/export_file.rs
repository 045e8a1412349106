//! What is in an export: as JSON what `dm.messages` shows, oldest first; as a page nothing but text.

use super::export::{exported, fetch, order, path, talk, told};
use super::talk::Talk;
use crate::app::{Answer, TestUser};
use parlance_core::import::{Fate, Line};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The room's messages as the user reads them, oldest first.
async fn shown(talk: &Talk, user: &TestUser, room: &str) -> Value {
    let query = [("roomId", room), ("count", "0"), ("sort", r#"{"ts":1}"#)];
    talk.get(user, "dm.messages", &query).await.ok()["messages"].clone()
}

/// The room as its members see it, without the newest message, which may lie outside the range.
async fn room(talk: &Talk, user: &TestUser, room: &str) -> Value {
    let mut all = talk.get(user, "dm.list", &[]).await.ok();
    let all = all["ims"].as_array_mut().unwrap();
    let mut room = all.iter().find(|one| one["_id"] == room).unwrap().clone();
    room.as_object_mut().unwrap().remove("lastMessage");
    room
}

/// A talk with something of everything in the group.
async fn busy() -> Talk {
    let talk = talk().await;
    let group = &talk.group;
    let root =
        talk.say(&talk.ann, group, "a root, for @bob, see https://example.com/?a=1&b=2").await;
    talk.reply(&talk.bob, &root, "a *reply*", false).await;
    talk.reply(&talk.cat, &root, "a shown reply", true).await;
    let edited = talk.say(&talk.bob, group, "frist").await;
    talk.edit(&talk.bob, &edited, "first").await;
    let starred = talk.say(&talk.cat, group, "starred by two").await;
    for user in [&talk.ann, &talk.bob] {
        let body = json!({"messageId": starred["_id"]});
        talk.post(user, "chat.starMessage", body).await.ok();
    }
    let body = json!({"messageId": root["_id"], "emoji": "smile"});
    talk.post(&talk.bob, "chat.react", body).await.ok();
    talk.pin(&talk.ann, &starred).await;
    talk.delete(&talk.ann, &root).await;
    let body = json!({"roomId": group, "topic": "the plan"});
    talk.post(&talk.ann, "dm.setTopic", body).await.ok();
    let files = json!([{"title": "a title", "text": "x"}, {"author_name": "nobody"}, {}]);
    let message = json!({"rid": group, "msg": "attached\n\u{1f600}", "attachments": files});
    talk.post(&talk.bob, "chat.sendMessage", json!({ "message": message })).await.ok();
    let secret = json!({"rid": group, "msg": "CIPHER", "t": "e2e", "e2e": "pending"});
    talk.post(&talk.bob, "chat.sendMessage", json!({ "message": secret })).await.ok();
    talk
}

#[tokio::test]
async fn json_is_what_the_contract_shows() {
    let talk = busy().await;
    let answer = exported(&talk.app, &talk.ann, &talk.group, json!({})).await;
    assert_eq!(answer.headers["content-type"], "application/json");
    let want = json!({"room": room(&talk, &talk.ann, &talk.group).await,
        "messages": shown(&talk, &talk.ann, &talk.group).await});
    assert!(want["messages"].as_array().unwrap().len() >= 9);
    assert_eq!(answer.ok(), want);
    // It is its owner's view: another's has another's star, and none of this one's.
    let theirs = exported(&talk.app, &talk.cat, &talk.group, json!({})).await.ok();
    assert_eq!(theirs["messages"], shown(&talk, &talk.cat, &talk.group).await);
    assert_ne!(theirs["messages"], want["messages"]);
}

#[tokio::test]
async fn an_empty_room_is_an_empty_list() {
    let talk = talk().await;
    let answer = exported(&talk.app, &talk.ann, &talk.pair, json!({})).await.ok();
    assert_eq!(answer["messages"], json!([]));
    assert_eq!(answer["room"], room(&talk, &talk.ann, &talk.pair).await);
}

#[tokio::test]
async fn a_range_holds_its_first_and_its_last_moment() {
    let talk = talk().await;
    let day = 86_400_000;
    // 2026-01-11.
    let first = 1_768_089_600_000;
    let times = [first + day - 1, first + day, first + 2 * day - 1, first + 2 * day];
    for (n, at) in times.into_iter().enumerate() {
        talk.app.clock.move_to(at);
        talk.app.rocket(&talk.ann).say(&talk.pair, &n.to_string()).await;
    }
    let cases = [
        (json!({"dateFrom": "2026-01-12"}), "123"),
        (json!({"dateTo": "2026-01-12"}), "012"),
        (json!({"dateFrom": "2026-01-12", "dateTo": "2026-01-12"}), "12"),
        (json!({"dateFrom": "2026-01-12T23:59:59.999Z", "dateTo": "2026-01-13T00:00:00Z"}), "23"),
        (json!({"dateFrom": "2026-01-12T23:59:59.999Z"}), "23"),
        (json!({"dateTo": "2026-01-12T00:00:00.000+00:00"}), "01"),
        (json!({"dateFrom": "2026-02-01"}), ""),
    ];
    for (n, (more, want)) in (1..).zip(cases) {
        order(&talk.app, &talk.ann, &talk.pair, more.clone()).await.ok();
        let word = told(&talk.app, &talk.ann, n).await.remove(0);
        let answer = fetch(&talk.app, &talk.ann, &path(&word)).await.ok();
        assert_eq!(super::each(&answer, "messages", "msg").concat(), want, "{more}");
    }
}

#[tokio::test]
async fn pages_and_parts_leave_no_seam() {
    let talk = talk().await;
    // More than a few pages, more than a few parts, and letters that a part could cut.
    for n in 0..90 {
        talk.app.rocket(&talk.ann).say(&talk.pair, &format!("{n} {}", "é😀".repeat(1600))).await;
    }
    let answer = exported(&talk.app, &talk.ann, &talk.pair, json!({})).await;
    assert!(answer.body.len() > 3 * 256 * 1024, "{}", answer.body.len());
    assert_eq!(answer.headers["content-length"], answer.body.len().to_string());
    assert_eq!(answer.ok()["messages"], shown(&talk, &talk.ann, &talk.pair).await);
}

/// Every tag that the page may have, as it stands there.
const TAGS: &[&str] = &[
    "<!DOCTYPE html>",
    "<html lang=\"en\">",
    "<head>",
    "<meta charset=\"utf-8\">",
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src \
     'unsafe-inline'\">",
    "<style>",
    "</style>",
    "<title>",
    "</title>",
    "</head>",
    "<body>",
    "<h1 class=\"names\" dir=\"auto\">",
    "</h1>",
    "<p class=\"topic\" dir=\"auto\">",
    "<p class=\"note\" dir=\"auto\">",
    "</p>",
    "<div class=\"message\">",
    "<div class=\"message system\">",
    "<time>",
    "</time>",
    "<b class=\"author\" dir=\"auto\">",
    "</b>",
    "<span class=\"note\" dir=\"auto\">",
    "</span>",
    "<div class=\"text\" dir=\"auto\">",
    "<div class=\"note\" dir=\"auto\">",
    "</div>",
    "</body>",
    "</html>",
];

/// The texts of a page whose tags are all known and closed in order.
#[track_caller]
fn texts(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
    let page = std::str::from_utf8(&answer.body).unwrap();
    let (mut texts, mut open, mut rest) = (Vec::new(), Vec::new(), page);
    while let Some(at) = rest.find('<') {
        let (text, behind) = rest.split_at(at);
        let end = behind.find('>').expect("a tag ends") + 1;
        let (tag, behind) = behind.split_at(end);
        assert!(TAGS.contains(&tag), "{tag}");
        assert!(!text.contains('>'), "{text}");
        let name = tag.trim_matches(['<', '>', '/']).split(' ').next().unwrap();
        if tag.starts_with("</") {
            assert_eq!(open.pop(), Some(name), "{tag}");
        } else if !["!DOCTYPE", "meta"].contains(&name) {
            open.push(name);
        }
        let mut text = text.to_owned();
        assert!(!text.contains(['"', '\'']), "{text}");
        for (entity, letter) in
            [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
        {
            text = text.replace(entity, letter);
        }
        texts.push(text);
        rest = behind;
    }
    assert!(open.is_empty() && rest.trim().is_empty(), "{open:?} {rest}");
    texts.retain(|text| !text.trim().is_empty());
    texts
}

#[tokio::test]
async fn a_page_tells_all_that_a_reader_wants() {
    let talk = busy().await;
    let answer = exported(&talk.app, &talk.ann, &talk.group, json!({"format": "html"})).await;
    let texts = texts(&answer);
    let all = texts.join("|");
    for want in [
        "ann, bob, cat",
        "the plan",
        "2026-01-02 03:04:",
        "a *reply*",
        "reply in thread ",
        "replies: ",
        "a shown reply",
        "first",
        "by @bob",
        "starred by two",
        "pinned a message",
        "message removed",
        "changed the topic to:",
        "attached\n\u{1f600}",
        "Attachment: a title",
        "Attachment: nobody",
        "Attachment: without a title",
        "encrypted message",
    ] {
        assert!(all.contains(want), "{want}: {all}");
    }
    assert!(!all.contains("CIPHER") && !all.contains("frist"), "{all}");
    let at = |text: &str| texts.iter().position(|one| one.contains(text)).expect(text);
    assert!(at("a *reply*") < at("a shown reply") && at("a shown reply") < at("starred by two"));
    let range = json!({"format": "html", "dateFrom": "2026-01-01", "dateTo": "2026-01-01"});
    order(&talk.app, &talk.ann, &talk.group, range).await.ok();
    let word = told(&talk.app, &talk.ann, 2).await.remove(0);
    let empty = self::texts(&fetch(&talk.app, &talk.ann, &path(&word)).await).join("|");
    let range = "From 2026-01-01 00:00:00 UTC. To 2026-01-01 23:59:59 UTC.";
    assert!(empty.contains(range) && !empty.contains("reply"), "{empty}");
}

/// What should never be more than a text.
const HOSTILE: &[&str] = &[
    "<script>alert(1)</script>",
    "</div></body><script src=//evil.example></script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "[x](javascript:alert(1))",
    "&lt;script&gt; &amp; &#60;",
    "<!-- <![CDATA[ ]]> -->",
    "</title><svg/onload=alert(1)>",
    "\u{202e}gnp.exe\u{1}\u{8}",
];

#[tokio::test]
async fn whatever_people_write_is_text() {
    let talk = talk().await;
    let (ann, bob) = (&talk.ann.id, &talk.bob.id);
    let room = json!({"_id": "r\"><b>", "t": "d", "uids": [ann, bob], "usernames": HOSTILE,
        "topic": HOSTILE[8], "ts": "2025-01-01T00:00:00.000Z"});
    let mut lines = vec![json!({"collection": "rooms", "document": room}).to_string()];
    for (n, text) in HOSTILE.iter().enumerate() {
        let by = json!({"_id": ann, "username": text, "name": text});
        let files = json!([{"title": text, "title_link": text}, {"text": text}, 7, [text]]);
        let message = json!({"_id": format!("m{n}\"><b>"), "rid": "r\"><b>", "msg": text, "u": by,
            "ts": format!("2025-01-01T00:00:0{n}.000Z"), "attachments": files,
            "editedAt": "2025-02-01T00:00:00.000Z", "editedBy": {"_id": ann, "username": text}});
        let mut reply = message.clone();
        reply["_id"] = json!(format!("n{n}\"><b>"));
        reply["tmid"] = message["_id"].clone();
        reply["t"] = json!(text);
        lines.extend(
            [message, reply].map(|document| {
                json!({"collection": "messages", "document": document}).to_string()
            }),
        );
    }
    let lines: Vec<Line<'_>> =
        (1..).zip(&lines).map(|(number, line)| Line { number, bytes: line.as_bytes() }).collect();
    for outcome in talk.app.core.import_batch(&lines).await.unwrap() {
        assert_eq!(outcome.fate, Fate::Taken, "{outcome:?}");
    }
    let answer = exported(&talk.app, &talk.ann, "r\"><b>", json!({"format": "html"})).await;
    let texts: BTreeSet<String> = texts(&answer).into_iter().collect();
    let all: Vec<&str> = texts.iter().map(String::as_str).collect();
    for text in HOSTILE {
        let shown = text.replace(['\u{1}', '\u{8}'], "\u{fffd}");
        for want in [
            shown.clone(),
            format!(" @{shown}"),
            format!(" {shown}"),
            format!("Attachment: {shown}"),
        ] {
            assert!(texts.contains(&want), "{want}: {all:#?}");
        }
    }
    // And as JSON it is what it is.
    order(&talk.app, &talk.ann, "r\"><b>", json!({})).await.ok();
    let word = told(&talk.app, &talk.ann, 2).await.remove(0);
    let answer = fetch(&talk.app, &talk.ann, &path(&word)).await.ok();
    assert_eq!(answer["messages"], shown(&talk, &talk.ann, "r\"><b>").await);
}
