//! Time to read one message, by class of message.
//!
//! The texts stand in `texts.json`, so that `benches/ratio` can time the npm
//! package on the same ones. What is timed is what a server does on a write:
//! the tree, its JSON, and the names and addresses in it.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use parlance_text::{Options, parse};

fn messages(c: &mut Criterion) {
    let texts: serde_json::Value =
        serde_json::from_str(include_str!("texts.json")).unwrap_or_default();
    let options = Options::default();
    let mut group = c.benchmark_group("parse");
    for (class, text) in texts.as_object().into_iter().flatten() {
        let text = text.as_str().unwrap_or_default();
        group.bench_function(class, |b| {
            b.iter(|| {
                let parsed = parse(black_box(text), &options);
                let counts = (parsed.mentions().len(), parsed.urls().len());
                (counts, parsed.md_json())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, messages);
criterion_main!(benches);
