//! Random filters and sorts against every list that reads `query`: the answer is what the matcher
//! makes of the route's own documents, and a filter that names foreign rooms in every way there is
//! gets nothing of them. The seed is printed; another one is taken from `PARLANCE_SEED`.

use super::{Route, World, ids, marked};
use crate::app::START;
use parlance_core::time;
use parlance_query::{Filter, Limits, Sort};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value, json};

const TEXTS: [&str; 9] = ["g", "Gust", "naïve ça", "", "日本語", "a.b", "two\nlines", "-1", "true"];
const MESSAGE_PATHS: [&str; 26] = [
    "_id",
    "rid",
    "msg",
    "ts",
    "_updatedAt",
    "u._id",
    "u.username",
    "u.name",
    "u",
    "t",
    "tmid",
    "tshow",
    "tcount",
    "pinned",
    "starred",
    "starred._id",
    "mentions",
    "mentions._id",
    "mentions.username",
    "attachments.title",
    "attachments.0.title",
    "n",
    "n.a",
    "n.0",
    "nothing",
    "md.type",
];
const ROOM_PATHS: [&str; 18] = [
    "_id",
    "t",
    "ts",
    "_updatedAt",
    "uids",
    "uids.0",
    "usernames",
    "usersCount",
    "msgs",
    "lm",
    "topic",
    "ro",
    "lastMessage",
    "lastMessage._id",
    "lastMessage.msg",
    "lastMessage.u._id",
    "lastMessage.mentions._id",
    "nothing",
];

struct Dice {
    rng: StdRng,
    paths: &'static [&'static str],
    /// Values that the documents have, and some that they don't.
    values: Vec<Value>,
}

