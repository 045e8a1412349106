//! Random documents: messages and rooms as the server writes them, and odd ones.
//!
//! In the first two the members that are columns have the columns' types, as in a store; what has
//! no column, and everything in the odd ones, can be anything.

use serde_json::{Map, Value, json};

use crate::chance::Chance;

/// What kind of documents a set has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Message,
    Room,
    Odd,
}

impl Shape {
    /// Paths that filters, sorts and projections name.
    pub(crate) fn paths(self) -> &'static [&'static str] {
        match self {
            Self::Message => MESSAGE,
            Self::Room => ROOM,
            Self::Odd => ODD,
        }
    }
}

const MESSAGE: &[&str] = &[
    "_id",
    "rid",
    "msg",
    "msg",
    "ts",
    "ts",
    "_updatedAt",
    "u",
    "u._id",
    "u._id",
    "u.username",
    "u.name",
    "t",
    "tmid",
    "tshow",
    "tcount",
    "tlm",
    "pinned",
    "pinnedAt",
    "editedAt",
    "starred",
    "starred._id",
    "mentions",
    "mentions._id",
    "mentions._id",
    "mentions.username",
    "mentions.0._id",
    "mentions.0",
    "urls",
    "urls.url",
    "urls.0.url",
    "urls.meta.size",
    "reactions.:a:.usernames",
    "extra",
    "extra.a",
    "extra.b",
    "extra.a.b",
    "extra.0",
    "no.such",
];

const ROOM: &[&str] = &[
    "_id",
    "t",
    "ts",
    "_updatedAt",
    "usersCount",
    "msgs",
    "lm",
    "topic",
    "ro",
    "uids",
    "uids",
    "uids.0",
    "usernames",
    "usernames.1",
    "lastMessage",
    "lastMessage._id",
    "lastMessage.rid",
    "lastMessage.msg",
    "lastMessage.ts",
    "lastMessage._updatedAt",
    "lastMessage.u._id",
    "lastMessage.u.username",
    "lastMessage.u.name",
    "lastMessage.u",
    "extra",
    "extra.a",
    "extra.a.b",
    "no",
];

const ODD: &[&str] = &[
    "a", "a", "a", "b", "c", "a.a", "a.b", "a.b", "a.c", "a.0", "a.1", "a.0.b", "a.b.0", "a.b.c",
    "a.a.b", "b.a", "b.b", "b.0.0", "b.a.b.c", "c.b", "c.00", "c.5", "msg", "ts",
];

const WORDS: &[&str] = &[
    "",
    "a",
    "b",
    "ab",
    "B",
    "abc",
    "é",
    "É",
    "ß",
    "Привет",
    "привет",
    "日本",
    "😀",
    "\u{fffd}",
    "a b",
    "a\nb",
    "hello world",
    "1",
    "8",
    "true",
    "2026",
    "ann",
    "bob",
    "u1",
    "u2",
];

const WHOLE: &[i64] = &[
    0,
    0,
    1,
    1,
    2,
    3,
    4,
    8,
    -1,
    -4,
    -5,
    2_147_483_647,
    2_147_483_648,
    -2_147_483_649,
    5_000_000_000,
    9_007_199_254_740_991,
    9_007_199_254_740_993,
    i64::MAX,
    i64::MIN,
];

const TIMES: &[i64] = &[0, 1, 2, 1000, -1, 1_795_161_600_000, 1_795_161_600_001, 1_795_161_601_500];

fn word(chance: &mut Chance) -> Value {
    (*chance.pick(WORDS)).into()
}

fn user(chance: &mut Chance) -> Value {
    (*chance.pick(&["ann", "bob", "cy", "u1", "u2", "é"])).into()
}

fn whole(chance: &mut Chance) -> Value {
    (*chance.pick(WHOLE)).into()
}

fn date(chance: &mut Chance) -> Value {
    json!({ "$date": chance.pick(TIMES) })
}

fn flag(chance: &mut Chance) -> Value {
    chance.hit(50).into()
}

