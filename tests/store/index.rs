//! The index of searches beside what is stored: it covers everything after any mixture of changes,
//! holds no word of what is gone, and a search finds a message from the moment it is stored.

use super::{Chat, Database, named, number, raw, soon};
use parlance_core::edit::NewText;
use parlance_core::import::{Fate, Line};
use parlance_core::list::{Document, ListQuery};
use parlance_core::send::{NewMessage, TextLimit};
use parlance_core::{Caller, Core, Error, Message, Perm, StoreOptions};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Runs a statement past the core.
pub(super) async fn execute(database: &Database, sql: &str) {
    match database {
        Database::Embedded(dir) => {
            let file = rusqlite::Connection::open(dir.join("parlance.db")).unwrap();
            file.busy_timeout(super::PATIENCE).unwrap();
            file.execute_batch(sql).unwrap();
        }
        Database::Postgres(_) => raw(database).await.unwrap().batch_execute(sql).await.unwrap(),
    }
}

/// Texts and times, from a statement past the core that gives a room, a text and a time.
async fn triples(database: &Database, sql: &str) -> Vec<(String, String, i64)> {
    match database {
        Database::Embedded(dir) => {
            let file = rusqlite::Connection::open(dir.join("parlance.db")).unwrap();
            let mut statement = file.prepare(sql).unwrap();
            let rows =
                statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
            rows.collect::<Result<_, _>>().unwrap()
        }
        Database::Postgres(_) => {
            let rows = raw(database).await.unwrap().query(sql, &[]).await.unwrap();
            rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
        }
    }
}

/// The index holds the words of what is stored, each once, and no other. For texts of plain words.
pub(super) async fn covers_exactly(core: &Core, database: &Database) -> usize {
    soon("the index", core.indexed()).await.unwrap();
    let sql = "SELECT CAST(s.room AS TEXT), CAST(t.term AS TEXT), t.ts
        FROM terms t LEFT JOIN searchable s ON s.n = t.room";
    let found = triples(database, sql).await;
    let sql = "SELECT CAST(m.room AS TEXT), CAST(m.msg AS TEXT), m.ts FROM messages m
        WHERE m.kind IS NULL OR m.kind NOT IN ('rm', 'e2e')";
    let stored = triples(database, sql).await;
    let words = |(room, text, ts): &(String, String, i64)| {
        let words = text.split_whitespace().map(str::to_lowercase);
        words.map(|word| (room.clone(), word, *ts)).collect::<Vec<_>>()
    };
    let wanted: BTreeSet<_> = stored.iter().flat_map(words).collect();
    let here: BTreeSet<_> = found.iter().cloned().collect();
    assert_eq!(here.len(), found.len());
    let more: Vec<_> = here.difference(&wanted).collect();
    let less: Vec<_> = wanted.difference(&here).collect();
    assert!(more.is_empty() && less.is_empty(), "too many {more:?}, missing {less:?}");
    here.len()
}

/// The texts that a search finds in a room, or in all of the caller's.
pub(super) async fn found(
    core: &Core,
    caller: &Caller,
    room: Option<&str>,
    text: &str,
) -> Vec<String> {
    let access = match room {
        Some(room) => Some(core.access(caller, room).await.unwrap()),
        None => None,
    };
    let nothing: Document<Message> = Arc::new(|_| Value::Null);
    let query = ListQuery { limit: Some(1000), ..ListQuery::first(1000) };
    let page = core.search(caller, access.as_ref(), text, query, nothing).await.unwrap();
    page.items.into_iter().map(|message| message.msg).collect()
}

pub(super) async fn say(chat: &Chat, pair: usize, text: &str) -> Message {
    let access = chat.in_pair(pair, pair).await;
    chat.core.send(&chat.callers[pair], &access, NewMessage::text(text)).await.unwrap().message
}

async fn edit(core: &Core, caller: &Caller, id: &str, text: &str) -> Result<Message, Error> {
    let found = core.message(caller, id).await?.ok_or(Error::NoMessage)?;
    let text = text.to_owned();
    let new = NewText { text, limit: TextLimit::Utf16, body: Map::new(), preview_urls: None };
    core.edit(caller, found, new).await
}

async fn delete(core: &Core, caller: &Caller, id: &str) -> Result<(), Error> {
    let found = core.message(caller, id).await?.ok_or(Error::NoMessage)?;
    core.delete(caller, found, false).await
}