impl Dice {
    fn new(paths: &'static [&'static str], documents: &[Value], own: &[Value]) -> Self {
        let seed = std::env::var("PARLANCE_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed: u64 = seed.unwrap_or(20_261_120);
        println!("seed {seed}");
        let mut values = vec![json!(null), json!(0), json!(1), json!(-1.5), json!(true)];
        values.extend([json!("d"), json!([]), json!({}), json!("all"), json!({"$date": START})]);
        values.extend_from_slice(own);
        for document in documents {
            leaves(document, &mut values);
        }
        values.sort_by_cached_key(Value::to_string);
        values.dedup();
        Self { rng: StdRng::seed_from_u64(seed), paths, values }
    }

    fn one(&mut self, of: [&'static str; 4]) -> &'static str {
        of[self.rng.random_range(0..of.len())]
    }

    fn value(&mut self) -> Value {
        self.values.choose(&mut self.rng).cloned().unwrap_or_default()
    }

    fn list(&mut self) -> Value {
        (0..self.rng.random_range(0..4)).map(|_| self.value()).collect()
    }

    fn test(&mut self, depth: usize) -> Value {
        match self.rng.random_range(0..15) {
            0..3 => self.value(),
            3 => json!({"$ne": self.value()}),
            4 => json!({"$gt": self.value()}),
            5 => json!({"$gte": self.value(), "$lt": self.value()}),
            6 => json!({"$lte": self.value()}),
            7 => json!({"$in": self.list()}),
            8 => json!({"$nin": self.list()}),
            9 => json!({"$exists": self.rng.random_bool(0.5)}),
            10 => json!({"$regex": self.one(["", "^g", "a", "[0-9]"]), "$options": "i"}),
            11 => json!({"$all": self.list()}),
            12 => json!({"$size": self.rng.random_range(0..3)}),
            13 => json!({"$type": self.one(["string", "date", "number", "array"])}),
            _ if depth == 0 => json!({"$mod": [2, 0]}),
            _ => match self.test(depth - 1) {
                inner @ Value::Object(_) if is_operators(&inner) => json!({"$not": inner}),
                inner => json!({"$elemMatch": {"$eq": inner}}),
            },
        }
    }

    /// The text of a filter; in it, members may stand twice.
    fn filter(&mut self, depth: usize) -> String {
        let mut members = Vec::new();
        for _ in 0..self.rng.random_range(1..3) {
            let logical = depth > 0 && self.rng.random_bool(0.4);
            members.push(if logical {
                let word = self.one(["$and", "$or", "$nor", "$or"]);
                let parts: Vec<String> =
                    (0..self.rng.random_range(1..4)).map(|_| self.filter(depth - 1)).collect();
                format!("{:?}:[{}]", word, parts.join(","))
            } else {
                let path = self.paths.choose(&mut self.rng).copied().unwrap_or("_id");
                format!("{:?}:{}", path, self.test(1))
            });
        }
        format!("{{{}}}", members.join(","))
    }

    fn sort(&mut self) -> String {
        let mut keys = Map::new();
        for _ in 0..self.rng.random_range(1..4) {
            let path = self.paths.choose(&mut self.rng).copied().unwrap_or("_id");
            keys.insert(path.to_owned(), if self.rng.random_bool(0.5) { 1 } else { -1 }.into());
        }
        Value::Object(keys).to_string()
    }
}

fn is_operators(value: &Value) -> bool {
    value
        .as_object()
        .and_then(|map| map.keys().next())
        .is_some_and(|key| key.starts_with('$') && key != "$date")
}

/// The scalars of a document, dates whole.
fn leaves(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Object(map) if !map.contains_key("$date") => {
            map.values().for_each(|value| leaves(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| leaves(value, found)),
        other => found.push(other.clone()),
    }
}

/// Messages of all three rooms, each with something of what a message can have.
fn messages(world: &World, rng: &mut StdRng) -> Vec<Value> {
    let people = [(&world.ann.id, "ann"), (&world.bob.id, "bob")];
    let odd = [json!(1), json!(2.5), json!(null), json!([1, "g"]), json!({"a": 1}), json!("1")];
    (0..90)
        .map(|n: usize| {
            let at = START + i64::from(rng.random_range(0..40_u8)) * 1000;
            let (id, name) = people.choose(rng).copied().unwrap_or(people[0]);
            let mut message = json!({"_id": format!("message{n:02}"), "rid": world.rooms[n % 3],
            "msg": TEXTS.choose(rng), "u": {"_id": id, "username": name},
            "ts": time::iso(at), "_updatedAt": time::iso(at + 500)});
            let mut set = |name: &str, chance: f64, value: Value| {
                if rng.random_bool(chance) {
                    message[name] = value;
                }
            };
            set("t", 0.1, "rm".into());
            set("tmid", 0.2, "message00".into());
            set("tshow", 0.2, n.is_multiple_of(2).into());
            set("tcount", 0.3, (n % 4).into());
            set("pinned", 0.3, n.is_multiple_of(2).into());
            set("starred", 0.3, json!([{"_id": world.ann.id}, {"_id": world.bob.id}]));
            set("mentions", 0.4, json!([{"_id": world.bob.id, "username": "bob"}, {"_id": "all"}]));
            set("attachments", 0.3, json!([{"title": "g"}, {"title": "x"}]));
            set("n", 0.6, odd[n % odd.len()].clone());
            message
        })
        .collect()
}

/// Asks a route many questions, and compares each answer with the matcher's.
async fn agree(world: &World, user: &crate::app::TestUser, route: &Route<'_>, dice: &mut Dice) {
    let all = world.all(user, route, &[]).await;
    let documents: Vec<Value> =
        all[route.list].as_array().unwrap().iter().cloned().map(marked).collect();
    let id = |document: &Value| document["_id"].as_str().unwrap().to_owned();
    let limits = Limits::default();
    let mut hits = 0;
    for n in 0..250 {
        let (query, sort) = (dice.filter(2), dice.sort());
        let Ok(filter) = Filter::parse(&query, &limits) else { continue };
        let mut want: Vec<&Value> = documents.iter().filter(|doc| filter.matches(doc)).collect();
        hits += usize::from(!want.is_empty());
        let body = world.all(user, route, &[("query", &query)]).await;
        // In the route's own order, which is that of the documents.
        assert_eq!(
            ids(&body, route.list),
            want.iter().map(|d| id(d)).collect::<Vec<_>>(),
            "{query}"
        );
        assert_eq!(body["total"], want.len(), "{query}");
        let order = Sort::parse(&sort, &limits).unwrap();
        want.sort_by(|a, b| order.compare(a, b).then_with(|| id(a).cmp(&id(b))));
        let (offset, count) = (n % 7, 1 + n % 5);
        let want: Vec<String> = want.into_iter().skip(offset).take(count).map(id).collect();
        let (offset, count) = (offset.to_string(), count.to_string());
        let page =
            [("query", query.as_str()), ("sort", &sort), ("offset", &offset), ("count", &count)];
        let asked: Vec<(&str, &str)> = route.params.iter().chain(&page).copied().collect();
        let body = world.app.rocket(user).get(route.name, &asked).await.ok();
        assert_eq!(ids(&body, route.list), want, "{query} {sort} {offset} {count}");
    }
    assert!(hits > 40, "the filters are too narrow: {hits}");
}

#[tokio::test]
async fn every_list_answers_what_the_matcher_says_and_nothing_foreign() {
    let world = World::new().await;
    let mut rng = StdRng::seed_from_u64(7);
    let messages = messages(&world, &mut rng);
    world.import(messages.clone()).await;
    let own: Vec<Value> = world.rooms.iter().map(|room| json!(room)).collect();
    let mut dice = Dice::new(&MESSAGE_PATHS, &messages, &own);
    for (user, name) in [(&world.ann, "dm.messages"), (&world.boss, "dm.messages.others")] {
        let params = [("roomId", world.rooms[0].as_str())];
        let route = Route { name, params: &params, list: "messages" };
        let body = world.all(user, &route, &[]).await;
        assert_eq!(body["total"], 30);
        let rids = body["messages"].as_array().unwrap().iter().map(|message| &message["rid"]);
        assert!(rids.into_iter().all(|rid| *rid == world.rooms[0]));
        agree(&world, user, &route, &mut dice).await;
    }
    let route = Route { name: "dm.list.everyone", params: &[], list: "ims" };
    let rooms = world.all(&world.boss, &route, &[]).await;
    let rooms = rooms["ims"].as_array().unwrap().iter().cloned().map(marked).collect::<Vec<_>>();
    let mut dice = Dice::new(&ROOM_PATHS, &rooms, &own);
    agree(&world, &world.boss, &route, &mut dice).await;
}
