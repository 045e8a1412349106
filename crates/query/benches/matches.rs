//! What a filter costs per document, and an order with a limit.
//!
//! Documents are messages as the server writes them, parsed, in a set that fits the cache and in
//! one that does not. The set and the filters are written out too, so that `compare` beside this
//! file times mingo on the same ones.
#![expect(clippy::unwrap_used, reason = "a benchmark")]

use std::hint::black_box;
use std::path::PathBuf;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use parlance_query::{Filter, Limits, Sort, SortKey};
use serde_json::{Value, json};

/// Documents in the small and in the large set.
const SETS: [usize; 2] = [256, 10_000];
/// How many an order gives.
const PAGE: usize = 50;

const FILTERS: [(&str, &str); 8] = [
    ("msg regex", r#"{"msg":{"$regex":"deploy"}}"#),
    ("msg regex i", r#"{"msg":{"$regex":"DEPLOY","$options":"i"}}"#),
    ("ts gt", r#"{"ts":{"$gt":{"$date":1795161900000}}}"#),
    ("u._id equal", r#"{"u._id":"5f0c2a1b9d8e7f6a5b4c3d07"}"#),
    ("mentions._id equal", r#"{"mentions._id":"5f0c2a1b9d8e7f6a5b4c3d03"}"#),
    (
        "or of four",
        r#"{"$or":[{"pinned":true},{"t":"uj"},{"u.username":"user7"},{"ts":{"$lt":{"$date":1795161610000}}}]}"#,
    ),
    (
        "in of four",
        r#"{"u._id":{"$in":["5f0c2a1b9d8e7f6a5b4c3d01","5f0c2a1b9d8e7f6a5b4c3d02","5f0c2a1b9d8e7f6a5b4c3d05","5f0c2a1b9d8e7f6a5b4c3d09"]}}"#,
    ),
    ("exists and ne", r#"{"t":{"$exists":false},"msg":{"$ne":""}}"#),
];

const SORT: &str = r#"{"u.username":1,"ts":-1}"#;

fn message(i: usize) -> Value {
    let user = |n: usize| json!({"_id": format!("5f0c2a1b9d8e7f6a5b4c3d{:02x}", n % 16), "username": format!("user{}", n % 16), "name": format!("User {}", n % 16)});
    let text = [
        "please deploy the new build",
        "lunch?",
        "see https://example.org/path for it",
        "a somewhat longer text that says what everybody in the room knew already, twice over",
    ];
    let mentions: Vec<Value> = (0..i % 3).map(|n| user(i + n + 1)).collect();
    let mut doc = json!({
        "_id": format!("65a1b2c3d4e5f6a7b8{i:06x}"),
        "rid": "5f0c2a1b9d8e7f6a5b4c3d005f0c2a1b9d8e7f6a5b4c3d01",
        "msg": format!("{} {i}", text[i % text.len()]),
        "ts": {"$date": 1_795_161_600_000_u64 + (i as u64 * 7919) % 1_000_000},
        "_updatedAt": {"$date": 1_795_161_600_500_u64 + i as u64},
        "u": user(i * 7),
        "mentions": mentions,
        "channels": [],
        "urls": [],
        "md": [{"type": "PARAGRAPH", "value": [{"type": "PLAIN_TEXT", "value": text[i % text.len()]}]}],
    });
    if i.is_multiple_of(50) {
        doc["pinned"] = json!(true);
    }
    if i.is_multiple_of(20) {
        doc["t"] = json!("uj");
    }
    doc
}

fn matches(c: &mut Criterion) {
    let limits = Limits::default();
    let sort = Sort::parse(SORT, &limits).unwrap();
    for size in SETS {
        let docs: Vec<Value> = (0..size).map(message).collect();
        write(&docs);
        let mut group = c.benchmark_group(size.to_string());
        group.throughput(Throughput::Elements(size as u64));
        for (name, text) in FILTERS {
            let filter = Filter::parse(text, &limits).unwrap();
            group.bench_function(name, |b| {
                b.iter(|| black_box(&docs).iter().filter(|doc| filter.matches(doc)).count());
            });
        }
        group.bench_function("sort and limit", |b| b.iter(|| page(black_box(&docs), &sort)));
    }
}

/// The first page of an order, as a scan finds it: keys are kept of the best so far.
fn page(docs: &[Value], sort: &Sort) -> Vec<usize> {
    let order = |best: &mut Vec<(SortKey, usize)>| {
        best.sort_unstable_by(|(a, x), (b, y)| sort.compare_keys(a, b).then(x.cmp(y)));
        best.truncate(PAGE);
    };
    let mut best: Vec<(SortKey, usize)> = Vec::with_capacity(2 * PAGE);
    let mut full = false;
    for (place, doc) in docs.iter().enumerate() {
        let worst = best.get(PAGE - 1).filter(|_| full);
        if worst.is_some_and(|(worst, _)| sort.compare_to(doc, worst).is_ge()) {
            continue;
        }
        best.push((sort.key(doc), place));
        if best.len() == 2 * PAGE {
            order(&mut best);
            full = true;
        }
    }
    order(&mut best);
    best.into_iter().map(|(_, place)| place).collect()
}

/// Writes a set for the other program.
fn write(docs: &[Value]) {
    let Some(dir) = std::env::var_os("PARLANCE_BENCH_OUT").map(PathBuf::from) else { return };
    let cases = json!({"docs": docs, "filters": FILTERS, "sort": SORT, "page": PAGE});
    std::fs::write(dir.join(format!("{}.json", docs.len())), cases.to_string()).unwrap();
}

criterion_group!(benches, matches);
criterion_main!(benches);