/// Any value without members.
pub(crate) fn scalar(chance: &mut Chance) -> Value {
    match chance.below(12) {
        0 => Value::Null,
        1 => flag(chance),
        2..=4 => whole(chance),
        5 => date(chance),
        6 => chance
            .pick(&[json!(1.5), json!(-0.5), json!(2.0), json!(8.9), json!(1e300), json!(-1e300)])
            .clone(),
        _ => word(chance),
    }
}

/// Any value, with at most so many levels of arrays and documents.
pub(crate) fn anything(chance: &mut Chance, levels: usize) -> Value {
    match chance.below(if levels == 0 { 5 } else { 10 }) {
        0..=4 => scalar(chance),
        5 => list(chance, 4, scalar),
        6 => list(chance, 4, |chance| anything(chance, levels - 1)),
        7 => list(chance, 4, |chance| members(chance, levels - 1)),
        _ => members(chance, levels - 1),
    }
}

fn members(chance: &mut Chance, levels: usize) -> Value {
    let mut map = Map::new();
    for _ in 0..chance.below(4) {
        let name = *chance.pick(&["a", "b", "b", "c", "d", "0", "1"]);
        map.insert(name.to_owned(), anything(chance, levels));
    }
    Value::Object(map)
}

fn list(chance: &mut Chance, end: usize, mut item: impl FnMut(&mut Chance) -> Value) -> Value {
    (0..chance.below(end)).map(|_| item(chance)).collect()
}

/// A member and how to make it.
type Member = (&'static str, fn(&mut Chance) -> Value);

fn some(chance: &mut Chance, of: &[Member]) -> Value {
    let mut map = Map::new();
    for (name, make) in of {
        if chance.hit(70) {
            map.insert((*name).to_owned(), make(chance));
        }
    }
    Value::Object(map)
}

fn author(chance: &mut Chance) -> Value {
    some(chance, &[("_id", user), ("username", user), ("name", word)])
}

fn message(chance: &mut Chance) -> Value {
    some(
        chance,
        &[
            ("rid", user),
            ("msg", word),
            ("ts", date),
            ("_updatedAt", date),
            ("u", author),
            ("t", word),
            ("tmid", word),
            ("tshow", flag),
            ("tcount", whole),
            ("tlm", date),
            ("pinned", flag),
            ("pinnedAt", date),
            ("editedAt", date),
            ("starred", |chance| json!([{ "_id": user(chance) }])),
            ("mentions", |chance| list(chance, 4, author)),
            ("urls", |chance| {
                list(chance, 4, |chance| {
                    some(
                        chance,
                        &[("url", word), ("meta", |chance| some(chance, &[("size", whole)]))],
                    )
                })
            }),
            ("reactions", |chance| json!({":a:": {"usernames": list(chance, 4, user)}})),
            ("extra", |chance| anything(chance, 3)),
        ],
    )
}

fn room(chance: &mut Chance) -> Value {
    some(
        chance,
        &[
            ("t", |chance| (*chance.pick(&["d", "c", "p"])).into()),
            ("ts", date),
            ("_updatedAt", date),
            ("usersCount", whole),
            ("msgs", whole),
            ("lm", date),
            ("topic", word),
            ("ro", flag),
            ("uids", |chance| list(chance, 4, user)),
            ("usernames", |chance| list(chance, 4, user)),
            ("lastMessage", |chance| {
                let mut last = message(chance);
                last["_id"] = word(chance);
                last
            }),
            ("extra", |chance| anything(chance, 3)),
        ],
    )
}

fn odd(chance: &mut Chance) -> Value {
    let mut doc = some(
        chance,
        &[
            ("a", |chance| anything(chance, 3)),
            ("b", |chance| anything(chance, 3)),
            ("c", |chance| anything(chance, 2)),
        ],
    );
    for name in ["msg", "ts"] {
        if chance.hit(30) {
            doc[name] = scalar(chance);
        }
    }
    doc
}

/// A set of documents in the order of their ids.
pub(crate) fn set(chance: &mut Chance, shape: Shape) -> Vec<Value> {
    let number = 12 + chance.below(9);
    let docs = (0..number).map(|i| {
        let mut doc = match shape {
            Shape::Message => message(chance),
            Shape::Room => room(chance),
            Shape::Odd => odd(chance),
        };
        doc["_id"] = format!("m{i:02}").into();
        doc
    });
    docs.collect()
}
