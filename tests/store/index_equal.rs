//! Random texts in several scripts and random searches: with the index, with half of it, and without,
//! a search gives the same messages in the same order. The seed is printed; another one is taken from
//! `PARLANCE_SEED`.

use super::index::{execute, found};
use super::{Chat, soon};
use parlance_core::send::NewMessage;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::json;

const WORDS: [&str; 32] = [
    "the",
    "The",
    "THE",
    "move",
    "Straße",
    "STRASSE",
    "straße",
    "ſee",
    "see",
    "Kelvin",
    "kelvin",
    "naïve",
    "NAÏVE",
    "nai\u{308}ve",
    "Σίσυφος",
    "ΣΊΣΥΦΟΣ",
    "σίσυφοσ",
    "日本語",
    "日本",
    "нет",
    "НЕТ",
    "नमस्ते",
    "नमस",
    "v1",
    "1",
    "0",
    "snake_case",
    "snake",
    "İstanbul",
    "istanbul",
    "ﬅ",
    "ﬆ",
];
const BETWEEN: [&str; 12] = [" ", " ", " ", " ", " ", ", ", ".", "-", "\n", "_", "👍", " ... "];

fn text(dice: &mut StdRng, words: usize) -> String {
    let mut text = String::new();
    for _ in 0..words {
        // The first ones are common.
        let one = dice.random_range(0..WORDS.len());
        let place = if dice.random_bool(0.5) { one } else { one / 6 };
        text.push_str(WORDS[place]);
        text.push_str(BETWEEN.choose(dice).unwrap());
    }
    text
}

fn search(dice: &mut StdRng) -> String {
    let words = dice.random_range(1..4);
    let mut search = Vec::new();
    for _ in 0..words {
        let some = dice.random_range(1..4);
        let some = text(dice, some).replace(['"', '/'], "");
        search.push(match dice.random_range(0..9) {
            0..3 => (*WORDS.choose(dice).unwrap()).to_owned(),
            3 => format!("-{}", WORDS.choose(dice).unwrap()),
            4..7 => format!("\"{some}\""),
            7 => some.replace(char::is_whitespace, "."),
            _ => "from:user0".to_owned(),
        });
    }
    if dice.random_bool(0.2) {
        search.push("order:asc".to_owned());
    }
    search.join(" ")
}

async fn write(chat: &Chat, dice: &mut StdRng) {
    let many = (0..600).fold(String::new(), |text, n| format!("{text} {n}"));
    let long = "ä".repeat(40);
    for n in 0..400 {
        let text = match n {
            100 => format!("{many} istanbul needle"),
            200 => format!("{long}x needle"),
            300 => format!("{long}y"),
            _ => {
                let words = dice.random_range(1..8);
                text(dice, words)
            }
        };
        let user = dice.random_range(0..2);
        let access = match n % 3 {
            0 => chat.in_group(user).await,
            _ => chat.in_pair(user, 0).await,
        };
        chat.core.send(&chat.callers[user], &access, NewMessage::text(text)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_index_changes_no_answer() {
    let seed = std::env::var("PARLANCE_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or(20_261_121);
    println!("PARLANCE_SEED={seed}");
    let mut dice = StdRng::seed_from_u64(seed);
    let chat = Chat::start().await;
    write(&chat, &mut dice).await;
    soon("the index", chat.core.indexed()).await.unwrap();
    let mut searches: Vec<String> = (0..150).map(|_| search(&mut dice)).collect();
    let long = "Ä".repeat(40);
    searches.extend(["needle".to_owned(), format!("{long}x"), long, "599".to_owned()]);
    let answers = async || {
        let mut answers = Vec::new();
        for text in &searches {
            for room in [Some(chat.pairs[0].as_str()), Some(chat.group.as_str()), None] {
                answers.push((text, room, found(&chat.core, &chat.callers[0], room, text).await));
            }
        }
        answers
    };
    let with = answers().await;
    assert!(with.iter().filter(|(_, _, texts)| !texts.is_empty()).count() > searches.len());
    // Half of it, as if the indexer had come no further.
    let half = "UPDATE searchable SET until = (SELECT (min(m.ts) + max(m.ts)) / 2 FROM messages m
        WHERE m.room = searchable.room) WHERE room IN (SELECT m.room FROM messages m);
        DELETE FROM terms WHERE ts > (SELECT s.until FROM searchable s WHERE s.n = terms.room)";
    execute(&chat.database, half).await;
    let with_half = answers().await;
    chat.core.overwrite_setting("Parlance_Search_Index", &json!(false)).await.unwrap();
    soon("the index to go", chat.core.indexed()).await.unwrap();
    let without = answers().await;
    for ((with, half), without) in with.iter().zip(&with_half).zip(&without) {
        assert_eq!(with, without);
        assert_eq!(half, without);
    }
}