async fn with_term(database: &Database, term: &str) -> i64 {
    number(database, &format!("SELECT count(*) FROM terms WHERE term = '{term}'")).await
}

/// Enough other messages that the index is asked.
pub(super) async fn fill(chat: &Chat, pair: usize) {
    for n in 0..40 {
        say(chat, pair, &format!("filling {n}")).await;
    }
}

#[tokio::test]
async fn a_search_asks_the_index_and_what_it_does_not_cover() {
    let chat = Chat::start().await;
    let (ann, room) = (&chat.callers[0], chat.pairs[0].as_str());
    fill(&chat, 0).await;
    say(&chat, 0, "a needle").await;
    assert!(covers_exactly(&chat.core, &chat.database).await > 40);
    for place in [Some(room), None] {
        assert_eq!(found(&chat.core, ann, place, "needle").await, ["a needle"]);
    }
    // What the index does not know although it says that it does is not found.
    execute(&chat.database, "DELETE FROM terms WHERE term = 'needle'").await;
    for (text, texts) in [("needle", &[][..]), ("/needle/", &["a needle"])] {
        assert_eq!(found(&chat.core, ann, Some(room), text).await, texts);
        assert_eq!(found(&chat.core, ann, None, text).await, texts);
    }
    // What it does not cover is.
    execute(&chat.database, "UPDATE searchable SET until = until - 1000000, turn = turn + 1").await;
    assert_eq!(found(&chat.core, ann, Some(room), "needle").await, ["a needle"]);
    assert_eq!(found(&chat.core, ann, None, "needle").await, ["a needle"]);
}

#[tokio::test]
async fn a_message_is_found_from_the_moment_it_is_stored_and_as_it_is_now() {
    let chat = Chat::start().await;
    let (ann, room) = (&chat.callers[0], chat.pairs[0].as_str());
    fill(&chat, 0).await;
    chat.core.indexed().await.unwrap();
    for n in 0..50 {
        let sent = say(&chat, 0, &format!("unique{n}")).await;
        if n % 3 == 0 {
            chat.core.indexed().await.unwrap();
        }
        assert_eq!(found(&chat.core, ann, Some(room), &format!("unique{n}")).await.len(), 1);
        edit(&chat.core, ann, sent.id.as_str(), &format!("edited{n}")).await.unwrap();
        assert_eq!(with_term(&chat.database, &format!("unique{n}")).await, 0);
        if n % 2 == 0 {
            chat.core.indexed().await.unwrap();
        }
        for place in [Some(room), None] {
            assert_eq!(found(&chat.core, ann, place, &format!("unique{n}")).await.len(), 0);
            assert_eq!(found(&chat.core, ann, place, &format!("edited{n}")).await.len(), 1);
        }
        chat.core.star(ann, sent.id.as_str(), true).await.unwrap();
        assert_eq!(found(&chat.core, ann, Some(room), &format!("edited{n}")).await.len(), 1);
        delete(&chat.core, ann, sent.id.as_str()).await.unwrap();
        assert_eq!(with_term(&chat.database, &format!("edited{n}")).await, 0);
        assert_eq!(found(&chat.core, ann, Some(room), &format!("edited{n}")).await.len(), 0);
    }
    covers_exactly(&chat.core, &chat.database).await;
}

#[tokio::test]
async fn what_goes_leaves_no_word() {
    let chat = Chat::start().await;
    let ann = &chat.callers[0];
    let boss = super::person(&chat.core, "boss", &["admin", "user"]).await.0;
    let stub = say(&chat, 0, "leaves a stub").await;
    chat.core.overwrite_setting("Message_ShowDeletedStatus", &json!(true)).await.unwrap();
    covers_exactly(&chat.core, &chat.database).await;
    delete(&chat.core, ann, stub.id.as_str()).await.unwrap();
    assert_eq!(with_term(&chat.database, "stub").await, 0);
    // An encrypted message has no words that anybody here could read.
    let access = chat.in_pair(0, 0).await;
    let kind = Some("e2e".to_owned());
    let secret = NewMessage { kind, ..NewMessage::text("ciphertext") };
    chat.core.send(ann, &access, secret).await.unwrap();
    covers_exactly(&chat.core, &chat.database).await;
    assert_eq!(with_term(&chat.database, "ciphertext").await, 0);
    assert!(found(&chat.core, ann, None, "ciphertext").await.is_empty());

    // A history that is cleared, by who is a member and may.
    let room = chat.core.open_direct(&boss, &["user0"], false).await.unwrap().room;
    let access = chat.core.access(&boss, room.id.as_str()).await.unwrap();
    for n in 0..150 {
        let new = NewMessage::text(format!("swept {n}"));
        chat.core.send(&boss, &access, new).await.unwrap();
    }
    covers_exactly(&chat.core, &chat.database).await;
    assert_eq!(with_term(&chat.database, "swept").await, 150);
    let right = chat.core.admin(&boss, Perm::CleanChannelHistory).unwrap();
    let all = parlance_query::Filter::all();
    assert_eq!(chat.core.clean(right, &access, all, None).await.unwrap(), 150);
    assert_eq!(with_term(&chat.database, "swept").await, 0);

    // A room.
    say(&chat, 0, "the last word").await;
    covers_exactly(&chat.core, &chat.database).await;
    let rooms = number(&chat.database, "SELECT count(*) FROM searchable").await;
    chat.core.delete_room(&boss, &chat.pairs[0]).await.unwrap();
    assert_eq!(with_term(&chat.database, "last").await, 0);
    assert_eq!(number(&chat.database, "SELECT count(*) FROM searchable").await, rooms - 1);
    covers_exactly(&chat.core, &chat.database).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn texts_that_change_and_go_while_they_are_indexed_leave_nothing_behind() {
    let chat = Arc::new(Chat::start().await);
    let mut writers = Vec::new();
    for pair in 0..4 {
        let chat = chat.clone();
        writers.push(tokio::spawn(async move {
            let caller = &chat.callers[pair];
            for n in 0..60 {
                let sent = say(&chat, pair, &format!("first {pair} {n}")).await;
                if n % 4 > 0 {
                    tokio::task::yield_now().await;
                    let text = format!("second {pair} {n}");
                    edit(&chat.core, caller, sent.id.as_str(), &text).await.unwrap();
                }
                if n % 4 > 1 {
                    delete(&chat.core, caller, sent.id.as_str()).await.unwrap();
                }
            }
        }));
    }
    let hurried = {
        let chat = chat.clone();
        tokio::spawn(async move {
            loop {
                chat.core.indexed().await.unwrap();
            }
        })
    };
    for writer in writers {
        soon("a writer", writer).await.unwrap();
    }
    hurried.abort();
    let _ = hurried.await;
    assert!(covers_exactly(&chat.core, &chat.database).await > 300);
}

/// One imported message.
fn line(chat: &Chat, id: &str, text: &str, ts: i64, updated: i64) -> Vec<u8> {
    let document = json!({"_id": format!("{id:0>24}"), "rid": chat.pairs[0], "msg": text,
        "ts": {"$date": ts}, "_updatedAt": {"$date": updated},
        "u": {"_id": chat.callers[0].id().as_str(), "username": "user0"}});
    json!({"collection": "messages", "document": document}).to_string().into_bytes()
}

async fn import(chat: &Chat, lines: &[Vec<u8>]) {
    let lines: Vec<_> = (1..).zip(lines).map(|(number, bytes)| Line { number, bytes }).collect();
    for outcome in chat.core.import_batch(&lines).await.unwrap() {
        assert_eq!(outcome.fate, Fate::Taken, "{}", outcome.number);
    }
}

#[tokio::test]
async fn what_is_imported_is_found_and_indexed() {
    let chat = Chat::start().await;
    let (ann, room) = (&chat.callers[0], chat.pairs[0].as_str());
    fill(&chat, 0).await;
    covers_exactly(&chat.core, &chat.database).await;
    let now = parlance_core::Clock::default().now();
    // Before everything, of one time, changed since, and changed in what is not yet.
    let mut lines = vec![
        line(&chat, "1", "ancient history", 1000, 1000),
        line(&chat, "2", "changed since", 1000, now - 5),
        line(&chat, "3", "from tomorrow", 1000, now + 86_400_000),
    ];
    for n in 0..300 {
        lines.push(line(&chat, &format!("a{n}"), &format!("same time{n}"), 2000, 2000));
    }
    import(&chat, &lines).await;
    let everywhere = async |text: &str, texts: &[&str]| {
        for _ in 0..2 {
            assert_eq!(found(&chat.core, ann, Some(room), text).await, texts, "{text}");
            assert_eq!(found(&chat.core, ann, None, text).await, texts, "{text}");
            covers_exactly(&chat.core, &chat.database).await;
        }
    };
    everywhere("ancient", &["ancient history"]).await;
    everywhere("since", &["changed since"]).await;
    everywhere("tomorrow", &["from tomorrow"]).await;
    everywhere("time7 time299", &["same time299", "same time7"]).await;
    assert_eq!(found(&chat.core, ann, Some(room), "same").await.len(), 300);
    // A newer state of one takes the words of the one before, and none of those of the same time.
    import(&chat, &[line(&chat, "a7", "same other", 2000, 2001)]).await;
    assert_eq!(with_term(&chat.database, "time7").await, 0);
    everywhere("time7", &[]).await;
    everywhere("other", &["same other"]).await;
    everywhere("time8", &["same time8"]).await;
    // One of many of the same time goes; the others stay.
    delete(&chat.core, ann, &format!("{:0>24}", "a9")).await.unwrap();
    assert_eq!(with_term(&chat.database, "time9").await, 0);
    everywhere("time10", &["same time10"]).await;
}

#[tokio::test]
async fn an_index_that_lost_its_place_in_the_log_is_built_anew() {
    let mut chat = Chat::start().await;
    fill(&chat, 0).await;
    covers_exactly(&chat.core, &chat.database).await;
    for loss in [
        // The log was trimmed while nobody followed it.
        "UPDATE meta SET value = '1' WHERE name = 'search_position';
         UPDATE searchable SET until = until - 1000000; DELETE FROM terms;
         DELETE FROM events WHERE pos < (SELECT max(pos) FROM events);
         INSERT INTO meta (name, value) SELECT 'event_floor', CAST(max(pos) AS TEXT)
         FROM events WHERE TRUE ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        // A store from before there was an index.
        "DELETE FROM meta WHERE name IN ('search_position', 'search_walk');
         DELETE FROM terms; DELETE FROM searchable",
    ] {
        chat.core.clone().close().await;
        execute(&chat.database, loss).await;
        chat = chat.restart(StoreOptions::default()).await;
        let found = found(&chat.core, &chat.callers[0], None, "\"filling 17\"").await;
        assert_eq!(found, ["filling 17"]);
        covers_exactly(&chat.core, &chat.database).await;
    }
}

#[tokio::test]
async fn an_indexer_that_stops_in_the_middle_goes_on_there() {
    let mut chat = Chat::start().await;
    for round in 0..5 {
        for n in 0..60 {
            let access = chat.in_group(0).await;
            let new = named(&format!("id{round}x{n}"), &format!("round{round} number{n}"));
            chat.core.send(&chat.callers[0], &access, new).await.unwrap();
        }
        // Cut off wherever it is.
        let wish = tokio::spawn({
            let core = chat.core.clone();
            async move { core.indexed().await }
        });
        for _ in 0..round * 20 {
            tokio::task::yield_now().await;
        }
        wish.abort();
        let _ = wish.await;
        chat = chat.restart(StoreOptions::default()).await;
        let group = chat.group.clone();
        let text = format!("round{round}");
        assert_eq!(found(&chat.core, &chat.callers[0], Some(&group), &text).await.len(), 60);
    }
    covers_exactly(&chat.core, &chat.database).await;
}

#[tokio::test]
async fn switched_off_nothing_is_kept_and_switched_on_everything_is_there_again() {
    let chat = Chat::start().await;
    let (ann, room) = (&chat.callers[0], chat.pairs[0].as_str());
    fill(&chat, 0).await;
    let terms = covers_exactly(&chat.core, &chat.database).await;
    for _ in 0..2 {
        chat.core.overwrite_setting("Parlance_Search_Index", &json!(false)).await.unwrap();
        chat.core.indexed().await.unwrap();
        let left = "SELECT (SELECT count(*) FROM terms) + (SELECT count(*) FROM searchable)";
        assert_eq!(number(&chat.database, left).await, 0);
        assert_eq!(found(&chat.core, ann, Some(room), "\"filling 17\"").await.len(), 1);
        chat.core.overwrite_setting("Parlance_Search_Index", &json!(true)).await.unwrap();
        assert_eq!(found(&chat.core, ann, Some(room), "\"filling 17\"").await.len(), 1);
        assert_eq!(covers_exactly(&chat.core, &chat.database).await, terms);
        assert_eq!(found(&chat.core, ann, Some(room), "\"filling 17\"").await.len(), 1);
    }
}
